"""AskLine: one line to type in under the step card, and what is said of it above.

Predictions, searches, breakpoints, an edited leaf and a file's name are all typed here;
what they mean is the screen's.
"""

from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input
from textual.widgets.input import Selection

from tutor.editing import pasted
from tutor.ui import look
from tutor.ui.look import look_of
from tutor.ui.widgets.plain import Plain, Words


@dataclass(frozen=True, slots=True)
class Ask:
    """Something to be typed."""

    purpose: str
    """Tells the screen what the answer is for."""
    prompt: str
    text: str = ""
    """What stands there to begin with."""
    hint: str = ""
    """Said above the line until there is something else to say."""
    stays: bool = False
    """Esc only leaves it; else it goes away."""
    offers: tuple[str, ...] = ()
    """Answers that tab and the arrows put into the line, one after the other."""
    marked: bool = False
    """The text is marked: what is typed takes its place."""


class AskInput(Input):
    """One line without a border; a paste brings its first line."""

    BINDINGS = [
        Binding("escape", "leave", "leave", show=False),
        Binding("tab,down", "offer(1)", "offer", show=False),
        Binding("shift+tab,up", "offer(-1)", "offer before", show=False),
    ]
    DEFAULT_CSS = "AskInput { width: 1fr; }"

    offers: tuple[str, ...] = ()
    """What tab and the arrows put here."""

    class Left(Message):
        """Esc."""

    def __init__(self) -> None:
        super().__init__(compact=True, select_on_focus=False)

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def action_offer(self, direction: int) -> None:
        """The next offer; from what nobody offered, the first that begins so."""
        if self.value in self.offers:
            at = (self.offers.index(self.value) + direction) % len(self.offers)
        else:
            begun = [each for each in self.offers if each.startswith(self.value)]
            at = self.offers.index(begun[0]) if begun else 0
        self.value = self.offers[at]
        self.cursor_position = len(self.value)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without offers tab is what it is everywhere."""
        if action == "offer":
            return bool(self.offers)
        return super().check_action(action, parameters)

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(pasted(event.text).partition("\n")[0], *self.selection)


class AskLine(Vertical):
    """Two rows or three, there while something is asked."""

    DEFAULT_CSS = """
    AskLine {
        height: auto; padding: 0 1; display: none;
        & Horizontal { height: 1; }
        & #ask-prompt { width: auto; max-width: 70%; }
        & #ask-said { height: auto; min-height: 1; max-height: 3; }
    }
    """

    @dataclass
    class Given(Message):
        """Enter."""

        ask: Ask
        text: str

    @dataclass
    class Left(Message):
        """Esc: the keys are the screen's again."""

        ask: Ask

    @dataclass
    class Entered(Message):
        """The line has the keys now."""

    def __init__(self) -> None:
        super().__init__()
        self.ask: Ask | None = None
        """None: nothing is asked."""

    def compose(self) -> ComposeResult:
        yield Plain(id="ask-said")
        with Horizontal():
            yield Plain(id="ask-prompt")
            yield AskInput()

    @property
    def field(self) -> AskInput:
        """Where it is typed."""
        return self.query_one(AskInput)

    @property
    def is_typing(self) -> bool:
        """Whether keys go into the line."""
        return self.ask is not None and self.field.has_focus

    def show(self, ask: Ask) -> None:
        """Ask; what was typed for the very same question stays."""
        if self.ask != ask:
            self.ask = ask
            table = look_of(self)
            self.query_one("#ask-prompt", Plain).show(
                table.text(ask.prompt) + "  ", f"{look.STRONG} {look.HERE}"
            )
            self.say(table.text(ask.hint), look.QUIET)
            self.field.offers = ask.offers
            self.field.value = ask.text
            length = len(ask.text)
            self.field.selection = Selection(0 if ask.marked else length, length)
            self.field.cursor_blink = table.settings.link == "fast"
        self.display = True

    def enter(self, first: str = "") -> None:
        """Let keys go into the line; `first` was typed already."""
        self.field.focus()
        if first:
            self.field.insert_text_at_cursor(first)
        self.post_message(self.Entered())

    def say(self, words: Words, style: str = "") -> None:
        """Say something above the line."""
        self.query_one("#ask-said", Plain).show(words, style)

    def close(self) -> None:
        """Ask nothing any more."""
        self.ask = None
        self.display = False
        if self.field.has_focus:
            self.screen.set_focus(None)

    @on(Input.Submitted)
    def _give(self, event: Input.Submitted) -> None:
        event.stop()
        if self.ask is not None:
            self.post_message(self.Given(self.ask, event.value.strip()))

    @on(AskInput.Left)
    def _leave(self, event: AskInput.Left) -> None:
        event.stop()
        if self.ask is not None:
            self.post_message(self.Left(self.ask))
