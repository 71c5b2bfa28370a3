"""A Kernel that follows a script: the states and outputs of the real one, no process.

    kernel = FakeKernel({"1 + 1": [Result("2")]})

A cell's answer is a list of outputs or an async generator of them; `Done` is added.
A generator that awaits keeps its cell busy: an interrupt or a kill cancels it there,
and one that swallows the first `CancelledError` plays a cell that swallows Ctrl+C.
A call of the engine (`wire.call`) is answered from `calls`, by name, with a function of
the request; what it returns may be message bodies, outputs, or both.
"""

import ast
import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from tutor import messages, wire
from tutor.errors import MachineError
from tutor.kernel.base import Completion, KernelOptions, KernelState
from tutor.kernel.execution import Execution
from tutor.kernel.life import Life
from tutor.kernel.outputs import Done, Failure, Output, Payload

Answer = Iterable[Any] | AsyncIterator[Any]
"""Outputs; for a call also message bodies."""
Answers = Mapping[str, Answer] | Callable[[str], Answer]
Calls = Mapping[str, Callable[[Any], Answer]]

HELLO = messages.Hello(
    python="3.11.7",
    torch="2.13.0",
    torch_path="/site-packages/torch",
    cuda=None,
    devices=("cpu",),
)
CALLS: Calls = {
    "hello": lambda request: [HELLO],
    "reset": lambda request: [messages.ResetDone()],
    "warm": lambda request: [messages.Warmed(parts_left=0)],
}


@dataclass(frozen=True)
class Executed:
    """One execute that began."""

    code: str
    quiet: bool
    stdin: bool


