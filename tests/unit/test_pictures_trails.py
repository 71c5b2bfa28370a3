"""The ways of long runs over a contour: only what is new is drawn, and the picture is
always what it would be if all were drawn at once."""

import math
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.unit import pictured
from tutor.picture import Marks, Picture
from tutor.pictures import trails
from tutor.pictures.contour import contour
from tutor.pictures.paths import MOST, ways
from tutor.pictures.sheet import Sheet
from tutor.training import run as training_run
from tutor.training.run import Points, Race
from tutor.training.spec import RaceSpec, RunSpec
from tutor.training.views import Surface

WIDTH, HEIGHT = 61, 23


class Growing:
    """A race whose runs wander down the bowl, each more restless than the one before."""

    def __init__(self, *names: str) -> None:
        self._rng = random.Random(0)
        specs = tuple(RunSpec(name, iterations=10**6) for name in names)
        self.race = Race(RaceSpec(specs))
        self._at = dict.fromkeys(names, (3.5, -1.5))

    def grow(self, count: int, *, lost: bool = False) -> None:
        """So many iterations more of each; `lost`: nobody knows where."""
        for number, (name, run) in enumerate(self.race.runs.items()):
            places = []
            for _ in range(count):
                w, b = self._at[name]
                w -= 0.004 * w - 0.05 * number * self._rng.gauss(0, 1)
                b -= 0.008 * b - 0.05 * number * self._rng.gauss(0, 1)
                self._at[name] = w, b
                places.append((math.nan, b) if lost else (w, b))
            params = {
                key: tuple(place[at] for place in places) for at, key in enumerate("wb")
            }
            losses = (1.0,) * count
            start = max(run.last + 1, run.spec.since)
            self.race.add(Points(name, start, 0, 1, losses, params))

    def fork(self, name: str, since: int) -> None:
        """One run more, which begins there."""
        new = RunSpec(name, iterations=10**6, of="a", since=since)
        self.race.change(replace(self.race.spec, runs=(*self.race.spec.runs, new)))
        self._at[name] = (2.0, 1.0)


def at_once(
    surface: Surface,
    race: Race,
    width: int = WIDTH,
    height: int = HEIGHT,
    cursor: int | None = None,
    hidden: frozenset[str] = frozenset(),
    marks: Marks = "braille",
) -> Picture:
    """Drawn with nothing kept, and what is kept is as before."""
    kept = dict(trails._newest)
    trails._newest.clear()
    try:
        return contour(surface, race, width, height, cursor, hidden, marks)
    finally:
        trails._newest.clear()
        trails._newest.update(kept)


def batches(total: int) -> Iterator[int]:
    """How many points come between two drawings."""
    rng = random.Random(total)
    while total > 0:
        count = min(rng.choice((1, 2, 30, 60, 399, 400, 401, 900)), total)
        yield count
        total -= count


@pytest.mark.parametrize("marks", ["braille", "letters", "ascii"])
def test_a_race_that_grows(marks: Marks) -> None:
    bowl, growing = pictured.bowl(), Growing("a", "b", "c")
    for count in batches(8000):
        growing.grow(count)
        drawn = contour(bowl, growing.race, WIDTH, HEIGHT, marks=marks)
        assert drawn == at_once(bowl, growing.race, marks=marks)


def test_what_is_looked_at_changes_on_the_way() -> None:
    bowl = pictured.bowl()
    moved = replace(bowl, box=(-3, 5, -2, 2))
    other = replace(bowl, losses=tuple(2 * each for each in bowl.losses))
    growing, rng = Growing("a", "b"), random.Random(1)
    for count in batches(6000):
        growing.grow(count, lost=rng.random() < 0.1)
        last = growing.race.iteration
        looked = (
            rng.choice((bowl, bowl, moved, other)),
            growing.race,
            rng.choice((WIDTH, WIDTH, 40)),
            rng.choice((HEIGHT, HEIGHT, 12)),
            rng.choice((None, None, rng.randrange(last + 1))),
            frozenset(rng.choice(("", "", "a"))),
        )
        assert contour(*looked) == at_once(*looked)


def test_scrubbing_there_and_back() -> None:
    bowl, growing = pictured.bowl(), Growing("a", "b")
    growing.grow(3000)
    for cursor in (3, 2000, 1999, 1200, 401, 400, 2, None, 2999, 0):
        drawn = contour(bowl, growing.race, WIDTH, HEIGHT, cursor)
        assert drawn == at_once(bowl, growing.race, cursor=cursor)


