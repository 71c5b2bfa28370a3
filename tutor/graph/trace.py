"""The trace: an immutable log of what torch did. Pure.

The recorder (`engine.recorder`) writes it, the stepper moves a cursor over it. Values,
ops and passes are numbered in the order in which they were met; `at` counts all that
happened. Every gradient in it came out of torch's own engine.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from tutor.errors import WireError
from tutor.wire import message

VERSION = 2
PART_LIMIT = 500
"""Events per message."""
INLINE = 64
"""Up to this many elements all values of a tensor are in the trace."""

Flag = Literal["inplace", "view", "unseen", "random", "creation", "nograd", "opaque"]
Role = Literal["leaf", "parameter", "buffer", "constant", "temporary"]
Check = Literal["ok", "off", "skip"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of a tensor's content."""

    shape: tuple[int, ...]
    dtype: str
    """Like "float32"."""
    values: tuple[float, ...] | None
    """All of them, row by row; real and imaginary part in turn for a complex dtype.
    None: over 64 elements, or not looked at."""
    low: float | None = None
    """Least of the finite elements; this and the next three are None when `values` is
    given, when there is nothing finite, or when the tensor was not looked at."""
    high: float | None = None
    mean: float | None = None
    nonfinite: int | None = None
    """How many are nan or infinite."""
    head: tuple[float, ...] = ()
    """The first elements where `values` is None."""

    @property
    def scalar(self) -> float | None:
        """The one number of a tensor of one element; None for other sizes."""
        if self.values is not None and len(self.values) == 1:
            return self.values[0]
        return None


@dataclass(frozen=True, slots=True)
class Source:
    """A span of the traced code; lines from 1, columns (characters) from 0."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Ref:
    """An argument that is a value of the trace."""

    value: int


@dataclass(frozen=True, slots=True)
class Const:
    """An argument that is no tensor: a number, a word, or the repr of another thing."""

    value: bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Items:
    """A list or tuple of arguments."""

    items: tuple["Ref | Const | Items", ...]


Argument = Ref | Const | Items


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor at one moment: an in-place op makes another value of the same tensor."""

    id: int
    tensor: int
    """Values of one tensor share it."""
    version: int
    """torch's version counter."""
    name: str | None
    """What the code calls it, or where it lies: "q", "net.0.weight". None: nothing."""
    role: Role
    op: int | None
    """The op that made it; None: it was there before, or was made without gradient."""
    port: int
    """Which output of that op."""
    summary: Summary
    device: str
    requires_grad: bool
    is_leaf: bool
    output_of: str = ""
    """Path of the nn.Module whose call gave it back, the outermost: "net.0"."""


@dataclass(frozen=True, slots=True)
class Op:
    """One call of torch, as the learner wrote it."""

    id: int
    at: int
    function: str
    """torch's name: "pow", "mul", "linear"."""
    symbol: str
    """For a box: "sqr", "*", "linear"."""
    label: str
    """The source text of the call, on one line: "3 * q"."""
    arguments: tuple[Ref | Const | Items, ...]
    """In the order in which they were written, so `3 * q` has the 3 first."""
    keywords: dict[str, Ref | Const | Items]
    outputs: tuple[int, ...]
    source: Source | None
    module: str
    """Path of the nn.Module it ran in, like "net.0"; "" outside of any."""
    calls: tuple[str, ...]
    """Functions of the learner it ran in, outermost first."""
    flags: tuple[Flag, ...]
    microseconds: float
    error: str | None = None
    """What the call raised, as "Type: message"; None: it returned."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One backward pass begins."""

    number: int
    """From 1."""
    at: int
    root: int | None
    """The value `backward()` was called on; None when it was never seen."""
    kind: Literal["backward", "grad"] = "backward"
    """grad: `torch.autograd.grad`, which returns gradients and touches no `.grad`."""
    retains: bool = False
    """retain_graph or create_graph: the saved values stay. Else they are freed."""
    source: Source | None = None
    """The call in the learner's code; None: the tutor went backward by itself."""
    error: str | None = None
    """What the pass raised, as "Type: message"; None: it ended well."""


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node of torch's own backward graph, whether a pass ran it or not."""

    id: int
    """`BackwardNode.node_id` of its runs."""
    op: int | None
    """The op it belongs to; None: it accumulates into a leaf."""
    name: str
    """torch's, like "MulBackward0", "AccumulateGrad"."""
    leaf: int | None
    """The leaf's value as last used; None for other nodes."""
    next: tuple[int, ...]
    """Where its gradients go, by node id and in torch's order; -1: nowhere, as for a
    constant."""
    saved: dict[str, Ref | Const | Items] = field(default_factory=dict)
    """What it keeps for the backward pass, under torch's names without `_saved_`:
    {"self": the value, "exponent": 2}. Empty: nothing, or it was not looked at."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one edge sent back."""

    port: int
    """Which of the node's inputs."""
    to: int | None
    """The value it went to; None: to another node of the same op."""
    to_node: int | None
    """The node it went to, by `BackwardNode.node_id`; None for a leaf."""
    gradient: Summary | None
    """None: torch sent nothing there."""


