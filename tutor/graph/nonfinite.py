"""Where nan and infinity come from: the first of them, forward and backward. Pure."""

import math
from collections.abc import Sequence

from tutor.graph import names, numbers
from tutor.graph.causes import Answer, Cause, begun, called, distinct, of_op
from tutor.graph.trace import BackwardNode, Const, Op, Summary, Trace

_QUESTION = "Where is the first value that is not finite?"
LARGER = "the result is larger"
"""In the words about a value that overflowed."""
_ADVICE = {
    "log": "Keep what goes into log above 0, as by adding 1e-8.",
    "sqrt": "Keep what goes into sqrt above 0, as by adding 1e-8.",
    "div": "Keep the divisor away from 0, as by adding 1e-8.",
    "exp": "Keep what goes into exp small, as by subtracting its maximum.",
    "norm": "Keep the vector away from 0, as by adding 1e-8 before the root.",
}


def is_finite(summary: Summary | None) -> bool:
    """Whether all elements are finite, as far as they were looked at."""
    if summary is None:
        return True
    if summary.values is not None:
        return all(map(math.isfinite, summary.values))
    return not summary.nonfinite and all(map(math.isfinite, summary.head))


def counted(summary: Summary) -> str:
    """Like "nan", "2 of 3 are inf", "3 of 8 are not finite"."""
    found = summary.values
    count = math.prod(summary.shape)
    if found is None:
        return f"{summary.nonfinite or 'some'} of {count} are not finite"
    bad = [each for each in found if not math.isfinite(each)]
    kinds = dict.fromkeys(numbers.number(each) for each in bad)
    if len(found) == 1:
        return "".join(kinds)
    verb = "is" if len(bad) == 1 else "are"
    return f"{len(bad)} of {len(found)} {verb} {' or '.join(kinds)}"


def has_nan(summary: Summary | None) -> bool:
    """Whether one of the elements is known to be nan."""
    return any(math.isnan(each) for each in (summary and summary.values) or ())


def first_nonfinite(trace: Trace) -> Answer | None:
    """The first nan or infinity forward, and backward; None: every number is finite."""
    forward = _forward(trace)
    backward = _backward(trace)
    if not forward and not backward:
        return None
    if forward:
        verdict = f"Forward: {_first(forward[0])}"
    else:
        verdict = f"Backward only, every value is finite: {_first(backward[0])}"
    told = distinct([*forward, *backward])
    advice = next((_ADVICE[each.kind] for each in told if each.kind in _ADVICE), "")
    return Answer(_QUESTION, verdict, told, advice)


def _first(cause: Cause) -> str:
    where = "" if cause.line is None else f" at line {cause.line}"
    return f"the first comes up{where}."


# ------------------------------------------------------------------------------ forward


def _forward(trace: Trace) -> list[Cause]:
    """The first value that is not finite, and the first nan where it is another."""
    found: list[Cause] = []
    seen_nan = False
    for value in trace.values:
        if is_finite(value.summary) or seen_nan:
            continue
        seen_nan = has_nan(value.summary)
        if found and not seen_nan:
            continue
        found.append(_value(trace, value.id))
    return found


def origin(trace: Trace, value: int) -> Cause | None:
    """The first value that is not finite on the way to one; None: all are finite."""
    found: set[int] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if each in found or is_finite(trace.values[each].summary):
            continue
        found.add(each)
        made = trace.values[each].op
        waiting += [] if made is None else names.tensors(trace.ops[made])
    return _value(trace, min(found)) if found else None


def _value(trace: Trace, value: int) -> Cause:
    made = trace.values[value].op
    summary = trace.values[value].summary
    if made is None:
        text = f"{called(trace, value)} holds {counted(summary)} from the start."
        return Cause("given", text[:1].upper() + text[1:], None, None, value)
    op = trace.ops[made]
    given = names.tensors(op)
    bad = [each for each in given if not is_finite(trace.values[each].summary)]
    shown = numbers.tensor(summary, 24)
    if bad:
        name = called(trace, bad[0])
        says = f"gives {shown}, as {name} is {_word(trace, bad[0])} already."
        return of_op(trace, op, "passed on", says, value)
    if not given:
        return of_op(trace, op, "given", f"puts {shown} there.", value)
    return of_op(trace, op, op.function, f"gives {shown}{_why(trace, op)}.", value)


