"""Questions to a trace, asked of its values: the answers name lines of the code. Pure."""

from tutor.graph import history, names, numbers, zeros
from tutor.graph.causes import Answer, Cause, distinct, of_op
from tutor.graph.grads import gradient, set_to_zero
from tutor.graph.history import named
from tutor.graph.inplace import why_inplace
from tutor.graph.nonfinite import first_nonfinite, is_finite
from tutor.graph.trace import Trace
from tutor.graph.unseen import unseen
from tutor.graph.why_none import why_none
from tutor.graph.why_zero import why_zero

__all__ = [
    "Answer", "Cause", "ask", "askable", "first_nonfinite", "named", "why", "why_inplace",
    "why_none", "why_zero",
]  # fmt: skip


def askable(trace: Trace) -> tuple[int, ...]:
    """Values whose `.grad` a learner would look at, each tensor and each name once.

    Leaves and parameters first, then the named results, in the order of the code.
    """
    last = {
        value.tensor: value.id
        for value in trace.values
        if value.role in ("leaf", "parameter") or value.name is not None
    }
    by_name: dict[str, int] = {}
    for value in sorted(last.values()):
        by_name[names.name(trace, value)] = value
    by_name.update(
        (name, last[trace.values[value].tensor])
        for name, value in trace.end.names.items()
        if trace.values[value].tensor in last
    )
    found = sorted(set(by_name.values()))
    return tuple(sorted(found, key=lambda each: not trace.values[each].is_leaf))


def ask(trace: Trace, name: str) -> Answer:
    """Why the gradient of what a name stands for is what it is."""
    value = named(trace, name)
    return unseen(trace, name) if value is None else why(trace, value)


def why(trace: Trace, value: int) -> Answer:
    """What a learner would ask: why None, why zero, why not finite, else where from."""
    known = history.history(trace)
    held = gradient(known, value)
    if held is None:
        return why_none(trace, value)
    if zeros.is_zero(held.after) or any(set_to_zero(known, value)):
        return why_zero(trace, value)
    name = names.name(trace, value)
    if not is_finite(held.after):
        found = first_nonfinite(trace)
        assert found is not None
        question = f"Why is {name}.grad not finite?"
        return Answer(question, found.verdict, found.causes, found.advice)
    return _healthy(trace, known, value, name)


def _healthy(trace: Trace, known: history.History, value: int, name: str) -> Answer:
    """How a gradient came to be: the shares of the last pass, and the passes."""
    grown = known.gradients(value)
    last = grown[-1]
    flow = history.flow(trace, last.number)
    told = []
    for each in known.siblings(value):
        for share in flow.shares.get(each, ()):
            op = trace.ops[share.op]
            says = f"sends {numbers.tensor(share.gradient, 24)} back to {name}."
            told.append(of_op(trace, op, "share", says, each))
    shown = numbers.tensor(last.after)
    verdict = f"{name}.grad is {shown}."
    if last.before is not None:
        before = numbers.tensor(last.before, 24)
        add = numbers.tensor(last.add, 24)
        verdict = f"{name}.grad is {shown}: {before} was there, pass {last.number} adds {add}."
    elif len(told) > 1:
        verdict = f"{name}.grad is {shown}: the sum of {len(told)} shares."
    return Answer(f"Where does {name}.grad come from?", verdict, distinct(told), "")
