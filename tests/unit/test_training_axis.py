"""Axes: round ticks inside the range, whatever the values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.training.axis import linear, logarithmic, short

sizes = st.floats(1e-200, 1e200)


@pytest.mark.parametrize(
    ("high", "count", "labels"),
    [
        (31.1, 5, ("0", "10", "20", "30")),
        (25, 7, ("0", "5", "10", "15", "20", "25")),
        (0.7, 4, ("0", "0.5")),
        (0, 4, ("0",)),
        (1e30, 3, ("0", "5e29", "1e30")),
    ],
)
def test_linear_ticks_are_round(high: float, count: int, labels: tuple[str]) -> None:
    assert linear(0, high, count).labels[: len(labels)] == labels


@pytest.mark.parametrize(
    ("low", "high", "count", "labels"),
    [
        (0.94, 31.1, 8, ("0.5", "1", "2", "5", "10", "20", "50")),
        (0.94, 31.1, 3, ("1", "10")),
        (1e-30, 1e30, 6, ("1e-24", "1", "1e24")),
        (3, 3, 4, ("2", "5")),
    ],
)
def test_log_ticks_are_round(
    low: float, high: float, count: int, labels: tuple[str, ...]
) -> None:
    axis = logarithmic(low, high, count)
    assert set(labels) <= set(axis.labels)
    assert len(axis.labels) <= max(count, len(labels))


@given(st.floats(-1e200, 1e200), sizes, st.integers(2, 20))
def test_a_linear_axis_holds_its_values(low: float, size: float, count: int) -> None:
    axis = linear(low, low + size, count)
    for value in (low, low + size):
        assert -1e-6 <= (axis.place(value) or 0) <= 1 + 1e-6
    assert 1 <= len(axis.ticks) <= 2 * count + 2
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert all(-1e-9 <= (axis.place(tick) or 0) <= 1 + 1e-9 for tick in axis.ticks)


@given(sizes, sizes, st.integers(3, 20))
def test_a_log_axis_holds_its_values(one: float, other: float, count: int) -> None:
    low, high = min(one, other), max(one, other)
    axis = logarithmic(low, high, count)
    for value in (low, high):
        assert -1e-6 <= (axis.place(value) or 0) <= 1 + 1e-6
    assert 1 <= len(axis.ticks) <= count
    assert all(-1e-9 <= (axis.place(tick) or 0) <= 1 + 1e-9 for tick in axis.ticks)


def test_what_has_no_place_is_told() -> None:
    assert logarithmic(1, 10, 4).place(0) is None
    assert logarithmic(1, 10, 4).place(-1) is None
    assert linear(0, 10, 4).place(math.nan) is None
    assert linear(0, 10, 4).place(math.inf) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.05, "0.05"),
        (20, "20"),
        (5000, "5000"),
        (1e4, "1e4"),
        (2.5e-7, "2.5e-7"),
        (-0.5, "-0.5"),
        (1e30, "1e30"),
        (0.001, "0.001"),
    ],
)
def test_short_labels(value: float, text: str) -> None:
    assert short(value) == text
