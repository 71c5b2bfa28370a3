"""A laid-out picture at one place of the walk, as lines of styled text. Pure.

What was reached is told by borders, arrow heads and texts; the style names let a screen
repeat it in colour. One canvas serves both alphabets: box drawing and plain ASCII.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tutor.graph import names, numbers
from tutor.graph.alphabet import ASCII, BOXES, Alphabet, plain
from tutor.graph.layout import Placed, Point, Wire, layout
from tutor.graph.picture import Box, picture
from tutor.graph.steps import Scene, Step, Walk
from tutor.graph.trace import Summary

Style = Literal[
    "", "leaf", "op", "const", "now", "todo", "wire", "back", "name", "value", "grad"
]
Detail = Literal["full", "short"]

_ROOM = {"full": 16, "short": 8}
"""Characters of a tensor beside a wire."""
_DIGITS = {"full": 4, "short": 3}
_NAME_ROOM = 8
_PARTS_SHOWN = 2
"""Contributions written out beside a wire; of more, the last one."""
NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line in one style."""

    text: str
    style: Style


Line = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines of the same width, and where the step is."""

    lines: tuple[Line, ...]
    width: int
    focus: tuple[int, int, int, int]
    """Left, top, right, bottom of the box under way with its labels; zeros where there
    is none."""

    def text(self) -> str:
        """Without styles; no blanks at line ends."""
        found = ("".join(run.text for run in line).rstrip() for line in self.lines)
        return "\n".join(found)


class Sketch:
    """A scene laid out once, drawn at any place of it."""

    def __init__(
        self,
        walk: Walk,
        scene: Scene,
        detail: Detail = "full",
        changed: frozenset[int] = frozenset(),
    ) -> None:
        self._walk = walk
        self._scene = scene
        self._detail: Detail = detail
        self._changed = changed
        self._layout = layout(picture(walk.trace, scene), self._label_width)

    @property
    def width(self) -> int:
        return self._layout.width

    @property
    def height(self) -> int:
        return self._layout.height

    def draw(self, place: int, *, ascii: bool = False, mark: bool = True) -> Drawing:
        """The picture after `place` steps; `mark`: with the box under way marked."""
        alphabet = ASCII if ascii else BOXES
        canvas = _Canvas(alphabet)
        for wire in self._layout.wires:
            if self._is_there(wire.edge.op, None, place):
                self._draw_wire(canvas, wire, place)
        for (key, port), end in self._layout.stubs.items():
            self._draw_stub(canvas, key, port, end, place)
        canvas.settle()
        for placed in self._layout.boxes:
            if self._is_there(placed.box.op, placed.box.value, place):
                self._draw_box(canvas, placed, place, mark)
        focus = 0, 0, 0, 0
        for placed in self._layout.boxes:
            if self._is_now(placed.box, place):
                right = placed.right + 1 + self._label_width(placed.box)
                bottom = placed.top + placed.height - 1
                focus = placed.left, placed.top, right, bottom
        lines = canvas.lines(self._layout.width, self._layout.height)
        return Drawing(lines, self._layout.width, focus)

    # -- wires

    def _draw_wire(self, canvas: "_Canvas", wire: Wire, place: int) -> None:
        edge, number = wire.edge, self._scene.number
        sent = self._reached(
            self._walk.edge_place.get((number, edge.op, edge.position)), place
        )
        net = edge.source, edge.port
        style: Style = "back" if sent else "wire"
        if not self._reached(self._walk.value_place.get(edge.value), place):
            style = "todo"
        canvas.path(net, wire.points, style)
        start, end = wire.points[0], wire.points[-1]
        if sent:
            canvas.put(start, canvas.alphabet.left_head, "back", over=2)
            canvas.put(end, canvas.alphabet.wire_end, "back", over=2)
        else:
            canvas.put(end, canvas.alphabet.right_head, style, over=1)

    def _draw_stub(
        self, canvas: "_Canvas", key: str, port: int, end: int, place: int
    ) -> None:
        placed = next(each for each in self._layout.boxes if each.box.key == key)
        if not placed.box.outputs:
            return
        x, y = placed.exit(port)
        value = placed.box.outputs[port]
        known = self._reached(self._walk.value_place.get(value), place)
        if self._walk.builds and not known:
            return
        came = self._reached(
            self._walk.sum_place.get((self._scene.number, value)), place
        )
        style: Style = "back" if came else "wire" if known else "todo"
        canvas.path((key, port), [(x, y), (end, y)], style)
        head = canvas.alphabet.left_head if came else canvas.alphabet.right_head
        canvas.put((x if came else end, y), head, style, over=2)

    # -- boxes

    def _draw_box(
        self, canvas: "_Canvas", placed: Placed, place: int, mark: bool
    ) -> None:
        box = placed.box
        alphabet = canvas.alphabet
        known = all(
            self._reached(self._walk.value_place.get(value), place)
            for value in box.outputs
        ) and bool(box.outputs)
        style: Style = "leaf" if box.op is None else "op"
        border = alphabet.done
        if mark and self._is_now(box, place):
            border, style = alphabet.now, "now"
        elif not known:
            border, style = alphabet.todo, "todo"
        canvas.frame(placed, border, style)
        text = plain(box.text) if alphabet.is_ascii else box.text
        canvas.text((placed.left + 2, placed.middle), text, style)
        if placed.beside is not None and placed.beside_arrow is not None:
            beside = plain(box.beside) if alphabet.is_ascii else box.beside
            canvas.text(placed.beside, beside, "const")
            down = placed.beside[1] < placed.top
            head = alphabet.down_head if down else alphabet.up_head
            canvas.put(placed.beside_arrow, head, "const", over=3)
        for port, value in enumerate(box.outputs):
            self._draw_labels(canvas, placed, port, value, place)

    def _draw_labels(
        self, canvas: "_Canvas", placed: Placed, port: int, value: int, place: int
    ) -> None:
        x, y = placed.exit(port)
        step = self._walk.step(place)
        backward = step is not None and step.number > 0
        above, below = self._labels(placed.box, value, place, backward)
        for row, text, style in (
            (y - 1, above, "name" if not backward else "value"),
            (y + 1, below, "grad" if backward else "value"),
        ):
            text = plain(text) if canvas.alphabet.is_ascii else text
            canvas.text((x + 1, row), text, style)  # type: ignore[arg-type]

    def _labels(
        self, box: Box, value: int, place: int, backward: bool
    ) -> tuple[str, str]:
        """The texts over and under a wire, next to the box it comes from."""
        known = self._reached(self._walk.value_place.get(value), place)
        name = self._short_name(value) if box.op is not None else ""
        shown = self._value(value) if known else "" if self._walk.builds else "?"
        if self._walk.builds and not known:
            name = ""
        if not backward:
            return name, shown
        called = self._short_name(value)
        above = f"{called}={shown}" if called and self._detail == "full" else shown
        return above, self._gradient(value, called, place)

    def _gradient(self, value: int, called: str, place: int) -> str:
        """ "" before anything came, the sum at its step, else what came so far.

        A "+…" at its end promises that more is to come.
        """
        number = self._scene.number
        head = "∂" if self._detail == "short" or not called else ""
        if not head:
            root = self._scene.root
            of = self._short_name(root) if root is not None else ""
            head = f"∂{of}/∂{called}=" if of else "∂="
        if self._reached(self._walk.sum_place.get((number, value)), place):
            total = self._walk.gradients.get((number, value))
            return head + self._number(total) if total is not None else ""
        parts = self._walk.parts.get((number, value), ())
        came = [self._number(part.gradient) for part in parts if part.place <= place]
        if not came:
            return ""
        more = "+…" if len(came) < len(parts) else ""
        if len(came) > _PARTS_SHOWN:
            return f"{head}…+{came[-1]}{more}"
        return f"{head}{'+'.join(came)}{more}"

    def _label_width(self, box: Box) -> int:
        """Room for the longest label that the walk will show."""
        widths = [4]
        number = self._scene.number
        for value in box.outputs:
            end = len(self._walk.steps)
            parts = self._walk.parts.get((number, value), ())
            places = [end, *(part.place for part in parts)] if number else [end]
            for place in places:
                for backward in {False, number > 0}:
                    above, below = self._labels(box, value, place, backward)
                    widths += [len(above), len(below)]
        return max(widths)

    def _short_name(self, value: int) -> str:
        found = self._walk.trace.values[value]
        name = found.name
        if name is None and value == self._walk.trace.end.root:
            name = names.name(self._walk.trace, value)
        return name if name is not None and len(name) <= _NAME_ROOM else ""

    def _number(self, summary: Summary) -> str:
        return numbers.tensor(summary, _ROOM[self._detail], _DIGITS[self._detail])

    def _value(self, value: int) -> str:
        """Its number; a triangle before it says that it changed."""
        mark = "Δ" if value in self._changed else ""
        return mark + self._number(self._walk.trace.values[value].summary)

    def _is_there(self, op: int | None, value: int | None, place: int) -> bool:
        """Whether a walk that builds the graph up has come to it."""
        if not self._walk.builds:
            return True
        if op is not None:
            return self._reached(self._walk.node_place.get(op), place)
        return value is None or self._reached(self._walk.input_place.get(value), place)

    def _is_now(self, box: Box, place: int) -> bool:
        step = self._walk.step(place)
        return step is not None and _belongs(step, box, self._walk)

    @staticmethod
    def _reached(from_place: int | None, place: int) -> bool:
        return from_place is not None and place >= from_place


def _belongs(step: Step, box: Box, walk: Walk) -> bool:
    if box.op is not None:
        return step.op == box.op
    if step.kind not in ("leaf", "input") or step.value is None or box.value is None:
        return False
    values = walk.trace.values
    return values[step.value].tensor == values[box.value].tensor


class _Canvas:
    """Cells; wires are joined as masks of directions and drawn last."""

    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet
        self._cells: dict[Point, tuple[str, Style]] = {}
        self._masks: dict[Point, dict[tuple[str, int], tuple[int, Style]]] = {}
        self._heads: dict[Point, tuple[int, str, Style]] = {}

    def path(self, net: tuple[str, int], points: Sequence[Point], style: Style) -> None:
        """A wire through these corners; wires of one net join."""
        for start, end in itertools.pairwise(points):
            forth, back = _directions(start, end)
            cells = list(_between(start, end))
            for index, cell in enumerate(cells):
                mask = (forth if index < len(cells) - 1 else 0) | (back if index else 0)
                self._join(net, cell, mask or forth, style)

    def _join(self, net: tuple[str, int], cell: Point, mask: int, style: Style) -> None:
        nets = self._masks.setdefault(cell, {})
        before, old = nets.get(net, (0, style))
        rank = ("todo", "wire", "back").index
        nets[net] = before | mask, max(old, style, key=rank)

    def put(self, cell: Point, glyph: str, style: Style, over: int) -> None:
        """A single glyph; of several the one with the higher `over` stays."""
        if cell not in self._heads or over >= self._heads[cell][0]:
            self._heads[cell] = over, glyph, style

    def settle(self) -> None:
        """Turn masks into glyphs. Where two nets cross, the upright one is in front."""
        for cell, nets in self._masks.items():
            mask, style = next(iter(nets.values()))
            if len(nets) > 1:
                mask, style = next(
                    (each for each in nets.values() if each[0] & (NORTH | SOUTH)),
                    (mask, style),
                )
            self._cells[cell] = self.alphabet.wires[mask], style
        for cell, (_, glyph, style) in self._heads.items():
            self._cells[cell] = glyph, style
        self._heads.clear()

    def frame(self, placed: Placed, border: str, style: Style) -> None:
        """A box; `border` is its six glyphs: corners, level, upright."""
        top_left, top_right, low_left, low_right, level, upright = tuple(border)
        right, bottom = placed.right, placed.top + placed.height - 1
        for x in range(placed.left, right + 1):
            for y in range(placed.top, bottom + 1):
                self._cells[x, y] = " ", style
        for x in range(placed.left + 1, right):
            self._cells[x, placed.top] = self._cells[x, bottom] = level, style
        for y in range(placed.top + 1, bottom):
            self._cells[placed.left, y] = self._cells[right, y] = upright, style
        self._cells[placed.left, placed.top] = top_left, style
        self._cells[right, placed.top] = top_right, style
        self._cells[placed.left, bottom] = low_left, style
        self._cells[right, bottom] = low_right, style

    def text(self, start: Point, text: str, style: Style) -> None:
        """Characters from a cell to the right."""
        for offset, character in enumerate(text):
            self._cells[start[0] + offset, start[1]] = character, style

    def lines(self, width: int, height: int) -> tuple[Line, ...]:
        """All cells, runs of one style together."""
        for cell, (_, glyph, style) in self._heads.items():
            self._cells[cell] = glyph, style
        return tuple(
            _runs([self._cells.get((x, y), (" ", "")) for x in range(width)])
            for y in range(height)
        )


def _runs(cells: Iterable[tuple[str, Style]]) -> Line:
    runs: list[Run] = []
    for character, style in cells:
        if runs and runs[-1].style == style:
            runs[-1] = Run(runs[-1].text + character, style)
        else:
            runs.append(Run(character, style))
    return tuple(runs)


def _directions(start: Point, end: Point) -> tuple[int, int]:
    if start[1] == end[1]:
        return (EAST, WEST) if end[0] >= start[0] else (WEST, EAST)
    return (SOUTH, NORTH) if end[1] > start[1] else (NORTH, SOUTH)


def _between(start: Point, end: Point) -> Iterable[Point]:
    if start[1] == end[1]:
        step = 1 if end[0] >= start[0] else -1
        return [(x, start[1]) for x in range(start[0], end[0] + step, step)]
    step = 1 if end[1] > start[1] else -1
    return [(start[0], y) for y in range(start[1], end[1] + step, step)]
