"""Races asked for slice by slice, on a kernel that plays the engine."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fake_kernel import FakeKernel
from tutor import messages
from tutor.errors import KernelDiedError, StoppedError, TutorError, WireError
from tutor.kernel.base import KernelOptions
from tutor.kernel.outputs import Done
from tutor.progress import Progress
from tutor.runs.store import Runs
from tutor.session import Session
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, RunEnd, Stopped
from tutor.training.spec import Kept, RaceSpec, RunSpec, SliceRequest
from tutor.training.views import Fit, ViewRequest

SLICE = 10
"""Iterations that the played engine does before its time is over."""


class Engine:
    """Answers "train" as the real one: keeps where each race stands."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self.requests: list[SliceRequest] = []
        self.keeps = False
        """Whether it sends the states of its runs."""

    def train(self, request: SliceRequest) -> Iterator[Any]:
        self.requests.append(request)
        race = request.race
        if request.kept:
            self.at[race.id] = request.kept[0].iteration
        if not request.fresh and race.id not in self.at:
            yield messages.Problem("The kernel no longer has this race.")
            return
        run = race.runs[0]
        at = self.at.get(race.id, 0) if not request.fresh else 0
        count = run.iterations if request.limit is None else request.limit
        if request.seconds is not None:
            count = min(count, SLICE)
        goal = min(run.iterations, at + count)
        if race.id:
            self.at[race.id] = goal
        start = 0 if request.fresh else at + 1
        losses = tuple(float(each) for each in range(start, goal + 1))
        if losses:
            yield Points(run.name, start, start, 1, losses)
        if self.keeps:
            yield Kept(run.name, goal, "c3RhdGU=")
        for each in request.views:
            yield Fit(run.name, goal, (float(each.columns),), (0.0,), ())
        stopped: Stopped = "finished" if goal == run.iterations else "interrupted"
        yield Finished({run.name: RunEnd(stopped, goal, float(goal))})


class Fixture:
    def __init__(self) -> None:
        self.engine = Engine()
        self.kernels: list[FakeKernel] = []
        self.session = Session(self.make, Progress(None))

    def make(self, options: KernelOptions) -> FakeKernel:
        calls = {"train": self.engine.train}
        self.kernels.append(FakeKernel(options=options, calls=calls))
        return self.kernels[-1]


@pytest.fixture
async def fixture() -> AsyncIterator[Fixture]:
    made = Fixture()
    yield made
    await made.session.close()


def spec(iterations: int = 25, lr: float = 0.05, id: str = "race") -> RaceSpec:
    return RaceSpec((RunSpec("gd", iterations=iterations, lr=lr),), id=id)


async def train(
    session: Session, race: RaceSpec, limit: int | None = None
) -> tuple[list[int], Finished]:
    """The iterations that came, and how it ended."""
    arrived = [each async for each in session.train(race, limit)]
    finished = arrived[-1]
    assert isinstance(finished, Finished)
    return iterations(arrived), finished


def iterations(arrived: Sequence[object]) -> list[int]:
    """Of all points."""
    came = []
    for each in arrived:
        if isinstance(each, Points):
            came += [each.start + index for index in range(len(each.losses))]
    return came


async def test_a_race_is_computed_slice_after_slice(fixture: Fixture) -> None:
    came, finished = await train(fixture.session, spec())
    assert came == list(range(26))
    assert finished.over
    assert [each.fresh for each in fixture.engine.requests] == [True, False, False]
    assert fixture.kernels[0].starts == 0
    assert fixture.kernels[1].options.threads == 1


async def test_a_limit_is_kept_over_slices(fixture: Fixture) -> None:
    came, finished = await train(fixture.session, spec(100), limit=13)
    assert came == list(range(14))
    assert finished.runs["gd"].stopped == "interrupted"
    came, _ = await train(fixture.session, spec(100), limit=1)
    assert came == [14]


async def test_no_iterations_still_gives_the_start(fixture: Fixture) -> None:
    came, finished = await train(fixture.session, spec(), limit=0)
    assert came == [0]
    assert not finished.over


async def test_a_race_that_came_further_than_asked_has_no_more_to_do(
    fixture: Fixture,
) -> None:
    """As one whose fork branches off later than its others are."""
    plain = fixture.engine.train

    def further(request: SliceRequest) -> Iterator[Any]:
        assert len(fixture.engine.requests) < 5, "it is asked again and again"
        assert request.limit is not None
        return plain(replace(request, limit=request.limit + 7))

    await fixture.session.racer()
    fixture.kernels[1].calls["train"] = further
    came, finished = await train(fixture.session, spec(), limit=0)
    assert came == list(range(8))
    assert not finished.over
    assert len(fixture.engine.requests) == 1


