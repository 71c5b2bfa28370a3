"""`tutor.step` and `%%step` in a real kernel, through the session."""

import asyncio

import pytest
import pytest_asyncio

from tests.kernel.conftest import DEADLINE_S
from tutor.errors import TutorError
from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Done, Failure, Recording, Result
from tutor.progress import Progress
from tutor.session import Event, Session

pytestmark = [pytest.mark.kernel, pytest.mark.asyncio(loop_scope="module")]

SET_UP = """\
import torch, tutor
def f(x, y):
    q = x ** 2
    return 3 * q + 2 * y
x = torch.tensor(2., requires_grad=True)
y = torch.tensor(5., requires_grad=True)"""


@pytest_asyncio.fixture(loop_scope="module")
async def session(kernel: JupyterKernel) -> Session:
    session = Session(lambda options: kernel, Progress(None))
    await session.start()
    await run(session, SET_UP)
    return session


async def run(session: Session, code: str) -> list[Event]:
    async with asyncio.timeout(DEADLINE_S):
        return [each async for each in session.execute(code)]


def recording(found: list[Event]) -> Recording:
    (only,) = [each for each in found if isinstance(each, Recording)]
    return only


async def test_a_function_is_walked_on_the_learners_names(session: Session) -> None:
    found = await run(session, "tutor.step(f, x, y), x.grad")
    trace = recording(found).trace
    assert session.recorded is trace
    assert trace.end.title == "f(x, y)"
    names = {trace.values[leaf.value].name for leaf in trace.leaves}
    assert names == {"x", "y"}
    assert {leaf.after.scalar for leaf in trace.leaves} == {12, 2}
    assert trace.end.code == SET_UP + "\n"
    assert "None)" in str([each for each in found if isinstance(each, Result)])


async def test_a_cell_below_the_magic_is_a_cell(session: Session) -> None:
    found = await run(session, "%%step\n\nloss = f(x, y)\nloss")
    trace = recording(found).trace
    (result,) = [each for each in found if isinstance(each, Result)]
    assert result.text.startswith("tensor(22.")
    assert result.note is not None
    source = trace.ops[-1].source
    assert source is not None
    assert source.line == 4  # of the cell with `def f`
    assert trace.end.code == "\n\nloss = f(x, y)\nloss\n"
    found = await run(session, "loss.item(), x.grad")
    assert "(22.0, None)" in str(found)


async def test_a_mistake_below_the_magic_is_at_its_own_line(session: Session) -> None:
    found = await run(session, "%%step\na = x * 2\nb = 1 / 0")
    (failure,) = [each for each in found if isinstance(each, Failure)]
    assert failure.line == 3
    assert failure.traceback.count("line") == 1  # nothing of IPython's or ours
    assert len(recording(found).trace.ops) == 1
    found = await run(session, "%%step\na = x * 2\nb = (")
    (failure,) = [each for each in found if isinstance(each, Failure)]
    assert (failure.ename, failure.line) == ("SyntaxError", 3)
    assert "IPython" not in failure.traceback


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("%%step", "body is empty"),
        ("%%step\n  \n", "has no code below it"),
        ("%%step 3x\nx * 2", "does not know '3x'"),
        ("tutor.step()", "has nothing to walk"),
    ],
)
async def test_what_cannot_be_walked(session: Session, code: str, said: str) -> None:
    found = await run(session, code)
    (failure,) = [each for each in found if isinstance(each, Failure)]
    assert said in failure.evalue
    assert not any(isinstance(each, Recording) for each in found)


async def test_an_interrupt_keeps_the_walk(session: Session) -> None:
    code = "%%step\na = x * 2\nprint('here')\nwhile True: pass"
    found = []
    async with asyncio.timeout(DEADLINE_S):
        async for each in session.execute(code):
            found.append(each)
            if "here" in str(each):
                await session.interrupt()
    assert found[-1] == Done("interrupted")
    trace = recording(found).trace
    assert trace.fault is not None
    assert (trace.fault.stage, trace.fault.line) == ("interrupt", 4)
    assert [op.function for op in trace.ops] == ["mul"]


async def test_a_long_walk_comes_whole(session: Session) -> None:
    code = "%%step\nz = x\nfor _ in range(1200): z = z * 1.001\nz"
    trace = recording(await run(session, code)).trace
    assert len(trace.ops) == len(trace.nodes) == 1200


async def test_a_cells_own_leaf_is_changed_on_a_copy(session: Session) -> None:
    cell = "%%step\na = torch.tensor(2., requires_grad=True)\nb = a ** 2 * x\nb"
    trace = recording(await run(session, cell)).trace
    new = await session.retrace(trace, None, {"a": 3.0})
    leaves = {new.values[each.value].name: each.after.scalar for each in new.leaves}
    assert leaves == {"a": 12, "x": 9}
    newer = await session.retrace(new, None, {"x": 5.0})
    leaves = {newer.values[each.value].name: each.after.scalar for each in newer.leaves}
    assert leaves == {"a": 30, "x": 9}
    found = await run(session, "a.item(), b.item(), x.item(), a.grad")
    assert "(2.0, 8.0, 2.0, None)" in str(found)
    with pytest.raises(TutorError, match="nope cannot be changed"):
        await session.retrace(trace, None, {"nope": 5.0})
