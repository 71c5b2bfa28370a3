"""Two traces beside each other: which ops belong together, and what differs first. Pure."""

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from tutor.graph import names, numbers
from tutor.graph.causes import begun, code, quoted
from tutor.graph.causes import line as line_of
from tutor.graph.steps import is_shown
from tutor.graph.trace import Op, Summary, Trace

_LISTED = 4
_ROOM = 24


@dataclass(frozen=True, slots=True)
class Difference:
    """The first value that came out differently."""

    old: int
    """The value in the old trace."""
    new: int
    """And in the new one."""
    op: int | None
    """Of the new trace; None: a leaf."""
    line: int | None
    text: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A new trace beside an old one."""

    changed_values: frozenset[int]
    """Values of the new trace that hold other numbers."""
    changed_gradients: frozenset[int]
    """Values of the new trace whose last gradient is another."""
    first: Difference | None
    """None: what belongs together is equal."""
    lines: tuple[str, ...]
    """A short report."""
    only_old: tuple[int, ...]
    """Ops of the old trace that nothing in the new one belongs to."""
    only_new: tuple[int, ...]


def compare(old: Trace, new: Trace) -> Comparison:
    """Put two traces side by side: of one code with other leaves, or of two versions.

    Ops belong together by module, function and occurrence, after the beginning and the
    end that both have in common; leaves by their names.
    """
    pairs = _pairs(old, new)
    values = _values(old, new, pairs)
    changed = {
        mine
        for theirs, mine in values
        if not _equal(old.values[theirs].summary, new.values[mine].summary)
    }
    gradients = frozenset(_changed_gradients(old, new, values))
    first = next(
        (_difference(old, new, *pair) for pair in values if pair[1] in changed), None
    )
    matched_old, matched_new = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    only_old = tuple(op for op in _shown(old) if op not in matched_old)
    only_new = tuple(op for op in _shown(new) if op not in matched_new)
    found = Comparison(frozenset(changed), gradients, first, (), only_old, only_new)
    return replace(found, lines=tuple(_report(old, new, values, found)))


# ------------------------------------------------------------------ what belongs together


def _shown(trace: Trace) -> list[int]:
    return [op.id for op in trace.ops if is_shown(op)]


def _key(op: Op) -> Hashable:
    return op.module, op.function


def _pairs(old: Trace, new: Trace) -> list[tuple[int, int]]:
    """Ops that belong together, in the order of the new trace."""
    before, after = _shown(old), _shown(new)
    head = _common(
        [_key(old.ops[op]) for op in before], [_key(new.ops[op]) for op in after]
    )
    rest_before, rest_after = before[head:], after[head:]
    tail = _common(
        [_key(old.ops[op]) for op in reversed(rest_before)],
        [_key(new.ops[op]) for op in reversed(rest_after)],
    )
    middle_before = rest_before[: len(rest_before) - tail]
    middle_after = rest_after[: len(rest_after) - tail]
    by_occurrence = dict(_numbered(old, middle_before))
    pairs = list(zip(before[:head], after[:head], strict=True))
    pairs += [
        (by_occurrence[key], op)
        for key, op in _numbered(new, middle_after)
        if key in by_occurrence
    ]
    if tail:
        pairs += zip(rest_before[-tail:], rest_after[-tail:], strict=True)
    return pairs


def _common(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """How long they are alike from the beginning."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def _numbered(trace: Trace, ops: Sequence[int]) -> Iterator[tuple[Hashable, int]]:
    """Each op with what it is and which one of these it is."""
    seen: Counter[Hashable] = Counter()
    for op in ops:
        key = _key(trace.ops[op])
        seen[key] += 1
        yield (key, seen[key]), op


