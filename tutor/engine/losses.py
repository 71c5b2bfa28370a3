"""The losses that runs go down, and what their outputs say about classes.

Their names stand in `training.catalogue`.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from tutor.engine.datasets import Data
from tutor.training.spec import RunSpec

Loss = Callable[[Tensor, Tensor], Tensor]
"""(outputs, targets), (batch, 1) both -> a single number."""


def _sse(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.mse_loss(outputs, targets, reduction="sum")


def _value(outputs: Tensor, targets: Tensor) -> Tensor:
    return outputs.sum()  # of one point


LOSSES: dict[str, Loss] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "sse": _sse,
    "bce": functional.binary_cross_entropy_with_logits,
    "value": _value,
}


def loss(spec: RunSpec) -> Loss:
    """What the run minimises, its slip included."""
    if spec.slip == "broadcast":
        return _broadcast(spec.loss)
    if spec.slip == "double-sigmoid":
        return _of_probabilities if spec.model == "perceptron" else _sigmoid_twice
    if spec.loss == "bce" and spec.model == "perceptron":
        return functional.binary_cross_entropy
    return LOSSES[spec.loss]


def _sigmoid_twice(outputs: Tensor, targets: Tensor) -> Tensor:
    return _of_probabilities(outputs.sigmoid(), targets)


def _of_probabilities(outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss for numbers before the sigmoid, of numbers after one."""
    return functional.binary_cross_entropy_with_logits(outputs, targets)


def _broadcast(name: str) -> Loss:
    """Targets of shape (n,): each output is compared with all of them."""

    def compared(outputs: Tensor, targets: Tensor) -> Tensor:
        errors = outputs - targets.squeeze(1)  # (n, n)
        if name == "mae":
            return errors.abs().mean()
        return (errors**2).sum() if name == "sse" else (errors**2).mean()

    return compared


def probability(spec: RunSpec, outputs: Tensor) -> Tensor:
    """Of class 1, of the same shape: an output itself after a sigmoid, and where it is
    compared with 0 and 1."""
    if spec.loss == "bce" and spec.model != "perceptron":
        return outputs.sigmoid()
    return outputs.clamp(0, 1)


def accuracy(spec: RunSpec, outputs: Tensor, data: Data) -> float | None:
    """Share of the data that is classified right; None: it is not to be classified."""
    if data.task != "classify":
        return None
    with torch.no_grad():
        says_one = probability(spec, outputs) > 0.5
        return (says_one == (data.y > 0.5)).float().mean().item()
