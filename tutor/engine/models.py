"""The models that runs train, their optimisers, and the parameters worth watching.

Their names stand in `training.options`.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from tutor.training.spec import RunSpec

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
}


def model(spec: RunSpec, features: int) -> nn.Module:
    """(batch, features) -> (batch, 1). The global generator is left as it was."""
    return MODELS[spec.model](spec, features)


def _linear(spec: RunSpec, features: int) -> nn.Module:
    """Starts at zero, so that every method starts at the same place."""
    line = nn.Linear(features, 1)
    nn.init.zeros_(line.weight)
    nn.init.zeros_(line.bias)
    return line


def _mlp(spec: RunSpec, features: int) -> nn.Module:
    """torch's own initial values, as after `torch.manual_seed(seed)`."""
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed)
        for wide, next_wide in pairwise([features, *spec.widths]):
            layers += [nn.Linear(wide, next_wide), ACTIVATIONS[spec.activation]()]
        return nn.Sequential(*layers, nn.Linear(spec.widths[-1], 1))


MODELS: dict[str, Callable[[RunSpec, int], nn.Module]] = {
    "linear": _linear,
    "mlp": _mlp,
}


def optimiser(spec: RunSpec, trained: nn.Module) -> Optimizer:
    """A new one, without memory of earlier iterations."""
    return OPTIMISERS[spec.optimiser](trained, spec.lr)


OPTIMISERS: dict[str, Callable[[nn.Module, float], Optimizer]] = {
    "sgd": lambda trained, lr: SGD(trained.parameters(), lr=lr),
    "momentum": lambda trained, lr: SGD(trained.parameters(), lr=lr, momentum=0.9),
    "adam": lambda trained, lr: Adam(trained.parameters(), lr=lr),
}


def watched(trained: nn.Module) -> dict[str, Tensor]:
    """The single numbers to record at each iteration, as views; {} if there are many.

    A linear model's "w" (or "w1", "w2") and "b".
    """
    if not isinstance(trained, nn.Linear):
        return {}
    weights = trained.weight.detach()[0]  # (features,)
    names = ["w"] if len(weights) == 1 else [f"w{i + 1}" for i in range(len(weights))]
    numbers = dict(zip(names, weights.unbind(), strict=True))
    return {**numbers, "b": trained.bias.detach()[0]}
