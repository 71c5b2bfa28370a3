"""How far beyond the largest learning rate, from the parameters alone."""

import math

import pytest

from tutor.training.stability import overshoot


def descent(lr: float, curvatures: tuple[float, ...], steps: int) -> list[list[float]]:
    """Gradient descent on a sum of ½ λ w², from 1: each w as a column."""
    return [
        [(1 - lr * curvature) ** step for step in range(steps)]
        for curvature in curvatures
    ]


@pytest.mark.parametrize("lr", [2.1, 3.0, 10.0])
def test_one_steep_direction(lr: float) -> None:
    assert overshoot(descent(lr, (1.0,), 8)) == pytest.approx(lr / 2)


def test_the_steepest_of_several_directions() -> None:
    columns = descent(1.2, (2.0, 0.3, 0.01), 30)
    found = overshoot([column[-8:] for column in columns])
    assert found == pytest.approx(1.2 / (2 / 2.0), rel=0.01)


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [[1.0, -2.0]],
        descent(1.9, (1.0,), 8),  # it converges
        [[2.0**step for step in range(8)]],  # uphill: no step turns round
        [[1.0, -2.0, 5.0, -20.0, 30.0, -200.0]],  # of no constant factor
        [[0.0] * 8],
        [[math.nan] * 8],
    ],
)
def test_what_is_no_gradient_descent_beyond_it(columns: list[list[float]]) -> None:
    assert overshoot(columns) is None


def test_values_that_are_not_finite_any_more_are_left_out() -> None:
    columns = [[*descent(3.0, (1.0,), 8)[0], math.inf, math.nan]]
    assert overshoot(columns) == pytest.approx(1.5)
