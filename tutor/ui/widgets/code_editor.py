"""CodeEditor: a TextArea that knows Python's indentation, history and completion.

What a key means for the text is decided in `tutor.editing`; this is the keys' side.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from rich.text import Text
from textual import events, on
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from tutor import editing
from tutor.editing import INDENT
from tutor.highlight import Token, tokens_of_lines
from tutor.history import Walk
from tutor.ui.look import look_of
from tutor.ui.widgets.completer import Complete, Completer
from tutor.ui.widgets.syntax import syntax_classes, syntax_css

_PAINT_LATER_S = 0.03
_ALWAYS_SUBMIT = ("ctrl+r", "ctrl+enter", "alt+enter")


class CodeEditor(TextArea):
    """Where code is typed; `.text` is the code."""

    COMPONENT_CLASSES = syntax_classes("code-editor")
    DEFAULT_CSS = """
    CodeEditor {
        height: auto;
        padding: 0;
        scrollbar-size-vertical: 1;
        & .text-area--matching-bracket { background: transparent; text-style: bold; }
    }
    """ + syntax_css("CodeEditor", "code-editor")

    @dataclass
    class Submitted(Message):
        """The learner wants `code` executed."""

        editor: "CodeEditor"
        code: str

        @property
        def control(self) -> "CodeEditor":
            return self.editor

    @dataclass
    class Edited(Message):
        """The text has changed: a moment to keep a draft."""

        editor: "CodeEditor"

        @property
        def control(self) -> "CodeEditor":
            return self.editor

    def __init__(
        self,
        text: str = "",
        *,
        history: Sequence[str] = (),
        complete: Complete | None = None,
        console: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`history`: what Up at the first line brings back, the oldest first.

        `complete`: asked for `code, cursor` at Tab; None: Tab only indents.
        `console`: Enter submits a complete statement, and what is submitted is gone
        from here before the next key comes.
        """
        super().__init__(
            text,
            soft_wrap=True,
            tab_behavior="focus",  # Tab and Esc are ours, and the screen's
            highlight_cursor_line=False,
            compact=True,
            name=name,
            id=id,
            classes=classes,
        )
        self._past = history
        self._walk: Walk | None = None
        self._completer = Completer(self, complete) if complete is not None else None
        self._in_console = console
        self._held: ExitStack | None = None
        """Not None: nothing is painted for a moment."""
        self._tokens: list[list[Token]] = []
        self._coloured = ""

    def on_mount(self) -> None:
        self.cursor_blink = look_of(self).settings.link == "fast"

    def on_unmount(self) -> None:
        self.paint_now()
        if self._completer is not None:
            self._completer.remove()

    def submit(self) -> None:
        """Ask for the text to be executed, unless it is blank."""
        if self.text.strip():
            self.post_message(self.Submitted(self, self.text))
            if self._in_console:
                self._paint_later()
                self.text = ""

    def _paint_later(self) -> None:
        """Wait for a quick result, to paint it in one go with its echo.

        Textual's next frame may come two sixtieths of a second after a first one.
        """
        if self._held is None:
            self._held = ExitStack()
            self._held.enter_context(self.app.batch_update())
            self.set_timer(_PAINT_LATER_S, self.paint_now)

    def paint_now(self) -> None:
        """The result is there, or has taken long enough."""
        if self._held is not None:
            self._held.close()
            self._held = None
            self.screen.check_idle()

    def offer_names(self) -> None:
        """Ask what may stand at the cursor, and offer it."""
        if self._completer is not None:
            self._completer.ask()

    # ------------------------------------------------------------------------ keys

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        return key == "tab" or super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        if self.read_only:
            return
        completer = self._completer
        if completer is not None and completer.take_key(event.key):
            taken = True
        elif event.key in _ALWAYS_SUBMIT:
            self.submit()
            taken = True
        else:
            taken = self._edit(event.key)
        if taken:
            event.stop()
            event.prevent_default()

    def _edit(self, key: str) -> bool:
        """Do what the key does in Python code; False: what it does in any text."""
        match key:
            case "enter":
                self._enter()
            case "shift+enter":
                self._break_line()
            case "tab":
                self._tab()
            case "shift+tab":
                self._shift(-INDENT)
            case "backspace":
                return self._backspace()
            case "up":
                return self.show_older()
            case "down":
                return self.show_newer()
            case _:
                return False
        return True

    @property
    def _before(self) -> str:
        """The cursor's line, up to the cursor."""
        row, column = self.cursor_location
        return self.document.get_line(row)[:column]

    def _enter(self) -> None:
        done = self.get_text_range(self.cursor_location, self.document.end).strip()
        if self._in_console and (not done or "\n" not in self.text):
            if not self.text.strip():
                return
            if editing.is_complete(self.text):
                self.submit()
                return
        self._break_line()

    def _break_line(self) -> None:
        before = self.get_text_range((0, 0), min(self.selection))
        indent = editing.indent_after(before)
        self._replace_via_keyboard("\n" + indent, *self.selection)

    def _tab(self) -> None:
        if self.selection.start[0] != self.selection.end[0]:
            self._shift(INDENT)
        elif self._before.strip() and self._completer is not None:
            self.offer_names()
        else:
            spaces = " " * (INDENT - len(self._before) % INDENT)
            self._replace_via_keyboard(spaces, *self.selection)

    def _shift(self, by: int) -> None:
        """Move the selected lines, or the cursor's, by some columns."""
        first, last = sorted((self.selection.start[0], self.selection.end[0]))
        for row in range(first, last + 1):
            line = self.document.get_line(row)
            if by > 0 and line:
                self.insert(" " * by, (row, 0))
            elif by < 0 and (gone := len(line) - len(editing.dedented(line))):
                self.delete((row, 0), (row, gone))

    def _backspace(self) -> bool:
        count = editing.backspace_count(self._before)
        if not self.selection.is_empty or count == 1:
            return False
        row, column = self.cursor_location
        self._delete_via_keyboard((row, column - count), (row, column))
        return True

    # --------------------------------------------------------------------- history

    def show_older(self) -> bool:
        """What was executed before; False where Up only moves the cursor."""
        if not self._is_walking:
            if not self.cursor_at_first_line:
                return False
            prefix = "" if "\n" in self.text else self._before
            self._walk = Walk(self._past, self.text, prefix)
            if not self._walk.older():
                return False
        elif self._walk is not None:
            self._walk.older()
        self._show_walk()
        return True

    def show_newer(self) -> bool:
        """What was executed after that; False where Down only moves the cursor."""
        if self._walk is None or not self._is_walking:
            return False
        self._walk.newer()
        self._show_walk()
        return True

    @property
    def _is_walking(self) -> bool:
        """The text is as the history's walk left it, the cursor at its end."""
        at_end = self.cursor_location == self.document.end
        return self._walk is not None and at_end and self._walk.shown == self.text

    def _show_walk(self) -> None:
        if self._walk is not None and self._walk.shown != self.text:
            end = self.document.end
            self.replace(self._walk.shown, (0, 0), end, maintain_selection_offset=False)

    # ----------------------------------------------------------------------- paste

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self._paste(event.text)

    def action_paste(self) -> None:
        self._paste(self.app.clipboard)

    def _paste(self, text: str) -> None:
        self._replace_via_keyboard(editing.pasted(text), *self.selection)

    # --------------------------------------------------------------- what follows

    @on(TextArea.Changed)
    def _follow_change(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._completer is not None:
            self._completer.follow()
        self.post_message(self.Edited(self))

    @on(TextArea.SelectionChanged)
    def _follow_cursor(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        if self._completer is not None:
            self._completer.follow()

    def on_blur(self) -> None:
        if self._completer is not None:
            self._completer.close()

    # --------------------------------------------------------------------- colours

    def render_lines(self, crop: Region) -> list[Strip]:
        if self._coloured != self.text:
            self._coloured = self.text
            self._tokens = tokens_of_lines(self.text)
        return super().render_lines(crop)

    def get_line(self, line_index: int) -> Text:
        """The line with its tokens' colours."""
        line = super().get_line(line_index)
        fresh = line_index < len(self._tokens)
        for token in self._tokens[line_index] if fresh else ():
            style = self.get_component_rich_style(
                f"code-editor--{token.kind}", partial=True
            )
            line.stylize(style, token.start, token.end)
        return line
