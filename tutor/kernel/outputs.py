"""What a kernel says while it executes one cell, in order, ending in `Done`.

All text here is foreign: it becomes a `SafeText` before a widget or a stream sees it.
"""

from dataclasses import dataclass
from typing import Literal

from tutor.graph.trace import Trace
from tutor.training.run import Race
from tutor.wire import Message

Status = Literal["ok", "error", "interrupted", "died"]


@dataclass(frozen=True, slots=True)
class Stream:
    """Text the cell printed."""

    name: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """The value of the cell's last expression, as its repr."""

    text: str
    note: str | None = None
    """For a tensor "shape (3, 4) · float32 · cpu · requires_grad"; None for others."""


@dataclass(frozen=True, slots=True)
class Display:
    """Something shown with `display()`, as text."""

    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The exception that ended the cell."""

    ename: str
    evalue: str
    traceback: str
    """Short, about the learner's lines; may hold SGR colours, nothing else."""
    line: int | None = None
    """The line of the cell it came from, counted from 1; None when unknown."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A message of the tutor's own engine; never shown as it is."""

    message: Message


@dataclass(frozen=True, slots=True)
class Recording:
    """The cell asked for a walk: `tutor.step(...)` or `%%step`."""

    trace: Trace


@dataclass(frozen=True, slots=True)
class Watching:
    """The cell calls `tutor.watch` in a loop: said once, when the first points are here."""

    race: Race
    """It grows while the cell runs."""


@dataclass(frozen=True, slots=True)
class InputRequest:
    """The cell waits in `input()`: reply with `Kernel.reply`."""

    prompt: str
    password: bool = False


@dataclass(frozen=True, slots=True)
class Clear:
    """`clear_output()`: what the cell showed so far goes away."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence of ours about the execution: output lost, output cut, and so on."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """Always the last output."""

    status: Status
    cause: str | None = None
    """For "died": why, as a sentence ("segmentation fault (signal 11)")."""


Output = (
    Stream
    | Result
    | Display
    | Failure
    | Payload
    | Recording
    | Watching
    | InputRequest
    | Clear
    | Notice
    | Done
)
