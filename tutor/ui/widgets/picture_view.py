"""PictureView: shows any Picture, in the theme's colours; paints only what has changed.

Who owns it makes the picture, of `size` and with the marks that this terminal needs
(`marks_for`), and makes it again when it hears `Resized`.
"""

from itertools import zip_longest

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tutor.picture import Marks, Patch, Picture
from tutor.ui.look import look_of, picture_style

_Line = tuple[str, tuple[Patch, ...]]
_NOTHING: _Line = "", ()


class PictureView(Widget):
    """A picture that may be another one many times a second."""

    DEFAULT_CSS = "PictureView { width: 1fr; height: 1fr; }"

    class Resized(Message):
        """The picture has another size now: show one that fits."""

        def __init__(self, view: "PictureView") -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> "PictureView":
            """The one that was resized."""
            return self.view

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.drawn = 0
        """How many pictures were shown so far."""
        self._lines: list[_Line] = []
        self._strips: dict[int, Strip] = {}

    def marks_for(self, curves: int) -> Marks:
        """How to draw so many curves, or classes, that must be told apart here."""
        table = look_of(self)
        if table.ascii:
            return "ascii"
        return "braille" if curves < 2 or table.settings.colour else "letters"

    def show(self, picture: Picture) -> None:
        """Show it. What looks as before is not painted again."""
        self.drawn += 1
        before = self._lines
        self._lines = list(zip(picture.lines, picture.patches, strict=True))
        regions = []
        pairs = zip_longest(before, self._lines, fillvalue=_NOTHING)
        for y, (old, new) in enumerate(pairs):
            if old != new:
                self._strips.pop(y, None)
                start, end = _changed(old, new)
                regions.append(Region(start, y, end - start, 1))
        if regions:
            self.refresh(*regions)

    def on_resize(self, event: events.Resize) -> None:
        """Another size is another picture, which the owner makes."""
        self._strips.clear()
        self.post_message(self.Resized(self))

    def notify_style_update(self) -> None:
        """Another theme, other colours."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One line of the picture, or of nothing below it."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        if y not in self._strips:
            strip = self._strip(*self._lines[y])
            self._strips[y] = strip.adjust_cell_length(width, self.rich_style)
        return self._strips[y]

    def _strip(self, line: str, patches: tuple[Patch, ...]) -> Strip:
        base, variables = self.rich_style, self.app.theme_variables
        segments, at = [], 0
        for patch in patches:
            segments.append(Segment(line[at : patch.start], base))
            style = base + picture_style(variables, patch.ink, patch.ground)
            segments.append(Segment(line[patch.start : patch.end], style))
            at = patch.end
        segments.append(Segment(line[at:], base))
        return Strip([each for each in segments if each.text], len(line))


def _changed(old: _Line, new: _Line) -> tuple[int, int]:
    """The columns of a line that look different, start to end."""
    pairs = zip_longest(_cells(old), _cells(new))
    columns = [at for at, (one, other) in enumerate(pairs) if one != other]
    return columns[0], columns[-1] + 1


def _cells(line: _Line) -> list[tuple[str, str, str]]:
    text, patches = line
    cells = [(character, "", "") for character in text]
    for patch in patches:
        for at in range(patch.start, patch.end):
            cells[at] = text[at], patch.ink, patch.ground
    return cells
