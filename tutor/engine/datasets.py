"""The data that runs are trained on, made from a seed. What each is called and how many
points it has by default stands in `training.options`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor


@dataclass(frozen=True, slots=True)
class Data:
    """All the data of a run."""

    x: Tensor
    """(points, features), float32."""
    y: Tensor
    """(points, 1), float32; 0. or 1. where the task is to classify."""
    task: Literal["fit", "classify"]


def data(name: str, points: int, noise: float, seed: int) -> Data:
    """The data set of that name; KeyError if there is none.

    It draws from a generator of its own, so nothing else changes it.
    """
    return DATASETS[name](points, noise, Generator().manual_seed(seed))


def _line(points: int, noise: float, g: Generator) -> Data:
    """y = -5x + 2 + noise."""
    x = torch.randn(points, 1, generator=g)
    deviation = torch.randn(points, 1, generator=g)
    return Data(x, -5 * x + 2 + noise * deviation, "fit")


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
}
