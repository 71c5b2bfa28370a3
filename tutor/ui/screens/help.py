"""HelpScreen: what is in front of the learner, and every key of the screen.

All of it comes from the action table; Esc or any of the help keys goes back.
"""

from collections.abc import Sequence

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
            lines += _rows(list(actions.of(place)), width, table)
            lines.append(Content())
        return lines + _rows(list(actions.of("anywhere")), width, table)


def _rows(rows: Sequence[Action], width: int, table: Look) -> list[Content]:
    """A line or more for each; one for a pair of keys that belong together, which the
    first of them shows."""
    lines: list[Content] = []
    pairs = {key for row in rows if " " in row.shown for key in row.shown.split()}
    for row in rows:
        if row.shown or not row.keys or Look().key(row.keys[0]) not in pairs:
            lines += _row(row, width, table)
    return lines


def _row(row: Action, width: int, table: Look) -> list[Content]:
    keys = table.text(row.shown) or " ".join(table.key(key) for key in row.keys)
    if not keys:
        return []  # in the palette only
    lead = Content.styled(f"{keys:<{KEYS_WIDTH}} ", f"{look.STRONG} {look.HERE}")
    return hanging(lead, Content(table.text(row.help)), width)
