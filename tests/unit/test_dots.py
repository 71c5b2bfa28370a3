"""Curves as dots: joined, inside the grid, every point on them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.dots import Grid, cells, dot

shares = st.floats(-0.5, 1.5)
points = st.lists(st.tuples(st.floats(0, 1), shares), min_size=1, max_size=40)


def drawn(grid: Grid, xs: list[float], ys: list[float]) -> list[str]:
    """Lines, top first."""
    lines = [[" "] * grid.columns for _ in range(grid.rows)]
    for column, row, character in cells(grid, xs, ys, "a"):
        lines[grid.rows - 1 - row][column] = character
    return ["".join(line) for line in lines]


def dots_of(grid: Grid, xs: list[float], ys: list[float]) -> set[tuple[int, int]]:
    """Every dot of a braille drawing, by Unicode's own numbering of them."""
    numbered = [(0, 3), (0, 2), (0, 1), (1, 3), (1, 2), (1, 1), (0, 0), (1, 0)]
    found = set()
    for column, row, character in cells(grid, xs, ys, ""):
        mask = ord(character) - 0x2800
        assert 0 < mask < 256
        found |= {
            (2 * column + x, 4 * row + y)
            for bit, (x, y) in enumerate(numbered)
            if mask & 1 << bit
        }
    return found


def test_a_diagonal_in_letters() -> None:
    assert drawn(Grid(4, 4, False), [0, 1], [1, 0]) == ["a   ", " a  ", "  a ", "   a"]


def test_a_diagonal_in_braille() -> None:
    assert drawn(Grid(2, 1, True), [0, 1], [0, 1]) == ["⡠⠊"]


def test_a_steep_line_fills_its_columns_without_overlap() -> None:
    assert drawn(Grid(2, 4, False), [0, 1], [0, 1]) == [" a", " a", "a ", "a "]


def test_a_flat_line_and_a_single_point() -> None:
    assert drawn(Grid(3, 1, False), [0, 1], [0, 0]) == ["aaa"]
    assert drawn(Grid(3, 1, True), [0.5], [0]) == [" ⡀ "]


def test_several_points_in_one_column_are_one_stroke() -> None:
    assert drawn(Grid(1, 3, False), [0, 0, 0], [0.5, 0, 1]) == ["a", "a", "a"]


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_ends_of_the_range_are_the_first_and_the_last_dot(share: float) -> None:
    assert dot(share, 5) == 4 * share


@given(points, st.integers(1, 30), st.integers(1, 12))
def test_every_point_inside_is_on_the_curve_and_nothing_is_outside(
    curve: list[tuple[float, float]], columns: int, rows: int
) -> None:
    grid = Grid(columns, rows, True)
    xs, ys = [x for x, _ in sorted(curve)], [y for _, y in sorted(curve)]
    dots = dots_of(grid, xs, ys)
    across, up = 2 * columns, 4 * rows
    assert all(0 <= x < across and 0 <= y < up for x, y in dots)
    for x, y in zip(xs, ys, strict=True):
        if 0 <= dot(y, up) < up:
            assert (dot(x, across), dot(y, up)) in dots


@given(points.filter(lambda each: len(each) > 1), st.integers(2, 30))
def test_a_curve_has_no_gap(curve: list[tuple[float, float]], columns: int) -> None:
    inside = sorted((x, min(max(y, 0), 1)) for x, y in curve)
    grid = Grid(columns, 6, True)
    dots = dots_of(grid, [x for x, _ in inside], [y for _, y in inside])
    reached: set[tuple[int, int]] = set()
    todo = [min(dots)]
    while todo:
        x, y = todo.pop()
        if (x, y) in dots - reached:
            reached.add((x, y))
            todo += [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    assert reached == dots
