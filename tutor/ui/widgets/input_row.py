"""InputRow: the line in which a cell's `input()` is answered."""

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.events import Key, Paste
from textual.message import Message
from textual.widget import Widget
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
    """One line of text. Esc refuses; a paste brings its first line, made harmless."""

    BINDINGS = [Binding("escape", "refuse", "refuse", show=False)]
    DEFAULT_CSS = "InputLine { width: 1fr; }"

    @dataclass
    class Refused(Message):
        """Esc."""

    def __init__(self, *, password: bool, after: Widget | None) -> None:
        super().__init__(password=password, compact=True)
        self.after = after
        """Gets the keys that come once the line is answered."""
        self.answered = False

    async def _on_key(self, event: Key) -> None:
        if not self.answered and event.key != "enter":
            return
        event.stop()
        event.prevent_default()
        if not self.answered:  # now: the binding's turn comes after the next keys
            await self.action_submit()
        elif self.after is not None:
            self.after.post_message(Key(event.key, event.character))

    async def action_submit(self) -> None:
        if not self.answered:
            self.answered = True
            await super().action_submit()

    def action_refuse(self) -> None:
        if not self.answered:
            self.answered = True
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

    def __init__(self, request: InputRequest, focused_before: Widget | None) -> None:
        """`focused_before` gets the focus back when the row is closed."""
        super().__init__()
        self.request = request
        prompt = request.prompt
        self.shows_prompt = len(prompt) <= _LONGEST_PROMPT and "\n" not in prompt
        """A long one needs the lines above; then only a mark is here."""
        self._line = InputLine(password=request.password, after=focused_before)

    def compose(self) -> ComposeResult:
        yield Plain(look_of(self)[Glyph.HERE], style=look.HERE)
        if self.shows_prompt:
            yield Plain(safe(self.request.prompt))
        yield self._line

    def on_mount(self) -> None:
        self._line.cursor_blink = look_of(self).settings.link == "fast"
        self._line.focus()

    def close(self) -> None:
        """Give the focus back and go away."""
        before = self._line.after
        if self._line.has_focus and before is not None and before.is_attached:
            self.screen.set_focus(before)
        self._line.answered = True
        self.remove()

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Answered(self, event.value))

    @on(InputLine.Refused)
    def _refuse(self, event: InputLine.Refused) -> None:
        event.stop()
        self.post_message(self.Refused())
