"""MinimapLine: the whole walk on one row, as `graph.minimap` tells it."""

from collections.abc import Sequence

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor.graph.minimap import minimap
from tutor.graph.steps import Walk
from tutor.ui.look import look_of
from tutor.ui.widgets.graph_view import line_content


class MinimapLine(Widget):
    """Position, magnitudes of gradients and marks."""

    DEFAULT_CSS = "MinimapLine { height: 1; padding: 0 1; }"

    walk: reactive[Walk | None] = reactive[Walk | None](None)
    """None: nothing yet."""
    place: reactive[int] = reactive(0)
    marks: reactive[Sequence[int]] = reactive[Sequence[int]](())
    """Places that are marked: breakpoints."""

    def render(self) -> RenderResult:
        """One row, or nothing."""
        if self.walk is None:
            return Content()
        width = self.size.width
        drawn = minimap(
            self.walk, self.place, width, marks=self.marks, ascii=look_of(self).ascii
        )
        return Content("\n").join(line_content(line, 0, width) for line in drawn)
