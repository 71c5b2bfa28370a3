"""`tutor.watch` in a real kernel, through the session: points come while the cell runs,
and stay however it ends.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from tests.kernel.conftest import DEADLINE_S
from tutor import messages
from tutor.kernel.asking import ask_one
from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Done, Notice, Stream, Watching
from tutor.progress import Progress
from tutor.session import Event, Session
from tutor.training.run import Race, Run

pytestmark = pytest.mark.kernel
on_one_loop = pytest.mark.asyncio(loop_scope="module")

SET_UP = """\
import torch, tutor
x = torch.linspace(-1, 1, 50).reshape(-1, 1)
y = -5 * x + 2
w, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
def iterate(lr=0.05):
    w.grad = b.grad = None
    loss = ((x * w + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w.sub_(lr * w.grad), b.sub_(lr * b.grad)
    tutor.watch(loss, w=w, b=b)
"""


@pytest_asyncio.fixture(loop_scope="module")
async def session(kernel: JupyterKernel) -> Session:
    session = Session(lambda options: kernel, Progress(None))
    await session.start()
    await run(session, SET_UP)
    return session


async def run(session: Session, code: str) -> list[Event]:
    async with asyncio.timeout(DEADLINE_S):
        return [each async for each in session.execute(code)]


def watched(session: Session) -> Race:
    assert session.watched is not None
    return session.watched


def whole(race: Race) -> Run:
    """Its one run; no point of it is missing."""
    (only,) = race.runs.values()
    assert len(only.losses) == only.last + 1 == len(only.params["w"])
    assert not any(loss != loss for loss in only.losses)
    return only


@on_one_loop
async def test_every_point_of_a_loop_comes(session: Session) -> None:
    found = await run(session, "for _ in range(300): iterate()\n'done'")
    assert [type(each).__name__ for each in found] == ["Watching", "Result", "Done"]
    race = watched(session)
    assert found[0] == Watching(race)
    only = whole(race)
    assert only.last == 299
    assert only.losses[0] > 10 > 0.1 > only.losses[-1]
    assert list(only.params) == ["w", "b"]
    assert race.over


@on_one_loop
async def test_points_come_while_the_cell_runs_and_an_interrupt_keeps_them(
    session: Session,
) -> None:
    enough = asyncio.Event()

    def look() -> None:
        if watched(session).iteration > 200:
            enough.set()

    session.on_watched = look
    running = asyncio.create_task(run(session, "while True: iterate()"))
    async with asyncio.timeout(DEADLINE_S):
        await enough.wait()
    assert not running.done()
    seen = watched(session).iteration
    await session.interrupt()
    found = await running
    assert found[-1] == Done("interrupted")
    only = whole(watched(session))
    assert only.last >= seen
    assert only.end is not None
    assert only.end.stopped == "interrupted"


@on_one_loop
async def test_a_loop_that_raises_keeps_its_points(session: Session) -> None:
    code = "for at in range(100):\n    iterate()\n    if at == 70: 1 / 0"
    found = await run(session, code)
    assert found[-1] == Done("error")
    assert whole(watched(session)).last == 70


@on_one_loop
async def test_the_next_cell_is_another_race(session: Session) -> None:
    await run(session, "for _ in range(10): iterate()")
    first = watched(session)
    await run(session, "for _ in range(20): iterate()")
    assert watched(session) is not first
    assert whole(first).last == 9
    assert whole(watched(session)).last == 19


@on_one_loop
async def test_a_divergence_is_explained_among_the_outputs(session: Session) -> None:
    found = await run(
        session, "w.data.zero_(), b.data.zero_()\nfor _ in range(80): iterate(3.0)"
    )
    (notice,) = [each for each in found if isinstance(each, Notice)]
    assert "Your loop diverged at iteration" in notice.text
    assert "The learning rate 3 is above 1, which is 2 / λmax" in notice.text
    assert watched(session).iteration == 79


@on_one_loop
async def test_a_bad_call_is_told_once_and_stops_nothing(session: Session) -> None:
    code = "for at in range(9):\n    tutor.watch(x)\n    tutor.watch('a')\nat"
    found = await run(session, code)
    told = "".join(each.text for each in found if isinstance(each, Stream))
    assert told.count("has 50 elements") == told.count("is a str") == 1
    assert found[-1] == Done("ok")


@on_one_loop
async def test_a_child_process_sends_nothing(session: Session) -> None:
    code = (
        "import os\nfor at in range(5):\n    tutor.watch(float(at))\n"
        "    if at == 2 and os.fork() == 0:\n"
        "        for _ in range(50): tutor.watch(99.0)\n        os._exit(0)\n"
        "os.wait()"
    )
    await run(session, code)
    (only,) = watched(session).runs.values()
    assert list(only.losses) == [0, 1, 2, 3, 4]


@on_one_loop
async def test_a_check_sends_nothing_either(session: Session) -> None:
    """The learner's function may watch: when it is judged, that is no loop of theirs."""
    await run(session, "def f():\n    tutor.watch(1.0)\n    return 1\nf()")
    before = watched(session)
    request = messages.CheckRequest(
        code="def f(): ...",
        check="equal(learner.f(), 1)",
        when=(),
        known=(),
        seconds=20,
    )
    report = await ask_one(session.kernel, "check", request)
    assert report.outcome == "passed"
    assert watched(session) is before
    assert before.iteration == 0


@on_one_loop
async def test_a_killed_kernel_leaves_the_points(session: Session) -> None:
    enough = asyncio.Event()
    session.on_watched = lambda: (
        enough.set() if watched(session).iteration > 100 else None
    )
    running = asyncio.create_task(run(session, "while True: iterate()"))
    async with asyncio.timeout(DEADLINE_S):
        await enough.wait()
        await session.kill()
    found = await running
    assert isinstance(found[-1], Done)
    assert found[-1].status == "died"
    only = whole(watched(session))
    assert only.last > 100
    assert only.end is not None
    await session.restart()
    await run(session, SET_UP)
    await run(session, "iterate()")
    assert whole(watched(session)).last == 0
    assert whole(watched(session)) is not only


def test_exec_says_in_one_line_what_was_watched(tmp_path: Path) -> None:
    script = tmp_path / "loop.py"
    script.write_text(
        "import tutor\nfor at in range(5):\n    tutor.watch(5.0 - at)\nprint('mine')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tutor", "exec", str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "TUTOR_HOME": str(tmp_path / "home")},
        timeout=DEADLINE_S,
        check=True,
    )
    assert done.stdout == "mine\n"
    assert done.stderr == "tutor.watch saw loss: 5 iterations, from 5 to 1.\n"
