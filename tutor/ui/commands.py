"""What the command palette offers: the table's actions of this screen, and sections."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.widgets import Input

from tutor import actions
from tutor.actions import Place
from tutor.safetext import safe_line
from tutor.ui.look import look_of
from tutor.ui.screens.frame import FrameScreen

if TYPE_CHECKING:
    from tutor.ui.app import TutorApp

Command = tuple[str, Callable[[], object], str]
"""Its name, what it does, and a sentence about it."""


class TutorPalette(CommandPalette):
    """Textual's palette in our look: lines and no icon."""

    DEFAULT_CSS = """
    TutorPalette {
        & > Vertical { margin-top: 2; width: 76; max-width: 100%; }
        & #--input { border: round $foreground; padding: 0 1; }
        & #--input.--list-visible { border: round $foreground; }
        & SearchIcon { display: none; }
        & CommandInput, & CommandInput:focus { border: none; padding: 0; height: 1; }
        & #--results { background: ansi_default; }
        & CommandList {
            border: round $foreground; max-height: 16; padding: 0;
            background: ansi_default; scrollbar-size-vertical: 1;
        }
        & LoadingIndicator { display: none; }
    }
    """

    def on_mount(self) -> None:
        """No blinking over a slow line."""
        field = self.query_one(Input)
        field.cursor_blink = look_of(self).settings.link == "fast"


class TutorCommands(Provider):
    """All that can be done where the learner is."""

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for title, run, text in self._commands():
            yield DiscoveryHit(title, run, help=text)

    async def search(self, query: str) -> Hits:
        """What fits, with the letters that fit marked."""
        matcher = self.matcher(query)
        for title, run, text in self._commands():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=text)

    def _commands(self) -> list[Command]:
        screen = self.screen
        if not isinstance(screen, FrameScreen):
            return []
        app = cast("TutorApp", self.app)
        text = app.look.text

        def rows(place: Place) -> list[Command]:
            return [
                (row.title, partial(screen.run_action, row.id), row.help)
                for row in actions.of(place)
                if row.title and screen.offers(row)
            ]

        found = rows(screen.PLACE)
        for section in app.course.sections:
            if section.ready:
                title = safe_line(f"Section {section.number}: {section.title}")
                run = partial(app.open_section, section.number)
                found.append((text(title), run, text(safe_line(section.summary))))
        return found + rows("anywhere")
