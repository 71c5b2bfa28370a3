"""The models that runs train, and their parameters that are worth watching.

Their names stand in `training.catalogue`.
"""

import copy
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from tutor.engine.functions import FUNCTIONS
from tutor.training import catalogue
from tutor.training.spec import RunSpec

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
}


def model(spec: RunSpec, features: int) -> nn.Module:
    """(batch, features) -> (batch, 1). The global generator is left as it was."""
    made = MODELS[spec.model](spec, features)
    if spec.start:
        numbers = torch.tensor(spec.start)
        with torch.no_grad():
            for each in made.parameters():
                each.copy_(numbers[: each.numel()].view_as(each))
                numbers = numbers[each.numel() :]
    return made


class Constant(nn.Module):
    """Says the same number to everything."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features) -> (batch, 1)."""
        return self.bias.expand(len(x), 1)


class Parabola(nn.Module):
    """b + w x + a x², of each feature: linear in its parameters, not in x."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.line = _line(2 * features)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features) -> (batch, 1)."""
        said: Tensor = self.line(torch.cat([x, x.square()], -1))
        return said


class Point(nn.Module):
    """A place on a function."""

    def __init__(self, function: str, parameters: int) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(parameters))
        self._function = FUNCTIONS[function]

    def forward(self, x: Tensor) -> Tensor:
        """The function's value, whatever x is: (1, 1)."""
        return self._function(self.place).view(1, 1)


def _linear(spec: RunSpec, features: int) -> nn.Module:
    return _line(features)


def _parabola(spec: RunSpec, features: int) -> nn.Module:
    return Parabola(features)


def _line(features: int) -> nn.Linear:
    """Starts at zero, so that every method starts at the same place."""
    line = nn.Linear(features, 1)
    nn.init.zeros_(line.weight)
    nn.init.zeros_(line.bias)
    return line


def _perceptron(spec: RunSpec, features: int) -> nn.Module:
    return nn.Sequential(_linear(spec, features), nn.Sigmoid())


def _mlp(spec: RunSpec, features: int) -> nn.Module:
    """torch's own initial values, as after `torch.manual_seed(seed)`."""
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed)
        for wide, next_wide in pairwise([features, *spec.widths]):
            layers += [nn.Linear(wide, next_wide), ACTIVATIONS[spec.activation]()]
        made = nn.Sequential(*layers, nn.Linear(spec.widths[-1], 1))
    if spec.init == "zero":
        for each in made.parameters():
            nn.init.zeros_(each)
    return made


def _constant(spec: RunSpec, features: int) -> nn.Module:
    return Constant()


def _point(spec: RunSpec, features: int) -> nn.Module:
    names, start = catalogue.FUNCTIONS[spec.dataset]
    made = Point(spec.dataset, len(names))
    with torch.no_grad():
        made.place.copy_(torch.tensor(start))
    return made


MODELS: dict[str, Callable[[RunSpec, int], nn.Module]] = {
    "constant": _constant,
    "linear": _linear,
    "parabola": _parabola,
    "perceptron": _perceptron,
    "mlp": _mlp,
    "point": _point,
}


def without_gradients(trained: nn.Module) -> nn.Module:
    """Another module on the same parameters: it shows what is done to them in place, and
    what it computes is the same, but keeps no graph."""
    twin = copy.deepcopy(trained)
    for module, read in zip(trained.modules(), twin.modules(), strict=True):
        for name, each in module.named_parameters(recurse=False):
            shared = nn.Parameter(each.detach(), requires_grad=False)
            setattr(read, name, shared)
    return twin


def activate(trained: nn.Module, activation: str) -> None:
    """Put another activation behind the hidden layers of an mlp."""
    assert isinstance(trained, nn.Sequential)
    for at in range(1, len(trained), 2):
        trained[at] = ACTIVATIONS[activation]()


def watched(spec: RunSpec, trained: nn.Module) -> dict[str, Tensor]:
    """The single numbers to record at each iteration, as views; {} if there are many.

    A linear model's "w" (or "w1", "w2") and "b", a parabola's "a" too, a function's own.
    """
    names = catalogue.parameters(spec.model, spec.dataset)
    numbers = [
        number
        for each in (trained.parameters() if names else ())
        for number in each.detach().flatten().unbind()
    ]
    return dict(zip(names, numbers, strict=True))
