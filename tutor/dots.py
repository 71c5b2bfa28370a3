"""Curves as dots in a grid of cells: the part of a plot that changes. Pure.

Each column of dots is filled from the curve's lowest to its highest at once, which for
noisy curves is many times faster than plotext's drawing of every dot.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BRAILLE = 0x2800
_COLUMNS = (0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)
"""Bits of a braille cell's two columns, lowest dot first (Unicode 15, 2800-28FF)."""
_MASKS = tuple(
    [
        [sum(column[low : high + 1]) for high in range(4)]  # [low][high]
        for low in range(4)
    ]
    for column in _COLUMNS
)

_Spans = dict[int, tuple[int, int]]
"""The lowest and highest dot of a curve, by column of dots."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A size in cells, and how finely they are drawn in."""

    columns: int
    rows: int
    braille: bool
    """True: 2 x 4 dots in a cell; False: one."""


def cells(
    grid: Grid, xs: Sequence[float], ys: Sequence[float], letter: str
) -> Iterator[tuple[int, int, str]]:
    """Column, row (from the bottom) and character of each cell that the curve touches.

    xs and ys are shares, 0 to 1 inside the grid, with xs ascending; what lies outside
    is left out. The letter is drawn where the grid has one dot a cell.
    """
    if grid.braille:
        yield from _braille(grid, _spans(xs, ys, 2 * grid.columns, 4 * grid.rows))
        return
    for column, (low, high) in _spans(xs, ys, grid.columns, grid.rows).items():
        for row in range(low, high + 1):
            yield column, row, letter


def dot(share: float, count: int) -> int:
    """Which of `count` dots in a row a share belongs to; it may be outside of them."""
    return round(share * (count - 1))


def _spans(xs: Sequence[float], ys: Sequence[float], across: int, up: int) -> _Spans:
    spans: _Spans = {}
    before: tuple[int, int] | None = None
    for x_share, y_share in zip(xs, ys, strict=True):
        here = dot(x_share, across), dot(y_share, up)
        _join(spans, here if before is None else before, here)
        before = here
    return {
        x: (max(low, 0), min(high, up - 1))
        for x, (low, high) in spans.items()
        if 0 <= x < across
    }


def _join(spans: _Spans, one: tuple[int, int], other: tuple[int, int]) -> None:
    """A line from a point to one in the same or a later column: each column's part ends
    where the next one's begins."""
    (x0, y0), (x1, y1) = one, other
    up = (y1 > y0) - (y1 < y0)
    edge = y0
    for x in range(x0, x1 + 1):
        after = y1
        if x < x1 and up:
            leaves = y0 + (y1 - y0) * (x + 0.5 - x0) / (x1 - x0)
            after = up * math.ceil(up * leaves - 0.5)
        low, high = (edge, after) if edge < after else (after, edge)
        if x in spans:
            known_low, known_high = spans[x]
            low, high = min(low, known_low), max(high, known_high)
        spans[x] = (low, high)
        edge = y1 if after == y1 else after + up


def _braille(grid: Grid, spans: _Spans) -> Iterator[tuple[int, int, str]]:
    bits = [[0] * grid.rows for _ in range(grid.columns)]
    for x, (low, high) in spans.items():
        column, masks = bits[x // 2], _MASKS[x % 2]
        for row in range(low // 4, high // 4 + 1):
            column[row] |= masks[max(low - 4 * row, 0)][min(high - 4 * row, 3)]
    for number, column in enumerate(bits):
        for row, mask in enumerate(column):
            if mask:
                yield number, row, chr(_BRAILLE + mask)
