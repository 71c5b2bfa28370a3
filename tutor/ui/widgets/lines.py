"""Lines: a widget that draws its lines for the width there is; wrapping is its own.
Column: lines in a room of fixed size; only those that have changed are painted.
"""

from collections.abc import Sequence
from itertools import zip_longest

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from tutor.ui.look import Look, look_of


def hanging(
    lead: Content | tuple[str, str], words: Content, width: int
) -> list[Content]:
    """`words` wrapped beside `lead`; further lines begin below the first word."""
    first_lead = Content.assemble(lead)
    blank = " " * first_lead.cell_length
    lines = words.wrap(max(8, width - len(blank))) or [Content()]
    leads = [first_lead, *[Content(blank)] * (len(lines) - 1)]
    return [
        Content.assemble(each, line) for each, line in zip(leads, lines, strict=True)
    ]


class Lines(Widget):
    """A subclass says in `draw` which lines there are."""

    DEFAULT_CSS = "Lines { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawn: tuple[int, Sequence[Content]] | None = None

    def draw(self, width: int, table: Look) -> Sequence[Content]:
        """The lines, for `width` cells."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Something that `draw` tells has changed."""
        self._drawn = None
        if self.is_mounted:
            self.refresh(layout=True)

    def lines(self, width: int) -> Sequence[Content]:
        """The lines for that width, drawn once."""
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, self.draw(width, look_of(self)))
        return self._drawn[1]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many as there are."""
        return len(self.lines(width))

    def render(self) -> RenderResult:
        """All of them."""
        return Content("\n").join(self.lines(self.size.width))


class Column(Widget):
    """Its lines may be others many times a second: nothing is laid out for that, and only
    those that are others are made anew."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown = Content()
        self._lines: Sequence[Content] = ()
        self._strips: dict[int, Strip] = {}

    def show(self, words: Content) -> None:
        """Show these lines, none longer than the room. What looks as before is not
        painted again."""
        before, self._lines = self._lines, words.split("\n", allow_blank=True)
        self._shown = words
        pairs = enumerate(zip_longest(before, self._lines, fillvalue=Content()))
        width = self.content_size.width
        changed = [y for y, (old, new) in pairs if not old.is_same(new)]
        for y in changed:
            self._strips.pop(y, None)
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def notify_style_update(self) -> None:
        """Another theme, other colours."""
        super().notify_style_update()
        self._strips.clear()

    def render(self) -> RenderResult:
        """All of them, to be selected with the mouse."""
        return self._shown

    def render_line(self, y: int) -> Strip:
        """One of them."""
        if self.text_selection is not None or y >= len(self._lines):
            return super().render_line(y)
        if y not in self._strips:
            width = self.content_size.width
            line = Visual.to_strips(self, self._lines[y], width, 1, self.visual_style)
            self._strips[y] = line[0].apply_offsets(0, y) if line else Strip([])
        return self._strips[y]
