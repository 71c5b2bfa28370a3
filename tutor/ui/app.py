"""TutorApp: hosts the screens, the session and the end of the process.

It opens screens and hands them the session; what they do with it is theirs. The first
frame is home, painted before anything heavy is imported: the session is made and the
kernel started right after it. `run` is what the command line calls.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual import work
from textual.app import App
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import WorkerFailed

from tutor import crash, paths
from tutor.errors import TutorError
from tutor.kernel.base import KernelState
from tutor.lesson.course import Course, index
from tutor.progress import Progress
from tutor.safetext import safe
from tutor.settings import Settings
from tutor.ui import look
from tutor.ui.host import Closed
from tutor.ui.keys_in_order import KeysInOrder
from tutor.ui.screens.frame import FrameScreen
from tutor.ui.screens.home import HomeScreen

if TYPE_CHECKING:
    from tutor.graph.trace import Trace
    from tutor.lesson.schema import GraphCell, TrainCell
    from tutor.session import Session
    from tutor.ui.commands import TutorCommands
    from tutor.ui.races import Races
    from tutor.ui.screens.step_moves import Where

MakeSession = Callable[[Progress], "Session"]

RACE_TOLD_S = 1.0
"""The shortest time between two words of another screen's title on a race."""
MOUNT_S = 5.0
"""A screen that is not there by then will not come."""

_ENDING = (signal.SIGTERM, signal.SIGHUP)


def _commands() -> "type[TutorCommands]":
    from tutor.ui.commands import TutorCommands

    return TutorCommands


