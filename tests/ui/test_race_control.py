"""RaceControl and Races without a screen: who computes, what is asked, what is kept."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from time import monotonic
from typing import Any, cast

import pytest

from tutor import paths
from tutor.errors import KernelDiedError, StoppedError, TutorError
from tutor.session import Session
from tutor.training import options
from tutor.training.findings import Finding
from tutor.training.forks import forked, turned
from tutor.training.luck import LuckEnd, LuckPoints, LuckRequest
from tutor.training.run import Finished, Points, Race, RunEnd
from tutor.training.spec import RaceSpec
from tutor.training.views import Layers, Surface, ViewRequest
from tutor.ui.race_control import RaceControl
from tutor.ui.race_looking import STOPPED
from tutor.ui.races import Races

DEADLINE_S = 20.0


class FakeSession:
    """Computes when it is told to; one at a time, which it checks."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, str], int] = {}
        self.limits: list[int | None] = []
        self.viewed: list[ViewRequest] = []
        self.asked_views: list[tuple[ViewRequest, ...]] = []
        self.busy = False
        self.held = False
        """An endless slice waits to be stopped."""
        self.hangs = False
        """A slice never ends, but with its kernel."""
        self.ended = asyncio.Event()
        self.stopped = asyncio.Event()
        self.view_problem: str | None = None
        self.view_held = False
        """A view takes until it is stopped."""
        self.mistake: Exception | None = None
        """Raised once, by whatever is asked next."""
        self.points: Points | None = None
        """Sent once, by the next slice."""
        self.finding: Finding | None = None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        assert not self.busy, "two at once"
        self.busy = True
        self.stopped.clear()
        try:
            yield
        finally:
            self.busy = False

    def _err(self) -> None:
        mistake, self.mistake = self.mistake, None
        if mistake is not None:
            raise mistake

    async def train(
        self, spec: RaceSpec, limit: int | None = None, views: Any = ()
    ) -> AsyncIterator[Any]:
        with self._alone():
            self.limits.append(limit)
            self._err()
            if self.points is not None:
                sent, self.points = self.points, None
                yield sent
            if self.hangs:
                for run in spec.runs if limit is None else ():
                    yield Points(run.name, 1, 1, 1, (0.5,) * 3, {"w": (0.5,) * 3})
                self.ended.clear()
                await self.ended.wait()
                raise KernelDiedError("The kernel ended: it was killed.")
            held = self.held and limit is None
            ends = {}
            furthest = max(self.at.get((spec.id, run.name), -1) for run in spec.runs)
            for run in spec.runs:
                key = spec.id, run.name
                start = self.at.get(key, run.since - 1) + 1
                goal = run.iterations if limit is None else max(furthest, 0) + limit
                if held:
                    goal = start + 2
                goal = min(goal, run.iterations)
                losses = tuple(1.0 / (1 + at) for at in range(start, goal + 1))
                self.at[key] = goal
                yield Points(run.name, start, start, 1, losses, {"w": losses})
                over = goal >= run.iterations
                stopped = "finished" if over else "interrupted"
                ends[run.name] = RunEnd(cast(Any, stopped), goal, 1.0)
            if self.finding is not None:
                found, self.finding = self.finding, None
                yield found
            self.asked_views.append(views() if callable(views) else views)
            for request in self.asked_views[-1]:
                yield Layers(request.run, max(self.at.values()), ())
            if held:
                await self.stopped.wait()
            yield Finished(ends)

    async def end_racer(self) -> None:
        self.ended.set()

    async def stop_training(self) -> None:
        self.stopped.set()
        await asyncio.sleep(0)

    async def view(self, request: ViewRequest) -> Any:
        with self._alone():
            self.viewed.append(request)
            await asyncio.sleep(0)
            self._err()
            if self.view_held:
                await self.stopped.wait()
                raise StoppedError("Interrupted.")
            if self.view_problem is not None:
                raise TutorError(self.view_problem)
            if request.kind == "surface":
                return Surface(request.run, ("w", "b"), (0, 1, 0, 1), 2, 2, (1.0,) * 4)
            return Layers(request.run, request.iteration or 0, ())

    async def luck(self, request: LuckRequest) -> AsyncIterator[Any]:
        with self._alone():
            self._err()
            for run in request.race.runs:
                yield LuckPoints(run.name, 0, 1, (0.5,), (1.0,), (2.0,), (0.5,))
            if self.held:
                await self.stopped.wait()
            yield LuckEnd(request.seeds, 0.1, {}, interrupted=self.held)


