"""Views and luck meters of a real kernel: at any iteration, live, stopped."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.kernel.conftest import DEADLINE_S
from tutor.errors import StoppedError, TutorError
from tutor.kernel.jupyter import JupyterKernel
from tutor.progress import Progress
from tutor.session import Session
from tutor.training import options
from tutor.training.luck import LuckPoints, LuckRequest
from tutor.training.lucky import Lucky
from tutor.training.run import Points, Race
from tutor.training.spec import RaceSpec
from tutor.training.views import Fit, Noise, Surface, ViewRequest

pytestmark = [pytest.mark.kernel, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(home: Path) -> AsyncIterator[Session]:
    session = Session(JupyterKernel, Progress(None))
    yield session
    await session.close()


async def test_views_of_a_race_that_is_over_at_any_iteration(session: Session) -> None:
    so_far = Race(RaceSpec(options.race(None).runs, id="seen"))
    async with asyncio.timeout(DEADLINE_S):
        async for arrived in session.train(so_far.spec):
            if isinstance(arrived, Points):
                so_far.add(arrived)
        params = so_far.runs["sgd"].params
        for iteration in (25, 3, 0, 12):
            request = ViewRequest("output", "sgd", "seen", iteration)
            fit = await session.view(request)
            assert isinstance(fit, Fit)
            assert fit.iteration == iteration
            w, b = params["w"][iteration], params["b"][iteration]
            assert fit.y == pytest.approx([w * x + b for x in fit.x], abs=1e-4)
        surface = await session.view(ViewRequest("surface", "gd", "seen"))
        assert isinstance(surface, Surface)
        assert surface.least == pytest.approx(0.942, abs=1e-3)
        assert isinstance(await session.view(ViewRequest("noise", "gd", "seen")), Noise)
        with pytest.raises(TutorError, match="does not have this race any more"):
            await session.view(ViewRequest("output", "gd", "another"))


async def test_a_view_that_takes_long_is_stopped(
    session: Session, tmp_path: Path
) -> None:
    racer = await session.racer()
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    slow = (
        "import time, tutor.engine.views as views\n"
        "plain = views.answer\n"
        "def slow(*given):\n"
        f"    open({str(begun)!r}, 'w').close()\n"
        "    while True: time.sleep(0.01)\n"
        "views.answer = slow"
    )
    race = RaceSpec(options.race(None).runs, id="slow")
    request = ViewRequest("output", "sgd", "slow", 7)
    async with asyncio.timeout(DEADLINE_S):
        _ = [each async for each in session.train(race)]
        _ = [each async for each in racer.execute(slow)]
        asked = asyncio.ensure_future(session.view(request))
        await asyncio.to_thread(begun.read_bytes)  # until somebody writes
        await session.stop_training()
        with pytest.raises(StoppedError):
            await asked
        _ = [each async for each in racer.execute("views.answer = plain")]
        fit = await session.view(request)
    assert isinstance(fit, Fit)
    assert fit.iteration == 7


async def test_a_luck_meter_to_its_end(session: Session) -> None:
    lucky = Lucky(LuckRequest(options.race(None), seeds=100))
    async with asyncio.timeout(DEADLINE_S):
        async for arrived in session.luck(lucky.request):
            lucky.add(arrived)
    assert lucky.end is not None
    assert not lucky.end.interrupted
    assert lucky.points["sgd"].iterations[-1] == 25
    assert lucky.end.runs["gd"].losses[0] == pytest.approx(1.076, abs=1e-3)


async def test_a_luck_meter_is_live_and_ends_when_told(session: Session) -> None:
    race = options.race(None, ["iterations=1e9"])
    lucky = Lucky(LuckRequest(race, seeds=20))
    came = 0
    async with asyncio.timeout(DEADLINE_S):
        async for arrived in session.luck(lucky.request):
            lucky.add(arrived)
            came += isinstance(arrived, LuckPoints)
            if came == 10:
                await session.stop_training()
    assert lucky.end is not None
    assert lucky.end.interrupted
    assert lucky.end.runs["gd"].iteration >= lucky.iteration > 0
