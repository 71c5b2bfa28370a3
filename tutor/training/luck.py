"""The luck meter: the same race over many seeds at once. What is asked, what is answered,
and what was received so far. Plain data; computing it is `engine.luck`.
"""

from dataclasses import dataclass, field
from typing import Literal

from tutor.training.spec import RaceSpec
from tutor.wire import message

GOAL, FEW, GOAL_OF_FEW = 0.95, 10, 1.0
"""The accuracy to reach; of so few points all are to be right."""


@message("luck?")
@dataclass(frozen=True, slots=True)
class LuckRequest:
    """Run a race with the seeds first, first + 1, ... at once, to its end. Answers
    `LuckPoints` about ten times a second, `LuckEnd` last; an interrupt ends it with
    what was computed."""

    race: RaceSpec
    seeds: int = 500
    first: int = 0
    vary: Literal["all", "init"] = "all"
    """all: data, initial parameters and batches, as the seed of each run would.
    init: the data of the spec's own seed for all."""
    goal: float | None = None
    """A run succeeds when its accuracy (where it classifies) reaches this, or its loss
    ends at or below it. None: accuracy 0.95 (1 with at most 10 points); of a loss,
    below that of the race's first run with the same seed."""


@message("luckpoints")
@dataclass(frozen=True, slots=True)
class LuckPoints:
    """The spread of the losses over the seeds, consecutive iterations, as columns."""

    run: str
    start: int
    """Iteration of the first."""
    stride: int
    """From one to the next; 1, or more where there are many iterations."""
    low: tuple[float, ...]
    """5th percentile."""
    median: tuple[float, ...]
    high: tuple[float, ...]
    """95th percentile."""
    success: tuple[float, ...]
    """Share of the seeds that reach the goal there; (): there is none, as for the first
    run of a race that has no other goal than to end below it."""
    diverged: int = 0
    """Seeds that have diverged by the last of these; they count as failures, and as inf
    in the percentiles."""


@dataclass(frozen=True, slots=True)
class LuckRun:
    """One run over all seeds, at its end."""

    iteration: int
    success: float | None
    """Share of the seeds that are at the goal at the end; None: there is none."""
    diverged: int
    losses: tuple[float, ...]
    """The last loss of each seed, in order."""
    distance: tuple[float, float, float] | None = None
    """Distance to the optimum, 5 %, 50 %, 95 %; of two-parameter models."""
    places: tuple[tuple[float, float], ...] = ()
    """Where each seed ended, of two-parameter models."""
    solved_at: float | None = None
    """Median iteration at which those that succeed reached the goal."""


@message("luckend")
@dataclass(frozen=True, slots=True)
class LuckEnd:
    """Nothing more comes."""

    seeds: int
    seconds: float
    """Of computing."""
    runs: dict[str, LuckRun]
    """By name, in the race's order."""
    better: dict[str, float] = field(default_factory=dict)
    """By name but the first's: share of seeds in which it ends below the first run."""
    interrupted: bool = False
