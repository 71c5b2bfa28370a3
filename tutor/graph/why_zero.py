"""Why a gradient is zero: every place where nothing goes on, or what cancels out. Pure."""

import math
from collections.abc import Iterator
from dataclasses import replace

from tutor.graph import (
    causes,
    code,
    cuts,
    history,
    names,
    nonfinite,
    numbers,
    slopes,
    zeros,
)
from tutor.graph.backward import OpBackward
from tutor.graph.causes import Answer, Cause, begun, distinct, listed, of_op, of_source
from tutor.graph.causes import line as line_of
from tutor.graph.grads import set_to_zero
from tutor.graph.history import Flow, History, Share
from tutor.graph.trace import Op, Summary, Trace

_WORDS = {
    "overflow": "a value of the forward pass overflowed to infinity",
    "infinite": "a value of the forward pass is infinite",
    "dead relu": "a relu lets nothing through",
    "saturated": "a saturated function has no slope",
    "times zero": "it is multiplied by 0",
    "clamp": "it lies outside of a clamp's limits",
    "not taken": "another number was taken",
    "cancel": "shares cancel out",
    "step": "a staircase function has no slope",
    "flat": "the slope is 0 at this point",
    "dropout": "dropout left it out",
    "overwritten": "it was overwritten",
    "underflow": "the product is too small for the dtype",
    "start": "the backward pass began with 0",
    "hook": "a hook made it 0",
    "cleared": "it was set to 0 after backward()",
}
_ADVICE = {
    "overflow": "Keep the numbers of the forward pass smaller, or use a wider dtype.",
    "infinite": "Keep the numbers of the forward pass finite.",
    "dead relu": "Try another start, a smaller step, or leaky_relu.",
    "saturated": "Scale the input down, so that it stays near 0.",
    "times zero": "Look at why that factor is 0.",
    "clamp": "Widen the limits, or start inside of them.",
    "step": "Use a function with a slope in its place.",
    "overwritten": "Write into a new tensor where the old one should count.",
    "underflow": "Use float64, or scale the loss up.",
    "start": "Begin with another gradient than 0.",
    "cleared": "Read .grad before it is set to 0.",
    "not taken": "Nothing is wrong if another input should win; else use a soft choice.",
    "cancel": "Look at whether these parts should work against each other.",
    "flat": "Start from another point: at this one the slope is 0.",
    "dropout": "Lower the dropout's p, or call eval().",
    "hook": "Remove the hook, if it should not change the gradient.",
}
_CUT_KINDS = ("detach", "data", "no_grad", "copy", "item", "float", "tolist", "numpy")
_AT_INFINITY = ("flat", "saturated", "clamp", "dead relu")
_SINGLE = ("mul", "div", "rdiv")
"""Ops with one product for each element: there is no sum that could cancel."""
_DEPTH = 2000
"""Values looked at for one answer."""


def why_zero(trace: Trace, value: int) -> Answer:
    """Why the gradient of a value is zero, or some of its elements; or that it is not."""
    known = history.history(trace)
    name = names.name(trace, value)
    question = f"Why is {name}.grad zero?"
    found = _asked(known, value)
    if found is None:
        return Answer(question, f"{name} got no gradient, not even 0.", (), "")
    number, gradient = found
    told = tuple(set_to_zero(known, value))
    partly = zeros.zeros(gradient)
    if not told:
        if not zeros.is_zero(gradient) and not partly:
            shown = numbers.tensor(gradient)
            return Answer(question, f"{name}.grad is not 0: it is {shown}.", (), "")
        told = _causes(known, value, number, partly)
    kinds = dict.fromkeys(each.kind for each in told)
    if "overflow" in kinds or "infinite" in kinds:
        kinds.pop("flat", None)
    words = [_WORDS[kind] for kind in kinds if kind in _WORDS]
    how_many = "0"
    if partly and gradient.values and not zeros.is_zero(gradient):
        how_many = f"0 at {len(partly)} of {len(gradient.values)} elements"
    some = ""
    if len(told) > 1 and all(each.partly for each in told):
        some = ", each at some of the elements"
    reason = f": {listed(words)}{some}." if words else "."
    advice = next((_ADVICE[kind] for kind in kinds if kind in _ADVICE), "")
    return Answer(question, f"{name}.grad is {how_many}{reason}", told, advice)


def _asked(known: History, value: int) -> tuple[int, Summary] | None:
    """The last pass that brought a gradient, and what `.grad` held after it."""
    grown = known.gradients(value)
    if grown:
        return grown[-1].number, grown[-1].after
    for passed in reversed(known.trace.passes):
        found = history.flow(known.trace, passed.number).gradients.get(value)
        if found is not None:
            return passed.number, found
    return None


