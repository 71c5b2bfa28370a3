"""What a tensor's `.grad` holds at the code's end, and who took it away again. Pure."""

from collections.abc import Iterator

from tutor.graph import causes, code, names, origins, zeros
from tutor.graph.causes import Cause, of_op
from tutor.graph.history import History, flow
from tutor.graph.trace import LeafGradient, Op, Pass, Summary, Trace


def gradient(known: History, value: int) -> LeafGradient | None:
    """How the tensor's `.grad` last grew; None: it never did, or is None again."""
    grown = known.gradients(value)
    if not grown or any(cleared(known, value)):
        return None
    return grown[-1]


def held(known: History, value: int) -> Summary | None:
    """What the tensor's `.grad` holds; None: nothing, or it is a result not retained."""
    grown = gradient(known, value)
    if grown is not None:
        return grown.after
    trace = known.trace
    if trace.values[value].is_leaf:
        return None
    for passed in reversed(trace.passes):
        if is_retained(trace, value, passed):
            gradients = flow(trace, passed.number).gradients
            now = moment(known, value, passed)
            if now in gradients:
                return gradients[now]
    return None


def moment(known: History, value: int, passed: Pass) -> int:
    """The value of the tensor when a pass began: what retain_grad keeps is its own."""
    trace = known.trace
    found = known.siblings(value)[0]
    for each in known.siblings(value):
        op = trace.values[each].op
        if op is not None and trace.ops[op].at < passed.at:
            found = each
    return found


def is_retained(trace: Trace, value: int, passed: Pass) -> bool:
    """Whether retain_grad was called on a result before a pass, by the code's text."""
    text = trace.end.code
    name = causes.called(trace, value)
    line = None if passed.source is None else passed.source.line
    return any(
        call.receiver == name
        and (
            line is None or call.line <= line or code.in_one_loop(text, call.line, line)
        )
        for call in code.method_calls(text, "retain_grad")
    )


def cleared(known: History, value: int) -> Iterator[Cause]:
    """What took the tensor's `.grad` away after it had grown."""
    grown = known.gradients(value)
    if not grown:
        return
    trace = known.trace
    name = names.name(trace, value)
    set_by = known.settings(value, "set_grad")
    for op, to in set_by:
        if to is None and op.at > grown[-1].at:
            yield of_op(trace, op, "cleared", f"sets {name}.grad to None.", value)
    if set_by:
        return
    for line, text in _clearing_lines(trace, value, grown[-1].number):
        if "set_to_none=False" not in text:
            says = f"Line {line}: {causes.quoted(text)} sets .grad to None again."
            yield Cause("cleared", says, line, None, value)
    calls = code.method_calls(trace.end.code, "backward")
    last = max((call.line for call in calls), default=0)
    new = origins.replaced(trace.end.code, name, last)
    if calls and new is not None:
        says = f"Line {new.line}: {causes.quoted(new.text)} takes the place of the old one."
        yield Cause("replaced", says, new.line, None, value)


def set_to_zero(known: History, value: int) -> Iterator[Cause]:
    """What set the tensor's `.grad` to 0 after it had grown."""
    grown = known.gradients(value)
    if not grown or zeros.is_zero(grown[-1].after):
        return
    trace = known.trace
    for op in trace.ops:
        if op.at > grown[-1].at and _zeroes(trace, op, grown[-1], value):
            yield of_op(trace, op, "cleared", "sets .grad to 0 again.", value)


def _zeroes(trace: Trace, op: Op, held: LeafGradient, value: int) -> bool:
    """Whether an op makes the tensor's `.grad` 0 in place."""
    if "inplace" not in op.flags:
        return False
    if not any(zeros.is_zero(trace.values[each].summary) for each in op.outputs):
        return False
    changed = {trace.values[each].tensor for each in op.outputs}
    taken = [trace.values[each] for each in names.tensors(op)]
    given = [each for each in taken if each.tensor in changed]
    name = f"{names.name(trace, value)}.grad"
    if any(each.name == name for each in given):
        return True
    return any(
        each.op is None and not each.requires_grad and each.summary == held.after
        for each in given
    )


def _clearing_lines(trace: Trace, value: int, number: int) -> Iterator[tuple[int, str]]:
    """Lines that clear `.grad` after the pass that filled it, by the code's text.

    They stand after the last backward call; or in one loop with it, and another pass
    came after; or before a later backward call.
    """
    text = trace.end.code
    calls = code.method_calls(text, "backward")
    if not calls:
        return
    end = trace.fault.line if trace.fault is not None else None
    name = names.name(trace, value)
    found = [
        (each.line, f"{name}.grad = None")
        for each in origins.bindings(text, f"{name}.grad")
        if each.text == "None"
    ]
    found += [(call.line, call.text) for call in code.method_calls(text, "zero_grad")]
    is_last = all(each.number <= number for each in trace.passes)
    lines = [call.line for call in calls]
    for line, said in sorted(found):
        if (is_last and line > max(lines) and (end is None or line < end)) or (
            not is_last
            and (min(lines) < line or code.in_one_loop(text, line, max(lines)))
        ):
            yield line, said
