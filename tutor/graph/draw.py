"""A laid-out picture at one place of the walk, as lines of styled text. Pure.

What was reached is told by borders, arrow heads and texts; the style names let a screen
repeat it in colour. What is under way is doubled: a box's border, an edge that sends.
"""

from dataclasses import dataclass

from tutor.graph.alphabet import ASCII, BOXES, plain
from tutor.graph.canvas import Canvas, Way, way
from tutor.graph.canvas import Line as Line
from tutor.graph.canvas import Run as Run
from tutor.graph.canvas import Style as Style
from tutor.graph.labels import Detail as Detail
from tutor.graph.labels import Story, Values
from tutor.graph.layout import Placed, Wire, layout
from tutor.graph.picture import Picture, picture
from tutor.graph.steps import Scene, Walk

_SHORT = 3
"""Cells of a wire that leads nowhere yet."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines of the same width, and where the step is."""

    lines: tuple[Line, ...]
    width: int
    focus: tuple[int, int, int, int]
    """Left, top, right, bottom of the box under way with its labels; zeros where there
    is none."""
    columns: tuple[int, ...] = ()
    """Where a part of it may begin so that no box is cut: left of the boxes and their
    arrow heads."""

    def text(self) -> str:
        """Without styles; no blanks at line ends."""
        found = ("".join(run.text for run in line).rstrip() for line in self.lines)
        return "\n".join(found)


class Sketch:
    """A picture laid out once, drawn at any place of its scene."""

    def __init__(
        self,
        walk: Walk,
        scene: Scene,
        detail: Detail = "full",
        changed: frozenset[int] = frozenset(),
        *,
        whole: Picture | None = None,
        story: Story | None = None,
    ) -> None:
        """`whole` and `story`: another picture than that of the scene's ops."""
        self._story: Story = story or Values(walk, scene, detail, changed)
        shown = whole or picture(walk.trace, scene)
        self._rooms = {box.key: self._story.room(box) for box in shown.boxes}
        self._layout = layout(shown, lambda box: self._rooms[box.key])
        self._ways = [way(wire.points) for wire in self._layout.wires]
        self._placed = {each.box.key: each for each in self._layout.boxes}

    @property
    def width(self) -> int:
        return self._layout.width

    @property
    def height(self) -> int:
        return self._layout.height

    def draw(self, place: int, *, ascii: bool = False, mark: bool = True) -> Drawing:
        """The picture after `place` steps; `mark`: with what is under way marked."""
        canvas = Canvas(ASCII if ascii else BOXES)
        for wire, cells in zip(self._layout.wires, self._ways, strict=True):
            self._draw_wire(canvas, wire, cells, place, mark)
        for (key, port), end in self._layout.stubs.items():
            self._draw_stub(canvas, key, port, end, place)
        for key, port in self._unread(place):
            end = self._placed[key].exit(port)[0] + max(self._rooms[key], _SHORT)
            self._draw_stub(canvas, key, port, end, place)
        canvas.settle()
        focus = 0, 0, 0, 0
        for placed in self._layout.boxes:
            if self._draw_box(canvas, placed, place, mark):
                right = placed.right + 1 + self._rooms[placed.box.key]
                bottom = placed.top + placed.height - 1
                focus = placed.left, placed.top, right, bottom
        lines = canvas.lines(self._layout.width, self._layout.height)
        width, columns = self._layout.width, self._layout.columns
        return Drawing(lines, width, focus, columns)

    def _unread(self, place: int) -> set[tuple[str, int]]:
        """Outputs of ops whose readers are not there yet, where the graph is built up."""
        unread, read = set(), set()
        for wire in self._layout.wires:
            edge = wire.edge
            there = self._story.wire(edge, place) is not None
            if there:
                read.add((edge.source, edge.port))
            elif self._placed[edge.source].box.value is None:
                unread.add((edge.source, edge.port))
        return unread - read

    def _draw_wire(
        self, canvas: Canvas, wire: Wire, cells: Way, place: int, mark: bool
    ) -> None:
        style = self._story.wire(wire.edge, place)
        if style is None:
            return
        if style == "now" and not mark:
            style = "back"
        alphabet = canvas.alphabet
        canvas.path((wire.edge.source, wire.edge.port), cells, style)
        start, end = wire.points[0], wire.points[-1]
        if style in ("back", "now"):
            canvas.put(start, alphabet.left_head, style, over=2)
            tail = alphabet.wire_end if style == "back" else alphabet.marked_wire_end
            canvas.put(end, tail, style, over=2)
        else:
            canvas.put(end, alphabet.right_head, style, over=1)

    def _draw_stub(
        self, canvas: Canvas, key: str, port: int, end: int, place: int
    ) -> None:
        placed = self._placed[key]
        if not placed.box.outputs:
            return
        style = self._story.end(placed.box, port, place)
        if style is None:
            return
        x, y = placed.exit(port)
        canvas.path((key, port), way([(x, y), (end, y)]), style)
        came = style in ("back", "now")
        head = canvas.alphabet.left_head if came else canvas.alphabet.right_head
        canvas.put((x if came else end, y), head, style, over=2)

    def _draw_box(self, canvas: Canvas, placed: Placed, place: int, mark: bool) -> bool:
        """Whether it is under way."""
        box, alphabet = placed.box, canvas.alphabet
        state = self._story.state(box, place)
        if state == "absent":
            return False
        shown = "done" if state == "now" and not mark else state
        style: Style = "leaf" if box.value is not None else "op"
        if shown == "now" or shown == "todo":
            style = shown
        if box.shape == "box":
            canvas.frame(placed, alphabet.borders[shown], style)
        elif box.shape == "row":
            canvas.brackets(placed, alphabet.brackets[shown], style)
        text = plain(box.text) if alphabet.is_ascii else box.text
        inside = {"box": 2, "row": 1, "bare": 0}[box.shape]
        if box.shape == "bare":
            style = "todo"
        canvas.text((placed.left + inside, placed.middle), text, style)
        if placed.beside is not None and placed.beside_arrow is not None:
            beside = plain(box.beside) if alphabet.is_ascii else box.beside
            canvas.text(placed.beside, beside, "const")
            arrow = self._story.beside(box, place)
            if arrow == "now" and not mark:
                arrow = "back"
            down = (placed.beside[1] < placed.top) == (arrow == "const")
            head = alphabet.down_head if down else alphabet.up_head
            canvas.put(placed.beside_arrow, head, arrow, over=3)
        for port in range(box.exits):
            self._draw_labels(canvas, placed, port, place)
        return state == "now"

    def _draw_labels(
        self, canvas: Canvas, placed: Placed, port: int, place: int
    ) -> None:
        told = self._story.told(placed.box, port, place)
        x, y = placed.exit(port)
        for row, text, style in (
            (y - 1, told.above, told.above_style),
            (y + 1, told.below, told.below_style),
        ):
            text = plain(text) if canvas.alphabet.is_ascii else text
            canvas.text((x + 1, row), text, style)