def _causes(
    known: History, value: int, number: int, partly: frozenset[int] | None
) -> tuple[Cause, ...]:
    trace = known.trace
    grown = [each for each in known.gradients(value) if each.number <= number]
    if grown and not zeros.is_zero(grown[-1].add, partly):
        return tuple(_accumulated(known, value))
    search = _Search(known, history.flow(trace, number))
    found = list(search.of(known.siblings(value), partly))
    if partly is None and trace.values[value].is_leaf:
        root = trace.passes[number - 1].root
        broken = cuts.broken(known, value, [] if root is None else [root])
        found += [each for each in broken if each.kind in _CUT_KINDS]
    found += list(_infinite(trace, found))
    return distinct(sorted(found, key=lambda each: (each.op is None, each.op)))


def _infinite(trace: Trace, found: list[Cause]) -> Iterator[Cause]:
    """Where the infinity came from at which a slope is 0."""
    for each in found:
        if each.op is None or each.kind not in _AT_INFINITY:
            continue
        for given in names.tensors(trace.ops[each.op]):
            first = nonfinite.origin(trace, given)
            if first is not None:
                is_larger = nonfinite.LARGER in first.text
                yield replace(first, kind="overflow" if is_larger else "infinite")


def _accumulated(known: History, value: int) -> Iterator[Cause]:
    """Several passes whose gradients add up to 0."""
    trace = known.trace
    for each in known.gradients(value):
        passed = trace.passes[each.number - 1]
        shown = numbers.tensor(each.add, 24)
        says = f"begins pass {each.number}, which adds {shown}; all together make 0."
        made = None if passed.root is None else trace.values[passed.root].op
        if made is not None:
            yield of_op(trace, trace.ops[made], "cancel", says, value)
        else:
            yield of_source(passed.source, "cancel", f"a call {says}")


