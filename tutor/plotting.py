"""Draws with plotext, and is the only module that touches it: loss curves as plain
text, with the places where each curve's colour belongs. No Textual: `train --plot`
prints the same picture.

plotext lays out axes and curves. Ours are the ticks (its logarithmic ones are not
round), the letter at each curve's head, and the size, which is exactly what was asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotext

from tutor.training.axis import Axis, linear, logarithmic
from tutor.training.run import Race

Marks = Literal["braille", "letters", "ascii"]
"""How curves are drawn: dots; each with its letter; that, and the axes in ASCII too."""
LETTERS = "ABCDEF"
_ASCII = str.maketrans("┤│└┬─┼├┴┘", "+|++-++++")
_LABELLED = 12
"""Rows from which there is one to spare for the x axis's name."""
_SHORT = 1000
"""Iterations up to which the x axis shows the whole race from the beginning."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Cells of one line, start to end, that show a curve."""

    start: int
    end: int
    curve: int
    """Counted from 0."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Lines of exactly the asked width, and the patches of each."""

    lines: tuple[str, ...]
    patches: tuple[tuple[Patch, ...], ...]


def loss_curves(
    race: Race, width: int, height: int, *, log: bool = False, marks: Marks = "braille"
) -> Picture:
    """The losses of all runs over the iterations, in `width` x `height` cells.

    Losses that have no place on the axis (nan; 0 where it is logarithmic) are left out.
    """
    width, height = max(width, 1), max(height, 1)
    if width < 12 or height < 5:
        return Picture((" " * width,) * height, ((),) * height)
    last = horizon(race)
    columns = width if marks != "braille" else 2 * width
    data = [run.reduced(columns, last) for run in race.runs.values()]
    across = linear(0, last, max(2, width // 8))
    across = Axis(0, last * (1 + 2 / width), False, across.ticks)  # room for letters
    up = _loss_axis([loss for _, losses in data for loss in losses], height, log)
    curves = [_placed(across, up, *each) for each in data]
    return _drawn(
        curves, across, up, (width, height), marks, "loss (log)" if log else "loss"
    )


def horizon(race: Race) -> int:
    """The last iteration that the x axis shows: of a long race, not all at once."""
    last = race.spec.iterations
    if last <= _SHORT:
        return last
    return min(last, int(linear(0, max(1.25 * race.iteration, 100), 3).high))


def suggests_log(race: Race) -> bool:
    """Whether a linear axis would show little: losses differ by a factor over 1000."""
    seen = [loss for run in race.runs.values() for loss in run.reduced(40, run.last)[1]]
    positive = [loss for loss in seen if loss > 0]
    return bool(positive) and max(positive) > 1000 * min(positive)


def _loss_axis(losses: Sequence[float], height: int, log: bool) -> Axis:
    if log:
        losses = [loss for loss in losses if loss > 0] or [1, 10]
        return logarithmic(min(losses), max(losses), max(3, height // 2))
    losses = losses or [0, 1]
    return linear(min(losses), max(losses), max(2, height // 3))


_Curve = tuple[list[float], list[float]]


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


def _drawn(
    curves: Sequence[_Curve],
    across: Axis,
    up: Axis,
    size: tuple[int, int],
    marks: Marks,
    name: str,
) -> Picture:
    width, height = size
    figure = plotext.active()
    figure.clear_figure()
    plotext.limit_size(False, False)  # or it clamps to the terminal it finds
    figure.plot_size(width, height - 1)
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
    for number in reversed(range(len(curves))):  # the first one is on top
        marker = "braille" if marks == "braille" else LETTERS[number].lower()
        xs, ys = curves[number]
        if xs:
            figure.plot(xs, ys, marker=marker, color=number + 1)
    figure.monitor.build_plot()  # `build` would also make the ANSI text that we do not want
    matrix = figure.monitor.matrix
    _add_heads(matrix, curves)
    return _picture(matrix, width, marks, name)


def _add_heads(matrix: Any, curves: Sequence[_Curve]) -> None:
    """Each curve's capital letter behind its last point; never two on one cell."""
    columns, rows = matrix.Cols_canvas, matrix.Rows_canvas
    if not columns or not rows:
        return
    heads = sorted(
        (ys[-1], xs[-1], number) for number, (xs, ys) in enumerate(curves) if xs
    )
    taken: set[tuple[int, int]] = set()
    for y, x, number in heads:
        column = columns[min(round(x * (len(columns) - 1)) + 1, len(columns) - 1)]
        wanted = min(max(round(y * (len(rows) - 1)), 0), len(rows) - 1)
        upward = [*range(wanted, len(rows)), *range(wanted - 1, -1, -1)]
        row = next((at for at in upward if (column, at) not in taken), wanted)
        taken.add((column, row))
        matrix.insert_element(column, rows[row], LETTERS[number], number + 1)


def _picture(matrix: Any, width: int, marks: Marks, name: str) -> Picture:
    """What plotext laid out, top line first, under the name of the y axis."""
    lines = [f" {name}"[:width].ljust(width)]
    patches: list[tuple[Patch, ...]] = [()]
    for cells, colours in zip(
        reversed(matrix.marker), reversed(matrix.fullground), strict=True
    ):
        line = "".join(cells)
        lines.append(line.translate(_ASCII) if marks == "ascii" else line)
        patches.append(tuple(_patches(colours)))
    return Picture(tuple(lines), tuple(patches))


def _patches(colours: Sequence[int | str]) -> list[Patch]:
    found: list[Patch] = []
    for at, colour in enumerate(colours):
        if not isinstance(colour, int):
            continue
        if found and found[-1].end == at and found[-1].curve == colour - 1:
            found[-1] = Patch(found[-1].start, at + 1, colour - 1)
        else:
            found.append(Patch(at, at + 1, colour - 1))
    return found
