"""CellView: what all cells of a lesson look like; what is in them is the subclass's.

A cell is open (where the learner is) or folded to one line. The body is built when it
is first opened. The current cell is marked by a bar at its left and its number.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult, RenderResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tutor.lesson.schema import AnyCell, Cell
from tutor.progress import CellProgress
from tutor.ui import look
from tutor.ui.cell_words import standing, title_of
from tutor.ui.look import Glyph, look_of
from tutor.ui.widgets.prose import Prose, gutter, is_narrow

AnyOne = TypeVar("AnyOne", bound=Cell)

_STYLES = {
    Glyph.RIGHT: look.GOOD,
    Glyph.SKIPPED: look.QUIET,
    Glyph.TODO: look.QUIET,
}


class CellHead(Widget):
    """One line: number, title, and at the right how the cell stands."""

    DEFAULT_CSS = "CellHead { height: 1; }"

    def __init__(self, number: int, cell: AnyCell, progress: CellProgress) -> None:
        super().__init__()
        self._number = number
        self._cell = cell
        self._progress = progress

    def render(self) -> RenderResult:
        """The title gives way to the standing."""
        table = look_of(self)
        now = standing(self._cell, self._progress)
        here = isinstance(self.parent, CellView) and self.parent.here
        left = gutter(self._number, here=here, narrow=is_narrow(self))
        right = Content.assemble(
            (table[now.glyph], _STYLES[now.glyph]),
            (f" {table.text(now.words)}" if now.words else "", look.QUIET),
        )
        quiet = "" if self._progress.done else look.QUIET
        title = Content.styled(
            table.text(title_of(self._cell)), look.STRONG if here else quiet
        )
        width = self.size.width - left.cell_length
        room = max(0, width - right.cell_length - 2)
        if title.cell_length > room:
            title = Content.assemble(
                title.truncate(max(0, room - 1)).rstrip(), table[Glyph.ELLIPSIS]
            )
        gap = max(1, width - title.cell_length - right.cell_length)
        return Content.assemble(left, title, " " * gap, right)


class CellView(Vertical, Generic[AnyOne]):
    """One cell of the lesson."""

    STAYS_OPEN: ClassVar[bool] = False
    """True: once it was read it is not folded."""

    DEFAULT_CSS = """
    CellView {
        height: auto;
        border-left: blank $foreground;
        padding-right: 1;
        & .body { height: auto; display: none; padding-left: 6; }
        & .body > Prose { margin-bottom: 1; }
        & .body > Prose:last-child { margin-bottom: 0; }
        & > Prose { display: none; margin-bottom: 1; }
        & > Prose:last-child { margin-bottom: 0; }
        &.-open { margin: 1 0; }
        &.-open .body, &.-open > Prose { display: block; }
        &.-open.-headless CellHead { display: none; }
        &.-here { border-left: outer $accent; }
    }
    """

    here: reactive[bool] = reactive(False, init=False)
    """The learner is at this cell."""

    @dataclass
    class Grown(Message):
        """What is shown got longer: keep it in view."""

        view: "CellView[Any]"

    def __init__(self, number: int, cell: AnyOne, progress: CellProgress) -> None:
        super().__init__()
        self.number = number
        self.cell = cell
        self.progress = progress
        self._filled = False

    def compose(self) -> ComposeResult:
        """The head; the body comes when it is opened."""
        yield CellHead(self.number, self._any, self.progress)

    @property
    def _any(self) -> AnyCell:
        return self.cell  # type: ignore[return-value]  # every Cell is one of them

    def body(self) -> Iterable[Widget]:
        """The widgets of the open cell, built once."""
        yield from self.words()

    def words(self) -> Iterable[Widget]:
        """The cell's own text and formulas, if it has any."""
        if self.cell.text or self.cell.math:
            yield Prose(self.cell.text, self.cell.math)

    async def on_mount(self) -> None:
        """Open or folded, as it stands."""
        self.show_standing()
        if self.is_open:
            await self.fill()

    async def fill(self) -> None:
        """Build the body, once; whoever opens the cell awaits it."""
        if self._filled:
            return
        self._filled = True
        first, *rest = self.body()
        if self.cell.title or not isinstance(first, Prose):
            await self.mount(Vertical(first, *rest, classes="body"))
            return
        self.add_class("-headless")
        first.number, first.here = self.number, self.here
        body = [Vertical(*rest, classes="body")] if rest else []
        await self.mount(first, *body)

    @property
    def is_open(self) -> bool:
        """The body is shown."""
        return self.here or (self.STAYS_OPEN and self.progress.done)

    def watch_here(self) -> None:
        """Open or fold."""
        self.show_standing()

    def show_standing(self) -> None:
        """Draw the head anew, after something was recorded of the cell."""
        self.set_class(self.here, "-here")
        self.set_class(self.is_open, "-open")
        self.set_class(self.progress.done, "-done")
        self.query_one(CellHead).refresh()
        for prose in self.query_children(Prose):
            prose.here = self.here

    # --------------------------------------------------- what a screen may ask of it

    def begin_edit(self) -> bool:
        """Put the cursor where something is typed or picked; False: nothing is."""
        return False

    def unsaved(self) -> str | None:
        """What is typed and not given yet; None: nothing."""
        return None


class TextCellView(CellView[Cell]):
    """Something to read; it stays open when it was read."""

    STAYS_OPEN = True
