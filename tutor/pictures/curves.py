"""What a picture of loss curves shows of each run: which points, over what, how smooth.

At most two points for each column of dots, the lowest and the highest between its edges,
so that a million points cost what a few hundred do and no spike is lost. Pure.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from tutor.training.axis import Axis, drawable, linear, logarithmic, whole
from tutor.training.curve import BLOCK, Curve
from tutor.training.run import Race, Run

Across = Literal["iterations", "samples", "seconds"]
_WIDE = 20
"""From this ratio of the runs' samples on, a linear axis of them would hide the lesser."""
_SHORT = 1000
"""Iterations up to which the x axis shows the whole race from the beginning."""


@dataclass(frozen=True, slots=True)
class CurveLook:
    """How the curves are looked at."""

    log: bool = False
    """A logarithmic axis of the losses."""
    across: Across = "iterations"
    """What the horizontal axis counts."""
    smooth: int = 0
    """Iterations of the running mean, which narrows towards both ends and so keeps
    them; up to 1: none."""
    test: bool = True
    """Show the losses on test data, where there are any."""
    hidden: frozenset[str] = frozenset()
    """Names of runs that are left out."""
    window: tuple[float, float] | None = None
    """What the horizontal axis shows, low and high. None: all."""
    cursor: int | None = None
    """An iteration to mark. None: none."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A run that is not hidden."""

    number: int
    """Its place in the race, which is its letter and colour."""
    run: Run


def seen(race: Race, look: CurveLook) -> list[Seen]:
    """At most six, in the race's order."""
    runs = enumerate(list(race.runs.values())[:6])
    return [Seen(at, run) for at, run in runs if run.spec.name not in look.hidden]


def test_curve(run: Run) -> Curve | None:
    """Its losses on test data, if it has any."""
    return run.test_curve if len(run.test_curve) else None


class Positions:
    """Where the held points of a run lie across."""

    def __init__(self, run: Run, across: Across) -> None:
        self._stride = run.stride
        self._column: Sequence[float] | None = None
        if across == "samples":
            self._column = run.samples
        elif across == "seconds":
            self._column = run.seconds

    def at(self, index: int) -> float:
        """Of held point `index`; nan where that is not known."""
        if self._column is None:
            return index * self._stride
        return self._column[index] if index < len(self._column) else math.nan

    def first(self, value: float) -> int:
        """The first held point at or past a value."""
        if self._column is None:
            return max(0, math.ceil(value / self._stride))
        return bisect_left(self._column, value)


def horizon(race: Race) -> int:
    """The last iteration that the x axis shows: of a long race, not all at once."""
    last = race.spec.iterations
    if last <= _SHORT:
        return last
    return min(last, int(linear(0, max(1.25 * race.iteration, 100), 3).high))


def across_axis(race: Race, runs: Sequence[Seen], look: CurveLook, count: int) -> Axis:
    """The horizontal axis of the whole race, with room for so many ticks."""
    last = horizon(race)
    if look.across == "iterations":
        return whole(linear(0, last, count))
    if look.across == "seconds":
        newest = max((_newest(each.run, "seconds") for each in runs), default=0.0)
        return linear(0, newest or 1.0, count)
    each = [one.run.spec.samples_per_iteration for one in runs] or [1]
    newest = max((_newest(one.run, "samples") for one in runs), default=0.0)
    specs = [one.run.spec for one in runs]
    ends = [one.samples_per_iteration * min(last, one.iterations) for one in specs]
    most = max([*ends, newest, 1])
    if max(each) < _WIDE * min(each):
        return whole(linear(0, most, count))
    return logarithmic(max(min(each), 1) / 2, most, count)


def _newest(run: Run, across: Across) -> float:
    at = Positions(run, across).at(len(run.losses) - 1) if len(run.losses) else 0.0
    return at if math.isfinite(at) else 0.0


def place(axis: Axis, value: float) -> float | None:
    """As `Axis.place`; what is too small for a logarithmic axis is at its beginning."""
    return 0.0 if axis.log and value == 0 else axis.place(value)


def picked(curve: Curve, positions: Positions, axis: Axis, columns: int) -> list[int]:
    """The held points that show the curve in so many columns of dots, ascending: with
    one before the axis and one behind it, where the line comes from and goes to."""
    start = 0 if axis.log else min(positions.first(axis.low), len(curve))
    stop = min(positions.first(math.nextafter(axis.high, math.inf)), len(curve))
    before, after = range(max(start - 1, 0), start), range(stop, len(curve))[:1]
    indices: list[int] = []
    if stop - start <= 2 * columns:
        indices = list(range(start, stop))
    else:
        edges = [positions.first(axis.value(at / columns)) for at in range(columns + 1)]
        if (
            stop - start >= 4 * BLOCK * columns
        ):  # whole blocks are quick to look through
            edges = [each - each % BLOCK for each in edges]
        cuts = [start, *(min(max(each, start), stop) for each in edges), stop]
        for low, high in pairwise(cuts):
            if low < high:
                indices += curve.extremes(low, high)
    values = curve.values
    return [at for at in (*before, *indices, *after) if drawable(values[at])]


def smoothed(run: Run, curve: Curve, index: int, half: int) -> float:
    """The mean of the `half` held points on both sides and the one at `index`; of fewer
    near an end, so that the ends stay as they are. `curve`: of its losses, or the test's.
    """
    first = -(-run.spec.since // run.stride)
    half = max(0, min(half, index - first, len(curve) - 1 - index))
    return curve.mean(index - half, index + half + 1)


def line(
    xs: Sequence[float | None], ys: Sequence[float | None]
) -> tuple[list[float], list[float]]:
    """Shares across and up, without those that have no place, and cut at the sides."""
    pairs = zip(xs, ys, strict=True)
    points = [(x, y) for x, y in pairs if x is not None and y is not None]
    if len(points) > 1 and points[0][0] < 0:
        points[0] = _crossing(points[0], points[1], 0.0)
    if len(points) > 1 and points[-1][0] > 1:
        points[-1] = _crossing(points[-1], points[-2], 1.0)
    inside = [(x, y) for x, y in points if 0 <= x <= 1]
    return [x for x, _ in inside], [y for _, y in inside]


def _crossing(
    outside: tuple[float, float], inside: tuple[float, float], edge: float
) -> tuple[float, float]:
    (x0, y0), (x1, y1) = outside, inside
    if not min(x0, x1) <= edge <= max(x0, x1) or x0 == x1:
        return outside
    return edge, y0 + (y1 - y0) * (edge - x0) / (x1 - x0)
