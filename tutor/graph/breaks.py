"""Breakpoints of a walk: what to stop at, as a learner types it, and where it is met. Pure."""

import difflib
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

from tutor.graph import names, numbers
from tutor.graph.causes import at_line
from tutor.graph.causes import line as line_of
from tutor.graph.nonfinite import counted, is_finite
from tutor.graph.steps import Step, Walk
from tutor.graph.trace import Op, Summary, Trace

Kind = Literal[
    "nonfinite", "vanishing", "exploding", "op", "line", "module", "leaf", "shape"
]
VANISHING = 1e-7
EXPLODING = 1e3

_EXAMPLES = ("nan", "< 1e-7", "> 1e3", "op relu", "line 4", "module net.0", "leaf w", "shape")  # fmt: skip
_BARE: dict[str, tuple[Kind, float]] = {
    "nan": ("nonfinite", 0.0),
    "inf": ("nonfinite", 0.0),
    "nonfinite": ("nonfinite", 0.0),
    "shape": ("shape", 0.0),
    "vanishing": ("vanishing", VANISHING),
    "exploding": ("exploding", EXPLODING),
}
_NAMED: dict[str, Kind] = {
    "op": "op", "line": "line", "module": "module", "leaf": "leaf",
}  # fmt: skip
_LIMIT = re.compile(r"(?:\|?\w*\|?\s*)([<>])\s*(\S+)\Z")


@dataclass(frozen=True, slots=True)
class Break:
    """One thing to stop at."""

    kind: Kind
    what: str = ""
    """The op, the line, the module or the leaf; "": the kind needs none."""
    limit: float = 0.0
    """Of vanishing and exploding: what |gradient| is compared with."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A place at which something to stop at is met."""

    place: int
    why: str
    """Like "relu at line 4: 3 of 8 gradients are nan"."""


def parse(text: str) -> Break:
    """What a learner typed; ValueError with a sentence that names the nearest."""
    words = " ".join(text.split())
    lower = words.lower()
    if lower in _BARE:
        kind, limit = _BARE[lower]
        return Break(kind, limit=limit)
    if (compared := _LIMIT.match(lower)) is not None:
        return Break(
            "vanishing" if compared[1] == "<" else "exploding",
            limit=_limit(compared[1], compared[2]),
        )
    word, _, what = words.partition(" ")
    if word.lower() not in _NAMED:
        near = difflib.get_close_matches(lower, _EXAMPLES, n=1, cutoff=0.5)
        near = near or difflib.get_close_matches(word.lower(), [*_BARE, *_NAMED], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"There is no breakpoint {words!r}.{hint} Write one of: "
            f"{', '.join(_EXAMPLES)}."
        )
    kind = _NAMED[word.lower()]
    if not what:
        example = next(each for each in _EXAMPLES if each.startswith(kind))
        raise ValueError(f"Say which {kind}, as in: {example}.")
    if kind == "line" and not what.isdecimal():
        raise ValueError(f"A line is a number, as in: line 4; not {what!r}.")
    return Break(kind, what)


