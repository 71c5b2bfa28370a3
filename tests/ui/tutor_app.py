"""The tutor's app with a fake kernel and a small lesson, for tests of whole screens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.fake_kernel import FakeKernel
from tests.ui.conftest import wait_until
from tutor import messages
from tutor.graph.trace import Trace
from tutor.kernel.outputs import Result
from tutor.lesson.course import index
from tutor.progress import Progress
from tutor.session import Session
from tutor.settings import Settings
from tutor.ui.app import TutorApp
from tutor.ui.screens.lesson import LessonScreen

LESSONS = Path(__file__).parent / "lessons"
ONCE = "y = 3 * x**2 + 2 * x\ny.backward()\nx.grad"
RIGHT = "def step(w, lr):\n    with torch.no_grad():\n        w -= lr * w.grad"
ANSWERS = {ONCE: [Result("tensor([33.8000])", "shape (1,) · float32 · cpu")]}


def _check(request: messages.CheckRequest) -> list[messages.CheckReport]:
    if "no_grad" in request.code:
        return [messages.CheckReport("passed")]
    detail = "case 2 of 5: w = [0.1], lr = 0.1\nwanted [0.08]\ngot    [0.1]"
    return [messages.CheckReport("failed", "w is not right.", detail, mistake=0)]


def fake_kernel(answers: Any = None) -> FakeKernel:
    """Passes code with `no_grad` in it, and every promise of a code cell."""
    return FakeKernel(
        ANSWERS if answers is None else answers,
        calls={
            "check": _check,
            "expect": lambda request: [messages.CheckReport("passed")],
        },
    )


def make_app(
    kernel: FakeKernel | None = None,
    *,
    home: Path | None = None,
    settings: Settings | None = None,
    section: str | None = None,
    lessons: Path = LESSONS,
    trace: Trace | None = None,
) -> TutorApp:
    """`home`: where progress is kept; None: nowhere. `trace`: walked at once."""
    kernel = kernel or fake_kernel()
    return TutorApp(
        lambda progress: Session(lambda options: kernel, progress),
        index(lessons),
        Progress(home),
        settings or Settings(link="slow"),  # no blinking cursor in a snapshot
        section,
        trace=trace,
    )


@asynccontextmanager
async def running(
    app: TutorApp, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[None]]:
    """The app at work, its kernel ready."""
    try:
        async with app.run_test(size=size) as pilot:
            await wait_until(pilot, lambda: app.session and app.session.hello)
            yield pilot
    finally:
        if app.session is not None:
            await app.session.close()


@asynccontextmanager
async def in_lesson(
    *cells: str,
    kernel: FakeKernel | None = None,
    size: tuple[int, int] = (80, 24),
    home: Path | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[tuple[Pilot[None], LessonScreen]]:
    """In the small lesson, at the cell of that id if one is given."""
    app = make_app(kernel, home=home, settings=settings, section="2.8")
    async with running(app, size) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LessonScreen))
        screen = app.screen
        assert isinstance(screen, LessonScreen)
        await wait_until(pilot, screen._opened.is_set)
        for cell in cells:
            await go_to(pilot, screen, cell)
        yield pilot, screen


async def go_to(pilot: Pilot[None], screen: LessonScreen, cell: str) -> None:
    """Press the key for the next cell as often as it takes."""
    cells = [each.id for each in screen.lesson.cells]
    here = cells.index(screen.view.cell.id)
    await pilot.press(*["n"] * (cells.index(cell) - here))
    await wait_until(pilot, lambda: screen.view.cell.id == cell)
