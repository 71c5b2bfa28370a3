"""Prediction: numbers of a walk that are asked for before they are shown. Pure.

A gate stands before the step that would show its number. It is answered by a number, or
by an expression that must give torch's number here and at other points of the leaves.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tutor.graph import explain, names, numbers, values
from tutor.graph.expressions import ExpressionError, number, parse
from tutor.graph.refer import Reveal, reveals
from tutor.graph.steps import Walk
from tutor.graph.trace import Summary

TOLERANCE = 5e-3
"""Of a typed number, relative: three digits worked out by hand are enough."""
_EXACT = 1e-5
"""Of an expression, relative: torch may compute in float32."""
_NEAR_ZERO = 1e-6


@dataclass(frozen=True, slots=True)
class Gate:
    """A number to be predicted."""

    place: int
    """The step that shows it; the walk waits one step before."""
    asks: str
    """What is asked for: "u", "∂f/∂q", "x.grad"."""
    wanted: float
    reveal: Reveal


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of an answer."""

    right: bool
    sentence: str
    unread: bool = False
    """It could not be understood, so it is no answer yet."""


def gates(walk: Walk, words: Iterable[str]) -> tuple[Gate, ...]:
    """In the order of the walk. What is no single number is not asked."""
    found: dict[tuple[int, str], Gate] = {}
    for word in words:
        for reveal in reveals(walk, word):
            wanted = _wanted(walk, reveal)
            if wanted is not None:
                asks = _asks(walk, reveal)
                found.setdefault(
                    (reveal.place, asks), Gate(reveal.place, asks, wanted, reveal)
                )
    return tuple(sorted(found.values(), key=lambda gate: gate.place))


def is_expression(walk: Walk, typed: str) -> bool:
    """Whether other points are needed to judge it: it has names in it."""
    try:
        return number(typed) is None and bool(parse(typed, _names(walk)).names)
    except ExpressionError:
        return False


def judge(gate: Gate, typed: str, walks: Sequence[Walk]) -> Judged:
    """Judge an answer. `walks`: the learner's own walk, then walks of the same code at
    other leaves, for an expression; torch's numbers in them decide."""
    try:
        expression = parse(typed, _names(walks[0]))
    except ExpressionError as error:
        return Judged(False, str(error), unread=True)
    if not expression.names:
        given = expression.at({})
        if _close(given, gate.wanted, TOLERANCE):
            return Judged(True, f"{gate.asks} = {numbers.number(gate.wanted)}")
        return Judged(False, _mistake(walks[0], gate, given))
    compared = 0
    for walk in walks:
        wanted = _same(walk, gate)
        if wanted is None:
            continue
        known = _known(walk, gate.place)
        missing = sorted(expression.names - set(known))
        if missing:
            listed = ", ".join(sorted(known)[:6]) or "no name yet"
            sentence = f"{missing[0]!r} is no number here; there is {listed}."
            return Judged(False, sentence, unread=True)
        if not _close(expression.at(known), wanted, _EXACT):
            if compared:
                where = _where(walk)
                return Judged(False, f"Right here, but not at {where}.")
            return Judged(False, _mistake(walk, gate, expression.at(known)))
        compared += 1
    points = "" if compared < 2 else f", here and at {compared - 1} other points"
    return Judged(True, f"{gate.asks} = {numbers.number(gate.wanted)}{points}")


# ------------------------------------------------------------------- what is asked for


def _wanted(walk: Walk, reveal: Reveal) -> float | None:
    """The number; None where it is no single one."""
    found: Summary | None = None
    match reveal.kind:
        case "value":
            found = walk.trace.values[reveal.value].summary
        case "local":
            assert reveal.op is not None
            rule = walk.rules.get((reveal.op, reveal.position))
            found = None if rule is None else rule.local
        case "gradient":
            found = walk.gradients.get((reveal.number, reveal.value))
        case "leaf":
            found = walk.leaves[reveal.number, reveal.value].after
    if found is None or found.dtype == "bool" or "complex" in found.dtype:
        return None
    return found.scalar


