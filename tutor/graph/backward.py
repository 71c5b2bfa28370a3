"""A backward pass op by op: torch's nodes of an op are merged. Pure.

A long trace has tens of thousands of these, so they are plain tuples with names.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tutor.graph import names
from tutor.graph.trace import BackwardNode, Summary, Trace, Value


class Sent(NamedTuple):
    """What one edge of the picture sent back."""

    position: int
    """Which of the op's tensor arguments; -1: none, it is the base of a view that the
    op wrote through."""
    to: int
    """The value."""
    gradient: Summary | None
    """None: torch sent nothing there."""


class OpBackward(NamedTuple):
    """An op in one backward pass."""

    number: int
    """The pass."""
    at: int
    op: int
    of: int
    """The value whose gradient arrived: the op's only or first one that did."""
    upstream: Summary
    sent: tuple[Sent, ...]


Groups = dict[int, list[BackwardNode]]
"""torch's nodes by the op that owns them, in the order in which the ops were met."""


def grouped(trace: Trace) -> dict[int, Groups]:
    """The groups of every pass, by its number."""
    found: dict[int, Groups] = {passed.number: {} for passed in trace.passes}
    for node in trace.nodes:
        if node.op is None:
            continue
        groups = found.setdefault(node.number, {})
        if node.op in groups:
            groups[node.op].append(node)
        else:
            groups[node.op] = [node]
    return found


def merged(trace: Trace, number: int) -> tuple[OpBackward, ...]:
    """The ops of one pass in the engine's order."""
    groups = grouped(trace).get(number, {})
    found = [merge(trace, op, nodes) for op, nodes in groups.items()]
    return tuple(each for each in found if each is not None)


def merge(trace: Trace, op: int, nodes: Sequence[BackwardNode]) -> OpBackward | None:
    """The nodes of one op as one; None where no gradient arrived."""
    for node in nodes:
        for of, upstream in zip(node.of, node.upstream, strict=True):
            if of is not None and upstream is not None:
                sent = _sent(trace, op, nodes)
                first = nodes[0]
                return OpBackward(first.number, first.at, op, of, upstream, sent)
    return None


def _sent(trace: Trace, op: int, nodes: Sequence[BackwardNode]) -> tuple[Sent, ...]:
    """torch's edges, each given to an argument that holds the value it leads to."""
    free: list[int | None] = [*names.tensors(trace.ops[op])]
    sent = [
        Sent(_place(trace.values, free, edge.to), edge.to, edge.gradient)
        for node in nodes
        for edge in node.contributions
        if edge.to is not None
    ]
    if len(sent) > 1:
        sent.sort(key=lambda each: each.position)
    return tuple(sent)


def _place(values: Sequence[Value], free: list[int | None], to: int) -> int:
    """The first argument that is the value, else of the same tensor; it is taken."""
    place = -1
    if to in free:
        place = free.index(to)
    else:
        tensor = values[to].tensor
        for position, value in enumerate(free):
            if value is not None and values[value].tensor == tensor:
                place = position
                break
    if place >= 0:
        free[place] = None
    return place
