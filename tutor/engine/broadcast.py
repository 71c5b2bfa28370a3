"""The models and losses of runs, written by hand over a first dimension of seeds. What
each computes for one seed is what `engine.models` and its losses compute.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from tutor.engine import models
from tutor.engine.seeded import Data
from tutor.training import catalogue
from tutor.training.spec import RunSpec

LINEAR_IN_PARAMETERS = ("constant", "linear", "parabola")
_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}


def parameters(spec: RunSpec, seeds: Sequence[int], features: int) -> list[Tensor]:
    """The initial ones of each seed, stacked: (seeds, ...) each."""
    if spec.model != "mlp" or spec.init == "zero":  # alike for all
        alike = models.model(spec, features).parameters()
        return [each.detach().expand(len(seeds), *each.shape) for each in alike]
    made = [
        models.model(replace(spec, seed=seed), features).parameters() for seed in seeds
    ]
    return [torch.stack(each).detach() for each in zip(*made, strict=True)]


def outputs(spec: RunSpec, stack: list[Tensor], x: Tensor) -> Tensor:
    """x: (seeds, points, features) -> (seeds, points, 1)."""
    if spec.model == "constant":
        return stack[0].view(-1, 1, 1).expand(-1, x.shape[1], 1)
    if spec.model == "parabola":
        x = torch.cat([x, x.square()], 2)
    layers = list(zip(stack[::2], stack[1::2], strict=True))
    hidden = x
    for number, (weight, bias) in enumerate(layers):
        if number:
            hidden = _ACTIVATIONS[spec.activation](hidden)
        hidden = _linear(hidden, weight, bias)
    return hidden.sigmoid() if spec.model == "perceptron" else hidden


def _linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """(seeds, points, in), (seeds, out, in), (seeds, out) -> (seeds, points, out)."""
    if x.shape[2] > 2:
        return torch.baddbmm(bias.unsqueeze(1), x, weight.mT)
    columns = zip(x.split(1, 2), weight.unbind(2), strict=True)
    found = bias.unsqueeze(1)
    for column, each in columns:  # (seeds, points, 1), (seeds, out)
        found = found + column * each.unsqueeze(1)
    return found


def losses(spec: RunSpec, said: Tensor, y: Tensor) -> Tensor:
    """(seeds, points, 1) twice -> the loss of each seed: (seeds,)."""
    match spec.loss:
        case "mse":
            return (said - y).square().mean((1, 2))
        case "mae":
            return (said - y).abs().mean((1, 2))
        case "sse":
            return (said - y).square().sum((1, 2))
        case "bce":
            if spec.slip == "double-sigmoid" and spec.model != "perceptron":
                said = said.sigmoid()
            elif spec.slip != "double-sigmoid" and spec.model == "perceptron":
                each = functional.binary_cross_entropy(said, y, reduction="none")
                return each.mean((1, 2))
            return functional.binary_cross_entropy_with_logits(
                said, y, reduction="none"
            ).mean((1, 2))
        case _:
            return said.sum((1, 2))


@dataclass(frozen=True, slots=True)
class Quadratic:
    """The mean squared error of a model that is linear in its parameters p, on all the
    data: pᵀ M p - 2 pᵀ v + c. Six sums of the data say all of it, in float64.
    """

    m: Tensor
    """(seeds, parameters, parameters)."""
    v: Tensor
    """(seeds, parameters, 1)."""
    c: Tensor
    """(seeds,)."""

    def losses(self, row: Tensor) -> Tensor:
        p = row.double().unsqueeze(2)
        return (p * (self.m @ p - 2 * self.v)).sum((1, 2)) + self.c

    def lowest(self) -> Tensor:
        found: Tensor = torch.linalg.lstsq(self.m, self.v).solution
        return found[:, :, 0]


def is_quadratic(spec: RunSpec) -> bool:
    """Whether a `Quadratic` says all of its loss, now and after its changes."""
    losses = {spec.loss, *(each.value for each in spec.changes if each.key == "loss")}
    fits = catalogue.task(spec.dataset) == "fit"
    return fits and spec.model in LINEAR_IN_PARAMETERS and losses <= {"mse", "sse"}


def quadratic(spec: RunSpec, data: Data) -> Quadratic | None:
    """That of a run's loss; None where it is not one."""
    if not is_quadratic(spec):
        return None
    one = torch.ones_like(data.y)
    known = {
        "constant": [one],
        "linear": [data.x, one],
        "parabola": [data.x, data.x.square(), one],
    }[spec.model]
    a, y = torch.cat(known, dim=2).double(), data.y.double()
    scale = 1.0 if spec.loss == "sse" else 1 / data.y.shape[1]
    return Quadratic(scale * a.mT @ a, scale * a.mT @ y, scale * (y * y).sum((1, 2)))
