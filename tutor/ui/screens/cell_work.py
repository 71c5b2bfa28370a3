"""CellWork: what the learner does in a cell, handed to the Session and shown again.

Running, judging, answering, hints, drafts. Which cell it is, is the lesson screen's;
what is judged and recorded is the Session's. A tick is drawn only after the Session has
recorded what it stands for.
"""

import asyncio
from typing import Any

from textual import on, work
from textual.timer import Timer
from textual.widgets import Input

from tutor.answers import Answer
from tutor.errors import TutorError
from tutor.lesson.schema import CodeCell, ExerciseCell, Lesson, TextCell
from tutor.safetext import safe
from tutor.session import Session
from tutor.ui import look
from tutor.ui.screens.frame import FrameScreen
from tutor.ui.widgets.cell_view import CellView
from tutor.ui.widgets.code_cell_view import CodeCellView
from tutor.ui.widgets.code_editor import CodeEditor
from tutor.ui.widgets.output_log import OutputLog
from tutor.ui.widgets.question_view import QuestionView
from tutor.verdicts import Verdict

DRAFT_S = 0.8
"""How long what is typed may be on the screen only."""


class CellWork(FrameScreen[None]):
    """The part of the lesson screen that speaks with the Session."""

    def __init__(self, session: Session, lesson: Lesson) -> None:
        super().__init__()
        self.session = session
        self.lesson = lesson
        self._opened = asyncio.Event()
        """The kernel is as the lesson left it, or cannot be."""
        self._draft_timer: Timer | None = None
        self._notices_told = len(session.progress.notices)
        self._asked = False
        """It was said that leaving stops a cell; forgotten when none runs."""

    @property
    def view(self) -> CellView[Any]:
        """The cell where the learner is."""
        raise NotImplementedError

    @property
    def in_console(self) -> bool:
        """The learner types in the console beside."""
        raise NotImplementedError

    @work(group="open")
    async def _open(self) -> None:
        """The kernel as it was when the lesson was left."""
        try:
            problem = await self.session.open(self.lesson)
            self.session.place(self.view.cell.id)
            problems = [f"The lesson's setup failed: {problem}"] if problem else []
            problems += await self.session.replay()
        except TutorError as error:
            problems = [str(error)]
        finally:
            self._opened.set()
        if problems:
            self.say(safe("\n".join(problems)), look.BAD)
        self.refresh_frame()

    def read_text(self) -> None:
        """Text is done when the learner goes on from it."""
        view = self.view
        if isinstance(view.cell, TextCell) and self.session.lesson is self.lesson:
            self.session.read(view.cell)
            view.show_standing()
            self.tell_notices()

    # --------------------------------------------------------------------- running

    def action_run_cell(self) -> None:
        """Run; an exercise without judging it."""
        if isinstance(self.view, CodeCellView):
            self._submit(self.view, judged=isinstance(self.view.cell, CodeCell))

    def action_check_cell(self) -> None:
        """Run the exercise and judge it."""
        if isinstance(self.view, CodeCellView):
            self._submit(self.view, judged=True)

    @on(CodeCellView.Submitted)
    def _submit_typed(self, event: CodeCellView.Submitted) -> None:
        event.stop()
        self._submit(event.view, judged=event.judged)

    def _submit(self, view: CodeCellView, *, judged: bool) -> None:
        if view.busy:
            self.say("It is running already; ^c stops it.")
            return
        if not view.code.strip():
            self.say("There is no code in this cell yet.")
            return
        self.keep_draft()
        view.begin("" if self._opened.is_set() else "the kernel")
        self._execute(view, view.code, judged)

    @work(group="execute")
    async def _execute(self, view: CodeCellView, code: str, judged: bool) -> None:
        try:
            await self._opened.wait()
            cell = view.cell if judged else None
            async for event in self.session.execute(code, cell, stdin=True):
                if isinstance(event, Verdict):
                    view.judge(event)
                    self._after_verdict(view, event)
                else:
                    view.feed(event)
        except TutorError as error:
            self.say(safe(str(error)), look.BAD)
        finally:
            self._asked = False
            if view.is_attached:
                view.end()
            self.tell_notices()
            self.refresh_frame()

    def _after_verdict(self, view: CellView[Any], verdict: Verdict) -> None:
        """What passed needs no more typing: Enter goes on."""
        if verdict.passed and view is self.view and not self.in_console:
            self.set_focus(None)

    def action_back(self) -> None:
        """Up to the sections; code that still runs is stopped, but not unasked."""
        self.keep_draft()
        running = [view for view in self.query(CodeCellView) if view.busy]
        if running and not self._asked:
            self._asked = True
            number = running[0].number
            self.say(f"Cell {number} still runs. Esc once more stops it and leaves.")
            return
        if running:  # by the app: this screen's own workers end with it
            self.app.run_worker(self.session.interrupt(), group="interrupt")
        super().action_back()

    @on(OutputLog.Replied)
    def _reply(self, event: OutputLog.Replied) -> None:
        self.session.reply(event.text)

    @on(OutputLog.InputCancelled)
    def _refuse_input(self) -> None:
        self.action_interrupt()

    # ------------------------------------------------------------------- answering

    @on(QuestionView.Answered)
    def _judge_answer(self, event: QuestionView.Answered) -> None:
        event.stop()
        self._answer(event.view, event.answer)

    def _answer(self, view: QuestionView, answer: Answer) -> None:
        if self.session.lesson is None:
            return
        verdict = self.session.answer(view.cell, answer)
        view.judge(verdict)
        self._after_verdict(view, verdict)
        self.tell_notices()
        self.refresh_frame()

    @on(QuestionView.Unclear)
    def _say_unclear(self, event: QuestionView.Unclear) -> None:
        event.stop()
        self.say(event.sentence)

    def action_hint(self) -> None:
        """The next rung; after the last one the solution."""
        view = self.view
        if not isinstance(view, (CodeCellView, QuestionView)):
            return
        if isinstance(view.cell, CodeCell):
            return
        if self.session.hint(view.cell) is not None:
            view.show_hints()
        elif isinstance(view.cell, ExerciseCell):
            self.action_solution()
        else:
            self.say("There is no further hint. x leaves the question for later.")
        self.tell_notices()
        self.refresh_frame()

    def action_solution(self) -> None:
        """Recorded as shown, then shown."""
        view = self.view
        if isinstance(view, CodeCellView) and isinstance(view.cell, ExerciseCell):
            view.show_solution(self.session.solution(view.cell))
            self.tell_notices()
            self.refresh_frame()

    def action_start_over(self) -> None:
        """The lesson's text again."""
        if isinstance(self.view, CodeCellView):
            again = self.view.start_over()
            self.say(
                "The first text is back; u once more brings yours."
                if again
                else "Your text is back."
            )

    def offer_hint(self) -> None:
        """The line below a wrong answer names the keys as they work now."""
        view = self.view
        if isinstance(view, (CodeCellView, QuestionView)) and view.is_open:
            view.show_offer(typing=self.mode == "edit")

    # ---------------------------------------------------------------------- drafts

    @on(CodeEditor.Edited)
    @on(Input.Changed)
    def _keep_soon(self) -> None:
        if self._draft_timer is None:
            self._draft_timer = self.set_timer(DRAFT_S, self.keep_draft)

    def keep_draft(self) -> None:
        """Record what is typed in the current cell, if it is news."""
        if self._draft_timer is not None:
            self._draft_timer.stop()
            self._draft_timer = None
        if self.session.lesson is not self.lesson:
            return
        typed = self.view.unsaved()
        if typed is not None:
            self.session.draft(self.view.cell.id, typed)
            self.tell_notices()

    def keep(self) -> None:
        """The app or the screen ends."""
        self.keep_draft()

    def tell_notices(self) -> None:
        """Say what the progress has to say, once: a full disk, a damaged file."""
        notices = self.session.progress.notices
        for notice in notices[self._notices_told :]:
            self.say(safe(notice), look.WARN)
        self._notices_told = len(notices)
