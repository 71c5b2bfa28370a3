"""What the command palette offers: the table's actions of this screen, and sections."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tutor import actions
from tutor.ui.screens.frame import FrameScreen

if TYPE_CHECKING:
    from tutor.ui.app import TutorApp


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

    def _commands(self) -> list[tuple[str, Callable[[], object], str]]:
        screen = self.screen
        if not isinstance(screen, FrameScreen):
            return []
        app = cast("TutorApp", self.app)
        text = app.look.text
        found: list[tuple[str, Callable[[], object], str]] = [
            (row.title, partial(screen.run_action, row.id), row.help)
            for row in actions.ACTIONS
            if row.title
            and row.where in (screen.PLACE, "anywhere")
            and screen.offers(row)
        ]
        for section in app.course.sections:
            if section.ready:
                title = text(f"Section {section.number}: {section.title}")
                run = partial(app.open_section, section.number)
                found.append((title, run, text(section.summary)))
        return found
