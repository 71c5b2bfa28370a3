"""Console: what is executed by hand in one session, and what is being typed.

It goes on while no pane shows it: a pane watches it, shows `transcript`, and goes away
without anything being lost. Codes wait their turn; an interrupt forgets the waiting.
"""

import asyncio
from collections.abc import Callable

from tutor.errors import TutorError
from tutor.history import History
from tutor.kernel.base import Completion, KernelState
from tutor.kernel.outputs import Done, InputRequest, Notice, Output
from tutor.session import Session
from tutor.transcript import Transcript
from tutor.verdicts import Verdict

GREETING = """\
import torch
from torch import nn
import torch.nn.functional as F
import tutor"""
"""Executed before anything else where no lesson has set up the kernel's names."""

Told = Callable[[Output | None], None]
"""Hears each output once it is in the transcript; None: something else has changed."""


class Console:
    """The console of one session."""

    def __init__(self, session: Session, history: History) -> None:
        self.session = session
        self.history = history
        self.transcript = Transcript()
        self.waiting: list[str] = []
        """Codes that were submitted and have not begun."""
        self.asked: InputRequest | None = None
        """What `input()` waits for; None: nothing."""
        self._greeted = False
        self._watchers: list[Told] = []
        self._task: asyncio.Task[None] | None = None
        self._kept = self.draft = session.console_draft or ""
        session.kernel.watch(self._follow_kernel)

    @property
    def busy(self) -> bool:
        """Something of the console's is executing or waits to."""
        return self._task is not None

    def watch(self, told: Told) -> Callable[[], None]:
        """Call `told` after every change, until the returned function is called."""
        self._watchers.append(told)
        return lambda: self._watchers.remove(told)

    def greet(self) -> None:
        """Have torch at hand, unless a lesson or an earlier greeting sees to that."""
        if self._greeted or self.session.lesson is not None:
            return
        self._greeted = True
        self._submit(GREETING)

    def execute(self, code: str) -> None:
        """Execute `code` when what was submitted before is done."""
        self.history.add(code)
        self.greet()
        self._submit(code)

    def _submit(self, code: str) -> None:
        self.waiting.append(code)
        if self._task is None:
            self._task = asyncio.create_task(self._execute_waiting(), name="console")
        self._tell(None)

    def reply(self, text: str) -> None:
        """Answer `input()`."""
        if self.asked is not None:
            self.asked = None
            self._tell(None)
            self.session.reply(text)

    def clear(self) -> None:
        """Empty the transcript; a cell that runs goes on below."""
        self.transcript.clear()
        self._tell(None)

    def keep_draft(self) -> None:
        """What is typed survives the tutor's end."""
        if self.draft != self._kept:
            self._kept = self.draft
            self.session.keep_console_draft(self.draft)

    async def complete(self, code: str, cursor: int) -> Completion | None:
        """What may stand at the cursor."""
        return await self.session.complete(code, cursor)

    async def _execute_waiting(self) -> None:
        try:
            while self.waiting:
                code = self.waiting.pop(0)
                self.transcript.begin(code)
                self._tell(None)
                await self._execute(code)
        finally:
            self._task = None
            self._tell(None)

    async def _execute(self, code: str) -> None:
        try:
            await self.session.start()
            self._tell(None)
            async for output in self.session.execute(code, stdin=True):
                if not isinstance(output, Verdict):
                    self._take(output)
        except TutorError as error:
            self._take(Notice(str(error)))
            self._take(Done("error"))

    def _take(self, output: Output) -> None:
        self.transcript.feed(output)
        if isinstance(output, InputRequest):
            self.asked = output
        elif isinstance(output, Done):
            self.asked = None
            self._forget_waiting(output)
        self._tell(output)

    def _forget_waiting(self, done: Done) -> None:
        if done.status not in ("interrupted", "died") or not self.waiting:
            return
        count = len(self.waiting)
        self.waiting.clear()
        what = "The statement" if count == 1 else f"The {count} statements"
        self.transcript.feed(Notice(f"{what} waiting behind it did not run."))

    def _follow_kernel(self, state: KernelState) -> None:
        if state is KernelState.RESTARTING and not self.transcript.is_empty:
            self._greeted = False
            self.transcript.begin()
            self.transcript.feed(Notice("A new kernel: the names so far are gone."))
            self._tell(None)

    def _tell(self, output: Output | None) -> None:
        for told in list(self._watchers):
            told(output)
