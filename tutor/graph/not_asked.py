"""A tensor that requires no gradient, or lost its name: who made it so. Pure."""

from collections.abc import Iterator

from tutor.graph import causes, cuts, history, names, origins
from tutor.graph.causes import Cause, begun, of_op
from tutor.graph.history import History
from tutor.graph.trace import Op, Trace, Value
from tutor.graph.unseen import switched_off

_FLOATS = ("float", "complex", "bfloat")


def not_asked(known: History, value: Value) -> Iterator[Cause]:
    """A tensor that requires no gradient: who made it so."""
    trace = known.trace
    op = None if value.op is None else trace.ops[value.op]
    if op is not None and _carries(known, op):
        if "nograd" in op.flags and takes_name(known, value, op):
            yield rebound(known, value, op)
        yield cuts.cut(trace, op)
        return
    name = names.name(trace, value.id)
    off = [
        of_op(trace, op, "requires_grad off", f"switches it off for {name}.", value.id)
        for op, to in known.settings(value.id, "requires_grad_", "set_requires_grad")
        if to is False
    ]
    off = off or list(switched_off(trace, name, value.id))
    yield from off
    if not off:
        yield from _made_without(known, value, set())


def _carries(known: History, op: Op) -> bool:
    return any(known.trace.values[each].requires_grad for each in names.tensors(op))


def _made_without(known: History, value: Value, seen: set[int]) -> Iterator[Cause]:
    """Back to where the numbers were made without asking for a gradient."""
    trace = known.trace
    name = names.name(trace, value.id)
    if value.id in seen:
        return
    seen.add(value.id)
    op = None if value.op is None else trace.ops[value.op]
    if op is None:
        place, text = made_at(trace, value)
        buffer = origins.registered(trace.end.code, name)
        if value.role == "buffer" and buffer is not None:
            says = f"{causes.quoted(buffer.text)} makes a buffer, which is not trained."
            text = f"{begun(buffer.line)}{says}"
            yield Cause("buffer", text, buffer.line, None, value.id)
            return
        says = f"{name} is made without requires_grad=True."
        if text:
            says = f"{causes.quoted(text)} is made without requires_grad=True."
        yield Cause("requires_grad", f"{begun(place)}{says}", place, None, value.id)
        return
    if "creation" in op.flags or not names.tensors(op):
        if not value.summary.dtype.startswith(_FLOATS):
            says = f"is {value.summary.dtype}: only floats can require a gradient."
            yield of_op(trace, op, "integer", says, value.id)
        else:
            says = "does not say requires_grad=True."
            yield of_op(trace, op, "requires_grad", says, value.id)
        return
    if _carries(known, op):
        yield cuts.cut(trace, op)
        return
    says = f"computes {name} from tensors that require no gradient."
    yield of_op(trace, op, "requires_grad", says, value.id)
    for given in dict.fromkeys(names.tensors(op)):
        yield from _made_without(known, trace.values[given], seen)


def made_at(trace: Trace, value: Value) -> tuple[int | None, str]:
    """Where the code makes a value that no op made."""
    found = origins.made(trace.end.code, value.name) if value.name else None
    return (None, "") if found is None else (found.line, found.text)


def takes_name(known: History, value: Value, op: Op) -> bool:
    """Whether an op's new tensor took the name of a leaf that it goes back to."""
    if value.name is None or "inplace" in op.flags:
        return False
    trace = known.trace
    before = set(names.tensors(op))
    for earlier in history.ancestors(trace, value.id):
        before.update(names.tensors(trace.ops[earlier]))
    return any(
        each.name == value.name and each.is_leaf and each.tensor != value.tensor
        for each in (trace.values[given] for given in before)
    )


def rebound(known: History, value: Value, op: Op) -> Cause:
    """An op whose result took the name of what it was computed from."""
    trace = known.trace
    says = f"makes a new tensor and calls it {value.name}; the leaf lost that name."
    return of_op(trace, op, "rebinding", says, value.id)
