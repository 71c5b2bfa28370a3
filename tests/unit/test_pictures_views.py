"""The other pictures: the ball on its slope, the fit, regions, layers and batch noise."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.unit import pictured
from tutor.headless.race_views import drawn
from tutor.picture import HEATS, Marks
from tutor.pictures.bars import layers
from tutor.pictures.noise import noise
from tutor.pictures.output import fit, percent, regions
from tutor.pictures.slope import slope, steepness
from tutor.training.views import Layer, Layers, Regions, Unit


def test_the_ball_is_on_the_curve_and_says_its_slope() -> None:
    race = pictured.race(pictured.rolled(0.1), names=("w",))
    picture = slope(pictured.parabola(), race, 61, 23, cursor=0)
    assert "w = -1, slope -8" in picture.lines[0]
    column, _ = pictured.at(picture, "A")
    left = pictured.inside(picture)
    assert -2 + 10 * (column - left) / (60 - left) == pytest.approx(-1, abs=0.1)


@pytest.mark.parametrize("w", [-1.5, 0.0, 3.0, 7.0])
def test_the_tangent_is_as_steep_as_the_curve(w: float) -> None:
    assert steepness(pictured.parabola(), w) == pytest.approx(2 * (w - 3), abs=0.01)


def test_the_tangent_is_drawn_through_the_ball() -> None:
    race = pictured.race([(3.0,)], names=("w",))
    picture = slope(pictured.parabola(), race, 61, 23, marks="ascii")
    _, row = pictured.at(picture, "A")
    assert "~~A~~" in picture.lines[row]


def test_the_trail_ends_at_the_cursor() -> None:
    race = pictured.race(pictured.rolled(0.1), names=("w",))
    marks = [
        pictured.inked(slope(pictured.parabola(), race, 61, 23, cursor=at), "a").count(
            "●"
        )
        for at in (0, 2, 4)
    ]
    assert marks == [0, 2, 4]


def test_minima_are_marked_and_named() -> None:
    picture = slope(pictured.parabola(), None, 61, 23)
    assert "+ minimum at 3" in picture.lines[0]
    pictured.at(picture, "+")


def test_the_models_line_is_where_its_outputs_are() -> None:
    picture = fit(pictured.line(), 61, 23, marks="letters")
    drawn = [
        (column, row)
        for row, line in enumerate(picture.lines[1:-2], start=1)
        for column, sign in enumerate(line)
        if sign == "a"
    ]
    rows = [row for _, row in sorted(drawn)]
    assert rows == sorted(rows)
    assert len(drawn) > 40
    assert "iteration 7" in picture.lines[0]


@pytest.mark.parametrize("width", [36, 61])
@pytest.mark.parametrize(
    ("output", "said"), [(1e9, "outside the picture"), (math.nan, "not finite")]
)
def test_a_model_without_a_line_in_the_picture_says_why(
    output: float, said: str, width: int
) -> None:
    line = pictured.line()
    lost = replace(line, y=(output,) * len(line.x))
    assert f"answers {said}" in fit(lost, width, 23).lines[0]
    assert f"answers of B {said}" in fit([line, lost], width + 5, 23).lines[0]
    assert "answers" not in fit(line, width, 23).lines[0]


def test_each_models_line_has_the_letter_of_its_run() -> None:
    picture = fit([pictured.line(), pictured.line()], 61, 23, numbers=(2, 4))
    assert "C" in pictured.inked(picture, "c")
    with_letters = fit(pictured.line(), 61, 23, numbers=(3,), marks="ascii")
    assert "D" in "".join(with_letters.lines)


def test_regions_are_hot_where_class_1_is() -> None:
    view = pictured.halves()
    bare = Regions("a", 1, view.box, view.columns, view.rows, view.outputs, ())
    picture = regions(bare, 61, 23)
    for patches in picture.patches[1:-2]:
        grounds = [
            HEATS.index(each.ground)
            for each in patches
            for _ in range(each.start, each.end)
        ]
        assert grounds == sorted(grounds)
        assert (grounds[0], grounds[-1]) == (0, 7)
    plain = regions(bare, 61, 23, marks="ascii").lines[5]
    assert plain.split("|")[1].startswith("     ")
    assert plain.endswith("%%%%")


def test_the_upper_and_the_lower_half_of_a_cell_are_two_values() -> None:
    outputs = tuple(0.01 if row < 3 else 0.99 for row in range(6) for _ in range(4))
    picture = regions(Regions("a", 1, (0, 1, 0, 1), 4, 6, outputs, ()), 20, 8)
    # Five rows of cells over six rows of values: the edge is in the middle of one.
    middle = picture.patches[3][-1]
    assert (middle.ink[:4], middle.ground[:4]) == ("heat", "heat")
    assert middle.ink > middle.ground


def test_points_on_the_wrong_side_are_all_shown() -> None:
    wrong = tuple((0.9 - 0.01 * at, 0.9 - 0.02 * at, 0) for at in range(60))
    right = tuple(
        (-0.95 + 0.045 * (at % 20), -0.95 + 0.095 * (at // 20), 0) for at in range(400)
    )
    view = pictured.halves()
    full = Regions(
        "a", 1, view.box, view.columns, view.rows, view.outputs, right + wrong
    )
    alone = Regions("a", 1, view.box, view.columns, view.rows, view.outputs, wrong)

    def shown(data: Regions) -> int:
        picture = regions(data, 61, 23)
        return sum(
            sign == "o" and column > 35
            for line in picture.lines[1:-2]
            for column, sign in enumerate(line)
        )

    assert shown(full) == shown(alone) > 15


def test_a_unit_is_a_line_with_its_number_and_can_be_lit() -> None:
    view = pictured.halves()
    dark, lit = (regions(view, 61, 23, unit=unit) for unit in (None, 0))
    assert "here" not in {each.ink for patches in dark.patches for each in patches}
    assert len(pictured.inked(lit, "here").replace("\n", "")) >= 18
    assert "unit 1" in lit.lines[0]
    column = dark.lines[1].index("1", 6)
    left = pictured.inside(dark)
    assert -1 + 2 * (column - left) / (60 - left) == pytest.approx(0, abs=0.05)


def test_a_unit_whose_line_is_outside_is_not_drawn() -> None:
    view = pictured.halves()
    far = Regions(
        "a", 1, view.box, view.columns, view.rows, view.outputs, (),
        (Unit(1.0, 0.0, 9.0), Unit(0.0, 0.0, 0.0)),
    )  # fmt: skip
    picture = regions(far, 61, 23, unit=0)
    assert not {"here", "strong"} & {p.ink for row in picture.patches[1:] for p in row}


def test_the_accuracy_is_never_rounded_up_to_all() -> None:
    assert [percent(share) for share in (1.0, 0.9999, 0.985, 0.0)] == [
        "100 %", "99.9 %", "98.5 %", "0 %",
    ]  # fmt: skip


def test_a_bar_ten_times_as_long_is_a_step_on_the_log_axis() -> None:
    net = Layers(
        "a", 1, tuple(Layer(str(at), 3, 1.0, 10.0**-at) for at in range(4)), "tanh"
    )
    picture = layers(net, 78, 8)
    lengths = [line.count("█") for line in picture.lines[1:5]]
    steps = [one - other for one, other in pairwise(lengths)]
    assert max(steps) - min(steps) <= 1
    assert min(steps) > 3


def test_dead_and_saturated_units_and_missing_gradients_are_named() -> None:
    text = pictured.text(layers(pictured.net(), 78, 18))
    assert "3 of 8 saturated" in text
    assert "2 of 5 dead" in text
    assert "0: nothing reaches it" in text


def test_layers_that_do_not_fit_are_counted() -> None:
    net = Layers("a", 1, tuple(Layer(str(at), 3, 1.0, 0.1) for at in range(30)))
    assert "23 more layers" in pictured.text(layers(net, 60, 9))


def test_batches_that_go_uphill_are_apart() -> None:
    view = pictured.batches()
    wide = noise(view, 78, 30, batch=0, marks="ascii")
    small = noise(view, 78, 30, batch=2, marks="ascii")
    assert "x" in pictured.inked(wide, "bad")
    assert "x" not in pictured.inked(small, "bad")


def test_each_batch_size_has_its_numbers_and_the_shown_one_is_marked() -> None:
    for width in (52, 78):
        lines = noise(pictured.batches(), width, 30, batch=1).lines
        (marked,) = [line for line in lines if ">" in line]
        assert marked[marked.index(">") :].split() == [
            ">",
            "4",
            "8",
            "8",
            "15°",
            "5.8",
            "%",
        ]
        assert any("σ w" in line and "uphill" in line for line in lines)


@pytest.mark.parametrize("marks", ["braille", "letters", "ascii"])
@pytest.mark.parametrize("width", [60, 78])
def test_the_signs_of_the_rose_are_told(width: int, marks: Marks) -> None:
    text = pictured.text(noise(pictured.batches(), width, 30, marks=marks))
    assert "all the data" in text
    assert "+ no gradient" in text
    assert ("x uphill" in text) == ("# " in text) == (marks != "braille")
    table = next(line for line in text.splitlines() if "uphill" in line)
    assert "batch" in table, "the numbers are still there"


def test_layers_are_printed_without_a_gap() -> None:
    net = pictured.net()
    printed = drawn([net], pictured.race([(1.0, 1.0)]), 78, 40, "braille")
    assert len(printed.lines) == 2 + 3 * len(net.layers)
    blank = [not line.strip() for line in printed.lines]
    assert not any(one and other for one, other in pairwise(blank))


def test_all_batch_sizes_are_on_one_scale() -> None:
    ticks = {noise(pictured.batches(), 78, 30, batch=at).lines[-2] for at in range(3)}
    assert len(ticks) == 1
