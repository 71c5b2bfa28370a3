"""LessonScreen: the cells of one lesson in order, on one scroll.

It moves between cells, hands what the learner does to the Session, and shows in the
cell's view what the Session says. How a cell looks is its view's; what is judged and
recorded is the Session's, and a tick is drawn only after it was recorded.
"""

import asyncio
from typing import Any

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input

from tutor import actions
from tutor.actions import Action
from tutor.answers import Answer
from tutor.errors import TutorError
from tutor.lesson.schema import (
    CodeCell,
    ExerciseCell,
    GraphCell,
    Lesson,
    QuestionCell,
    TextCell,
)
from tutor.safetext import safe, safe_line
from tutor.session import Session
from tutor.ui import look
from tutor.ui.cell_words import about, enter_word
from tutor.ui.look import Glyph
from tutor.ui.screens.frame import FrameScreen, bindings
from tutor.ui.widgets.answer_lists import AnswerList
from tutor.ui.widgets.cell_list import CellList
from tutor.ui.widgets.cell_view import CellView
from tutor.ui.widgets.code_cell_view import CodeCellView
from tutor.ui.widgets.code_editor import CodeEditor
from tutor.ui.widgets.console_pane import ConsolePane
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.lesson_aside import LessonAside
from tutor.ui.widgets.output_log import OutputLog
from tutor.ui.widgets.question_view import NumberInput, QuestionView
from tutor.ui.widgets.visit_view import VisitView
from tutor.verdicts import Verdict

DRAFT_S = 0.8
"""How long what is typed may be on the screen only."""


