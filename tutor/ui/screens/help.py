"""HelpScreen: what is in front of the learner, and every key of the screen.

All of it comes from the action table; Esc or any of the help keys goes back.
"""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content

from tutor import actions
from tutor.actions import Action, Place
from tutor.ui import look
from tutor.ui.look import Look
from tutor.ui.screens.frame import FrameScreen
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.lines import Lines, hanging
from tutor.ui.widgets.plain import content_of
from tutor.ui.widgets.prose import MEASURE

KEYS_WIDTH = 12
PLACES: dict[Place, tuple[Place, ...]] = {"lesson": ("lesson", "answer")}
"""Screens whose help tells of another place's keys, too."""


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
        with VerticalScroll(can_focus=False):
            yield HelpText(self._place, self._about)

    def footer_actions(self) -> list[Action]:
        """There is only the way back."""
        return [actions.named("back")]

    def action_scroll(self, lines: int) -> None:
        """Read on."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_explain(self) -> None:
        """? again: back."""
        self.action_back()


class HelpText(Lines):
    """The explanation, and a line for each row of the table."""

    def __init__(self, place: Place, about: str) -> None:
        super().__init__()
        self._place = place
        self._about = about

    def draw(self, width: int, table: Look) -> list[Content]:
        """This screen's keys, then those that work anywhere."""
        lines: list[Content] = []
        if self._about:
            about = Content(table.text(self._about))
            lines += [*about.wrap(min(width, MEASURE)), Content()]
        for place in PLACES.get(self._place, (self._place,)):
            for row in actions.of(place):
                lines += _row(row, width, table)
            lines.append(Content())
        for row in actions.of("anywhere"):
            lines += _row(row, width, table)
        return lines


def _row(row: Action, width: int, table: Look) -> list[Content]:
    keys = row.shown or " ".join(table.key(key) for key in row.keys)
    if not keys:
        return []  # in the palette only
    lead = Content.styled(f"{keys:<{KEYS_WIDTH}} ", f"{look.STRONG} {look.HERE}")
    return hanging(lead, Content(table.text(row.help)), width)
