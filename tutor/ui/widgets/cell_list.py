"""CellList: the views of a lesson's cells on one scroll, one of them current.

It keeps what matters in view: a cell that was gone to, and the end of one that grows.
What is done in a cell is the screen's.
"""

from collections.abc import Callable
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from tutor.lesson.schema import (
    AnyCell,
    CodeCell,
    ExerciseCell,
    GraphCell,
    QuestionCell,
    TextCell,
    TrainCell,
)
from tutor.progress import CellProgress
from tutor.ui.widgets.cell_view import CellView, TextCellView
from tutor.ui.widgets.code_cell_view import CodeCellView
from tutor.ui.widgets.completer import Complete
from tutor.ui.widgets.question_view import QuestionView
from tutor.ui.widgets.visit_view import VisitView


def view_of(
    number: int, cell: AnyCell, progress: CellProgress, complete: Complete
) -> CellView[Any]:
    """The view for a kind of cell."""
    match cell:
        case TextCell():
            return TextCellView(number, cell, progress)
        case QuestionCell():
            return QuestionView(number, cell, progress)
        case GraphCell() | TrainCell():
            return VisitView(number, cell, progress)
        case CodeCell() | ExerciseCell():
            return CodeCellView(number, cell, progress, complete)


class CellList(VerticalScroll, can_focus=False):
    """All cells in order."""

    DEFAULT_CSS = """
    CellList { width: 1fr; height: 1fr; scrollbar-size-vertical: 1; }
    """

    def __init__(
        self,
        cells: list[AnyCell],
        progress_of: Callable[[AnyCell], CellProgress],
        complete: Complete,
        here: int = 0,
    ) -> None:
        super().__init__()
        self.views: list[CellView[Any]] = [
            view_of(number, cell, progress_of(cell), complete)
            for number, cell in enumerate(cells, start=1)
        ]
        """In order; they are mounted with the list."""
        self.here = here
        """The current cell's place, from 0; `go_to` changes it."""
        self.view.set_reactive(CellView.here, True)

    def compose(self) -> ComposeResult:
        """Every view."""
        yield from self.views

    def on_mount(self) -> None:
        """See the place the lesson was left at."""
        self.call_after_refresh(self.bring_into_view)

    @property
    def view(self) -> CellView[Any]:
        """The current cell's."""
        return self.views[self.here]

    async def go_to(self, here: int) -> None:
        """Fold the current cell and open that one, or the last or the first."""
        self.view.here = False
        self.here = max(0, min(here, len(self.views) - 1))
        self.view.here = True
        await self.view.fill()
        self.call_after_refresh(self.bring_into_view)

    # --------------------------------------------------------------------- in view

    def bring_into_view(self) -> None:
        """The whole cell if it fits, with some of what comes before; else its top."""
        region, room = self.view.virtual_region, self.size.height
        top = self.scroll_offset.y
        if top <= region.y and region.bottom <= top + room:
            return
        above = max(1, (room - region.height) // 3)
        self.scroll_to(y=max(0, region.y - above), animate=False, force=True)

    @on(CellView.Grown)
    def _follow_growth(self, event: CellView.Grown) -> None:
        event.stop()
        if event.view is self.view:
            self.call_after_refresh(self._keep_end_in_view)

    def _keep_end_in_view(self) -> None:
        """Outputs and verdicts appear at the end: that is what is looked for."""
        end = self.view.virtual_region.bottom - self.size.height
        if end > self.scroll_offset.y:
            self.scroll_to(y=end, animate=False, force=True)

    def read_further(self) -> bool:
        """Show more of the current cell; False: its end is in view."""
        bottom = self.view.virtual_region.bottom
        if bottom <= self.scroll_offset.y + self.size.height:
            return False
        self.scroll_page_down(animate=False)
        return True
