"""KeptRunsScreen: the races that are on disk, to open one. Reading them is `runs`'."""

import time
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.reactive import reactive

from tutor import actions
from tutor.actions import Action
from tutor.runs.store import StoredRun
from tutor.safetext import safe_line
from tutor.training.words import settings_line
from tutor.ui import look
from tutor.ui.look import Glyph, Look
from tutor.ui.screens.frame import FrameScreen, bindings
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.lines import Lines
from tutor.ui.widgets.plain import content_of

_ENDS = {"interrupted": "can go on", "finished": "finished", "diverged": "diverged"}
_END = max(map(len, _ENDS.values()))
"""Columns of how it ended."""
_ROWS = 2
"""Of each race."""


class KeptRunsScreen(FrameScreen[str | None]):
    """Over the training screen; gives the id of a race, None: none was chosen."""

    PLACE = "runs"
    BINDINGS = bindings("runs")
    DEFAULT_CSS = """
    KeptRunsScreen VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    """

    marked: reactive[int] = reactive(0, init=False)
    """Which of them Enter opens."""

    def __init__(self, stored: Sequence[StoredRun]) -> None:
        super().__init__()
        self.stored = tuple(stored)

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield _Stored()

    def title_parts(self) -> TitleParts:
        count = f"{len(self.stored)} kept"
        return TitleParts(content_of("Races on disk", look.STRONG), (Content(count),))

    def about(self) -> str:
        return (
            "A race is on disk while it is computed, also when the tutor is closed or "
            "the line is lost. Open one to look at it; where it can go on, space does."
        )

    def offers(self, action: Action) -> bool:
        return bool(self.stored) or action.where != "runs"

    def footer_actions(self) -> list[Action]:
        *rows, explain = super().footer_actions()
        return [*rows, actions.named("back"), explain]

    def watch_marked(self) -> None:
        self.query_one(_Stored).redraw()
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_to_region(Region(0, _ROWS * self.marked, 1, _ROWS), animate=False)

    def action_next_kept(self) -> None:
        self.marked = min(self.marked + 1, len(self.stored) - 1)

    def action_previous_kept(self) -> None:
        self.marked = max(self.marked - 1, 0)

    def action_open_kept(self) -> None:
        self.dismiss(self.stored[self.marked].id)


class _Stored(Lines):
    """Two lines each, the marked one with a sign."""

    def draw(self, width: int, table: Look) -> list[Content]:
        screen = self.screen
        assert isinstance(screen, KeptRunsScreen)
        if not screen.stored:
            return [
                Content("No race is on disk yet: each is, from its first iteration.")
            ]
        return [
            line
            for number, each in enumerate(screen.stored)
            for line in _lines(each, number == screen.marked, width, table)
        ]


def _lines(
    stored: StoredRun, marked: bool, width: int, table: Look
) -> tuple[Content, Content]:
    """When, which and how far; below it the settings, which tell races apart."""
    when = time.strftime("%d %b %H:%M", time.localtime(stored.started))
    spec = stored.spec
    end = _ENDS[stored.stopped]
    if spec.watched and stored.stopped == "interrupted":
        end = "ended"  # nobody can go on with it
    far = f"{stored.far}  {end:{_END}}"
    if width < look.NARROW - 12:
        far = end
    names = ", ".join(run.name for run in spec.runs)
    room = max(8, width - len(when) - len(far) - 6)
    title = table.text(safe_line(stored.title or names, room))
    mark = table[Glyph.HERE] if marked else " "
    gap = " " * max(2, width - len(when) - len(far) - len(title) - 4)
    first = Content.assemble(
        (mark, look.HERE),
        (f"{when}  ", look.QUIET),
        (title, look.STRONG if marked else ""),
        gap,
        far,
    )
    settings = table.text(safe_line(settings_line(spec), max(8, width - 4)))
    return first, Content.styled(f"   {settings}", look.QUIET)
