"""Finding a place of the walk: by name, op, line, module or leaf; and who reads what.
Pure.
"""

import bisect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.graph import names
from tutor.graph.steps import Step, Walk
from tutor.graph.trace import Op

_LIMIT = 200
_LINE = re.compile(r"(?:line\s*)?(\d+)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A place, and what happens there."""

    place: int
    text: str
    """Like "line 12  q = x ** 2"."""


def search(walk: Walk, text: str) -> tuple[Found, ...]:
    """The places that a text means, the best first; at most 200.

    A text is a name ("q", "net.0.weight"), an op ("*", "mul"), a line ("line 12",
    "12"), a module ("net.0") or a piece of the code.
    """
    wanted = text.strip()
    if not wanted:
        return ()
    ranked: list[tuple[int, int, int | Op]] = []
    for op in walk.trace.ops:
        place = place_of(walk, op)
        if place and (rank := _rank(walk, op, wanted)) is not None:
            ranked.append((rank, place, op))
    for (_, value), place in walk.leaf_place.items():
        rank = _name_rank(names.name(walk.trace, value), wanted)
        if rank is not None:
            ranked.append((rank, place, value))
    ranked.sort(key=lambda each: each[:2])
    return tuple(_found(walk, place, what) for _, place, what in ranked[:_LIMIT])


def producers(walk: Walk, place: int) -> tuple[Found, ...]:
    """Where the inputs of the op under way were made; backward: who sent the gradient
    in front."""
    step = walk.step(place)
    if step is not None and step.number and step.kind != "refused":
        return tuple(_senders(walk, step))
    if step is None or step.op is None:
        return ()
    made = [walk.trace.values[each].op for each in names.tensors(_op(walk, step.op))]
    return tuple(_stops_of(walk, made, step.number))


def producer(walk: Walk, place: int) -> Found | None:
    """The first of the producers; None where there is none."""
    found = producers(walk, place)
    return found[0] if found else None


def consumers(walk: Walk, place: int) -> tuple[Found, ...]:
    """Where the result of the op under way is read, at an input where that is;
    backward: where what it sends arrives."""
    step = walk.step(place)
    if step is None:
        return ()
    if step.number and step.kind != "refused":
        return tuple(_receivers(walk, step))
    if step.op is not None:
        values = set(_op(walk, step.op).outputs)
    else:
        values = set() if step.value is None else {step.value}
    readers = [
        op.id for op in walk.trace.ops if not values.isdisjoint(names.tensors(op))
    ]
    return tuple(_stops_of(walk, readers, step.number))


def _senders(walk: Walk, step: Step) -> Iterator[Found]:
    """The edges whose shares make up the gradient in front."""
    value = step.value
    if step.op is not None:
        value = walk.passes[step.number, step.op].of
    if value is not None:
        for part in walk.parts.get((step.number, value), ()):
            yield _found(walk, part.place, _op(walk, part.op))


def _receivers(walk: Walk, step: Step) -> Iterator[Found]:
    """The stops at which the op's shares arrive."""
    if step.op is None:
        return
    for sent in walk.passes[step.number, step.op].sent:
        place = None
        if sent.gradient is not None:
            place = _arrival(walk, step.number, sent.to)
        if place is not None:
            at = walk.steps[place - 1]
            what = sent.to if at.op is None else _op(walk, at.op)
            yield _found(walk, place, what)


def _arrival(walk: Walk, number: int, value: int) -> int | None:
    """The first place of the stop at which a gradient arrives that was sent to a value."""
    complete = walk.sum_place.get((number, value))
    if complete is None:
        return None
    found = walk.trace.values[value]
    for stop in range(bisect.bisect_left(walk.stops, complete), len(walk.stops) - 1):
        step = walk.steps[walk.stops[stop]]
        if step.number != number:
            return None
        if step.kind == "leaf" and step.value is not None:
            if walk.trace.values[step.value].tensor == found.tensor:
                return walk.stops[stop] + 1
        elif step.op is not None and step.op == found.op:
            return walk.stops[stop] + 1
    return None


def _stops_of(walk: Walk, ops: Sequence[int | None], number: int) -> Iterator[Found]:
    for op in dict.fromkeys(ops):
        if op is None or not walk.trace.ops[op].outputs:
            continue
        place = None
        if number and (number, op) in walk.passes:
            of = walk.passes[number, op].of
            place = walk.sum_place.get((number, of))
        if place is None:
            place = walk.value_place.get(walk.trace.ops[op].outputs[0])
        if place:
            yield _found(walk, place, walk.trace.ops[op])


def place_of(walk: Walk, op: Op) -> int | None:
    """The place at which an op was computed, or raised; None: it is no step."""
    if op.outputs:
        return walk.value_place.get(op.outputs[0])
    if op.error is None:
        return None
    return next(
        (place for place, step in enumerate(walk.steps, 1) if step.op == op.id), None
    )


def _op(walk: Walk, op: int) -> Op:
    return walk.trace.ops[op]


def _rank(walk: Walk, op: Op, wanted: str) -> int | None:
    """0 is best; None: it does not fit."""
    line = _LINE.match(wanted)
    if line is not None:
        at = int(line[1])
        span = op.source
        if span is not None and span.line <= at <= span.end_line:
            return 0
        return None
    low = wanted.lower()
    ranks = [
        rank
        for output in op.outputs
        if (name := walk.trace.values[output].name) is not None
        and (rank := _name_rank(name, wanted)) is not None
    ]
    if low in (op.symbol.lower(), op.function.lower()):
        ranks.append(1)
    if op.module and (op.module == wanted or op.module.startswith(f"{wanted}.")):
        ranks.append(3)
    if low in op.function.lower() or low in op.module.lower():
        ranks.append(5)
    if low in op.label.lower():
        ranks.append(6)
    return min(ranks, default=None)


def _name_rank(name: str, wanted: str) -> int | None:
    if name == wanted:
        return 0
    if name.lower().startswith(wanted.lower()):
        return 2
    return 4 if wanted.lower() in name.lower() else None


def _found(walk: Walk, place: int, what: int | Op) -> Found:
    if isinstance(what, Op):
        line = f"line {what.source.line}  " if what.source is not None else ""
        return Found(place, line + names.statement(walk.trace, what))
    name = names.name(walk.trace, what)
    step = walk.step(place)
    passed = f" of pass {step.number}" if step is not None and step.number > 1 else ""
    return Found(place, f"leaf  {name}.grad{passed}")
