"""What a step says: the card under the picture, the code beside it, the numbered lines.

All three show what `graph.explain` and `graph.text` say.
"""

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive

from tutor.graph import text
from tutor.graph.explain import Card, RowKind
from tutor.graph.text import TextLine
from tutor.safetext import safe
from tutor.ui import look
from tutor.ui.look import Glyph, Look
from tutor.ui.widgets.lines import Lines, hanging
from tutor.ui.widgets.prose import code_content

_LABEL = 14
_KINDS: dict[RowKind, str] = {
    "plain": "",
    "result": look.STRONG,
    "warning": look.WARN,
}


class _Fitted(Lines):
    """Lines that depend on the height there is, too."""

    def on_resize(self) -> None:
        self.redraw()


Told = tuple[Card, Sequence[str], str]
"""The card, the badges of the value in front, and the lesson's caption or ""."""


class StepCard(_Fitted):
    """The op under way, and what was said of it so far; the newest row is marked."""

    DEFAULT_CSS = "StepCard { height: 7; padding: 0 1; }"

    told: reactive[Told | None] = reactive[Told | None](None)
    """None: nothing yet."""

    def watch_told(self) -> None:
        self.redraw()

    def draw(self, width: int, table: Look) -> Sequence[Content]:
        if self.told is None:
            return []
        card, badges, caption = self.told
        top = [_header(card, badges, width, table)]
        if caption:
            words = Content.styled(table.text(safe(caption).plain), look.EMPHASIS)
            top += hanging(("  ", ""), words, width)
        lines: list[Content] = []
        for row in card.rows:
            mark = f"{table[Glyph.GO]} " if row.is_new else "  "
            text = table.text(safe(row.text).plain)
            label = table.text(safe(row.label).plain)
            lead = Content.assemble(
                (mark, look.HERE), (f"{label:{_LABEL}}  ", look.QUIET)
            )
            lines += hanging(lead, Content.styled(text, _KINDS[row.kind]), width)
        # The newest row must be in sight where the card is too long for its place.
        room = (self.size.height or len(top) + len(lines)) - len(top)
        return [*top, *lines[max(0, len(lines) - max(room, 1)) :]]


def _header(card: Card, badges: Sequence[str], width: int, table: Look) -> Content:
    title = table.text(safe(card.title).plain)
    left = Content.assemble(
        "  ",
        (title, f"{look.STRONG} {look.HERE}"),
        "   " if title else "",
        table.text(safe(card.statement).plain),
    )
    dot = f" {table[Glyph.DOT]} "
    facts = [*badges, *([f"line {card.line}"] if card.line else [])]
    while facts and 24 + len(dot.join(facts)) > width:
        facts.pop(0)
    right = Content.styled(dot.join(facts), look.QUIET)
    room = width - right.cell_length
    if left.cell_length >= room:
        left = Content.assemble(left.truncate(max(0, room - 2)), table[Glyph.ELLIPSIS])
    return Content.assemble(left.pad_right(room - left.cell_length), right)


class SourceView(_Fitted):
    """The traced code, the line of the step lit."""

    DEFAULT_CSS = "SourceView { padding: 0 1; height: auto; max-height: 16; }"

    code: reactive[str] = reactive("")
    line: reactive[int | None] = reactive[int | None](None)
    """The line under way, from 1; None: none is."""

    def watch_code(self) -> None:
        self.redraw()

    def watch_line(self) -> None:
        self.redraw()

    def draw(self, width: int, table: Look) -> Sequence[Content]:
        code = safe(self.code).plain.splitlines()
        room = self.size.height or len(code)
        first = 0
        if self.line is not None and len(code) > room:
            first = max(0, min(self.line - 1 - room // 2, len(code) - room))
        lines = []
        for number in range(first, min(len(code), first + room)):
            is_lit = number + 1 == self.line
            mark = table[Glyph.HERE] if is_lit else " "
            text = code_content(code[number], table)
            lines.append(
                Content.assemble(
                    (mark, look.HERE),
                    (f"{number + 1:3} ", look.QUIET),
                    text.stylize(look.STRONG) if is_lit else text,
                ).truncate(width, ellipsis=True)
            )
        return lines


class StepLines(_Fitted):
    """The walk as numbered lines, the step marked; as many as there is room for."""

    DEFAULT_CSS = "StepLines { height: 1fr; padding: 0 1; }"

    said: reactive[text.Lines | None] = reactive[text.Lines | None](None)
    place: reactive[int] = reactive(0)
    """Lines of later steps are not there yet."""

    def watch_said(self) -> None:
        self.redraw()

    def watch_place(self) -> None:
        self.redraw()

    def draw(self, width: int, table: Look) -> Sequence[Content]:
        room = self.size.height or 1
        said = [] if self.said is None else self.said.until(self.place, room)
        found = [each for line in said for each in self._lines(line, width, table)]
        if not found:
            found = [Content.styled("  Nothing is computed yet.", look.QUIET)]
        return found[-room:]

    def _lines(self, line: TextLine, width: int, table: Look) -> list[Content]:
        is_now = line.place == self.place
        mark = table[Glyph.GO] if is_now else " "
        indent = "" if line.head else "  "
        lead = Content.assemble((mark, look.HERE), f"{line.head:>4} {indent}")
        words = table.text(safe(line.text).plain)
        style = look.STRONG if is_now else ""
        return hanging(lead, Content.styled(words, style), width)
