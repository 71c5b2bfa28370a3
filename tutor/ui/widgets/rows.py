"""Rows: which part of which line of a transcript stands in which row of a width."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, islice

from tutor.transcript import CellLines, Line, Transcript
from tutor.ui.widgets.cells import height, wrapped


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `line.text.plain[start:end]` after `prefix`."""

    line: Line
    start: int
    end: int
    prefix: str = ""

    @property
    def plain(self) -> str:
        """What stands there."""
        return self.prefix + self.line.text.plain[self.start : self.end]


class Rows:
    """The rows of a transcript at one width; only changed cells are counted again."""

    def __init__(self, width: int) -> None:
        self.width = max(1, width)
        self._cells: list[_CellRows] = []
        self._starts: list[int] = [0]

    def __len__(self) -> int:
        return self._starts[-1]

    def update(self, transcript: Transcript) -> None:
        """Follow what the transcript now holds."""
        known = {id(each.cell): each for each in self._cells}
        self._cells = []
        for cell in transcript.cells:
            rows = known.get(id(cell))
            if rows is None or rows.version != cell.version:
                rows = _CellRows(cell, self.width)
            self._cells.append(rows)
        self._starts = [0, *accumulate(rows.starts[-1] for rows in self._cells)]

    def row(self, y: int) -> Row | None:
        """The row at `y`, counted from 0; None below the last."""
        if not 0 <= y < len(self):
            return None
        index = bisect_right(self._starts, y) - 1
        return self._cells[index].row(y - self._starts[index])


class _CellRows:
    """The rows of one cell, as it was when they were counted."""

    def __init__(self, cell: CellLines, width: int) -> None:
        self.cell = cell
        self.version = cell.version
        self._width = width
        self._lines = list(cell)
        heights = (
            height(line.text.plain, width - len(_prefix(line)), words=_in_words(line))
            for line in self._lines
        )
        self.starts = [0, *accumulate(heights)]

    def row(self, y: int) -> Row:
        index = bisect_right(self.starts, y) - 1
        line = self._lines[index]
        prefix = _prefix(line)
        part = y - self.starts[index]
        width = self._width - len(prefix)
        parts = wrapped(line.text.plain, width, words=_in_words(line))
        start, end = next(islice(parts, part, None))
        return Row(line, start, end, prefix if part == 0 else " " * len(prefix))


def _prefix(line: Line) -> str:
    if line.tone == "echo":
        return "... " if line.continues else ">>> "
    return "  " if line.tone == "note" else ""


def _in_words(line: Line) -> bool:
    return line.tone in ("note", "notice")
