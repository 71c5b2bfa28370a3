"""Why a tensor's `.grad` is None: every reason that the trace shows. Pure."""

import re
from collections.abc import Iterator

from tutor.graph import (
    causes,
    code,
    cuts,
    grads,
    history,
    inplace,
    names,
    numbers,
    origins,
)
from tutor.graph.causes import Answer, Cause, at_line, begun, distinct, of_op, of_source
from tutor.graph.grads import cleared
from tutor.graph.history import History, Start
from tutor.graph.not_asked import made_at, not_asked, rebound, takes_name
from tutor.graph.trace import Fault, Op, Trace, Value
from tutor.graph.unseen import taken_instead

_FAULT_LIMIT = 120
_OTHER_ADVICE = "Use something that torch can differentiate in its place."
_ADVICE = {
    "detach": "Leave out detach() where the gradient should pass.",
    "data": "Use the tensor itself, not its .data.",
    "no_grad": "Compute it where gradients are switched on.",
    "copy": "Use the tensor itself; torch.tensor() always copies without history.",
    "item": "Keep it a tensor until after backward().",
    "float": "Keep it a tensor until after backward().",
    "tolist": "Keep it a tensor until after backward().",
    "numpy": "Keep it a tensor until after backward().",
    "comparison": "Use something that changes smoothly, like sigmoid.",
    "argmax": "Use something that changes smoothly, like softmax.",
    "integer": "Use a float dtype for what should have a gradient.",
    "requires_grad": "Make it with requires_grad=True.",
    "requires_grad late": "Call requires_grad_() before it is used.",
    "requires_grad off": "Switch requires_grad on again before it is used.",
    "non-leaf": "Only leaves keep .grad: call {name} before backward().",
    "rebinding": "Give the result another name, or change the leaf under no_grad.",
    "unused": "Use it in what backward() is called on.",
    "not on the way": "Call backward() on something that is computed from it.",
    "too late": "Use it before backward() is called.",
    "no backward": "Call backward() on the loss.",
    "autograd.grad": "Take the gradient that it returns, or call backward().",
    "cleared": "Read .grad before it is cleared.",
    "copied": "Use the tensor itself where the copy is used, or look at the copy's .grad.",
    "inplace": "Write the result into a new tensor, or change a copy made with clone().",
    "optimizer": "Call step() after the last backward(), or compute the loss again.",
    "leaf": "Do it under torch.no_grad(), or write the result into a new tensor.",
    "fault": "Repair that line first.",
    "inputs": "Leave out inputs=, or name it there.",
    "buffer": "Make it an nn.Parameter, if it should be trained.",
    "replaced": "Look at the tensor that took its place.",
    "function": "Let the function's backward return a gradient for it.",
}


def why_none(trace: Trace, value: int) -> Answer:
    """Why `.grad` of a value's tensor is None; or that it is not."""
    known = history.history(trace)
    name = names.name(trace, value)
    question = f"Why is {name}.grad None?"
    held = grads.held(known, value)
    if held is not None and _goes_backward(trace):
        shown = numbers.tensor(held)
        return Answer(question, f"{name}.grad is not None: it is {shown}.", (), "")
    if trace.end.kind == "autograd":
        verdict = (
            f"The trace shows the graph behind {name}; what filled or cleared .grad"
        )
        return Answer(
            question, f"{verdict} is not in it.", (), trace.end.unrecorded or ""
        )
    reason, found = _reason(known, value)
    told = distinct(found)
    known_kinds = [each.kind for each in told if each.kind in _ADVICE]
    advice = _ADVICE[known_kinds[0]] if known_kinds else _OTHER_ADVICE if told else ""
    if "{name}" in advice:
        advice = advice.format(name=_retaining(trace, value))
    return Answer(question, f"{name}.grad is None: {reason}", told, advice)


def _retaining(trace: Trace, value: int) -> str:
    """How the reader would keep a result's gradient."""
    name = causes.called(trace, value)
    if name.replace(".", "").isidentifier():
        return f"{name}.retain_grad()"
    return "retain_grad() on it"


