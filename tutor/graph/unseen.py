"""Why a name has no gradient that the trace has no tensor for: from the code. Pure."""

import difflib
from collections.abc import Iterator

from tutor.graph import origins, switches
from tutor.graph.causes import Answer, Cause, quoted
from tutor.graph.trace import Trace


def unseen(trace: Trace, name: str) -> Answer:
    """What can be said of a name that no recorded op used."""
    question = f"Why is {name}.grad None?"
    made = origins.made(trace.end.code, name)
    if made is None:
        known = {each.name for each in trace.values if each.name is not None}
        near = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        verdict = f"The trace has no tensor called {name}{hint}."
        return Answer(question, verdict, (), "")
    off = tuple(switched_off(trace, name, None))
    if off:
        verdict = f"{name}.grad is None: {name} does not require a gradient."
        return Answer(question, verdict, off, "Switch it on again before it is used.")
    found = tuple(taken_instead(trace, name)) or (_unused(name, made),)
    verdict = f"{name}.grad is None: no op of this run is known to have used it."
    return Answer(question, verdict, found, "Use it in what backward() is called on.")


def _unused(name: str, made: origins.Place) -> Cause:
    text = f"Line {made.line}: {quoted(made.text)} makes {name}; no op is known to have used it."
    return Cause("unused", text, made.line, None, None)


def switched_off(trace: Trace, name: str, value: int | None) -> Iterator[Cause]:
    """Lines that take requires_grad from it."""
    for place in switches.switched_off(trace.end.code, name):
        says = f"Line {place.line}: {quoted(place.text)} switches requires_grad off."
        yield Cause("requires_grad off", says, place.line, None, value)


def taken_instead(trace: Trace, name: str) -> Iterator[Cause]:
    """What was used in its place: a copy, or what its name was bound to later."""
    text = trace.end.code
    root = name.partition(".")[0]
    for call in origins.calls_with(text, root, "deepcopy"):
        says = f"Line {call.line}: {quoted(call.text)} makes a copy, and that is used."
        yield Cause("copied", says, call.line, None, None)
    for call in origins.calls_with(text, name, "Parameter"):
        says = f"Line {call.line}: {quoted(call.text)} makes a new leaf; {name} is another."
        yield Cause("copied", says, call.line, None, None)
    before = origins.bound(text, name)
    if before is None or not before.text.replace(".", "").isidentifier():
        return
    for place in origins.bindings(text, before.text):
        if place.line > before.line:
            says = (
                f"Line {place.line}: {quoted(place.text)} takes the place of "
                f"{before.text}; {name} is still the old one."
            )
            yield Cause("replaced", says, place.line, None, None)
