"""What the graph behind a loss tells of how it was made: a sum where a mean is usual,
outputs broadcast against targets, a sigmoid before a loss that has one inside.

Nodes and shapes are only read. Both are still there after `backward()`, which frees the
values; what would need a value is then not claimed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Node = Any
Shape = tuple[int, ...]

_DEPTH = 32
"""Nodes looked at from the loss down, along each path."""
_SHAPING = (
    "Squeeze", "Unsqueeze", "View", "UnsafeView", "ReshapeAlias", "Select", "Slice",
    "Index", "T", "Transpose", "Permute", "Alias", "Clone", "ToCopy", "Clamp", "ClampMin",
    "ClampMax", "AsStrided", "Expand",
)  # fmt: skip
"""What gives the same numbers another shape, or nearly the same numbers."""
_ELEMENTWISE = (
    "Pow", "Abs", "Mul", "Sqrt", "Neg", "Div", "Add", "Where", "Exp", "Log", "Log1P",
    "Log2", "Cosh", "LogSigmoid", "Softplus",
)  # fmt: skip
"""What may stand between an error and the sum or mean over all errors."""
_DIFFERENCE = ("Sub", "Rsub")
_LOGARITHM = ("Log", "Log1P", "LogSoftmax", "LogSigmoid", "Softplus")
_FUSED = (
    "MseLoss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropy",
    "BinaryCrossEntropyWithLogits", "NllLoss", "NllLoss2D", "SoftMarginLoss",
)  # fmt: skip
"""Losses of torch that are one node each; `_saved_reduction` 0: none, 1: mean, 2: sum."""
_BROADCASTING = ("MseLoss", "SmoothL1Loss", "HuberLoss")


@dataclass(frozen=True, slots=True)
class Broadcast:
    """An error of shape (n, n) where outputs and targets are n numbers each."""

    outputs: Shape
    errors: Shape


@dataclass(frozen=True, slots=True)
class LossGraph:
    """What is remarkable; everything None or "" of a usual loss."""

    summed: int | None = None
    """How many errors the loss is the sum of."""
    broadcast: Broadcast | None = None
    doubled: str = ""
    """sigmoid or softmax: applied once more than the loss needs."""


def read(loss: Tensor) -> LossGraph:
    """Of a loss with one element, before or after its backward pass."""
    root = loss.grad_fn
    if root is None or loss.numel() != 1:
        return LossGraph()
    tops = list(_tops(root))
    summed = [count for node, factor in tops if (count := _summed(node, factor))]
    broadcasts = [each for node, _ in tops for each in _broadcasts(node)]
    doubled = [each for node, _ in tops if (each := _doubled(node))]
    return LossGraph(
        summed[0] if summed else None,
        broadcasts[0] if broadcasts else None,
        doubled[0] if doubled else "",
    )


def name(node: Node) -> str:
    """Of what it is the derivative: "Mul" of MulBackward0."""
    return str(node.name()).partition("Backward")[0]


def shape(node: Node, output: int = 0) -> Shape | None:
    """Of what was computed; None where torch does not tell."""
    metadata = getattr(node, "_input_metadata", ())
    return tuple(metadata[output].shape) if output < len(metadata) else None


def _inputs(node: Node) -> list[tuple[Node, Shape | None]]:
    """What it was computed from, as far as gradients go there."""
    return [(each, shape(each, at)) for each, at in node.next_functions if each]


def _tops(root: Node) -> Iterator[tuple[Node, float]]:
    """The terms of the loss, each one number, and the constant that each is multiplied
    by (nan: it is not known any more)."""
    waiting = [(root, 1.0)]
    for _ in range(_DEPTH):
        if not waiting:
            return
        node, factor = waiting.pop()
        kind = name(node)
        if kind in ("Add", "Neg", *_DIFFERENCE, *_SHAPING):
            waiting += [(each, factor) for each, _ in _inputs(node)]
        elif kind in ("Mul", "Div") and len(_inputs(node)) == 1:
            waiting.append((_inputs(node)[0][0], factor * _constant(node, kind)))
        else:
            yield node, factor


def _constant(node: Node, kind: str) -> float:
    for field in ("_saved_other", "_saved_self"):
        try:
            saved = getattr(node, field, None)
        except RuntimeError:  # freed by the backward pass
            return math.nan
        if isinstance(saved, Tensor) and saved.numel() == 1:
            number = float(saved.detach())
            return 1 / number if kind == "Div" and number else number
    return math.nan


def _summed(node: Node, factor: float) -> int | None:
    """How many errors are summed up; None: a mean, or no sum of errors."""
    kind = name(node)
    below = _inputs(node)
    if not below or below[0][1] is None:
        return None
    first, wide = below[0]
    count = math.prod(wide or ())
    if kind in _FUSED:
        if getattr(node, "_saved_reduction", 1) != 2:
            return None
        if kind.startswith("NllLoss") and wide:  # (points, classes)
            count //= wide[1] if len(wide) > 1 else 1
    elif kind in ("Dot", "Mm"):
        one, other = below[0], below[-1]
        if math.prod(shape(node) or ()) != 1 or _error(one[0]) is None:
            return None
        if _error(one[0]) is not _error(other[0]):
            return None
    elif kind != "Sum" or math.prod(shape(node) or ()) != 1:
        return None
    elif not any(
        name(each) in (*_DIFFERENCE, *_LOGARITHM, *_FUSED)
        for each in (first, *_elements(first))
    ):
        return None  # like the penalty on parameters, w.pow(2).sum()
    return count if count > 1 and factor * count > 2 else None


def _elements(node: Node) -> Iterator[Node]:
    """What the numbers of a sum or a mean were made of, one by one."""
    waiting = [node]
    for _ in range(_DEPTH):
        if not waiting:
            return
        at = waiting.pop()
        yield at
        if name(at) in (*_ELEMENTWISE, *_SHAPING):
            waiting += [each for each, _ in _inputs(at)]


def _error(node: Node) -> Node | None:
    """The difference that numbers were made of."""
    found = (each for each in _elements(node) if name(each) in _DIFFERENCE)
    return next(found, None)


def _broadcasts(node: Node) -> Iterator[Broadcast]:
    for at in (node, *(each for each, _ in _inputs(node))):
        if name(at) in _BROADCASTING:
            for each, wide in _inputs(at):
                if name(each) == "Expand":
                    yield from _square(each, wide)
        elif name(at) in (*_ELEMENTWISE, *_DIFFERENCE):
            for each in _elements(at):
                if name(each) in _DIFFERENCE:
                    yield from _square(each, shape(each))


def _square(node: Node, wide: Shape | None) -> Iterator[Broadcast]:
    """Of n numbers n × n were made, and nobody asked for it with an axis of its own."""
    below = _inputs(node)
    if wide is None or len(below) != 1:
        return
    first, narrow = below[0]
    pairs = len(wide) == 2 and wide[0] == wide[1] > 1
    if pairs and narrow and math.prod(narrow) == wide[0] and name(first) != "Unsqueeze":
        yield Broadcast(narrow, wide)


def _doubled(top: Node) -> str:
    inside = [deep for each, _ in _inputs(top) for deep in _elements(each)]
    for node in (top, *inside):
        below = [_unshaped(each) for each, _ in _inputs(node)]
        kinds = [name(each) for each in below]
        if name(node) == "BinaryCrossEntropyWithLogits" and "Sigmoid" in kinds[:1]:
            return "sigmoid"
        if name(node) == "LogSoftmax" and "Softmax" in kinds[:1]:
            return "softmax"
        if name(node) in ("BinaryCrossEntropy", "Log") and "Sigmoid" in kinds[:1]:
            deeper = [_unshaped(each) for each, _ in _inputs(below[0])]
            if deeper and name(deeper[0]) == "Sigmoid":
                return "sigmoid"
    return ""


def _unshaped(node: Node) -> Node:
    for _ in range(_DEPTH):
        below = _inputs(node)
        if name(node) not in _SHAPING or not below:
            break
        node = below[0][0]
    return node
