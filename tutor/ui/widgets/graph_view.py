"""GraphView: a drawing of `graph.draw`, coloured, moved so that the step is in sight."""

from collections.abc import Sequence

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tutor.graph.draw import Drawing, Line, Style
from tutor.safetext import safe
from tutor.ui import look

_STYLES: dict[Style, str] = {
    "": "",
    "leaf": look.CODE,
    "op": look.GOOD,
    "const": look.WARN,
    "now": f"{look.STRONG} {look.HERE}",
    "todo": look.QUIET,
    "wire": "",
    "back": look.BAD,
    "name": look.STRONG,
    "value": "",
    "grad": look.BAD,
}
"""What borders, arrows and texts say, once more in colour."""
_MARGIN = 2
"""Cells left of a drawing that leaves room."""


class GraphView(Widget):
    """Shows as much of a drawing as there is room for, the step's box included."""

    class Resized(Message):
        """There is other room for the drawing now."""

    DEFAULT_CSS = "GraphView { width: 1fr; height: 1fr; }"

    drawing: reactive[Drawing | None] = reactive[Drawing | None](None)
    """None: nothing yet."""
    pan: reactive[tuple[int, int]] = reactive((0, 0))
    """Columns and rows that the part in sight is moved by."""

    def watch_drawing(self) -> None:
        """Another drawing: the step is in sight again."""
        self.pan = 0, 0

    def on_resize(self, event: events.Resize) -> None:
        self.post_message(self.Resized())

    def render(self) -> RenderResult:
        """The part that is in sight."""
        drawing, (width, height) = self.drawing, self.size
        if drawing is None or not width or not height:
            return Content()
        left, top, right, bottom = drawing.focus
        across, down = self.pan
        first = part_start(left, right, drawing.width, width, across, drawing.columns)
        row = part_start(top, bottom, len(drawing.lines), height, down)
        margin = " " * min(_MARGIN, max(0, width - drawing.width))
        lines = [
            Content.assemble(margin, line_content(line, first, width - len(margin)))
            for line in drawing.lines[row : row + height]
        ]
        return Content("\n").join(lines)


def part_start(
    low: int,
    high: int,
    whole: int,
    room: int,
    moved: int = 0,
    edges: Sequence[int] = (),
) -> int:
    """Where the part begins that has low..high in it, `moved` from there.

    It moves by half its size, so that single steps do not shift the picture; and it
    depends on nothing but the step, so that going back shows what was there. It begins
    at one of the `edges` where it can, so that no box is cut.
    """
    if whole <= room:
        return 0
    stride = max(1, room // 2)
    wish = (low + high) // 2 - room // 2
    start = round(wish / stride) * stride
    if not start <= low <= high < start + room:
        start = min(low, wish)
    start = max(0, min(start, whole - room))
    start = _at_edge(start, low, high, whole, room, edges)
    # What was moved beyond the edge does not have to be moved back.
    return max(0, min(start + moved, whole - room)) if moved else start


def _at_edge(
    start: int, low: int, high: int, whole: int, room: int, edges: Sequence[int]
) -> int:
    """The edge to the left if low..high stays in sight, else the one to the right."""
    before = max((edge for edge in edges if edge <= start), default=start)
    after = min((edge for edge in edges if start <= edge <= low), default=start)
    at_end = start + room >= whole
    return before if high < before + room and not at_end else after


def line_content(line: Line, start: int, room: int) -> Content:
    """The cells from `start` of a line, coloured."""
    pieces: list[Content] = []
    column = 0
    for run in line:
        first, last = max(start - column, 0), start + room - column
        text = safe(run.text[first : max(last, 0)]).plain
        if text:
            pieces.append(Content.styled(text, _STYLES[run.style]))
        column += len(run.text)
    return Content.assemble(*pieces)
