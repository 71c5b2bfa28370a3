"""Loss curves as plain text of an exact size, with the places where each curve's colour
belongs. No Textual: `train --plot` prints the same picture.

plotext, which no other module touches, lays out the axes; they are kept while they stay
the same. The ticks are ours, as its logarithmic ones are not round, and so are the
curves (`dots`): drawn by plotext, three noisy ones take 80 ms at 80x24.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotext

from tutor.dots import Grid, cells, dot
from tutor.picture import INKS, LETTERS, Marks, Picture, blank, patches
from tutor.training.axis import Axis, linear, logarithmic
from tutor.training.run import Race

_ASCII = str.maketrans("┤│└┬─┼├┴┘", "+|++-++++")
_LABELLED = 12
"""Rows from which there is one to spare for the x axis's name."""
_SHORT = 1000
"""Iterations up to which the x axis shows the whole race from the beginning."""


def loss_curves(
    race: Race, width: int, height: int, *, log: bool = False, marks: Marks = "braille"
) -> Picture:
    """The losses of all runs over the iterations, in `width` x `height` cells.

    Losses that have no place on the axis (nan; 0 where it is logarithmic) are left out.
    """
    width, height = max(width, 1), max(height, 1)
    if width < 12 or height < 5:
        return blank(width, height)
    last = horizon(race)
    columns = width if marks != "braille" else 2 * width
    data = [run.reduced(columns, last) for run in race.runs.values()]
    across = linear(0, last, max(2, width // 8))
    across = Axis(0, last * (1 + 2 / width), False, across.ticks)  # room for letters
    up = _loss_axis([loss for _, losses in data for loss in losses], height, log)
    curves = [_placed(across, up, *each) for each in data]
    frame = _frame(across, up, width, height - 1)
    return _drawn(frame, curves, marks, "loss (log)" if log else "loss")


def horizon(race: Race) -> int:
    """The last iteration that the x axis shows: of a long race, not all at once."""
    last = race.spec.iterations
    if last <= _SHORT:
        return last
    return min(last, int(linear(0, max(1.25 * race.iteration, 100), 3).high))


def suggests_log(race: Race) -> bool:
    """Whether a linear axis would show little: losses differ by a factor over 1000."""
    curves = [run.curve for run in race.runs.values()]
    lowest = min(curve.lowest_positive for curve in curves)
    return max(curve.highest for curve in curves) > 1000 * lowest


def _loss_axis(losses: Sequence[float], height: int, log: bool) -> Axis:
    if log:
        losses = [loss for loss in losses if loss > 0] or [1, 10]
        return logarithmic(min(losses), max(losses), max(3, height // 2))
    losses = losses or [0, 1]
    return linear(min(losses), max(losses), max(2, height // 3))


_Curve = tuple[list[float], list[float]]
"""Shares across and up, as in `Axis.place`."""


def _placed(
    across: Axis, up: Axis, iterations: Sequence[float], losses: Sequence[float]
) -> _Curve:
    xs: list[float] = []
    ys: list[float] = []
    for iteration, loss in zip(iterations, losses, strict=True):
        x, y = across.place(iteration), up.place(loss)
        if x is not None and y is not None:
            xs.append(x)
            ys.append(y)
    return xs, ys


@dataclass(frozen=True, slots=True)
class _Frame:
    """A plot without curves."""

    lines: tuple[str, ...]
    columns: range
    """Of the part for curves, in cells from the left."""
    rows: range
    """Of the part for curves, in lines from the bottom one up."""


@functools.lru_cache(maxsize=16)
def _frame(across: Axis, up: Axis, width: int, height: int) -> _Frame:
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
        figure.xlabel("iteration")
    figure.plot([-1, -1], [0, 1], marker=" ")  # axes appear with a first curve only
    figure.monitor.build_plot()  # `build` would also make an ANSI text
    matrix = figure.monitor.matrix
    lines = tuple("".join(each) for each in reversed(matrix.marker))
    return _Frame(lines, matrix.Cols_canvas, matrix.Rows_canvas)


def _drawn(frame: _Frame, curves: Sequence[_Curve], marks: Marks, name: str) -> Picture:
    """The frame with the curves in it, under the name of the y axis."""
    lines = [list(line) for line in frame.lines]
    inks: list[dict[int, tuple[str, str]]] = [{} for _ in lines]
    """By line: the colour of the cell at a column."""
    grid = Grid(len(frame.columns), len(frame.rows), marks == "braille")
    bottom = len(lines) - 1

    def put(column: int, row: int, character: str, curve: int) -> None:
        at, y = frame.columns[column], bottom - frame.rows[row]
        lines[y][at] = character
        inks[y][at] = INKS[curve], ""

    for number in reversed(range(len(curves))):  # the first one is on top
        xs, ys = curves[number]
        for column, row, character in cells(grid, xs, ys, LETTERS[number].lower()):
            put(column, row, character, number)
    for column, row, number in _heads(grid, curves):
        put(column, row, LETTERS[number], number)
    width = len(frame.lines[0])
    texts = [f" {name}".ljust(width)[:width], *("".join(line) for line in lines)]
    if marks == "ascii":
        texts = [text.translate(_ASCII) for text in texts]
    return Picture(tuple(texts), ((), *map(patches, inks)))


def _heads(grid: Grid, curves: Sequence[_Curve]) -> Iterator[tuple[int, int, int]]:
    """Column, row and curve of each letter: behind the last point, none on another."""
    heads = sorted(
        (ys[-1], xs[-1], number) for number, (xs, ys) in enumerate(curves) if xs
    )
    taken: set[tuple[int, int]] = set()
    for y, x, number in heads:
        column = min(dot(x, grid.columns) + 1, grid.columns - 1)
        wanted = min(max(dot(y, grid.rows), 0), grid.rows - 1)
        upward = [*range(wanted, grid.rows), *range(wanted - 1, -1, -1)]
        row = next((at for at in upward if (column, at) not in taken), wanted)
        taken.add((column, row))
        yield column, row, number