async def test_the_next_slice_brings_what_was_changed(fixture: Fixture) -> None:
    await train(fixture.session, spec(), limit=5)
    came, _ = await train(fixture.session, spec(lr=0.5))
    assert came == list(range(6, 26))
    assert [each.race.runs[0].lr for each in fixture.engine.requests] == [
        0.05, 0.5, 0.5,
    ]  # fmt: skip


async def test_another_id_is_another_race(fixture: Fixture) -> None:
    await train(fixture.session, spec(id="one"), limit=5)
    came, _ = await train(fixture.session, spec(id="two"), limit=5)
    assert came == list(range(6))


async def test_a_race_without_an_id_begins_each_time(fixture: Fixture) -> None:
    for _ in range(2):
        came, _ = await train(fixture.session, spec(5, id=""))
        assert came == list(range(6))


async def test_a_race_without_an_id_is_computed_to_its_end(fixture: Fixture) -> None:
    came, finished = await train(fixture.session, spec(3 * SLICE, id=""))
    assert came == list(range(3 * SLICE + 1))
    assert finished.over


async def test_stopping_keeps_the_points_and_goes_on_later(fixture: Fixture) -> None:
    session = fixture.session
    came: list[int] = []
    ends: list[Finished] = []
    async for each in session.train(spec(100)):
        if isinstance(each, Points):
            came += [each.start + index for index in range(len(each.losses))]
            await session.stop_training()
        elif isinstance(each, Finished):
            ends.append(each)
    assert came == list(range(len(came)))
    assert len(came) < 30
    assert [end.over for end in ends] == [False]
    more, finished = await train(session, spec(100))
    assert came + more == list(range(101))
    assert finished.over


async def test_stopped_before_it_began_it_says_where_it_stands(
    fixture: Fixture,
) -> None:
    session = fixture.session
    begun = asyncio.Event()
    engine = fixture.engine.train

    async def late(request: SliceRequest) -> AsyncIterator[Any]:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        for each in engine(request):
            yield each

    racer = await session.racer()
    assert isinstance(racer, FakeKernel)
    racer.calls["train"] = late
    task = asyncio.create_task(train(session, spec()))
    await begun.wait()
    await session.stop_training()
    came, finished = await task
    assert came == [0]
    assert not finished.over


async def test_stopped_twice_it_gives_up(fixture: Fixture) -> None:
    begun = asyncio.Event()

    async def never(request: SliceRequest) -> AsyncIterator[Any]:
        begun.set()
        await asyncio.Event().wait()
        yield None

    racer = await fixture.session.racer()
    assert isinstance(racer, FakeKernel)
    racer.calls["train"] = never
    task = asyncio.create_task(train(fixture.session, spec()))
    for _ in range(2):
        await begun.wait()
        begun.clear()
        await fixture.session.stop_training()
    with pytest.raises(StoppedError):
        await task


async def test_stopped_many_times_it_is_interrupted_once(fixture: Fixture) -> None:
    racer = await fixture.session.racer()
    assert isinstance(racer, FakeKernel)
    begun = asyncio.Event()
    interrupts = 0

    async def patient(request: SliceRequest) -> AsyncIterator[Any]:
        nonlocal interrupts
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            interrupts += 1
        for each in fixture.engine.train(request):
            yield each

    racer.calls["train"] = patient
    task = asyncio.create_task(train(fixture.session, spec(100)))
    await begun.wait()
    for _ in range(3):
        await fixture.session.stop_training()
    came, _ = await task
    assert came == list(range(SLICE + 1))
    assert interrupts == 1


async def test_cut_off_after_its_first_points_it_goes_on_and_not_anew(
    fixture: Fixture,
) -> None:
    racer = await fixture.session.racer()
    assert isinstance(racer, FakeKernel)
    cut = [True]

    async def cut_off(request: SliceRequest) -> AsyncIterator[Any]:
        for each in fixture.engine.train(request):
            if isinstance(each, Finished) and cut:
                cut.clear()
                yield Done("interrupted")
                return
            yield each

    racer.calls["train"] = cut_off
    came, finished = await train(fixture.session, spec(100))
    assert came == list(range(SLICE + 1))
    assert finished.runs["gd"].iteration == SLICE


async def test_stopping_nothing_does_nothing(fixture: Fixture) -> None:
    await fixture.session.stop_training()
    came, _ = await train(fixture.session, spec(5))
    assert came == list(range(6))


@pytest.mark.parametrize("keeps", [False, True])
async def test_a_kernel_that_forgot_the_race_is_told_and_it_goes_on(
    fixture: Fixture, keeps: bool
) -> None:
    fixture.engine.keeps = keeps
    await train(fixture.session, spec(), limit=5)
    fixture.engine.at.clear()
    if not keeps:
        with pytest.raises(TutorError, match="no longer has this race"):
            await train(fixture.session, spec())
    came, _ = await train(fixture.session, spec(), limit=3)
    assert came == [6, 7, 8]
    assert fixture.engine.requests[-1].fresh is not keeps
    came, _ = await train(fixture.session, spec())
    assert came == list(range(9, 26))


