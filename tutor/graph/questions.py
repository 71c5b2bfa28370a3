"""Questions to a trace, asked of its values: the answers name lines of the code. Pure."""

from tutor.graph import grads, history, names, numbers, zeros
from tutor.graph.causes import Answer, Cause, distinct, of_op
from tutor.graph.history import History, named
from tutor.graph.inplace import why_inplace
from tutor.graph.nonfinite import first_nonfinite, is_finite
from tutor.graph.trace import Summary, Trace, Value
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
        value.tensor: value.id for value in trace.values if _is_looked_at(trace, value)
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


def _is_looked_at(trace: Trace, value: Value) -> bool:
    """Whether a learner has a name for it; gradients are what is asked about."""
    if value.name is None:
        known = trace.values[: value.id]
        return value.role in ("leaf", "parameter") and all(
            each.tensor != value.tensor for each in known
        )
    return not value.name.endswith(".grad")


def ask(trace: Trace, name: str) -> Answer:
    """Why the gradient of what a name stands for is what it is."""
    value = named(trace, name)
    return unseen(trace, name) if value is None else why(trace, value)


def why(trace: Trace, value: int) -> Answer:
    """What a learner would ask: why None, why zero, why not finite, else where from."""
    known = history.history(trace)
    found = grads.held(known, value)
    if found is None:
        return why_none(trace, value)
    if zeros.is_zero(found) or any(grads.set_to_zero(known, value)):
        return why_zero(trace, value)
    name = names.name(trace, value)
    if not is_finite(found):
        where = first_nonfinite(trace)
        assert where is not None
        question = f"Why is {name}.grad not finite?"
        return Answer(question, where.verdict, where.causes, where.advice)
    return _healthy(known, value, found, name)


def _healthy(known: History, value: int, found: Summary, name: str) -> Answer:
    """How a gradient came to be: the shares of the last pass, and the passes."""
    trace = known.trace
    grown = known.gradients(value)
    number = grown[-1].number if grown else trace.passes[-1].number
    flow = history.flow(trace, number)
    told = []
    moments = known.siblings(value)
    if not trace.values[value].is_leaf:
        moments = [grads.moment(known, value, trace.passes[number - 1])]
    for each in moments:
        for share in flow.shares.get(each, ()):
            op = trace.ops[share.op]
            says = f"sends {numbers.tensor(share.gradient, 24)} back to {name}."
            told.append(of_op(trace, op, "share", says, each))
    came = ""
    if grown and grown[-1].before is not None:
        before = numbers.tensor(grown[-1].before, 24)
        add = numbers.tensor(grown[-1].add, 24)
        came = f": {before} was there, pass {number} adds {add}"
    elif len(told) > 1:
        came = f": the sum of {len(told)} shares"
    verdict = f"{name}.grad is {numbers.tensor(found)}{came}."
    return Answer(f"Where does {name}.grad come from?", verdict, distinct(told), "")
