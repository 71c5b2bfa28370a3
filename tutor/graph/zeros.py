"""Elements that are zero, and words for them. Pure."""

from collections.abc import Iterable, Sequence

from tutor.graph import numbers
from tutor.graph.trace import Summary

_SHOWN = 3


def values_of(summary: Summary) -> tuple[float, ...] | None:
    """All elements of a real tensor; None: too many, or not looked at."""
    return None if "complex" in summary.dtype else summary.values


def is_zero(summary: Summary, elements: Iterable[int] | None = None) -> bool:
    """Whether all elements are 0, or all of those; False where that is not known."""
    if summary.values is not None:
        found = summary.values
        if elements is not None and "complex" not in summary.dtype:
            return all(found[each] == 0 for each in elements if each < len(found))
        return not any(found)
    return summary.low == 0 and summary.high == 0 and not summary.nonfinite


def zeros(summary: Summary) -> frozenset[int] | None:
    """Which elements are 0; None: all of them, or it is not known which."""
    found = values_of(summary)
    if found is None:
        return None
    return passing(found, (each == 0 for each in found))


def passing(items: Sequence[float], passes: Iterable[bool]) -> frozenset[int] | None:
    """Which of them pass; None: all."""
    where = frozenset(index for index, each in enumerate(passes) if each)
    return None if len(where) == len(items) else where


def shown(summary: Summary, elements: Iterable[int] | None) -> str:
    """A few of the numbers in brackets, like " (-3, -6)"; "" where they are not known."""
    found = values_of(summary)
    if found is None:
        if summary.low is None or summary.high is None:
            return ""
        low, high = numbers.number(summary.low, 3), numbers.number(summary.high, 3)
        return f" ({low} to {high})"
    chosen = range(len(found)) if elements is None else sorted(elements)
    words = [numbers.number(found[each], 4) for each in [*chosen][:_SHOWN]]
    more = ", …" if len(chosen) > _SHOWN else ""
    return f" ({', '.join(words)}{more})"
