"""The canvas a picture is drawn on: cells, wires joined as masks, lines of styled text. Pure.

One canvas serves both alphabets: box drawing and plain ASCII.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tutor.graph.alphabet import Alphabet
from tutor.graph.layout import Placed, Point

Style = Literal[
    "", "leaf", "op", "const", "now", "todo", "wire", "back", "name", "value", "grad"
]
NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8

_RANK: dict[Style, int] = {"todo": 0, "wire": 1, "back": 2, "now": 3}
"""Where wires of one value join, the one furthest on is seen."""

Net = tuple[str, int]
Way = list[tuple[Point, int]]
"""The cells of a wire, each with the directions it leads to from there."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line in one style."""

    text: str
    style: Style


Line = tuple[Run, ...]


class Canvas:
    """Cells; wires are joined as masks of directions and drawn last."""

    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet
        self._cells: dict[Point, tuple[str, Style]] = {}
        self._masks: dict[Point, dict[Net, tuple[int, Style]]] = {}
        self._heads: dict[Point, tuple[int, str, Style]] = {}

    def path(self, net: Net, way: Way, style: Style) -> None:
        """A wire; wires of one net join."""
        rank = _RANK[style]
        masks = self._masks
        for cell, mask in way:
            nets = masks.get(cell)
            if nets is None:
                masks[cell] = {net: (mask, style)}
                continue
            before, old = nets.get(net, (0, style))
            nets[net] = before | mask, style if rank >= _RANK[old] else old

    def put(self, cell: Point, glyph: str, style: Style, over: int) -> None:
        """A single glyph; of several the one with the higher `over` stays."""
        if cell not in self._heads or over >= self._heads[cell][0]:
            self._heads[cell] = over, glyph, style

    def settle(self) -> None:
        """Turn masks into glyphs. Where two nets cross, the upright one is in front."""
        wires, marked = self.alphabet.wires, self.alphabet.marked_wires
        for cell, nets in self._masks.items():
            mask, style = next(iter(nets.values()))
            if len(nets) > 1:
                mask, style = next(
                    (each for each in nets.values() if each[0] & (NORTH | SOUTH)),
                    (mask, style),
                )
            glyphs = marked if style == "now" else wires
            self._cells[cell] = glyphs[mask], style
        self._put_heads()

    def _put_heads(self) -> None:
        for cell, (_, glyph, style) in self._heads.items():
            self._cells[cell] = glyph, style
        self._heads.clear()

    def frame(self, placed: Placed, border: str, style: Style) -> None:
        """A box; `border` is its six glyphs: corners, level, upright."""
        top_left, top_right, low_left, low_right, level, upright = tuple(border)
        left, right = placed.left, placed.right
        top, bottom = placed.top, placed.top + placed.height - 1
        cells = self._cells
        for x in range(left + 1, right):
            cells[x, top] = cells[x, bottom] = level, style
            for y in range(top + 1, bottom):
                cells[x, y] = " ", style
        for y in range(top + 1, bottom):
            cells[left, y] = cells[right, y] = upright, style
        cells[left, top], cells[right, top] = (top_left, style), (top_right, style)
        cells[left, bottom], cells[right, bottom] = (
            (low_left, style),
            (low_right, style),
        )

    def brackets(self, placed: Placed, border: str, style: Style) -> None:
        """A box without top and bottom; `border` is its left and its right glyph."""
        for y in range(placed.top, placed.top + placed.height):
            for x in range(placed.left, placed.right + 1):
                self._cells[x, y] = " ", style
            self._cells[placed.left, y] = border[0], style
            self._cells[placed.right, y] = border[1], style

    def text(self, start: Point, text: str, style: Style) -> None:
        """Characters from a cell to the right."""
        x, y = start
        for offset, character in enumerate(text):
            self._cells[x + offset, y] = character, style

    def lines(self, width: int, height: int) -> tuple[Line, ...]:
        """All cells, runs of one style together."""
        self._put_heads()
        rows: list[list[int]] = [[] for _ in range(height)]
        for x, y in self._cells:
            if 0 <= x < width and 0 <= y < height:
                rows[y].append(x)
        return tuple(self._line(y, sorted(row), width) for y, row in enumerate(rows))

    def _line(self, y: int, columns: Sequence[int], width: int) -> Line:
        runs: list[Run] = []
        text, end = "", 0
        style: Style = ""
        for x in columns:
            glyph, own = self._cells[x, y]
            if x > end:
                if style and text:
                    runs.append(Run(text, style))
                    text = ""
                text, style = text + " " * (x - end), ""
            if own != style:
                if text:
                    runs.append(Run(text, style))
                text, style = "", own
            text += glyph
            end = x + 1
        if style and text and end < width:
            runs.append(Run(text, style))
            text, style = "", ""
        text += " " * (width - end)
        return (*runs, Run(text, style)) if text else tuple(runs)


def way(points: Sequence[Point]) -> Way:
    """Through these corners."""
    found: Way = []
    for start, end in itertools.pairwise(points):
        forth, back = _directions(start, end)
        cells = between(start, end)
        last = len(cells) - 1
        for index, cell in enumerate(cells):
            mask = (forth if index < last else 0) | (back if index else 0)
            found.append((cell, mask or forth))
    return found


def _directions(start: Point, end: Point) -> tuple[int, int]:
    if start[1] == end[1]:
        return (EAST, WEST) if end[0] >= start[0] else (WEST, EAST)
    return (SOUTH, NORTH) if end[1] > start[1] else (NORTH, SOUTH)


def between(start: Point, end: Point) -> list[Point]:
    """The cells from one to the other, both with them; they share a row or column."""
    if start[1] == end[1]:
        step = 1 if end[0] >= start[0] else -1
        return [(x, start[1]) for x in range(start[0], end[0] + step, step)]
    step = 1 if end[1] > start[1] else -1
    return [(start[0], y) for y in range(start[1], end[1] + step, step)]