class FakeKernel:
    """Implements `tutor.kernel.base.Kernel`."""

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        calls: Calls | None = None,
        completions: Mapping[str, Completion] | None = None,
        options: KernelOptions | None = None,
        start_error: str | None = None,
    ) -> None:
        self.options = options or KernelOptions()
        self.answers: Answers = {} if answers is None else answers
        """Code without an answer prints nothing and ends ok."""
        self.calls: dict[str, Callable[[Any], Answer]] = {**CALLS, **(calls or {})}
        self.completions = dict(completions or {})
        self.start_error = start_error
        """Not None: `start` and `restart` raise MachineError with it."""
        self.executed: list[Executed] = []
        self.requests: list[tuple[str, object]] = []
        """(function, request) of each call that began."""
        self.starts = 0
        self._life = Life()
        self._waiting: list[Execution] = []
        self._running: Execution | None = None
        self._pump: asyncio.Task[None] | None = None
        self._replies: asyncio.Queue[str] = asyncio.Queue()

    # What a test asks of it.

    @property
    def codes(self) -> list[str]:
        """The learner's code that began, in order; our own quiet calls left out."""
        return [each.code for each in self.executed if not each.quiet]

    async def replied(self) -> str:
        """For a generator that yielded an InputRequest: the next reply."""
        return await self._replies.get()

    def die(self, cause: str) -> None:
        """The process ends by itself; `cause` is a phrase, as in `Done`."""
        self._end(KernelState.DEAD, cause)

    # The Kernel protocol.

    @property
    def state(self) -> KernelState:
        return self._life.state

    @property
    def cause(self) -> str | None:
        return self._life.cause

    def watch(self, told: Callable[[KernelState], None]) -> None:
        self._life.watch(told)

    async def start(self) -> None:
        if self.state in (KernelState.OFF, KernelState.DEAD):
            self._life.become(KernelState.STARTING)
            await self._come_up()

    def execute(
        self, code: str, *, quiet: bool = False, stdin: bool = False
    ) -> AsyncIterator[Output]:
        execution = Execution(code, quiet=quiet, stdin=stdin)
        if self.state in (KernelState.OFF, KernelState.DEAD):
            execution.finish("died", self.cause or "it is not running")
        else:
            self._waiting.append(execution)
            self._next()
        return execution

    def reply(self, text: str) -> None:
        self._replies.put_nowait(text)

    async def complete(self, code: str, cursor: int) -> Completion | None:
        if self.state is not KernelState.IDLE:
            return None
        return self.completions.get(code[:cursor])

    async def interrupt(self) -> None:
        waiting, self._waiting = self._waiting, []
        for execution in waiting:
            execution.finish("interrupted")
        if self._pump is not None:
            self._life.become(KernelState.INTERRUPTING)
            self._pump.cancel()

    async def kill(self) -> None:
        if self.state not in (KernelState.OFF, KernelState.DEAD):
            self.die("it was killed")

    async def restart(self) -> None:
        self._end(KernelState.RESTARTING, "it was restarted")
        await self._come_up()

    async def stop(self) -> None:
        self._end(KernelState.OFF, "it was stopped")

    # How it plays its script.

    def _end(self, state: KernelState, cause: str) -> None:
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None
        executions = [self._running, *self._waiting]
        self._running, self._waiting = None, []
        self._life.become(state, cause if state is KernelState.DEAD else None)
        for execution in executions:
            if execution is not None:
                execution.finish("died", cause)

    async def _come_up(self) -> None:
        await asyncio.sleep(0)
        if self.start_error is not None:
            self._life.become(KernelState.DEAD, self.start_error)
            raise MachineError(self.start_error)
        self.starts += 1
        self._life.become(KernelState.IDLE)
        self._next()

    def _next(self) -> None:
        ready = self.state in (KernelState.IDLE, KernelState.BUSY)
        if not ready or self._running is not None or not self._waiting:
            return
        self._running = execution = self._waiting.pop(0)
        self.executed.append(Executed(execution.code, execution.quiet, execution.stdin))
        self._life.become(KernelState.BUSY)
        self._pump = asyncio.create_task(self._play(execution))

    async def _play(self, execution: Execution) -> None:
        failed = False
        done: Done | None = None
        try:
            async for output in _each(self._answer(execution.code)):
                if isinstance(output, Done):
                    done = output
                    break
                failed = failed or isinstance(output, Failure)
                execution.put(output)
        except asyncio.CancelledError:
            name = "KeyboardInterrupt"
            execution.put(Failure(name, "", name))
            done = Done("interrupted")
        if self._running is not execution:
            return  # it was killed, and another process may be running by now
        done = done or Done("error" if failed else "ok")
        if done.status == "died":
            self._pump = None
            self.die(done.cause or "killed (signal 9)")
            return
        self._running = self._pump = None
        if not self._waiting:
            self._life.become(KernelState.IDLE)
        execution.finish(done.status)
        self._next()

    def _answer(self, code: str) -> Answer:
        called = _call(code)
        if called is None:
            if callable(self.answers):
                return self.answers(code)
            return self.answers.get(code, ())
        function, request = called
        self.requests.append((function, request.body))
        answer = self.calls.get(function)
        if answer is None:
            return [Failure("LookupError", function, f"no script for {function}")]
        return _as_payloads(answer(request.body), request.id)


def _call(code: str) -> tuple[str, wire.Message] | None:
    """The function and the request of `wire.call`; None for other code."""
    if not code.startswith("__import__('tutor.engine.bridge'"):
        return None
    expression = ast.parse(code, mode="eval").body
    assert isinstance(expression, ast.Call)
    function, text = (ast.literal_eval(each) for each in expression.args)
    return function, wire.loads(text)


async def _as_payloads(answer: Answer, request_id: str) -> AsyncIterator[Output]:
    seq = 0
    async for item in _each(answer):
        if isinstance(item, get_args(Output)):
            yield item
        else:
            yield Payload(wire.Message(request_id, seq, item))
            seq += 1


async def _each(answer: Answer) -> AsyncIterator[Any]:
    if isinstance(answer, AsyncIterator):
        async for item in answer:
            yield item
    else:
        for item in answer:
            yield item
