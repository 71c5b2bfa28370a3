"""The Kernel on ipykernel: its states, and one process after another.

The process is `process`'s, what is said to it `conversation`'s, which is imported at
the first start, because it brings zmq.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import tutor
from tutor import paths
from tutor.errors import MachineError
from tutor.kernel.base import Completion, KernelOptions, KernelState
from tutor.kernel.connection import Connection
from tutor.kernel.execution import Execution
from tutor.kernel.life import Life
from tutor.kernel.outputs import Failure, Output, Status
from tutor.kernel.process import KernelProcess

if TYPE_CHECKING:
    from tutor.kernel.conversation import Conversation

_STARTING_S = 60.0
_GOODBYE_S = 1.0

_PREPARE = """\
import importlib.util, sys
spec = importlib.util.spec_from_file_location("tutor", {package!r})
sys.modules["tutor"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["tutor"])
from tutor.engine import shell
shell.install({overflow!r})
"""
"""The kernel gets our very copy of the package, and sys.path stays as it is."""
_GOODBYE = "__import__('tutor.engine.shell', fromlist=['goodbye']).goodbye()"


class JupyterKernel:
    """Implements `tutor.kernel.base.Kernel`. Use from one event loop."""

    def __init__(self, options: KernelOptions = KernelOptions()) -> None:  # noqa: B008
        self._options = options
        self._life = Life()
        self._moving = asyncio.Lock()
        """Held while a process comes up or goes."""
        self._queue: deque[Execution] = deque()
        self._process: KernelProcess | None = None
        self._conversation: Conversation | None = None

    @property
    def state(self) -> KernelState:
        return self._life.state

    @property
    def cause(self) -> str | None:
        return self._life.cause

    def watch(self, told: Callable[[KernelState], None]) -> None:
        self._life.watch(told)

    # Its life.

    async def start(self) -> None:
        async with self._moving:
            if self.state in (KernelState.OFF, KernelState.DEAD):
                self._life.become(KernelState.STARTING)
                await self._come_up()

    async def restart(self) -> None:
        self._give_up_starting()
        async with self._moving:
            await self._go(KernelState.RESTARTING, "it was restarted")
            await self._come_up()

    async def stop(self) -> None:
        self._give_up_starting()
        async with self._moving:
            await self._go(KernelState.OFF, "it was stopped")

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await asyncio.wait([self._process.exited])

    async def interrupt(self) -> None:
        self._forget_waiting("interrupted")
        if self._process is None or self._conversation is None:
            return
        if self._conversation.interrupt(self._process.interrupt):
            self._life.become(KernelState.INTERRUPTING)

    # Its work.

    def execute(
        self, code: str, *, quiet: bool = False, stdin: bool = False
    ) -> AsyncIterator[Output]:
        execution = Execution(code, quiet=quiet, stdin=stdin)
        if (failure := _unsendable(code)) is not None:
            execution.put(failure)
            execution.finish("error")
        elif self.state in (KernelState.OFF, KernelState.DEAD):
            execution.finish("died", self.cause or "it is not running")
        else:
            self._queue.append(execution)
            if self._conversation is not None:
                self._conversation.serve()
        return execution

    def reply(self, text: str) -> None:
        if self._conversation is not None:
            self._conversation.reply(text)

    async def complete(self, code: str, cursor: int) -> Completion | None:
        if self.state is not KernelState.IDLE or self._conversation is None:
            return None
        if _unsendable(code) is not None:
            return None
        return await self._conversation.complete(code, cursor)

    # How a process comes up, dies, and is let go.

    async def _come_up(self) -> None:
        try:
            async with asyncio.timeout(_STARTING_S):
                await self._spawn()
        except BaseException as error:
            reason = _reason(error)
            self._end(KernelState.DEAD, reason)
            if self._process is not None:
                await self._process.let_go()
            if isinstance(error, (MachineError, OSError, ImportError)):
                raise MachineError(f"The kernel cannot start: {reason}.") from error
            raise
        assert self._conversation is not None
        self._conversation.serve()

    async def _spawn(self) -> None:
        """Start a process and wait until it is as we want it."""
        self._process = None
        self._process = process = KernelProcess(self._options)
        connection = Connection.new(process.folder)
        process.start(connection.write())
        process.exited.add_done_callback(lambda _: self._died(process))
        # The process comes up while we import zmq, and the event loop goes on.
        talk = await asyncio.to_thread(import_module, "tutor.kernel.conversation")
        conversation = talk.Conversation(connection, self._queue, self._be_busy)
        self._conversation = conversation
        introduction = asyncio.ensure_future(conversation.introduce(_prepare()))
        try:
            either = [introduction, process.exited]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if process.exited.done():
                raise MachineError(process.last_words())
            if (failure := introduction.result()) is not None:
                raise MachineError(f"{failure.ename}: {failure.evalue}")
        finally:
            introduction.cancel()

    async def _go(self, state: KernelState, cause: str) -> None:
        """Let go of the process; what is executed from now on is for the next one."""
        was_idle = self.state is KernelState.IDLE
        process, conversation = self._process, self._conversation
        self._conversation = None
        self._life.become(state)
        self._forget_waiting("died", cause)
        if process is not None and conversation is not None:
            if was_idle:
                await _say_goodbye(process, conversation)
            conversation.end(cause)
        if process is not None:
            await process.let_go()

    def _give_up_starting(self) -> None:
        if self.state in (KernelState.STARTING, KernelState.RESTARTING):
            assert self._process is not None
            self._process.kill()

    def _died(self, process: KernelProcess) -> None:
        """By itself or by `kill`; not while it comes up, nor when we let it go."""
        up = self.state not in (KernelState.STARTING, KernelState.RESTARTING)
        if process is self._process and self._conversation is not None and up:
            self._end(KernelState.DEAD, process.cause())

    def _end(self, state: KernelState, cause: str) -> None:
        """Of all that is running and waiting."""
        conversation, self._conversation = self._conversation, None
        self._life.become(state, cause)
        if conversation is not None:
            conversation.end(cause)
        self._forget_waiting("died", cause)

    def _forget_waiting(self, status: Status, cause: str | None = None) -> None:
        while self._queue:
            self._queue.popleft().finish(status, cause)

    def _be_busy(self, busy: bool) -> None:
        self._life.become(KernelState.BUSY if busy else KernelState.IDLE)


async def _say_goodbye(process: KernelProcess, conversation: "Conversation") -> None:
    """Let the process end by itself, as a script does; for a moment."""
    goodbye = asyncio.ensure_future(conversation.ask(_GOODBYE))
    await asyncio.wait([process.exited], timeout=_GOODBYE_S)
    goodbye.cancel()


def _prepare() -> str:
    package, overflow = str(Path(tutor.__file__)), str(paths.state() / "output")
    source = _PREPARE.format(package=package, overflow=overflow)
    return f"exec({source!r}, {{}})"


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"it did not answer within {_STARTING_S:.0f} seconds"
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename}" if error.filename else str(error)
    return str(error) or "it was given up"


def _unsendable(code: str) -> Failure | None:
    """Code that is no text: half a character, as some terminals paste it."""
    try:
        code.encode()
    except UnicodeEncodeError as error:
        line = code.count("\n", 0, error.start) + 1
        reason = f"line {line} holds half a character ({code[error.start]!r})"
        return Failure(
            "UnicodeEncodeError", reason, f"UnicodeEncodeError: {reason}", line
        )
    return None
