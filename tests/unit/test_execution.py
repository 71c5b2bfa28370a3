import asyncio

import pytest

from tutor.kernel.execution import Execution
from tutor.kernel.outputs import Done, Output, Result, Stream


async def read(execution: Execution) -> list[Output]:
    async with asyncio.timeout(30):
        return [output async for output in execution]


async def test_outputs_in_order_then_the_end() -> None:
    execution = Execution("code")
    execution.put(Result("1"))
    execution.finish("ok")
    assert await read(execution) == [Result("1"), Done("ok")]


async def test_unread_text_of_one_stream_is_one_output() -> None:
    execution = Execution("code")
    for text in "abc":
        execution.put(Stream("stdout", text))
    execution.put(Stream("stderr", "!"))
    execution.put(Stream("stdout", "d"))
    execution.finish("ok")
    assert await read(execution) == [
        Stream("stdout", "abc"),
        Stream("stderr", "!"),
        Stream("stdout", "d"),
        Done("ok"),
    ]


async def test_a_reader_waits_for_what_comes() -> None:
    execution = Execution("code")
    reading = asyncio.ensure_future(read(execution))
    await asyncio.sleep(0)
    execution.put(Stream("stdout", "later"))
    await asyncio.sleep(0)
    execution.finish("died", "killed")
    assert await reading == [Stream("stdout", "later"), Done("died", "killed")]


async def test_nothing_comes_after_the_end() -> None:
    execution = Execution("code")
    execution.finish("interrupted")
    execution.finish("ok")
    execution.put(Result("late"))
    assert execution.done == Done("interrupted")
    assert await read(execution) == [Done("interrupted")]
    with pytest.raises(StopAsyncIteration):
        await anext(execution)
