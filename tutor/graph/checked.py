"""What finite differences say of an op, as sentences. Pure."""

from collections.abc import Iterator

from tutor.graph import names, numbers
from tutor.graph.requests import ArgumentCheck, Checked
from tutor.graph.trace import Trace


def sentences(trace: Trace, op: int, found: Checked) -> Iterator[str]:
    """The report of one op's check, argument by argument."""
    yield f"{names.statement(trace, trace.ops[op])}, run alone in float64:"
    yield ""
    if found.problem is not None:
        yield found.problem
        return
    values = names.tensors(trace.ops[op])
    for each in found.arguments:
        name = names.name(trace, values[each.position])
        yield from _argument(name, each)


def _argument(name: str, found: ArgumentCheck) -> Iterator[str]:
    moved = (
        "it was" if found.of == 1 else f"{found.elements} of {found.of} elements were"
    )
    yield f"{name}: {moved} moved by ±{numbers.number(found.step, 2)}, one at a time."
    verdict = "agrees with" if found.agrees else "differs from"
    yield (
        f"  The slope found by that {verdict} torch's gradient of the op "
        f"(largest difference {numbers.number(found.difference, 2)})."
    )
    if found.corners:
        yield (
            f"  {found.corners} of them lie at a corner, where the slopes to both sides "
            "differ and torch's is between them."
        )
    if found.engine_agrees is not None and found.engine_difference is not None:
        verdict = "That is" if found.engine_agrees else "That is not"
        difference = numbers.number(found.engine_difference, 2)
        yield (
            f"  {verdict} what torch's engine sent in the walk "
            f"(largest difference {difference})."
        )