class _Search:
    """From a gradient that is zero to where it became so."""

    def __init__(self, known: History, flow: Flow) -> None:
        self._known = known
        self._trace = known.trace
        self._flow = flow
        self._seen: set[tuple[int, frozenset[int] | None]] = set()

    def of(self, values: list[int], elements: frozenset[int] | None) -> Iterator[Cause]:
        """Why the gradient of a value is zero there; `values` are one tensor's moments."""
        waiting = [(values, elements)]
        while waiting and len(self._seen) < _DEPTH:
            values, elements = waiting.pop(0)
            key = values[0], elements
            if key in self._seen:
                continue
            self._seen.add(key)
            shares = [
                (each, share)
                for each in values
                for share in self._flow.shares.get(each, ())
            ]
            if not shares:
                yield from self._begun_with_zero(values[0])
                continue
            full = [
                (each, share)
                for each, share in shares
                if not zeros.is_zero(share.gradient, elements)
            ]
            if full:
                yield from self._cancelled(full)
            for each, share in shares:
                if (each, share) in full:
                    continue
                told, further = self._stopped(share, elements)
                yield from told
                waiting += further

    def _begun_with_zero(self, value: int) -> Iterator[Cause]:
        passed = self._trace.passes[self._flow.number - 1]
        if passed.root is None or value != passed.root:
            return
        name = names.name(self._trace, value)
        place = None if passed.source is None else passed.source.line
        calls = code.method_calls(self._trace.end.code, "backward")
        mine = [call.line for call in calls if call.receiver == name]
        if place is None and mine:
            place = mine[-1]
        where = f"backward() begins at {name} with a gradient of 0."
        yield Cause("start", f"{begun(place)}{where}", place, None, value)

    def _cancelled(self, full: list[tuple[int, Share]]) -> Iterator[Cause]:
        """Shares that are not zero, but their sum is."""
        trace = self._trace
        if len(full) == 1:
            value, share = full[0]
            op = trace.ops[share.op]
            name = names.name(trace, value)
            for call in code.method_calls(trace.end.code, "register_hook"):
                if call.receiver == name:
                    says = f"Line {call.line}: {causes.quoted(call.text)} makes it 0."
                    yield Cause("hook", says, call.line, None, value)
                    return
            says = f"sends {_short(share.gradient)}, but a hook made it 0."
            yield of_op(trace, op, "hook", says, value)
            return
        for op_id in dict.fromkeys(share.op for _, share in full):
            op = trace.ops[op_id]
            mine = [share for _, share in full if share.op == op_id]
            sent = listed([_short(share.gradient) for share in mine])
            name = names.name(trace, full[0][0])
            if len(mine) == len(full):
                says = f"sends {sent} to {name}, which add up to 0."
            else:
                rest = listed(
                    [
                        f"{_short(share.gradient)} from {self._place(share)}"
                        for _, share in full
                        if share.op != op_id
                    ]
                )
                says = f"sends {sent} to {name}; with {rest} that adds up to 0."
            yield of_op(trace, op, "cancel", says, full[0][0])

    def _place(self, share: Share) -> str:
        op = self._trace.ops[share.op]
        place = line_of(op)
        return causes.code(self._trace, op) if place is None else f"line {place}"

    def _stopped(
        self, share: Share, elements: frozenset[int] | None
    ) -> tuple[list[Cause], list[tuple[list[int], frozenset[int] | None]]]:
        """An edge that sent zero: the op's own slope, or nothing arrived at the op."""
        op = self._trace.ops[share.op]
        passed = self._flow.ops[share.op]
        asked = elements
        if asked is None and share.gradient.values is not None:
            asked = frozenset(range(len(share.gradient.values)))
        told, rest = self._own(op, share, elements, asked)
        arrived = self._arrived(op, passed)
        empty = [each for each, gradient in arrived if zeros.is_zero(gradient)]
        if len(empty) == len(arrived):
            # What explains every element leaves nothing to explain a part of them.
            return [] if rest else told, [([each], None) for each in empty]
        further: list[tuple[list[int], frozenset[int] | None]] = []
        holes = zeros.zeros(passed.upstream)
        is_same = passed.upstream.shape == share.gradient.shape
        is_aligned = op.function.rstrip("_") in slopes.ELEMENTWISE and is_same
        if is_aligned and holes and rest:
            if asked is not None and asked <= holes:
                return [], [([passed.of], asked)]
            here = holes & rest
            rest -= here
            further += [([passed.of], here)] if here else []
        elif holes and not is_aligned and not told:
            further.append(([passed.of], holes))
        only_moves = holes and op.function in slopes.MOVES
        if not only_moves and (rest or (rest is None and not told)):
            told.append(self._flat(op, share, passed, rest))
        return told, further

    def _own(
        self,
        op: Op,
        share: Share,
        elements: frozenset[int] | None,
        asked: frozenset[int] | None,
    ) -> tuple[list[Cause], frozenset[int] | None]:
        """What the op's own slope explains, and which elements it leaves to explain."""
        found = slopes.slope(self._trace, op, share.position)
        if found is None or not _meet(found.elements, elements):
            return [], asked
        value = self._flow.ops[share.op].of
        cause = of_op(self._trace, op, found.kind, found.says, value)
        told = [replace(cause, partly=found.elements is not None)]
        if asked is None or found.elements is None:
            return told, frozenset()
        return told, asked - found.elements

    def _flat(
        self, op: Op, share: Share, passed: OpBackward, at: frozenset[int] | None
    ) -> Cause:
        """Something arrived and nothing went on there, and no rule says why."""
        kind, says = slopes.stopped(self._trace, op, share.position)
        given = names.tensors(op)
        name = "it"
        if 0 <= share.position < len(given):
            name = causes.called(self._trace, given[share.position])
        count = math.prod(share.gradient.shape)
        if kind == "not taken" and at and not zeros.is_zero(share.gradient):
            says = f"takes others of {name}, not these {len(at)} of {count} elements."
            cause = of_op(self._trace, op, kind, says, passed.of)
            return replace(cause, partly=True)
        is_same = passed.upstream.shape == share.gradient.shape
        if kind == "cancel" and is_same and op.function.rstrip("_") in _SINGLE:
            kind = "flat"
            says = f"sends 0 to {name}: its slope is 0 there."
        infinite = self._not_finite(given, at) if kind == "flat" else None
        if infinite is not None:
            says = f"sends 0 back, as {infinite}."
        elif is_same and self._underflows(op, passed.upstream):
            kind = "underflow"
            dtype = passed.upstream.dtype
            says = f"multiplies numbers so small that {dtype} makes them 0."
        return of_op(self._trace, op, kind, says, passed.of)

    def _not_finite(self, given: list[int], at: frozenset[int] | None) -> str | None:
        """Which argument is not finite there, as "y is inf"; None: all are finite."""
        for each in given:
            summary = self._trace.values[each].summary
            numbers_there = summary.values or ()
            is_here = at is None or len(numbers_there) <= max(at, default=0)
            if nonfinite.is_finite(summary) or not (
                is_here
                or any(not math.isfinite(numbers_there[index]) for index in at or ())
            ):
                continue
            name = causes.called(self._trace, each)
            many = nonfinite.counted(summary)
            return (
                f"{name} is {many}" if len(numbers_there) == 1 else f"of {name} {many}"
            )
        return None

    def _arrived(self, op: Op, passed: OpBackward) -> list[tuple[int, Summary]]:
        found = [
            (output, self._flow.gradients[output])
            for output in op.outputs
            if output in self._flow.gradients
        ]
        return found or [(passed.of, passed.upstream)]

    def _underflows(self, op: Op, upstream: Summary) -> bool:
        """Whether both factors are there and their product is too small."""
        tiny = 1e-20 if "64" not in upstream.dtype else 1e-160
        sizes = [
            abs(each)
            for summary in (
                upstream,
                *(self._trace.values[each].summary for each in names.tensors(op)),
            )
            for each in summary.values or ()
            if each
        ]
        return bool(sizes) and min(sizes) < tiny


def _meet(first: frozenset[int] | None, second: frozenset[int] | None) -> bool:
    """Whether two sets of elements share one; None is all."""
    if first is None or second is None:
        return first is None or bool(first)
    return bool(first & second)


def _short(gradient: Summary) -> str:
    return numbers.tensor(gradient, 20, 4)
