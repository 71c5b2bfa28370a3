"""The steps of one backward pass, counted at once and told when they are asked for. Pure.

A pass over 10 000 ops has 40 000 steps of which a learner looks at a few; what is needed
of all of them is only how many there are at each stop.
"""

import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar, overload

from tutor.graph import backward
from tutor.graph import order as order_of
from tutor.graph.backward import Groups, OpBackward
from tutor.graph.trace import BackwardNode, LeafGradient, Summary, Trace

_KEPT = 512
"""Stops whose steps are kept."""

Order = Literal["engine", "slide"]
Kind = Literal[
    "input", "node", "forward", "whole",
    "arrive", "local", "contribute", "accumulate", "leaf", "refused",
]  # fmt: skip
"""input, node and whole are steps of a walk that builds the graph up; refused ends a
pass that raised."""


class Step(NamedTuple):
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


class Part(NamedTuple):
    """One edge's share of a gradient."""

    op: int
    position: int
    gradient: Summary
    place: int
    """At which it was sent."""


class PassWalk:
    """One pass in its order; its first stop and place are given."""

    def __init__(
        self,
        trace: Trace,
        number: int,
        groups: Groups,
        leaves: Sequence[LeafGradient],
        order: Order,
        scene: int,
        first_stop: int,
        first_place: int,
    ) -> None:
        self._trace = trace
        self._groups = {op: each for op, each in groups.items() if _arrived(each)}
        self._number = number
        self._scene = scene
        self._first_stop = first_stop
        self._merged: dict[int, OpBackward] = {}
        self.events = self._ordered(order, leaves)
        """Op numbers and leaves, one a stop."""
        self._senders: dict[int, list[int]] = {}
        self.ends: list[int] = []
        """The place at which each stop is complete."""
        self._begin = first_place
        self._count(first_place)
        self._stop_of = {
            event: index
            for index, event in enumerate(self.events)
            if isinstance(event, int)
        }
        self._leaf_of = {
            event.value: index
            for index, event in enumerate(self.events)
            if isinstance(event, LeafGradient)
        }

    def _ordered(
        self, order: Order, leaves: Sequence[LeafGradient]
    ) -> list[int | LeafGradient]:
        if order == "slide":
            ops = [self.merged(op) for op in self._groups]
            found = order_of.slide(self._trace, ops, leaves)
            return [
                each if isinstance(each, LeafGradient) else each.op for each in found
            ]
        events = [(nodes[0].at, op) for op, nodes in self._groups.items()]
        by_time: list[tuple[int, int | LeafGradient]] = [*events]
        by_time += [(leaf.at, leaf) for leaf in leaves]
        by_time.sort(key=_first)
        return [event for _, event in by_time]

    def _count(self, place: int) -> None:
        """How many steps each stop has, and who sends to which value."""
        senders = self._senders
        counts: list[int] = []
        at: dict[int, int] = {}
        for event in self.events:
            count = 1
            if isinstance(event, int):
                at[event] = len(counts)
                sent = [
                    edge.to
                    for node in self._groups[event]
                    for edge in node.contributions
                    if edge.to is not None and edge.gradient is not None
                ]
                for to in sent:
                    senders.setdefault(to, []).append(event)
                if sent:
                    count += 1 + len(sent)  # the local derivatives are one step
            counts.append(count)
        for ops in senders.values():
            if len(ops) > 1:
                counts[at[ops[-1]]] += 1
        for count in counts:
            place += count
            self.ends.append(place)

    # ------------------------------------------------------------ when it is asked for

    def ops(self) -> Sequence[int]:
        """The ops that a gradient came to, in the order of the walk."""
        return [event for event in self.events if isinstance(event, int)]

    def values(self) -> Sequence[int]:
        """The values that something was sent to."""
        return list(self._senders)

    def summed(self) -> Iterable[int]:
        """The values that have a gradient at some place."""
        first = [self.merged(op).of for op in self.ops()]
        return dict.fromkeys([*self._senders, *first, *self._leaf_of])

    def merged_or_none(self, op: int) -> OpBackward | None:
        """As `merged`; None where no gradient came to the op."""
        return self.merged(op) if op in self._groups else None

    def merged(self, op: int) -> OpBackward:
        """An op's nodes as one."""
        found = self._merged.get(op)
        if found is None:
            found = backward.merge(self._trace, op, self._groups[op])
            assert found is not None
            self._merged[op] = found
        return found

    def seen(self) -> Iterator[Summary]:
        """The gradient that arrived at each stop."""
        for event in self.events:
            if isinstance(event, LeafGradient):
                yield event.add
            else:
                found = _arrived(self._groups[event])
                assert found is not None
                yield found

    def steps(self, index: int) -> tuple[Step, ...]:
        """The steps of a stop of this pass, counted from its first."""
        event = self.events[index]
        stop = self._first_stop + index
        if isinstance(event, LeafGradient):
            leaf = Step("leaf", stop, self._scene, self._number, None, event.value)
            return (leaf,)
        merged = self.merged(event)
        where = stop, self._scene, self._number, event
        found = [Step("arrive", *where, merged.of)]
        sent = [each for each in merged.sent if each.gradient is not None]
        if sent:
            found.append(Step("local", *where, merged.of))
        found += [Step("contribute", *where, each.to, each.position) for each in sent]
        found += [Step("accumulate", *where, to) for to in self._full(event, merged)]
        return tuple(found)

    def _full(self, op: int, merged: OpBackward) -> list[int]:
        """The values that are added up here: the last of several parts came."""
        last = {
            sent.to: place
            for place, sent in enumerate(merged.sent)
            if sent.gradient is not None
        }
        ready = [to for to in last if self._is_last(op, to) and self._is_sum(to)]
        return sorted(ready, key=lambda to: last[to])

    def _is_last(self, op: int, value: int) -> bool:
        return self._senders[value][-1] == op

    def _is_sum(self, value: int) -> bool:
        return len(self._senders[value]) > 1

    def leaf_places(self) -> Iterator[tuple[int, int]]:
        """Each leaf's value, and the place at which its `.grad` has changed."""
        for value, index in self._leaf_of.items():
            yield value, self.ends[index]

    def parts(self, value: int) -> tuple[Part, ...]:
        """What was sent to a value, in the order of the walk."""
        found = []
        for op in dict.fromkeys(self._senders.get(value, ())):
            for each in self.merged(op).sent:
                if each.to == value and each.gradient is not None:
                    place = self.edge_place(op, each.position)
                    assert place is not None
                    found.append(Part(op, each.position, each.gradient, place))
        return tuple(found)

    def edge_place(self, op: int, position: int) -> int | None:
        """From which place on an edge has sent; None: it never does."""
        if op not in self._stop_of:
            return None
        index = self._stop_of[op]
        sent = [each for each in self.merged(op).sent if each.gradient is not None]
        for count, each in enumerate(sent):
            if each.position == position:
                return self._start(index) + 3 + count
        return None

    def sum_place(self, value: int) -> int | None:
        """From which place on a value's gradient is complete; None: it gets none."""
        if value in self._senders:
            last = self._senders[value][-1]
            merged = self.merged(last)
            full = self._full(last, merged)
            if value in full:
                end = self.ends[self._stop_of[last]]
                return end - len(full) + 1 + full.index(value)
            return self.edge_place(last, self._position(merged, value))
        if value in self._leaf_of:
            return self.ends[self._leaf_of[value]]
        op = self._trace.values[value].op
        if op is None or op not in self._stop_of or self.merged(op).of != value:
            return None
        return self._start(self._stop_of[op]) + 1

    def _position(self, merged: OpBackward, value: int) -> int:
        return next(
            each.position
            for each in merged.sent
            if each.to == value and each.gradient is not None
        )

    def _start(self, index: int) -> int:
        return self.ends[index - 1] if index else self._begin


