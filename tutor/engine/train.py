"""Computes races, a slice at a time (see `training.spec` for why): real autograd, real
optimisers, eager. Keeps the last few races, so that a later slice goes on.

The loss of a point is that on all the data, whatever the batch was.
"""

import math
import signal
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from time import perf_counter
from types import FrameType

import torch
from torch import Tensor
from torch.nn import functional

from tutor.engine import datasets, models
from tutor.errors import TutorError
from tutor.training.run import Finished, Points, RunEnd, Stopped
from tutor.training.spec import RaceSpec, RunSpec, SliceRequest

PUBLISH_S = 0.04
"""Between two batches of points: one message per iteration would cost a third."""
KEPT_RACES = 4
DIVERGED = 1e6
"""A loss of so many times the first one (or of 1) will not come back."""
SMALL_MODEL = 100_000
"""Parameters up to which one thread is faster than several."""

_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "fit": functional.mse_loss,
    "classify": functional.binary_cross_entropy_with_logits,
}
_races: "OrderedDict[str, _Race]" = OrderedDict()


def train(request: SliceRequest) -> Generator[Points | Finished, None, None]:
    """Compute one slice; `Finished` is the last. An interrupt ends it between two
    iterations. Raises TutorError when the race to go on with is not here.
    """
    with _interruptible() as interrupted, _threads(request.race):
        race = _race(request)
        yield from race.slice(request.limit, request.seconds, interrupted)
        yield race.standing()


def _race(request: SliceRequest) -> "_Race":
    spec = request.race
    if request.fresh:
        race = _Race(spec)
    elif spec.id in _races:
        race = _races[spec.id]
        race.change(spec)
    else:
        raise TutorError(
            "The kernel no longer has this race, so it cannot go on: start it anew."
        )
    if spec.id:
        _races[spec.id] = race
        _races.move_to_end(spec.id)
        while len(_races) > KEPT_RACES:
            _races.popitem(last=False)
    return race


class _Race:
    """The runs of a race, between slices."""

    def __init__(self, spec: RaceSpec) -> None:
        self.together = spec.together
        self.runs = [_Run(each) for each in spec.runs]

    def change(self, spec: RaceSpec) -> None:
        """From the next iteration on, train with the settings of `spec`."""
        for run, new in zip(self.runs, spec.runs, strict=True):
            run.change(new)

    def slice(
        self, limit: int | None, seconds: float | None, interrupted: Callable[[], bool]
    ) -> Iterator[Points]:
        """The next points of the runs that have not ended."""
        now = perf_counter()
        end = math.inf if seconds is None else now + seconds
        publish = now
        goals = {run: run.goal(limit) for run in self.runs}
        while running := [run for run in self.runs if run.iteration < goals[run]]:
            for run in running if self.together else running[:1]:
                run.iterate()
                if run.diverged:
                    goals[run] = run.iteration
            now = perf_counter()
            if now >= publish:
                yield from self._points(goals)
                publish = now + PUBLISH_S
            if now >= end or interrupted():
                break
        yield from self._points(goals)

    def _points(self, goals: "dict[_Run, int]") -> Iterator[Points]:
        """What was not sent yet; in turn, nothing of a run before its turn."""
        for run in self.runs:
            if (points := run.take()) is not None:
                yield points
            if not self.together and run.iteration < goals[run]:
                return

    def standing(self) -> Finished:
        """Where each run is now."""
        return Finished({run.spec.name: run.standing() for run in self.runs})


class _Run:
    """One run: its data, model, optimiser and batches, and the points not yet sent."""

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.data = datasets.data(spec.dataset, spec.points, spec.noise, spec.seed)
        self.model = models.model(spec, features=self.data.x.shape[1])
        self.optimiser = models.optimiser(spec, self.model)
        self.iteration = 0
        self.diverged = False
        self._batches = torch.Generator().manual_seed(10_000 + spec.seed)
        self._loss = _LOSSES[self.data.task]
        self._watched = models.watched(self.model)
        self._samples = 0
        self._losses: list[float] = []
        self._params: dict[str, list[float]] = {name: [] for name in self._watched}
        self._record()
        self._bound = DIVERGED * max(1.0, self._losses[0])

    def goal(self, limit: int | None) -> int:
        """The iteration at which a slice of `limit` iterations ends for this run."""
        if self.diverged:
            return self.iteration
        return min(
            self.spec.iterations,
            self.spec.iterations if limit is None else self.iteration + limit,
        )

    def iterate(self) -> None:
        """One update of the parameters, and the point after it."""
        x, y = self._batch()
        loss = self._loss(self.model(x), y)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.iteration += 1
        self._samples += self.spec.samples_per_iteration
        self._record()
        self.diverged = not self._last_loss <= self._bound  # true for nan

    def _batch(self) -> tuple[Tensor, Tensor]:
        """(batch, features), (batch, 1): drawn without repeats, or all the data."""
        if self.spec.batch is None:
            return self.data.x, self.data.y
        order = torch.randperm(self.spec.points, generator=self._batches)
        chosen = order[: self.spec.batch]
        return self.data.x[chosen], self.data.y[chosen]

    def _record(self) -> None:
        with torch.no_grad():
            loss = self._loss(self.model(self.data.x), self.data.y).item()
        self._losses.append(loss)
        self._last_loss = loss
        for name, number in self._watched.items():
            self._params[name].append(number.item())

    def take(self) -> Points | None:
        """The points since the last time; None when there are none."""
        count = len(self._losses)
        if not count:
            return None
        per_iteration = self.spec.samples_per_iteration
        points = Points(
            run=self.spec.name,
            start=self.iteration - count + 1,
            samples=self._samples - (count - 1) * per_iteration,
            per_iteration=per_iteration,
            losses=tuple(self._losses),
            params={name: tuple(column) for name, column in self._params.items()},
        )
        self._losses.clear()
        for column in self._params.values():
            column.clear()
        return points

    def change(self, spec: RunSpec) -> None:
        """Go on with another lr, batch, optimiser or number of iterations."""
        old, self.spec = self.spec, spec
        kept = replace(
            spec,
            lr=old.lr,
            batch=old.batch,
            optimiser=old.optimiser,
            iterations=old.iterations,
        )
        if kept != old:
            raise TutorError(
                f"The run {old.name!r} has other data or another model now: "
                "start the race anew."
            )
        if spec.optimiser != old.optimiser:
            self.optimiser = models.optimiser(spec, self.model)
        for group in self.optimiser.param_groups:
            group["lr"] = spec.lr

    def standing(self) -> RunEnd:
        """Where the run is now."""
        stopped: Stopped = "interrupted"
        if self.diverged:
            stopped = "diverged"
        elif self.iteration >= self.spec.iterations:
            stopped = "finished"
        params = {name: number.item() for name, number in self._watched.items()}
        return RunEnd(stopped, self.iteration, self._last_loss, params)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """SIGINT only sets what the yielded function tells, so that it never comes in the
    middle of an iteration. Who cannot wait for its end ends the kernel.
    """
    told = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told = True

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: nobody can interrupt us here
        yield lambda: False
        return
    try:
        yield lambda: told
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _threads(race: RaceSpec) -> Iterator[None]:
    """One torch thread while only small models are trained."""
    before = torch.get_num_threads()
    if all(_parameter_count(run) <= SMALL_MODEL for run in race.runs):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def _parameter_count(spec: RunSpec) -> int:
    """About: of the layers between the hidden ones, and the others for two features."""
    widths = [2, *spec.widths, 1]
    return sum((wide + 1) * after for wide, after in pairwise(widths))
