"""CodeEditor: a TextArea that knows Python's indentation, history and completion."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.widgets import TextArea

from tutor.kernel.base import Completion

Complete = Callable[[str, int], Awaitable[Completion | None]]


class CodeEditor(TextArea):
    """Where code is typed. `.text` is the code."""

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
        """The text has changed; a moment to keep a draft."""

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
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(
            text,
            tab_behavior="indent",
            highlight_cursor_line=False,
            compact=True,
            name=name,
            id=id,
            classes=classes,
        )
        self._history = history
        self._complete = complete

    @on(TextArea.Changed)
    def _tell_edited(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Edited(self))