@pytest.mark.parametrize("keeps", [False, True])
async def test_points_behind_the_state_come_once(fixture: Fixture, keeps: bool) -> None:
    fixture.engine.keeps = keeps
    await train(fixture.session, spec(100), limit=5)
    racer = await fixture.session.racer()
    assert isinstance(racer, FakeKernel)

    deaths = [1]

    async def dying(request: SliceRequest) -> AsyncIterator[Any]:
        if deaths:
            deaths.pop()
            yield Points("gd", 6, 6, 1, (6.0, 7.0, 8.0))
            yield Done("died", "killed (signal 9)")
            return
        for each in fixture.engine.train(request):
            yield each

    racer.calls["train"] = dying
    fixture.engine.at.clear()
    fixture.engine.requests.clear()
    arrived = [each async for each in fixture.session.train(spec(100), limit=7)]
    (told,) = [each for each in arrived if isinstance(each, Finding)]
    assert (told.kind, told.text) == (
        "restarted", "The kernel ended: killed (signal 9).",
    )  # fmt: skip
    assert iterations(arrived) == list(range(6, 13))
    assert racer.starts == 2
    first = fixture.engine.requests[0]
    assert [each.iteration for each in first.kept] == ([5] if keeps else [])
    assert first.fresh is not keeps


async def test_a_kernel_that_ends_again_and_again_is_an_error(fixture: Fixture) -> None:
    racer = await fixture.session.racer()
    assert isinstance(racer, FakeKernel)

    async def dying(request: SliceRequest) -> AsyncIterator[Any]:
        yield Points("gd", 0, 0, 1, (6.0,))
        yield Done("died", "out of memory")

    racer.calls["train"] = dying
    with pytest.raises(KernelDiedError, match="out of memory"):
        await train(fixture.session, spec(100))
    assert racer.starts == 2


async def test_what_is_to_be_seen_is_asked_for_again_in_each_slice(
    fixture: Fixture,
) -> None:
    asked: list[ViewRequest] = []

    def views() -> tuple[ViewRequest, ...]:
        asked.append(ViewRequest("output", "gd", columns=len(asked) + 1))
        return (asked[-1],)

    session = fixture.session
    arrived = [each async for each in session.train(spec(), views=views)]
    assert len(asked) == 3
    assert [each.views for each in fixture.engine.requests] == [
        (each,) for each in asked
    ]
    assert [each.x for each in arrived if isinstance(each, Fit)] == [
        (1.0,), (2.0,), (3.0,),
    ]  # fmt: skip


@pytest.mark.parametrize("keeps", [False, True])
async def test_another_tutor_goes_on_with_what_is_on_disk(
    fixture: Fixture, tmp_path: Path, keeps: bool
) -> None:
    fixture.engine.keeps = keeps
    first = Session(fixture.make, Progress(None), runs=Runs(tmp_path))
    await train(first, spec(100), limit=33)
    await first.close()
    fixture.engine.at.clear()
    runs = Runs(tmp_path)
    session = Session(fixture.make, Progress(None), runs=runs)
    (listed,) = runs.list()
    assert (listed.iteration, listed.stopped) == (33, "interrupted")
    race = runs.open(listed.id).race
    async for arrived in session.train(race.spec):
        assert isinstance(arrived, Points | Finished)
        race.add(arrived)
    await session.close()
    assert list(race.runs["gd"].losses) == [float(k) for k in range(101)]
    (listed,) = runs.list()
    assert (listed.iteration, listed.stopped) == (100, "finished")
    assert Runs(tmp_path).open(listed.id).race.over


async def test_a_state_is_no_business_of_who_trains(fixture: Fixture) -> None:
    fixture.engine.keeps = True
    arrived = [each async for each in fixture.session.train(spec())]
    assert {type(each) for each in arrived} == {Points, Finished}


async def test_a_kernel_that_dies_is_told_and_started_again(fixture: Fixture) -> None:
    racer = await fixture.session.racer()
    assert isinstance(racer, FakeKernel)
    racer.calls["train"] = lambda request: [Done("died", "segmentation fault")]
    with pytest.raises(KernelDiedError, match="segmentation fault"):
        await train(fixture.session, spec())
    racer.calls["train"] = fixture.engine.train
    came, _ = await train(fixture.session, spec())
    assert came == list(range(26))
    assert racer.starts == 3


async def test_an_end_that_never_came_is_told(fixture: Fixture) -> None:
    racer = await fixture.session.racer()
    assert isinstance(racer, FakeKernel)
    racer.calls["train"] = lambda request: []
    with pytest.raises(WireError):
        await train(fixture.session, spec())


async def test_races_here_use_the_first_kernel(fixture: Fixture) -> None:
    fixture.session.races_here = True
    came, _ = await train(fixture.session, spec())
    assert came == list(range(26))
    assert len(fixture.kernels) == 1
