"""Loss curves as plain text of an exact size, with the places where each curve's colour
belongs. No Textual: `train --plot` prints the same picture.

plotext, which no other module touches, lays out the axes; they are kept while they stay
the same. The ticks are ours, as its logarithmic ones are not round, and so are the
curves (`dots`): drawn by plotext, three noisy ones take 80 ms at 80x24.
"""

import functools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import plotext

from tutor.dots import Grid, cells, dot
from tutor.picture import FAINT, INKS, LETTERS, MARKERS, Marks, Picture, blank
from tutor.pictures.canvas import Canvas, Said
from tutor.pictures.curves import (
    Across as Across,
)
from tutor.pictures.curves import (
    CurveLook as CurveLook,
)
from tutor.pictures.curves import (
    Positions,
    Seen,
    across_axis,
    line,
    picked,
    place,
    seen,
    smoothed,
    test_curve,
)
from tutor.pictures.curves import (
    horizon as horizon,
)
from tutor.pictures.frame import side_by_side
from tutor.training.axis import Axis, between, drawable, linear, logarithmic, whole
from tutor.training.run import Race, Run

_LABELLED = 12
"""Rows from which there is one to spare for the x axis's name."""
_NONE_FINITE = "No loss is finite, from iteration 0 on."
_APART = 14
"""Columns from one marker on a curve to the next."""
_NAMES = {
    "iterations": "iteration",
    "samples": "samples looked at",
    "seconds": "seconds of computing",
}