def _limit(sign: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not (math.isfinite(found) and found > 0):
        raise ValueError(
            f"After {sign} comes a number above 0, as in: {sign} 1e-7; not {text!r}."
        )
    return found


def words(broken: Break) -> str:
    """A breakpoint as the learner would type it."""
    match broken.kind:
        case "nonfinite":
            return "nan"
        case "vanishing":
            return f"< {broken.limit:g}"
        case "exploding":
            return f"> {broken.limit:g}"
        case "shape":
            return "shape"
        case "op" | "line" | "module" | "leaf":
            return f"{broken.kind} {broken.what}"


# --------------------------------------------------------------------- where it is met


def next_hit(
    walk: Walk, place: int, breaks: tuple[Break, ...], *, forward: bool = True
) -> Hit | None:
    """The first hit after a place, or before it; None: there is none that way."""
    hits = all_hits(walk, breaks)
    places = [hit.place for hit in hits]
    found = bisect_right(places, place) if forward else bisect_left(places, place) - 1
    return hits[found] if 0 <= found < len(hits) else None


_found: WeakKeyDictionary[Walk, dict[Break, tuple[Hit, ...]]] = WeakKeyDictionary()
"""What was looked for in a walk already."""


def all_hits(walk: Walk, breaks: tuple[Break, ...]) -> tuple[Hit, ...]:
    """Every place at which one of them is met, each once; one hit a stop and break."""
    known = _found.setdefault(walk, {})
    for each in breaks:
        if each not in known:
            known[each] = tuple(_hits(walk, each))
    by_place: dict[int, Hit] = {}
    for each in breaks:
        for hit in known[each]:
            by_place.setdefault(hit.place, hit)
    return tuple(by_place[place] for place in sorted(by_place))


def _hits(walk: Walk, broken: Break) -> Iterator[Hit]:
    test = _TESTS[broken.kind]
    stop = -1
    for place, step in enumerate(walk.steps, start=1):
        if step.stop == stop:
            continue
        why = test(walk, step, broken)
        if why is not None:
            stop = step.stop
            yield Hit(place, f"{_where(walk.trace, step)}: {why}")


def _where(trace: Trace, step: Step) -> str:
    """Like "relu at line 4", or the leaf's name."""
    if step.op is None:
        return "" if step.value is None else names.name(trace, step.value)
    op = trace.ops[step.op]
    return f"{op.function}{at_line(line_of(op))}"


def _gradient(walk: Walk, step: Step) -> Summary | None:
    """The gradient that a step of the backward walk shows; None: it shows none."""
    if step.value is None:
        return None
    match step.kind:
        case "arrive" | "accumulate":
            return walk.gradients.get((step.number, step.value))
        case "leaf":
            return walk.leaves[step.number, step.value].add
        case "contribute":
            if step.op is None:
                return None
            for sent in walk.passes[step.number, step.op].sent:
                if (sent.position, sent.to) == (step.position, step.value):
                    return sent.gradient
    return None


def magnitude(gradient: Summary) -> float | None:
    """The largest finite |element|; None: it is not known, or none is finite."""
    if gradient.values is not None:
        sizes = [abs(each) for each in gradient.values if math.isfinite(each)]
        return max(sizes) if sizes else None
    if gradient.low is None or gradient.high is None:
        return None
    return max(abs(gradient.low), abs(gradient.high))


def _nonfinite(walk: Walk, step: Step, broken: Break) -> str | None:
    if step.kind == "forward":
        if step.op is None:
            return None
        for output in walk.trace.ops[step.op].outputs:
            summary = walk.trace.values[output].summary
            if not is_finite(summary):
                return _counted(summary, "value")
        return None
    gradient = _gradient(walk, step)
    if gradient is None or is_finite(gradient):
        return None
    return _counted(gradient, "gradient")


def _counted(summary: Summary, what: str) -> str:
    """Like "3 of 8 gradients are nan", "the gradient is inf"."""
    text = counted(summary)
    if " of " not in text:
        return f"the {what} is {text}"
    for verb in (" are ", " is "):
        if verb in text:
            before, _, after = text.partition(verb)
            return f"{before} {what}s{verb}{after}"
    return text


def _vanishing(walk: Walk, step: Step, broken: Break) -> str | None:
    gradient = _gradient(walk, step)
    size = None if gradient is None else magnitude(gradient)
    if size is None or size >= broken.limit or not is_finite(gradient):
        return None
    shown = numbers.number(size, 3)
    return f"the largest |gradient| is {shown}, below {broken.limit:g}"


def _exploding(walk: Walk, step: Step, broken: Break) -> str | None:
    gradient = _gradient(walk, step)
    size = None if gradient is None else magnitude(gradient)
    if size is None or size <= broken.limit:
        return None
    shown = numbers.number(size, 3)
    return f"the largest |gradient| is {shown}, above {broken.limit:g}"


def _op_of(walk: Walk, step: Step) -> Op | None:
    return None if step.op is None else walk.trace.ops[step.op]


def _is_op(walk: Walk, step: Step, broken: Break) -> str | None:
    op = _op_of(walk, step)
    if op is None:
        return None
    wanted = broken.what.lower()
    known = {op.function.lower(), op.function.rstrip("_").lower(), op.symbol.lower()}
    return f"the op is {broken.what}" if wanted in known else None


def _is_line(walk: Walk, step: Step, broken: Break) -> str | None:
    op = _op_of(walk, step)
    if op is None or op.source is None:
        return None
    first, last = op.source.line, op.source.end_line
    return f"line {broken.what}" if first <= int(broken.what) <= last else None


def _is_module(walk: Walk, step: Step, broken: Break) -> str | None:
    op = _op_of(walk, step)
    if op is None or not f"{op.module}.".startswith(f"{broken.what}."):
        return None
    return f"in module {op.module}"


def _is_leaf(walk: Walk, step: Step, broken: Break) -> str | None:
    if step.kind != "leaf" or step.value is None:
        return None
    if names.name(walk.trace, step.value) != broken.what:
        return None
    return "its .grad changes"


def _shape(walk: Walk, step: Step, broken: Break) -> str | None:
    op = _op_of(walk, step)
    if op is None or step.kind != "forward" or not op.outputs:
        return None
    values = walk.trace.values
    given = [values[each].summary.shape for each in names.tensors(op)]
    after = values[op.outputs[0]].summary.shape
    if not given or after in given:
        return None
    before = " and ".join(numbers.shape(each) for each in dict.fromkeys(given))
    return f"the shape {before} becomes {numbers.shape(after)}"


_TESTS: dict[Kind, Callable[[Walk, Step, Break], str | None]] = {
    "nonfinite": _nonfinite,
    "vanishing": _vanishing,
    "exploding": _exploding,
    "op": _is_op,
    "line": _is_line,
    "module": _is_module,
    "leaf": _is_leaf,
    "shape": _shape,
}
