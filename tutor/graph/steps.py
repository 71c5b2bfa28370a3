"""The walk over a trace: what happens at each step, in engine or slide order. Pure.

The steps are counted here, each is made when it is looked at; `walks` says what a walk is
and `passes` tells the steps of a backward pass.
"""

import bisect
from collections.abc import Callable, Iterator, Sequence

from tutor.graph import backward, names
from tutor.graph.backward import Groups
from tutor.graph.passes import Kind, Lazy, Part, PassWalk, Steps
from tutor.graph.passes import Order as Order
from tutor.graph.passes import Step as Step
from tutor.graph.trace import LeafGradient, Op, Pass, Summary, Trace
from tutor.graph.walks import WINDOW as WINDOW
from tutor.graph.walks import Scene as Scene
from tutor.graph.walks import Walk as Walk


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


class _Builder:
    """Counts the steps of one trace; each is made when it is looked at."""

    def __init__(self, trace: Trace, order: Order, build: bool) -> None:
        self._trace = trace
        self._order: Order = order
        self._build = build
        self._stops: list[int] = []
        self._scenes: list[Scene] = []
        self._makers: list[tuple[int, Callable[[int], tuple[Step, ...]]]] = []
        """From which stop on, and what makes the steps of a stop from there."""
        self._passes: dict[int, PassWalk] = {}
        self._pass_at: dict[int, PassWalk] = {}
        """By the first stop."""
        self._input_place: dict[int, int] = {}
        self._node_place: dict[int, int] = {}
        self._shown = [op for op in trace.ops if is_shown(op)]
        is_step = {op.id for op in self._shown}
        self._value_place: dict[int, int] = {
            value.id: 0
            for value in trace.values
            if value.op is None or value.op not in is_step
        }

    def walk(self) -> Walk:
        trace = self._trace
        groups = backward.grouped(trace)
        leaves: dict[int, list[LeafGradient]] = {}
        for leaf in trace.leaves:
            leaves.setdefault(leaf.number, []).append(leaf)
        begun = 0
        for passed in trace.passes:
            number = passed.number
            ended = bisect.bisect_left(self._shown, passed.at, begun, key=_at)
            self._forward(number, passed.root, begun, ended)
            self._backward(number, groups[number], leaves.get(number, []))
            if passed.error is not None:
                self._refuse(passed)
            begun = ended
        if begun < len(self._shown) or not self._scenes:
            self._forward(0, trace.end.root, begun, len(self._shown))
        passes = self._passes
        return Walk(
            trace=trace,
            order=self._order,
            steps=Steps(self._stops, self._made),
            stops=tuple(self._stops),
            scenes=tuple(self._scenes),
            passes=Lazy(
                lambda key: (
                    passes[key[0]].merged_or_none(key[1]) if key[0] in passes else None
                ),
                lambda: (
                    (number, op) for number in passes for op in passes[number].ops()
                ),
            ),
            gradients=_gradients(trace),
            parts=Lazy(self._parts, self._sent),
            leaves={(each.number, each.value): each for each in trace.leaves},
            rules={(rule.op, rule.position): rule for rule in trace.rules},
            value_place=self._value_place,
            edge_place=Lazy(self._edge_place, self._edges),
            sum_place=Lazy(self._sum_place, self._sums),
            leaf_place={
                (number, value): place
                for number, found in passes.items()
                for value, place in found.leaf_places()
            },
            seen=self._seen,
            builds=self._build,
            input_place=self._input_place,
            node_place=self._node_place,
        )

    # -- forward

    def _forward(self, number: int, root: int | None, begun: int, ended: int) -> None:
        """The ops from `begun` to `ended` of those that are shown; a new scene."""
        ops = self._shown[begun:ended]
        before = _recorded(self._trace, root, ops) if begun else []
        scene = Scene(number, root, (*before, *(op.id for op in ops)))
        self._scenes.append(scene)
        if self._build:
            self._build_up(ops)
            return
        place = self._place
        first = len(self._stops)
        for op in ops:
            place += 1
            for output in op.outputs:
                self._value_place[output] = place
        self._stops += range(place - len(ops) + 1, place + 1)
        where = len(self._scenes) - 1

        def made(stop: int) -> tuple[Step, ...]:
            op = ops[stop - first]
            value = op.outputs[0] if op.outputs else None
            return (Step("forward", stop, where, 0, op.id, value),)

        self._makers.append((first, made))

    def _build_up(self, ops: Sequence[Op]) -> None:
        """Inputs, boxes and values one after the other, at last the whole graph."""
        first, scene = len(self._stops), len(self._scenes) - 1
        found: list[tuple[Step, ...]] = []

        def add(*steps: tuple[Kind, int | None, int | None]) -> None:
            stop = len(self._stops)
            found.append(
                tuple(
                    Step(kind, stop, scene, 0, op, value) for kind, op, value in steps
                )
            )
            self._stops.append(self._place + len(steps))

        for op in ops:
            for value in names.tensors(op):
                if value not in self._input_place and self._comes_in(value):
                    add(("input", None, value))
                    self._input_place[value] = self._place
            given = op.outputs[0] if op.outputs else None
            add(("node", op.id, None), ("forward", op.id, given))
            self._node_place[op.id] = self._place - 1
            for output in op.outputs:
                self._value_place[output] = self._place
        if ops:
            last = ops[-1].outputs[0] if ops[-1].outputs else None
            root = self._scenes[-1].root
            add(("whole", None, last if root is None else root))
        self._makers.append((first, lambda stop: found[stop - first]))

    def _comes_in(self, value: int) -> bool:
        made = self._trace.values[value].op
        is_made = made is not None and is_shown(self._trace.ops[made])
        return not is_made and is_input(self._trace, value)

    # -- backward

    def _backward(
        self, number: int, groups: Groups, leaves: Sequence[LeafGradient]
    ) -> None:
        first, scene = len(self._stops), len(self._scenes) - 1
        found = PassWalk(
            self._trace, number, groups, leaves, self._order, scene, first, self._place
        )
        self._passes[number] = found
        self._pass_at[first] = found
        self._stops += found.ends
        self._makers.append((first, lambda stop: found.steps(stop - first)))

    def _refuse(self, passed: Pass) -> None:
        """A step for the error that a pass ended in, at what it began from."""
        first = len(self._stops)
        root = passed.root
        op = None if root is None else self._trace.values[root].op
        if op is not None and not is_shown(self._trace.ops[op]):
            op = None
        scene = len(self._scenes) - 1
        step = Step("refused", first, scene, passed.number, op, root)
        self._stops.append(self._place + 1)
        self._makers.append((first, lambda stop: (step,)))

    @property
    def _place(self) -> int:
        return self._stops[-1] if self._stops else 0

    # -- what is looked at

    def _seen(self) -> Iterator[tuple[bool, Sequence[Summary]]]:
        values = self._trace.values
        begun = [first for first, _ in self._makers]
        ends = [*begun[1:], len(self._stops)]
        for (first, made), end in zip(self._makers, ends, strict=True):
            found = self._pass_at.get(first)
            if found is not None:
                for gradient in found.seen():
                    yield True, (gradient,)
                continue
            for stop in range(first, end):
                step = made(stop)[-1]
                outputs = () if step.op is None else self._trace.ops[step.op].outputs
                yield False, [values[output].summary for output in outputs]

    def _made(self, stop: int) -> tuple[Step, ...]:
        found = bisect.bisect_right(self._makers, stop, key=_first) - 1
        return self._makers[found][1](stop)

    def _parts(self, key: tuple[int, int]) -> tuple[Part, ...] | None:
        number, value = key
        return (
            self._passes[number].parts(value) or None
            if number in self._passes
            else None
        )

    def _sent(self) -> Iterator[tuple[int, int]]:
        for number, found in self._passes.items():
            for value in found.values():
                yield number, value

    def _edge_place(self, key: tuple[int, int, int]) -> int | None:
        number, op, position = key
        found = self._passes.get(number)
        return None if found is None else found.edge_place(op, position)

    def _edges(self) -> Iterator[tuple[int, int, int]]:
        for number, found in self._passes.items():
            for op in found.ops():
                for each in found.merged(op).sent:
                    if each.gradient is not None:
                        yield number, op, each.position

    def _sum_place(self, key: tuple[int, int]) -> int | None:
        number, value = key
        found = self._passes.get(number)
        return None if found is None else found.sum_place(value)

    def _sums(self) -> Iterator[tuple[int, int]]:
        for number, found in self._passes.items():
            for value in found.summed():
                yield number, value


def _at(op: Op) -> int:
    return op.at


def _first(pair: tuple[int, object]) -> int:
    return pair[0]


def _recorded(trace: Trace, root: int | None, ops: Sequence[Op]) -> list[int]:
    """The shown ops before `ops` that the gradient of `root` goes through."""
    before = ops[0].id if ops else len(trace.ops)
    found: set[int] = set()
    seen: set[int] = set()
    waiting = [] if root is None else [root]
    while waiting:
        value = trace.values[waiting.pop()]
        # What was written under no_grad, like an optimiser's update, is a new leaf.
        if value.op is None or value.is_leaf or not value.requires_grad:
            continue
        if value.op not in seen:
            seen.add(value.op)
            op = trace.ops[value.op]
            waiting += names.tensors(op)
            if value.op < before and is_shown(op):
                found.add(value.op)
    return sorted(found)


def _gradients(trace: Trace) -> dict[tuple[int, int], Summary]:
    found = {}
    for node in trace.nodes:
        for value, gradient in zip(node.of, node.upstream, strict=True):
            if value is not None and gradient is not None:
                found[node.number, value] = gradient
    for leaf in trace.leaves:
        found[leaf.number, leaf.value] = leaf.add
    return found
