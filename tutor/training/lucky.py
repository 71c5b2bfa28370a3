"""What was received of a race over many seeds so far: the bands of each run as columns.
Drawing it is `pictures.luck`.
"""

from array import array
from dataclasses import dataclass, field

from tutor.training.luck import LuckEnd, LuckPoints, LuckRequest


def _column() -> "array[float]":
    return array("d")


@dataclass(slots=True)
class Band:
    """One run's spread over the seeds, iteration by iteration, as columns."""

    iterations: "array[int]" = field(default_factory=lambda: array("q"))
    """Rising; 0 first. The last two may be nearer to each other than the others."""
    low: "array[float]" = field(default_factory=_column)
    """5th percentile of the losses; inf where so many seeds have diverged."""
    median: "array[float]" = field(default_factory=_column)
    high: "array[float]" = field(default_factory=_column)
    """95th percentile."""
    success: "array[float]" = field(default_factory=_column)
    """Share of the seeds at the goal; as long as the others, or empty without a goal."""
    diverged: int = 0
    """Seeds that have diverged by the last iteration."""

    def add(self, points: LuckPoints) -> None:
        """What came next. Points that came before are a ValueError."""
        if self.iterations and points.start <= self.iterations[-1]:
            raise ValueError(f"iteration {points.start} of {points.run!r} came twice")
        count, stride = len(points.median), points.stride
        self.iterations.extend(points.start + stride * at for at in range(count))
        self.low.extend(points.low)
        self.median.extend(points.median)
        self.high.extend(points.high)
        self.success.extend(points.success)
        self.diverged = points.diverged


class Lucky:
    """A race over many seeds so far."""

    def __init__(self, request: LuckRequest) -> None:
        self.request = request
        self.points = {run.name: Band() for run in request.race.runs}
        """By the run's name, in the race's order."""
        self.end: LuckEnd | None = None
        """None: it is still computing."""

    def add(self, arrived: LuckPoints | LuckEnd) -> None:
        """Take what `Session.luck` yielded. A run the race does not have is a KeyError."""
        if isinstance(arrived, LuckEnd):
            self.end = arrived
        else:
            self.points[arrived.run].add(arrived)

    @property
    def iteration(self) -> int:
        """Where the furthest run is; -1 before the first point."""
        reached = [band.iterations[-1] for band in self.points.values() if band.median]
        return max(reached, default=-1)


def ends_below_first(lucky: Lucky) -> bool:
    """Whether success is to be below the first run, which then has none itself."""
    first, *others = lucky.points.values()
    return not first.success and any(each.success for each in others)