def test_a_fork_shows_its_own_beginning() -> None:
    bowl, growing = pictured.bowl(), Growing("a")
    growing.grow(3000)
    growing.fork("b", 2500)
    for count in batches(3000):
        growing.grow(count)
        drawn = contour(bowl, growing.race, WIDTH, HEIGHT)
        assert drawn == at_once(bowl, growing.race)
    (_, way) = ways(growing.race, ("w", "b"))
    assert way.opening == range(2500, 2500 + MOST)
    assert way.first == way.at(2500)


def test_a_run_that_holds_only_every_second_point_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training_run, "HELD_POINTS", 1500)
    bowl, growing = pictured.bowl(), Growing("a", "b")
    for count in batches(9000):
        growing.grow(count)
        drawn = contour(bowl, growing.race, WIDTH, HEIGHT)
        assert drawn == at_once(bowl, growing.race)
    assert growing.race.runs["a"].stride == 8


def test_more_is_held_than_was_drawn_and_yet_not_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training_run, "HELD_POINTS", 2000)
    bowl, growing = pictured.bowl(), Growing("a", "b")
    for count in (1400, 2400):
        growing.grow(count)
        drawn = contour(bowl, growing.race, WIDTH, HEIGHT)
        assert drawn == at_once(bowl, growing.race)


@pytest.mark.parametrize(
    ("jump", "count"),
    [
        (399, 700), (400, 700), (401, 700),  # from one block to the next
        (400, 1300), (800, 1300), (7990, 8500),  # opening, middle, late
        (10_001, 10_002),  # the newest, which is not held
    ],
)  # fmt: skip
def test_the_line_has_no_gaps(
    jump: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "HELD_POINTS", 9000)
    way: list[tuple[float, ...]] = [(-3.0, 1.5)] * jump
    way += [(3.0, -1.5)] * (count - jump)
    picture = contour(pictured.bowl(), pictured.race(way), WIDTH, HEIGHT)
    rows = [row for row in pictured.inked(picture, "a").splitlines()[1:-2] if row]
    assert len(rows) > (HEIGHT - 3) * 0.7
    assert len("".join(rows)) > (WIDTH - 5) * 0.7


def test_a_race_that_began_anew_is_another_one() -> None:
    bowl, growing, again = pictured.bowl(), Growing("a", "b"), Growing("b", "a")
    for _ in range(20):
        growing.grow(90)
        again.grow(90)
        for race in (growing.race, again.race):
            assert contour(bowl, race, WIDTH, HEIGHT) == at_once(bowl, race)


def test_only_what_is_new_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[object] = []
    line = Sheet.line

    def noted(self: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
        lines.append((x0, y0))
        line(self, x0, y0, x1, y1)

    bowl, growing = pictured.bowl(), Growing("a", "b", "c")
    growing.grow(8 * MOST + 50)
    contour(bowl, growing.race, WIDTH, HEIGHT)
    monkeypatch.setattr(Sheet, "line", noted)
    growing.grow(20)
    contour(bowl, growing.race, WIDTH, HEIGHT)
    assert 0 < len(lines) <= 3 * 20


@pytest.mark.parametrize("count", [1, 2, 399, 400, 401, 800, 801, 1201, 5000, 100_000])
def test_of_a_long_way_a_bounded_part_is_shown(count: int) -> None:
    growing = Growing("a")
    growing.grow(count)
    (way,) = ways(growing.race, ("w", "b"))
    shown = [*way.opening, *way.middle, *range(way.late, way.stop)]
    assert shown[0] == 0
    assert shown[-1] == count - 1
    assert len(shown) <= 4 * MOST + 1
    assert count > 1200 or set(shown) == set(range(count))
    assert set(range(max(count - MOST, 0), count)) <= set(shown)
    assert way.middle.step.bit_count() == 1


def test_every_place_that_is_shown_has_the_colour_of_its_run() -> None:
    growing = Growing("a", "b")
    growing.grow(2345)
    race, bowl = growing.race, pictured.bowl()
    picture = contour(bowl, race, WIDTH, HEIGHT, hidden=frozenset("a"))
    (way,) = ways(race, ("w", "b"), hidden=frozenset("a"))
    left = pictured.inside(picture)
    columns, rows = 2 * (WIDTH - left) - 1, 4 * (HEIGHT - 3) - 1
    inked = {
        (column, row)
        for row, each in enumerate(picture.patches)
        for patch in each
        if patch.ink in ("b", "strong")
        for column in range(patch.start, patch.end)
    }
    for index in (*way.opening, *way.middle, *range(way.late, way.stop)):
        place = way.at(index)
        assert place is not None
        x, y = (place[0] + 4) / 8, (2 - place[1]) / 4
        if 0 <= x <= 1 and 0 <= y <= 1:
            column = math.floor(x * columns + 0.5) // 2
            row = math.floor(y * rows + 0.5) // 4
            assert (left + column, 1 + row) in inked
