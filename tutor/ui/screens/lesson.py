"""LessonScreen: the cells of one lesson in order, on one scroll.

It moves between cells and to other screens, and says which keys are of use. How a cell
looks is its view's; what is done in it is `cell_work`'s.
"""

from typing import Any

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from tutor import actions
from tutor.actions import Action
from tutor.lesson.schema import (
    CodeCell,
    ExerciseCell,
    GraphCell,
    QuestionCell,
    TextCell,
    TrainCell,
)
from tutor.safetext import safe_line
from tutor.ui import look
from tutor.ui.cell_words import about, enter_word
from tutor.ui.look import Glyph
from tutor.ui.screens.cell_work import CellWork
from tutor.ui.screens.frame import bindings
from tutor.ui.widgets.answer_lists import AnswerList
from tutor.ui.widgets.cell_list import CellList
from tutor.ui.widgets.cell_view import CellView
from tutor.ui.widgets.console_pane import ConsolePane
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.lesson_aside import LessonAside
from tutor.ui.widgets.question_view import NumberInput, QuestionView
from tutor.ui.widgets.visit_view import VisitView


class LessonScreen(CellWork):
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
                return isinstance(cell, (GraphCell, TrainCell))
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
        if action.id == "step_cell":
            return enter_word(self.view.cell, done=False)
        return super().word_of(action)

    def footer_actions(self) -> list[Action]:
        """In a question, the keys of its list; in the console, the console's."""
        focused = self.focused
        if isinstance(focused, AnswerList):
            rows = actions.footer("answer", "edit")
            leave = actions.named("leave_cell")
            return [*(row for row in rows if focused.offers(row)), leave]
        if self.in_console:
            return [*actions.footer("console", "edit"), actions.named("leave_cell")]
        if isinstance(focused, NumberInput):
            return [actions.named("give_answer"), actions.named("leave_cell")]
        rows = super().footer_actions()
        if self.mode == "command" and self.word_of(actions.named("go_on")) == "run":
            rows.remove(actions.named("run_cell"))
        if not self.view.progress.done and actions.named("step_cell") in rows:
            rows.remove(actions.named("step_cell"))  # Enter does it
        return rows

    # --------------------------------------------------------------------- moving

    async def _go_to(self, here: int) -> None:
        """Make that cell the current one."""
        self.keep_draft()
        if here > self._cells.here:
            self.read_text()
        await self._cells.go_to(here)
        self.set_focus(None)
        if self._opened.is_set():
            self.session.place(self.view.cell.id)
        self.refresh_frame()

    async def action_next_cell(self) -> None:
        """Down; after the last there is nothing."""
        if self.view.number < len(self._cells.views):
            await self._go_to(self._cells.here + 1)
        else:
            self.read_text()
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

    async def action_skip_cell(self) -> None:
        """For later."""
        if not self.view.progress.done:
            self.session.skip(self.view.cell)
            self.view.show_standing()
        await self.action_next_cell()

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
        self.keep_draft()
        self.set_focus(None)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Wherever something can be typed, letters are text."""
        self.mode = "edit"
        self.offer_hint()
        self.refresh_frame()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """And nowhere else."""
        if self.focused is None:
            self.mode = "command"
        self.offer_hint()
        self.refresh_frame()

    def on_key(self, event: events.Key) -> None:
        """A digit begins the answer to a question."""
        view, character = self.view, event.character
        if not (character and isinstance(view, QuestionView)):
            return
        if self.mode == "command" and view.type_first(character):
            event.stop()
            event.prevent_default()

    # ------------------------------------------------------------- other screens

    def action_step_cell(self) -> None:
        """The stepper, or the training screen; also when the cell is done."""
        if isinstance(self.view, VisitView):
            self._visit(self.view)

    def _visit(self, view: VisitView) -> None:
        def closed(finished: bool | None) -> None:
            if finished is not False:
                self.session.read(view.cell)
                view.show_standing()
                self.tell_notices()
                self.refresh_frame()

        if isinstance(view.cell, GraphCell):
            self.host.open_stepper(view.cell, closed)
        else:
            self.host.open_training(view.cell, closed)

    @property
    def in_console(self) -> bool:
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
