"""Views and luck meters asked through a session, on a kernel that plays the engine."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.fake_kernel import FakeKernel
from tutor import messages
from tutor.errors import StoppedError, TutorError, WireError
from tutor.kernel.base import Kernel, KernelOptions
from tutor.kernel.outputs import Done
from tutor.progress import Progress
from tutor.session import Session
from tutor.sight import Sight
from tutor.training.luck import LuckEnd, LuckPoints, LuckRequest
from tutor.training.spec import RaceSpec, RunSpec
from tutor.training.views import Layers, ViewRequest

REQUEST = LuckRequest(RaceSpec((RunSpec("gd"),)), seeds=5)
POINTS = LuckPoints("gd", 0, 1, (1.0,), (2.0,), (3.0,), ())
END = LuckEnd(5, 0.1, {})
DEADLINE_S = 20


class Fixture:
    """A session whose kernel answers as `view` and `luck` say."""

    def __init__(self) -> None:
        self.calls: dict[str, Any] = {}
        self.kernels: list[FakeKernel] = []
        self.session = Session(self.make, Progress(None))

    def make(self, options: KernelOptions) -> FakeKernel:
        self.kernels.append(FakeKernel(options=options, calls=self.calls))
        return self.kernels[-1]

    async def luck(self) -> list[LuckPoints | LuckEnd]:
        async with asyncio.timeout(DEADLINE_S):
            return [each async for each in self.session.luck(REQUEST)]


@pytest.fixture
async def fixture() -> AsyncIterator[Fixture]:
    made = Fixture()
    yield made
    await made.session.close()


async def test_a_view_is_asked_of_the_kernel_that_races(fixture: Fixture) -> None:
    found = Layers("gd", 3, ())
    fixture.calls["view"] = lambda request: [found]
    request = ViewRequest("layers", "gd", race="r", iteration=3)
    assert await fixture.session.view(request) == found
    assert [each.options.threads for each in fixture.kernels] == [None, 1]
    assert ("view", request) in fixture.kernels[1].requests


async def test_no_such_view_is_a_sentence(fixture: Fixture) -> None:
    fixture.calls["view"] = lambda request: [messages.Problem("No contour.")]
    with pytest.raises(TutorError, match=r"No contour\."):
        await fixture.session.view(ViewRequest("surface", "gd"))


async def test_stop_training_ends_a_view(fixture: Fixture) -> None:
    began, found = asyncio.Event(), Layers("gd", 3, ())

    async def view(request: object) -> AsyncIterator[Any]:
        if began.is_set():
            yield found
            return
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            yield Done("interrupted")

    fixture.calls["view"] = view
    async with asyncio.timeout(DEADLINE_S):
        asked = asyncio.ensure_future(
            fixture.session.view(ViewRequest("layers", "gd", race="r"))
        )
        await began.wait()
        await fixture.session.stop_training()
        with pytest.raises(StoppedError):
            await asked
        again = await fixture.session.view(ViewRequest("layers", "gd", race="r"))
    assert again == found


async def test_a_view_that_is_stopped_while_its_kernel_starts_is_not_computed(
    fixture: Fixture,
) -> None:
    fixture.calls["view"] = lambda request: [Layers("gd", 3, ())]
    up, plain = asyncio.Event(), fixture.session.racer

    async def late() -> Kernel:
        await up.wait()
        return await plain()

    sight = Sight(late)
    asked = asyncio.ensure_future(sight.view(ViewRequest("layers", "gd")))
    await asyncio.sleep(0)
    await sight.stop()
    up.set()
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(StoppedError):
            await asked
    assert "view" not in [each for each, _ in fixture.kernels[-1].requests]


async def test_luck_comes_point_by_point(fixture: Fixture) -> None:
    fixture.calls["luck"] = lambda request: [POINTS, END]
    assert await fixture.luck() == [POINTS, END]


async def test_an_end_that_is_lost_is_said(fixture: Fixture) -> None:
    fixture.calls["luck"] = lambda request: [POINTS]
    with pytest.raises(WireError, match="luck meter was lost"):
        await fixture.luck()


async def test_stopped_before_the_engine_began_it_still_ends(fixture: Fixture) -> None:
    def interrupted(request: object) -> Iterator[Any]:
        yield Done("interrupted")

    fixture.calls["luck"] = interrupted
    assert await fixture.luck() == [LuckEnd(5, 0.0, {}, interrupted=True)]


async def test_stop_training_ends_it(fixture: Fixture) -> None:
    ended = asyncio.Event()

    async def luck(request: object) -> AsyncIterator[Any]:
        yield POINTS
        try:
            await ended.wait()
        except asyncio.CancelledError:
            yield LuckEnd(5, 0.2, {}, interrupted=True)

    fixture.calls["luck"] = luck
    came: list[LuckPoints | LuckEnd] = []
    async with asyncio.timeout(DEADLINE_S):
        async for each in fixture.session.luck(REQUEST):
            came.append(each)
            if isinstance(each, LuckPoints):
                await fixture.session.stop_training()
                await fixture.session.stop_training()
    assert came == [POINTS, LuckEnd(5, 0.2, {}, interrupted=True)]
