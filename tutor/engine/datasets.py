"""The data that runs are trained on, made from a seed. What each is called and how many
points it has by default stands in `training.options`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from tutor.training.catalogue import Task
from tutor.training.spec import RunSpec

TEST_SEED = 20_000
"""What is added to a run's seed for its test data."""


@dataclass(frozen=True, slots=True)
class Data:
    """All the data of a run."""

    x: Tensor
    """(points, features), float32."""
    y: Tensor
    """(points, 1), float32; 0. or 1. where the task is to classify."""
    task: Task

    def to(self, device: torch.device) -> "Data":
        """The same data there."""
        return Data(self.x.to(device), self.y.to(device), self.task)


def data(name: str, points: int, noise: float, seed: int) -> Data:
    """The data set of that name; KeyError if there is none.

    It draws from a generator of its own, so nothing else changes it.
    """
    return DATASETS[name](points, noise, Generator().manual_seed(seed))


def test_data(spec: RunSpec) -> Data | None:
    """Data of the same kind that the run is not trained on; None: it has none.

    Without the outlier, and standardised as the training data are.
    """
    if not spec.test:
        return None
    name = {"outlier": "line", "standard": "wide"}.get(spec.dataset, spec.dataset)
    found = data(name, spec.test, spec.noise, TEST_SEED + spec.seed)
    if spec.dataset != "standard":
        return found
    x = data("wide", spec.points, spec.noise, spec.seed).x
    return Data((found.x - x.mean()) / x.std(), found.y, found.task)


def _line(points: int, noise: float, g: Generator) -> Data:
    """y = -5x + 2 + noise."""
    x = torch.randn(points, 1, generator=g)
    deviation = torch.randn(points, 1, generator=g)
    return Data(x, -5 * x + 2 + noise * deviation, "fit")


def _outlier(points: int, noise: float, g: Generator) -> Data:
    """The line, but y = 1000 at the largest x."""
    line = _line(points, noise, g)
    line.y[line.x.argmax()] = 1000.0
    return line


def _shuffled(points: int, noise: float, g: Generator) -> Data:
    """The line with its targets in another order: nothing is left to learn from x."""
    line = _line(points, noise, g)
    return Data(line.x, line.y[torch.randperm(points, generator=g)], "fit")


def _wide(points: int, noise: float, g: Generator) -> Data:
    """The same slope and intercept over x from 0 to 100."""
    x = 100 * torch.rand(points, 1, generator=g)
    deviation = torch.randn(points, 1, generator=g)
    return Data(x, -5 * x + 2 + noise * deviation, "fit")


def _standard(points: int, noise: float, g: Generator) -> Data:
    """The wide one with x standardised: mean 0, deviation 1."""
    wide = _wide(points, noise, g)
    return Data((wide.x - wide.x.mean()) / wide.x.std(), wide.y, "fit")


def _sin(points: int, noise: float, g: Generator) -> Data:
    """One wave on [-3, 3]."""
    x = 6 * torch.rand(points, 1, generator=g) - 3
    deviation = torch.randn(points, 1, generator=g)
    return Data(x, torch.sin(x) + noise * deviation, "fit")


def _circle(points: int, noise: float, g: Generator) -> Data:
    """A disc of radius 0.5 (1.) inside a ring from 0.7 to 1 (0.)."""
    inside = points // 2
    share = torch.rand(points, generator=g)
    angle = 2 * math.pi * torch.rand(points, generator=g)
    is_inside = torch.arange(points) < inside
    radius = torch.where(
        is_inside, 0.5 * share.sqrt(), (0.49 + 0.51 * share).sqrt()
    )  # the root spreads them evenly over the area
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    return _classes(x, is_inside, noise, g)


def _xor(points: int, noise: float, g: Generator) -> Data:
    """Four squares around the origin, opposite ones alike, 0.1 away from both axes."""
    x = 2 * torch.rand(points, 2, generator=g) - 1
    x = x + 0.1 * x.sign()
    return _classes(x, x[:, 0] * x[:, 1] > 0, noise, g)


def _moons(points: int, noise: float, g: Generator) -> Data:
    """Two half circles, one hooked into the other."""
    upper = points // 2
    angle = math.pi * torch.rand(points, generator=g)
    is_upper = torch.arange(points) < upper
    across = torch.where(is_upper, angle.cos(), 1 - angle.cos())
    up = torch.where(is_upper, angle.sin(), 0.5 - angle.sin())
    return _classes(torch.stack([across, up], dim=1), is_upper, noise, g)


def _spiral(points: int, noise: float, g: Generator) -> Data:
    """Two arms of one turn, the second the first one's mirror image."""
    first = points // 2
    t = torch.cat(
        [torch.linspace(0.05, 1, first), torch.linspace(0.05, 1, points - first)]
    )
    is_first = torch.arange(points) < first
    sign = torch.where(is_first, 1.0, -1.0)
    angle = 2 * math.pi * t
    x = torch.stack([sign * t * angle.cos(), sign * t * angle.sin()], dim=1)
    return _classes(x, is_first, noise, g)


def _corners(points: int, noise: float, g: Generator) -> Data:
    """The four of XOR: 1. where just one of the two features is 1."""
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return _classes(x, x.sum(dim=1) == 1, noise, g)


def _nothing(points: int, noise: float, g: Generator) -> Data:
    """A function has no data; one point stands for an evaluation of it."""
    return Data(torch.zeros(1, 1), torch.zeros(1, 1), "function")


def _classes(x: Tensor, is_one: Tensor, noise: float, g: Generator) -> Data:
    x = x + noise * torch.randn(x.shape, generator=g)
    return Data(x, is_one.float().unsqueeze(1), "classify")


DATASETS: dict[str, Callable[[int, float, Generator], Data]] = {
    "line": _line,
    "circle": _circle,
    "xor": _xor,
    "moons": _moons,
    "spiral": _spiral,
    "sin": _sin,
    "corners": _corners,
    "outlier": _outlier,
    "shuffled": _shuffled,
    "wide": _wide,
    "standard": _standard,
    "bowl": _nothing,
    "valleys": _nothing,
    "ravine": _nothing,
}
