"""One kernel process spoken to: its queue of executes, each message to its execute.

An execute is done when the shell's reply came and what it printed as well; neither is
waited for in vain. Knows nothing of processes: whoever holds it says when it is over.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.kernel import meaning
from tutor.kernel.base import Completion
from tutor.kernel.channels import Channel, Channels, Heard
from tutor.kernel.connection import Connection
from tutor.kernel.execution import Execution
from tutor.kernel.outputs import Clear, Failure, Notice, Output, Status, Stream

_OUTPUTS_S = 0.3
"""The silence after a reply in which its last outputs may still come."""
_REPLY_S = 2.0
"""The same the other way round: an interrupt at the wrong moment costs the reply."""
_COMPLETING_S = 0.4
_NUDGE_S = 0.1
_LATE_KEPT = 100
_INTERRUPTED = ("KeyboardInterrupt", "CancelledError")
"""How an interrupted cell ends; the second, where it awaited something."""


@dataclass
class _Running:
    """The execute that the kernel works on."""

    execution: Execution
    id: str
    allowance: meaning.Allowance = field(default_factory=meaning.Allowance)
    reply: Mapping[str, Any] | None = None
    idle: bool = False
    interrupt: asyncio.Future[None] | None = None
    """Done when the signal has been sent; None: nobody interrupted it."""
    clears: bool = False
    """`clear_output(wait=True)` came: with the next output."""
    timer: asyncio.TimerHandle | None = None
    """Until we stop waiting for the one of reply and idle that did not come."""


class Conversation:
    """Talk with one process, from its start to its end."""

    def __init__(
        self,
        connection: Connection,
        queue: deque[Execution],
        busy: Callable[[bool], None],
    ) -> None:
        self._channels = Channels(connection, self._heard)
        self._queue = queue
        """Shared with the kernel, where executes wait while it has no process."""
        self._busy = busy
        """Told True when an execute begins and False when none is left."""
        self._open = False
        """Whether the queue may be served."""
        self._listening = asyncio.Event()
        """Set when the kernel's outputs have begun to reach us."""
        self._running: _Running | None = None
        self._late: deque[Output] = deque(maxlen=_LATE_KEPT)
        """Printed by threads whose cell had ended: shown with the next one."""
        self._completing: dict[str, asyncio.Future[Mapping[str, Any]]] = {}

    async def introduce(self, code: str) -> Failure | None:
        """Execute `code` before the queue; what it raised. Then the queue is served."""
        failure = await self.ask(code)
        while not self._listening.is_set():
            self._channels.send("shell", "kernel_info_request", {})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._listening.wait(), _NUDGE_S)
        self._open = True
        return failure

    async def ask(self, code: str) -> Failure | None:
        """Execute `code` quietly now, when nothing runs; what it raised."""
        failure = None
        execution = Execution(code, quiet=True)
        self._begin(execution)
        async for output in execution:
            if isinstance(output, Failure):
                failure = output
        return failure

    def serve(self) -> None:
        """Begin the next execute of the queue if none is running."""
        if self._open and self._running is None:
            if self._queue:
                self._busy(True)
                self._begin(self._queue.popleft())
            else:
                self._busy(False)

    def interrupt(self, send: Callable[[], asyncio.Future[None]]) -> bool:
        """Interrupt the running execute with `send`; False when none is running."""
        if self._running is not None:
            self._running.interrupt = send()
        return self._running is not None

    def reply(self, text: str) -> None:
        """Answer `input()`."""
        self._channels.send("stdin", "input_reply", {"value": text, "status": "ok"})

    async def complete(self, code: str, cursor: int) -> Completion | None:
        """None when the answer takes too long."""
        request = {"code": code, "cursor_pos": cursor}
        message_id = self._channels.send("shell", "complete_request", request)
        answer = asyncio.get_running_loop().create_future()
        self._completing[message_id] = answer
        try:
            return meaning.completion(await asyncio.wait_for(answer, _COMPLETING_S))
        except TimeoutError:
            return None
        finally:
            del self._completing[message_id]

    def end(self, cause: str) -> None:
        """The process is gone: end what waits for it."""
        self._channels.read_all()
        self._channels.close()
        running, self._running = self._running, None
        for answer in self._completing.values():
            if not answer.done():
                answer.set_result({})
        if running is not None:
            if running.timer is not None:
                running.timer.cancel()
            running.execution.finish("died", cause)

    # What the kernel says.

    def _begin(self, execution: Execution) -> None:
        request = {
            "code": execution.code,
            "silent": execution.quiet,
            "store_history": not execution.quiet,
            "user_expressions": {},
            "allow_stdin": execution.stdin,
            "stop_on_error": False,  # we send the next one when this one is done
        }
        message_id = self._channels.send("shell", "execute_request", request)
        self._running = _Running(execution, message_id)
        if not execution.quiet:
            self._show(self._running, list(self._late))
            self._late.clear()

    def _heard(self, channel: Channel, heard: Heard) -> None:
        running = self._running
        if running is not None and running.id != heard.parent:
            running = None
        if channel == "iopub":
            self._listening.set()
            self._heard_output(running, heard)
        elif heard.kind == "execute_reply" and running is not None:
            running.reply = heard.content
            self._show(running, meaning.of_reply(heard.content))
            self._wait(running)
        elif heard.kind == "input_request" and running is not None:
            running.execution.put(meaning.input_request(heard.content))
        elif heard.kind == "complete_reply" and heard.parent in self._completing:
            answer = self._completing[heard.parent]
            if not answer.done():
                answer.set_result(heard.content)

    def _heard_output(self, running: _Running | None, heard: Heard) -> None:
        found = meaning.outputs(heard.kind, heard.content)
        if running is None:
            self._heard_late([each for each in found if isinstance(each, Stream)])
            return
        if heard.kind == "clear_output" and heard.content.get("wait"):
            running.clears = True
        elif found:
            self._show(running, found)
        if heard.kind == "status" and heard.content.get("execution_state") == "idle":
            running.idle = True
        if running.idle or running.reply is not None:
            self._wait(running)

    def _heard_late(self, found: list[Stream]) -> None:
        """From a thread, after the execute that ipykernel takes it for."""
        if self._running is not None and not self._running.execution.quiet:
            self._show(self._running, found)
        else:
            self._late.extend(found)

    def _show(self, running: _Running, found: "list[Output] | list[Stream]") -> None:
        for output in running.allowance.admit(found):
            if running.clears:
                running.clears = False
                running.execution.put(Clear())
            running.execution.put(output)

    # Its end.

    def _wait(self, running: _Running) -> None:
        """Done when both are here; else wait a while for the other, from now on."""
        if running.timer is not None:
            running.timer.cancel()
        if running.idle and running.reply is not None:
            self._finish(running)
            return
        wait = _OUTPUTS_S if running.idle is False else _REPLY_S
        loop = asyncio.get_running_loop()
        running.timer = loop.call_later(wait, self._finish, running)

    def _finish(self, running: _Running) -> None:
        if self._running is not running:
            return
        if running.interrupt is not None and not running.interrupt.done():
            # The signal must not hit the next one.
            running.interrupt.add_done_callback(lambda _: self._finish(running))
            return
        if not running.idle:
            running.execution.put(Notice("Some of the output may be lost."))
        if running.reply is None and running.interrupt is None:
            running.execution.put(Notice("The kernel did not say how the cell ended."))
        self._running = None
        self.serve()  # first the state, then the end that somebody waits for
        running.execution.finish(_status(running))


def _status(running: _Running) -> Status:
    reply = running.reply or {}
    if reply.get("status") == "ok":
        return "ok"
    lost = running.reply is None
    asked = running.interrupt is not None
    if asked and (lost or reply.get("ename") in _INTERRUPTED):
        return "interrupted"
    return "error"
