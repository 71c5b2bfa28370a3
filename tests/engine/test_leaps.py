"""A compiled race is the eager one, up to float rounding, whatever happens on the way."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tutor.engine import compiled, leaps, train
from tutor.engine.compiled import Function, Kind
from tutor.engine.maker import Maker
from tutor.training import options
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points
from tutor.training.spec import Kept, RaceSpec, SliceRequest


class Uncompiled(Maker):
    """Everything is at hand at once, as it stands: what is compiled of it is tested in
    test_compiled."""

    def __init__(self) -> None:
        super().__init__()
        self.problem = ""
        self.asked: list[Kind] = []

    def get(self, kind: Kind) -> Function:
        self.asked.append(kind)
        self._ready[kind] = partial(compiled.computed, kind)
        return self._ready[kind]


@pytest.fixture(autouse=True)
def maker(monkeypatch: pytest.MonkeyPatch) -> Uncompiled:
    made = Uncompiled()
    monkeypatch.setattr(leaps, "_maker", made)
    return made


def points(request: SliceRequest) -> tuple[dict[str, list[Points]], Finished]:
    by_run: dict[str, list[Points]] = {}
    end = None
    for each in train.train(request):
        if isinstance(each, Points):
            by_run.setdefault(each.run, []).append(each)
        if isinstance(each, Finished):
            end = each
    assert end is not None
    return by_run, end


def columns(parts: list[Points]) -> dict[str, list[float]]:
    held: dict[str, list[float]] = {}
    at = parts[0].start
    for part in parts:
        assert part.start == at
        at += len(part.losses)
        held.setdefault("loss", []).extend(part.losses)
        held.setdefault("test", []).extend(part.test_losses)
        for index in range(len(part.losses)):
            samples = part.samples + index * part.per_iteration
            held.setdefault("samples", []).append(samples)
        for name, column in part.params.items():
            held.setdefault(name, []).extend(column)
    return held


def race(*changes: str) -> RaceSpec:
    return options.race(None, changes)


RACES = {
    "race": ["iterations=100"],
    "decay": ["iterations=50", "decay=0.1", "seed=2"],
    "changes": ["iterations=60", "lr@13=0.2", "optimiser@30=momentum", "seed=1"],
    "mlp": ["model=mlp", "iterations=70", "batch=16", "test=50"],
    "momentum": ["model=mlp", "iterations=70", "optimiser=momentum", "batch=16"],
    "perceptron": ["model=perceptron", "dataset=moons", "iterations=40", "batch=8"],
}


@pytest.mark.parametrize("changes", RACES.values(), ids=RACES)
def test_it_is_the_eager_race(changes: list[str], maker: Uncompiled) -> None:
    spec = race(*changes)
    eager, one = points(SliceRequest(spec))
    assert maker.asked == []
    other, two = points(SliceRequest(replace(spec, engine="compiled")))
    assert len(maker.asked) > 1
    assert {end.engine for end in one.runs.values()} == {"eager"}
    assert {end.engine for end in two.runs.values()} == {"compiled"}
    for sent, engine in ((eager, "eager"), (other, "compiled")):
        assert {parts[-1].engine for parts in sent.values()} == {engine}
    assert list(eager) == list(other)
    for name, parts in eager.items():
        wanted, got = columns(parts), columns(other[name])
        assert wanted.keys() == got.keys()
        for key, column in wanted.items():
            assert got[key] == pytest.approx(column, rel=2e-3, abs=2e-5), (name, key)
        assert other[name][-1].params.keys() == eager[name][-1].params.keys()
        assert two.runs[name].loss == got["loss"][-1]


def test_a_run_that_diverges_ends_at_the_same_iteration() -> None:
    spec = race("lr=1.2", "iterations=200")
    _, one = points(SliceRequest(spec))
    other, two = points(SliceRequest(replace(spec, engine="compiled")))
    for name, end in one.runs.items():
        assert end.stopped == "diverged"
        assert (two.runs[name].stopped, two.runs[name].iteration) == (
            "diverged",
            end.iteration,
        )
        assert len(columns(other[name])["loss"]) == end.iteration + 1
        assert two.runs[name].params == pytest.approx(end.params, rel=1e-3)


def test_slices_of_any_length_join(maker: Uncompiled) -> None:
    spec = replace(race("model=mlp", "iterations=64"), id="joined", engine="compiled")
    whole, _ = points(SliceRequest(spec))
    parts: list[Points] = []
    for number, limit in enumerate((3, 20, 1, 9, 40)):
        some, _ = points(SliceRequest(spec, fresh=not number, limit=limit))
        parts += some["mlp"]
    wanted, got = columns(whole["mlp"]), columns(parts)
    assert got["loss"] == pytest.approx(wanted["loss"], rel=2e-3)


def test_what_is_kept_goes_on_in_another_kernel() -> None:
    spec = replace(race("model=mlp", "iterations=64"), id="kept", engine="compiled")
    whole, _ = points(SliceRequest(spec))
    first: list[Any] = list(train.train(SliceRequest(spec, limit=40)))
    kept = tuple(each for each in first if isinstance(each, Kept))
    train._races.clear()
    rest, end = points(SliceRequest(spec, fresh=False, kept=kept))
    assert end.runs["mlp"].stopped == "finished"
    assert rest["mlp"][0].start == 41
    assert columns(rest["mlp"])["loss"] == pytest.approx(
        columns(whole["mlp"])["loss"][41:], rel=2e-3
    )


def test_why_it_is_not_compiled_is_told_once(
    maker: Uncompiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(race("optimiser=random", "iterations=30"), engine="compiled")
    sent = list(train.train(SliceRequest(spec)))
    told = [each for each in sent if isinstance(each, Finding)]
    assert [(each.run, each.kind) for each in told] == [
        (run.name, "engine") for run in spec.runs
    ]
    (end,) = (each for each in sent if isinstance(each, Finished))
    assert {each.engine for each in end.runs.values()} == {"eager"}


def test_an_eager_race_says_nothing_of_it() -> None:
    sent = list(train.train(SliceRequest(race("optimiser=random", "iterations=30"))))
    assert not [each for each in sent if isinstance(each, Finding)]
