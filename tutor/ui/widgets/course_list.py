"""CourseList: the sections in columns, one of them marked. Moves the mark; opens nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tutor.safetext import safe_line
from tutor.ui import look
from tutor.ui.course_rows import Entry, Row, Standing, beside, columns, place_of
from tutor.ui.look import Glyph, look_of

COLUMN_WIDTH = 39
TITLE_WIDTH = 24
COUNT_WIDTH = 6
_GLYPHS = {
    Standing.DONE: (Glyph.DONE, look.GOOD),
    Standing.BEGUN: (Glyph.PARTLY, look.HERE),
    Standing.NEW: (Glyph.TODO, ""),
    Standing.UNWRITTEN: (Glyph.UNWRITTEN, look.QUIET),
    Standing.BROKEN: (Glyph.WRONG, look.BAD),
}


class CourseList(Widget):
    """All sections, or those that a search left."""

    DEFAULT_CSS = "CourseList { height: auto; }"

    entries: reactive[tuple[Entry, ...]] = reactive[tuple[Entry, ...]]((), layout=True)
    """What is listed."""

    marked: reactive[Entry | None] = reactive[Entry | None](None)
    """Where the mark is; None: nowhere in the list."""

    @dataclass
    class Marked(Message):
        """The mark moved."""

        entry: Entry | None

    @dataclass
    class Chosen(Message):
        """A section was clicked."""

        entry: Entry

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the longest column has."""
        return max((len(rows) for rows in self._layout(width)), default=0) or 1

    def _layout(self, width: int) -> tuple[tuple[Row, ...], ...]:
        return columns(self.entries, 2 if width >= 2 * COLUMN_WIDTH - 6 else 1)

    def render(self) -> RenderResult:
        """Line by line, the columns beside each other."""
        width = self.size.width
        layout = self._layout(width)
        if not self.entries:
            return Content.styled("No section speaks of that.", look.QUIET)
        room = COLUMN_WIDTH if len(layout) > 1 else min(width, 2 * COLUMN_WIDTH)
        height = max(map(len, layout))
        lines = [
            Content("").join(
                self._row(rows[line] if line < len(rows) else Row(), room)
                for rows in layout
            )
            for line in range(height)
        ]
        return Content("\n").join(lines)

    def _row(self, row: Row, width: int) -> Content:
        if row.entry is None:
            return Content.assemble(" ", row.group).pad_right(
                width - len(row.group) - 1
            )
        return self._section(row.entry, width)

    def _section(self, entry: Entry, width: int) -> Content:
        table = look_of(self)
        glyph, colour = _GLYPHS[entry.standing]
        here = entry == self.marked
        quiet = entry.standing is Standing.UNWRITTEN
        style = look.STRONG if here else look.QUIET if quiet else ""
        room = width - 9 - (COUNT_WIDTH if entry.count else 0)
        title = Content(table.text(safe_line(entry.section.short)))
        if title.cell_length > room:
            title = Content.assemble(title.truncate(room - 1), table[Glyph.ELLIPSIS])
        if entry.count:
            title = title.pad_right(max(0, min(room, TITLE_WIDTH) - title.cell_length))
        made = Content.assemble(
            (table[Glyph.HERE] if here else " ", look.HERE),
            (table[glyph], colour),
            " ",
            (f"{entry.section.number:<5}", style),
            title.stylize(style) if style else title,
            (f"{entry.count:>{COUNT_WIDTH}}" if entry.count else "", look.QUIET),
        )
        return made.pad_right(max(0, width - made.cell_length))

    def watch_marked(self, entry: Entry | None) -> None:
        """Tell, and bring it into view."""
        self.post_message(self.Marked(entry))
        place = place_of(self._layout(self.size.width), entry)
        if place is not None and self.parent is not None:
            line = place[1]
            above = max(0, line - 1)  # a group's name stays in view with its first
            self.scroll_visible_line(Region(0, above, 1, line - above + 1))

    def scroll_visible_line(self, region: Region) -> None:
        """Scroll the container as little as needed."""
        container = self.parent
        if isinstance(container, Widget):
            container.scroll_to_region(region, animate=False, force=True)

    def move(self, by: int) -> bool:
        """Move the mark in course order; False: there is nothing further that way."""
        listed = self._in_order()
        if not listed:
            return False
        if self.marked not in listed:
            self.marked = listed[0 if by > 0 else -1]
            return True
        wanted = listed.index(self.marked) + by
        if not 0 <= wanted < len(listed):
            return False
        self.marked = listed[wanted]
        return True

    def move_across(self) -> None:
        """Move the mark to the other column."""
        self.marked = beside(self._layout(self.size.width), self.marked)

    def move_to_end(self, last: bool) -> None:
        """Mark the first or the last section."""
        listed = self._in_order()
        if listed:
            self.marked = listed[-1 if last else 0]

    def _in_order(self) -> Sequence[Entry]:
        return self.entries

    def on_click(self, event: events.Click) -> None:
        """The mouse may do what the keys do."""
        layout = self._layout(self.size.width)
        column = min(len(layout) - 1, event.x // COLUMN_WIDTH)
        rows = layout[column] if layout else ()
        entry = rows[event.y].entry if event.y < len(rows) else None
        if entry is not None:
            self.marked = entry
            self.post_message(self.Chosen(entry))
