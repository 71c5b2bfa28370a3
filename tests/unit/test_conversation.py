"""What a kernel says in an order that a real one takes only now and then."""

import asyncio
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tutor.kernel import conversation
from tutor.kernel.base import Completion
from tutor.kernel.channels import Heard
from tutor.kernel.connection import Connection
from tutor.kernel.conversation import Conversation
from tutor.kernel.execution import Execution
from tutor.kernel.outputs import (
    Clear,
    Display,
    Done,
    InputRequest,
    Notice,
    Output,
    Stream,
)

OK = {"status": "ok"}


class Kernel:
    """The other side: hears what is sent, says what a test wants said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[str, str, Mapping[str, Any]]] = []
        self.closed = False
        self.busy: list[bool] = []
        self.queue: deque[Execution] = deque()
        monkeypatch.setattr(conversation, "Channels", self._open)
        self.talk = Conversation(Connection(Path(), ""), self.queue, self.busy.append)
        self.talk._open = True

    def _open(self, connection: Connection, heard: Any) -> "Kernel":
        del connection
        self._heard = heard
        return self

    def send(self, channel: str, kind: str, content: Mapping[str, Any]) -> str:
        self.sent.append((channel, kind, content))
        return str(len(self.sent))

    def read_all(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def execute(self, code: str, *, quiet: bool = False) -> Execution:
        execution = Execution(code, quiet=quiet)
        self.queue.append(execution)
        self.talk.serve()
        return execution

    def says(self, kind: str, to: str, **content: Any) -> None:
        self._heard("iopub", Heard(kind, to, content))

    def prints(self, text: str, to: str) -> None:
        self.says("stream", to, name="stdout", text=text)

    def is_idle(self, to: str) -> None:
        self.says("status", to, execution_state="idle")

    def replies(self, to: str, **content: Any) -> None:
        self._heard("shell", Heard("execute_reply", to, content))


@pytest.fixture
async def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


async def read(execution: Execution) -> list[Output]:
    async with asyncio.timeout(30):
        return [output async for output in execution]


async def test_output_between_reply_and_idle_is_not_lost(kernel: Kernel) -> None:
    execution = kernel.execute("1")
    kernel.replies("1", **OK)
    kernel.prints("late", "1")
    assert execution.done is None
    kernel.is_idle("1")
    assert await read(execution) == [Stream("stdout", "late"), Done("ok")]


async def test_idle_before_the_reply(kernel: Kernel) -> None:
    execution = kernel.execute("1")
    kernel.is_idle("1")
    assert execution.done is None
    kernel.replies("1", **OK)
    assert await read(execution) == [Done("ok")]


async def test_an_idle_that_never_comes(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "_OUTPUTS_S", 0)
    execution = kernel.execute("1")
    kernel.replies("1", **OK)
    found = await read(execution)
    assert [type(each) for each in found] == [Notice, Done]
    assert found[-1] == Done("ok")


@pytest.mark.parametrize("interrupted", [True, False])
async def test_a_reply_that_never_comes(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, interrupted: bool
) -> None:
    monkeypatch.setattr(conversation, "_REPLY_S", 0)
    execution = kernel.execute("1")
    if interrupted:
        assert kernel.talk.interrupt(sent)
    kernel.is_idle("1")
    found = await read(execution)
    expected = "interrupted" if interrupted else "error"
    assert found[-1] == Done(expected)  # type: ignore[arg-type]
    assert len(found) == (1 if interrupted else 2)


def sent() -> asyncio.Future[None]:
    """An interrupt that reached the kernel."""
    done = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


async def test_an_interrupt_under_way_cannot_hit_the_next(kernel: Kernel) -> None:
    first, second = kernel.execute("1"), kernel.execute("2")
    on_its_way: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    assert kernel.talk.interrupt(lambda: on_its_way)
    kernel.replies("1", **OK)
    kernel.is_idle("1")
    assert first.done is None
    assert len(kernel.sent) == 1
    on_its_way.set_result(None)
    assert await read(first) == [Done("ok")]
    assert len(kernel.sent) == 2
    assert second.done is None


async def test_one_at_a_time_and_the_state_before_the_end(kernel: Kernel) -> None:
    first, second = kernel.execute("1"), kernel.execute("2")
    assert [content["code"] for _, _, content in kernel.sent] == ["1"]
    kernel.replies("1", **OK)
    kernel.is_idle("1")
    assert first.done is not None
    assert [content["code"] for _, _, content in kernel.sent] == ["1", "2"]
    kernel.replies("2", **OK)
    kernel.is_idle("2")
    assert second.done is not None
    assert kernel.busy == [True, True, False]


async def test_what_a_thread_prints_later_is_shown_with_the_next(
    kernel: Kernel,
) -> None:
    first = kernel.execute("1")
    kernel.replies("1", **OK)
    kernel.is_idle("1")
    kernel.prints("late", "1")
    quiet = kernel.execute("ours", quiet=True)
    kernel.replies("2", **OK)
    kernel.is_idle("2")
    second = kernel.execute("2")
    kernel.prints("a thread", "1")
    kernel.replies("3", **OK)
    kernel.is_idle("3")
    assert await read(first) == await read(quiet) == [Done("ok")]
    assert await read(second) == [Stream("stdout", "latea thread"), Done("ok")]


async def test_messages_for_others_are_not_ours(kernel: Kernel) -> None:
    execution = kernel.execute("1")
    kernel.says("display_data", "other", data={"text/plain": "x"})
    kernel.replies("other", **OK)
    kernel.is_idle("other")
    assert execution.done is None
    kernel._heard("stdin", Heard("input_request", "other", {"prompt": "?"}))
    kernel._heard("stdin", Heard("input_request", "1", {"prompt": "!"}))
    kernel.replies("1", **OK)
    kernel.is_idle("1")
    assert await read(execution) == [InputRequest("!"), Done("ok")]


async def test_clear_waits_for_the_next_output(kernel: Kernel) -> None:
    execution = kernel.execute("1")
    kernel.says("display_data", "1", data={"text/plain": "a"})
    kernel.says("clear_output", "1", wait=True)
    kernel.is_idle("1")
    kernel.says("display_data", "1", data={"text/plain": "b"})
    kernel.replies("1", **OK)
    assert await read(execution) == [Display("a"), Clear(), Display("b"), Done("ok")]


async def test_the_end_of_the_process_ends_all(kernel: Kernel) -> None:
    execution = kernel.execute("1")
    completing = asyncio.ensure_future(kernel.talk.complete("pri", 3))
    await asyncio.sleep(0)
    kernel.replies("1", **OK)  # and no idle: a timer runs
    kernel.talk.end("killed")
    assert await read(execution) == [Done("died", "killed")]
    assert await completing is None
    assert kernel.closed


async def test_completion(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    completing = asyncio.ensure_future(kernel.talk.complete("pri", 3))
    await asyncio.sleep(0)
    found = {"matches": ["print"], "cursor_start": 0, "cursor_end": 3}
    kernel._heard("shell", Heard("complete_reply", "1", found))
    assert await completing == Completion(("print",), 0, 3)
    monkeypatch.setattr(conversation, "_COMPLETING_S", 0)
    assert await kernel.talk.complete("pri", 3) is None
    kernel._heard("shell", Heard("complete_reply", "2", found))  # nobody waits for it