def _values(
    old: Trace, new: Trace, pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Values that belong together: leaves by name first, then results in order."""
    named = _leaves(old)
    found = [
        (named[name], value) for name, value in _leaves(new).items() if name in named
    ]
    for theirs, mine in pairs:
        found += zip(old.ops[theirs].outputs, new.ops[mine].outputs, strict=False)
    return found


def _leaves(trace: Trace) -> dict[str, int]:
    """What was there before any shown op, by its first name."""
    found: dict[str, int] = {}
    for value in trace.values:
        made = None if value.op is None else trace.ops[value.op]
        if value.name is not None and (made is None or not is_shown(made)):
            found.setdefault(value.name, value.id)
    return found


# -------------------------------------------------------------------------- what differs


def _equal(first: Summary, second: Summary) -> bool:
    """Whether two tensors look alike, nan equal to nan."""
    if first == second:
        return True
    if (first.shape, first.dtype) != (second.shape, second.dtype):
        return False
    ours = (first.low, first.high, first.mean, first.nonfinite)
    theirs = (second.low, second.high, second.mean, second.nonfinite)
    pairs = [*zip(ours, theirs, strict=True)]
    for one, other in (
        (first.values or (), second.values or ()),
        (first.head, second.head),
    ):
        if len(one) != len(other):
            return False
        pairs += zip(one, other, strict=True)
    return all(_same(one, other) for one, other in pairs)


def _same(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return first == second or (math.isnan(first) and math.isnan(second))


def _changed_gradients(
    old: Trace, new: Trace, values: Sequence[tuple[int, int]]
) -> Iterator[int]:
    before, after = _gradients(old), _gradients(new)
    for theirs, mine in values:
        one, other = before.get(theirs), after.get(mine)
        if one is None or other is None:
            if one is not other:
                yield mine
        elif not _equal(one, other):
            yield mine


def _gradients(trace: Trace) -> dict[int, Summary]:
    """By value, what arrived last; for a leaf by its first value."""
    first: dict[int, int] = {}
    for value in trace.values:
        first.setdefault(value.tensor, value.id)
    found = {
        value: gradient
        for node in trace.nodes
        for value, gradient in zip(node.of, node.upstream, strict=True)
        if value is not None and gradient is not None
    }
    for leaf in trace.leaves:
        found[first[trace.values[leaf.value].tensor]] = leaf.after
        found[leaf.value] = leaf.after
    return found


def _difference(old: Trace, new: Trace, theirs: int, mine: int) -> Difference:
    value = new.values[mine]
    op = None if value.op is None else new.ops[value.op]
    before, after = _short(old.values[theirs].summary), _short(value.summary)
    line = None if op is None else line_of(op)
    if op is None or not is_shown(op):
        text = f"{begun(line)}{names.name(new, mine)} is {after}, and was {before}."
    else:
        text = f"{begun(line)}{code(new, op)} gives {after}, and gave {before}."
    return Difference(theirs, mine, value.op, line, text)


def _short(summary: Summary) -> str:
    return numbers.tensor(summary, _ROOM)


def _report(
    old: Trace, new: Trace, values: Sequence[tuple[int, int]], found: Comparison
) -> Iterator[str]:
    if found.first is not None:
        yield f"First difference: {found.first.text}"
        count = len(found.changed_values)
        yield f"{count} {'value differs' if count == 1 else 'values differ'} in all."
        others = [pair for pair in values if pair[1] in found.changed_values][1:]
        for pair in others[:_LISTED]:
            yield f"  {_difference(old, new, *pair).text}"
        if len(others) > _LISTED:
            yield f"  and {len(others) - _LISTED} more"
    leaves = [
        (theirs, mine)
        for theirs, mine in values
        if mine in found.changed_gradients and new.values[mine].is_leaf
    ]
    before, after = _gradients(old), _gradients(new)
    for theirs, mine in leaves[:_LISTED]:
        was, now = _or_none(before.get(theirs)), _or_none(after.get(mine))
        yield f"{names.name(new, mine)}.grad is {now}, and was {was}."
    if len(leaves) > _LISTED:
        yield f"{len(leaves) - _LISTED} more leaves have another gradient."
    yield from _alone(old, found.only_old, "Only in the old code")
    yield from _alone(new, found.only_new, "Only in the new code")
    was, now = _ended(old), _ended(new)
    if was != now:
        yield f"The old run {was}; the new run {now}."
    if not (found.first or found.changed_gradients or found.only_old or found.only_new):
        yield "Nothing differs."


def _alone(trace: Trace, ops: Sequence[int], what: str) -> Iterator[str]:
    for op in ops[:_LISTED]:
        statement = names.statement(trace, trace.ops[op])
        place = line_of(trace.ops[op])
        where = "" if place is None else f", line {place}"
        yield f"{what}{where}: {quoted(statement)}."
    if len(ops) > _LISTED:
        yield f"{what}: {len(ops) - _LISTED} more ops."


def _ended(trace: Trace) -> str:
    if trace.fault is None:
        return "came to its end"
    return f"stopped with {quoted(trace.fault.text)}"


def _or_none(gradient: Summary | None) -> str:
    return "None" if gradient is None else _short(gradient)
