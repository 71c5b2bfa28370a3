"""What stands beside the plot: numbers that never touch, in lines that never wrap."""

import pytest

from tutor.training.run import Finished, Points, Race, RunEnd
from tutor.training.spec import RaceSpec, RunSpec
from tutor.ui.look import Look
from tutor.ui.widgets.race_panel import Setting, Standing, fitted, panel

VALUES = (0.0, 2.0, -150.35, 23516.389, 8.46e-6, -4.11e-300, 1.5e12, float("nan"))


@pytest.mark.parametrize("room", [5, 6, 9])
@pytest.mark.parametrize("value", VALUES)
def test_a_number_has_as_many_digits_as_have_room(value: float, room: int) -> None:
    assert 0 < len(fitted(value, room)) <= room


def test_a_number_keeps_what_digits_it_can() -> None:
    assert fitted(23516.389, 6) == "23516"
    assert fitted(-150.35, 6) == "-150.3"
    assert fitted(8.46e-6, 6) == "8.5e-6"
    assert fitted(0.949, 6) == "0.949"


def far(width: int, iterations: int, test: int = 0) -> list[str]:
    """The lines of two runs with awkward numbers."""
    spec = RaceSpec(
        tuple(
            RunSpec(name=name, iterations=iterations, test=test, seed=0)
            for name in ("gd", "sgd")
        )
    )
    race = Race(spec)
    for name in ("gd", "sgd"):
        race.add(
            Points(
                name,
                0,
                0,
                1000,
                (23516.389, 8.46e-6),
                {"w": (-150.35, 4.11e-6), "b": (1.5, -248.43)},
                (23516.0, 1e-9) if test else (),
            )
        )
    standing = Standing(race, 1, frozenset())
    text = panel(standing, [Setting("lr", "0.05, 0.2", False)], (), Look(), (width, 30))
    return text.plain.split("\n")


@pytest.mark.parametrize("test", [0, 500])
@pytest.mark.parametrize("iterations", [25, 2000, 131072])
@pytest.mark.parametrize("width", [26, 40])
def test_each_number_stands_alone(width: int, iterations: int, test: int) -> None:
    lines = far(width, iterations, test)
    assert all(len(line) <= width for line in lines)
    head = next(line for line in lines if "loss" in line).split()
    names = head[head.index("loss") + 1 :]
    assert names
    for line in lines[lines.index("") :]:
        if line.startswith((" A", " B")):
            assert len(line.split()) == len(names) + 2
            [float(each) for each in line.split()[1:]]


def test_values_that_differ_are_all_shown() -> None:
    assert any("0.05, 0.2" in line for line in far(26, 25))


def test_with_test_data_both_parameters_have_room_in_a_wide_panel() -> None:
    head = next(line for line in far(40, 25, test=500) if "loss" in line)
    assert head.split()[-3:] == ["test", "w", "b"]


@pytest.mark.parametrize(("newest", "at"), [(True, 2), (False, 2), (False, 1)])
def test_what_diverged_before_is_said_at_any_iteration_after_it(
    newest: bool, at: int
) -> None:
    race = Race(RaceSpec((RunSpec("gd", iterations=2), RunSpec("sgd", iterations=2))))
    race.add(Points("gd", 0, 0, 1, (3.0, 3e8), {"w": (0.0, -17406.0)}))
    race.add(Points("sgd", 0, 0, 1, (3.0, 2.0, 1.0), {"w": (0.0, 1.0, 2.0)}))
    race.add(
        Finished({"gd": RunEnd("diverged", 1, 3e8), "sgd": RunEnd("finished", 2, 1)})
    )
    standing = Standing(race, at, frozenset(), newest=newest)
    text = panel(standing, (), (), Look(), (40, 30)).plain
    assert ("diverged at 1" in text) == (at > 1)
    assert ("-17406" in text) == (at == 1)