def _reason(known: History, value: int) -> tuple[str, list[Cause]]:
    """The reason in the verdict, and the causes."""
    trace = known.trace
    found = trace.values[value]
    name = names.name(trace, value)
    # The tutor's own pass tells where the graph is cut, as the code's own would.
    refused = trace.fault is not None and trace.fault.stage == "backward"
    tried = bool(trace.passes) or (refused and trace.end.root is not None)
    tried_in_vain = tried and not known.gradients(value)
    if not _goes_backward(trace) and not tried_in_vain:
        return _no_backward(known, value)
    if known.gradients(value):
        return _gone(known, found)
    if not found.requires_grad:
        return f"{name} does not require a gradient.", list(not_asked(known, found))
    if not found.is_leaf:
        return _non_leaf(known, found)
    return _leaf(known, found)


def _gone(known: History, value: Value) -> tuple[str, list[Cause]]:
    """A gradient was there: who took it, and why none came after that."""
    found = list(cleared(known, value.id))
    last = known.gradients(value.id)[-1].number
    later = [
        each
        for each in history.starts(known.trace)
        if each.root is not None and (each.passed is None or each.passed.number > last)
    ]
    if not later or any(each.kind == "replaced" for each in found):
        return "it was taken away again after backward().", found
    if not value.requires_grad:
        found += not_asked(known, value)
    elif not any(_passes(known, value, each) for each in later):
        found += _not_reached(known, value, later)
    return "it was taken away, and no later pass brought another.", found


def _non_leaf(known: History, value: Value) -> tuple[str, list[Cause]]:
    trace = known.trace
    name = causes.called(trace, value.id)
    is_retained = any(grads.is_retained(trace, value.id, each) for each in trace.passes)
    found = [] if is_retained else [_computed(known, value, name)]
    begins = [each for each in history.starts(trace) if each.root is not None]
    reaching = [each for each in begins if _passes(known, value, each)]
    if begins and not reaching:
        found += _not_reached(known, value, begins)
    failed = _failed(trace, reaching)
    if failed is not None:
        reason, why = failed
        if is_retained:
            return reason, why
        return f"{name} is not a leaf, and {reason}", [*why, *found]
    if is_retained:
        found = found or list(_changed_since(known, value, name))
        return "no backward pass brought one to keep.", found
    return f"{name} is not a leaf.", found


def _changed_since(known: History, value: Value, name: str) -> Iterator[Cause]:
    """Ops in place on a result: retain_grad keeps the gradient of the new numbers."""
    trace = known.trace
    for each in known.siblings(value.id):
        made = trace.values[each].op
        if made is not None and "inplace" in trace.ops[made].flags:
            says = f"changes {name}, and backward() began from what it was before."
            yield of_op(trace, trace.ops[made], "inplace", says, each)


def _computed(known: History, value: Value, name: str) -> Cause:
    """The op that made a tensor a result; ops in place on it made no new one."""
    trace = known.trace
    first = next(
        each
        for each in map(trace.values.__getitem__, known.siblings(value.id))
        if each.op is not None and not each.is_leaf
    )
    assert first.op is not None
    op = trace.ops[first.op]
    if takes_name(known, first, op):
        return rebound(known, first, op)
    says = f"computes {name}, so it is no leaf: torch drops its gradient."
    if value.name is None and first.name is None:
        says = "is computed, so it is no leaf: torch drops its gradient."
    return of_op(trace, op, "non-leaf", says, value.id)


def _passes(known: History, value: Value, start: Start) -> bool:
    """Whether torch's graph leads from a root to a value."""
    assert start.root is not None
    if start.root == value.id:
        return True
    nodes = history.behind(known.trace, start.root)
    if value.is_leaf:
        return bool(nodes & set(known.accumulators.get(value.tensor, ())))
    # A gradient may have gone to the tensor as it was before an op in place.
    made = {known.trace.values[each].op for each in known.siblings(value.id)} - {None}
    return any(known.trace.graph[node].op in made for node in nodes)


# ---------------------------------------------------------------- a leaf that asked for it


