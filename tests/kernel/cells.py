"""Executing cells in tests."""

import asyncio
from typing import Any

from tests.kernel.conftest import DEADLINE_S
from tutor import wire
from tutor.kernel.base import Kernel
from tutor.kernel.outputs import Done, Failure, Output, Payload, Result, Stream


async def run(kernel: Kernel, code: str, **options: bool) -> list[Output]:
    """All outputs of a cell."""
    async with asyncio.timeout(DEADLINE_S):
        return [output async for output in kernel.execute(code, **options)]


async def call(kernel: Kernel, function: str, request: object) -> list[Any]:
    """The bodies that a function of the engine answers with."""
    found = await run(kernel, wire.call(function, "r1", request), quiet=True)
    assert found[-1] == Done("ok"), found
    return [each.message.body for each in found if isinstance(each, Payload)]


def printed(found: list[Output], name: str = "stdout") -> str:
    return "".join(
        each.text for each in found if isinstance(each, Stream) and each.name == name
    )


def failure(found: list[Output]) -> Failure:
    (only,) = [each for each in found if isinstance(each, Failure)]
    return only


def result(found: list[Output]) -> Result:
    (only,) = [each for each in found if isinstance(each, Result)]
    return only


async def until_printed(running: Any, text: str) -> None:
    """Read the outputs of a cell until it has printed `text`."""
    seen = ""
    async with asyncio.timeout(DEADLINE_S):
        while text not in seen:
            output = await anext(running)
            if isinstance(output, Stream):
                seen += output.text


async def rest(running: Any) -> list[Output]:
    """The outputs that are still to come."""
    async with asyncio.timeout(DEADLINE_S):
        return [output async for output in running]
