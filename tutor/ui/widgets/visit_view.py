"""VisitView: a cell that is done on another screen: a walk, or a race."""

from collections.abc import Iterable

from textual.content import Content
from textual.widget import Widget

from tutor.lesson.schema import GraphCell, TrainCell
from tutor.safetext import safe_line
from tutor.ui import look
from tutor.ui.look import Glyph, Look, look_of
from tutor.ui.widgets.cell_view import CellView
from tutor.ui.widgets.lines import Lines
from tutor.ui.widgets.prose import Prose, code_content

_SETTINGS = ("lr", "batch", "iterations", "optimiser", "seed")


class _Preview(Lines):
    """What waits there, in a few lines."""

    DEFAULT_CSS = "_Preview { padding: 0 0 1 1; }"

    def __init__(self, cell: GraphCell | TrainCell) -> None:
        super().__init__()
        self._cell = cell

    def draw(self, width: int, table: Look) -> list[Content]:
        if isinstance(self._cell, GraphCell):
            return self._walk(self._cell, table)
        return self._race(self._cell, table)

    def _walk(self, cell: GraphCell, table: Look) -> list[Content]:
        lines = code_content(cell.code.strip("\n"), table).split("\n")
        if cell.at:
            values = ", ".join(f"{name} = {value}" for name, value in cell.at.items())
            lines = [*lines, Content.styled(f"at {values}", look.QUIET)]
        if cell.predict:
            every = cell.predict == ["all"]
            asked = "every number" if every else ", ".join(cell.predict)
            said = table.text(safe_line(f"you predict {asked}"))
            lines = [*lines, Content.styled(said, look.QUIET)]
        return list(lines)

    def _race(self, cell: TrainCell, table: Look) -> list[Content]:
        names = [run.name for run in cell.runs] or ["gd", "minibatch", "sgd"]
        if cell.model is not None and not cell.runs:
            names = [cell.model]
        given = [(name, getattr(cell, name)) for name in _SETTINGS]
        told = [f"{name} {value}" for name, value in given if value is not None]
        parts = f" {table[Glyph.DOT]} ".join([", ".join(names), *told])
        line = table.text(safe_line(parts))
        return [Content.styled(line, look.QUIET)]


class VisitView(CellView[GraphCell | TrainCell]):
    """Says what is to be seen; Enter goes there."""

    def body(self) -> Iterable[Widget]:
        """Words, preview, and the way there."""
        yield from self.words()
        if isinstance(self.cell, TrainCell) and self.cell.ask:
            yield Prose(self.cell.ask)
        yield _Preview(self.cell)
        yield self._way(done=self.progress.done)

    def _way(self, *, done: bool) -> Prose:
        """How to get there: Enter goes on once the cell is done."""
        key = "s" if done else look_of(self).key("enter")
        where = "stepper" if isinstance(self.cell, GraphCell) else "training screen"
        again = " again" if done else ""
        ends = ""
        if isinstance(self.cell, GraphCell) and self.cell.predict and not done:
            ends = " The cell is done when the walk has come to its end."
        words = f"**{key}** opens the {where}{again}; Esc comes back here.{ends}"
        return Prose(words, classes="way-again" if done else "way")

    def show_standing(self) -> None:
        """Another key leads there once it is done."""
        super().show_standing()
        for old in self.query(".way") if self.progress.done else ():
            self.call_later(self._say_again, old)

    async def _say_again(self, old: Widget) -> None:
        if old.parent is not None:
            await self.query_one(".body").mount(self._way(done=True), after=old)
            await old.remove()
