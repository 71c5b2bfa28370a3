"""ConsoleScreen: the console on a screen of its own. What it does is the pane's."""

from dataclasses import replace

from textual import on
from textual.app import ComposeResult

from tutor import actions
from tutor.actions import Action
from tutor.kernel.base import KernelState
from tutor.session import Session
from tutor.ui import look
from tutor.ui.screens.frame import FrameScreen
from tutor.ui.widgets.code_editor import CodeEditor
from tutor.ui.widgets.console_pane import ConsolePane
from tutor.ui.widgets.frame_lines import TitleParts
from tutor.ui.widgets.plain import content_of


class ConsoleScreen(FrameScreen[None]):
    """Python with torch in it; Esc leads back to where it was opened."""

    PLACE = "console"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.set_reactive(FrameScreen.mode, "edit")

    def compose_content(self) -> ComposeResult:
        yield ConsolePane(self._session)

    def on_mount(self) -> None:
        self._pane.focus()
        self.refresh_frame()

    @property
    def _pane(self) -> ConsolePane:
        return self.query_one(ConsolePane)

    def title_parts(self) -> TitleParts:
        return TitleParts(content_of("Console", look.STRONG), right=self.kernel_badge())

    def about(self) -> str:
        return (
            "A Python console with torch in it. A block ends with an empty line, as in "
            "Python's own. Below a tensor stand its shape, dtype and device. Names live "
            "in the kernel: a lesson that is open sees the same ones."
        )

    def footer_actions(self) -> list[Action]:
        *rows, explain = super().footer_actions()
        by_key = replace(explain, keys=("f1",))  # a question mark is text here
        return [*rows, actions.named("back"), by_key]

    def action_interrupt(self) -> None:
        """With nothing running: copy what is marked; else the typed text goes."""
        busy = self.kernel_state in (KernelState.BUSY, KernelState.INTERRUPTING)
        editor = self._pane.editor
        if busy or editor.selected_text:
            super().action_interrupt()
        elif marked := self.get_selected_text():
            self.app.copy_to_clipboard(marked)
            self.clear_selection()
            self.say("Copied.")
        elif editor.text:
            editor.clear()
        else:
            super().action_interrupt()

    def action_clear_console(self) -> None:
        self._pane.action_clear_console()

    @on(CodeEditor.Edited)
    def _take_notice_away(self) -> None:
        if self.query_one("#notice").display:
            self.say("")

    def keep(self) -> None:
        self._pane.console.keep_draft()
