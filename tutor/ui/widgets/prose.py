"""Prose: a lesson's text, drawn for the width there is.

Text comes as the lesson wrote it and is made safe here. Lists hang, code is indented
and coloured, formulas are stacked fractions, or plain lines in ASCII.
"""

from collections.abc import Iterator, Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor import highlight
from tutor.safetext import safe
from tutor.ui import look
from tutor.ui.look import Glyph, Look
from tutor.ui.markdown import (
    Block,
    Fence,
    Heading,
    Item,
    Paragraph,
    Runs,
    Table,
    blocks,
    inline,
)
from tutor.ui.maths import stacked
from tutor.ui.widgets.lines import Lines, hanging

MEASURE = 76
"""Columns of a line at most: longer ones are hard to read."""
INDENT = 2
_ROLES = {
    "text": "",
    "strong": look.STRONG,
    "emphasis": look.EMPHASIS,
    "code": look.CODE,
}


def prose_lines(text: str, width: int, table: Look) -> list[Content]:
    """The text's lines, none wider than `width` cells but those of code."""
    width = max(8, min(width, MEASURE))
    lines: list[Content] = []
    before: Block | None = None
    for block in blocks(safe(text).plain):
        if lines and not (isinstance(block, Item) and isinstance(before, Item)):
            lines.append(Content())
        lines.extend(_block_lines(block, width, table))
        before = block
    return lines


def inline_content(text: str, table: Look, style: str = "") -> Content:
    """One paragraph's words, not yet wrapped: a task, a choice, a sentence."""
    words = " ".join(safe(text).plain.split())
    return _content(inline(words), table).stylize_before(style)


def math_lines(math: str, width: int, table: Look) -> list[Content]:
    """Formulas, a line of `math` each, stacked where they fit."""
    lines: list[Content] = []
    for formula in safe(math).plain.strip().split("\n"):
        drawn = [table.text(formula.strip())] if table.ascii else stacked(formula)
        if max(map(len, drawn)) > width:
            lines.extend(Content(table.text(formula.strip())).wrap(max(8, width)))
            continue
        if len(drawn) > 1 and lines and lines[-1].plain:
            lines.append(Content())
        lines.extend(Content(line) for line in drawn)
    return lines


def code_content(code: str, table: Look) -> Content:
    """Code with its colours."""
    shown = table.text(safe(code).plain)
    content = Content(shown)
    for token in highlight.tokens(shown):
        style = look.SYNTAX[token.kind]
        content = content.stylize(style, token.start, token.end)
    return content


def _block_lines(block: Block, width: int, table: Look) -> Iterator[Content]:
    match block:
        case Paragraph(runs):
            yield from _content(runs, table).wrap(width)
        case Heading(runs):
            yield from _content(runs, table).stylize(look.STRONG).wrap(width)
        case Item(mark, depth, runs):
            mark = " " * INDENT * depth + (mark or table[Glyph.BULLET]) + " "
            yield from hanging((mark, look.HERE), _content(runs, table), width)
        case Fence(language, code):
            python = language in ("", "python", "py")
            shown = code_content(code, table) if python else Content(table.text(code))
            for line in shown.split("\n", allow_blank=True):
                yield Content.assemble(" " * INDENT, line)
        case Table(rows):
            yield from _table_lines(rows, width, table)


def _content(runs: Runs, table: Look) -> Content:
    pieces = []
    for run in runs:
        words = table.text(run.text)
        if run.kind == "code" and not table.settings.colour:
            words = f"`{words}`"
        pieces.append(Content.styled(words, _ROLES[run.kind]))
    return Content("").join(pieces)


def _table_lines(
    rows: Sequence[tuple[Runs, ...]], width: int, table: Look
) -> Iterator[Content]:
    drawn = [[_content(cell, table) for cell in row] for row in rows]
    widths = [
        max(cell.cell_length for cell in column) for column in zip(*drawn, strict=True)
    ]
    over = sum(widths) + 3 * (len(widths) - 1) - width
    if over > 0:  # the widest column gives way, and its cells are wrapped
        widest = widths.index(max(widths))
        widths[widest] = max(6, widths[widest] - over)
    for number, row in enumerate(drawn):
        yield from _table_row(row, widths, head=number == 0)
        if number == 0:
            rule = "   ".join(table[Glyph.RULE] * each for each in widths)
            yield Content.styled(rule, look.QUIET)


def _table_row(
    row: Sequence[Content], widths: Sequence[int], *, head: bool
) -> Iterator[Content]:
    parts = [
        cell.wrap(width) or [Content()] for cell, width in zip(row, widths, strict=True)
    ]
    for line in range(max(map(len, parts))):
        cells = [part[line] if line < len(part) else Content() for part in parts]
        padded = [
            cell.pad_right(max(0, width - cell.cell_length))
            for cell, width in zip(cells, widths, strict=True)
        ]
        joined = Content("   ").join(padded)
        yield joined.stylize(look.STRONG) if head else joined


def gutter(number: int, *, here: bool, narrow: bool) -> Content:
    """A cell's number, as wide as the margin of what stands below it."""
    style = f"{look.STRONG} {look.HERE}" if here else look.QUIET
    return Content.styled(f"{number:>3} " if narrow else f"{number:>4}  ", style)


def is_narrow(widget: Widget) -> bool:
    """Where a column is dear; the screen has the class -narrow then."""
    return widget.app.size.width < look.NARROW


class Prose(Lines):
    """A cell's text and formulas."""

    here: reactive[bool] = reactive(False, init=False)
    """The learner is at this cell; seen in its number."""

    def __init__(
        self,
        text: str = "",
        math: str = "",
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._text = text
        self._math = math
        self.number: int | None = None
        """The cell's, drawn before the first line; None: the cell's head has it."""

    def watch_here(self) -> None:
        """The number is drawn anew."""
        self.redraw()

    def draw(self, width: int, table: Look) -> list[Content]:
        """The text, then the formulas, set in."""
        if self.number is None:
            return self._words(width, table)
        lead = gutter(self.number, here=self.here, narrow=is_narrow(self))
        lines = self._words(width - lead.cell_length, table)
        blank = " " * lead.cell_length
        return [
            Content.assemble(blank if at else lead, line)
            for at, line in enumerate(lines)
        ]

    def _words(self, width: int, table: Look) -> list[Content]:
        lines = prose_lines(self._text, width, table) if self._text.strip() else []
        if self._math.strip():
            lines += [Content()] if lines else []
            formulas = math_lines(self._math, width - 2 * INDENT, table)
            lines += [Content.assemble(" " * 2 * INDENT, each) for each in formulas]
        return lines