def loss_curves(
    race: Race,
    width: int,
    height: int,
    look: CurveLook | None = None,
    *,
    marks: Marks = "braille",
) -> Picture:
    """The losses of all runs, in `width` x `height` cells.

    Losses that have no place on the axis (nan; 0 where it is logarithmic) are left out.
    A forked run begins where it branches off.
    """
    look = look or CurveLook()
    width, height = max(width, 1), max(height, 1)
    if width < 12 or height < 5:
        return blank(width, height)
    runs = seen(race, look)
    across = _across(race, runs, look, width)
    if runs and all(_is_never_finite(each.run) for each in runs):
        canvas = Canvas(width, height)  # axes would be invented
        said = _NONE_FINITE[:width]
        canvas.write((width - len(said)) // 2, height // 2, said)
        return canvas.picture(marks)
    columns = 2 * width if marks == "braille" else width
    traces = list(_traces(runs, look, across, columns, raw=marks == "braille"))
    values = [value for each in traces for value in each.values if drawable(value)]
    up = _up(values, height, look)
    frame = _frame(across, up, width, height - 1, _NAMES[look.across])
    canvas = Canvas(width, height)
    for row, text in enumerate(frame.lines, start=1):
        canvas.write(0, row, text)
    canvas.write_all(1, 0, _heading(runs, look, height), width)
    _draw(canvas, frame, across, up, traces, look, marks)
    return canvas.picture(marks)


def _is_never_finite(run: Run) -> bool:
    return run.last >= 0 and run.curve.highest == -math.inf


def suggests_log(race: Race) -> bool:
    """Whether a linear axis would show little: losses differ by a factor over 1000."""
    curves = [run.curve for run in race.runs.values()]
    lowest = min(curve.lowest_positive for curve in curves)
    return max(curve.highest for curve in curves) > 1000 * lowest


@dataclass(frozen=True, slots=True)
class ReadOut:
    """One run at the cursor, exactly."""

    letter: str
    name: str
    iteration: int
    """The held point at or before the cursor; of a very long run not each is held."""
    across: float
    """Where it lies on the horizontal axis."""
    loss: float
    """nan: it has no point there."""
    test_loss: float | None
    """None: it has no test data."""
    mean: float | None
    """Of the smoothed curve. None: it is not smoothed."""
    params: dict[str, float]


def read_out(race: Race, look: CurveLook, cursor: int) -> list[ReadOut]:
    """The runs that are not hidden, at an iteration; at its last, one that ended."""
    return [_read(each, look, cursor) for each in seen(race, look)]


def _read(each: Seen, look: CurveLook, cursor: int) -> ReadOut:
    run, letter, name = each.run, LETTERS[each.number], each.run.spec.name
    moment, index = run.at(cursor), run.index_of(cursor)
    if moment is None or index is None:
        return ReadOut(letter, name, run.spec.since, math.nan, math.nan, None, None, {})
    half = _half(look, run)
    return ReadOut(
        letter,
        name,
        moment.iteration,
        Positions(run, look.across).at(index),
        moment.loss,
        moment.test_loss,
        smoothed(run, run.curve, index, half) if half else None,
        moment.params,
    )


def _half(look: CurveLook, run: Run) -> int:
    """Held points on each side of one in the running mean."""
    return look.smooth // (2 * run.stride)


# ------------------------------------------------------------------------- what is shown


@dataclass(frozen=True, slots=True)
class _Trace:
    """One line of a run."""

    number: int
    kind: str
    """raw (behind a smoothed one), test, or run."""
    shares: list[float | None]
    """Where its values lie across."""
    values: list[float]


def _traces(
    runs: Sequence[Seen], look: CurveLook, across: Axis, columns: int, *, raw: bool
) -> Iterator[_Trace]:
    """Those behind first, the first run last."""
    for each in reversed(runs):
        run, number, half = each.run, each.number, _half(look, each.run)
        positions = Positions(run, look.across)
        test = test_curve(run) if look.test else None
        for kind, curve in (("test", test), ("run", run.curve)):
            if curve is None:
                continue
            at = picked(curve, positions, across, columns)
            shares = [place(across, positions.at(index)) for index in at]
            values = [curve.values[index] for index in at]
            if half and raw and kind == "run":
                yield _Trace(number, "raw", shares, values)
            if half:
                values = [smoothed(run, curve, index, half) for index in at]
            yield _Trace(number, kind, shares, values)


def _across(race: Race, runs: Sequence[Seen], look: CurveLook, width: int) -> Axis:
    count = max(2, width // 8)
    if look.window is not None:
        low, high = look.window
        shown = between(min(low, high), max(low, high), count)
        return shown if look.across == "seconds" else whole(shown)
    axis = across_axis(race, runs, look, count)
    room = 1 + 2 / width  # for letters behind the last point
    return Axis(axis.low, axis.value(room), axis.log, axis.ticks)


def _up(losses: Sequence[float], height: int, look: CurveLook) -> Axis:
    if look.log:
        losses = [loss for loss in losses if loss > 0] or [1, 10]
        return logarithmic(min(losses), max(losses), max(3, height // 2))
    losses = losses or [0, 1]
    low, high = min(losses), max(losses)
    count = max(3, height // 3)
    if look.window is None or not high > low:
        return linear(low, high, count)
    margin = (high - low) / 20  # zoomed in: not from 0
    return between(low - margin, high + margin, count)


def _heading(runs: Sequence[Seen], look: CurveLook, height: int) -> Iterator[Said]:
    yield (("loss (log)" if look.log else "loss", ""),)
    if height < _LABELLED and look.across != "iterations":
        yield ((f" over {_NAMES[look.across]}", ""),)
    if look.smooth > 1:
        yield ((f" · mean of {look.smooth}", "quiet"),)
    tested = [LETTERS[each.number].lower() for each in runs if test_curve(each.run)]
    if look.test and tested:
        yield ((f" · {' '.join(tested)}: on test data", "quiet"),)


# ------------------------------------------------------------------------------ drawing


@dataclass(frozen=True, slots=True)
class _Frame:
    """A plot without curves."""

    lines: tuple[str, ...]
    columns: range
    """Of the part for curves, in cells from the left."""
    rows: range
    """Of the part for curves, in lines from the bottom one up."""


@functools.lru_cache(maxsize=16)
def _frame(across: Axis, up: Axis, width: int, height: int, name: str) -> _Frame:
    """Axes, ticks and the x axis's name, by plotext."""
    figure = plotext.active()
    figure.clear_figure()
    plotext.limit_size(False, False)  # or it clamps to the terminal it finds
    figure.plot_size(width, height)
    figure.theme("clear")
    figure.xaxes(True, False)
    figure.yaxes(True, False)
    figure.xlim(0, 1)
    figure.ylim(0, 1)
    figure.xticks([across.place(tick) for tick in across.ticks], across.labels)
    figure.yticks([up.place(tick) for tick in up.ticks], up.labels)
    if height >= _LABELLED:
        figure.xlabel(name)
    figure.plot([-1, -1], [0, 1], marker=" ")  # axes appear with a first curve only
    figure.monitor.build_plot()  # `build` would also make an ANSI text
    matrix = figure.monitor.matrix
    lines = tuple("".join(each) for each in reversed(matrix.marker))
    return _Frame(lines, matrix.Cols_canvas, matrix.Rows_canvas)


def _draw(
    canvas: Canvas,
    frame: _Frame,
    across: Axis,
    up: Axis,
    traces: Sequence[_Trace],
    look: CurveLook,
    marks: Marks,
) -> None:
    """The curves in their frame, then the crosshair's place, then the letters."""
    left, bottom = frame.columns[0], canvas.height - 1 - frame.rows[0]
    grid = Grid(len(frame.columns), len(frame.rows), marks == "braille")
    where = _crosshair(canvas, frame, across, look)
    heads = []
    several = sum(each.kind == "run" for each in traces) > 1
    for each in traces:
        xs, ys = line(
            each.shares,
            [up.place(value) if drawable(value) else None for value in each.values],
        )
        shown = cells(grid, xs, ys, LETTERS[each.number].lower())
        faint = each.kind != "run"
        ink = (FAINT if faint else INKS)[each.number]
        if each.kind == "test":
            shown = _dashed(shown, grid.braille)
        drawn = list(shown)
        for column, row, sign in drawn:
            canvas.put(left + column, bottom - row, sign, ink)
        if not faint and marks == "braille" and several:
            for column, row in _spots(drawn, each.number, grid.columns):
                sign = MARKERS[each.number]
                canvas.put(left + column, bottom - row, sign, ink)
        if xs and each.kind != "raw":
            letter = LETTERS[each.number]
            heads.append((ys[-1], xs[-1], letter.lower() if faint else letter, ink))
        if where is not None and each.kind == "run":
            _mark(canvas, left, bottom, grid, _at(xs, ys, where), each.number)
    for column, row, letter, ink in _heads(grid, heads):
        canvas.put(left + column, bottom - row, letter, ink)


def _dashed(
    drawn: Iterable[tuple[int, int, str]], braille: bool
) -> Iterator[tuple[int, int, str]]:
    """Gaps between dots; between letters, dots."""
    for column, row, sign in drawn:
        if column % 3:
            yield column, row, sign if braille else "."
        elif not braille:
            yield column, row, sign


def _spots(
    drawn: Sequence[tuple[int, int, str]], number: int, columns: int
) -> Iterator[tuple[int, int]]:
    """Where a curve has its markers: they stay in their columns as it grows."""
    rows: dict[int, list[int]] = {}
    for column, row, _ in drawn:
        if column % _APART == (5 + 4 * number) % _APART and column < columns - 2:
            rows.setdefault(column, []).append(row)
    for column, those in rows.items():
        yield column, sorted(those)[len(those) // 2]


def _crosshair(
    canvas: Canvas, frame: _Frame, across: Axis, look: CurveLook
) -> float | None:
    """A line at the cursor with its iteration below; the share where it is. Over samples
    or seconds the runs reach an iteration at places of their own: there is no line."""
    if look.cursor is None or look.across != "iterations":
        return None
    share = across.place(look.cursor)
    if share is None or not 0 <= share <= 1:
        return None
    column = frame.columns[0] + dot(share, len(frame.columns))
    bottom = canvas.height - 1 - frame.rows[0]
    for row in frame.rows:
        canvas.put(column, canvas.height - 1 - row, "┊", "here")
    canvas.put(column, bottom + 1, "┴", "here")
    text = f" {look.cursor} "
    start = min(
        max(column - len(text) // 2, frame.columns[0]), canvas.width - len(text)
    )
    labels = frame.lines[bottom + 1]
    for label in re.finditer(r"\S+", labels):  # half a number would be another one
        if label.start() < start + len(text) and label.end() > start:
            canvas.write(label.start(), bottom + 2, " " * len(label[0]))
    canvas.write(start + 1, bottom + 2, text.strip(), "here")
    return share


def _at(
    xs: Sequence[float], ys: Sequence[float], share: float
) -> tuple[float, float] | None:
    """The point of a line at or before a place across; None: it begins later."""
    found = None
    for x, y in zip(xs, ys, strict=True):
        if x > share + 1e-9:
            break
        found = x, y
    return found


def _mark(
    canvas: Canvas,
    left: int,
    bottom: int,
    grid: Grid,
    point: tuple[float, float] | None,
    number: int,
) -> None:
    if point is not None:
        column, row = _cell(grid, *point)
        if 0 <= row < grid.rows:
            canvas.put(left + column, bottom - row, LETTERS[number], INKS[number])


def _cell(grid: Grid, x: float, y: float) -> tuple[int, int]:
    """The column and row where a curve is drawn that is there."""
    across, up = (2, 4) if grid.braille else (1, 1)
    return (
        dot(x, across * grid.columns) // across,
        dot(y, up * grid.rows) // up,
    )


_Head = tuple[float, float, str, str]
"""Share up and across of a line's last point, its letter, its ink."""


def _heads(grid: Grid, heads: Iterable[_Head]) -> Iterator[tuple[int, int, str, str]]:
    """Column, row, letter and ink: behind the last point, those of one row beside each
    other, as another row would be another loss."""
    rows: dict[int, list[tuple[int, str, str]]] = {}
    for y, x, letter, ink in heads:
        column, row = _cell(grid, x, y)
        row = min(max(row, 0), grid.rows - 1)
        column = min(column + 1, grid.columns - 1)
        rows.setdefault(row, []).append((column, letter, ink))
    for row, found in rows.items():
        found.sort(key=lambda each: (each[0], each[1].upper(), each[1]))
        columns = side_by_side([column for column, _, _ in found], grid.columns)
        for column, (_, letter, ink) in zip(columns, found, strict=True):
            yield column, row, letter, ink
