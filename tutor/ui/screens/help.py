"""HelpScreen: what is in front of the learner, and every key of the screen.

All of it comes from the action table; Esc or any of the help keys goes back.
"""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content

from tutor import actions
from tutor.actions import Action, Place
from tutor.ui import look
from tutor.ui.screens.frame import FrameScreen
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.plain import Plain, content_of

KEYS_WIDTH = 12


class HelpScreen(FrameScreen[None]):
    """Over the screen that asked."""

    BINDINGS = [
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("space,pagedown", "scroll(8)", show=False),
        Binding("b,pageup", "scroll(-8)", show=False),
        Binding("q", "back", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, place: Place, about: str) -> None:
        super().__init__()
        self._place = place
        self._about = about

    def title_parts(self) -> TitleParts:
        """Whose keys these are."""
        return TitleParts(content_of(f"Help: {self._place}", look.STRONG))

    def compose_content(self) -> ComposeResult:
        """What it is, then the keys."""
        with VerticalScroll():
            if self._about:
                yield Plain(self.look.text(self._about) + "\n")
            yield Plain(self._keys(actions.of(self._place)))
            yield Plain("")
            yield Plain(self._keys(actions.of("anywhere")))

    def _keys(self, rows: Iterator[Action]) -> Content:
        return Content("\n").join(self._row(row) for row in rows if row.keys)

    def _row(self, row: Action) -> Content:
        keys = " ".join(self.look.key(key) for key in row.keys)
        return Content.assemble(
            (f"{keys:<{KEYS_WIDTH}} ", f"{look.STRONG} {look.HERE}"), row.help
        )

    def action_scroll(self, lines: int) -> None:
        """Read on."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_explain(self) -> None:
        """? again: back."""
        self.action_back()
