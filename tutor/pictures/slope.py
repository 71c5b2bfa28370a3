"""A function of one parameter with each run as a ball on it: where it was, where it is,
and the tangent there, which is what gradient descent goes by.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tutor.picture import FAINT, INKS, LETTERS, MARKERS, Marks, Picture, blank
from tutor.pictures.canvas import Canvas, Said, name
from tutor.pictures.frame import Frame, framed, letters
from tutor.pictures.paths import Way, ways
from tutor.training.axis import between
from tutor.training.run import Race
from tutor.training.views import Slope

_TRAIL = 40
"""Places up to the newest that are shown."""
_TANGENT = 0.12
"""Half its length, as a share of the picture."""


def slope(
    slope: Slope,
    race: Race | None,
    width: int,
    height: int,
    cursor: int | None = None,
    hidden: frozenset[str] = frozenset(),
    marks: Marks = "braille",
) -> Picture:
    """The curve, its minima, and the runs up to `cursor` (None: their newest iteration).

    A letter at the edge: the run is outside.
    """
    width, height = max(width, 1), max(height, 1)
    if width < 12 or height < 6 or len(slope.x) < 2:
        return blank(width, height)
    canvas = Canvas(width, height)
    margin = (max(slope.y) - min(slope.y)) / 20
    frame = framed(
        canvas,
        between(slope.x[0], slope.x[-1], max(2, width // 9)),
        between(min(slope.y) - margin, max(slope.y) + margin, max(3, height // 4)),
        (slope.name, "loss"),
        marks == "braille",
    )
    found = ways(race, (slope.name,), cursor, hidden)
    points = zip(slope.x, slope.y, strict=True)
    function = frame.line(points, fine=frame.fine)
    frame.draw(canvas, function, ".", "quiet" if found else "")
    for place in slope.minima:
        canvas.put(*frame.cell(*place), "+", "strong")
    for way in reversed(found):
        _ball(canvas, frame, slope, way, marks)
    now = ((way.number, way.now[0]) for way in found if way.now)
    letters(canvas, frame, ((at, (x, _height(slope, x))) for at, x in now))
    said = list(_said(slope, found, brief=len(found) > 2))
    if frame.left + 5 + sum(len(text) for each in said for text, _ in each) > width:
        said = list(_said(slope, found, brief=True))
    canvas.write_until(frame.left + 5, 0, said, width)
    return canvas.picture(marks)


def _ball(canvas: Canvas, frame: Frame, slope: Slope, way: Way, marks: Marks) -> None:
    """Its last places with lines between them, the tangent, its letter."""
    places = [
        None if each is None else (each[0], _height(slope, each[0]))
        for each in way.last(_TRAIL)
    ]
    ink = INKS[way.number]
    if marks == "braille":
        hops = frame.line(places, fine=True)
        frame.draw(canvas, hops, "", FAINT[way.number])
    x = way.now[0] if way.now is not None else math.nan
    if slope.x[0] <= x <= slope.x[-1]:
        y, rise = _height(slope, x), steepness(slope, x)
        half = _tangent(frame, rise)
        ends = [(at, y + rise * (at - x)) for at in (x - half, x + half)]
        tangent = frame.line(ends, fine=frame.fine)
        frame.draw(canvas, tangent, "~", "here")
    for each in places:
        if each is not None:
            sign = MARKERS[way.number] if marks == "braille" else LETTERS[way.number]
            canvas.put(*frame.cell(*each), sign.lower(), ink)


def _tangent(frame: Frame, rise: float) -> float:
    """Half the tangent's extent across, so that it is as long whatever its slope."""
    width, height = frame.across.high - frame.across.low, frame.up.high - frame.up.low
    steep = abs(rise) * width / height * (frame.rows * 2) / max(frame.columns, 1)
    return _TANGENT * width / math.hypot(1.0, steep)


def _height(slope: Slope, x: float) -> float:
    """The curve there; outside of what is known it goes on straight."""
    at = _piece(slope.x, x)
    x0, x1, y0, y1 = slope.x[at], slope.x[at + 1], slope.y[at], slope.y[at + 1]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0) if x1 != x0 else y0


def steepness(slope: Slope, x: float) -> float:
    """The derivative there, by central differences between the known places."""
    at = _piece(slope.x, x)

    def derivative(index: int) -> float:
        low, high = max(index - 1, 0), min(index + 1, len(slope.x) - 1)
        across = slope.x[high] - slope.x[low]
        return (slope.y[high] - slope.y[low]) / across if across else 0.0

    x0, x1 = slope.x[at], slope.x[at + 1]
    share = min(max((x - x0) / (x1 - x0), 0.0), 1.0) if x1 != x0 else 0.0
    return derivative(at) * (1 - share) + derivative(at + 1) * share


def _piece(xs: Sequence[float], x: float) -> int:
    """The index of the known place at or before x, never the last."""
    pieces = enumerate(pairwise(xs))
    return next((at for at, (_, high) in pieces if x <= high), len(xs) - 2)


def _said(slope: Slope, found: Sequence[Way], *, brief: bool) -> Iterator[Said]:
    """The first runs first: what has no room is left out at the end."""
    known = [(way.number, way.now[0]) for way in found if way.now is not None]
    if brief:
        yield ((f"{name(slope.name, 8)}: ", ""),)
    for number, x in known:
        text = f" {x:.3g}  "
        if not brief:
            text = (
                f" {name(slope.name, 8)} = {x:.4g}, slope {steepness(slope, x):.3g}   "
            )
        yield (LETTERS[number], INKS[number]), (text, "")
    if slope.minima:
        places = ", ".join(f"{x:.3g}" for x, _ in slope.minima)
        yield ("+", "strong"), (f" minimum at {places}", "quiet")
