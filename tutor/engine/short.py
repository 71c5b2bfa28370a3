"""Values in one short line, for verdicts: `[1., 2.5]`, `shape (3, 4), [0.1, ...]`."""

import math
import types
from typing import Any

import torch

WIDTH = 60
"""Characters; a verdict's line has a label before the value."""

_SHOWN = 12
"""Elements of a tensor that are worth reading."""


def short(value: object, width: int = WIDTH) -> str:
    """One line that a reader can compare with another; never raises, whatever it is."""
    text = _shown(value)
    return text if len(text) <= width else text[: width - 3] + "..."


def _shown(value: object) -> str:
    if isinstance(value, torch.Tensor):
        return _tensor(value)
    if isinstance(value, float):
        return repr(value)
    if type(value) in (list, tuple):
        items = ", ".join(_shown(each) for each in list(value)[:_SHOWN])  # type: ignore[call-overload]
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType)):
        return value.__name__
    try:
        return " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - a learner's __repr__ may raise anything
        return f"<a {type(value).__name__}>"


def _tensor(tensor: torch.Tensor) -> str:
    shape = tuple(tensor.shape)
    kind = "" if _usual(tensor.dtype) else f" {_dtype(tensor.dtype)}"
    if tensor.numel() == 0:
        return f"an empty tensor of shape {shape}{kind}"
    try:
        detached = tensor.detach().cpu()
        if tensor.numel() <= _SHOWN:
            return _nested(detached.tolist()) + kind
        first = ", ".join(_number(each) for each in detached.reshape(-1)[:4].tolist())
    except Exception:  # noqa: BLE001 - meta, sparse, quantised: there are no numbers
        return f"a tensor of shape {shape}{kind} on {tensor.device}"
    return f"shape {shape}{kind}, first {first}, ..."


def _nested(items: Any) -> str:
    if isinstance(items, list):
        return "[" + ", ".join(_nested(each) for each in items) + "]"
    return _number(items)


def _number(value: Any) -> str:
    """As torch prints it: 12., 0.25, 1e-05; whole numbers and booleans as they are."""
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.5g}"
    return text if any(mark in text for mark in ".e") else text + "."


def _usual(dtype: torch.dtype) -> bool:
    return dtype in (torch.float32, torch.int64, torch.bool)


def _dtype(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
