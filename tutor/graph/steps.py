"""The walk over a trace: what happens at each step, in engine or slide order. Pure.

A place in the walk is how many steps were taken, so stepping back is a smaller number.
Steps that belong together - all that happens at one node - share a stop.
"""

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tutor.graph import backward, names
from tutor.graph.backward import OpBackward
from tutor.graph.trace import LeafGradient, Op, Pass, Rule, Summary, Trace

WINDOW = 32
"""Ops in one picture; of a longer scene this many are shown."""

Order = Literal["engine", "slide"]
Kind = Literal[
    "input", "node", "forward", "whole",
    "arrive", "local", "contribute", "accumulate", "leaf",
]  # fmt: skip
"""input, node and whole are steps of a walk that builds the graph up."""


@dataclass(frozen=True, slots=True)
class Step:
    """One press of the key."""

    kind: Kind
    stop: int
    """Counts nodes, from 0."""
    scene: int
    number: int
    """The backward pass; 0 forward."""
    op: int | None
    """None at a leaf."""
    value: int | None
    """What was computed or came in, what gradient arrived, where was added up; None:
    the op raised, or has not given it yet."""
    position: int = -1
    """Which of the op's tensor arguments an edge leads to; -1: all of them."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What one picture shows: the code up to a backward pass, and that pass."""

    number: int
    """The pass; 0: none follows."""
    root: int | None
    ops: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One edge's share of a gradient."""

    op: int
    position: int
    gradient: Summary
    place: int
    """At which it was sent."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Walk:
    """A trace made into steps. Places run from 0, the start, to `len(steps)`."""

    trace: Trace
    order: Order
    steps: tuple[Step, ...]
    stops: tuple[int, ...]
    """The place at which each stop is complete."""
    scenes: tuple[Scene, ...]
    passes: dict[tuple[int, int], OpBackward]
    """By pass and op."""
    gradients: dict[tuple[int, int], Summary]
    """By pass and value: all that arrived there, summed by torch."""
    parts: dict[tuple[int, int], tuple[Part, ...]]
    """By pass and value: what was sent there, in the order of the walk."""
    leaves: dict[tuple[int, int], LeafGradient]
    """By pass and value."""
    rules: dict[tuple[int, int], Rule]
    """By op and position."""
    value_place: dict[int, int]
    """From which place on a value is known; leaves are from 0."""
    edge_place: dict[tuple[int, int, int], int]
    """By pass, op and position: from which place on the edge has sent."""
    sum_place: dict[tuple[int, int], int]
    """By pass and value: from which place on its gradient is complete."""
    builds: bool = False
    """Whether the graph is built up: nothing is drawn before its step."""
    input_place: dict[int, int] = field(default_factory=dict)
    """By value, of a walk that builds: from which place on an input is drawn."""
    node_place: dict[int, int] = field(default_factory=dict)
    """By op, of a walk that builds: from which place on its box is drawn."""

    def step(self, place: int) -> Step | None:
        """The step just taken; None at the start."""
        return self.steps[place - 1] if 0 < place <= len(self.steps) else None

    def scene(self, place: int) -> Scene:
        """The picture that belongs to a place."""
        step = self.step(max(place, 1))
        return self.scenes[step.scene if step is not None else 0]

    def view(self, place: int) -> Scene:
        """The scene, or of a long one the ops about the one under way.

        The same for many places in a row, so that single steps do not move it.
        """
        scene = self.scene(place)
        if len(scene.ops) <= WINDOW:
            return scene
        step = self.step(place)
        op = scene.ops[0] if step is None else self._near(step)
        half = WINDOW // 2
        begin = bisect.bisect_left(scene.ops, op) // half * half - half // 2
        begin = max(0, min(begin, len(scene.ops) - WINDOW))
        return replace(scene, ops=scene.ops[begin : begin + WINDOW])

    def _near(self, step: Step) -> int:
        """The op of a step; at a leaf, one that sent to it."""
        if step.op is not None:
            return step.op
        assert step.value is not None
        return self.parts[step.number, step.value][-1].op

    def stop(self, place: int) -> int:
        """How many stops were begun."""
        step = self.step(place)
        return 0 if step is None else step.stop + 1

    def next_stop(self, place: int) -> int:
        """The place at which the stop under way, or else the next one, is complete."""
        found = bisect.bisect_right(self.stops, place)
        return self.stops[found] if found < len(self.stops) else len(self.steps)

    def previous_stop(self, place: int) -> int:
        """The place before the stop under way."""
        found = bisect.bisect_left(self.stops, place)
        return self.stops[found - 1] if found else 0


def walk(trace: Trace, order: Order = "engine", *, build: bool = False) -> Walk:
    """All steps of a trace.

    `build`: before an op gives its value, its new inputs come ("input") and then its
    box with its edges and constants ("node"); "whole" is the graph they end in.
    """
    return _Builder(trace, order, build).walk()


def is_shown(op: Op) -> bool:
    """Whether an op is a step: making a tensor from nothing and reading are not."""
    return "creation" not in op.flags and bool(op.outputs or op.error)


def is_input(trace: Trace, value: int) -> bool:
    """Whether a value that no shown op made has a box: parameters stand beside ops."""
    found = trace.values[value]
    return found.requires_grad and found.role not in ("parameter", "buffer")


def ancestors(trace: Trace, root: int | None) -> set[int]:
    """The ops that a value was computed from."""
    found: set[int] = set()
    waiting = [root]
    while waiting:
        value = waiting.pop()
        op = None if value is None else trace.values[value].op
        if op is not None and op not in found:
            found.add(op)
            waiting += names.tensors(trace.ops[op])
    return found


class _Builder:
    """Makes the steps of one trace."""

    def __init__(self, trace: Trace, order: Order, build: bool) -> None:
        self._trace = trace
        self._order = order
        self._build = build
        self._input_place: dict[int, int] = {}
        self._node_place: dict[int, int] = {}
        self._steps: list[Step] = []
        self._stop_places: list[int] = []
        self._scenes: list[Scene] = []
        self._passes: dict[tuple[int, int], OpBackward] = {}
        self._gradients = _gradients(trace)
        self._leaves = {(each.number, each.value): each for each in trace.leaves}
        self._parts: Counter[tuple[int, int]] = Counter()
        self._value_place: dict[int, int] = {
            value.id: 0
            for value in trace.values
            if value.op is None or not is_shown(trace.ops[value.op])
        }
        self._sent: dict[tuple[int, int], list[Part]] = {}
        self._edge_place: dict[tuple[int, int, int], int] = {}
        self._sum_place: dict[tuple[int, int], int] = {}

    def walk(self) -> Walk:
        begun = 0
        for passed in self._trace.passes:
            ops = self._between(begun, passed.at)
            self._add_scene(passed.number, passed.root, ops)
            self._forward(ops)
            self._backward(passed)
            begun = passed.at
        rest = self._between(begun, None)
        if rest or not self._scenes:
            self._add_scene(0, self._trace.end.root, rest)
            self._forward(rest)
        return Walk(
            trace=self._trace,
            order=self._order,
            steps=tuple(self._steps),
            stops=tuple(self._stop_places),
            scenes=tuple(self._scenes),
            passes=self._passes,
            gradients=self._gradients,
            parts={key: tuple(found) for key, found in self._sent.items()},
            leaves=self._leaves,
            rules={(rule.op, rule.position): rule for rule in self._trace.rules},
            value_place=self._value_place,
            edge_place=self._edge_place,
            sum_place=self._sum_place,
            builds=self._build,
            input_place=self._input_place,
            node_place=self._node_place,
        )

    def _between(self, begun: int, ended: int | None) -> list[Op]:
        return [
            op
            for op in self._trace.ops
            if is_shown(op) and op.at >= begun and (ended is None or op.at < ended)
        ]

    def _add_scene(self, number: int, root: int | None, ops: Sequence[Op]) -> None:
        before = {
            op for op in ancestors(self._trace, root) if is_shown(self._trace.ops[op])
        }
        shown = sorted(before | {op.id for op in ops})
        self._scenes.append(Scene(number, root, tuple(shown)))

    def _forward(self, ops: Sequence[Op]) -> None:
        for op in ops:
            if self._build:
                self._build_up(op)
            value = op.outputs[0] if op.outputs else None
            self._add("forward", 0, op.id, value)
            for output in op.outputs:
                self._value_place[output] = len(self._steps)
            self._end_stop()
        if self._build and ops:
            last = ops[-1].outputs[0] if ops[-1].outputs else None
            root = self._scenes[-1].root
            self._add("whole", 0, None, last if root is None else root)
            self._end_stop()

    def _build_up(self, op: Op) -> None:
        """What is drawn before an op gives its value."""
        for value in names.tensors(op):
            made = self._trace.values[value].op
            is_new = value not in self._input_place
            is_made = made is not None and is_shown(self._trace.ops[made])
            if is_new and not is_made and is_input(self._trace, value):
                self._add("input", 0, None, value)
                self._input_place[value] = len(self._steps)
                self._end_stop()
        self._add("node", 0, op.id, None)
        self._node_place[op.id] = len(self._steps)

    def _backward(self, passed: Pass) -> None:
        ops = backward.merged(self._trace, passed.number)
        leaves = [each for each in self._trace.leaves if each.number == passed.number]
        self._parts = Counter(
            (passed.number, sent.to)
            for each in ops
            for sent in each.sent
            if sent.gradient is not None
        )
        self._waiting = Counter(self._parts)
        for each in ops:
            self._passes[passed.number, each.op] = each
        ordered = _engine_order(ops, leaves)
        if self._order == "slide":
            ordered = _slide_order(self._trace, ops, leaves)
        for event in ordered:
            if isinstance(event, LeafGradient):
                self._add("leaf", passed.number, None, event.value)
                key = passed.number, event.value
                self._sum_place.setdefault(key, len(self._steps))
            else:
                self._op_backward(event)
            self._end_stop()

    def _op_backward(self, op: OpBackward) -> None:
        self._add("arrive", op.number, op.op, op.of)
        self._sum_place.setdefault((op.number, op.of), len(self._steps))
        sent = [each for each in op.sent if each.gradient is not None]
        if sent:
            self._add("local", op.number, op.op, op.of)
        full = []
        for each in sent:
            self._add("contribute", op.number, op.op, each.to, each.position)
            place = len(self._steps)
            self._edge_place[op.number, op.op, each.position] = place
            key = op.number, each.to
            assert each.gradient is not None
            part = Part(op.op, each.position, each.gradient, place)
            self._sent.setdefault(key, []).append(part)
            self._waiting[key] -= 1
            if self._waiting[key] == 0:
                full.append(key)
        for number, value in full:
            if self._parts[number, value] > 1:
                self._add("accumulate", number, op.op, value)
            self._sum_place[number, value] = len(self._steps)

    def _add(
        self, kind: Kind, number: int, op: int | None, value: int | None,
        position: int = -1,
    ) -> None:  # fmt: skip
        stop, scene = len(self._stop_places), len(self._scenes) - 1
        self._steps.append(Step(kind, stop, scene, number, op, value, position))

    def _end_stop(self) -> None:
        self._stop_places.append(len(self._steps))


def _gradients(trace: Trace) -> dict[tuple[int, int], Summary]:
    found = {}
    for node in trace.nodes:
        for value, gradient in zip(node.of, node.upstream, strict=True):
            if value is not None and gradient is not None:
                found[node.number, value] = gradient
    for leaf in trace.leaves:
        found[leaf.number, leaf.value] = leaf.add
    return found


def _engine_order(
    ops: Sequence[OpBackward], leaves: Sequence[LeafGradient]
) -> list[OpBackward | LeafGradient]:
    return sorted([*ops, *leaves], key=lambda each: each.at)


def _slide_order(
    trace: Trace, ops: Sequence[OpBackward], leaves: Sequence[LeafGradient]
) -> list[OpBackward | LeafGradient]:
    """Depth first, the operand written first before the second; sums are waited for."""
    makers = {each.op: each for each in ops}
    targets: dict[int, list[int | str]] = {}
    keys: dict[int | str, OpBackward | LeafGradient] = {}
    for leaf in leaves:
        keys[f"leaf {trace.values[leaf.value].tensor}"] = leaf
    for op in ops:
        keys[op.op] = op
        targets[op.op] = list(dict.fromkeys(_keys(trace, op, makers)))
    waiting = Counter(key for found in targets.values() for key in found)
    stack: list[int | str] = [op.op for op in reversed(ops) if not waiting[op.op]]
    ordered = []
    while stack:
        key = stack.pop()
        if key in keys:
            ordered.append(keys.pop(key))
        ready = []
        for target in targets.get(key, []) if isinstance(key, int) else []:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
        stack += reversed(ready)
    return ordered + _engine_order(
        [each for each in keys.values() if isinstance(each, OpBackward)],
        [each for each in keys.values() if isinstance(each, LeafGradient)],
    )


def _keys(
    trace: Trace, op: OpBackward, makers: dict[int, OpBackward]
) -> Iterator[int | str]:
    for sent in op.sent:
        value = trace.values[sent.to]
        if value.op is not None and value.op in makers:
            yield value.op
        else:
            yield f"leaf {value.tensor}"
