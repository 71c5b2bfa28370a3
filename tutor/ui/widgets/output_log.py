"""OutputLog: what cells show while they run and afterwards, and the row for `input()`.

The transcript keeps the lines, OutputLines draws them; this paces the two: at once when
nothing was painted lately, else at most twenty times a second.
"""

from collections import deque
from dataclasses import dataclass
from time import monotonic

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer

from tutor import actions
from tutor.kernel.outputs import Done, InputRequest, Output, Stream
from tutor.transcript import Transcript
from tutor.ui import look
from tutor.ui.look import Glyph, look_of
from tutor.ui.widgets.input_row import InputRow
from tutor.ui.widgets.output_lines import OutputLines
from tutor.ui.widgets.plain import Plain

_PERIOD_S = {"fast": 0.05, "slow": 0.25}
_BURST = 4
"""Paints that may follow one another at once: an echo and its result do not wait."""
_SAY_RUNNING_S = 0.3
_SAY_HOW_TO_STOP_S = 2


class OutputLog(Vertical):
    """The outputs of one cell, or of one cell after another."""

    DEFAULT_CSS = """
    OutputLog {
        height: auto;
        & OutputLines { max-height: 24; }
        & #running { display: none; }
    }
    """

    busy: reactive[bool] = reactive(False, init=False)
    """A cell runs, which is said when it takes a while; its `Done` ends it."""

    waits_for: str = ""
    """What `busy` waits for before the cell itself can run; "": it runs."""

    @dataclass
    class Replied(Message):
        """The learner answered `input()`: `text` is for `Session.reply`."""

        log: "OutputLog"
        text: str

        @property
        def control(self) -> "OutputLog":
            return self.log

    @dataclass
    class InputCancelled(Message):
        """The learner refused to answer `input()`: interrupt the cell."""

        log: "OutputLog"

        @property
        def control(self) -> "OutputLog":
            return self.log

    def __init__(
        self,
        transcript: Transcript | None = None,
        *,
        at_bottom: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`transcript`: one that somebody else feeds; tell `show` of what it gets.

        `at_bottom`: few lines stand at the end of the room, as above a prompt.
        """
        super().__init__(name=name, id=id, classes=classes)
        self.transcript = transcript or Transcript()
        self._at_bottom = at_bottom
        self._paints: deque[float] = deque([0.0] * _BURST, maxlen=_BURST)
        self._due: Timer | None = None
        self._busy_since = 0.0
        self._clock: Timer | None = None

    def compose(self) -> ComposeResult:
        yield OutputLines(self.transcript, at_bottom=self._at_bottom)
        yield Plain(id="running")

    # ------------------------------------------------------------------ what comes

    def begin(self, code: str | None = None) -> None:
        """A new cell begins, below the former ones; `code` is echoed."""
        self.transcript.begin(code)
        self.show(None)

    def feed(self, output: Output) -> None:
        """Take one output of the newest cell."""
        self.transcript.feed(output)
        self.show(output)

    def clear(self) -> None:
        """Show nothing."""
        self.transcript.clear()
        self.show(None)

    def show(self, output: Output | None) -> None:
        """The transcript has changed; `output` is what it was fed, if that is known."""
        if isinstance(output, InputRequest):
            self.ask(output)
        elif isinstance(output, Done):
            self.busy = False
            self.stop_asking()
        if not self.is_mounted:
            return
        period = _PERIOD_S[look_of(self).settings.link]
        wait = self._paints[0] + period * _BURST - monotonic()
        if wait <= 0 or isinstance(output, Done):  # the end of a cell never waits
            self._paint()
        elif self._due is None:
            self._due = self.set_timer(wait, self._paint)

    def on_mount(self) -> None:
        self._paint()

    def _paint(self) -> None:
        if self._due is not None:
            self._due.stop()
            self._due = None
        self._paints.append(monotonic())
        self.query_one(OutputLines).update()

    # --------------------------------------------------------------------- running

    def watch_busy(self, busy: bool) -> None:
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
        self._busy_since = monotonic()
        running = self.query_one("#running", Plain)
        if busy:
            self._clock = self.set_timer(_SAY_RUNNING_S, self._say_running)
        else:
            running.display = False

    def _say_running(self) -> None:
        seconds = int(monotonic() - self._busy_since)
        signs = look_of(self)
        words = [signs[Glyph.BUSY], self.waits_for or "running"]
        if seconds >= 1:
            words.append(f"{seconds} s")
        if seconds >= _SAY_HOW_TO_STOP_S and not self.waits_for:
            key = signs.key(actions.named("interrupt").keys[0])
            words.append(f"  {key} stops it")
        running = self.query_one("#running", Plain)
        asking = bool(self.query(InputRow))
        running.display = not asking
        running.show(" ".join(words), look.QUIET)
        rest = 1 - (monotonic() - self._busy_since) % 1
        self._clock = self.set_timer(rest, self._say_running)

    # --------------------------------------------------------------------- input()

    def ask(self, request: InputRequest) -> None:
        """Show the row for `input()`; the focus goes there and comes back."""
        self.stop_asking()
        row = InputRow(request, self.screen.focused)
        if not row.shows_prompt:
            self._print(request.prompt)
        self.query_one("#running", Plain).display = False
        self.mount(row)

    def _print(self, text: str) -> None:
        self.transcript.feed(Stream("stdout", text))
        self.show(None)

    def stop_asking(self) -> None:
        """Take the row away: it was answered, or nobody waits any more."""
        for row in self.query(InputRow):
            row.close()

    @on(InputRow.Answered)
    def _answer(self, event: InputRow.Answered) -> None:
        event.stop()
        shown = "*" * len(event.text) if event.row.request.password else event.text
        prompt = event.row.request.prompt if event.row.shows_prompt else ""
        self.stop_asking()
        self._print(f"{prompt}{shown}\n")
        self.post_message(self.Replied(self, event.text))

    @on(InputRow.Refused)
    def _refuse(self, event: InputRow.Refused) -> None:
        event.stop()
        self.stop_asking()
        self.post_message(self.InputCancelled(self))