Key = TypeVar("Key")
Item = TypeVar("Item")


class Lazy(Mapping[Key, Item]):
    """A dict whose items are made when they are asked for, and kept."""

    def __init__(
        self,
        make: Callable[[Key], Item | None],
        keys: Callable[[], Iterable[Key]],
    ) -> None:
        self._make = make
        self._keys = keys
        self._made: dict[Key, Item | None] = {}

    def __getitem__(self, key: Key) -> Item:
        if key not in self._made:
            self._made[key] = self._make(key)
        found = self._made[key]
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys())

    def __len__(self) -> int:
        return sum(1 for _ in self._keys())


class Steps(Sequence[Step]):
    """All steps of a walk, made a stop at a time."""

    def __init__(
        self, stops: Sequence[int], make: Callable[[int], tuple[Step, ...]]
    ) -> None:
        self._stops = stops
        self._make = make
        self._kept: dict[int, tuple[Step, ...]] = {}

    def __len__(self) -> int:
        return self._stops[-1] if self._stops else 0

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Step, ...]: ...
    def __getitem__(self, index: int | slice) -> Step | tuple[Step, ...]:
        if isinstance(index, slice):
            return tuple(self[each] for each in range(*index.indices(len(self))))
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError("no such step")
        stop = bisect.bisect_right(self._stops, index)
        return self._at(stop)[index - self._stops[stop]]

    def __iter__(self) -> Iterator[Step]:
        for stop in range(len(self._stops)):
            yield from self._make(stop)

    def _at(self, stop: int) -> tuple[Step, ...]:
        if stop not in self._kept:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[stop] = self._make(stop)
        return self._kept[stop]


def _first(pair: tuple[int, object]) -> int:
    return pair[0]


def _arrived(nodes: Iterable[BackwardNode]) -> Summary | None:
    """The first gradient that came to one of an op's values."""
    for node in nodes:
        for of, upstream in zip(node.of, node.upstream, strict=True):
            if of is not None and upstream is not None:
                return upstream
    return None
