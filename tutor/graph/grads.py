"""What a tensor's `.grad` holds at the code's end, and who took it away again. Pure."""

from collections.abc import Iterator

from tutor.graph import causes, code, names, origins, zeros
from tutor.graph.causes import Cause, of_op
from tutor.graph.history import History
from tutor.graph.trace import LeafGradient, Op, Trace


def gradient(known: History, value: int) -> LeafGradient | None:
    """How the tensor's `.grad` last grew; None: it never did, or is None again."""
    grown = known.gradients(value)
    if not grown or any(cleared(known, value)):
        return None
    return grown[-1]


def cleared(known: History, value: int) -> Iterator[Cause]:
    """What set the tensor's `.grad` to None after it had grown."""
    grown = known.gradients(value)
    if not grown:
        return
    for line, text in _clearing_lines(known.trace, value):
        if "set_to_none=False" not in text:
            says = f"Line {line}: {causes.quoted(text)} sets .grad to None again."
            yield Cause("cleared", says, line, None, value)


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
    given = names.tensors(op)
    if "inplace" not in op.flags or not given:
        return False
    before = trace.values[given[0]]
    if not any(zeros.is_zero(trace.values[each].summary) for each in op.outputs):
        return False
    if before.name == f"{names.name(trace, value)}.grad":
        return True
    says_so = ".grad" in op.label or "zero_grad" in op.label
    return says_so and before.summary == held.after


def _clearing_lines(trace: Trace, value: int) -> Iterator[tuple[int, str]]:
    """Lines after the last backward call that clear `.grad`, by the code's text."""
    text = trace.end.code
    calls = code.method_calls(text, "backward")
    if not calls or (trace.fault is not None and trace.fault.line is None):
        return
    last = max(call.line for call in calls)
    end = trace.fault.line if trace.fault is not None else None
    name = names.name(trace, value)
    found = [
        (each.line, f"{name}.grad = None")
        for each in origins.bindings(text, f"{name}.grad")
        if each.text == "None"
    ]
    found += [(call.line, call.text) for call in code.method_calls(text, "zero_grad")]
    for line, said in sorted(found):
        if line > last and (end is None or line < end):
            yield line, said
