"""A device cell through the real Session: on CUDA where there is one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Result
from tutor.lesson.schema import CodeCell, Expect, Lesson
from tutor.progress import Progress
from tutor.session import Session
from tutor.verdicts import Verdict

DEVICE = """
x = torch.arange(6.0, device="{device}").reshape(2, 3).requires_grad_()
(x ** 2).sum().backward()
x.grad
"""

pytestmark = [pytest.mark.kernel, pytest.mark.asyncio(loop_scope="module")]


def device_cell(device: str) -> CodeCell:
    expect = Expect(
        close=f"2 * torch.arange(6.0, device='{device}').reshape(2, 3)",
        device=device,
        shape=[2, 3],
    )
    return CodeCell(id="device", code=DEVICE.format(device=device), expect=expect)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(home: Path) -> AsyncIterator[Session]:
    session = Session(JupyterKernel, Progress(None))
    await session.start()
    yield session
    await session.close()


async def run(session: Session, device: str) -> tuple[Result, Verdict]:
    cell = device_cell(device)
    lesson = Lesson(format=1, section="2.10", title="Devices", minutes=1, cells=[cell])
    assert await session.open(lesson) is None
    events = [event async for event in session.execute(cell.code, cell)]
    (result,) = (event for event in events if isinstance(event, Result))
    assert isinstance(events[-1], Verdict)
    return result, events[-1]


async def test_on_the_cpu(session: Session) -> None:
    result, verdict = await run(session, "cpu")
    assert verdict.passed, verdict
    assert result.note == "shape (2, 3) · float32 · cpu"


@pytest.mark.gpu
async def test_on_cuda(session: Session) -> None:
    assert session.hello is not None
    if "cuda:0" not in session.hello.devices:
        pytest.skip("needs a CUDA device")
    result, verdict = await run(session, "cuda:0")
    assert verdict.passed, verdict
    assert result.note == "shape (2, 3) · float32 · cuda:0"