def _word(trace: Trace, value: int) -> str:
    return "nan" if has_nan(trace.values[value].summary) else "infinite"


def _why(trace: Trace, op: Op) -> str:
    """Why an op makes nan or infinity of finite numbers; "" where that is not known."""
    given = [trace.values[each].summary for each in names.tensors(op)]
    name = called(trace, names.tensors(op)[0])
    low = _least(given[0])
    function = op.function.rstrip("_")
    if low is None:
        return ""
    if function in ("log", "log2", "log10", "log1p"):
        edge = -1 if function == "log1p" else 0
        return f": {name} has {_item(low)}" if low <= edge else ""
    if function in ("sqrt", "rsqrt"):
        return f": {name} has {_item(low)}" if low <= 0 else ""
    if function in ("div", "rdiv", "reciprocal"):
        divisor = given[-1]
        if any(each == 0 for each in divisor.values or ()):
            return f": {called(trace, names.tensors(op)[-1])} has 0"
    if function == "pow" and any(each == 0 for each in given[0].values or ()):
        return f": {name} has 0" if _is_negative_power(op) else ""
    if function in ("acos", "asin", "atanh", "acosh"):
        return f": {name} has {_item(low)}"
    limit = f" than {given[0].dtype} can hold" if "float" in given[0].dtype else ""
    if function in ("exp", "expm1", "sinh", "cosh", "pow", "rpow", "square", "mul",
                    "matmul", "mm", "linear", "sum", "add", "prod", "cumprod"):  # fmt: skip
        return f": {LARGER}{limit}"
    return ""


def _is_negative_power(op: Op) -> bool:
    power = op.arguments[-1]
    return (
        isinstance(power, Const)
        and isinstance(power.value, int | float)
        and power.value < 0
    )


def _least(summary: Summary) -> float | None:
    if summary.values:
        return min(summary.values)
    return summary.low


def _item(value: float) -> str:
    return numbers.number(value, 4)


# ----------------------------------------------------------------------------- backward


def _backward(trace: Trace) -> list[Cause]:
    """The first gradient that is not finite: what arrived, and what was sent."""
    for node in sorted(trace.nodes, key=lambda node: node.at):
        if not all(map(is_finite, node.upstream)):
            return [_arrived(trace, node)]
        sent = [each for each in node.contributions if not is_finite(each.gradient)]
        if sent:
            gradient = sent[0].gradient
            assert gradient is not None
            return [_sent(trace, node, sent[0].to, gradient)]
    return []


def _arrived(trace: Trace, node: BackwardNode) -> Cause:
    bad = next(each for each in node.upstream if not is_finite(each))
    assert bad is not None
    shown = numbers.tensor(bad, 24)
    if node.op is None:
        text = f"Backward: {shown} arrives at {node.node}."
        return Cause("arrived", text, None, None, None)
    says = f"backward gets {shown}, before anything was multiplied."
    return of_op(trace, trace.ops[node.op], "arrived", says, _of(node.of))


def _of(values: Sequence[int | None]) -> int | None:
    return next((each for each in values if each is not None), None)


def _sent(trace: Trace, node: BackwardNode, to: int | None, bad: Summary) -> Cause:
    arrived = [numbers.tensor(each, 24) for each in node.upstream if each is not None]
    came = arrived[0] if arrived else "nothing"
    shown = numbers.tensor(bad, 24)
    if node.op is None:
        text = f"Backward: {node.node} makes {shown} of {came}."
        return Cause("sent", f"{begun(None)}{text}", None, None, to)
    op = trace.ops[node.op]
    says = f"gets the gradient {came} and sends {shown} back{_infinite(trace, op)}."
    return of_op(trace, op, op.function, says, to)


def _infinite(trace: Trace, op: Op) -> str:
    """Why a slope is infinite or no number."""
    given = names.tensors(op)
    if not given:
        return ""
    function = op.function.rstrip("_")
    name = called(trace, given[0])
    low = _least(trace.values[given[0]].summary)
    if function in ("sqrt", "rsqrt", "log", "pow", "reciprocal", "norm", "abs") and (
        low is not None and low <= 0
    ):
        return f": its slope at {name} = {_item(low)} is not finite"
    return ""
