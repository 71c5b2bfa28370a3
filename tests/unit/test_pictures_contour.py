"""The loss over two parameters: lines where the loss is equal, ways where the runs were."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.unit import pictured
from tutor.pictures.contour import contour, levels
from tutor.training.views import Surface

WIDTH, HEIGHT = 61, 23


def value_at(column: int, row: int, left: int) -> tuple[float, float]:
    """Of the middle of a cell, by the axes of `pictured.bowl`."""
    columns, rows = WIDTH - left, HEIGHT - 3
    return (
        -4 + 8 * (column - left) / (columns - 1),
        2 - 4 * (row - 1) / (rows - 1),
    )


def test_a_line_is_where_the_loss_is_equal() -> None:
    view = pictured.bowl(96, 48)
    picture = contour(view, None, WIDTH, HEIGHT, marks="ascii")
    left = picture.lines[1].index("+" if "+" in picture.lines[1] else "|") + 1
    heights = levels(view, 4 + (HEIGHT - 3) // 5)
    dots = [
        (column, row)
        for row, line in enumerate(picture.lines[1:-2], start=1)
        for column, sign in enumerate(line)
        if sign == "." and column >= left
    ]
    assert len(dots) > 200
    for column, row in dots:
        w, b = value_at(column, row, left)
        # Half a cell away in each direction the loss is another one.
        slack = 2 * abs(w) * 4 / (WIDTH - left) + 4 * abs(b) * 2 / (HEIGHT - 3) + 0.4
        nearest = min(abs(w * w + 2 * b * b + 1 - level) for level in heights)
        assert nearest <= slack, (column, row, w, b)


def test_lines_of_a_bowl_are_equally_far_apart() -> None:
    radii = [math.sqrt(level - 1) for level in levels(pictured.bowl(), 8)]
    steps = [after - before for before, after in pairwise(radii)]
    assert max(steps) < 1.25 * min(steps)


def test_optimum_truth_and_letters_are_where_they_belong() -> None:
    race = pictured.race([(-2.0, 1.0)], [(2.0, -1.0)])
    picture = contour(pictured.bowl(), race, WIDTH, HEIGHT)
    left = pictured.inside(picture)
    for sign, place in (
        ("+", (0.0, 0.0)), ("×", (1.0, 0.5)), ("A", (-2.0, 1.0)), ("B", (2.0, -1.0))
    ):  # fmt: skip
        w, b = value_at(*pictured.at(picture, sign), left)
        assert w == pytest.approx(place[0], abs=0.2)
        assert b == pytest.approx(place[1], abs=0.2)
    assert "+ optimum" in picture.lines[0]
    assert "× true parameters" in picture.lines[0]


def test_the_axes_are_named_right() -> None:
    picture = contour(pictured.bowl(), None, WIDTH, HEIGHT)
    assert picture.lines[0].split()[0] == "b"
    assert picture.lines[-1].split()[-1] == "w"
    assert picture.lines[-1].split()[:-1] == ["-4", "-2", "0", "2"]
    ticks = [line.split("┤")[0].strip() for line in picture.lines if "┤" in line]
    assert ticks == ["2", "1", "0", "-1", "-2"]


def test_one_sign_where_optimum_and_truth_are_in_one_cell() -> None:
    view = pictured.bowl()
    same = Surface(
        "a", view.names, view.box, view.columns, view.rows, view.losses,
        optimum=(0.0, 0.0), truth=(0.0, 0.0),
    )  # fmt: skip
    picture = contour(same, None, WIDTH, HEIGHT)
    assert "* optimum and true parameters" in picture.lines[0]
    pictured.at(picture, "*")


def test_in_one_cell_the_numbers_say_which_is_which() -> None:
    view = replace(pictured.bowl(), optimum=(0.02, 0.02), truth=(0.03, 0.02))
    line = contour(view, None, 100, HEIGHT).lines[0]
    assert "* optimum (0.02, 0.02), true parameters (0.03, 0.02)" in line


def test_the_way_ends_at_the_cursor() -> None:
    race = pictured.race(pictured.down(0.05))
    spots = [
        pictured.at(contour(pictured.bowl(), race, WIDTH, HEIGHT, cursor), "A")
        for cursor in (0, 3, 10, 25)
    ]
    columns = [column for column, _ in spots]
    assert columns == sorted(columns, reverse=True)
    assert len(set(columns)) == 4
    newest = contour(pictured.bowl(), race, WIDTH, HEIGHT)
    assert pictured.at(newest, "A") == spots[-1]
    early = contour(pictured.bowl(), race, WIDTH, HEIGHT, 1)
    assert len(pictured.inked(early, "a")) < len(pictured.inked(newest, "a"))


def test_hidden_runs_and_runs_of_other_parameters_are_left_out() -> None:
    race = pictured.race(pictured.down(0.05), pictured.down(0.1))
    hidden = contour(
        pictured.bowl(), race, WIDTH, HEIGHT, hidden=frozenset({"a"}), marks="letters"
    )
    assert pictured.inked(hidden, "a").strip() == ""
    assert "B" in pictured.inked(hidden, "b")
    other = pictured.race([(1.0,), (2.0,)], names=("v",))
    drawn = contour(pictured.bowl(), other, WIDTH, HEIGHT)
    assert pictured.inked(drawn, "a").strip() == ""


def test_a_run_outside_has_its_letter_at_the_edge() -> None:
    race = pictured.race([(0.0, 0.0), (1e12, 1.0)], [(0.0, 0.0), (-50.0, -0.5)])
    picture = contour(pictured.bowl(), race, WIDTH, HEIGHT)
    left = pictured.inside(picture)
    assert pictured.at(picture, "B")[0] == left


def test_a_run_that_diverged_stays_where_it_was_last_known() -> None:
    race = pictured.race([(1.0, 1.0), (math.inf, 0.0), (math.nan, math.nan)])
    w, b = value_at(*pictured.at(contour(pictured.bowl(), race, WIDTH, HEIGHT), "A"), 3)
    assert (round(w), round(b)) == (1, 1)


def test_letters_of_runs_in_one_place_stand_beside_each_other() -> None:
    place: list[tuple[float, ...]] = [(1.0, 1.0)]
    race = pictured.race(*[place] * 6)
    picture = contour(pictured.bowl(), race, WIDTH, HEIGHT)
    for letter in "ABCDEF":
        pictured.at(picture, letter)


def test_a_million_iterations_are_drawn_by_a_few_of_them() -> None:
    way: list[tuple[float, ...]] = [
        (3 * math.cos(at / 99), math.sin(at / 99)) for at in range(200_000)
    ]
    picture = contour(pictured.bowl(), pictured.race(way), WIDTH, HEIGHT)
    assert len(pictured.inked(picture, "a")) > 60


def test_a_tick_without_room_for_its_whole_number_has_none() -> None:
    view = pictured.bowl()
    high = Surface(
        "a",
        view.names,
        (0, 1, 1234567.0, 1234567.9),
        view.columns,
        view.rows,
        view.losses,
    )
    numbers = {f"{1234567 + at / 10:.1f}".removesuffix(".0") for at in range(10)}
    shown = {}
    for width in (14, 60):
        picture = contour(high, None, width, HEIGHT)
        labels = [line.split("┤")[0].strip() for line in picture.lines if "┤" in line]
        shown[width] = {label for label in labels if label}
        assert shown[width] <= numbers
    assert not shown[14]
    assert len(shown[60]) > 2
