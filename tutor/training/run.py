"""What training yields: points, the end of each run, and runs that hold the points.

Holding is compact (eight bytes a value) and bounded. Drawing is `tutor.plotting`, which
looks at no more than a plot can show (`pictures.curves`).
"""

import math
from array import array
from dataclasses import dataclass, field, replace
from typing import Literal

from tutor.packing import doubles, integers
from tutor.training.curve import Curve
from tutor.training.findings import Finding
from tutor.training.spec import RaceSpec, RunSpec
from tutor.training.views import View
from tutor.wire import message

Stopped = Literal["finished", "diverged", "interrupted"]
Engine = Literal["eager", "compiling", "compiled"]
"""compiling: eager until that is done."""

HELD_POINTS = 1 << 20
"""A run keeps at most so many; beyond it every second one goes, again and again."""


@message("points")
@dataclass(frozen=True, slots=True)
class Points:
    """Consecutive points of one run, as columns."""

    run: str
    start: int
    """Iteration of the first one; 0 is before any update."""
    samples: int
    """Data points that the run had looked at by the first one."""
    per_iteration: int
    """How many more each further one has looked at."""
    losses: tuple[float, ...]
    """On all the data, after that iteration's update. The last one of a run that
    diverged may be inf or nan."""
    params: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """A column for each parameter, like "w" and "b"; none for a model with many."""
    test_losses: tuple[float, ...] = ()
    """On the test data; () without any."""
    seconds: tuple[float, float] = (0.0, 0.0)
    """What the run had computed by the first of them, and by the last."""
    device: str = "cpu"
    """The one that computed them."""
    engine: Engine = "eager"
    workers: int = 1
    """Processes that computed them together."""

    def after(self, iteration: int) -> "Points | None":
        """Those after an iteration; None: there are none."""
        known = iteration + 1 - self.start
        if known <= 0:
            return self
        if known >= len(self.losses):
            return None
        begun, ended = self.seconds
        pace = (ended - begun) / (len(self.losses) - 1)
        return replace(
            self,
            start=self.start + known,
            samples=self.samples + known * self.per_iteration,
            losses=self.losses[known:],
            params={name: each[known:] for name, each in self.params.items()},
            test_losses=self.test_losses[known:],
            seconds=(begun + known * pace, ended),
        )


@dataclass(frozen=True, slots=True)
class RunEnd:
    """Where a run stands when the computing stops."""

    stopped: Stopped
    """diverged: the loss left all bounds. interrupted: it can go on from here."""
    iteration: int
    """The last point's."""
    loss: float
    params: dict[str, float] = field(default_factory=dict)
    accuracy: float | None = None
    """Share of all the data that is classified right; None: it does not classify."""
    test_accuracy: float | None = None
    device: str = "cpu"
    """The one that computed."""
    engine: Engine = "eager"
    workers: int = 1
    """Processes that computed it together."""


