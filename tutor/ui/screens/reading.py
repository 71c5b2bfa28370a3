"""ReadingScreen: some lines to read over the screen that asked; Esc goes back."""

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content

from tutor import actions
from tutor.actions import Action
from tutor.safetext import safe
from tutor.ui import look
from tutor.ui.look import Look
from tutor.ui.screens.frame import FrameScreen
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.lines import Lines, hanging
from tutor.ui.widgets.plain import content_of

Text = Sequence[str] | Callable[[int, bool], Sequence[str]]
"""Lines to be wrapped; or lines made for a width, in ASCII or not, that fit it."""


class ReadingScreen(FrameScreen[None]):
    """Foreign or our own text, wrapped, scrolled by the arrows."""

    BINDINGS = [
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("space,pagedown", "scroll(8)", show=False),
        Binding("b,pageup", "scroll(-8)", show=False),
        Binding("home,g", "scroll(-1000000)", show=False),
        Binding("end,G", "scroll(1000000)", show=False),
        Binding("q", "back", show=False),
    ]
    DEFAULT_CSS = """
    ReadingScreen VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, title: str, text: Text = ()) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def title_parts(self) -> TitleParts:
        return TitleParts(content_of(self._title, look.STRONG))

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield self.lines()

    def lines(self) -> Lines:
        """What is read."""
        return _Text(self._text)

    def footer_actions(self) -> list[Action]:
        """There is only the way back."""
        return [actions.named("back")]

    def action_scroll(self, lines: int) -> None:
        """Read on."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


class _Text(Lines):
    """The lines."""

    def __init__(self, text: Text) -> None:
        super().__init__()
        self._text = text

    def draw(self, width: int, table: Look) -> list[Content]:
        if callable(self._text):
            made = self._text(width, table.ascii)
            return [Content(safe(each).plain) for each in made]
        lines: list[Content] = []
        for each in self._text:
            indent = " " * (len(each) - len(each.lstrip()))
            words = Content(table.text(safe(each.strip()).plain))
            lines += hanging((indent, ""), words, width)
        return lines
