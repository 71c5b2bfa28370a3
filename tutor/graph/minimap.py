"""The minimap: the whole walk on one row, and where the learner is in it. Pure.

A cell stands for some stops. Forward it is a rule, heavy where the learner has been;
backward a block as high as the gradient's magnitude there, on a logarithmic scale.
"""

import bisect
import math
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tutor.graph.breaks import magnitude
from tutor.graph.draw import Line, Run, Style
from tutor.graph.nonfinite import is_finite
from tutor.graph.steps import Walk
from tutor.graph.trace import Summary

_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN_BLOCKS = "12345678"
_LEAST = -38.0
"""The decimal exponent that stands for 0."""


@dataclass(frozen=True, slots=True)
class _Profile:
    """What is to be told of each stop."""

    exponents: tuple[float | None, ...]
    """Of the gradient that arrived, base 10; None forward, or where it is unknown."""
    backward: tuple[bool, ...]
    broken: tuple[int, ...]
    """Stops at which something is not finite."""
    low: float
    high: float
    heights: dict[int, list[int | None]] = field(default_factory=dict)
    """Made once for each number of cells."""


_profiles: "weakref.WeakKeyDictionary[Walk, _Profile]" = weakref.WeakKeyDictionary()


def minimap(
    walk: Walk,
    place: int,
    width: int,
    *,
    marks: Sequence[int] = (),
    ascii: bool = False,
) -> tuple[Line, ...]:
    """One row of `width` cells, or fewer where the walk has fewer stops.

    ◆ is the place, ! something not finite, ● one of `marks`: places that the learner
    wants to stop at. No rows for a walk without steps.
    """
    stops = len(walk.stops)
    if not stops or width < 1:
        return ()
    profile = _profile(walk)
    count = min(width, stops)
    here = min(max(walk.stop(place) - 1, 0), stops - 1) * count // stops
    broken = {stop * count // stops for stop in profile.broken}
    marked = {
        bisect.bisect_left(walk.stops, mark) * count // stops
        for mark in marks
        if 0 < mark <= len(walk.steps)
    }
    forward = ("=", "-") if ascii else ("━", "─")
    blocks = _PLAIN_BLOCKS if ascii else _BLOCKS
    runs: list[Run] = []
    for cell, height in enumerate(_heights(profile, count)):
        is_past = cell < here
        style: Style = "todo"
        if height is None:
            glyph = forward[0] if is_past else forward[1]
            style = "wire" if is_past else "todo"
        else:
            glyph = blocks[height]
            style = "back" if is_past else "todo"
        if cell in marked:
            glyph, style = "o" if ascii else "●", "name"
        if cell in broken:
            glyph, style = "!", "grad"
        if cell == here:
            glyph, style = "@" if ascii else "◆", "now"
        runs.append(Run(glyph, style))
    return (_joined(runs),)


def _heights(profile: _Profile, count: int) -> list[int | None]:
    """By cell: which block; None where all of it is forward."""
    if count in profile.heights:
        return profile.heights[count]
    stops = len(profile.exponents)
    reach = profile.high - profile.low
    found: list[int | None] = []
    for cell in range(count):
        first = cell * stops // count
        last = max(first + 1, (cell + 1) * stops // count)
        known = [each for each in profile.exponents[first:last] if each is not None]
        if not known:
            found.append(0 if profile.backward[first] else None)
            continue
        share = (max(known) - profile.low) / reach if reach > 0 else 0.5
        found.append(max(0, min(len(_BLOCKS) - 1, int(share * len(_BLOCKS)))))
    profile.heights[count] = found
    return found


def _joined(runs: Iterable[Run]) -> Line:
    found: list[Run] = []
    for run in runs:
        if found and found[-1].style == run.style:
            found[-1] = Run(found[-1].text + run.text, run.style)
        else:
            found.append(run)
    return tuple(found)


def _profile(walk: Walk) -> _Profile:
    if walk not in _profiles:
        _profiles[walk] = _measured(walk)
    return _profiles[walk]


def _measured(walk: Walk) -> _Profile:
    exponents: list[float | None] = []
    backward: list[bool] = []
    broken: list[int] = []
    for stop, (is_backward, summaries) in enumerate(walk.seen()):
        backward.append(is_backward)
        if not all(map(is_finite, summaries)):
            broken.append(stop)
        exponents.append(_exponent(summaries[0]) if is_backward else None)
    known = [each for each in exponents if each is not None and each > _LEAST]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    return _Profile(tuple(exponents), tuple(backward), tuple(broken), low, high)


def _exponent(summary: Summary) -> float | None:
    """Of its largest finite magnitude; None where nobody looked."""
    largest = magnitude(summary)
    if largest is None:
        return None
    return math.log10(largest) if largest > 0 else _LEAST
