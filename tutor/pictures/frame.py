"""Frame: axes with ticks and names around a part of a canvas, and where values lie in it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tutor.picture import INKS, LETTERS
from tutor.pictures.canvas import Canvas, name
from tutor.pictures.sheet import Sheet
from tutor.training.axis import Axis


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a canvas inside of its axes, in cells."""

    left: int
    top: int
    columns: int
    rows: int
    across: Axis
    up: Axis
    fine: bool
    """Drawn in with braille's dots."""

    def sheet(self) -> Sheet:
        """An empty one, as large."""
        return Sheet(self.columns, self.rows, self.fine)

    def line(self, points: Iterable[Sequence[float] | None], *, fine: bool) -> Sheet:
        """A line through values across and up, None is a gap; `fine` needs braille."""
        sheet = Sheet(self.columns, self.rows, fine)
        sheet.path(self.dots(points, fine=fine))
        return sheet

    def dots(
        self, points: Iterable[Sequence[float] | None], *, fine: bool
    ) -> Iterator[tuple[float, float] | None]:
        """Where values lie on a sheet; None: a gap, or they have no place."""
        across, down = (2, 4) if self.fine and not fine else (1, 1)
        for point in points:
            place = None if point is None else self.place(*point)
            if place is not None:
                x, y = place
                place = (x + 0.5) / across - 0.5, (y + 0.5) / down - 0.5
            yield place

    def place(self, x: float, y: float) -> tuple[float, float] | None:
        """Dots from the left and from the top, perhaps outside; None: no place."""
        across, up = self.across.place(x), self.up.place(y)
        if across is None or up is None or max(abs(across), abs(up)) > 1e9:
            return None
        columns, rows = (2, 4) if self.fine else (1, 1)
        return (
            across * (self.columns * columns - 1),
            (1 - up) * (self.rows * rows - 1),
        )

    def cell(self, x: float, y: float, *, nearest: bool = False) -> tuple[int, int]:
        """Column and row on the canvas; (-1, -1) outside, unless the nearest is meant."""
        place = self.place(x, y)
        if place is None:
            return -1, -1
        columns, rows = (2, 4) if self.fine else (1, 1)
        column = math.floor(place[0] + 0.5) // columns
        row = math.floor(place[1] + 0.5) // rows
        if nearest:
            column = min(max(column, 0), self.columns - 1)
            row = min(max(row, 0), self.rows - 1)
        if not (0 <= column < self.columns and 0 <= row < self.rows):
            return -1, -1
        return self.left + column, self.top + row

    def holds(self, column: int, row: int) -> bool:
        """Whether a cell of the canvas is inside."""
        return (
            0 <= column - self.left < self.columns and 0 <= row - self.top < self.rows
        )

    def draw(self, canvas: Canvas, sheet: Sheet, sign: str, ink: str) -> None:
        """What is on a sheet, over what is there."""
        for column, row, character in sheet.cells(sign):
            canvas.put(self.left + column, self.top + row, character, ink)


def framed(
    canvas: Canvas, across: Axis, up: Axis, names: tuple[str, str], fine: bool
) -> Frame:
    """Write axes, ticks and the names of both on the whole canvas: one line above, which
    has the vertical one's name, and two below. At least 12 x 5 cells."""
    rows = canvas.height - 3
    labels: dict[int, str] = {}
    for tick, label in zip(up.ticks, up.labels, strict=True):
        share = up.place(tick)
        if share is not None and -1e-9 <= share <= 1 + 1e-9:
            labels.setdefault(1 + round((1 - share) * (rows - 1)), label)
    fitting = [len(text) for text in labels.values() if len(text) <= canvas.width // 3]
    left = max(fitting, default=0)
    for row in range(1, rows + 1):
        text = labels.get(row, "")
        shown = text if len(text) <= left else ""  # half a number would be another one
        canvas.write(0, row, f"{shown:>{left}}" + ("┤" if text else "│"))
    frame = Frame(left + 1, 1, canvas.width - left - 1, rows, across, up, fine)
    canvas.write(0, 0, f"{'':>{left}}{name(names[1])}")
    _below(canvas, frame, name(names[0]))
    return frame


def _below(canvas: Canvas, frame: Frame, title: str) -> None:
    """The horizontal axis: its line, and a line of labels that ends with its name."""
    row, end = frame.top + frame.rows, canvas.width
    canvas.write(frame.left - 1, row, "└" + "─" * frame.columns)
    canvas.write(end - len(title), row + 1, title)
    free, end = 0, end - len(title) - 1
    for tick, label in zip(frame.across.ticks, frame.across.labels, strict=True):
        share = frame.across.place(tick)
        if share is None or not -1e-9 <= share <= 1 + 1e-9:
            continue
        column = frame.left + round(share * (frame.columns - 1))
        canvas.put(column, row, "┬")
        start = max(column - len(label) // 2, 0)
        if free <= start and start + len(label) <= end:
            free = canvas.write(start, row + 1, label) + 1


def side_by_side(wanted: Sequence[int], end: int) -> list[int]:
    """Columns for letters of one row, none on another: each at or right of the column it
    wants, which ascend, or further left where all would not end before `end`."""
    columns: list[int] = []
    for column in wanted:
        columns.append(max(column, columns[-1] + 1) if columns else column)
    for at in reversed(range(len(columns))):
        columns[at] = max(min(columns[at], end - len(columns) + at), 0)
    return columns


def letters(
    canvas: Canvas, frame: Frame, spots: Iterable[tuple[int, tuple[float, float]]]
) -> None:
    """The letter of each curve where it is, at the edge when that is outside. Those of
    one place stand beside each other: another row would be another value."""
    rows: dict[int, list[tuple[int, int]]] = {}
    for number, (x, y) in spots:
        column, row = frame.cell(x, y, nearest=True)
        if column >= 0:
            rows.setdefault(row, []).append((column, number))
    for row, found in rows.items():
        found.sort()
        columns = side_by_side([each for each, _ in found], frame.left + frame.columns)
        for column, (_, number) in zip(columns, found, strict=True):
            canvas.put(column, row, LETTERS[number], INKS[number])
