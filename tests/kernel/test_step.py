"""Traces through a real kernel, and the whole command."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.kernel.conftest import DEADLINE_S
from tests.stored_traces import REQUESTS, settled, stored
from tutor.graph.requests import TraceRequest
from tutor.kernel.base import KernelState
from tutor.kernel.jupyter import JupyterKernel
from tutor.progress import Progress
from tutor.session import Session

pytestmark = [pytest.mark.kernel, pytest.mark.asyncio(loop_scope="module")]


async def session_on(kernel: JupyterKernel) -> Session:
    session = Session(lambda options: kernel, Progress(None))
    await session.start()
    return session


async def test_a_trace_comes_over_whole(kernel: JupyterKernel) -> None:
    session = await session_on(kernel)
    trace = await session.trace(REQUESTS["seed"])
    assert trace.fault is None
    assert settled(trace).leaves == stored("seed").leaves
    assert len(trace.ops) == 4


async def test_a_long_trace_comes_in_parts(kernel: JupyterKernel) -> None:
    session = await session_on(kernel)
    code = "for turn in range(400):\n    x = x * 1.001\nf = x"
    trace = await session.trace(TraceRequest(code, {"x": 1.0}))
    assert len(trace.ops) == len(trace.nodes) == 400
    assert len(trace.leaves) == 1


async def test_it_leaves_no_name_and_sees_the_learners(kernel: JupyterKernel) -> None:
    session = await session_on(kernel)
    async for _ in session.execute("import torch\nw = torch.tensor(4.)"):
        pass
    trace = await session.trace(
        TraceRequest("f = w * x", {"x": 2.0}, from_namespace=True)
    )
    assert trace.leaves[0].after.scalar == 4
    outputs = [each async for each in session.execute("'f' in dir(), 'x' in dir()")]
    assert "(False, False)" in str(outputs)


async def test_an_interrupt_keeps_what_was_recorded(kernel: JupyterKernel) -> None:
    session = await session_on(kernel)
    code = "q = x * 2\nwhile True: pass"
    tracing = asyncio.ensure_future(session.trace(TraceRequest(code, {"x": 2.0})))
    async with asyncio.timeout(DEADLINE_S):
        while not tracing.done():
            if kernel.state is KernelState.BUSY:
                await session.interrupt()
            await asyncio.wait([tracing], timeout=0.2)
        trace = await tracing
    assert trace.fault is not None
    assert trace.fault.stage == "interrupt"
    assert [op.label for op in trace.ops] == ["x * 2"]


async def test_the_command(tmp_path: Path, home: Path) -> None:
    code = "q = x**2; u = 3*q; z = 2*y; f = u + z"
    words = ["step", code, "--at", "x=2", "--at", "y=5", "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tutor", *words,
        stdout=PIPE, stderr=PIPE, cwd=tmp_path,
    )  # fmt: skip
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    document = json.loads(out)
    assert {each["name"]: each["value"] for each in document["forward"]} == {
        "q": 4, "u": 12, "z": 10, "f": 22,
    }  # fmt: skip
    assert {name: each["grad"] for name, each in document["leaves"].items()} == {
        "x": 12, "y": 2,
    }  # fmt: skip
