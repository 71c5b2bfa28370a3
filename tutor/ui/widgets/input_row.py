"""InputRow: the line in which a cell's `input()` is answered."""

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.events import Paste
from textual.message import Message
from textual.widgets import Input

from tutor.editing import pasted
from tutor.kernel.outputs import InputRequest
from tutor.safetext import safe
from tutor.ui import look
from tutor.ui.look import Glyph, look_of
from tutor.ui.widgets.plain import Plain

_LONGEST_PROMPT = 30
"""Characters of a prompt that stand before what is typed."""


class InputLine(Input):
    """Esc refuses; a paste brings its first line, without control characters."""

    BINDINGS = [Binding("escape", "refuse", "refuse", show=False)]
    DEFAULT_CSS = "InputLine { width: 1fr; }"

    @dataclass
    class Refused(Message):
        """Esc."""

    def action_refuse(self) -> None:
        self.post_message(self.Refused())

    def _on_paste(self, event: Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(pasted(event.text).partition("\n")[0])


class InputRow(Horizontal):
    """The prompt, if it is short, and a line to type in."""

    DEFAULT_CSS = """
    InputRow {
        height: 1;
        & Plain { width: auto; }
    }
    """

    @dataclass
    class Answered(Message):
        """Enter: `text` is the answer."""

        row: "InputRow"
        text: str

    @dataclass
    class Refused(Message):
        """Esc: the cell shall be interrupted."""

    def __init__(self, request: InputRequest) -> None:
        super().__init__()
        self.request = request
        prompt = request.prompt
        self.shows_prompt = len(prompt) <= _LONGEST_PROMPT and "\n" not in prompt
        """A long one needs the lines above; then only a mark is here."""

    def compose(self) -> ComposeResult:
        yield Plain(look_of(self)[Glyph.HERE], style=look.HERE)
        if self.shows_prompt:
            yield Plain(safe(self.request.prompt))
        yield InputLine(password=self.request.password, compact=True)

    def on_mount(self) -> None:
        line = self.query_one(InputLine)
        line.cursor_blink = look_of(self).settings.link == "fast"
        line.focus()

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Answered(self, event.value))

    @on(InputLine.Refused)
    def _refuse(self, event: InputLine.Refused) -> None:
        event.stop()
        self.post_message(self.Refused())