def _asks(walk: Walk, reveal: Reveal) -> str:
    match reveal.kind:
        case "value":
            return names.name(walk.trace, reveal.value)
        case "local":
            assert reveal.op is not None
            made = walk.passes[reveal.number, reveal.op].of
            return names.derivative(walk.trace, made, reveal.value)
        case "gradient":
            return explain.called(walk, reveal.number, reveal.value)
        case "leaf":
            return f"{names.name(walk.trace, reveal.value)}.grad"


def _same(walk: Walk, gate: Gate) -> float | None:
    """The gate's number in a walk of the same code; None: that went another way."""
    if len(walk.steps) < gate.place or gate.reveal.value >= len(walk.trace.values):
        return None
    try:
        return _wanted(walk, gate.reveal)
    except (KeyError, IndexError):
        return None


def _names(walk: Walk) -> list[str]:
    """Of the code: a variable called e is no 2.718."""
    return sorted({value.name for value in walk.trace.values if value.name})


def _known(walk: Walk, place: int) -> dict[str, float]:
    """The numbers that have a name before a place."""
    found = {}
    for value in walk.trace.values:
        known_from = walk.value_place.get(value.id)
        scalar = value.summary.scalar
        is_known = known_from is not None and known_from < place
        if value.name and scalar is not None and is_known:
            found[value.name] = scalar
    return found


def _where(walk: Walk) -> str:
    """Like "x = 3"."""
    leaves = [
        f"{value.name} = {numbers.number(scalar, 4)}"
        for value in values.leaves(walk.trace)
        if value.name and (scalar := value.summary.scalar) is not None
    ]
    return ", ".join(leaves[:3]) or "another point"


def _close(given: float, wanted: float, relative: float) -> bool:
    if math.isnan(wanted) or math.isinf(wanted):
        return str(given) == str(wanted)
    return abs(given - wanted) <= max(relative * abs(wanted), _NEAR_ZERO)


# ------------------------------------------------------------------ what went wrong


def _mistake(walk: Walk, gate: Gate, given: float) -> str:
    """A wrong number, told by what it would have been right for."""
    told = numbers.number(given, 4)
    for wrong, words in _slips(walk, gate):
        if wrong is not None and _close(given, wrong, TOLERANCE):
            return f"{told} {words}"
    return f"Not {told}."


def _slips(walk: Walk, gate: Gate) -> Iterable[tuple[float | None, str]]:
    reveal = gate.reveal
    yield -gate.wanted, "has the wrong sign."
    if reveal.kind in ("gradient", "leaf") and reveal.op is not None:
        yield from _edge_slips(walk, reveal)
    if reveal.kind == "leaf":
        leaf = walk.leaves[reveal.number, reveal.value]
        if leaf.before is not None:
            yield leaf.add.scalar, "is what this pass sends; it is added to .grad."
    if reveal.kind == "local" and reveal.op is not None:
        merged = walk.passes[reveal.number, reveal.op]
        sent = next(each for each in merged.sent if each.position == reveal.position)
        if sent.gradient is not None:
            yield (
                sent.gradient.scalar,
                "has the upstream gradient in it; a local derivative looks at this "
                "node alone.",
            )


def _edge_slips(walk: Walk, reveal: Reveal) -> Iterable[tuple[float | None, str]]:
    assert reveal.op is not None
    merged = walk.passes.get((reveal.number, reveal.op))
    if merged is None:
        return
    upstream = merged.upstream.scalar
    for sent in merged.sent:
        if sent.to != reveal.value:
            continue
        rule = walk.rules.get((reveal.op, sent.position))
        local = rule.local.scalar if rule is not None and rule.local else None
        if upstream is None or local is None:
            continue
        yield upstream + local, "is a sum; an edge multiplies upstream by local."
        yield local, "is the local derivative; multiply it by what arrives."
        yield upstream, "is what arrives; multiply it by the local derivative."
    parts = walk.parts.get((reveal.number, reveal.value), ())
    if len(parts) > 1:
        product = 1.0
        for part in parts:
            product *= part.gradient.scalar or math.nan
            yield part.gradient.scalar, "is one path's share; add them all."
        yield product, "is the product of the paths; paths add."