class Fixture:
    """Races on a fake session, driven by tasks of this loop."""

    def __init__(self) -> None:
        self.session = FakeSession()
        self.tasks: list[asyncio.Task[None]] = []
        self.races = Races(cast(Session, self.session), self._start)

    def _start(self, work: Any) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def make(self, key: str = "") -> RaceControl:
        control = self.races.make(key, options.race())
        control.set_speed(None)
        return control

    async def until(self, holds: Callable[[], object]) -> None:
        deadline = monotonic() + DEADLINE_S
        while not holds():
            for task in self.tasks:
                if task.done():
                    task.result()
            assert monotonic() < deadline
            await asyncio.sleep(0)

    async def rest_a_little(self) -> None:
        """What can be done without the kernel is done."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def rest(self) -> None:
        """Whatever was asked for is done."""
        for _ in range(50):
            await asyncio.sleep(0)
        await self.until(lambda: not self.session.busy)


@pytest.fixture
async def fixture() -> AsyncIterator[Fixture]:
    made = Fixture()
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


async def test_a_race_that_runs_pauses_the_others(fixture: Fixture) -> None:
    one, other = fixture.make("one"), fixture.make("other")
    await fixture.until(lambda: one.race.iteration == other.race.iteration == 0)
    fixture.session.held = True
    await one.run_or_pause()
    await fixture.until(lambda: one.race.iteration > 0)
    assert fixture.races.under_way is one
    await other.run_or_pause()
    await fixture.until(lambda: other.race.iteration > 0)
    assert fixture.races.under_way is other
    assert one.state == "paused"


async def test_a_new_race_only_borrows_the_kernel_of_one_that_runs(
    fixture: Fixture,
) -> None:
    one = fixture.make("one")
    await fixture.until(lambda: one.race.iteration == 0)
    fixture.session.held = True
    await one.run_or_pause()
    await fixture.until(lambda: one.race.iteration > 0)
    before = one.race.iteration
    other = fixture.make("other")
    await fixture.until(lambda: other.race.iteration == 0)
    assert one.running
    await fixture.until(lambda: one.race.iteration > before)


async def test_a_turn_knows_the_last_point(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.held = True
    await control.run_or_pause()
    await fixture.until(lambda: control.race.iteration > 0)
    reached: list[int] = []

    def make() -> RaceSpec:
        reached.append(control.race.iteration)
        assert not fixture.session.busy
        return replace(control.race.spec, title="turned")

    fixture.session.held = False
    await control.change(make)
    await fixture.until(lambda: control.race.over)
    assert reached == [3]
    assert control.race.spec.title == "turned"


async def test_a_fork_starts_where_it_branches_off_and_goes_on(
    fixture: Fixture,
) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    await control.do(10)
    await fixture.until(lambda: control.race.iteration == 10)
    await control.change(lambda: forked(control.race.spec, "gd", 4, "lr", 0.2))
    await control.run()
    await fixture.until(lambda: control.race.over)
    fork = list(control.race.runs.values())[-1]
    assert fork.last == 25
    assert fork.losses[4] == 0.2
    assert str(fork.losses[3]) == "nan"


async def test_a_view_is_asked_once_of_what_is_looked_at(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    await control.do(10)
    await fixture.until(lambda: control.race.iteration == 10)
    await fixture.rest()
    wish = ViewRequest("layers", "gd")
    control.looking.at(wish)
    await fixture.until(lambda: "layers" in control.looking.answers)
    control.looking.at(wish)
    await fixture.rest()
    assert len(fixture.session.viewed) == 1
    assert fixture.session.viewed[0].race == control.race.spec.id
    for at in range(3, 8):  # only the newest wish is of use
        await control.go_to(at)
        control.looking.at(replace(wish, iteration=at))
    await fixture.rest()
    assert fixture.session.viewed[-1].iteration == 7
    assert len(fixture.session.viewed) <= 4


async def test_a_surface_is_asked_once_for_all_iterations(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    control.looking.at(ViewRequest("surface", "gd"))
    await fixture.until(lambda: "surface" in control.looking.answers)
    await control.do(10)
    await fixture.until(lambda: control.race.iteration == 10)
    control.looking.at(ViewRequest("surface", "gd", iteration=3))
    await fixture.rest()
    assert len(fixture.session.viewed) == 1


async def test_while_it_runs_the_slices_bring_the_view(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.held = True
    await control.run_or_pause()
    await fixture.until(lambda: control.race.iteration > 0)
    control.looking.at(ViewRequest("layers", "gd", iteration=1))
    await control.pause()
    await fixture.rest()
    fixture.session.viewed.clear()
    control.looking.at(ViewRequest("layers", "gd"))
    await control.run_or_pause()
    await fixture.until(lambda: any(fixture.session.asked_views))
    assert fixture.session.asked_views[-1][0].iteration is None
    await fixture.until(lambda: control.looking.answers["layers"].run == "gd")


async def test_a_view_that_cannot_be_is_a_sentence_and_is_not_asked_again(
    fixture: Fixture,
) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.view_problem = "There is no such view."
    control.looking.at(ViewRequest("noise", "gd"))
    await fixture.until(lambda: control.looking.problem)
    control.looking.at(ViewRequest("noise", "gd"))
    await fixture.rest()
    said = control.looking.problem
    assert said == "There is no such view."
    control.looking.at(ViewRequest("layers", "gd"))
    said = control.looking.problem
    assert said is None, "of this one nothing is known yet"
    assert len(fixture.session.viewed) == 1
    assert control.problem is None


@pytest.mark.parametrize("where", ["session", "points"])
async def test_a_mistake_of_ours_is_told_and_the_race_runs_anew(
    fixture: Fixture, where: str
) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    if where == "session":
        fixture.session.mistake = ZeroDivisionError("division by zero")
    else:  # a column is missing, which the race cannot take
        broken: Any = Points("gd", 1, 1, 1, (0.5, 0.5), {"w": None})  # type: ignore[dict-item]
        fixture.session.points = broken
    await control.run_or_pause()
    await fixture.until(lambda: control.problem)
    name = "ZeroDivisionError" if where == "session" else "TypeError"
    said = control.problem
    assert said is not None
    assert said.startswith(f"The race stopped on an error of the tutor's own, {name}: ")
    reports = (paths.state() / "crashes").iterdir()
    assert [each for each in reports if str(each) in said]
    assert control.state == "lost"
    assert not control.busy
    await control.run_or_pause()
    await fixture.until(lambda: control.race.over)
    assert control.problem is None
    assert control.state == "finished"


async def test_a_mistake_in_a_view_or_in_the_luck_meter_leaves_the_race_as_it_is(
    fixture: Fixture,
) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.mistake = KeyError("gd")
    control.looking.at(ViewRequest("noise", "gd"))
    await fixture.until(lambda: control.looking.problem)
    assert "The picture stopped on an error" in str(control.looking.problem)
    control.looking.at(ViewRequest("layers", "gd"))
    await fixture.until(lambda: "layers" in control.looking.answers)
    fixture.session.mistake = KeyError("gd")
    await control.try_luck()
    await fixture.until(lambda: control.luck_problem)
    assert "The luck meter stopped on an error" in str(control.luck_problem)
    await control.try_luck()
    await fixture.until(lambda: control.lucky and control.lucky.end)
    await control.run()
    await fixture.until(lambda: control.race.over)
    assert control.problem is None


async def test_iterations_do_not_wait_for_a_view_that_comes_behind_them(
    fixture: Fixture,
) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.view_held = True
    control.looking.at(ViewRequest("noise", "gd"))
    await fixture.until(lambda: fixture.session.viewed)
    await control.do(10)
    await fixture.until(lambda: control.race.iteration == 10)
    assert control.looking.problem is None
    await fixture.until(lambda: len(fixture.session.viewed) == 2)
    await control.change(lambda: turned(control.race.spec, ["gd"], "lr", 0.2, 10))
    assert control.race.spec.runs[0].at(11).lr == 0.2
    fixture.session.view_held = False
    await control.do(1)
    await fixture.until(lambda: "layers" in control.looking.answers)


async def test_a_view_that_was_stopped_says_so_and_is_not_asked_again_and_again(
    fixture: Fixture,
) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.view_held = True
    control.looking.at(ViewRequest("noise", "gd"))
    await fixture.until(lambda: fixture.session.viewed)
    assert fixture.races.asks
    await fixture.session.stop_training()
    await fixture.until(lambda: control.looking.problem)
    assert control.looking.problem == STOPPED
    control.looking.at(ViewRequest("noise", "gd"))
    await fixture.rest()
    assert len(fixture.session.viewed) == 1
    fixture.session.view_held = False
    control.looking.at(ViewRequest("layers", "gd"))
    await fixture.until(lambda: "layers" in control.looking.answers)
    assert control.looking.problem is None


async def test_luck_is_ended_with_what_there_is(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.held = True
    await control.try_luck()
    await fixture.until(
        lambda: control.lucky is not None and control.lucky.iteration == 0
    )
    assert control.state == "trying"
    await control.run_or_pause()
    await fixture.until(lambda: not control.trying)
    assert control.lucky is not None
    assert control.lucky.end is not None
    assert control.lucky.end.interrupted
    assert control.state == "ready"


async def test_luck_begins_while_the_race_keeps_a_slow_pace(fixture: Fixture) -> None:
    control = fixture.make()
    control.set_speed(0.1)
    await control.run_or_pause()
    await fixture.until(lambda: control.race.iteration == 1)
    await fixture.rest()
    await control.try_luck()
    await fixture.until(lambda: control.lucky and control.lucky.end)
    assert not control.trying


async def test_luck_that_is_asked_for_again_begins_again(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.held = True
    await control.try_luck()
    await fixture.until(lambda: control.lucky and control.lucky.iteration == 0)
    first = control.lucky
    fixture.session.held = False

    async def stop_later() -> None:
        asyncio.get_running_loop().call_later(0.01, fixture.session.stopped.set)

    fixture.session.stop_training = stop_later  # type: ignore[method-assign]
    await control.try_luck()
    await fixture.until(lambda: control.lucky and control.lucky.end)
    assert control.lucky is not first
    assert not control.trying


async def test_luck_is_that_of_the_settings_that_are_shown(fixture: Fixture) -> None:
    control = fixture.make()
    await control.do(25)
    await fixture.until(lambda: control.race.over)
    await control.try_luck()
    await fixture.until(lambda: control.lucky and control.lucky.end)
    names = set(control.race.runs)
    await control.change(lambda: turned(control.race.spec, names, "lr", 0.1, 25))
    drawn = control.lucky
    assert drawn is None, "it was drawn with another lr"
    await control.try_luck()
    tried = control.lucky
    assert tried is not None
    assert {run.at(0).lr for run in tried.request.race.runs} == {0.1}


async def test_luck_pauses_the_race(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.held = True
    await control.run_or_pause()
    await fixture.until(lambda: control.race.iteration > 0)
    await control.try_luck()
    await fixture.until(
        lambda: control.lucky is not None and control.lucky.iteration == 0
    )
    assert not control.running


async def test_findings_are_kept_until_they_are_answered(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.finding = Finding("gd", "diverged", 3)
    await control.run_or_pause()
    await fixture.until(lambda: control.finding is not None)
    assert control.finding is not None
    control.answered.append(control.finding)
    assert control.finding is None


async def test_a_race_begun_anew_forgets_what_was_seen(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    control.looking.at(ViewRequest("surface", "gd"))
    await fixture.until(lambda: "surface" in control.looking.answers)
    control.toggle("gd")
    await control.reset(replace(control.race.spec, runs=control.race.spec.runs[1:]))
    assert control.looking.answers == {}
    assert control.hidden == frozenset()
    assert control.viewed == "minibatch"


async def test_points_that_come_twice_are_taken_once(fixture: Fixture) -> None:
    control = fixture.make()
    await control.do(10)
    await fixture.until(lambda: control.race.iteration == 10)
    held = control.race.runs["gd"].losses[:11]
    fixture.session.finding = Finding("gd", "diverged", 1)
    fixture.session.at.clear()  # as a kernel that goes on from a state behind the points
    await control.do(1)
    await fixture.until(lambda: control.finding is not None)
    fixture.session.finding = Finding("gd", "diverged", 1)
    await control.run()
    await fixture.until(lambda: control.race.over)
    for run in control.race.runs.values():
        assert run.last == 25
        assert len(run.losses) == 26
    assert control.race.runs["gd"].losses[:11] == held
    assert len(control.race.findings) == 1


async def test_a_race_from_disk_goes_on_at_the_speed_of_what_is_left(
    fixture: Fixture,
) -> None:
    control = fixture.make()
    assert control.speed is None
    for reached, speed in ((0, None), (9_000, 100), (9_990, 10), (10_000, None)):
        race = Race(options.race(None, ["iterations=10000"]))
        if reached:
            race.add(Points("gd", reached, reached, 1, (1.0,)))
        control.take_over(race)
        assert control.speed == speed, reached


async def test_a_race_whose_kernel_is_ended_waits_and_can_go_on(
    fixture: Fixture,
) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    fixture.session.hangs = True
    await control.run()
    await fixture.until(lambda: fixture.races.asks and control.race.iteration == 3)
    await control.pause()
    await fixture.rest_a_little()
    assert fixture.races.asks, "it was asked to stop, and does not"
    await fixture.races.end_kernel()
    await fixture.races.rest()
    await fixture.until(lambda: control.state == "paused")
    assert control.problem is None
    fixture.session.hangs = False
    await control.run()
    await fixture.until(lambda: control.race.over)


async def test_a_race_that_never_began_begins_in_another_kernel(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.ui.race_control.LATE_S", 0)
    fixture.session.hangs = True
    control = fixture.make()
    await fixture.until(lambda: fixture.races.asks and control.late)
    fixture.session.hangs = False
    await fixture.races.end_kernel()
    await fixture.until(lambda: control.race.iteration == 0)
    assert not control.late
    assert control.problem is None


async def test_that_a_run_is_not_compiled_is_said_until_it_is(fixture: Fixture) -> None:
    control = fixture.make()
    await fixture.until(lambda: control.race.iteration == 0)
    control.race.spec = replace(control.race.spec, engine="compiled")
    found = Finding("gd", "engine", 3, text="the compiler did not work")
    control.race.add(found)
    assert control.finding == found
    control.race.runs["gd"].engine = "compiling"
    assert control.finding is None
