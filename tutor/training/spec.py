"""What to train: a run is one model with one set of settings; a race is runs beside
each other. Plain data; reading it from text, and what is wrong in it, is `options`.

How a race travels. The kernel executes one call at a time, so a busy one reads no
control message: a race is therefore computed in *slices*. The engine keeps the race
under `RaceSpec.id` between calls, and one call "train" of a `SliceRequest`

- goes on from where the race stands, with the spec that it brings: changes of a setting
  at an iteration not yet reached, more iterations and forked runs are new in it;
- answers with `Points` about 25 times a second, with what `views` asks for at most four
  times a second, with a `Finding` where one is due, and last with `Kept` of each run and
  `Finished`;
- ends after `seconds`, after `limit` iterations, or at the next iteration boundary when
  the kernel is interrupted; no point is lost by that.

Pause is "no further slice" (and an interrupt, to be quick), one iteration is a slice
with limit 1, and limit 0 only makes the race and sends the points of iteration 0.
`tutor.racing` does this for `Session.train(spec, limit)` and `Session.stop_training`.
"""

from dataclasses import dataclass, replace
from typing import Literal

from tutor.training.views import ViewRequest
from tutor.wire import message

Value = int | float | str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that is another one from an iteration on: the update that leads from
    point `at` to the next one is the first with it. `lr@12=0.1` as text."""

    at: int
    key: str
    """One of `CHANGEABLE`."""
    value: Value
    """batch: None for all the data."""


CHANGEABLE = ("lr", "batch", "optimiser", "momentum", "activation", "loss")
"""What may change while a run is under way: it keeps its parameters and its data."""

RUN_LIMIT = 6
"""Runs of a race: curves that can still be told apart."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run: the same values give the same points on the same machine.

    Data, initial parameters and batches come from generators of their own: `seed` makes
    the data and, as after `torch.manual_seed(seed)`, the initial parameters; `10000 +
    seed` draws the batches, `20000 + seed` makes the test data.
    """

    name: str
    """Unlike the race's other names."""
    dataset: str = "line"
    """What is fitted (line, sin ...), classified (circle, moons ...), or a function to go
    down on itself (bowl, valleys, ravine), which has no data."""
    points: int = 1000
    """How many data points there are."""
    noise: float = 1.0
    """Standard deviation of what is added to the data; 0 for none."""
    test: int = 0
    """Points of data never trained on, whose loss is recorded too; 0: none."""
    model: str = "linear"
    """constant, linear, parabola (of each feature), perceptron (linear, then a sigmoid),
    mlp; point: the parameters of a function."""
    widths: tuple[int, ...] = ()
    """Units of each hidden layer, first to last; empty for other models than an mlp."""
    activation: str = "tanh"
    """After each hidden layer; nothing to other models."""
    init: str = "torch"
    """An mlp's initial parameters: torch's own, or "zero". The others start at zero."""
    start: tuple[float, ...] = ()
    """Initial parameters of a model with few of them: (w, b), or a function's."""
    loss: str = "mse"
    """mse, mae, sse (the sum of squares), bce; of a function its value, "value"."""
    optimiser: str = "sgd"
    """sgd, momentum, adam; random (keeps a random move that is better); none."""
    momentum: float = 0.9
    """Of the optimiser momentum; nothing to the others."""
    lr: float = 0.05
    decay: float = 0.0
    """The learning rate of update k (from 0) is lr / (1 + decay k)."""
    batch: int | None = None
    """Data points per iteration, drawn anew each time. None: all of them, undrawn."""
    iterations: int = 25
    seed: int = 0
    slip: str = ""
    """A mistake made on purpose: no-zero-grad (gradients are never cleared), broadcast
    (targets of shape (n,) against outputs (n, 1)), double-sigmoid. "": none."""
    changes: tuple[Change, ...] = ()
    """By rising `at`; the settings above are those of iteration 0."""
    of: str = ""
    """The run it was forked from, which has its points up to `since`. "": none."""
    since: int = 0
    """The iteration of a fork's first point."""
    device: str = "cpu"
    """cpu, cuda, cuda:1, mps; auto: the first accelerator, else the cpu."""

    @property
    def samples_per_iteration(self) -> int:
        """Data points looked at in one iteration, by the settings of the start."""
        return self.points if self.batch is None else self.batch

    def at(self, iteration: int) -> "RunSpec":
        """The settings of the update that follows the point of `iteration`."""
        due = {each.key: each.value for each in self.changes if each.at <= iteration}
        return replace(self, **due)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class RaceSpec:
    """Runs to watch beside each other."""

    runs: tuple[RunSpec, ...]
    title: str = ""
    """Empty: nobody named it."""
    together: bool = True
    """All runs do iteration k before any does k+1, those behind first. False: each to its
    end, in turn. The points are the same, only their order differs."""
    id: str = ""
    """What the engine keeps it under, to go on with it later. Empty: it is kept under
    the request's id, so nobody can."""
    engine: Literal["eager", "compiled"] = "eager"
    """compiled: torch.compile of several updates at once, where that is possible; the
    losses agree within float tolerance. `RunEnd.engine` says which one computed."""
    workers: int = 1
    """Processes that compute it together, each a part of every batch; runs that cannot
    be divided have one (`training.shares`). The losses agree within float tolerance."""
    watched: bool = False
    """The learner's own loop: nobody can ask it for iterations. Its runs' settings are
    not known, and `iterations` is how far it came; while it runs, a round number above."""

    @property
    def iterations(self) -> int:
        """Of the longest run."""
        return max(run.iterations for run in self.runs)


@message("kept")
@dataclass(frozen=True, slots=True)
class Kept:
    """Where a run stands, to go on from there in another kernel."""

    run: str
    iteration: int
    state: str
    """Parameters, optimiser and generators, base64; "": too large, it is computed
    again from the start."""


@message("train?")
@dataclass(frozen=True, slots=True)
class SliceRequest:
    """Compute the next part of a race."""

    race: RaceSpec
    fresh: bool = True
    """Begin at iteration 0, even with an id that is known. False: go on; a race that is
    not known any more (the kernel was restarted) is an error without `kept`."""
    limit: int | None = None
    """Iterations of each run in this slice. None: no such limit."""
    seconds: float | None = None
    """Time for this slice. None: to the end of the race. Workers go to the end."""
    kept: tuple[Kept, ...] = ()
    """Where the runs stood, for a race that this kernel does not know."""
    views: tuple[ViewRequest, ...] = ()
    """To be answered of the newest iteration while it computes, and at its end."""
