"""Every picture: its exact size, its patches, ASCII; odd values; and how each looks."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from tests.ui.conftest import TextSnapshot
from tests.unit import pictured
from tutor.picture import Marks, Picture
from tutor.pictures import inks
from tutor.pictures.bars import layers
from tutor.pictures.contour import contour
from tutor.pictures.luck import luck
from tutor.pictures.noise import noise
from tutor.pictures.output import fit, regions
from tutor.pictures.slope import slope
from tutor.training.luck import LuckPoints
from tutor.training.lucky import Lucky
from tutor.training.views import BatchNoise, Fit, Layer, Layers, Noise, Regions, Surface

Draw = Callable[[int, int, Marks], Picture]

PICTURES: dict[str, Draw] = {
    "contour": lambda w, h, marks: contour(
        pictured.bowl(),
        pictured.race(pictured.down(0.05), pictured.down(0.24)),
        w,
        h,
        marks=marks,
    ),
    "slope": lambda w, h, marks: slope(
        pictured.parabola(),
        pictured.race(pictured.rolled(0.1), pictured.rolled(0.9), names=("w",)),
        w,
        h,
        cursor=4,
        marks=marks,
    ),
    "fit": lambda w, h, marks: fit(pictured.line(), w, h, marks=marks),
    "regions": lambda w, h, marks: regions(
        pictured.halves(), w, h, unit=1, marks=marks
    ),
    "layers": lambda w, h, marks: layers(pictured.net(), w, h, marks=marks),
    "luck": lambda w, h, marks: luck(pictured.lucky(), w, h, marks=marks),
    "ends": lambda w, h, marks: luck(
        pictured.lucky(), w, h, surface=pictured.bowl(), marks=marks
    ),
    "noise": lambda w, h, marks: noise(pictured.batches(), w, h, batch=1, marks=marks),
}
MARKS: list[Marks] = ["braille", "letters", "ascii"]


def sound(picture: Picture, width: int, height: int, marks: Marks) -> None:
    """As `Picture` promises."""
    assert [len(line) for line in picture.lines] == [max(width, 1)] * max(height, 1)
    assert len(picture.patches) == len(picture.lines)
    for patches in picture.patches:
        ends = [0, *(at for each in patches for at in (each.start, each.end)), width]
        assert ends == sorted(ends)
        assert all(each.start < each.end for each in patches)
        roles = {each.ink for each in patches} | {each.ground for each in patches}
        assert roles <= {"", *inks.DARK, *inks.DIM, *inks.BOLD}
    if marks == "ascii":
        assert "".join(picture.lines).isascii()
    if marks != "braille":
        assert not any(each.ground for patches in picture.patches for each in patches)


@pytest.mark.parametrize("name", PICTURES)
@given(
    width=st.integers(0, 100), height=st.integers(0, 45), marks=st.sampled_from(MARKS)
)
@settings(deadline=None, max_examples=40)
def test_any_size_is_exact(name: str, width: int, height: int, marks: Marks) -> None:
    sound(PICTURES[name](width, height, marks), width, height, marks)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize(
    ("width", "height", "marks"),
    [(52, 18, "braille"), (78, 40, "braille"), (52, 18, "letters"), (40, 8, "ascii")],
)
def test_looks(
    name: str, width: int, height: int, marks: Marks, snapshot: SnapshotAssertion
) -> None:
    picture = PICTURES[name](width, height, marks)
    assert pictured.text(picture) == snapshot.use_extension(TextSnapshot)


odd = st.floats(allow_nan=True, allow_infinity=True)
finite = st.floats(-1e6, 1e6)


@given(
    losses=st.lists(odd, min_size=24, max_size=24),
    optimum=st.none() | st.tuples(finite, finite),
    ways=st.lists(st.lists(st.tuples(odd, odd), min_size=1, max_size=9), max_size=6),
    cursor=st.none() | st.integers(0, 20),
    marks=st.sampled_from(MARKS),
)
@settings(deadline=None, max_examples=80)
def test_any_losses_and_parameters_are_drawn_as_far_as_they_can(
    losses: list[float],
    optimum: tuple[float, float] | None,
    ways: list[list[tuple[float, ...]]],
    cursor: int | None,
    marks: Marks,
) -> None:
    surface = Surface(
        "a", ("w", "b"), (-1, 1, -2, 2), 6, 4, tuple(losses), optimum, truth=optimum
    )
    race = pictured.race(*ways) if ways else None
    sound(contour(surface, race, 52, 18, cursor, marks=marks), 52, 18, marks)


@given(
    ways=st.lists(st.lists(st.tuples(odd), min_size=1, max_size=9), max_size=6),
    marks=st.sampled_from(MARKS),
)
@settings(deadline=None, max_examples=50)
def test_a_ball_may_be_anywhere(
    ways: list[list[tuple[float, ...]]], marks: Marks
) -> None:
    race = pictured.race(*ways, names=("w",)) if ways else None
    sound(slope(pictured.parabola(), race, 52, 18, marks=marks), 52, 18, marks)


@given(outputs=st.lists(odd, min_size=12, max_size=12), marks=st.sampled_from(MARKS))
@settings(deadline=None, max_examples=50)
def test_any_outputs_are_drawn(outputs: list[float], marks: Marks) -> None:
    view = Regions("a", 1, (0, 1, 0, 1), 4, 3, tuple(outputs), ((0.5, math.nan, 1),))
    sound(regions(view, 40, 12, marks=marks), 40, 12, marks)
    xs = tuple(map(float, range(12)))
    sound(fit(Fit("a", 1, xs, tuple(outputs), ()), 40, 12, marks=marks), 40, 12, marks)


@given(values=st.lists(odd, min_size=1, max_size=30), marks=st.sampled_from(MARKS))
@settings(deadline=None, max_examples=50)
def test_any_gradients_are_drawn(values: list[float], marks: Marks) -> None:
    net = tuple(Layer(str(at), 3, abs(v), abs(v), 1) for at, v in enumerate(values))
    sound(layers(Layers("a", 1, net), 60, 18, marks=marks), 60, 18, marks)
    arrows = tuple((value, -value) for value in values)
    view = Noise(
        "a", 1, ("w", "b"), (values[0], 0.0), (BatchNoise(1, (0, 0), 0, 0, arrows),)
    )
    sound(noise(view, 60, 18, marks=marks), 60, 18, marks)


def test_foreign_names_are_harmless_and_one_cell_wide() -> None:
    view = pictured.bowl()
    names = ("w\x1b[31m", "重み")
    odd_names = Surface("a", names, view.box, view.columns, view.rows, view.losses)
    picture = contour(odd_names, None, 52, 18)
    assert "\x1b" not in "".join(picture.lines)
    assert "重" not in "".join(picture.lines)
    sound(picture, 52, 18, "braille")


@given(
    column=st.lists(odd, min_size=1, max_size=26),
    log=st.booleans(),
    marks=st.sampled_from(MARKS),
)
@settings(deadline=None, max_examples=50)
def test_any_percentiles_are_drawn(
    column: list[float], log: bool, marks: Marks
) -> None:
    spec = pictured.lucky().request
    so_far = Lucky(spec)
    values = tuple(column)
    so_far.add(LuckPoints("gd", 0, 1, values, values, values, ()))
    sound(luck(so_far, 60, 18, log=log, marks=marks), 60, 18, marks)