def _leaf(known: History, value: Value) -> tuple[str, list[Cause]]:
    trace = known.trace
    begins = [each for each in history.starts(trace) if each.root is not None]
    only_grad = [each for each in trace.passes if history.returns_only(trace, each)]
    if not begins:
        if only_grad:
            return _only_grad(known, value)
        return _no_backward(known, value.id)
    reaching = [each for each in begins if _passes(known, value, each)]
    if reaching:
        return _stopped_short(known, value, reaching)
    found = _not_reached(known, value, begins)
    if trace.fault is not None and all(each.passed is None for each in begins):
        goal = _goal(trace, begins[-1])
        where = at_line(trace.fault.line)
        return f"backward(){where} failed, as {goal} has no graph behind it.", found
    if not known.ops_on(value.id):
        return "nothing is computed from it.", found
    return "no backward pass could reach it.", found


def _goal(trace: Trace, start: Start) -> str:
    """What backward began from, in a sentence."""
    if start.root is None:
        return "what it began from"
    value = trace.values[start.root]
    if value.name is not None or value.op is None:
        return names.name(trace, value.id)
    return causes.code(trace, trace.ops[value.op])


def _goes_backward(trace: Trace) -> bool:
    """Whether the code asks for a backward pass; the tutor may have gone by itself."""
    if any(each.source is not None for each in trace.passes):
        return True
    text = trace.end.code
    calls = (*code.method_calls(text, "backward"), *code.method_calls(text, "grad"))
    return bool(calls) or not text


def _no_backward(known: History, value: int) -> tuple[str, list[Cause]]:
    trace = known.trace
    if trace.fault is not None and not trace.passes:
        return _fault_first(trace, trace.fault)
    root = trace.end.root
    op = None if root is None else trace.values[root].op
    found = [Cause("no backward", "No line calls backward().", None, None, value)]
    if op is not None:
        says = "has a graph, but no line calls backward() on it."
        found = [of_op(trace, trace.ops[op], "no backward", says, root)]
    reason = "the code never calls backward()."
    if trace.passes:
        reason = "the code never calls backward(); the tutor did it to show how."
    return reason, found


def _fault_first(trace: Trace, fault: Fault) -> tuple[str, list[Cause]]:
    says = f"the code stopped here: {_first_sentence(fault.text)}"
    text = f"{begun(fault.line)}{says}" if fault.line else f"T{says[1:]}"
    if not text.endswith((".", "…")):
        text += "."
    found = [Cause("fault", text, fault.line, None, None)]
    blamed = inplace.why_inplace(trace)
    if blamed is not None:
        found = [*blamed.causes, *found]
    return "the code stopped before a backward pass.", found


def _first_sentence(error: str) -> str:
    """Of what torch said; cut where it is long."""
    reason = error.partition("\n")[0]
    reason = re.split(r"(?<=[.!?]) (?=[A-Z])", reason)[0]
    return reason if len(reason) <= _FAULT_LIMIT else f"{reason[: _FAULT_LIMIT - 1]}…"


def _failed(trace: Trace, begins: list[Start]) -> tuple[str, list[Cause]] | None:
    """Of passes that failed: why, and the causes; None: none of them did."""
    errors = [each.passed for each in begins if each.passed and each.passed.error]
    if not errors:
        return None
    blamed = inplace.why_inplace(trace)
    if blamed is not None and inplace.is_stale(str(errors[-1].error)):
        verdict = blamed.verdict.removesuffix(".")
        return f"the backward pass failed: {verdict}.", list(blamed.causes)
    says = f"backward() failed: {_first_sentence(str(errors[-1].error))}"
    if not says.endswith((".", "…")):
        says += "."
    return "the backward pass failed.", [of_source(errors[-1].source, "fault", says)]


def _only_grad(known: History, value: Value) -> tuple[str, list[Cause]]:
    trace = known.trace
    found = []
    for op in trace.ops:
        if op.function == "grad":
            says = "returns the gradient and leaves every .grad as it was."
            found.append(of_op(trace, op, "autograd.grad", says, value.id))
    if not found:
        says = "autograd.grad returns gradients and leaves every .grad as it was."
        found = [of_source(each.source, "autograd.grad", says) for each in trace.passes]
    return "autograd.grad fills no .grad.", found


