"""Rows: which part of which line of a transcript stands in which row of a width."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from textual._cells import cell_len

from tutor.transcript import CellLines, Line, Transcript

_PROMPTS = {False: ">>> ", True: "... "}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `line.text.plain[start:end]` after `prefix`."""

    line: Line
    start: int
    end: int
    prefix: str = ""


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
    def __init__(self, cell: CellLines, width: int) -> None:
        self.cell = cell
        self.version = cell.version
        self.width = width
        self.lines = list(cell)
        self.starts = [0, *accumulate(_height(line, width) for line in self.lines)]

    def row(self, y: int) -> Row:
        index = bisect_right(self.starts, y) - 1
        line = self.lines[index]
        prefix = _prefix(line)
        parts = wrapped(line.text.plain, self.width - len(prefix))
        part = y - self.starts[index]
        start, end = next(each for n, each in enumerate(parts) if n == part)
        return Row(line, start, end, prefix if part == 0 else " " * len(prefix))


def wrapped(plain: str, width: int) -> Iterator[tuple[int, int]]:
    """Where a line is cut so that no part is wider than `width` cells."""
    width = max(2, width)
    if plain.isascii():
        for start in range(0, max(1, len(plain)), width):
            yield start, min(start + width, len(plain))
        return
    start = used = 0
    for index, character in enumerate(plain):
        cells = cell_len(character)
        if used + cells > width:
            yield start, index
            start, used = index, 0
        used += cells
    yield start, len(plain)


def _height(line: Line, width: int) -> int:
    plain = line.text.plain
    width -= len(_prefix(line))
    if len(plain) * 2 <= width or (len(plain) <= width and plain.isascii()):
        return 1
    return sum(1 for _ in wrapped(plain, width))


def _prefix(line: Line) -> str:
    if line.tone == "echo":
        return _PROMPTS[line.continues]
    return "  " if line.tone == "note" else ""
