"""What to train: a run is one model with one set of settings; a race is runs beside
each other. Plain data; reading it from text, and what is wrong in it, is `options`.

How a race travels. The kernel executes one call at a time, so a busy one reads no
control message: a race is therefore computed in *slices*. The engine keeps the race
under `RaceSpec.id` between calls, and one call "train" of a `SliceRequest`

- goes on from where the race stands, with the lr, the batch size, the optimiser and the
  number of iterations of the spec that it brings (so a change is just the next slice);
- answers with `Points` about 25 times a second, and last with `Finished`;
- ends after `seconds`, after `limit` iterations, or at the next iteration boundary when
  the kernel is interrupted; no point is lost by that.

Pause is "no further slice" (and an interrupt, to be quick), one iteration is a slice
with limit 1, and limit 0 only makes the race and sends the points of iteration 0.
`tutor.racing` does this for `Session.train(spec, limit)` and `Session.stop_training`.
"""

from dataclasses import dataclass

from tutor.wire import message


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run: the same values give the same points on the same machine.

    Data, initial parameters and batches come from generators of their own:
    `seed` makes the data, `10000 + seed` draws the batches.
    """

    name: str
    """Unlike the race's other names."""
    dataset: str = "line"
    points: int = 1000
    """How many data points there are."""
    noise: float = 1.0
    """Standard deviation of what is added to the data; 0 for none."""
    model: str = "linear"
    """linear (starts at zero) or mlp."""
    widths: tuple[int, ...] = ()
    """Units of each hidden layer, first to last; empty for a linear model."""
    activation: str = "tanh"
    """After each hidden layer; nothing to a linear model."""
    optimiser: str = "sgd"
    lr: float = 0.05
    batch: int | None = None
    """Data points per iteration, drawn anew each time. None: all of them, undrawn."""
    iterations: int = 25
    seed: int = 0

    @property
    def samples_per_iteration(self) -> int:
        """Data points looked at in one iteration."""
        return self.points if self.batch is None else self.batch


@dataclass(frozen=True, slots=True)
class RaceSpec:
    """Runs to watch beside each other."""

    runs: tuple[RunSpec, ...]
    title: str = ""
    """Empty: nobody named it."""
    together: bool = True
    """All runs do iteration k before any does k+1. False: each to its end, in turn.
    The points are the same, only their order differs."""
    id: str = ""
    """What the engine keeps it under, to go on with it later. Empty: it is kept under
    the request's id, so nobody can."""

    @property
    def iterations(self) -> int:
        """Of the longest run."""
        return max(run.iterations for run in self.runs)


@message("train?")
@dataclass(frozen=True, slots=True)
class SliceRequest:
    """Compute the next part of a race."""

    race: RaceSpec
    fresh: bool = True
    """Begin at iteration 0, even with an id that is known. False: go on; a race that is
    not known any more (the kernel was restarted) is an error."""
    limit: int | None = None
    """Iterations of each run in this slice. None: no such limit."""
    seconds: float | None = None
    """Time for this slice. None: to the end of the race."""
