"""One run over many seeds at once: the parameters of each seed's own run, stacked along a
first dimension, so that one tensor operation does it for all.

Seeds do not meet: the gradient of the sum of their losses is each one's own.
"""

import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer

from tutor.engine import broadcast
from tutor.engine.broadcast import is_quadratic, quadratic
from tutor.engine.losses import probability
from tutor.engine.seeded import Data, Tables, draws
from tutor.training.spec import RunSpec

BLOCK = 1 << 18
"""Numbers of one layer that are computed at once: what is larger leaves the cache."""


class Stacked:
    """One run over all seeds, in blocks of them that fit into the cache."""

    def __init__(self, spec: RunSpec, tables: Tables) -> None:
        self.spec = spec
        data = tables.data(spec)
        stack = broadcast.parameters(spec, tables.seeds, features=data.x.shape[2])
        widest = max(data.x.shape[2], *spec.widths, 1)
        size = (
            len(tables.seeds) if is_quadratic(spec) else BLOCK // (spec.points * widest)
        )
        size = max(1, size)
        self._blocks = [
            _Block(
                spec,
                Data(data.x[at : at + size], data.y[at : at + size], data.task),
                [each[at : at + size] for each in stack],
            )
            for at in range(0, len(tables.seeds), size)
        ]
        self._size = size
        self._draws = tables.draws(spec)
        stages = [spec, *(spec.at(each.at) for each in spec.changes)]
        self._draws.most = max(self._draws.most, *(each.batch or 1 for each in stages))
        self._drawn = 0
        self._changes = {each.at for each in spec.changes}

    def look(self) -> tuple[Tensor, Tensor]:
        """On all the data, of each seed: its loss, the share that is classified right
        (nan where nothing is); (seeds,) each."""
        looks = [block.look() for block in self._blocks]
        losses, right = zip(*looks, strict=True)
        return torch.cat(losses), torch.cat(right)

    def change(self, number: int) -> bool:
        """Go on with the settings of update `number`; whether the loss is another."""
        if number not in self._changes:
            return False
        before = self._blocks[0].spec.loss
        for block in self._blocks:
            block.change(self.spec.at(number))
        return self._blocks[0].spec.loss != before

    def update(self, number: int) -> None:
        """Update `number`, from 0, of each seed's parameters."""
        settings, chosen = self._blocks[0].spec, None
        if draws(settings):
            batch = settings.batch or 0
            chosen = self._draws.at(self._drawn, batch).split(self._size)
            self._drawn += 1
        for index, block in enumerate(self._blocks):
            block.update(number, None if chosen is None else chosen[index])

    def places(self) -> Tensor:
        """The parameters of each seed as a row: (seeds, parameters)."""
        return torch.cat([block.row().detach() for block in self._blocks])

    def optima(self) -> Tensor | None:
        """Where the loss of each seed is lowest, (seeds, parameters); None: it is not
        known."""
        if not is_quadratic(self.spec):
            return None
        return torch.cat([block.optimum() for block in self._blocks])


class _Block:
    """Some seeds of a run."""

    def __init__(self, spec: RunSpec, data: Data, parameters: list[Tensor]) -> None:
        self.spec = spec
        self.data = data
        self.parameters = [each.clone().requires_grad_() for each in parameters]
        self.optimiser = _optimiser(spec, self.parameters)
        self._whole = quadratic(spec, data)
        self._losses: Tensor | None = None
        """On all the data, of the present parameters, with their graph."""

    def change(self, spec: RunSpec) -> None:
        """Go on with other settings."""
        old, self.spec = self.spec, spec
        if spec.optimiser != old.optimiser:
            self.optimiser = _optimiser(spec, self.parameters)
        for group in self.optimiser.param_groups if self.optimiser else ():
            group["lr"] = spec.lr
            if spec.optimiser == "momentum":
                group["momentum"] = spec.momentum
        if spec.loss != old.loss:
            self._whole = quadratic(spec, self.data)
        self._losses = None

    def look(self) -> tuple[Tensor, Tensor]:
        """Losses and shares of this block, see `Stacked.look`."""
        is_full = self.spec.batch is None and self.optimiser is not None
        with torch.set_grad_enabled(is_full):
            losses, right = self._looked()
        self._losses = losses if is_full else None
        return losses.detach(), right

    def _looked(self) -> tuple[Tensor, Tensor]:
        nothing = torch.full((len(self.data.x),), torch.nan)
        if self._whole is not None:
            return self._whole.losses(self.row()), nothing
        outputs = broadcast.outputs(self.spec, self.parameters, self.data.x)
        losses = broadcast.losses(self.spec, outputs, self.data.y)
        if self.data.task != "classify":
            return losses, nothing
        says_one = probability(self.spec, outputs.detach()) > 0.5
        return losses, (says_one == self.data.y.bool()).float().mean((1, 2))

    @torch.enable_grad()
    def update(self, number: int, chosen: Tensor | None) -> None:
        """One step of the optimiser; `chosen`: (seeds, batch) indices of the data."""
        if self.optimiser is None:
            return
        if chosen is not None:
            rows = chosen.unsqueeze(2)
            x = self.data.x.gather(1, rows.expand(-1, -1, self.data.x.shape[2]))
            outputs = broadcast.outputs(self.spec, self.parameters, x)
            losses = broadcast.losses(self.spec, outputs, self.data.y.gather(1, rows))
        elif self._losses is not None:
            losses = self._losses
        else:
            losses = self._looked()[0]
        self._losses = None
        if self.spec.slip != "no-zero-grad":
            self.optimiser.zero_grad()
        losses.sum().backward()
        if self.spec.decay:
            for group in self.optimiser.param_groups:
                group["lr"] = self.spec.lr / (1 + self.spec.decay * number)
        self.optimiser.step()

    def row(self) -> Tensor:
        """(seeds, parameters)."""
        return torch.cat([each.flatten(1) for each in self.parameters], dim=1)

    def optimum(self) -> Tensor:
        """(seeds, parameters) of a quadratic loss."""
        assert self._whole is not None
        return self._whole.lowest()


def _optimiser(spec: RunSpec, parameters: list[Tensor]) -> Optimizer | None:
    """What one seed's run has: all of them work number by number. None: none."""
    match spec.optimiser:
        case "sgd":
            return SGD(parameters, lr=spec.lr)
        case "momentum":
            return SGD(parameters, lr=spec.lr, momentum=spec.momentum)
        case "adam":
            return Adam(parameters, lr=spec.lr)
        case _:
            return None
