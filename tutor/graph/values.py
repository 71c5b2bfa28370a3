"""What is inside one value of a trace: its facts, statistics and numbers as text. Pure.

Small tensors are in the trace; of larger ones the kernel tells more (`Looked`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.graph import names, numbers
from tutor.graph.requests import Looked
from tutor.graph.trace import INLINE, Summary, Trace, Value

PARTS = 20
"""Parts of a histogram."""
_BARS = " ▁▂▃▄▅▆▇█"
_PLAIN_BARS = " .:-=+*#@"
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what, and how much."""

    label: str
    text: str


def facts(
    trace: Trace, value: int, badges: Sequence[str] = (), number: int = 0
) -> tuple[Fact, ...]:
    """What is known of a value without its numbers; `number`: of its gradient."""
    found = trace.values[value]
    name = names.name(trace, value)
    size = numbers.shape(found.summary.shape)
    said = [Fact("gradient of" if number else "value", name)]
    said.append(Fact("shape", f"{size}  {found.summary.dtype}  {found.device}"))
    if badges:
        said.append(Fact("it is", ", ".join(badges)))
    before = sum(each.tensor == found.tensor for each in trace.values[:value])
    if before:
        said.append(Fact("version", f"changed in place {_times(before)}"))
    return tuple(said)


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"


def leaves(trace: Trace) -> list[Value]:
    """Each leaf and parameter of a trace, as it was when it was first met."""
    found: dict[int, Value] = {}
    for value in trace.values:
        if value.role in ("leaf", "parameter"):
            found.setdefault(value.tensor, value)
    return list(found.values())


def needs_look(summary: Summary) -> bool:
    """Whether the kernel has to be asked for its numbers."""
    return summary.values is None and math.prod(summary.shape) > INLINE


def looked(summary: Summary) -> Looked:
    """A small tensor as the kernel would tell it."""
    flat = list(summary.values or ())
    finite = [each for each in flat if math.isfinite(each)]
    low, high = (min(finite), max(finite)) if finite else (None, None)
    mean = math.fsum(finite) / len(finite) if finite else None
    std = None
    if mean is not None and len(finite) > 1:
        spread = math.fsum((each - mean) ** 2 for each in finite)
        std = math.sqrt(spread / (len(finite) - 1))  # torch's, with Bessel's correction
    told = Summary(
        summary.shape, summary.dtype, summary.values, low, high, mean,
        len(flat) - len(finite),
    )  # fmt: skip
    return Looked(told, None, std, (), _rows(summary))


def statistics(found: Looked) -> tuple[Fact, ...]:
    """Least, greatest, mean, deviation, and what is not finite."""
    summary = found.summary
    if summary is None:
        return ()
    said = []
    several = math.prod(summary.shape) > 1
    if several and summary.low is not None and summary.high is not None:
        said.append(Fact("from … to", f"{_n(summary.low)} … {_n(summary.high)}"))
    if several and summary.mean is not None:
        deviation = "" if found.std is None else f"  std {_n(found.std)}"
        said.append(Fact("mean", _n(summary.mean) + deviation))
    if summary.nonfinite:
        said.append(Fact("not finite", f"{summary.nonfinite} nan or inf"))
    return tuple(said)


def histogram(found: Looked, *, ascii: bool = False) -> str:
    """How the numbers are spread from the least to the greatest, a sign a part."""
    if not any(found.histogram):
        return ""
    bars = _PLAIN_BARS if ascii else _BARS
    most = max(found.histogram)
    return "".join(
        bars[0 if not count else max(1, round(count / most * (len(bars) - 1)))]
        for count in found.histogram
    )


def table(found: Looked, width: int, height: int) -> Iterator[str]:
    """The numbers in columns, as many as fit; "…" where there are more."""
    rows = found.rows
    if not rows or height < 1:
        return
    texts = [[_n(each) for each in row] for row in rows]
    cell = max((len(text) for row in texts for text in row), default=1) + 2
    columns = max(1, (width - 2) // cell)
    for index, row in enumerate(texts[:height]):
        more = len(row) > columns or _has_more_columns(found, len(row))
        line = "".join(f"{text:>{cell}}" for text in row[:columns])
        is_last = index == height - 1 and (
            len(texts) > height or _has_more_rows(found, len(texts))
        )
        yield line + (" …" if more or is_last else "")


def _has_more_columns(found: Looked, shown: int) -> bool:
    shape = found.summary.shape if found.summary is not None else ()
    return bool(shape) and shape[-1] > shown


def _has_more_rows(found: Looked, shown: int) -> bool:
    shape = found.summary.shape if found.summary is not None else ()
    return math.prod(shape[:-1]) > shown


def _rows(summary: Summary) -> tuple[tuple[float, ...], ...]:
    if summary.values is None or "complex" in summary.dtype:
        return ()
    columns = summary.shape[-1] if summary.shape else 1
    if not columns:
        return ()
    flat = summary.values
    return tuple(
        flat[start : start + columns] for start in range(0, len(flat), columns)
    )


def _n(value: float) -> str:
    return numbers.number(value, _DIGITS)
