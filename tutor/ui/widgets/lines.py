"""Lines: a widget that draws its lines for the width there is; wrapping is its own.
Column: lines in a room of fixed size; only those that have changed are painted.
"""

from collections.abc import Sequence
from itertools import zip_longest

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Region, Size
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
    """Its lines may be others many times a second: nothing is laid out for that."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown = Content()
        self._lines: Sequence[Content] = ()

    def show(self, words: Content) -> None:
        """Show these lines, none longer than the room. What looks as before is not
        painted again."""
        before, self._lines = self._lines, words.split("\n", allow_blank=True)
        self._shown = words
        pairs = enumerate(zip_longest(before, self._lines, fillvalue=Content()))
        width = self.content_size.width
        changed = [
            Region(0, y, width, 1) for y, (old, new) in pairs if not old.is_same(new)
        ]
        if changed:
            self.refresh(*changed)

    def render(self) -> RenderResult:
        """All of them."""
        return self._shown
