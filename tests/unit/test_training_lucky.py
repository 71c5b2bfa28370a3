"""What arrives of a race over many seeds is held as columns."""

import math

import pytest

from tutor.training.luck import LuckEnd, LuckPoints, LuckRequest
from tutor.training.lucky import Lucky
from tutor.training.spec import RaceSpec, RunSpec


def lucky() -> Lucky:
    return Lucky(LuckRequest(RaceSpec((RunSpec("gd"), RunSpec("sgd", batch=1)))))


def points(start: int, stride: int, *medians: float, diverged: int = 0) -> LuckPoints:
    return LuckPoints(
        run="sgd",
        start=start,
        stride=stride,
        low=tuple(median - 1 for median in medians),
        median=medians,
        high=tuple(median + 1 for median in medians),
        success=(0.25,) * len(medians),
        diverged=diverged,
    )


def test_points_become_columns() -> None:
    so_far = lucky()
    assert list(so_far.points) == ["gd", "sgd"]
    assert so_far.iteration == -1
    so_far.add(points(0, 1, 31.0, 20.0))
    so_far.add(points(2, 2, 10.0, math.inf, diverged=3))
    so_far.add(points(5, 1, 8.0, diverged=4))
    band = so_far.points["sgd"]
    assert list(band.iterations) == [0, 1, 2, 4, 5]
    assert list(band.median) == [31, 20, 10, math.inf, 8]
    assert list(band.low)[:2] == [30, 19]
    assert list(band.high)[:2] == [32, 21]
    assert list(band.success) == [0.25] * 5
    assert band.diverged == 4
    assert so_far.iteration == 5
    assert not so_far.points["gd"].median


def test_points_that_came_before_are_refused() -> None:
    so_far = lucky()
    so_far.add(points(0, 1, 31.0, 20.0))
    with pytest.raises(ValueError, match="iteration 1 of 'sgd' came twice"):
        so_far.add(points(1, 1, 20.0))


def test_the_end() -> None:
    so_far = lucky()
    assert so_far.end is None
    end = LuckEnd(500, 1.0, {})
    so_far.add(end)
    assert so_far.end is end
