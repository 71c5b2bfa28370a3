"""CompletionList: the names that Tab offers, over the screen beside the cursor.

It never takes the focus and never covers the line being typed; the editor moves it.
"""

from rich.segment import Segment
from textual.geometry import Offset, Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tutor.editing import Offer
from tutor.ui.look import Glyph, look_of
from tutor.ui.widgets.cells import fitted

ROWS = 8
_WIDEST = 40


def placed(cursor: Offset, typed: int, size: Size, screen: Size) -> Region:
    """Where a list of `size` goes: under the cursor's line, or else above it.

    `typed` is how many cells before the cursor the names begin. The list gets lower
    where neither side has the room.
    """
    below, above = screen.height - cursor.y - 1, cursor.y
    width = min(size.width, screen.width)
    x = max(0, min(cursor.x - typed - 1, screen.width - width))
    if below >= min(size.height, above):
        return Region(x, cursor.y + 1, width, min(size.height, below))
    height = min(size.height, above)
    return Region(x, cursor.y - height, width, height)


class CompletionList(Widget, can_focus=False):
    """Shows an `Offer`; `chosen` is marked."""

    COMPONENT_CLASSES = {"completion-list--chosen"}
    DEFAULT_CSS = """
    CompletionList {
        layer: completions;
        overlay: screen;
        position: absolute;
        display: none;
        & .completion-list--chosen { text-style: reverse; }
    }
    """

    chosen: reactive[int] = reactive(0)
    """Which match is marked, from 0."""

    def __init__(self) -> None:
        super().__init__()
        self.offer = Offer(0, ())

    @property
    def match(self) -> str:
        """The marked match."""
        return self.offer.matches[self.chosen]

    def validate_chosen(self, chosen: int) -> int:
        return max(0, min(chosen, len(self.offer.matches) - 1))

    def show(self, offer: Offer, cursor: Offset, typed: str) -> None:
        """Show the offer beside the cursor; `typed` is the code from `offer.start`."""
        again = self.display and self.chosen and self.match in offer.matches
        kept = offer.matches.index(self.match) if again else 0
        self.offer = offer
        self.set_reactive(CompletionList.chosen, kept)
        names = [match[offer.shown_from :] for match in offer.matches]
        width = min(_WIDEST, max(map(len, names), default=0) + 2)
        size = Size(width, min(ROWS, len(names)))
        typed_cells = max(0, len(typed) - offer.shown_from)
        region = placed(cursor, typed_cells, size, self._room())
        self.absolute_offset = region.offset
        self.styles.width, self.styles.height = region.size
        self.display = bool(region.height)
        self.refresh(layout=True)

    def _room(self) -> Size:
        """The screen down to where the frame's keys begin: they must stay readable."""
        content = self.screen.query("FrameScreen #content")
        bottom = content.first().region.bottom if content else self.screen.size.height
        return Size(self.screen.size.width, bottom)

    def hide(self) -> None:
        """Offer nothing."""
        self.display = False

    def render_line(self, y: int) -> Strip:
        height, width = self.size.height, self.size.width
        count = len(self.offer.matches)
        top = max(0, min(self.chosen - height + 1, count - height))
        index = top + y
        if not 0 <= index < count:
            return Strip.blank(width, self.rich_style)
        look = look_of(self)
        chosen = index == self.chosen
        name = self.offer.matches[index][self.offer.shown_from :]
        style = self.rich_style
        if chosen:
            style = self.get_component_rich_style("completion-list--chosen")
        more = Glyph.COLUMN
        if y == 0 and top > 0:
            more = Glyph.UP_ARROW
        elif y == height - 1 and index < count - 1:
            more = Glyph.DOWN_ARROW
        left = look[Glyph.GO if chosen else Glyph.COLUMN]
        shown = fitted(name, width - 2, look[Glyph.ELLIPSIS])
        return Strip(
            [
                Segment(left, self.rich_style),
                Segment(shown, style),
                Segment(look[more], self.rich_style),
            ]
        )