@message("finished")
@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing more comes: always the last, also when the reader stopped the race."""

    runs: dict[str, RunEnd]
    """By the run's name, in the race's order."""

    @property
    def over(self) -> bool:
        """No run can go on."""
        return all(end.stopped != "interrupted" for end in self.runs.values())


@dataclass(frozen=True, slots=True)
class Moment:
    """One held point."""

    iteration: int
    loss: float
    test_loss: float | None
    """None: the run has no test data."""
    samples: int
    seconds: float
    params: dict[str, float]


class Run:
    """The points of one run so far."""

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.curve = Curve()
        """A loss for each held iteration: 0, stride, 2·stride, ... nan: not received."""
        self.test_curve = Curve()
        """The same of the test losses; empty without test data."""
        self.samples = array("q")
        self.seconds = array("d")
        """Of computing; between the two ends of a batch of points evenly."""
        self.params: dict[str, array[float]] = {}
        self.stride = 1
        self.last = -1
        """The last iteration received; -1: none yet."""
        self.last_loss = math.nan
        self.last_params: dict[str, float] = {}
        self.end: RunEnd | None = None
        """None: no slice has ended yet, or one is being computed."""
        self.device, self.engine, self.workers = "cpu", "eager", 1
        """What computed the last of it."""

    @property
    def losses(self) -> "array[float]":
        """Those that are held."""
        return self.curve.values

    def add(self, points: Points) -> None:
        """Take what came next. Points that are missing between are held as nan."""
        if points.start <= self.last:
            raise ValueError(
                f"iteration {points.start} of {self.spec.name!r} came twice"
            )
        if not points.losses:
            return
        self._fill(points.start)
        held, first = len(self.curve), -points.start % self.stride
        self.curve.extend(points.losses[first :: self.stride])
        count, each = len(points.losses), points.per_iteration
        chosen = range(first, count, self.stride)
        samples = [points.samples + index * each for index in chosen]
        self.samples.frombytes(integers(samples))
        begun, ended = points.seconds
        pace = (ended - begun) / max(count - 1, 1)
        self.seconds.frombytes(doubles([begun + pace * index for index in chosen]))
        if points.test_losses:
            self._pad_tests(held)
            self.test_curve.extend(points.test_losses[first :: self.stride])
        for name, column in points.params.items():
            if name not in self.params:
                self.params[name] = array("d", [math.nan]) * held
            self.params[name].frombytes(doubles(column[first :: self.stride]))
        self.last = points.start + count - 1
        self.last_loss = points.losses[-1]
        self.last_params = {name: column[-1] for name, column in points.params.items()}
        while len(self.curve) > HELD_POINTS:
            self._thin()

    def computed_by(self, arrived: Points | RunEnd) -> None:
        """What computed it, as that says."""
        self.device, self.engine = arrived.device, arrived.engine
        self.workers = arrived.workers

    def _fill(self, start: int) -> None:
        while start // self.stride > HELD_POINTS:
            self._thin()
        missing = -(-start // self.stride) - len(self.curve)
        if missing <= 0:
            return
        gap = array("d", [math.nan]) * missing
        self.curve.extend(gap)
        self.samples.extend([self.samples[-1] if self.samples else 0] * missing)
        self.seconds.extend([self.seconds[-1] if self.seconds else 0.0] * missing)
        for column in self.params.values():
            column.extend(gap)

    def _pad_tests(self, held: int) -> None:
        missing = held - len(self.test_curve)
        if missing > 0:
            self.test_curve.extend(array("d", [math.nan]) * missing)

    def _thin(self) -> None:
        self.stride *= 2
        self.curve.halve()
        self.test_curve.halve()
        del self.samples[1::2]
        for column in (self.seconds, *self.params.values()):
            del column[1::2]

    def index_of(self, iteration: int) -> int | None:
        """The held point at an iteration, or the last one before it; None: there is
        none, or the run was forked off later."""
        index = min(iteration // self.stride, len(self.curve) - 1)
        first = -(-self.spec.since // self.stride)
        return index if index >= first else None

    def at(self, iteration: int) -> Moment | None:
        """The held point at an iteration, or the last one before it."""
        index = self.index_of(iteration)
        if index is None:
            return None
        tested = index < len(self.test_curve)
        return Moment(
            iteration=index * self.stride,
            loss=self.curve.values[index],
            test_loss=self.test_curve.values[index] if tested else None,
            samples=self.samples[index],
            seconds=self.seconds[index],
            params={name: column[index] for name, column in self.params.items()},
        )


class Race:
    """The runs of a race so far, in its order."""

    def __init__(self, spec: RaceSpec) -> None:
        self.spec = spec
        self.runs = {run.name: Run(run) for run in spec.runs}
        self.findings: list[Finding] = []
        """What was recognised, in the order it came."""

    def add(self, arrived: Points | Finding | View | Finished) -> None:
        """Take what training yielded; what is to be seen is not kept. A run the race does
        not have is a KeyError."""
        if isinstance(arrived, Points):
            run = self.runs[arrived.run]
            run.add(arrived)
            run.computed_by(arrived)
            run.end = None
            return
        if isinstance(arrived, Finding):
            self.findings.append(arrived)
            return
        if isinstance(arrived, Finished):
            for name, end in arrived.runs.items():
                self.runs[name].end = end
                self.runs[name].computed_by(end)

    def change(self, spec: RaceSpec) -> None:
        """Go on with other settings, without the runs that are not in `spec` any more,
        and with those that are new in it."""
        self.spec = spec
        self.runs = {
            new.name: self.runs[new.name] if new.name in self.runs else Run(new)
            for new in spec.runs
        }
        for new in spec.runs:
            run = self.runs[new.name]
            run.spec = new
            if run.end is not None and run.end.stopped == "finished":
                run.end = run.end if run.last >= new.iterations else None
        self.findings = [each for each in self.findings if each.run in self.runs]

    def diverged_at(self, name: str) -> int | None:
        """Where a run left all bounds; None: it did not, as far as is known. A loop of
        the learner's own goes on from there."""
        end = self.runs[name].end
        if end is None or end.stopped != "diverged":
            return None
        told = (
            each.iteration
            for each in self.findings
            if each.run == name and each.kind in ("diverged", "not-finite")
        )
        return next(told, end.iteration)

    @property
    def iteration(self) -> int:
        """Where the furthest run is; -1 before the first point."""
        return max(run.last for run in self.runs.values())

    @property
    def over(self) -> bool:
        """Every run is finished or has diverged."""
        return all(
            run.end is not None and run.end.stopped != "interrupted"
            for run in self.runs.values()
        )