class TutorApp(KeysInOrder[None]):
    """The tutor. Implements `ui.host.Host`."""

    TITLE = "PyTorch for the Impatient"
    COMMANDS = {_commands}

    kernel_state: reactive[KernelState] = reactive(KernelState.OFF, init=False)
    """Of the session's kernel; every screen of the frame hears of it."""

    def __init__(
        self,
        make_session: MakeSession,
        course: Course,
        progress: Progress,
        settings: Settings,
        section: str | None = None,
        parent_pipe: int | None = None,
        trace: "Trace | None" = None,
    ) -> None:
        """`section`: opened at once; None: home. `trace`: walked at once.

        `parent_pipe`: its end of file means that the launcher is gone; None: none.
        """
        super().__init__(settings)
        self.course = course
        self.progress = progress
        self.session: Session | None = None
        self.last_words: str | None = None
        """A sentence for after the screen is given back; None: there is none."""
        self._make_session = make_session
        self._section = section
        self._parent_pipe = parent_pipe
        self._leaving = False
        self._trace = trace
        self._left_walk: tuple[Trace, Where] | None = None
        """The walk that was left last, and where: opened again, it goes on there."""
        self._races: Races | None = None
        self._race_told: Timer | None = None
        """Runs while the title's word on a race may not be another yet."""

    # ------------------------------------------------------------------ beginning

    def get_default_screen(self) -> Screen[None]:
        """Home is at the bottom of the stack."""
        return HomeScreen(self.course, self.progress)

    def on_mount(self) -> None:
        """Listen to the outside; the session waits for the first frame."""
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, self.leave, 128 + number)
        if self._parent_pipe is not None:
            loop.add_reader(self._parent_pipe, self.leave, 128 + signal.SIGHUP)
        self.app_resume_signal.subscribe(self, self._paint_again)
        self.call_after_refresh(self._begin)

    def _paint_again(self, app: App[Any]) -> None:
        """After Ctrl+Z and `fg` the terminal's screen is empty."""
        app.refresh(layout=True)

    def _session_now(self) -> "Session":
        """The session, made at the first wish for it: a key may come before `_begin`."""
        if self.session is None:
            self.session = self._make_session(self.progress)
            self.session.kernel.watch(self._hear_kernel)
        return self.session

    def _begin(self) -> None:
        self._session_now()
        for problem in (*self.progress.notices, *self.course.problems):
            self.say(str(problem))
        if not self.course.complete:
            self._read_course()
        self._start_kernel()
        if self._section is not None:
            self.open_section(self._section)
        if self._trace is not None:
            self._session_now().recorded = self._trace
            self.open_walk()

    @work(group="kernel")
    async def _start_kernel(self) -> None:
        assert self.session is not None
        try:
            await self.session.start()
        except TutorError as error:
            self.say(str(error))
        self._hear_kernel(self.session.kernel.state)
        if isinstance(self.screen, FrameScreen):
            self.screen.refresh_frame()  # now the devices are known
        with contextlib.suppress(TutorError):  # the learner was quicker
            await self.session.warm()

    @work(group="course", thread=True)
    def _read_course(self) -> None:
        """Lessons that the cache does not know are read beside the first frame."""
        course = index(self.course.folder)
        self.call_from_thread(self._show_course, course)

    def _show_course(self, course: Course) -> None:
        self.course = course
        for screen in self.screen_stack:
            if isinstance(screen, HomeScreen):
                screen.course = course
                screen.refresh_course()

    def _hear_kernel(self, state: KernelState) -> None:
        greeted = self.session is not None and self.session.hello is not None
        if state in (KernelState.IDLE, KernelState.BUSY) and not greeted:
            state = KernelState.STARTING  # it is importing torch
        self.kernel_state = state

    def watch_kernel_state(self, state: KernelState) -> None:
        """Hand it down."""
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.kernel_state = state
                screen.refresh_frame()

    async def before_key(self) -> None:
        """A key waits for the screen that is to get it, and ends what that said."""
        if isinstance(self.screen, FrameScreen):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.screen.ready.wait(), MOUNT_S)
            self.screen.say("")

    def say(self, sentence: str) -> None:
        """Show a sentence on the screen in front."""
        screen = self.screen
        if isinstance(screen, FrameScreen):
            screen.say(safe(sentence), look.WARN)

    # -------------------------------------------------------------------- screens

    def open_section(self, section: str) -> None:
        """Open a lesson where it was left; say so when it is not written yet."""
        from tutor.lesson.load import load_lesson

        entry = self.course.section(section)
        if entry is None:
            return
        if entry.file is None:
            self.say(f"{section} {entry.title} is not written yet.")
            return
        try:
            lesson = load_lesson(entry.file)
        except TutorError as error:
            self.say(str(error))
            return
        from tutor.ui.screens.lesson import LessonScreen

        self._show(LessonScreen(self._session_now(), lesson))

    def open_console(self) -> None:
        """The console, over what is there."""
        from tutor.ui.screens.console import ConsoleScreen

        self._show(ConsoleScreen(self._session_now()))

    def open_stepper(
        self, cell: "GraphCell | None" = None, closed: Closed | None = None
    ) -> None:
        """The stepper, over what is there."""
        from tutor.ui.screens.stepper import StepperScreen

        self._show(StepperScreen(self._session_now(), cell), closed)

    def open_walk(self) -> None:
        """The stepper, over what is there, on what was recorded last."""
        trace = self.session.recorded if self.session is not None else None
        if trace is None:
            self.say(
                "Nothing was recorded yet: run tutor.step(f, x) in the console, or a "
                "cell that begins with %%step."
            )
            return
        from tutor.graph import recorded
        from tutor.ui.screens.stepper import StepperScreen

        title = recorded.title(trace)
        screen = StepperScreen(self._session_now(), trace=trace, title=title)
        if self._left_walk is not None and self._left_walk[0] is trace:
            screen.set_reactive(StepperScreen.where, self._left_walk[1])

        def leave(end_was_seen: bool | None) -> None:
            self._left_walk = trace, screen.where

        self._show(screen, leave)

    def open_watched(self) -> None:
        """The training screen, over what is there, on the learner's own loop."""
        if self.session is None or self.session.watched is None:
            self.say(
                "No loop was watched yet: call tutor.watch(loss) in a loop of yours, in "
                "the console or in a lesson's cell."
            )
            return
        self._open_training(None, None, own=True)

    def open_training(
        self, cell: "TrainCell | None" = None, closed: Closed | None = None
    ) -> None:
        """The training screen, over what is there; a race that was left goes on."""
        self._open_training(cell, closed)

    def _open_training(
        self,
        cell: "TrainCell | None",
        closed: Closed | None,
        *,
        own: bool = False,
    ) -> None:
        from tutor.ui.screens.training import TrainingScreen

        lesson = self._session_now().lesson
        section = lesson.section if lesson is not None else ""
        key = "" if cell is None else f"{section} {cell.id}"
        self._show(TrainingScreen(self.races, cell, key, own=own), closed)

    @property
    def races(self) -> "Races":
        """Those of this app; they end with it."""
        if self._races is None:
            from tutor.ui.races import Races

            def start(work: Coroutine[Any, Any, None]) -> None:
                self.run_worker(work, group="races")

            self._races = Races(self._session_now(), start, self._hear_races)
        return self._races

    def _hear_races(self) -> None:
        """A race went on; who does not show it says so at most once a second."""
        if self._race_told is None:
            self._race_told = self.set_timer(RACE_TOLD_S, self._tell_races)

    def _tell_races(self) -> None:
        self._race_told = None
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.tell_race(self._race_words())

    def _race_words(self) -> str:
        """That a race runs, and how far it is; "": none does."""
        running = self._races.under_way if self._races is not None else None
        return "" if running is None else running.words

    def _show(self, screen: FrameScreen[Any], closed: Closed | None = None) -> None:
        screen.kernel_state = self.kernel_state
        screen.tell_race(self._race_words())
        self.push_screen(screen, closed)

    # ------------------------------------------------------------------------ end

    def leave(self, code: int = 0) -> None:
        """Keep what is typed, then exit with that code."""
        self._leaving = True
        self._keep()
        self.exit(return_code=code)

    async def action_quit(self) -> None:
        """ctrl+q."""
        self.leave()

    def action_help_quit(self) -> None:
        """ctrl+c where nothing else took it: no markup, no toast."""
        self.say("ctrl+q leaves the tutor.")

    def action_command_palette(self) -> None:
        """The palette, once."""
        from tutor.ui.commands import TutorPalette

        if not isinstance(self.screen, TutorPalette):
            self.push_screen(TutorPalette(id="--command-palette"))

    def _keep(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, FrameScreen):
                screen.keep()

    def _handle_exception(self, error: Exception) -> None:
        """The first error ends the app. What breaks while it ends is only kept."""
        if self._leaving or self._exception is not None:
            crash.save(error)
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Textual's own would print a traceback with the learner's values in it."""
        error: BaseException | None = self._exception or sys.exc_info()[1]
        if isinstance(error, WorkerFailed):
            error = error.error
        self.last_words = crash.sentence(error) if error else None
        self._close_messages_no_wait()


def run(
    settings: Settings,
    section: str | None,
    parent_pipe: int | None,
    trace: "Trace | None" = None,
) -> int:
    """Run the app on this terminal; the process's exit code."""
    app = TutorApp(
        _real_session,
        index(paths.lessons(), parse=False),
        Progress(paths.data()),
        settings,
        section,
        parent_pipe,
        trace,
    )
    return asyncio.run(_run(app))


async def _run(app: TutorApp) -> int:
    await app.run_async()
    if app.last_words:
        os.write(2, f"{app.look.text(app.last_words)}\n".encode())
    if app.session is not None:
        await app.session.close()
    return app.return_code or 0


def _real_session(progress: Progress) -> "Session":
    from tutor.kernel.jupyter import JupyterKernel
    from tutor.runs.store import Runs
    from tutor.session import Session

    _collect_seldom()
    return Session(JupyterKernel, progress, runs=Runs(paths.data() / "runs"))


def _collect_seldom() -> None:
    """A screen that is drawn many times a second makes objects that are gone at once.
    Looking for those that are not took an eighth of the time, and a key had to wait a
    tenth of a second where all that the app is made of was looked through."""
    gc.freeze()
    gc.set_threshold(10_000)
