"""What a value is at a place of the walk: leaf, saved, freed, accumulates, detached. Pure."""

import math

from tutor.graph import names
from tutor.graph.steps import Step, Walk
from tutor.graph.trace import GraphNode, Trace


class Badges:
    """The badges of one walk's values; made once, asked at every place."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._kept = _keepings(walk.trace)
        self._freed = _freed(walk.trace)
        self._uses = _uses(walk.trace)

    def of(self, place: int) -> tuple[str, ...]:
        """Of the value of the step at that place, as short words."""
        step = self._walk.step(place)
        if step is None or step.value is None:
            return ()
        words = self._of(step, step.value, place)
        if step.kind in ("contribute", "accumulate") and words:
            name = names.name(self._walk.trace, step.value)
            words[0] = f"{name}: {words[0]}"
        return tuple(words)

    def _of(self, step: Step, value: int, place: int) -> list[str]:
        found = self._walk.trace.values[value]
        words = []
        if found.is_leaf and found.requires_grad:
            words.append("leaf")
        elif found.requires_grad:
            words.append("requires grad")
        elif self._is_cut(value):
            words.append("detached")
        state = self._state(value, place)
        if state:
            words.append(state)
        if self._accumulates(step, value):
            words.append("accumulates")
        return words

    def _state(self, value: int, place: int) -> str:
        """saved, freed, or "" where nothing is kept of it here."""
        kept = [
            node
            for node in self._kept.get(value, ())
            if node.op is not None and self._made(node.op) <= place
        ]
        if not kept:
            return ""
        freed = all(self._freed_place(node) <= place for node in kept)
        return "freed" if freed else "saved"

    def _made(self, op: int) -> float:
        """From which place on the op has run."""
        outputs = self._walk.trace.ops[op].outputs
        found = self._walk.value_place.get(outputs[0]) if outputs else None
        return math.inf if found is None else found

    def _freed_place(self, node: GraphNode) -> float:
        """From which place on the pass that uses up what the node keeps has sent."""
        number = self._freed.get(node.id)
        if number is None or node.op is None:
            return math.inf
        merged = self._walk.passes.get((number, node.op))
        if merged is None:
            return math.inf
        places = [
            self._walk.edge_place.get((number, node.op, sent.position), 0)
            for sent in merged.sent
        ]
        return max(places, default=0)

    def _is_cut(self, value: int) -> bool:
        """Whether it was computed from something that requires grad, without it."""
        trace = self._walk.trace
        op = trace.values[value].op
        if op is None:
            return False
        given = [trace.values[each] for each in names.tensors(trace.ops[op])]
        return any(each.requires_grad for each in given)

    def _accumulates(self, step: Step, value: int) -> bool:
        if step.kind == "leaf":
            return self._walk.leaves[step.number, value].before is not None
        return (
            self._uses.get(value, 0) > 1
            and self._walk.trace.values[value].requires_grad
        )


def _keepings(trace: Trace) -> dict[int, list[GraphNode]]:
    """By value: the nodes of torch's graph that keep it for the backward pass."""
    found: dict[int, list[GraphNode]] = {}
    for node in trace.graph:
        for value in names.within(node.saved.values()):
            found.setdefault(value, []).append(node)
    return found


def _freed(trace: Trace) -> dict[int, int]:
    """By node: the first pass through it that retains nothing."""
    retains = {each.number: each.retains for each in trace.passes}
    found: dict[int, int] = {}
    for node in trace.nodes:
        if not retains.get(node.number, True):
            found.setdefault(node.node_id, node.number)
    return found


def _uses(trace: Trace) -> dict[int, int]:
    found: dict[int, int] = {}
    for op in trace.ops:
        for value in names.tensors(op):
            found[value] = found.get(value, 0) + 1
    return found
