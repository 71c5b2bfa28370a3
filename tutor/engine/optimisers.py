"""The optimisers that runs use: torch's own, and a random search to compare them with.

Their names stand in `training.catalogue`.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from tutor.training.spec import RunSpec


class RandomSearch(Optimizer):
    """Moves every parameter at random, normally distributed with the deviation lr, and
    goes back when the loss did not become less."""

    def __init__(self, parameters: Any, lr: float, generator: Generator) -> None:
        super().__init__(parameters, {"lr": lr})
        self.generator = generator

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """`closure` computes the loss, and no gradients."""
        before = closure()
        parameters = [each for group in self.param_groups for each in group["params"]]
        places = [each.clone() for each in parameters]
        lr = self.param_groups[0]["lr"]
        for each in parameters:
            move = torch.randn(each.shape, generator=self.generator)
            each.add_(move.to(each.device), alpha=lr)
        if not closure() < before:
            for each, place in zip(parameters, places, strict=True):
                each.copy_(place)
        return before


def optimiser(
    spec: RunSpec, trained: nn.Module, moves: Generator | None = None
) -> Optimizer | None:
    """A new one, without memory of earlier iterations; None for none. `moves` draws
    those of a random search."""
    parameters = trained.parameters()
    match spec.optimiser:
        case "sgd":
            return SGD(parameters, lr=spec.lr)
        case "momentum":
            return SGD(parameters, lr=spec.lr, momentum=spec.momentum)
        case "adam":
            return Adam(parameters, lr=spec.lr)
        case "random":
            return RandomSearch(parameters, spec.lr, moves or Generator())
        case "none":
            return None
    raise KeyError(spec.optimiser)
