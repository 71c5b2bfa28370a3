"""ConsolePane: a console, full screen or beside a lesson.

It shows the app's one `Console` and types into it; closed and opened again, it is as it
was left. Its own keys are the console's rows of the action table.
"""

from typing import Any
from weakref import WeakKeyDictionary

from textual import on
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer

from tutor import paths
from tutor.console import Console
from tutor.history import History
from tutor.kernel.outputs import Done, Output, Recording
from tutor.session import Session
from tutor.ui import look
from tutor.ui.bindings import bindings
from tutor.ui.widgets.code_editor import CodeEditor
from tutor.ui.widgets.output_lines import OutputLines
from tutor.ui.widgets.output_log import OutputLog
from tutor.ui.widgets.plain import Plain

KEEP_DRAFT_S = 1.0

_consoles: WeakKeyDictionary[App[Any], Console] = WeakKeyDictionary()


def console_of(app: App[Any], session: Session) -> Console:
    """The one console of a session in an app, made at its first use."""
    console = _consoles.get(app)
    if console is None or console.session is not session:
        history = History(paths.data() / "console-history.jsonl")
        console = _consoles[app] = Console(session, history)
    return console


class Prompts(Plain):
    """The prompts before the editor's lines."""

    DEFAULT_CSS = "Prompts { width: 4; height: auto; }"

    def show_for(self, rows: int) -> None:
        """`rows`: how many rows the editor has."""
        self.show("\n".join([">>>", *["..."] * (rows - 1)]), look.QUIET)


class ConsolePane(Vertical):
    """What was executed by hand, its outputs, and a line to type the next."""

    BINDINGS = bindings("console")
    DEFAULT_CSS = """
    ConsolePane {
        padding: 0 1;
        & OutputLog {
            height: 1fr;
            & OutputLines { height: 1fr; max-height: 100%; }
        }
        & #typing { height: auto; }
        & #typing > * { max-height: 40vh; }
        & CodeEditor { width: 1fr; }
    }
    """

    class WalkAsked(Message):
        """What was executed asked to walk through what it recorded, and it is done."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._walk_asked = False
        self._session = session
        self._keep_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        self.console = console = console_of(self.app, self._session)
        yield OutputLog(console.transcript, at_bottom=True)
        with Horizontal(id="typing"):
            yield Prompts(">>>", style=look.QUIET)
            yield CodeEditor(
                console.draft,
                history=console.history.entries,
                complete=console.complete,
                console=True,
            )

    @property
    def editor(self) -> CodeEditor:
        """Where the next statement is typed."""
        return self.query_one(CodeEditor)

    @property
    def log_view(self) -> OutputLog:
        """Where the transcript is shown."""
        return self.query_one(OutputLog)

    def on_mount(self) -> None:
        self._unwatch = self.console.watch(self._follow)
        self.console.greet()
        self._follow(self.console.asked)
        self.editor.move_cursor(self.editor.document.end)
        self.watch(self.editor, "virtual_size", self._fit_prompts)

    def on_unmount(self) -> None:
        self._unwatch()
        self.console.keep_draft()

    def focus(self, scroll_visible: bool = True) -> "ConsolePane":
        """The focus goes to where the learner types."""
        lines = [*self.query("InputLine"), self.editor]
        lines[0].focus(scroll_visible)
        return self

    def _follow(self, output: Output | None) -> None:
        starting = self._session.hello is None
        self.log_view.waits_for = "the kernel is starting" if starting else ""
        self.log_view.busy = self.console.busy
        if self.console.asked is None:
            self.log_view.stop_asking()
        self.log_view.show(output)
        if isinstance(output, Recording):
            self._walk_asked = True
        if isinstance(output, Done):
            self.editor.paint_now()
            self._open_walk(output)

    def _open_walk(self, done: Done) -> None:
        """At once where all went well; else the learner reads first what went wrong."""
        asked, self._walk_asked = self._walk_asked, False
        if asked and done.status == "ok" and not self.console.waiting:
            self.post_message(self.WalkAsked())

    # ---------------------------------------------------------------- what is typed

    @on(CodeEditor.Submitted)
    def _execute(self, event: CodeEditor.Submitted) -> None:
        event.stop()
        self.console.execute(event.code)
        self.query_one(OutputLines).anchor()

    @on(CodeEditor.Edited)
    def _keep_soon(self, event: CodeEditor.Edited) -> None:
        self.console.draft = event.editor.text
        if self._keep_timer is None:
            self._keep_timer = self.set_timer(KEEP_DRAFT_S, self._keep)

    def _keep(self) -> None:
        self._keep_timer = None
        self.console.keep_draft()

    @on(OutputLog.Replied)
    def _reply(self, event: OutputLog.Replied) -> None:
        event.stop()
        self.console.reply(event.text)

    @on(OutputLog.InputCancelled)
    def _interrupt(self, event: OutputLog.InputCancelled) -> None:
        event.stop()
        self.run_worker(self._session.interrupt(), exit_on_error=False)

    def _fit_prompts(self) -> None:
        self.query_one(Prompts).show_for(self.editor.virtual_size.height)

    # --------------------------------------------------------------------- actions

    def action_run_code(self) -> None:
        """Where the focus is elsewhere, Enter leads back to the text."""
        self.focus()

    def action_run_now(self) -> None:
        """Execute what is typed, even where a line might still follow."""
        self.editor.submit()

    def action_complete_name(self) -> None:
        """Offer what may stand at the cursor."""
        self.editor.offer_names()

    def action_older_code(self) -> None:
        """Bring back what was executed before."""
        self.editor.show_older()

    def action_clear_console(self) -> None:
        """Empty the transcript."""
        self.console.clear()

    def action_outputs_up(self) -> None:
        """Look at earlier outputs."""
        self.query_one(OutputLines).scroll_page_up(animate=False)

    def action_outputs_down(self) -> None:
        """Look at later outputs."""
        self.query_one(OutputLines).scroll_page_down(animate=False)
