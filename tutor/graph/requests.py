"""Requests for a trace and of one that the kernel keeps, and what it answers. Pure."""

from dataclasses import dataclass, field
from typing import Any

from tutor.graph.trace import Summary
from tutor.wire import message


@message("trace?")
@dataclass(frozen=True, slots=True)
class TraceRequest:
    """Run this code once, eagerly, under the recorder."""

    code: str
    at: dict[str, Any] = field(default_factory=dict)
    """Leaves made before the code runs: a number or nested lists of numbers."""
    dtype: str = "float64"
    """Of the leaves."""
    root: str | None = None
    """The name to send the gradient back from. None: the value of the last expression,
    else of the last assignment."""
    grad: str | None = None
    """What backward starts with where the root is no scalar: "ones", or a literal of
    the root's shape. None: torch's own 1."""
    call: str | None = None
    """Call this function of the code with `at` as its arguments; None: `at` become
    names that the code reads."""
    file: str = ""
    """Where the code came from, as shown to the reader; "" when it was typed."""
    from_namespace: bool = False
    """The code sees the learner's names too; what it binds stays its own."""
    op_limit: int = 20_000
    """Ops beyond it run unrecorded, and `Trace.truncated` says so."""


@message("look?")
@dataclass(frozen=True, slots=True)
class TraceLook:
    """Look at one tensor of a trace that the kernel still keeps."""

    trace: str
    """`TraceEnd.id`."""
    value: int
    number: int = 0
    """0: the value itself. Else its gradient in the pass of that number."""
    start: tuple[int, ...] = ()
    """Where the rows begin: an index for every dimension; () for the beginning."""
    rows: int = 8
    columns: int = 6


@message("look")
@dataclass(frozen=True, slots=True)
class Looked:
    """What a tensor holds; or why that cannot be told."""

    summary: Summary | None
    """With low, high, mean and nonfinite for any size; None: it is gone."""
    problem: str | None = None
    """"Overwritten since", "no longer there": a sentence; None: all is well."""
    std: float | None = None
    histogram: tuple[int, ...] = ()
    """Counts of the finite elements in equal parts from low to high."""
    rows: tuple[tuple[float, ...], ...] = ()
    """From `start`, along the last two dimensions; one row for a vector."""


@message("retrace?")
@dataclass(frozen=True, slots=True)
class RetraceRequest:
    """Run what `tutor.step` or `%%step` recorded again, with other leaves."""

    trace: str
    """`TraceEnd.id`."""
    values: dict[str, Any]
    """By name: a number or nested lists."""


@message("check_node?")
@dataclass(frozen=True, slots=True)
class TraceCheck:
    """Check one op's gradients by finite differences; made by `graph.checking`."""

    trace: str
    """`TraceEnd.id`."""
    op: int
    upstream: Summary | None = None
    """What arrived at the op; None: ones are sent back instead."""
    sent: tuple[Summary | None, ...] = ()
    """What torch's engine sent to each of the op's tensor arguments."""


@dataclass(frozen=True, slots=True)
class ArgumentCheck:
    """One argument of an op: its gradient by differences and by torch, in float64."""

    position: int
    """Which of the op's tensor arguments, as in `Rule.position`."""
    elements: int
    """How many of its elements were moved."""
    of: int
    """How many it has."""
    step: float
    """By how much, at most."""
    difference: float
    """The largest between the slope found and torch's gradient of the op run alone."""
    agrees: bool
    corners: int
    """Elements where the slopes to both sides differ and torch's lies between them."""
    engine_difference: float | None = None
    """The largest between that gradient and what the engine sent in the trace; None: it
    was not kept whole."""
    engine_agrees: bool | None = None


@message("checked")
@dataclass(frozen=True, slots=True)
class Checked:
    """An op's gradients beside slopes found by trying; or why they cannot be tried."""

    arguments: tuple[ArgumentCheck, ...] = ()
    problem: str | None = None
    """A sentence; None: all is well."""
