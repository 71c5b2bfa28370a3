"""A learner at the keyboard of the real app, with a real kernel, in one lesson.

Waits for what must become true, with one deadline; tests of lessons say what a learner
does and what they then see.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.events import Paste
from textual.pilot import Pilot

from tests.ui.conftest import screen_text
from tutor.kernel.jupyter import JupyterKernel
from tutor.lesson.course import index
from tutor.progress import CellProgress, Progress
from tutor.session import Session
from tutor.settings import Settings
from tutor.ui.app import TutorApp
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.widgets.code_cell_view import CodeCellView
from tutor.ui.widgets.question_view import QuestionView

LESSONS = Path(__file__).parents[2] / "lessons"
DEADLINE_S = 30.0
"""A kernel starts and imports torch in two seconds on a quiet machine."""


class Learner:
    """What a learner can do and see."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self._pilot = pilot

    @property
    def _lesson(self) -> LessonScreen:
        screen = self._pilot.app.screen
        assert isinstance(screen, LessonScreen)
        return screen

    @property
    def cell(self) -> str:
        """The id of the cell where they are."""
        return str(self._lesson.view.cell.id)

    @property
    def progress(self) -> CellProgress:
        """Of that cell."""
        return self._lesson.view.progress

    def is_done(self) -> bool:
        """That cell is ticked."""
        return self.progress.done

    @property
    def screen(self) -> str:
        """What is on the screen, words parted by single spaces, lines joined."""
        return " ".join(screen_text(self._pilot.app).replace("▌", " ").split())

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Let the app work until it holds."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not holds():
                    await self._pilot.pause()
        except TimeoutError:
            shown = screen_text(self._pilot.app)
            said = f"waited in vain for {what}; on the screen:\n{shown}"
            raise AssertionError(said) from None

    async def until_open(self) -> None:
        """The lesson is on the screen and the kernel ready."""
        app = self._pilot.app
        await self.until(lambda: isinstance(app.screen, LessonScreen), "the lesson")
        await self.until(self._lesson._opened.is_set, "the kernel")

    async def sees(self, words: str) -> None:
        """Wait for words on the screen."""
        await self.until(lambda: words in self.screen, repr(words))

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def goes_to(self, cell: str, key: str = "n") -> None:
        """Press a key until that cell is the current one."""
        while self.cell != cell:
            await self.press(key)

    async def writes(self, code: str) -> None:
        """In the editor, code in place of what is there."""
        if self._lesson.focused is None:
            await self.press("e")
        view = self._lesson.view
        assert isinstance(view, CodeCellView)
        await self.press("f7")  # select all
        view.editor.post_message(Paste(code))
        await self.until(lambda: view.code == code, "the pasted code")

    async def checks(self) -> None:
        """Judge the exercise, and wait for the verdict."""
        await self.press("ctrl+k")
        await self._until_judged()

    async def answers(self, *keys: str) -> None:
        """Answer the question with these keys and Enter."""
        await self.press(*keys, "enter")
        await self._until_judged()

    async def _until_judged(self) -> None:
        view = self._lesson.view
        assert isinstance(view, (CodeCellView, QuestionView))
        await self.until(
            lambda: (
                view.verdict.verdict is not None
                and not (isinstance(view, CodeCellView) and view.busy)
            ),
            "a verdict",
        )

    async def quits(self) -> None:
        """Leave the tutor."""
        app: Any = self._pilot.app
        await self.press("ctrl+q")
        await self.until(lambda: app.return_code is not None, "the end")


@asynccontextmanager
async def learner(
    home: Path, section: str, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Learner]:
    """The app, its data in `home`, opened at a section."""
    app = TutorApp(
        lambda progress: Session(JupyterKernel, progress),
        index(LESSONS),
        Progress(home),
        Settings(link="slow"),
        section,
    )
    try:
        async with app.run_test(size=size) as pilot:
            someone = Learner(pilot)
            await someone.until_open()
            yield someone
    finally:
        if app.session is not None:
            await app.session.close()