@dataclass(frozen=True, slots=True)
class BackwardNode:
    """torch's engine ran one node of its graph. An op may own several."""

    number: int
    """The pass."""
    at: int
    op: int | None
    """None: no op of the trace owns it."""
    node: str
    """Like "MulBackward0"."""
    node_id: int
    of: tuple[int | None, ...]
    """The values whose gradients arrived, one for each output of the node; None inside
    an op."""
    upstream: tuple[Summary | None, ...]
    """What arrived for each of them; None where nothing did."""
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class LeafGradient:
    """A leaf's `.grad` changed: `before` + `add` -> `after`."""

    number: int
    """The pass."""
    at: int
    value: int
    before: Summary | None
    """None: there was no gradient yet."""
    add: Summary
    after: Summary


@dataclass(frozen=True, slots=True)
class Rule:
    """The local derivative of an op by one of its arguments."""

    op: int
    value: int
    """The argument."""
    position: int
    """Which of the op's tensor arguments, from 0: `x * x` has two rules for x."""
    text: str
    """By the book: "2x". "": not in the book, or it disagreed with torch's engine."""
    local: Summary | None
    """The number: torch's gradient of this op alone for an upstream of 1. None: it has
    no such number (matmul), or the op cannot be run again."""
    check: Check
    """ok: the book agrees with the engine's contribution. off: it did not, so its text
    is hidden. skip: nothing to compare."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the code stopped."""

    text: str
    """As "Type: message"."""
    line: int | None
    """Of the code; None when unknown."""
    stage: Literal["parse", "run", "backward", "interrupt"]


Event = Value | Op | Pass | GraphNode | BackwardNode | LeafGradient | Rule


@message("trace")
@dataclass(frozen=True, slots=True)
class TracePart:
    """Some of a trace's events; the last part says how it ended."""

    version: int
    events: tuple[
        Value | Op | Pass | GraphNode | BackwardNode | LeafGradient | Rule, ...
    ]
    end: "TraceEnd | None" = None
    """None: more follows."""


@dataclass(frozen=True, slots=True)
class TraceEnd:
    """What is said once of a trace."""

    code: str
    file: str
    torch: str
    root: int | None
    """The value backward starts from; None when there is none."""
    dtype: str
    fault: Fault | None
    truncated: str | None
    """Why recording stopped early, as a sentence; None: all is here."""
    id: str = ""
    """Under which the kernel keeps the tensors for `TraceLook`; "": it keeps none."""
    kind: Literal["recorded", "autograd"] = "recorded"
    """autograd: no code was run; the graph behind a tensor that was there already."""
    unrecorded: str | None = None
    """What a trace of kind autograd cannot show and what to do, as a sentence."""
    names: dict[str, int] = field(default_factory=dict)
    """Which value each variable of the code holds at its end; tensors only."""
    files: dict[str, str] = field(default_factory=dict)
    """The text of each file that a `Source` names, where it is at hand."""
    title: str = ""
    """What was run, in a word: "net(x)"; "": the code says it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A recorded run. `values[id].id == id`, and the same for ops."""

    values: tuple[Value, ...]
    ops: tuple[Op, ...]
    passes: tuple[Pass, ...]
    graph: tuple[GraphNode, ...]
    """torch's own graph; `graph[id].id == id`."""
    nodes: tuple[BackwardNode, ...]
    leaves: tuple[LeafGradient, ...]
    rules: tuple[Rule, ...]
    end: TraceEnd

    @property
    def fault(self) -> Fault | None:
        return self.end.fault

    def forward(self) -> "Trace":
        """The same run as if no backward pass had followed."""
        return replace(self, passes=(), nodes=(), leaves=())


def assemble(parts: Iterable[TracePart]) -> Trace:
    """One trace of its parts, in their order; WireError when it is not whole."""
    events: list[Event] = []
    end = None
    for part in parts:
        if part.version != VERSION:
            raise WireError(
                f"the trace has version {part.version}, this tutor reads {VERSION}."
            )
        events += part.events
        end = part.end
    if end is None:
        raise WireError("the trace breaks off before its end: record it again.")
    # A value is announced again when more became known of it: the last one counts.
    values = {event.id: event for event in events if isinstance(event, Value)}
    ops = {event.id: event for event in events if isinstance(event, Op)}
    if list(values) != list(range(len(values))) or list(ops) != list(range(len(ops))):
        raise WireError("the trace lacks some of its events: record it again.")
    return Trace(
        values=tuple(values.values()),
        ops=tuple(ops.values()),
        passes=tuple(event for event in events if isinstance(event, Pass)),
        graph=tuple(event for event in events if isinstance(event, GraphNode)),
        nodes=tuple(event for event in events if isinstance(event, BackwardNode)),
        leaves=tuple(event for event in events if isinstance(event, LeafGradient)),
        rules=tuple(event for event in events if isinstance(event, Rule)),
        end=end,
    )


def parts(trace: Trace) -> Iterable[TracePart]:
    """A trace as messages: the inverse of `assemble`."""
    events: list[Event] = [*trace.values, *trace.ops, *trace.passes, *trace.graph]
    events += [*trace.nodes, *trace.leaves, *trace.rules]
    for start in range(0, len(events), PART_LIMIT):
        yield TracePart(VERSION, tuple(events[start : start + PART_LIMIT]))
    yield TracePart(VERSION, (), trace.end)
