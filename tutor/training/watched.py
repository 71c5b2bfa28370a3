"""A loop of the learner's own, watched: what the kernel sends of it, and the race that is
put together of that. Pure.

Numbers travel as text in base64, eight bytes each: a loop that does nothing but count
makes a hundred thousand points a second.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from tutor.packing import unpacked
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Race, Run, RunEnd, Stopped
from tutor.training.spec import RUN_LIMIT, RaceSpec, RunSpec
from tutor.wire import message

CURVES = RUN_LIMIT
"""Curves of one cell."""


@message("watched")
@dataclass(frozen=True, slots=True)
class Watched:
    """What `tutor.watch` saw of one curve since the message before."""

    curve: str
    start: int
    """Iteration of the first point: the calls before it."""
    losses: str
    """`packing.packed`."""
    test: str = ""
    params: dict[str, str] = field(default_factory=dict)
    """`packing.packed`, a column for each number."""
    seconds: tuple[float, float] = (0.0, 0.0)
    """From the first call of the curve to the first of these points, and to the last."""
    findings: tuple[Finding, ...] = ()


def points(watched: Watched) -> Points:
    """Its points; how many data points an iteration looks at is not known."""
    return Points(
        run=watched.curve,
        start=watched.start,
        samples=0,
        per_iteration=0,
        losses=unpacked(watched.losses),
        params={name: unpacked(text) for name, text in watched.params.items()},
        test_losses=unpacked(watched.test),
        seconds=watched.seconds,
    )


class WatchedRace:
    """The curves of one cell, as they come."""

    def __init__(self, id: str) -> None:
        """`id`: of the cell's messages."""
        self.race = Race(RaceSpec((), "Your own loop", id=id, watched=True))

    def take(self, watched: Watched) -> tuple[Points | Finding, ...]:
        """Add what came; the same, as a race takes it. Raises ValueError where it
        cannot be read."""
        came = points(watched)
        if watched.curve not in self.race.runs:
            self.race.runs[watched.curve] = Run(RunSpec(watched.curve, iterations=0))
        arrived: tuple[Points | Finding, ...] = watched.findings
        if came.losses:
            arrived = (came, *arrived)
        for each in arrived:
            self.race.add(each)
        self._tell_spec(room)
        return arrived

    def end(self, stopped: Stopped) -> Finished:
        """The cell is done; how each curve ended: one that left all bounds, as diverged."""
        far = {
            each.run
            for each in self.race.findings
            if each.kind in ("diverged", "not-finite")
        }
        ends = {
            name: RunEnd(
                "diverged" if name in far else stopped,
                max(run.last, 0),
                run.last_loss,
                run.last_params,
            )
            for name, run in self.race.runs.items()
        }
        self._tell_spec(int)
        finished = Finished(ends)
        self.race.add(finished)
        return finished

    def _tell_spec(self, iterations: Callable[[int], int]) -> None:
        for run in self.race.runs.values():
            run.spec = replace(run.spec, iterations=iterations(max(run.last, 0)))
        specs = tuple(run.spec for run in self.race.runs.values())
        if specs != self.race.spec.runs:
            self.race.spec = replace(self.race.spec, runs=specs)


def room(last: int) -> int:
    """A round number that is not below: the axis grows in leaps, not with each point."""
    rungs: Iterator[int] = (
        digit * 10**power for power in range(1, 19) for digit in (1, 2, 5)
    )
    return next(rung for rung in rungs if rung >= last)


def sentence(race: Race) -> str:
    """What was watched, in one line: "loss: 100 iterations, from 31.1 to 1.08"."""

    def said(name: str, run: Run) -> str:
        first = run.losses[0] if len(run.losses) else run.last_loss
        count = run.last + 1
        unit = "iteration" if count == 1 else "iterations"
        return f"{name}: {count} {unit}, from {first:.4g} to {run.last_loss:.4g}"

    return "; ".join(said(name, run) for name, run in race.runs.items())
