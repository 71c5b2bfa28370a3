"""The lines of an output log, drawn row by row: only what is seen is ever made."""

from collections.abc import Iterator

from rich.color import Color
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tutor.safetext import Style
from tutor.transcript import Line, Transcript
from tutor.ui.widgets.rows import Row, Rows
from tutor.ui.widgets.syntax import syntax_classes, syntax_css

_DRAWN = 1000
"""Rows whose drawing is remembered."""


class OutputLines(ScrollView, can_focus=False):
    """Shows a `Transcript`; `update` after it has changed."""

    ALLOW_SELECT = True
    COMPONENT_CLASSES = {
        "output-lines--prompt",
        "output-lines--stdout",
        "output-lines--stderr",
        "output-lines--echo",
        "output-lines--result",
        "output-lines--note",
        "output-lines--failure",
        "output-lines--notice",
        *syntax_classes("output-lines"),
    }
    DEFAULT_CSS = """
    OutputLines {
        height: auto;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        scrollbar-size-horizontal: 0;  /* with a stable gutter it would add a line */
        & .output-lines--prompt { text-style: dim; }
        & .output-lines--note { text-style: dim; }
        & .output-lines--notice { text-style: italic; }
        & .output-lines--stderr { color: $warning; }
    }
    """ + syntax_css("OutputLines", "output-lines")

    def __init__(self, transcript: Transcript, *, at_bottom: bool = False) -> None:
        """`at_bottom`: few lines stand at the end of the room, not at its beginning."""
        super().__init__()
        self._transcript = transcript
        self._at_bottom = at_bottom
        self._rows = Rows(1)
        self._drawn: dict[tuple[int, int, int], tuple[Line, Strip]] = {}
        """By a row's line, start and place; holds the line, so that its id stays its."""

    def on_mount(self) -> None:
        self.anchor()

    def update(self) -> None:
        """Show what the transcript now holds."""
        self._rows.update(self._transcript)
        size = Size(0, len(self._rows))
        overflows = size.height > self.container_size.height
        stays = overflows or not self.styles.is_auto_height
        if stays and overflows == self.show_vertical_scrollbar:
            self._lengthen(size)
        else:
            self.virtual_size = size
        self.refresh()

    def _lengthen(self, size: Size) -> None:
        """Take the new size without a layout of the whole screen: nothing moves."""
        following = self.is_vertical_scroll_end
        self.set_reactive(OutputLines.virtual_size, size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
            if following:
                self.scroll_end(animate=False, immediate=True, x_axis=False)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn.clear()
        self.refresh()

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        if width and width != self._rows.width:
            self._rows = Rows(width)
            self._drawn.clear()
            self.update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows as they are: no border, padding or tint, so nothing to add to them.

        A row that was drawn before is the same Strip, which remembers its escape codes.
        """
        strips = [self.render_line(y) for y in crop.line_range]
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        y += self.scroll_offset.y
        if self._at_bottom:
            y -= max(0, self.size.height - len(self._rows))
        row = self._rows.row(y)
        if row is None:
            return Strip.blank(self.size.width, self.rich_style)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(y)) is not None:
            return self._strip(row, y, span)
        key = (id(row.line), row.start, y)
        drawn = self._drawn.get(key)
        if drawn is None:
            if len(self._drawn) > _DRAWN:
                self._drawn.clear()
            drawn = self._drawn[key] = (row.line, self._strip(row, y))
        return drawn[1]

    def _strip(self, row: Row, y: int, marked: tuple[int, int] | None = None) -> Strip:
        segments = self._segments(row)
        if marked is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            segments = _marked(segments, marked, style)
        strip = Strip(segments).crop_extend(0, self.size.width, self.rich_style)
        return strip.apply_offsets(0, y)

    def _segments(self, row: Row) -> Iterator[Segment]:
        if row.prefix:
            yield Segment(row.prefix, self._style("prompt"))
        base = self._style(row.line.tone)
        plain = row.line.text.plain
        position = row.start
        for start, end, style in self._styled_parts(row.line):
            start, end = max(start, position), min(end, row.end)
            if start >= end:
                continue
            if start > position:
                yield Segment(plain[position:start], base)
            yield Segment(plain[start:end], base + style)
            position = end
        if position < row.end:
            yield Segment(plain[position : row.end], base)

    def _styled_parts(self, line: Line) -> Iterator[tuple[int, int, RichStyle]]:
        for token in line.tokens:
            name = f"output-lines--{token.kind}"
            style = self.get_component_rich_style(name, partial=True)
            yield token.start, token.end, style
        for span in line.text.spans:
            yield span.start, span.end, _rich(span.style)

    def _style(self, part: str) -> RichStyle:
        return self.get_component_rich_style(f"output-lines--{part}")

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        pieces: list[str] = []
        for y in range(len(self._rows)):
            span = selection.get_span(y)
            row = self._rows.row(y)
            if span is None or row is None:
                continue
            if pieces and row.start == 0:
                pieces.append("\n")
            start, end = span
            pieces.append(row.plain[start : None if end < 0 else end])
        return "".join(pieces), "\n"


def _marked(
    segments: Iterator[Segment], span: tuple[int, int], style: RichStyle
) -> Iterator[Segment]:
    """The segments with another style from the first to the second character."""
    start, end = span
    position = 0
    for text, usual, _ in segments:
        low = max(0, min(start - position, len(text)))
        high = len(text) if end < 0 else max(low, min(end - position, len(text)))
        for part, its in (
            (text[:low], usual),
            (text[low:high], (usual or RichStyle()) + style),
            (text[high:], usual),
        ):
            if part:
                yield Segment(part, its)
        position += len(text)


def _rich(style: Style) -> RichStyle:
    def colour(index: int | None) -> Color | None:
        return None if index is None else Color.from_ansi(index)

    return RichStyle.from_color(
        colour(style.foreground), colour(style.background)
    ) + RichStyle(
        bold=style.bold or None,
        dim=style.dim or None,
        italic=style.italic or None,
        underline=style.underline or None,
        reverse=style.reverse or None,
    )
