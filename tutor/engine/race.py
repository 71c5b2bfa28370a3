"""A race that computes, between and in its slices: whose turn it is, what is sent when."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter

from tutor.engine import leaps, snapshots
from tutor.engine.back import seen
from tutor.engine.compiled import UPDATES
from tutor.engine.run import Run
from tutor.engine.snapshots import from_text
from tutor.engine.views import answer
from tutor.errors import TutorError
from tutor.training.findings import Finding
from tutor.training.forks import same_until
from tutor.training.run import Finished, Points
from tutor.training.spec import Kept, RaceSpec, RunSpec, SliceRequest
from tutor.training.views import View, ViewRequest

PUBLISH_S = 0.04
"""Between two batches of points: one message per iteration would cost a third."""
VIEW_S = 0.25
"""Between two answers to what is to be seen on the way."""
KEPT_S = 1.0
LARGE_BYTES = 1 << 17
"""Of a model, in short slices, to have its state sent so often at most."""

Sent = Points | Finding | View | Kept
MakeRun = Callable[[RunSpec, int], Run]
"""Of a spec, and the iteration up to which it tells nothing."""


def _none() -> Iterator[Kept]:
    yield from ()


class Race:
    """The runs of a race."""

    def __init__(
        self,
        spec: RaceSpec,
        kept: tuple[Kept, ...] = (),
        make: MakeRun = Run,
        state_bytes: int | None = None,
    ) -> None:
        """`kept`: where runs stood that go on, and have told their points up to there.
        A state of more than `state_bytes` (None: `SENT_BYTES`) is not told.

        Raises TutorError when that cannot be read, or a device is not there.
        """
        self.together = spec.together
        self._is_compiled = spec.engine == "compiled"
        self._make = make
        self.state_bytes = snapshots.SENT_BYTES if state_bytes is None else state_bytes
        self.runs: list[Run] = []
        stood = {each.run: each for each in kept}
        for each in spec.runs:
            self.runs.append(
                self._restored(each, stood[each.name])
                if each.name in stood
                else self._new(each)
            )
        self._viewed = -math.inf
        self._kept_at: dict[str, float] = {}
        """By the run's name: when it was told where it stands."""
        self._told: set[str] = set()
        """Runs of which it was said that they are not compiled."""
        self._said: list[Finding] = []

    def _new(self, spec: RunSpec) -> Run:
        """From its start, or from where its parent was when it was forked off."""
        parent = next((run for run in self.runs if run.spec.name == spec.of), None)
        if not spec.since:
            return self._make(spec, -1)
        run = self._make(spec, spec.since - 1)
        if parent is not None and same_until(parent.spec, spec, spec.since):
            taken = parent.snapshots.before(spec.since)
            if taken is not None and taken.iteration:
                run.restore(taken)
        return run

    def _restored(self, spec: RunSpec, stood: Kept) -> Run:
        run = self._make(spec, stood.iteration)
        if stood.state:
            run.restore(from_text(stood.state))
        return run

    def change(self, spec: RaceSpec) -> None:
        """Go on with the settings of `spec`, without the runs that are not in it, and
        with those that are new in it."""
        self.together = spec.together
        self._is_compiled = spec.engine == "compiled"
        runs = {run.spec.name: run for run in self.runs}
        for each in spec.runs:
            if each.name in runs:
                runs[each.name].adopt(each)
        for each in spec.runs:
            if each.name not in runs:
                runs[each.name] = self._new(each)
        self.runs = [runs[each.name] for each in spec.runs]

    def slice(
        self,
        request: SliceRequest,
        interrupted: Callable[[], bool],
        standings: Callable[[], Iterator[Kept]] = _none,
    ) -> Iterator[Sent]:
        """The next points of the runs that have not ended, and what else there is to
        tell; where each stands at the end. `standings` of the way are told too, asked
        for when all points up to there were."""
        seconds = math.inf if request.seconds is None else request.seconds
        now = began = perf_counter()
        publish = now
        goals = self._goals(request.limit)
        ended = False
        stride = UPDATES if self._is_compiled else 1
        while not ended and (turn := self._turn(goals)):
            left = self._rounds(turn, goals)
            while left:
                count = min(left, stride)
                left -= count
                turn_began = now
                for run in turn:
                    if count == 1:
                        run.advance()
                    else:
                        self._advance(run, count)
                    then, now = now, perf_counter()
                    run.seconds += now - then
                    if run.diverged:
                        goals[run] = run.iteration
                if now >= publish:
                    yield from self._news(goals)
                    yield from self.views(request.views)
                    yield from standings()
                    now = perf_counter()
                    publish = now + PUBLISH_S
                elif self._is_compiled:
                    stride = _fitting(stride, now - turn_began)
                ended = now - began >= seconds or interrupted()
                if ended or any(run.diverged for run in turn):
                    break
        yield from self._news(goals)
        yield from self.views(request.views, at_end=True)
        yield from self._standings(is_short=request.limit is not None)

    def _standings(self, *, is_short: bool) -> Iterator[Kept]:
        """Where each run stands; after a short slice of a large model not each time."""
        for run in self.runs:
            name, now = run.spec.name, perf_counter()
            waits = is_short and run.size > LARGE_BYTES
            if not waits or now - self._kept_at.get(name, -math.inf) >= KEPT_S:
                self._kept_at[name] = now
                yield run.kept(self.state_bytes)

    def _advance(self, run: Run, count: int) -> None:
        """`count` iterations, or as many as there are until it diverges."""
        goal = run.iteration + count
        while run.iteration < goal and not run.diverged:
            left = goal - run.iteration
            if left < UPDATES or not leaps.leap(run, left):
                self._iterate(run, min(left, UPDATES))

    def _iterate(self, run: Run, count: int) -> None:
        for _ in range(count):
            run.advance()
            if run.diverged:
                return

    def _goals(self, limit: int | None) -> dict[Run, int]:
        """The iteration at which a slice ends for each run. `limit` counts from where
        the furthest one is that can go on: those behind come to it first. A fork that
        has no point yet counts only where it goes on alone: beside others it waits until
        they are where it branches off."""
        going = [
            run
            for run in self.runs
            if not run.diverged and run.iteration < run.spec.iterations
        ]
        begun = [run for run in going if run.is_begun] or going
        most = max((run.place for run in begun), default=0)
        goals = {run: run.iteration for run in self.runs}
        for run in going:
            end = run.spec.iterations
            goals[run] = end if limit is None else min(end, most + limit)
        return goals

    def _turn(self, goals: dict[Run, int]) -> list[Run]:
        """Who computes next: those furthest behind, or the first that is not there."""
        running = [run for run in self.runs if run.iteration < goals[run]]
        if not self.together:
            return running[:1]
        least = min((run.iteration for run in running), default=0)
        return [run for run in running if run.iteration == least]

    def _rounds(self, turn: list[Run], goals: dict[Run, int]) -> int:
        """For how many iterations it stays their turn."""
        at = turn[0].iteration
        ends = [goals[run] for run in turn]
        if self.together:
            ends += [
                run.iteration for run in self.runs if at < run.iteration < goals[run]
            ]
        return min(ends) - at

    def _news(self, goals: dict[Run, int]) -> Iterator[Sent]:
        """What was not sent yet; in turn, nothing of a run before its turn."""
        for run in self.runs:
            new = run.take()
            if self._is_compiled and new:
                engine = leaps.standing(run)
                new = [replace(each, engine=engine) for each in new]
            yield from new
            found, run.findings = run.findings, []
            yield from found
            yield from self._uncompiled(run)
            if not self.together and run.iteration < goals[run]:
                return

    def news(self) -> Iterator[Sent]:
        """What was not sent yet."""
        yield from self._news({run: run.iteration for run in self.runs})

    def say_once(self, found: Finding) -> Iterator[Finding]:
        """What is found again each time the race goes on."""
        if found not in self._said:
            self._said.append(found)
            yield found

    def _uncompiled(self, run: Run) -> Iterator[Finding]:
        """Once, why it is not compiled though that was asked for."""
        if not self._is_compiled or run.spec.name in self._told:
            return
        if (found := leaps.problem(run)) is not None:
            self._told.add(run.spec.name)
            yield found

    def views(
        self, asked: tuple[ViewRequest, ...], *, at_end: bool = False
    ) -> Iterator[View]:
        """What is asked for, of where the runs are; not too often, but at the end."""
        if not asked or not (at_end or perf_counter() - self._viewed >= VIEW_S):
            return
        self._viewed = perf_counter()
        for each in asked:
            run = next((run for run in self.runs if run.spec.name == each.run), None)
            if run is None:
                continue
            try:
                yield answer(each, seen(run))
            except TutorError:
                continue  # there is no such view of it, or not any more

    def standing(self) -> Finished:
        """Where each run is now."""
        ends = {run.spec.name: run.standing() for run in self.runs}
        if self._is_compiled:
            for run in self.runs:
                end = ends[run.spec.name]
                ends[run.spec.name] = replace(end, engine=leaps.standing(run))
        return Finished(ends)


def _fitting(stride: int, seconds: float) -> int:
    """How many iterations of a run to do before it is another one's turn, when so many
    took so long: as many as a leap has, but a key is to be heard soon."""
    if seconds > PUBLISH_S:
        return max(UPDATES, stride // 2)
    return min(leaps.MOST, stride * 2) if seconds < PUBLISH_S / 4 else stride
