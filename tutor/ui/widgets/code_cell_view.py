"""CodeCellView: a cell with code to run, and for an exercise to write.

Editor, outputs, hints and verdict, one below the other. It posts what the learner
wants and shows what it is told; executing and recording are the screen's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from textual import on
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from tutor.kernel.outputs import Output
from tutor.lesson.schema import CodeCell, ExerciseCell
from tutor.progress import CellProgress
from tutor.ui import look
from tutor.ui.widgets.cell_view import CellView
from tutor.ui.widgets.code_editor import CodeEditor
from tutor.ui.widgets.completer import Complete
from tutor.ui.widgets.output_log import OutputLog
from tutor.ui.widgets.plain import Plain
from tutor.ui.widgets.prose import Prose
from tutor.ui.widgets.verdict_view import VerdictView
from tutor.verdicts import Verdict


class CodeCellView(CellView[CodeCell | ExerciseCell]):
    """Code, what it printed, and what is said of it."""

    DEFAULT_CSS = """
    CodeCellView {
        & .editor {
            height: auto;
            border: round $foreground;
            border-title-color: $accent;
            &:focus-within { border: heavy $accent; }
        }
        & .waiting { display: none; }
        &.-busy .waiting { display: block; }
        & OutputLog { display: none; padding-left: 1; }
        &.-ran OutputLog { display: block; }
        & VerdictView { margin: 1 0 0 1; }
    }
    """

    @dataclass
    class Submitted(Message):
        """Run the code; `judged`: and judge it."""

        view: "CodeCellView"
        judged: bool

        @property
        def control(self) -> "CodeCellView":
            return self.view

    def __init__(
        self,
        number: int,
        cell: CodeCell | ExerciseCell,
        progress: CellProgress,
        complete: Complete | None = None,
    ) -> None:
        super().__init__(number, cell, progress)
        self._complete = complete
        self.busy = False
        """It was submitted and has not ended."""
        self._put_away: str | None = None
        """What the learner had before starting over; None: nothing."""

    @property
    def first_text(self) -> str:
        """What the lesson puts into the editor."""
        cell = self.cell
        text = cell.code if isinstance(cell, CodeCell) else cell.starter
        return text.strip("\n")

    def body(self) -> Iterable[Widget]:
        """From the cell's words down to the verdict."""
        yield from self.words()
        if isinstance(self.cell, ExerciseCell):
            yield Prose(self.cell.task)
        with_editor = Vertical(classes="editor")
        with_editor.compose_add_child(
            CodeEditor(self._start_text(), complete=self._complete)
        )
        yield with_editor
        yield Plain("", style=look.QUIET, classes="waiting")
        yield OutputLog()
        verdict = VerdictView()
        verdict.set_reactive(VerdictView.rungs, len(self._hints))
        verdict.set_reactive(VerdictView.hints, self._hints[: self.progress.hints])
        yield verdict

    def _start_text(self) -> str:
        for kept in (self.progress.draft, self.progress.accepted):
            if kept is not None:
                return kept
        return self.first_text

    @property
    def _hints(self) -> list[str]:
        return self.cell.hints if isinstance(self.cell, ExerciseCell) else []

    # ------------------------------------------------------------------- its parts

    @property
    def editor(self) -> CodeEditor:
        """There once the cell was opened."""
        return self.query_one(CodeEditor)

    @property
    def output(self) -> OutputLog:
        """What the code printed."""
        return self.query_one(OutputLog)

    @property
    def verdict(self) -> VerdictView:
        """What is said of it."""
        return self.query_one(VerdictView)

    @property
    def code(self) -> str:
        """As it is typed now."""
        return self.editor.text

    # ---------------------------------------------------------------- what it is told

    def begin(self, waits_for: str = "") -> None:
        """It was submitted; `waits_for` says what comes before it, "" nothing."""
        self.busy = True
        self.output.clear()
        self.output.begin()
        self.output.busy = True
        self.verdict.verdict = None
        words = f"waiting for {waits_for}" if waits_for else ""
        self.query_one(".waiting", Plain).show(words, look.QUIET)
        self.set_class(bool(waits_for), "-busy")
        self.set_class(not waits_for, "-ran")

    def feed(self, output: Output) -> None:
        """An output, in order."""
        self.remove_class("-busy")
        self.add_class("-ran")
        self.output.feed(output)
        self.post_message(self.Grown(self))

    def judge(self, verdict: Verdict) -> None:
        """The verdict is recorded: now it may be shown."""
        expected = isinstance(self.cell, CodeCell) and not (
            self.cell.expect and self.cell.expect.raises
        )
        if not (expected and verdict.passed):
            self.verdict.verdict = verdict
        self.show_standing()
        self.post_message(self.Grown(self))

    def end(self) -> None:
        """It ran, was stopped or failed to run."""
        self.busy = self.output.busy = False
        self.remove_class("-busy")
        self.show_offer(typing=self.has_focus_within)
        self.show_standing()

    def show_offer(self, *, typing: bool) -> None:
        """Which key helps after a wrong try, in the mode there is."""
        shown, rungs = self.progress.hints, len(self._hints)
        key = "Esc, then h for" if typing else "h for"
        if shown < rungs:
            self.verdict.offer = f"{key} a hint ({shown + 1} of {rungs})"
        elif isinstance(self.cell, ExerciseCell) and not self.progress.solution_shown:
            self.verdict.offer = f"{key} the solution"
        else:
            self.verdict.offer = ""

    def show_hints(self) -> None:
        """One more was recorded."""
        self.verdict.hints = self._hints[: self.progress.hints]
        self.show_offer(typing=self.has_focus_within)
        self.post_message(self.Grown(self))

    def show_solution(self, code: str) -> None:
        """It was recorded as shown."""
        why = self.cell.why if isinstance(self.cell, ExerciseCell) else ""
        self.verdict.why = why
        self.verdict.solution = code
        self.show_offer(typing=self.has_focus_within)
        self.show_standing()
        self.post_message(self.Grown(self))

    def start_over(self) -> bool:
        """The lesson's text again; once more, the learner's. True: the lesson's."""
        editor = self.editor
        back = self.code == self.first_text and self._put_away is not None
        text = self._put_away if back else self.first_text
        self._put_away = None if back else self.code
        editor.replace(text or "", (0, 0), editor.document.end)
        return not back

    def begin_edit(self) -> bool:
        """Into the editor."""
        self.editor.focus()
        return True

    def unsaved(self) -> str | None:
        """What is typed, when it is not what was kept last."""
        if not self._filled or self.code == self._start_text():
            return None
        return self.code

    # ------------------------------------------------------------------------ keys

    @on(CodeEditor.Submitted)
    def _submit(self, event: CodeEditor.Submitted) -> None:
        event.stop()
        judged = isinstance(self.cell, CodeCell)
        self.post_message(self.Submitted(self, judged))

    def on_descendant_focus(self) -> None:
        """The mode is visible at the cell, too."""
        self.query_one(".editor").border_title = "editing"

    def on_descendant_blur(self) -> None:
        """Command mode."""
        self.query_one(".editor").border_title = None