class LessonScreen(FrameScreen[None]):
    """One lesson, opened where the learner left it."""

    PLACE = "lesson"
    BINDINGS = bindings("lesson")
    DEFAULT_CSS = """
    LessonScreen {
        & #lesson { height: 1fr; layout: vertical; }
        & ConsolePane { display: none; height: 50%; border-top: solid $foreground; }
        &.-console ConsolePane { display: block; }
        &.-wide #lesson { layout: horizontal; }
        & LessonAside { display: none; }
        &.-wide LessonAside { display: block; }
        &.-console LessonAside { display: none; }
        &.-wide ConsolePane {
            width: 46; height: 1fr;
            border-top: none; border-left: solid $foreground; padding-left: 1;
        }
        &.-low.-console CellList { display: none; }
        &.-low ConsolePane { height: 1fr; border-top: none; }
        &.-narrow .body { padding-left: 4; }
    }
    """

    def __init__(self, session: Session, lesson: Lesson) -> None:
        super().__init__()
        self.session = session
        self.lesson = lesson
        self._opened = asyncio.Event()
        self._draft_timer: Timer | None = None
        self._notices_told = len(session.progress.notices)

    # ------------------------------------------------------------------- beginning

    def compose_content(self) -> ComposeResult:
        """All cells; the console appears when it is asked for."""
        progress = self.session.progress.lesson(self.lesson.section)
        ids = [cell.id for cell in self.lesson.cells]
        with Horizontal(id="lesson"):
            yield CellList(
                self.lesson.cells,
                lambda cell: progress.cell(cell.id, tuple(cell.aliases)),
                self.session.complete,
                ids.index(progress.place) if progress.place in ids else 0,
            )
            yield LessonAside(self.lesson)

    def on_mount(self) -> None:
        """Get the kernel ready while the learner reads."""
        self._open()

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

    # -------------------------------------------------------------- what it tells

    @property
    def _cells(self) -> CellList:
        return self.query_one(CellList)

    @property
    def view(self) -> CellView[Any]:
        """The cell where the learner is."""
        return self._cells.view

    def title_parts(self) -> TitleParts:
        """Which lesson, how far, and the kernel."""
        text = self.look.text
        title = Content.assemble(
            (f"{self.lesson.section} ", look.QUIET),
            (text(safe_line(self.lesson.title)), look.STRONG),
        )
        views = self._cells.views
        dots = Content("").join(map(self._dot, views))
        count = f"{self.view.number}/{len(views)}"
        return TitleParts(title, (dots, Content(count)), self.kernel_badge())

    def _dot(self, view: CellView[Any]) -> Content:
        if view.here:
            return Content.styled(self.look[Glyph.NOW], f"{look.HERE} {look.STRONG}")
        if view.progress.done:
            return Content.styled(self.look[Glyph.DONE], look.GOOD)
        if view.progress.skipped:
            return Content.styled(self.look[Glyph.SKIPPED], look.QUIET)
        return Content.styled(self.look[Glyph.TODO], look.QUIET)

    def about(self) -> str:
        """What kind of cell this is."""
        return about(self.view.cell)

    def offers(self, action: Action) -> bool:
        """What is of use in this cell."""
        cell = self.view.cell if self.is_mounted else None
        match action.id:
            case "run_cell":
                return isinstance(cell, (CodeCell, ExerciseCell))
            case "check_cell" | "solution":
                return isinstance(cell, ExerciseCell)
            case "edit_cell" | "start_over":
                return isinstance(cell, (CodeCell, ExerciseCell))
            case "hint":
                return self._may_hint()
            case "step_cell":
                return isinstance(cell, GraphCell)
            case "skip_cell":
                return not isinstance(cell, TextCell)
        return True

    def _may_hint(self) -> bool:
        cell, progress = self.view.cell, self.view.progress
        if progress.done:
            return False
        if isinstance(cell, ExerciseCell):
            return progress.hints < len(cell.hints) or not progress.solution_shown
        return isinstance(cell, QuestionCell) and bool(cell.hints)

    def word_of(self, action: Action) -> str:
        """Enter says what it will do."""
        if action.id == "go_on":
            return enter_word(self.view.cell, self.view.progress.done)
        return super().word_of(action)

    def footer_actions(self) -> list[Action]:
        """In a question, the keys of its list; in the console, the console's."""
        focused = self.focused
        if isinstance(focused, AnswerList):
            rows = actions.footer("answer", "edit")
            leave = actions.named("leave_cell")
            return [*(row for row in rows if focused.offers(row)), leave]
        if self._in_console:
            return [*actions.footer("console", "edit"), actions.named("leave_cell")]
        if isinstance(focused, NumberInput):
            return [actions.named("give_answer"), actions.named("leave_cell")]
        rows = super().footer_actions()
        if self.mode == "command" and self.word_of(actions.named("go_on")) == "run":
            rows.remove(actions.named("run_cell"))
        return rows

    # --------------------------------------------------------------------- moving

    async def _go_to(self, here: int) -> None:
        """Make that cell the current one."""
        self._keep_draft()
        if here > self._cells.here:
            self._read_text()
        await self._cells.go_to(here)
        self.set_focus(None)
        if self._opened.is_set():
            self.session.place(self.view.cell.id)
        self.refresh_frame()

    def _read_text(self) -> None:
        """Text is done when the learner goes on from it."""
        view = self.view
        if isinstance(view.cell, TextCell) and self.session.lesson is self.lesson:
            self.session.read(view.cell)
            view.show_standing()
            self._tell_notices()

    async def action_next_cell(self) -> None:
        """Down; after the last there is nothing."""
        if self.view.number < len(self._cells.views):
            await self._go_to(self._cells.here + 1)
        else:
            self._read_text()
            self.refresh_frame()
            self.say(self._end_words())

    def _end_words(self) -> str:
        left = [view.number for view in self._cells.views if not view.progress.done]
        if not left:
            return "The lesson is done. Esc leads back to the sections."
        numbers = ", ".join(map(str, left[:6]))
        return f"That was the last cell. Still open: {numbers}."

    async def action_previous_cell(self) -> None:
        """Up."""
        await self._go_to(self._cells.here - 1)

    async def action_first_cell(self) -> None:
        """To the top."""
        await self._go_to(0)

    async def action_last_cell(self) -> None:
        """To the end."""
        await self._go_to(len(self._cells.views) - 1)

    def action_page_down(self) -> None:
        """Scroll on."""
        self._cells.scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll back."""
        self._cells.scroll_page_up(animate=False)

    # --------------------------------------------------------------- Enter and Esc

    async def action_go_on(self) -> None:
        """What comes next in this cell, and then the next cell."""
        view = self.view
        if isinstance(view.cell, TextCell):
            if not self._cells.read_further():
                await self.action_next_cell()
        elif view.progress.done:
            await self.action_next_cell()
        elif isinstance(view, VisitView):
            self._visit(view)
        elif isinstance(view.cell, CodeCell):
            self.action_run_cell()
        else:
            self.action_edit_cell()

    def action_edit_cell(self) -> None:
        """Type."""
        self.view.begin_edit()

    def action_leave_cell(self) -> None:
        """Command mode; what was typed stays."""
        self._keep_draft()
        self.set_focus(None)

    def action_back(self) -> None:
        """Back to the sections; the draft is kept first."""
        self.keep()
        super().action_back()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Wherever something can be typed, letters are text."""
        self.mode = "edit"
        self._offer_hint()
        self.refresh_frame()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """And nowhere else."""
        if self.focused is None:
            self.mode = "command"
        self._offer_hint()
        self.refresh_frame()

    def _offer_hint(self) -> None:
        """The line below a wrong answer names the keys as they work now."""
        view = self.view
        if isinstance(view, (CodeCellView, QuestionView)) and view.is_open:
            view.show_offer(typing=self.mode == "edit")

    def on_key(self, event: events.Key) -> None:
        """A digit begins the answer to a question."""
        view, character = self.view, event.character
        if not (character and isinstance(view, QuestionView)):
            return
        if self.mode == "command" and view.type_first(character):
            event.stop()
            event.prevent_default()

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
        self._keep_draft()
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
            view.end()
            self._tell_notices()
            self.refresh_frame()

    def _after_verdict(self, view: CellView[Any], verdict: Verdict) -> None:
        """What passed needs no more typing: Enter goes on."""
        if verdict.passed and view is self.view and not self._in_console:
            self.set_focus(None)

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
        self._tell_notices()
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
        self._tell_notices()
        self.refresh_frame()

    def action_solution(self) -> None:
        """Recorded as shown, then shown."""
        view = self.view
        if isinstance(view, CodeCellView) and isinstance(view.cell, ExerciseCell):
            view.show_solution(self.session.solution(view.cell))
            self._tell_notices()
            self.refresh_frame()

    async def action_skip_cell(self) -> None:
        """For later."""
        if not self.view.progress.done:
            self.session.skip(self.view.cell)
            self.view.show_standing()
        await self.action_next_cell()

    def action_start_over(self) -> None:
        """The lesson's text again."""
        if isinstance(self.view, CodeCellView):
            self.view.start_over()
            self.say("The first text is back. ^z in the editor brings yours again.")

    # ------------------------------------------------------------- other screens

    def action_step_cell(self) -> None:
        """The stepper."""
        if isinstance(self.view, VisitView):
            self._visit(self.view)

    def _visit(self, view: VisitView) -> None:
        def closed(finished: bool | None) -> None:
            if finished is not False:
                self.session.read(view.cell)
                view.show_standing()
                self._tell_notices()
                self.refresh_frame()

        if isinstance(view.cell, GraphCell):
            self.host.open_stepper(view.cell, closed)
        else:
            self.host.open_training(view.cell, closed)

    @property
    def _in_console(self) -> bool:
        return any(pane.has_focus_within for pane in self.query(ConsolePane))

    def action_toggle_console(self) -> None:
        """Show it and type in it, or put it away."""
        if self.has_class("-console"):
            self.remove_class("-console")
            self.set_focus(None)
            return
        self.add_class("-console")
        panes = self.query(ConsolePane)
        if panes:
            panes.first().focus()
        else:
            self._mount_console()
        self.call_after_refresh(self._cells.bring_into_view)

    @work(group="console", exclusive=True)
    async def _mount_console(self) -> None:
        pane = ConsolePane(self.session)
        await self.query_one("#lesson").mount(pane)
        pane.focus()

    # ---------------------------------------------------------------------- drafts

    @on(CodeEditor.Edited)
    @on(Input.Changed)
    def _keep_soon(self) -> None:
        if self._draft_timer is None:
            self._draft_timer = self.set_timer(DRAFT_S, self._keep_draft)

    def _keep_draft(self) -> None:
        """Record what is typed in the current cell, if it is news."""
        if self._draft_timer is not None:
            self._draft_timer.stop()
            self._draft_timer = None
        if self.session.lesson is not self.lesson:
            return
        typed = self.view.unsaved()
        if typed is not None:
            self.session.draft(self.view.cell.id, typed)
            self._tell_notices()

    def keep(self) -> None:
        """The app or the screen ends."""
        self._keep_draft()

    def _tell_notices(self) -> None:
        """Say what the progress has to say, once: a full disk, a damaged file."""
        notices = self.session.progress.notices
        for notice in notices[self._notices_told :]:
            self.say(safe(notice), look.WARN)
        self._notices_told = len(notices)
