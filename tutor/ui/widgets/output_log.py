"""OutputLog: what a cell shows while it runs and afterwards, and its `input()` row.

The transcript keeps the lines, OutputLines draws them; this paces the two: at once when
nothing was painted lately, else at most twenty times a second.
"""

from dataclasses import dataclass
from time import monotonic

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input

from tutor.kernel.outputs import Clear, Done, InputRequest, Output
from tutor.safetext import safe_line
from tutor.transcript import Transcript
from tutor.ui.widgets.output_lines import OutputLines

_PERIOD_S = 0.05


class InputRow(Input):
    """What `input()` waits for: the prompt and a line to type in."""

    BINDINGS = [Binding("escape", "cancel", "cancel", show=False)]
    DEFAULT_CSS = """
    InputRow { border: none; height: 1; padding: 0; &:focus { border: none; } }
    """

    @dataclass
    class Cancelled(Message):
        """Esc: the cell shall be interrupted."""

        row: "InputRow"

    def __init__(self, prompt: str, password: bool) -> None:
        super().__init__(placeholder=safe_line(prompt), password=password, compact=True)
        self.prompt = prompt

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled(self))


class OutputLog(Vertical):
    """The outputs of one cell, or of one cell after another."""

    DEFAULT_CSS = """
    OutputLog {
        height: auto;
        & OutputLines { max-height: 24; }
    }
    """

    busy: reactive[bool] = reactive(False)
    """A cell runs; its `Done` ends it."""

    @dataclass
    class Replied(Message):
        """The learner answered `input()`: give `text` to `Session.reply`."""

        log: "OutputLog"
        text: str

    @dataclass
    class InputCancelled(Message):
        """The learner refused to answer `input()`: interrupt the cell."""

        log: "OutputLog"

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.transcript = Transcript()
        self._painted_at = 0.0
        self._dirty = False

    def compose(self) -> ComposeResult:
        yield OutputLines(self.transcript)

    def begin(self, code: str | None = None) -> None:
        """A new cell begins, below the former ones; `code` is echoed."""
        self.transcript.begin(code)
        self._changed()

    def feed(self, output: Output) -> None:
        """Take one output of the newest cell."""
        self.transcript.feed(output)
        match output:
            case InputRequest(prompt, password):
                self._ask(prompt, password)
            case Done():
                self.busy = False
                self._stop_asking()
            case Clear():
                pass
        self._changed()

    def clear(self) -> None:
        """Show nothing."""
        self.transcript.clear()
        self._changed()

    def _changed(self) -> None:
        if self._dirty:
            return
        wait = self._painted_at + _PERIOD_S - monotonic()
        if wait <= 0 or not self.is_mounted:
            self._paint()
        else:
            self._dirty = True
            self.set_timer(wait, self._paint)

    def _paint(self) -> None:
        self._dirty = False
        self._painted_at = monotonic()
        if self.is_mounted:
            self.query_one(OutputLines).update()

    def _ask(self, prompt: str, password: bool) -> None:
        self._stop_asking()
        row = InputRow(prompt, password)
        self.mount(row)
        row.focus()

    def _stop_asking(self) -> None:
        for row in self.query(InputRow):
            row.remove()

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        event.stop()
        row = event.input
        assert isinstance(row, InputRow)
        self.transcript.cells[-1].answer(row.prompt, event.value)
        self._stop_asking()
        self._changed()
        self.post_message(self.Replied(self, event.value))

    @on(InputRow.Cancelled)
    def _refuse(self, event: InputRow.Cancelled) -> None:
        event.stop()
        self._stop_asking()
        self.post_message(self.InputCancelled(self))
