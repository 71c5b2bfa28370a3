"""Settings turned by one notch."""

import pytest

from tutor.training.commands import settings
from tutor.training.notches import ALL, NOTCHES, Notch
from tutor.training.options import race
from tutor.training.spec import RaceSpec


def notch(key: str) -> Notch:
    return next(each for each in ALL if each.key == key)


def turned(spec: RaceSpec, key: str, *directions: int) -> str:
    for direction in directions:
        spec = notch(key).turn(spec, direction)
    return notch(key).shown(spec)


@pytest.mark.parametrize(
    ("key", "directions", "shown"),
    [
        ("lr", (), "0.05"),
        ("lr", (1, 1, 1), "0.5"),
        ("lr", (-1, -1), "0.01"),
        ("lr", (-1,) * 40, "1e-05"),
        ("lr", (1,) * 40, "500"),
        ("batch", (), "4"),
        ("batch", (1,), "8"),
        ("batch", (-1,) * 5, "1"),
        ("batch", (1,) * 30, "1000"),
        ("seed", (1, 1), "2"),
        ("seed", (-1,), "0"),
        ("noise", (1,), "2"),
        ("noise", (-1,) * 20, "0"),
        ("noise", (*(-1,) * 20, 1), "0.02"),
        ("iterations", (), "25"),
        ("iterations", (1,), "50"),
        ("iterations", (-1,) * 5, "10"),
        ("iterations", (1,) * 40, "5e8"),
    ],
)
def test_a_notch_is_turned(key: str, directions: tuple[int, ...], shown: str) -> None:
    assert turned(race(), key, *directions) == shown


def test_every_turned_race_is_one_that_could_be_asked_for() -> None:
    for each in NOTCHES:
        for direction in (1, -1):
            spec = race()
            for _ in range(30):
                spec = each.turn(spec, direction)
                run = spec.runs[1]
                assert (
                    race(
                        None,
                        [
                            f"lr={run.lr!r}",
                            f"batch={run.samples_per_iteration}",
                            f"seed={run.seed}",
                            f"noise={run.noise!r}",
                            f"iterations={run.iterations}",
                        ],
                    )
                    == spec
                )


def test_the_batch_is_minibatchs_and_all_the_data_is_no_batch() -> None:
    spec = race()
    for _ in range(10):
        spec = notch("batch").turn(spec, 1)
    assert [run.batch for run in spec.runs] == [None, None, 1]


def test_a_race_without_a_run_to_turn_has_no_batch() -> None:
    spec = race({"runs": [{"name": "a", "batch": 2}, {"name": "b", "batch": 3}]})
    assert notch("batch").shown(spec) == ""
    assert notch("batch").turn(spec, 1) == spec


def test_different_values_are_all_shown_and_each_turned() -> None:
    spec = race({"runs": [{"name": "a", "lr": 0.1}, {"name": "b", "lr": 0.3}]})
    assert turned(spec, "lr") == "0.1, 0.3"
    assert turned(spec, "lr", 1) == "0.2, 0.5"


def test_only_other_data_begins_anew() -> None:
    assert {each.key for each in NOTCHES if each.anew} == {"seed", "noise"}


def test_every_notch_turned_far_is_a_race_that_can_be_told_as_a_command() -> None:
    for start in ([], ["model=mlp"], ["dataset=ravine"], ["model=perceptron"]):
        for each in ALL:
            for direction in (1, -1):
                spec = race(None, start)
                for _ in range(20):
                    spec = each.turn(spec, direction)
                    assert race(None, settings(spec)) == spec


def test_a_race_under_way_is_turned_from_where_it_is() -> None:
    spec = notch("lr").turn(race(), 1, at={"gd": 5, "minibatch": 5, "sgd": 4})
    assert [run.changes[0].at for run in spec.runs] == [5, 5, 4]
    assert notch("lr").shown(spec, at=5) == "0.1"
    assert notch("lr").shown(spec, at=4) == "0.05, 0.1"
    assert notch("lr").turn(spec, -1, at=5).runs[0] == race().runs[0]


def test_what_makes_no_sense_is_passed_over() -> None:
    assert turned(race(), "loss", 1, 1, 1, 1) == "sse"
    assert turned(race(None, ["dataset=moons", "loss=sse"]), "loss", 1) == "bce"
    assert turned(race(None, ["dataset=bowl"]), "batch") == ""
    assert turned(race(), "widths") == ""
    assert turned(race(None, ["model=mlp"]), "widths", 1, 1, 1) == "3-5"
