"""ValuesPanel: one tensor of the walk from within: facts, spread, numbers.

What is said is `graph.values`'; a large tensor is asked of the kernel by the screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive

from tutor.graph import values
from tutor.graph.requests import Looked
from tutor.graph.values import Fact
from tutor.safetext import safe
from tutor.ui import look
from tutor.ui.look import Glyph, Look
from tutor.ui.widgets.lines import Lines, hanging

_LABEL = 12


@dataclass(frozen=True, slots=True)
class Inside:
    """What the panel shows."""

    facts: tuple[Fact, ...]
    looked: Looked | None
    """None: the kernel is being asked."""


class ValuesPanel(Lines):
    """As much of it as there is room for."""

    DEFAULT_CSS = "ValuesPanel { height: 1fr; padding: 0 1; }"

    inside: reactive[Inside | None] = reactive[Inside | None](None)
    """None: no value is in front."""

    def watch_inside(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def draw(self, width: int, table: Look) -> Sequence[Content]:
        if self.inside is None:
            return [Content.styled("No value is in front yet.", look.QUIET)]
        lines: list[Content] = []
        for fact in self.inside.facts:
            lines += _fact(fact, width, table)
        looked = self.inside.looked
        if looked is None:
            waiting = f"asking the kernel{table[Glyph.ELLIPSIS]}"
            return [*lines, Content.styled(waiting, look.QUIET)]
        if looked.problem is not None:
            problem = Content.styled(table.text(safe(looked.problem).plain), look.WARN)
            lines += hanging(("", ""), problem, width)
        for fact in values.statistics(looked):
            lines += _fact(fact, width, table)
        spread = values.histogram(looked, ascii=table.ascii)
        if spread:
            lines += _fact(Fact("spread", spread), width, table)
        room = self.size.height - len(lines) - 1
        rows = [
            Content(table.text(row)).truncate(width)
            for row in values.table(looked, width, room)
        ]
        return [*lines, *([Content(), *rows] if rows else [])]


def _fact(fact: Fact, width: int, table: Look) -> list[Content]:
    lead = Content.styled(f"{fact.label:{_LABEL}}", look.QUIET)
    return hanging(lead, Content(table.text(safe(fact.text).plain)), width)
