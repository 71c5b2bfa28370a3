"""Canvas: cells to write on, that become a Picture. Nothing outside of it is written,
foreign names are made harmless, and in ASCII every sign has its plain form.
"""

import unicodedata
from collections.abc import Iterable

from tutor.picture import Marks, Picture, patches
from tutor.safetext import safe_line

_ASCII = str.maketrans(
    {
        "─": "-", "│": "|", "┊": ":", "·": ".", "●": "o", "▲": "^", "■": "#", "◆": "*",
        "▼": "v", "○": "@", "°": "d", "×": "x", "−": "-", "–": "-", "…": "~", "λ": "L",
        "≤": "<", "²": "2", "σ": "s", "█": "#", "▓": "%", "▒": "=", "░": "-",
        **dict.fromkeys("┤└┬┼├┴┘", "+"),
        **dict.fromkeys("▉▊▋▌▍", "#"), **dict.fromkeys("▎▏", "|"),
        "→": ">", "↗": "/", "↑": "^", "↖": "\\", "←": "<", "↙": "/", "↓": "v", "↘": "\\",
    }
)  # fmt: skip


Said = tuple[tuple[str, str], ...]
"""A few words of a heading that belong together: texts and their inks."""


class Canvas:
    """Columns from the left, rows from the top."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(width, 1), max(height, 1)
        self._cells = [[" "] * self.width for _ in range(self.height)]
        self._inks: list[dict[int, tuple[str, str]]] = [{} for _ in self._cells]

    def put(
        self, column: int, row: int, sign: str, ink: str = "", ground: str = ""
    ) -> None:
        """One cell."""
        if not (0 <= column < self.width and 0 <= row < self.height):
            return
        self._cells[row][column] = sign
        if ink or ground:
            self._inks[row][column] = ink, ground
        else:
            self._inks[row].pop(column, None)

    def write(self, column: int, row: int, text: str, ink: str = "") -> int:
        """A text in one line, cut where the canvas ends; the column behind it."""
        for at, sign in enumerate(text, start=column):
            self.put(at, row, sign, ink)
        return column + len(text)

    def write_all(self, column: int, row: int, said: Iterable["Said"], end: int) -> int:
        """Behind each other, those that end before `end` as a whole."""
        for each in said:
            if column + len("".join(text for text, _ in each).rstrip()) > end:
                continue
            for text, ink in each:
                column = self.write(column, row, text, ink)
        return column

    def write_until(
        self, column: int, row: int, said: Iterable["Said"], end: int
    ) -> int:
        """Behind each other until one does not end before `end`; then "…"."""
        said = list(said)
        lengths = [len("".join(text for text, _ in each).rstrip()) for each in said]
        for at, each in enumerate(said):
            last = at == len(said) - 1
            if column + lengths[at] + (0 if last else 2) > end:
                return self.write(min(column, end - 1), row, "…", "quiet")
            for text, ink in each:
                column = self.write(column, row, text, ink)
        return column

    def paste(self, other: "Canvas", column: int, row: int) -> None:
        """All of another one, with its upper left corner there."""
        for at, cells in enumerate(other._cells):
            inks = other._inks[at]
            for number, sign in enumerate(cells):
                self.put(column + number, row + at, sign, *inks.get(number, ("", "")))

    def free(self, column: int, row: int, length: int) -> bool:
        """Whether so many cells, inside the canvas, are all empty."""
        inside = 0 <= row < self.height and column >= 0
        part = self._cells[row][column : column + length] if inside else []
        return len(part) == length and set(part) <= {" "}

    def picture(self, marks: Marks) -> Picture:
        """What was written, in signs that the marks allow."""
        lines = ["".join(line) for line in self._cells]
        if marks == "ascii":
            lines = [_ascii(line.translate(_ASCII)) for line in lines]
        return Picture(tuple(lines), tuple(map(patches, self._inks)))


def _ascii(line: str) -> str:
    return line if line.isascii() else line.encode("ascii", "replace").decode()


def name(foreign: str, limit: int = 20) -> str:
    """A name of the learner's, harmless, each of its characters one cell wide."""
    text = safe_line(foreign, limit)
    return "".join(sign if _narrow(sign) else "?" for sign in text)[:limit]


def _narrow(sign: str) -> bool:
    return sign.isascii() or (
        unicodedata.east_asian_width(sign) not in "WF"
        and not unicodedata.combining(sign)
        and unicodedata.category(sign) not in ("Mn", "Me", "Cf")
    )
