"""Why a name has no gradient that the trace has no tensor for: from the code. Pure."""

import difflib
from collections.abc import Iterator

from tutor.graph import origins
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
    found = (*_instead(trace, name), _unused(name, made))
    verdict = f"{name}.grad is None: no op of this run used {name}."
    return Answer(question, verdict, found, "Use it in what backward() is called on.")


def _unused(name: str, made: origins.Place) -> Cause:
    text = f"Line {made.line}: {quoted(made.text)} makes {name}; no op used it."
    return Cause("unused", text, made.line, None, None)


def _instead(trace: Trace, name: str) -> Iterator[Cause]:
    """What was used in its place: a copy, or what the name was bound to later."""
    text = trace.end.code
    root = name.partition(".")[0]
    for call in origins.calls_with(text, root, "deepcopy"):
        says = (
            f"Line {call.line}: {quoted(call.text)} makes a copy, which is another one."
        )
        yield Cause("copy", says, call.line, None, None)
    before = origins.bound(text, name)
    if before is None or before.text == name:
        return
    for place in origins.bindings(text, before.text):
        if place.line > before.line:
            says = (
                f"Line {place.line}: {quoted(place.text)} takes the place of "
                f"{before.text}; {name} is still the old one."
            )
            yield Cause("replaced", says, place.line, None, None)
