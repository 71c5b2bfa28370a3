"""Look-ups over one trace that every question needs: uses, ancestry, passes. Pure."""

from dataclasses import dataclass

from tutor.graph import backward, code, names, origins
from tutor.graph.backward import OpBackward
from tutor.graph.trace import Const, LeafGradient, Op, Pass, Summary, Trace

ASIDE = frozenset(
    ["grad", "backward", "requires_grad_", "requires_grad", "retain_grad", "zero_grad",
     "register_hook", "set_grad", "set_requires_grad"]
)  # fmt: skip
"""Calls on a tensor that pass none of its numbers on."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a backward pass began, or would have begun."""

    root: int | None
    """None: it is not known."""
    at: float
    """When; infinite where it never came to it."""
    passed: Pass | None
    """None: it was refused, or never asked for."""


@dataclass(frozen=True, slots=True)
class History:
    """One trace, indexed."""

    trace: Trace
    values: dict[int, list[int]]
    """By tensor."""
    uses: dict[int, list[int]]
    """By value: the ops that take it."""
    accumulators: dict[int, list[int]]
    """By tensor: torch's nodes that accumulate into it."""

    def tensor(self, value: int) -> int:
        """The tensor that a value is a moment of."""
        return self.trace.values[value].tensor

    def siblings(self, value: int) -> list[int]:
        """The values of the same tensor."""
        return self.values[self.tensor(value)]

    def ops_on(self, value: int) -> list[Op]:
        """The ops that take the tensor's numbers, in the order of time."""
        found = {op for each in self.siblings(value) for op in self.uses.get(each, ())}
        ops = [self.trace.ops[op] for op in sorted(found)]
        return [
            op for op in ops if op.function not in ASIDE and "deepcopy" not in op.calls
        ]

    def settings(self, value: int, *functions: str) -> list[tuple[Op, object]]:
        """The ops that set something of the tensor, and to which constant."""
        found = {op for each in self.siblings(value) for op in self.uses.get(each, ())}
        ops = [self.trace.ops[op] for op in sorted(found)]
        return [
            (op, op.arguments[-1].value)
            for op in ops
            if op.function in functions
            and op.arguments
            and isinstance(op.arguments[-1], Const)
        ]

    def gradients(self, value: int) -> list[LeafGradient]:
        """How the tensor's `.grad` grew."""
        tensor = self.tensor(value)
        return [each for each in self.trace.leaves if self.tensor(each.value) == tensor]


def history(trace: Trace) -> History:
    """Index a trace; one walk over its values, ops and nodes."""
    values: dict[int, list[int]] = {}
    for value in trace.values:
        values.setdefault(value.tensor, []).append(value.id)
    uses: dict[int, list[int]] = {}
    for op in trace.ops:
        for given in dict.fromkeys(names.tensors(op)):
            uses.setdefault(given, []).append(op.id)
    accumulators: dict[int, list[int]] = {}
    for node in trace.graph:
        if node.leaf is not None:
            accumulators.setdefault(trace.values[node.leaf].tensor, []).append(node.id)
    return History(trace, values, uses, accumulators)


def ancestors(trace: Trace, root: int | None) -> set[int]:
    """The ops that a value's numbers came from, graph or not."""
    found: set[int] = set()
    waiting = [root]
    while waiting:
        value = waiting.pop()
        op = None if value is None else trace.values[value].op
        if op is not None and op not in found:
            found.add(op)
            waiting += names.tensors(trace.ops[op])
    return found


def starts(trace: Trace) -> list[Start]:
    """Every backward pass that fills `.grad`, and one that torch refused to begin."""
    found = [
        Start(each.root, each.at, each)
        for each in trace.passes
        if not returns_only(trace, each)
    ]
    if not found or _was_refused(trace):
        root = _refused_root(trace)
        if root is not None and all(each.root != root for each in found):
            found.append(Start(root, float("inf"), None))
    return found


def returns_only(trace: Trace, passed: Pass) -> bool:
    """Whether a pass is autograd.grad's, which fills no `.grad`."""
    if passed.kind == "grad":
        return True
    following = [each.at for each in trace.passes if each.at > passed.at]
    until = min(following, default=float("inf"))
    return any(
        op.function == "grad" and passed.at < op.at < until for op in trace.ops
    ) and all(leaf.number != passed.number for leaf in trace.leaves)


def _was_refused(trace: Trace) -> bool:
    fault = trace.fault
    return fault is not None and "does not require grad" in fault.text


def _refused_root(trace: Trace) -> int | None:
    """What the backward call that failed stood behind, by the code's own text."""
    if trace.end.root is not None and not trace.passes:
        return trace.end.root
    if not _was_refused(trace) or trace.fault is None:
        return None
    calls = [
        each
        for each in code.method_calls(trace.end.code, "backward")
        if each.line == trace.fault.line
    ]
    for call in calls:
        for value in reversed(trace.values):
            made = None if value.op is None else trace.ops[value.op].label
            if call.receiver in (value.name, made):
                return value.id
    return None


def behind(trace: Trace, root: int) -> set[int]:
    """torch's nodes that a gradient sent into a value can reach."""
    op = trace.values[root].op
    value = trace.values[root]
    waiting = [node.id for node in trace.graph if op is not None and node.op == op]
    if value.is_leaf:
        waiting = [
            node.id
            for node in trace.graph
            if node.leaf is not None and trace.values[node.leaf].tensor == value.tensor
        ]
    found = set(waiting)
    while waiting:
        for following in trace.graph[waiting.pop()].next:
            if following >= 0 and following not in found:
                found.add(following)
                waiting.append(following)
    return found


@dataclass(frozen=True, slots=True)
class Share:
    """What one edge sent to a value."""

    op: int
    position: int
    """Of the op's tensor arguments; -1: none."""
    gradient: Summary


@dataclass(frozen=True, slots=True)
class Flow:
    """One backward pass by value."""

    number: int
    gradients: dict[int, Summary]
    """What arrived at a value, summed by torch."""
    shares: dict[int, list[Share]]
    """What it is the sum of."""
    ops: dict[int, OpBackward]


def flow(trace: Trace, number: int) -> Flow:
    """What one pass sent where."""
    gradients = {
        value: gradient
        for node in trace.nodes
        if node.number == number
        for value, gradient in zip(node.of, node.upstream, strict=True)
        if value is not None and gradient is not None
    }
    for leaf in trace.leaves:
        if leaf.number == number:
            gradients[leaf.value] = leaf.add
    merged = backward.merged(trace, number)
    shares: dict[int, list[Share]] = {}
    for op in merged:
        for sent in op.sent:
            if sent.gradient is not None:
                share = Share(op.op, sent.position, sent.gradient)
                shares.setdefault(sent.to, []).append(share)
    return Flow(number, gradients, shares, {op.op: op for op in merged})


def named(trace: Trace, name: str) -> int | None:
    """The value that a variable, or a module's parameter, is at the code's end."""
    if name in trace.end.names:
        return trace.end.names[name]
    for value in reversed(trace.values):
        if value.name == name:
            return value.id
    # `scale = net.scale`: the value may go by where it lies.
    for place in reversed(origins.bindings(trace.end.code, name)):
        later = origins.bindings(trace.end.code, place.text)
        if any(each.line > place.line for each in later):
            return None  # what it stood for was replaced since
        for value in reversed(trace.values):
            if value.name is not None and value.name == place.text:
                return value.id
    return None
