"""Looks: how a race is drawn, as the learner left it: scale, axis, smoothing, the part
that is zoomed into, what is lit. Kept with the race.
"""

import math
from dataclasses import dataclass

from tutor.pictures.curves import Across, CurveLook, Positions, across_axis, seen
from tutor.training.run import Race

AXES: tuple[Across, ...] = ("iterations", "samples", "seconds")
SMOOTHINGS = (0, 5, 25, 100)
"""Points that are averaged."""
NARROWEST = 4
"""Points that a zoomed axis shows at least."""


@dataclass
class Looks:
    """How it is drawn."""

    log: bool | None = None
    """The loss axis; None: what the losses suggest."""
    across: Across = "iterations"
    smooth: int = 0
    window: tuple[float, float] | None = None
    """The part of the x axis that is shown, in its units; None: all."""
    unit: int | None = None
    """The hidden unit that is lit; None: none."""
    batch: int = 0
    """Which of the noise's batch sizes is lit."""
    ends: bool = False
    """The luck meter shows where the seeds ended over the loss, if it can."""
    marked: str = ""
    """The setting that + and - turn; "": the first."""

    def turn_axis(self) -> None:
        """The next axis, whole."""
        self.across = AXES[(AXES.index(self.across) + 1) % len(AXES)]
        self.window = None

    def turn_smoothing(self) -> None:
        """More of it; after the last degree none."""
        at = SMOOTHINGS.index(self.smooth) + 1
        self.smooth = SMOOTHINGS[at % len(SMOOTHINGS)]

    def zoom(self, race: Race, at: int, factor: float) -> None:
        """Show `factor` times as much of the x axis, about iteration `at`."""
        look = CurveLook(across=self.across)
        whole = _whole(race, look)
        low, high = self.window or (0.0, whole)
        span = (high - low) * factor
        if span >= whole:
            self.window = None
            return
        span = max(span, whole * min(1.0, NARROWEST / max(1, race.iteration)))
        middle = _middle(race, look, at)
        low = min(max(0.0, middle - span / 2), whole - span)
        self.window = low, low + span

    def curves(
        self, *, log: bool, hidden: frozenset[str], cursor: int | None
    ) -> CurveLook:
        """For `plotting`."""
        return CurveLook(
            log=log,
            across=self.across,
            smooth=self.smooth,
            hidden=hidden,
            window=self.window,
            cursor=cursor,
        )


def _whole(race: Race, look: CurveLook) -> float:
    """The last value of the x axis."""
    return across_axis(race, seen(race, look), look, 3).high


def _middle(race: Race, look: CurveLook, iteration: int) -> float:
    """Where an iteration lies on the x axis; of the run where it lies furthest."""
    places = [
        Positions(run, look.across).at(min(iteration, run.last) // run.stride)
        for run in race.runs.values()
        if run.last >= 0
    ]
    return max((each for each in places if math.isfinite(each)), default=0.0)