def _stopped_short(
    known: History, value: Value, begins: list[Start]
) -> tuple[str, list[Cause]]:
    """The graph leads to the leaf, and yet no gradient came."""
    trace = known.trace
    name = names.name(trace, value.id)
    found: list[Cause] = []
    for call in code.method_calls(trace.end.code, "backward"):
        if "inputs" in call.keywords:
            text = f"Line {call.line}: {causes.quoted(call.text)} asks for others only."
            found.append(Cause("inputs", text, call.line, None, value.id))
    if found:
        return f"backward(inputs=...) left {name} out.", found
    found = list(_returned_none(known, value))
    if found:
        return "a backward function returned None for it.", found
    failed = _failed(trace, begins)
    if failed is not None:
        return failed
    if trace.fault is not None:
        _, found = _fault_first(trace, trace.fault)
        return "the backward pass failed on its way.", found
    return "torch sent nothing along its edges.", found


def _returned_none(known: History, value: Value) -> Iterator[Cause]:
    """Nodes that ran and sent nothing towards the leaf."""
    trace = known.trace
    ahead = set(known.accumulators.get(value.tensor, ()))
    for before in reversed(trace.graph):
        if ahead & set(before.next):
            ahead.add(before.id)
    for node in trace.nodes:
        if node.op is None or all(each is None for each in node.upstream):
            continue
        if node.node[-1:].isdigit():
            continue  # one of torch's own, like MulBackward0
        for edge in node.contributions:
            is_here = edge.to_node in ahead or (
                edge.to is not None and trace.values[edge.to].tensor == value.tensor
            )
            if is_here and edge.gradient is None:
                op = trace.ops[node.op]
                name = names.name(trace, value.id)
                if edge.to is not None:
                    name = names.name(trace, edge.to)
                yield from _custom(trace, op, node.node, name, edge.to)


def _custom(
    trace: Trace, op: Op, node: str, name: str, value: int | None
) -> Iterator[Cause]:
    """The `return` of a learner's own backward; its use where that is not seen."""
    owner = node.rpartition("::")[2].removesuffix("Backward")
    returns = origins.returns_of(trace.end.code, owner, "backward")
    for place in returns:
        says = f"{causes.quoted(place.text)} gives None for {name}."
        text = f"Line {place.line}: {says}"
        yield Cause("function", text, place.line, op.id, value)
    if not returns:
        says = f"returned None for {name} in its backward."
        yield of_op(trace, op, "function", says, value)


def _not_reached(known: History, value: Value, begins: list[Start]) -> list[Cause]:
    """The leaf lies behind no root: where each way to one ends."""
    trace = known.trace
    name = names.name(trace, value.id)
    uses = known.ops_on(value.id)
    if not uses:
        instead = list(taken_instead(trace, name))
        return instead or [_unused(known, value)]
    latest = max(each.at for each in begins)
    if all(op.at > latest for op in uses):
        says = f"uses {name} only after backward() was called."
        return [of_op(trace, op, "too late", says, value.id) for op in uses[:1]]
    roots = [each.root for each in begins if each.root is not None]
    broken = cuts.broken(known, value.id, roots)
    return broken or list(_elsewhere(known, value, begins[-1]))


def _unused(known: History, value: Value) -> Cause:
    trace = known.trace
    name = names.name(trace, value.id)
    if value.op is not None:
        says = f"makes {name}, and no later line uses it."
        return of_op(trace, trace.ops[value.op], "unused", says, value.id)
    place, _ = made_at(trace, value)
    says = f"{name} is made here, and no op uses it."
    if not place:
        says = f"No op uses {name}."
    return Cause("unused", f"{begun(place)}{says}", place, None, value.id)


def _elsewhere(known: History, value: Value, start: Start) -> Iterator[Cause]:
    """The leaf is used, but what comes of it never meets the root."""
    trace = known.trace
    ways = cuts.ways(known, value.id)
    goal = _goal(trace, start)
    name = names.name(trace, value.id)
    uses = [
        op
        for op in known.ops_on(value.id)
        if op.at < start.at and set(op.outputs) & ways.alive
    ]
    for op in uses:
        says = f"uses {name}, but {goal} is not computed from that."
        yield of_op(trace, op, "not on the way", says, value.id)
    for op in [*ways.cuts, *ways.reads]:
        if op.at < start.at and not uses:
            yield cuts.cut(trace, op)
