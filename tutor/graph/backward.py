"""One backward pass, op by op: torch's nodes of an op are merged. Pure."""

from dataclasses import dataclass

from tutor.graph import names
from tutor.graph.trace import BackwardNode, Summary, Trace


@dataclass(frozen=True, slots=True)
class Sent:
    """What one edge of the picture sent back."""

    position: int
    """Which of the op's tensor arguments; -1: none, it is the base of a view that the
    op wrote through."""
    to: int
    """The value."""
    gradient: Summary | None
    """None: torch sent nothing there."""


@dataclass(frozen=True, slots=True)
class OpBackward:
    """An op in one backward pass."""

    number: int
    """The pass."""
    at: int
    op: int
    of: int
    """The value whose gradient arrived: the op's only or first one that did."""
    upstream: Summary
    sent: tuple[Sent, ...]


def merged(trace: Trace, number: int) -> tuple[OpBackward, ...]:
    """The ops of a pass in the engine's order."""
    groups: dict[int, list[BackwardNode]] = {}
    for node in trace.nodes:
        if node.number == number and node.op is not None:
            groups.setdefault(node.op, []).append(node)
    found = [_merge(trace, op, nodes) for op, nodes in groups.items()]
    return tuple(each for each in found if each is not None)


def _merge(trace: Trace, op: int, nodes: list[BackwardNode]) -> OpBackward | None:
    arrived = [
        (value, gradient)
        for node in nodes
        for value, gradient in zip(node.of, node.upstream, strict=True)
        if value is not None and gradient is not None
    ]
    if not arrived:
        return None
    of, upstream = arrived[0]
    sent = _sent(trace, op, nodes)
    return OpBackward(nodes[0].number, nodes[0].at, op, of, upstream, sent)


def _sent(trace: Trace, op: int, nodes: list[BackwardNode]) -> tuple[Sent, ...]:
    """torch's edges, each given to an argument that holds the value it leads to."""
    free = list(enumerate(names.tensors(trace.ops[op])))
    sent = []
    for node in nodes:
        for edge in node.contributions:
            if edge.to is None:
                continue
            position = _place(trace, free, edge.to)
            sent.append(Sent(position, edge.to, edge.gradient))
    return tuple(sorted(sent, key=lambda each: each.position))


def _place(trace: Trace, free: list[tuple[int, int]], to: int) -> int:
    tensor = trace.values[to].tensor
    for match in (
        lambda value: value == to,
        lambda value: trace.values[value].tensor == tensor,
    ):
        for index, (position, value) in enumerate(free):
            if match(value):
                del free[index]
                return position
    return -1
