"""What we ask of the engine and what it answers, but for traces and training.

Those have their own: `graph.trace`, `graph.requests`, `training.spec`, `training.run`.
"""

from dataclasses import dataclass
from typing import Literal

from tutor.wire import message


@message("hello?")
@dataclass(frozen=True, slots=True)
class HelloRequest:
    """Import torch and get ready; say what is here."""

    path_last: tuple[str, ...] = ()
    """Folders to put last on sys.path."""
    threads: int | None = None
    """torch threads; None leaves torch's own choice."""


@message("hello")
@dataclass(frozen=True, slots=True)
class Hello:
    """What the kernel runs on."""

    python: str
    torch: str | None
    """None: torch cannot be imported; `problem` says why."""
    torch_path: str | None
    cuda: str | None
    """The CUDA version torch was built with."""
    devices: tuple[str, ...]
    """Like ("cpu", "cuda:0")."""
    problem: str | None = None


@message("warm?")
@dataclass(frozen=True, slots=True)
class WarmRequest:
    """Import one part of what the first optimiser needs; ask while nothing runs."""

    part: int
    """From 0, until no part is left."""


@message("warm")
@dataclass(frozen=True, slots=True)
class Warmed:
    """That part is imported."""

    parts_left: int


@message("overflow")
@dataclass(frozen=True, slots=True)
class Overflowed:
    """A cell printed more than is shown."""

    file: str | None
    """Where the rest goes; None: nowhere."""


@message("reset?")
@dataclass(frozen=True, slots=True)
class ResetRequest:
    """Forget the namespace and put torch's process state back to its defaults.

    Default dtype and device, grad mode, seeds, threads, anomaly mode, hooks, cwd,
    sys.path, In and Out. Then run `setup`.
    """

    setup: str = ""
    seed: int = 0


@message("reset")
@dataclass(frozen=True, slots=True)
class ResetDone:
    """The state is fresh."""

    problem: str | None = None
    """What `setup` raised, as "Type: message"; None: it ran."""


@message("expect?")
@dataclass(frozen=True, slots=True)
class ExpectRequest:
    """Compare the last cell's outcome with what the lesson promises."""

    code: str
    """The cell's code: its last expression's value is judged, from `Out` or `_`."""
    close: str | None = None
    equal: str | None = None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    device: str | None = None
    requires_grad: bool | None = None


@message("check?")
@dataclass(frozen=True, slots=True)
class CheckRequest:
    """Judge an exercise whose code was just executed."""

    code: str
    """The learner's source."""
    check: str
    when: tuple[str | None, ...]
    """The expression of each `wrong` entry, in order."""
    known: tuple[str, ...]
    """The code of each `wrong` entry: an exact match is recognised without `when`."""
    seconds: float


@message("check")
@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check or an expectation found."""

    outcome: Literal["passed", "failed", "raised", "timeout", "lesson-bug"]
    """raised: the learner's function raised inside the check."""
    message: str = ""
    """What did not hold, as a sentence about the learner's code."""
    detail: str = ""
    """The failing case: "case 2 of 5: x = ...", wanted, got; lines."""
    mistake: int | None = None
    """Which `wrong` entry matched."""
    seconds: float = 0.0


@message("problem")
@dataclass(frozen=True, slots=True)
class Problem:
    """The engine could not do what was asked."""

    message: str
    """One sentence for the learner."""
    traceback: str = ""
    """For a bug report; "" when the message says it all."""
    machine: bool = False
    """This machine lacks what it takes: a MachineError."""
