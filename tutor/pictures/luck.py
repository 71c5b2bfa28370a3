"""The luck meter: how a race turns out over many seeds, as bands about a median, or as
where each seed ended over the loss's contour lines.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.picture import FAINT, INKS, LETTERS, MARKERS, Marks, Picture, blank
from tutor.pictures.canvas import Canvas, Said, name
from tutor.pictures.contour import draw_ground, draw_marks, over_box
from tutor.pictures.frame import Frame, framed, letters
from tutor.pictures.output import percent
from tutor.pictures.sheet import Sheet
from tutor.training import catalogue
from tutor.training.axis import Axis, drawable, linear, logarithmic, whole
from tutor.training.luck import FEW, GOAL, GOAL_OF_FEW
from tutor.training.lucky import Band, Lucky
from tutor.training.views import Surface

_COLUMNS = 200
"""Of a band at most so many of its iterations are looked at."""
_ROOMY = 48
"""Columns from which the heading says how many seeds there are beside their shares."""
_TABLE = 15
"""Rows from which the numbers of each run stand below."""


def luck(
    lucky: Lucky,
    width: int,
    height: int,
    *,
    log: bool = False,
    surface: Surface | None = None,
    hidden: frozenset[str] = frozenset(),
    marks: Marks = "braille",
) -> Picture:
    """Each run's median loss over the seeds, and the band from the 5th to the 95th
    percentile; below, how often each reaches the goal.

    surface: show where the seeds ended over it, when all have.
    """
    width, height = max(width, 1), max(height, 1)
    if width < 16 or height < 6:
        return blank(width, height)
    found = _bands(lucky, hidden)
    canvas = Canvas(width, height)
    rows = min(len(found), 6) if height >= _TABLE else 0
    part = Canvas(width, height - rows - 1 if rows else height)
    if surface is not None and lucky.end is not None:
        _cloud(part, lucky, found, surface, marks)
    else:
        _draw_bands(part, lucky, found, log, marks, below=bool(rows))
    canvas.paste(part, 0, 0)
    if rows:
        _table(canvas, lucky, found, part.height + 1)
    return canvas.picture(marks)


@dataclass(frozen=True, slots=True)
class _Found:
    """A run that is shown."""

    number: int
    name: str
    band: Band


def _bands(lucky: Lucky, hidden: frozenset[str]) -> list[_Found]:
    bands = enumerate(list(lucky.points.items())[:6])
    return [_Found(at, run, band) for at, (run, band) in bands if run not in hidden]


def _said(lucky: Lucky, what: str) -> Iterator[Said]:
    done = lucky.end
    seeds = done.seeds if done is not None else lucky.request.seeds
    yield ((f"{what}{seeds} seeds", "strong"),)
    yield ((", median and 5 to 95 %" if what != "ends of " else "", "quiet"),)
    if done is not None and done.interrupted:
        yield ((", stopped early", "bad"),)


# ---------------------------------------------------------------------------------- bands


def _draw_bands(
    canvas: Canvas,
    lucky: Lucky,
    found: Sequence[_Found],
    log: bool,
    marks: Marks,
    *,
    below: bool,
) -> None:
    """`below`: how often a run succeeds stands there already."""
    last = max((run.iterations for run in lucky.request.race.runs), default=1)
    up = _up([each.band for each in found], canvas.height, log)
    across = whole(linear(0, last, max(2, canvas.width // 9)))
    across = Axis(0, last * (1 + 2 / canvas.width), False, across.ticks)
    frame = framed(canvas, across, up, ("iteration", "loss"), marks == "braille")
    for each in reversed(found):
        picks = _picks(each.band)
        _fill(canvas, frame, each, picks, marks)
    for each in reversed(found):
        points = _points(each.band, each.band.median, _picks(each.band))
        sheet = frame.line(points, fine=frame.fine)
        frame.draw(canvas, sheet, LETTERS[each.number].lower(), INKS[each.number])
    ends = (
        (each.number, points[-1])
        for each in found
        if (points := _points(each.band, each.band.median, _picks(each.band)))
    )
    step = 1.5 * (across.high - across.low) / max(frame.columns, 1)
    letters(canvas, frame, ((at, (x + step, y)) for at, (x, y) in ends))
    first, *rest = _said(lucky, "")
    rates = [] if below else list(_rates(lucky, found))
    if rates and canvas.width < _ROOMY:
        first, *rates = rates
    column = canvas.write_until(frame.left + 5, 0, [first, *rates], canvas.width)
    canvas.write_all(column, 0, rest, canvas.width)


def _rates(lucky: Lucky, found: Sequence[_Found]) -> Iterator[Said]:
    """How often each run is at the goal so far."""
    known = [each for each in found if each.band.success]
    for at, each in enumerate(known):
        goal = "" if at else f"  {_goal(lucky, each.name)}"
        yield (
            (goal, ""),
            (f" {LETTERS[each.number]}", INKS[each.number]),
            (f" {percent(each.band.success[-1])}", ""),
        )


def _up(bands: Sequence[Band], height: int, log: bool) -> Axis:
    """From the lowest to the highest percentile that is shown."""
    values = [
        value
        for band in bands
        for at in _picks(band)
        for value in (band.low[at], band.median[at], band.high[at])
        if drawable(value)
    ]
    if log:
        positive = [value for value in values if value > 0] or [1, 10]
        return logarithmic(min(positive), max(positive), max(3, height // 2))
    return linear(
        min(values, default=0.0), max(values, default=1.0), max(3, height // 3)
    )


def _picks(band: Band) -> Sequence[int]:
    count = min(len(band.iterations), len(band.median))
    if count <= _COLUMNS:
        return range(count)
    return [*range(0, count - 1, -(-count // _COLUMNS)), count - 1]


def _points(
    band: Band, column: Sequence[float], picks: Sequence[int]
) -> list[tuple[float, float]]:
    return [(band.iterations[at], column[at]) for at in picks if drawable(column[at])]


def _fill(
    canvas: Canvas, frame: Frame, each: _Found, picks: Sequence[int], marks: Marks
) -> None:
    """The band: its two edges, and between them a few dots, each run's in places of its
    own, so that bands on each other are told apart. A percentile that is inf is beyond
    the top."""
    band, fine = each.band, frame.fine
    sheet = frame.sheet()
    across, down = (2, 4) if fine else (1, 1)
    edges: list[list[tuple[float, float] | None]] = [[], []]
    top = frame.up.high
    for at in picks:
        x = band.iterations[at]
        for edge, value in zip(edges, (band.low[at], band.high[at]), strict=True):
            edge.append(frame.place(x, value if drawable(value) else 10 * abs(top)))
    _between(sheet, edges[0], edges[1], each.number, (across, down), marks)
    for edge in edges if fine else ():
        sheet.path(edge)
    frame.draw(canvas, sheet, ".", FAINT[each.number])


def _between(
    sheet: Sheet,
    low: Sequence[tuple[float, float] | None],
    high: Sequence[tuple[float, float] | None],
    number: int,
    size: tuple[int, int],
    marks: Marks,
) -> None:
    """Dots between two lines, column by column."""
    lower, upper = _heights(low), _heights(high)
    apart = 4 if marks == "braille" else 2
    for x in range(sheet.columns * size[0]):
        bottom, top = _height(lower, x), _height(upper, x)
        if bottom is None or top is None or (x + 2 * number) % apart:
            continue
        first = max(0, math.ceil(min(top, bottom)))
        shift = (x // apart + number) % 2 * 2 + number
        for y in range(first, min(int(max(top, bottom)) + 1, sheet.rows * size[1])):
            if marks != "braille" or (y + shift) % 4 == 0:
                sheet.dot(x, y)


_Line = tuple[list[float], list[float]]


def _heights(places: Sequence[tuple[float, float] | None]) -> _Line:
    known = [place for place in places if place is not None]
    return [x for x, _ in known], [y for _, y in known]


def _height(line: _Line, x: float) -> float | None:
    """Of a line at a column of dots; None outside."""
    xs, ys = line
    if not xs or not xs[0] - 0.5 <= x <= xs[-1] + 0.5:
        return None
    at = min(max(bisect_left(xs, x), 1), len(xs) - 1)
    if len(xs) == 1 or xs[at] == xs[at - 1]:
        return ys[at if len(xs) > 1 else 0]
    share = min(max((x - xs[at - 1]) / (xs[at] - xs[at - 1]), 0.0), 1.0)
    return ys[at - 1] + share * (ys[at] - ys[at - 1])


# ---------------------------------------------------------------------------------- ends


def _cloud(
    canvas: Canvas,
    lucky: Lucky,
    found: Sequence[_Found],
    surface: Surface,
    marks: Marks,
) -> None:
    """Where each seed ended, over the lines of equal loss."""
    frame = over_box(canvas, surface, marks)
    draw_ground(canvas, frame, surface)
    ends = lucky.end.runs if lucky.end is not None else {}
    for each in reversed(found):
        places = ends[each.name].places if each.name in ends else ()
        sign = _sign(each, marks)
        for cell in dict.fromkeys(frame.cell(*place) for place in places):
            canvas.put(*cell, sign, INKS[each.number])
    list(draw_marks(canvas, frame, surface))
    legend: Iterator[Said] = (
        (
            (f"{LETTERS[each.number]} {_sign(each, marks)}", INKS[each.number]),
            (f" {name(each.name, 12)}  ", ""),
        )
        for each in found
    )
    canvas.write_all(
        frame.left + 5, 0, [*legend, *_said(lucky, "ends of ")], canvas.width
    )


def _sign(each: _Found, marks: Marks) -> str:
    """Of the places where its seeds ended."""
    letter = LETTERS[each.number].lower()
    return MARKERS[each.number] if marks == "braille" else letter


def _table(canvas: Canvas, lucky: Lucky, found: Sequence[_Found], row: int) -> None:
    """A line for each run: how often it reaches the goal, and its losses."""
    names = [name(each.name, 10) for each in found]
    shares = [_share(lucky, each) for each in found]
    wide, share_wide = max(map(len, names)), max(map(len, shares))
    for at, each in enumerate(found):
        column = canvas.write(1, row + at, LETTERS[each.number], INKS[each.number])
        column = canvas.write(column + 1, row + at, f"{names[at]:<{wide}}")
        share = f"{shares[at]:<{share_wide}}"
        said = _numbers(lucky, each, share, "loss " if canvas.width >= 60 else "")
        canvas.write_until(column, row + at, said, canvas.width)


def _goal(lucky: Lucky, run: str) -> str:
    """What a seed of that run has to do, as in "48.4 % below gd"."""
    request = lucky.request
    spec = next(each for each in request.race.runs if each.name == run)
    if catalogue.task(spec.dataset) == "classify":
        usual = GOAL_OF_FEW if spec.points <= FEW else GOAL
        share = usual if request.goal is None else request.goal
        return f"have {percent(share)} right"
    if request.goal is None:
        return f"below {name(request.race.runs[0].name, 8)}"
    return f"at {request.goal:.3g} or less"


def _share(lucky: Lucky, each: _Found) -> str:
    """How many of the seeds are at the goal; of the run that is the goal, that."""
    if each.band.success:
        return f"{percent(each.band.success[-1])} {_goal(lucky, each.name)}"
    is_goal = each.band.median and each.name == lucky.request.race.runs[0].name
    return "the one to beat" if is_goal and len(lucky.points) > 1 else ""


def _numbers(lucky: Lucky, each: _Found, share: str, lead: str) -> Iterator[Said]:
    band = each.band
    if not band.median:
        yield ((" not begun", "quiet"),)
        return
    if share:
        yield ((f" {share} ", "strong" if band.success else "quiet"),)
    if band.diverged:
        yield ((f" {band.diverged} diverged ", "bad"),)
    yield ((f" {lead}{_short(band.median[-1])}", ""),)
    yield ((f" ({_short(band.low[-1])} to {_short(band.high[-1])})", ""),)
    first = name(lucky.request.race.runs[0].name, 8)
    end = lucky.end
    if end is not None and each.name in end.better and "below" not in share:
        yield ((f"  {percent(end.better[each.name])} below {first}", ""),)


def _short(value: float) -> str:
    return f"{value:.3g}"
