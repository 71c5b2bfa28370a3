"""What cannot be seen of a run, and what is said of it."""

from dataclasses import replace

import pytest

from tutor.training import options
from tutor.training.catalogue import parameter_count
from tutor.training.refusals import refusal
from tutor.training.spec import RaceSpec

VIEWS = ("curves", "contour", "output", "layers", "noise", "luck")


def race(*settings: str) -> RaceSpec:
    return options.race(None, settings)


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ((), {"layers"}),
        (("dataset=bowl", "model=point"), {"output", "layers", "noise", "luck"}),
        (("dataset=circle", "model=mlp"), {"contour", "noise"}),
        (("dataset=circle", "model=perceptron"), {"contour", "layers", "noise"}),
        (("optimiser=random",), {"layers", "luck"}),
        (("slip=broadcast",), {"layers", "noise", "luck"}),
    ],
)
def test_what_is_refused(settings: tuple[str, ...], refused: set[str]) -> None:
    spec = race(*settings)
    told = {view: refusal(view, spec, spec.runs[0]) for view in VIEWS}
    assert {view for view, said in told.items() if said} == refused
    assert all(said.endswith(".") for said in told.values() if said)


def test_of_an_own_loop_there_are_only_curves() -> None:
    spec = replace(race(), watched=True)
    told = {view: refusal(view, spec, spec.runs[0]) for view in VIEWS}
    assert {view for view, said in told.items() if not said} == {"curves"}


def test_luck_is_refused_for_the_race_when_one_run_has_none() -> None:
    spec = race("sgd.optimiser=random")
    assert "'sgd' moves at random" in refusal("luck", spec, spec.runs[0])


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        (("dataset=circle", "model=mlp", "widths=16-16"), 337),
        (("dataset=sin", "model=mlp", "widths=4"), 13),
        (("model=constant",), 1),
        (("model=parabola",), 3),
        (("dataset=xor", "model=parabola"), 5),
        (("dataset=circle", "model=linear"), 3),
    ],
)
def test_how_many_parameters(settings: tuple[str, ...], count: int) -> None:
    run = race(*settings).runs[0]
    assert parameter_count(run.model, run.dataset, run.widths) == count
