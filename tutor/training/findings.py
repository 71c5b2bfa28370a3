"""What went wrong in a run, recognised by the engine from the run itself. Plain data;
the sentences are `training.explain`'s.
"""

from dataclasses import dataclass, field
from typing import Literal

from tutor.wire import message

FindingKind = Literal[
    "diverged",
    "not-finite",
    "no-zero-grad",
    "sum",
    "broadcast",
    "double-sigmoid",
    "zero-init",
    "device",
    "restarted",
    "engine",
    "workers",
    "one-worker",
]


@message("finding")
@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth a sentence; each kind once a run."""

    run: str
    kind: FindingKind
    """diverged: the loss left all bounds. not-finite: nan or inf. no-zero-grad: gradients
    of earlier iterations are still inside. sum: the loss grows with the batch. broadcast:
    outputs (n, 1) against targets (n,). double-sigmoid: a sigmoid before a loss with one
    inside. zero-init: hidden units that are, and stay, alike. device: another device than
    the spec's computes. restarted: the kernel ended, as `text` says; the race goes on
    in another one from where it was kept. engine: eager computes though compiled was
    asked for, because of `text`. workers: one of them ended, `text` says which, and
    they go on from `iteration`. one-worker: one computes the run, because of `text`."""
    iteration: int = 0
    tensor: str = ""
    """The first that is not finite, or the one that is meant: "w", "0.weight", "loss"."""
    lr: float | None = None
    limit: float | None = None
    """2 / λmax, measured on the data, where the loss is quadratic."""
    line: int | None = None
    """Of the learner's own code."""
    facts: dict[str, float] = field(default_factory=dict)
    """What the sentence shows, like {"n": 250}."""
    shapes: tuple[str, ...] = ()
    text: str = ""
    """What else is to be said, like a device's name."""
