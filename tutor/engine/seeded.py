"""The data and the batches of many seeds: of each what its own run has, stacked along a
first dimension.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from tutor.engine import datasets
from tutor.engine.run import BATCH_SEED
from tutor.training.spec import RunSpec


@dataclass(frozen=True, slots=True)
class Data:
    """Of all seeds."""

    x: Tensor
    """(seeds, points, features)."""
    y: Tensor
    """(seeds, points, 1)."""
    task: str


class Tables:
    """The data and the batches of all seeds, made once for all runs that share them."""

    def __init__(self, seeds: Sequence[int], *, same_data: bool) -> None:
        """`same_data`: that of the spec's own seed for all."""
        self.seeds = tuple(seeds)
        self._same_data = same_data
        self._data: dict[object, Data] = {}
        self._draws: dict[object, Draws] = {}

    def data(self, spec: RunSpec) -> Data:
        """Of each seed what its own run has."""
        key = (spec.dataset, spec.points, spec.noise, self._same_data and spec.seed)
        if key not in self._data:
            seeds = (spec.seed,) if self._same_data else self.seeds
            made = [
                datasets.data(spec.dataset, spec.points, spec.noise, seed)
                for seed in seeds
            ]
            x, y = torch.stack([each.x for each in made]), [each.y for each in made]
            count = len(self.seeds)
            self._data[key] = Data(
                x.expand(count, *x.shape[1:]),
                torch.stack(y).expand(count, *y[0].shape),
                made[0].task,
            )
        return self._data[key]

    def draws(self, spec: RunSpec) -> "Draws":
        """Runs that draw at the same iterations share them."""
        key = (
            spec.points,
            draws(spec),
            tuple((each.at, draws(spec.at(each.at))) for each in spec.changes),
        )
        if key not in self._draws:
            self._draws[key] = Draws(spec.points, self.seeds)
        return self._draws[key]


def draws(spec: RunSpec) -> bool:
    """Whether an update with these settings draws a batch."""
    return spec.batch is not None and spec.optimiser != "none"


class Draws:
    """Permutations of the points, one for each iteration that draws, and seed."""

    def __init__(self, points: int, seeds: Sequence[int]) -> None:
        self._points = points
        self._generators = [
            Generator().manual_seed(BATCH_SEED + seed) for seed in seeds
        ]
        self.most = 1
        """Of a permutation so many are kept."""
        self._number = -1
        self._orders = torch.empty(0)

    def at(self, number: int, batch: int) -> Tensor:
        """The batches of draw `number`, from 0, which is the last one or follows it:
        (seeds, batch)."""
        if number == self._number + 1:
            self._number = number
            points, most = self._points, self.most
            orders = [
                torch.randperm(points, generator=each)[:most]
                for each in self._generators
            ]
            self._orders = torch.stack(orders)
        assert number == self._number
        return self._orders[:, :batch]
