"""What a question to the trace is answered with, and the words all answers share. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tutor.graph import names
from tutor.graph.trace import Op, Source, Trace

SOURCE_LIMIT = 44
"""Characters of source text quoted in a sentence."""
CAUSES_AT_MOST = 40


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason, at one place of the learner's code."""

    kind: str
    """Like "detach" or "dead relu"; for grouping, not for the reader."""
    text: str
    """One sentence that quotes the code."""
    line: int | None
    """Of the learner's code; None: it is no line's doing, or the line is not known."""
    op: int | None
    value: int | None
    """The value that it happened to."""
    partly: bool = False
    """Whether it explains some of the elements only."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the trace says to a question."""

    question: str
    """Like "Why is x.grad None?"."""
    verdict: str
    """One sentence."""
    causes: tuple[Cause, ...]
    """All that the trace shows; empty where it shows none."""
    advice: str
    """What to do, one sentence; "": nothing."""


def called(trace: Trace, value: int) -> str:
    """A tensor in a sentence: by its name, also where an in-place op left it none."""
    found = trace.values[value]
    if found.name is None and found.version:
        for each in trace.values:
            if each.tensor == found.tensor and each.name is not None:
                return each.name
    return names.name(trace, value)


def quoted(text: str) -> str:
    """Source text in a sentence, on one line and not too long."""
    flat = " ".join(text.split())
    if len(flat) > SOURCE_LIMIT:
        flat = f"{flat[: SOURCE_LIMIT - 1]}…"
    return f"`{flat}`"


def code(trace: Trace, op: Op) -> str:
    """The op in a sentence: its source text, quoted."""
    return quoted(op.label or names.call_text(trace, op))


def line(op: Op) -> int | None:
    """The op's line; None where its source is not known."""
    return None if op.source is None else op.source.line


def begun(place: int | None) -> str:
    """How a cause's sentence begins: "Line 3: "; "" without a line."""
    return "" if place is None else f"Line {place}: "


def at_line(place: int | None) -> str:
    """Inside a sentence: " at line 3"; "" without a line."""
    return "" if place is None else f" at line {place}"


def of_op(trace: Trace, op: Op, kind: str, says: str, value: int | None) -> Cause:
    """A cause that is an op: "Line 3: `x.detach()` " and what it does."""
    text = f"{begun(line(op))}{code(trace, op)} {says}"
    return Cause(kind, text, line(op), op.id, value)


def of_source(source: Source | None, kind: str, says: str) -> Cause:
    """A cause that is a place in the code but no op of the trace."""
    place = None if source is None else source.line
    sentence = says if place is not None else f"{says[:1].upper()}{says[1:]}"
    return Cause(kind, f"{begun(place)}{sentence}", place, None, None)


def distinct(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Each once, in their order: a loop meets one line many times."""
    found = {(each.kind, each.line, each.text): each for each in reversed([*causes])}
    return tuple(reversed(found.values()))[:CAUSES_AT_MOST]


def listed(words: Sequence[str]) -> str:
    """Like "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
