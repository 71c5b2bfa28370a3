"""Numbers and tensors as a learner reads them. Pure."""

import math
from collections.abc import Sequence

from tutor.graph.trace import Summary

DIGITS = 6
"""Significant digits of a number by itself."""
_ITEM_DIGITS = 4
_WHOLE = 1e9


def number(value: float, digits: int = DIGITS) -> str:
    """Like "12", "33.8", "1.5e-07", "nan"; float noise after the digits is dropped."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < _WHOLE:
        return str(int(value))
    return f"{value:.{digits}g}"


def shape(dims: Sequence[int]) -> str:
    """Like "(64, 5)", "(3,)", "()"."""
    return f"({', '.join(map(str, dims))}{',' if len(dims) == 1 else ''})"


def tensor(summary: Summary, room: int = 40, digits: int = DIGITS) -> str:
    """All of it where it fits in `room` characters, else its shape and range."""
    if summary.scalar is not None and not summary.shape:
        return _item(summary, summary.scalar, digits)
    # Each number takes a digit and two signs: most large ones need not be written.
    if (
        summary.values is not None
        and "complex" not in summary.dtype
        and (3 * len(summary.values) - 2 <= room)
    ):
        for shown in (_ITEM_DIGITS, _ITEM_DIGITS - 1, _ITEM_DIGITS - 2):
            text = _nested(summary, list(summary.values), summary.shape, shown)
            if len(text) <= room:
                return text
    return outline(summary, room)


def outline(summary: Summary, room: int = 40) -> str:
    """The shape, and from which to which number it goes where there is room."""
    size = shape(summary.shape)
    low, high = summary.low, summary.high
    if summary.values and "complex" not in summary.dtype:
        finite = [each for each in summary.values if math.isfinite(each)]
        low, high = (min(finite), max(finite)) if finite else (None, None)
    if low is None or high is None:
        return size
    whole = f"{size} {number(low, _ITEM_DIGITS)} … {number(high, _ITEM_DIGITS)}"
    return whole if len(whole) <= room else size


def nested(summary: Summary) -> object:
    """Nested lists for JSON; a number for a shape of (); statistics above the limit."""
    if summary.values is None:
        return {
            "shape": list(summary.shape),
            "dtype": summary.dtype,
            "min": summary.low,
            "max": summary.high,
            "mean": summary.mean,
            "nonfinite": summary.nonfinite,
            "head": list(summary.head),
        }
    dims = summary.shape
    if "complex" in summary.dtype:
        dims = (*dims, 2)
    return _listed([_exact(summary, each) for each in summary.values], dims)


def _listed(flat: list[object], dims: Sequence[int]) -> object:
    if not dims:
        return flat[0]
    size = len(flat) // dims[0] if dims[0] else 0
    starts = range(0, dims[0] * size, size) if size else [0] * dims[0]
    return [_listed(flat[start : start + size], dims[1:]) for start in starts]


def _exact(summary: Summary, value: float) -> object:
    if summary.dtype == "bool":
        return bool(value)
    return int(value) if "int" in summary.dtype else value


def _item(summary: Summary, value: float, digits: int) -> str:
    return str(bool(value)) if summary.dtype == "bool" else number(value, digits)


def _nested(
    summary: Summary, flat: list[float], dims: Sequence[int], digits: int
) -> str:
    if not dims:
        return _item(summary, flat[0], digits)
    size = len(flat) // dims[0] if dims[0] else 0
    rows = [
        _nested(summary, flat[place * size : (place + 1) * size], dims[1:], digits)
        for place in range(dims[0])
    ]
    return f"[{', '.join(rows)}]"
