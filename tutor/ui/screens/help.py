"""HelpScreen: what is in front of the learner, and every key of the screen.

All of it comes from the action table; Esc or any of the help keys goes back.
"""

from textual.content import Content

from tutor import actions
from tutor.actions import Action, Place
from tutor.ui import look
from tutor.ui.look import Look
from tutor.ui.screens.reading import ReadingScreen
from tutor.ui.widgets.lines import Lines, hanging
from tutor.ui.widgets.prose import MEASURE

KEYS_WIDTH = 12
PLACES: dict[Place, tuple[Place, ...]] = {"lesson": ("lesson", "answer")}
"""Screens whose help tells of another place's keys, too."""


class HelpScreen(ReadingScreen):
    """Over the screen that asked."""

    def __init__(self, place: Place, about: str) -> None:
        super().__init__(f"Help: {place}")
        self._place = place
        self._about = about

    def lines(self) -> Lines:
        """What it is, then the keys."""
        return HelpText(self._place, self._about)

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
