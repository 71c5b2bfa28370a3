"""The luck meter: a race over many seeds at once, to its end. What one iteration does is
`engine.stacked`; here is what is told of it, live.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from time import perf_counter

import torch
from torch import Tensor

from tutor.engine.computing import interruptible, one_thread
from tutor.engine.run import DIVERGED
from tutor.engine.seeded import Tables
from tutor.engine.stacked import Stacked
from tutor.errors import TutorError
from tutor.training import catalogue, refusals
from tutor.training.luck import (
    FEW,
    GOAL,
    GOAL_OF_FEW,
    LuckEnd,
    LuckPoints,
    LuckRequest,
    LuckRun,
)
from tutor.training.spec import RunSpec

PUBLISH_S = 0.1
MOST_SEEDS = 10_000
MOST_NUMBERS = 1 << 26
"""Of all seeds' data, one layer's outputs for them, or the parameters: 256 MiB."""
DENSE = 1000
"""From twice so many iterations on every second one is told, from four times on every
fourth, and so on: there are at most so many points in each doubling."""
SHARES = (0.05, 0.5, 0.95)


def luck(request: LuckRequest) -> Iterator[LuckPoints | LuckEnd]:
    """Points of each run as they come, `LuckEnd` last. Computed on the cpu, by one
    thread. An interrupt ends it between two iterations.

    Raises TutorError with a sentence where a race cannot be run over many seeds.
    """
    _check(request)
    began = perf_counter()
    with interruptible() as interrupted, one_thread():
        meter = _Meter(request)
        published = -math.inf
        while not (meter.over or interrupted()):
            if perf_counter() - published >= PUBLISH_S:
                yield from meter.points()
                published = perf_counter()
            meter.advance()
        yield from meter.points()
        yield meter.end(perf_counter() - began, interrupted=not meter.over)


class _Meter:
    """The runs of a race over all seeds; all do iteration k before any does k+1."""

    def __init__(self, request: LuckRequest) -> None:
        seeds = range(request.first, request.first + request.seeds)
        tables = Tables(seeds, same_data=request.vary == "init")
        self.seeds = request.seeds
        self.runs: list[_Run] = []
        for spec in request.race.runs:
            first = self.runs[0] if self.runs else None
            goal = _goal(spec, request.goal)
            self.runs.append(_Run(spec, Stacked(spec, tables), goal, first))

    def advance(self) -> None:
        """One iteration of each run that is not over."""
        for run in self.runs:
            if not run.over:
                run.advance()

    @property
    def over(self) -> bool:
        """No run can go on."""
        return all(run.over for run in self.runs)

    def points(self) -> Iterator[LuckPoints]:
        """What was not told yet."""
        for run in self.runs:
            yield from run.take()

    def end(self, seconds: float, *, interrupted: bool) -> LuckEnd:
        """Where all runs stand."""
        first, *others = self.runs
        return LuckEnd(
            seeds=self.seeds,
            seconds=seconds,
            runs={run.spec.name: run.end() for run in self.runs},
            better={run.spec.name: run.share_below(first) for run in others},
            interrupted=interrupted,
        )


def _goal(spec: RunSpec, given: float | None) -> float | None:
    """An accuracy, or a loss; None: to end below the first run."""
    if catalogue.task(spec.dataset) != "classify" or given is not None:
        return given
    return GOAL_OF_FEW if spec.points <= FEW else GOAL


@dataclass(frozen=True, slots=True)
class _Record:
    """One iteration of all seeds."""

    iteration: int
    losses: Tensor
    """(seeds,); inf of those that have diverged."""
    success: Tensor | None
    """(seeds,), bool; None: there is no goal."""


class _Run:
    """One run over all seeds: where each stands, and what was not told yet."""

    def __init__(
        self,
        spec: RunSpec,
        stacked: Stacked,
        goal: float | None,
        first: "_Run | None",
    ) -> None:
        self.spec = spec
        self._stacked = stacked
        self._goal = goal
        self._first = first
        self._classifies = catalogue.task(spec.dataset) == "classify"
        self._untold: list[_Record] = []
        self._iteration = 0
        losses, right = stacked.look()
        self._bound = DIVERGED * losses.clamp_min(1.0)
        self._diverged = torch.zeros_like(losses, dtype=torch.bool)
        self._last = losses
        places = stacked.places()
        self._places = places if places.shape[1] == 2 else None
        self._reached_at = torch.full_like(losses, torch.nan)
        self._record(losses, right)

    def advance(self) -> None:
        """The next iteration."""
        if self._stacked.change(self._iteration):
            losses, _ = self._stacked.look()
            self._bound = torch.maximum(self._bound, DIVERGED * losses)
        self._stacked.update(self._iteration)
        self._iteration += 1
        at_end = self._iteration == self.spec.iterations
        if at_end or self._iteration % _stride(self._iteration) == 0:
            self._look()

    @property
    def over(self) -> bool:
        """It is at its end, or all seeds have diverged."""
        return self._iteration >= self.spec.iterations or bool(self._diverged.all())

    def _look(self) -> None:
        losses, right = self._stacked.look()
        self._last = torch.where(self._diverged, self._last, losses)
        if self._places is not None:
            ended, places = self._diverged.unsqueeze(1), self._stacked.places()
            self._places = torch.where(ended, self._places, places)
        self._record(losses, right)

    def _record(self, losses: Tensor, right: Tensor) -> None:
        self._diverged = self._diverged | ~(losses <= self._bound)  # also of nan
        self.losses = torch.where(self._diverged, torch.inf, losses)
        self._success = self._succeeds(right)
        if self._success is not None and self._goal is not None:
            is_new = self._success & self._reached_at.isnan()
            now = torch.full_like(losses, float(self._iteration))
            self._reached_at = torch.where(is_new, now, self._reached_at)
        self._untold.append(_Record(self._iteration, self.losses, self._success))

    def _succeeds(self, right: Tensor) -> Tensor | None:
        if self._classifies:
            assert self._goal is not None
            return (right >= self._goal - 1e-6) & ~self._diverged
        if self._goal is not None:
            return self.losses <= self._goal
        return None if self._first is None else self.losses < self._first.losses

    def take(self) -> Iterator[LuckPoints]:
        """The points since the last time, those with one distance together."""
        told, self._untold = self._untold, []
        for stride, some in groupby(
            told, lambda each: _distance_before(each.iteration)
        ):
            yield self._points(list(some), stride)

    def _points(self, told: list[_Record], stride: int) -> LuckPoints:
        low, median, high = _quantiles(torch.stack([each.losses for each in told]))
        success = [each.success for each in told if each.success is not None]
        return LuckPoints(
            run=self.spec.name,
            start=told[0].iteration,
            stride=stride,
            low=low,
            median=median,
            high=high,
            success=tuple(_share(each) for each in success),
            diverged=int(told[-1].losses.isinf().sum()),
        )

    def end(self) -> LuckRun:
        """Where it stands at the iteration that was looked at last."""
        success, solved = self._success, None
        if success is not None and self._goal is not None and success.any():
            solved = float(self._reached_at[success].median())
        places = [] if self._places is None else self._places.tolist()
        return LuckRun(
            iteration=self._iteration,
            success=None if success is None else _share(success),
            diverged=int(self._diverged.sum()),
            losses=tuple(self._last.tolist()),
            distance=self._distance(),
            places=tuple((first, second) for first, second in places),
            solved_at=solved,
        )

    def _distance(self) -> tuple[float, float, float] | None:
        optima = self._stacked.optima()
        if optima is None or self._places is None:
            return None
        away = (self._places - optima).norm(dim=1).nan_to_num(nan=torch.inf)
        (low,), (median,), (high,) = _quantiles(away.unsqueeze(0))
        return low, median, high

    def share_below(self, first: "_Run") -> float:
        """Of the seeds, those in which this one ends below the first run."""
        return _share(self.losses < first.losses)


def _share(facts: Tensor) -> float:
    """Of the seeds, those of which it is true."""
    return int(facts.sum()) / len(facts)


def _stride(iteration: int) -> int:
    """From an iteration to the next one that is told."""
    return 1 << max(0, (iteration // DENSE).bit_length() - 1)


def _distance_before(iteration: int) -> int:
    """The stride of the points that an iteration is sent with; 1 of one between."""
    stride = _stride(iteration)
    return 1 if iteration % stride else stride


def _quantiles(losses: Tensor) -> tuple[tuple[float, ...], ...]:
    """(points, seeds) -> the `SHARES` of each point, interpolated; inf where one of the
    two neighbours is."""
    ordered = losses.sort(dim=1).values
    found = []
    for share in SHARES:
        at = share * (ordered.shape[1] - 1)
        low = ordered[:, math.floor(at)]
        high = ordered[:, math.ceil(at)]
        between = low + (at - math.floor(at)) * (high - low)
        found.append(tuple(torch.where(high.isinf(), high, between).tolist()))
    return tuple(found)


def _check(request: LuckRequest) -> None:
    """TutorError where the seeds are too many, or a run is none for the luck meter."""
    if not 1 <= request.seeds <= MOST_SEEDS:
        raise TutorError(
            f"The luck meter runs 1 to {MOST_SEEDS} seeds at once, not {request.seeds}."
        )
    if request.race.watched:
        raise TutorError(
            "The settings of your own loop are not known, so it cannot be run with other "
            "seeds: put it into a function of the seed."
        )
    for spec in request.race.runs:
        if said := refusals.luck(spec):
            raise TutorError(said)
        numbers = request.seeds * _numbers(spec)
        if numbers > MOST_NUMBERS:
            most = max(1, MOST_NUMBERS * request.seeds // numbers)
            raise TutorError(
                f"{request.seeds} seeds of the run {spec.name!r} at once would take too "
                f"much memory: ask for {most} seeds at most, or for fewer points."
            )


def _numbers(spec: RunSpec) -> int:
    """Of one seed: the data, a layer's outputs for them, or the parameters."""
    parameters = catalogue.parameter_count(spec.model, spec.dataset, spec.widths)
    return max(spec.points * max(2, *spec.widths, 1), parameters)
