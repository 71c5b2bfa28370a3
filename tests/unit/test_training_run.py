"""Runs hold points: completely, compactly, and a plot picks few of them."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.pictures.curves import Positions, picked
from tutor.training import run as run_module
from tutor.training.axis import Axis
from tutor.training.curve import Curve
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Race, Run, RunEnd
from tutor.training.spec import RaceSpec, RunSpec


def points(losses: list[float], start: int = 0, run: str = "gd") -> Points:
    return Points(run, start, 4 * start, 4, tuple(losses), {"w": tuple(losses)})


def reduced(run: Run, columns: int, last: int) -> tuple[list[int], list[float]]:
    """Iterations and losses that show a run from 0 to `last` in so many columns."""
    axis = Axis(0, last, False, (0,))
    indices = picked(run.curve, Positions(run, "iterations"), axis, columns)
    return [at * run.stride for at in indices], [run.losses[at] for at in indices]


def test_points_are_held_by_iteration() -> None:
    run = Run(RunSpec("gd"))
    run.add(points([3.0, 2.0]))
    run.add(points([1.0], start=2))
    assert list(run.losses) == [3.0, 2.0, 1.0]
    assert list(run.samples) == [0, 4, 8]
    assert list(run.params["w"]) == [3.0, 2.0, 1.0]
    assert (run.last, run.last_loss, run.last_params) == (2, 1.0, {"w": 1.0})


def test_points_that_never_came_leave_a_hole_that_is_not_drawn() -> None:
    run = Run(RunSpec("gd"))
    run.add(points([3.0]))
    run.add(points([1.0], start=3))
    assert len(run.losses) == 4
    assert math.isnan(run.losses[1])
    assert reduced(run, 10, 3) == ([0, 3], [3.0, 1.0])
    assert len(run.samples) == len(run.params["w"]) == 4


def test_a_point_that_comes_twice_is_refused() -> None:
    run = Run(RunSpec("gd"))
    run.add(points([3.0, 2.0]))
    with pytest.raises(ValueError, match="came twice"):
        run.add(points([2.0], start=1))


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300),
    st.integers(1, 40),
    st.integers(0, 50),
)
def test_a_reduced_curve_keeps_every_columns_extremes(
    losses: list[float], columns: int, more: int
) -> None:
    run = Run(RunSpec("gd"))
    run.add(points(losses))
    iterations, kept = reduced(run, columns, len(losses) - 1 + more)
    assert len(kept) <= 2 * columns + 2
    assert iterations == sorted(set(iterations))
    assert [losses[at] for at in iterations] == kept
    assert min(kept) == min(losses)
    assert max(kept) == max(losses)


@given(st.integers(0, 2**32), st.integers(5, 60))
@settings(max_examples=30, deadline=None)
def test_a_long_curve_keeps_its_extremes_too(seed: int, columns: int) -> None:
    numbers = random.Random(seed)
    losses = [numbers.choice([1.0, 2.0, math.nan]) for _ in range(20_000)]
    low, high = numbers.sample(range(20_000), 2)
    losses[low], losses[high] = 0.5, 9.0
    run = Run(RunSpec("gd"))
    for start in range(0, 20_000, 1000):
        run.add(points(losses[start : start + 1000], start))
    iterations, kept = reduced(run, columns, 19_999)
    assert len(kept) <= 2 * columns + 4
    assert iterations == sorted(set(iterations))
    assert [losses[at] for at in iterations] == kept
    assert {low, high} <= set(iterations)
    assert (run.curve.lowest_positive, run.curve.highest) == (0.5, 9.0)


def test_what_a_curve_remembers_is_so_when_it_has_grown_and_when_it_is_halved() -> None:
    def extremes(low: int, high: int) -> list[int]:
        there = range(low, min(high, len(curve)))
        finite = [at for at in there if math.isfinite(curve.values[at])]
        by_value = curve.values.__getitem__
        ends = {min(finite, key=by_value), max(finite, key=by_value)} if finite else ()
        return sorted(ends)

    numbers, curve = random.Random(0), Curve()
    asked = [(low, low + 150) for low in range(0, 1200, 60)]
    for _ in range(30):
        curve.extend([numbers.choice([math.nan, numbers.random()]) for _ in range(40)])
        for low, high in asked:
            assert [*curve.extremes(low, high)] == extremes(low, high)
    curve.halve()
    for low, high in asked:
        assert [*curve.extremes(low, high)] == extremes(low, high)


def test_a_very_long_curve_has_two_points_in_every_column() -> None:
    numbers = random.Random(0)
    run = Run(RunSpec("gd"))
    run.add(points([numbers.random() for _ in range(100_000)]))
    iterations, kept = reduced(run, 100, 99_999)
    for column in range(100):
        # Edges are at whole blocks of 32, so a column's points may begin a bit earlier.
        low, high = 1000 * column - 32, 1000 * (column + 1)
        inside = [
            value
            for at, value in zip(iterations, kept, strict=True)
            if low <= at < high
        ]
        assert 2 <= len(inside) <= 4
        assert min(inside) < 0.01
        assert max(inside) > 0.99


@given(st.integers(0, 2**32), st.integers(0, 299), st.integers(1, 300))
def test_a_mean_over_any_part_is_that_of_its_finite_numbers(
    seed: int, start: int, count: int
) -> None:
    rng = random.Random(seed)
    numbers = [rng.choice([rng.uniform(-9, 9), math.nan]) for _ in range(300)]
    curve = Curve()
    curve.extend(numbers)
    start = min(start, len(numbers) - 1)
    stop = min(start + count, len(numbers))
    finite = [number for number in numbers[start:stop] if math.isfinite(number)]
    if finite:
        expected = sum(finite) / len(finite)
        assert curve.mean(start, stop) == pytest.approx(expected, rel=1e-9, abs=1e-6)
    else:
        assert math.isnan(curve.mean(start, stop))


def test_other_settings_let_a_finished_run_go_on() -> None:
    spec = RaceSpec((RunSpec("gd", iterations=1),))
    race = Race(spec)
    race.add(points([3.0, 2.0]))
    race.add(Finished({"gd": RunEnd("finished", 1, 2.0)}))
    race.change(RaceSpec((RunSpec("gd", iterations=1, lr=0.5),)))
    over = [race.over]
    race.change(RaceSpec((RunSpec("gd", iterations=2),)))
    assert [*over, race.over] == [True, False]
    assert race.runs["gd"].spec.iterations == 2


def test_a_short_curve_is_kept_whole() -> None:
    run = Run(RunSpec("gd"))
    losses = [float(value) for value in range(26)]
    run.add(points(losses))
    assert reduced(run, 80, 25) == (list(range(26)), losses)


def test_what_is_not_finite_is_left_out() -> None:
    run = Run(RunSpec("gd"))
    run.add(points([3.0, 9.0, math.inf]))
    assert reduced(run, 80, 25) == ([0, 1], [3.0, 9.0])
    assert run.last_loss == math.inf


def test_a_long_run_keeps_every_second_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "HELD_POINTS", 100)
    run = Run(RunSpec("gd"))
    for start in range(0, 1000, 7):
        run.add(points([float(at) for at in range(start, start + 7)], start))
    assert run.last == 1000
    assert len(run.losses) <= 100
    assert list(run.losses) == [float(at) for at in range(0, 1001, run.stride)]
    assert len(run.samples) == len(run.params["w"]) == len(run.losses)
    assert list(run.samples) == [4 * at for at in range(0, 1001, run.stride)]
    iterations, losses = reduced(run, 20, 1000)
    assert [float(at) for at in iterations] == losses
    assert len(losses) <= 42


def test_a_race_knows_where_it_is_and_whether_it_can_go_on() -> None:
    race = Race(RaceSpec((RunSpec("gd"), RunSpec("sgd"))))
    assert race.iteration == -1
    assert not race.over
    race.add(points([3.0, 2.0]))
    race.add(points([3.0], run="sgd"))
    race.add(Finished({"gd": RunEnd("diverged", 1, 2.0), "sgd": _interrupted()}))
    assert race.iteration == 1
    assert not race.over
    race.add(points([3.0], 1, run="sgd"))
    race.add(Finished({"sgd": RunEnd("finished", 1, 3.0)}))
    assert race.over


def test_finished_is_over_when_no_run_was_interrupted() -> None:
    assert Finished({"gd": RunEnd("finished", 1, 2.0)}).over
    assert not Finished({"gd": _interrupted()}).over


def _interrupted() -> RunEnd:
    return RunEnd("interrupted", 0, 3.0)


def forked(since: int) -> Race:
    parent = RunSpec("gd", iterations=100)
    return Race(
        RaceSpec((parent, replace(parent, name="x", of="gd", since=since)), id="r")
    )


def test_a_fork_begins_at_its_iteration() -> None:
    race = forked(12)
    race.add(Points("x", 12, 48, 4, (3.0, 2.0), {"w": (1.0, 2.0)}, (5.0, 4.0)))
    run = race.runs["x"]
    assert len(run.losses) == len(run.params["w"]) == len(run.test_curve) == 14
    assert list(run.losses[12:]) == [3.0, 2.0]
    assert list(run.params["w"][12:]) == [1.0, 2.0]
    assert run.at(11) is None
    assert run.index_of(13) == 13
    moment = run.at(500)
    assert moment is not None
    assert (moment.iteration, moment.loss, moment.test_loss) == (13, 2.0, 4.0)
    assert (moment.samples, moment.params) == (52, {"w": 2.0})
    assert race.runs["gd"].at(3) is None


def test_a_fork_of_a_very_long_run_is_small() -> None:
    race = forked(900_000_000)
    race.add(Points("x", 900_000_000, 0, 1, (3.0,) * 2003))
    run = race.runs["x"]
    assert len(run.losses) <= run_module.HELD_POINTS
    assert run.last == 900_002_002
    moment = run.at(900_002_002)
    assert moment is not None
    assert moment.iteration % run.stride == 0


def test_seconds_lie_evenly_between_the_ends_of_a_batch() -> None:
    race = forked(0)
    race.add(Points("gd", 0, 0, 1, (3.0, 2.0, 1.0), seconds=(1.0, 2.0)))
    race.add(Points("gd", 3, 3, 1, (0.5,), seconds=(2.5, 2.5)))
    assert list(race.runs["gd"].seconds) == [1.0, 1.5, 2.0, 2.5]


def test_a_change_takes_runs_out_and_adds_others() -> None:
    race = forked(0)
    race.add(Points("gd", 0, 0, 1, (3.0,)))
    race.add(Finding("x", "diverged"))
    gd, x = race.spec.runs
    race.change(replace(race.spec, runs=(gd, replace(x, name="y"))))
    assert list(race.runs) == ["gd", "y"]
    assert race.runs["gd"].last == 0
    assert race.runs["y"].last == -1
    assert race.findings == []


def test_what_computes_is_known_while_it_computes() -> None:
    race = Race(RaceSpec((RunSpec("gd"),)))
    run = race.runs["gd"]
    assert (run.device, run.engine, run.workers) == ("cpu", "eager", 1)
    race.add(replace(points([3.0]), device="cuda:0", engine="compiling", workers=2))
    assert (run.device, run.engine, run.workers) == ("cuda:0", "compiling", 2)
    race.add(Finished({"gd": RunEnd("interrupted", 0, 3.0, engine="compiled")}))
    assert (run.device, run.engine, run.workers) == ("cpu", "compiled", 1)
