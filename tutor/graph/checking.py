"""Whether an op's gradients can be checked by finite differences, and the request. Pure."""

from tutor.graph import backward, names
from tutor.graph.requests import Checked, TraceCheck
from tutor.graph.trace import Op, Summary, Trace

METHOD = "central difference in float64, h = ∛ε · max(1, |x|), ε = 2⁻⁵²"
"""How the slopes are found, for a caption.

The step balances what the formula leaves out (h²) with rounding (ε/h); Press et al.,
Numerical Recipes, 5.7.
"""


def request(trace: Trace, op: int) -> TraceCheck | Checked:
    """What to ask the kernel; or why there is nothing to ask."""
    problem = why_not(trace, trace.ops[op])
    if problem is not None:
        return Checked(problem=problem)
    arguments = len(names.tensors(trace.ops[op]))
    for groups in backward.grouped(trace).values():
        merged = backward.merge(trace, op, groups.get(op, ()))
        if merged is not None:
            sent: list[Summary | None] = [None] * arguments
            for each in merged.sent:
                if each.position >= 0:
                    sent[each.position] = each.gradient
            return TraceCheck(trace.end.id, op, merged.upstream, tuple(sent))
    return TraceCheck(trace.end.id, op)


def why_not(trace: Trace, op: Op) -> str | None:
    """Why an op cannot be run again, as a sentence; None: it can."""
    if op.error is not None:
        return f"{op.symbol} raised an error: there is no value to take a slope of."
    if not op.outputs or not any(
        trace.values[each].requires_grad for each in op.outputs
    ):
        return f"No gradient passes through {op.symbol}: there is nothing to check."
    reasons = {
        "random": "draws random numbers: run again it would draw others",
        "inplace": "changes a tensor in place: what it read is overwritten",
        "unseen": "is a Function of its own: only its gradient was seen, not its call",
        "opaque": "was seen from outside only: its parts are not known",
        "creation": "reads no tensor: it has no slope",
    }
    for flag, reason in reasons.items():
        if flag in op.flags:
            return f"{op.symbol} {reason}, so it cannot be checked by trying."
    if not trace.end.id:
        return "The tensors of this trace are not kept: record it again to check an op."
    return None
