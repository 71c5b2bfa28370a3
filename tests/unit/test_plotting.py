"""The plot as text: its size, its axes, its curves and their letters."""

import math

import pytest

from tutor import plotting
from tutor.picture import INKS, Marks, Picture
from tutor.plotting import loss_curves
from tutor.training.run import Points, Race
from tutor.training.spec import RaceSpec, RunSpec

SIZES = [(40, 10), (80, 24), (120, 40), (200, 60), (12, 5), (30, 6)]


def race(*losses: list[float], iterations: int | None = None) -> Race:
    last = max(map(len, losses)) - 1 if iterations is None else iterations
    names = "abcdef"[: len(losses)]
    so_far = Race(RaceSpec(tuple(RunSpec(name, iterations=last) for name in names)))
    for name, column in zip(names, losses, strict=True):
        so_far.add(Points(name, 0, 0, 1, tuple(column)))
    return so_far


def falling(scale: float = 1.0, count: int = 26) -> list[float]:
    return [scale * 31 * 0.87**at for at in range(count)]


def letters_of(picture: Picture) -> str:
    return "".join(c for line in picture.lines[1:] for c in line if c in "ABCDEF")


@pytest.mark.parametrize("marks", ["braille", "letters", "ascii"])
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_size_is_exact_whatever_the_terminal(
    width: int,
    height: int,
    log: bool,
    marks: Marks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("LINES", "5")
    picture = loss_curves(
        race(falling(), falling(0.5)), width, height, log=log, marks=marks
    )
    assert [len(line) for line in picture.lines] == [width] * height
    assert len(picture.patches) == height
    assert sorted(letters_of(picture)) == ["A", "B"]


@pytest.mark.parametrize(("width", "height"), [(0, 0), (1, 1), (11, 24), (80, 4)])
def test_without_room_it_is_blank(width: int, height: int) -> None:
    picture = loss_curves(race(falling()), width, height)
    assert set("".join(picture.lines)) == {" "}
    assert len(picture.lines) == max(height, 1)


def test_ascii_is_ascii() -> None:
    picture = loss_curves(race(falling()), 80, 24, marks="ascii")
    assert "".join(picture.lines).isascii()
    assert "a" in "".join(picture.lines)


def test_the_default_races_picture() -> None:
    picture = loss_curves(race(falling(), falling(0.8)), 60, 16, marks="letters")
    assert picture.lines[0].strip() == "loss"
    assert [line[:2] for line in picture.lines if "┤" in line] == [
        "30", "20", "10", " 0",
    ]  # fmt: skip
    assert picture.lines[-2].split() == ["0", "5", "10", "15", "20", "25"]
    assert picture.lines[-1].strip() == "iteration"
    top = picture.lines[2:5]
    assert "a" in "".join(top)


def test_patches_cover_exactly_the_curves() -> None:
    picture = loss_curves(race(falling(), falling(0.5)), 60, 16, marks="letters")
    shown = [
        (line[patch.start : patch.end].upper(), "AB"[INKS.index(patch.ink)])
        for line, patches in zip(picture.lines, picture.patches, strict=True)
        for patch in patches
    ]
    assert all(set(cells) == {letter} for cells, letter in shown)
    assert {letter for _, letter in shown} == {"A", "B"}
    covered = sum(len(cells) for cells, _ in shown)
    canvas = "".join(line[3:] for line in picture.lines[1:-3])
    assert covered == sum(c in "abAB" for c in canvas)


def test_curves_that_end_together_have_letters_on_different_rows() -> None:
    same = race(*[falling()] * 6)
    for height in (10, 24):
        assert sorted(letters_of(loss_curves(same, 40, height))) == list("ABCDEF")


def test_the_first_curve_is_on_top() -> None:
    picture = loss_curves(race(falling(), falling()), 60, 16, marks="letters")
    canvas = "".join(line[3:] for line in picture.lines[1:-3])
    assert "a" in canvas
    assert "b" not in canvas


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "losses",
    [
        [],
        [5.0],
        [math.nan] * 5,
        [0.0] * 5,
        [1e-30] * 5,
        [1e30, 1e-30],
        [3.0] * 30,
        [-1.0, -5.0],
        [31.0, 1e5, 1e38, math.inf],
        [31.0, math.nan, 5.0],
    ],
)
def test_odd_losses_are_drawn_as_far_as_they_can(
    losses: list[float], log: bool
) -> None:
    picture = loss_curves(race(losses, iterations=30), 80, 24, log=log)
    assert {len(line) for line in picture.lines} == {80}
    drawable = [
        loss for loss in losses if math.isfinite(loss) and (loss > 0 or not log)
    ]
    assert letters_of(picture) == ("A" if drawable else "")


def test_a_spike_between_two_columns_is_seen() -> None:
    losses = [1.0] * 5000
    losses[2345] = 9.0
    picture = loss_curves(race(losses), 60, 16, marks="letters")
    assert "a" in "".join(picture.lines[1:4])


def test_a_long_race_is_shown_as_far_as_it_came() -> None:
    so_far = race(falling(), iterations=10**9)
    assert plotting.horizon(so_far) < 500
    so_far.add(Points("a", 26, 26, 1, (1.0,) * 10_000))
    assert 10_025 < plotting.horizon(so_far) < 30_000
    assert plotting.horizon(race(falling(), iterations=800)) == 800


def test_a_log_axis_is_suggested_when_losses_differ_much() -> None:
    assert not plotting.suggests_log(race(falling()))
    assert plotting.suggests_log(race([31.0, 0.001]))
    assert plotting.suggests_log(race([31.0, 1e9, math.inf]))
    assert not plotting.suggests_log(race([]))
