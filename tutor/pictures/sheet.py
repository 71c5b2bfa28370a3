"""Sheet: dots and lines of one kind in a grid of cells, finer than cells where the
terminal has braille. Pure.
"""

import math
from collections.abc import Iterable, Iterator

_BITS = (0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80)
"""Of a braille cell, by row from the top and column (Unicode 15, 2800-28FF)."""


class Sheet:
    """`columns` x `rows` cells; dots are counted from the left and from the top."""

    def __init__(self, columns: int, rows: int, fine: bool) -> None:
        self.across, self.down = (2, 4) if fine else (1, 1)
        self.columns, self.rows = columns, rows
        self._fine = fine
        self._cells: dict[int, int] = {}
        """Bits by row * columns + column."""
        self._before: tuple[float, float] | None = None
        """Where the path has ended; None: there is none, or a gap."""
        self._at: tuple[float, float] | None = None
        """The half dot where that is."""

    def dot(self, x: float, y: float) -> None:
        """The dot nearest to a place in dots; none outside."""
        self._set(math.floor(x + 0.5), math.floor(y + 0.5))

    def _set(self, x: int, y: int) -> None:
        if 0 <= x < self.columns * self.across and 0 <= y < self.rows * self.down:
            at = y // self.down * self.columns + x // self.across
            bit = _BITS[y % 4][x % 2] if self._fine else 1
            self._cells[at] = self._cells.get(at, 0) | bit

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """From a place in dots to another; what is outside is cut off."""
        right, bottom = self.columns * self.across - 1, self.rows * self.down - 1
        if not (0 <= x0 <= right and 0 <= x1 <= right) or not (
            0 <= y0 <= bottom and 0 <= y1 <= bottom
        ):
            inside = clip((x0, y0), (x1, y1), (right, bottom))
            if inside is None:
                return
            x0, y0, x1, y1 = inside
        count = math.ceil(max(abs(x1 - x0), abs(y1 - y0))) or 1
        dx, dy = (x1 - x0) / count, (y1 - y0) / count
        columns, across, down, fine = self.columns, self.across, self.down, self._fine
        cells = self._cells
        for step in range(count + 1):
            x, y = int(x0 + dx * step + 0.5), int(y0 + dy * step + 0.5)
            at = y // down * columns + x // across
            bit = _BITS[y % 4][x % 2] if fine else 1
            cells[at] = cells.get(at, 0) | bit

    def path(self, places: Iterable[tuple[float, float] | None]) -> None:
        """Lines from each to the next; None is a gap."""
        self._before = self._at = None
        self.go_on(places)

    def go_on(self, places: Iterable[tuple[float, float] | None]) -> None:
        """As `path`, from where the last one ended: it is as if both were one."""
        before, at = self._before, self._at
        for here in places:
            if here is None:
                before = at = None
                continue
            dot = here[0] // 0.5, here[1] // 0.5
            if dot == at:  # most of a long way is in a few dots
                continue
            if before is None:
                self.dot(*here)
            else:
                self.line(*before, *here)
            before, at = here, dot
        self._before, self._at = before, at

    def add(self, other: "Sheet") -> None:
        """All that is on another one of the same size."""
        cells = self._cells
        for at, bits in other._cells.items():
            cells[at] = cells.get(at, 0) | bits

    def cells(self, sign: str) -> Iterator[tuple[int, int, str]]:
        """Column, row and character; `sign` where a cell has one dot."""
        for at, bits in self._cells.items():
            row, column = divmod(at, self.columns)
            yield column, row, chr(0x2800 + bits) if self._fine else sign


def clip(
    start: tuple[float, float], end: tuple[float, float], corner: tuple[float, float]
) -> tuple[float, float, float, float] | None:
    """The part of a line between (0, 0) and `corner`; None: it has none (Liang and
    Barsky, ACM TOG 3(1), 1984)."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    if not math.isfinite(dx + dy + x0 + y0):
        return None
    low, high = 0.0, 1.0
    for step, room in (
        (-dx, x0), (dx, corner[0] - x0), (-dy, y0), (dy, corner[1] - y0)
    ):  # fmt: skip
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            low = max(low, room / step)
        else:
            high = min(high, room / step)
    if low > high:
        return None

    def within(value: float, most: float) -> float:
        return min(max(value, 0.0), most)

    return (
        within(x0 + low * dx, corner[0]),
        within(y0 + low * dy, corner[1]),
        within(x0 + high * dx, corner[0]),
        within(y0 + high * dy, corner[1]),
    )
