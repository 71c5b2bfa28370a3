"""A run that several processes compute together: each takes its rows of every batch, and
`DistributedDataParallel` averages the gradients. All make the same data, initial
parameters and batches, so that nothing else has to be sent.

The loss on all the data is divided as well: it is most of the work, and with its sum all
processes know at the same iteration that a run has diverged.
"""

from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel

from tutor.engine.datasets import Data
from tutor.engine.run import Run
from tutor.training.spec import RunSpec

_SUMS = ("sse",)
"""Losses that grow with the number of points; the others are means."""


class Part(Run):
    """This process's part, in the default process group; `training.shares` tells which
    runs can be divided."""

    def __init__(self, spec: RunSpec, silent_until: int = -1) -> None:
        self.workers = distributed.get_world_size()
        self._rank = distributed.get_rank()
        self._shared: DistributedDataParallel | None = None
        super().__init__(spec, silent_until)

    def _descend(self) -> None:
        loss = self._part_loss()
        self._clear_gradients()
        loss.backward()
        self.optimiser.step()  # type: ignore[union-attr]

    def _descend_without_clearing(self) -> None:
        self._part_loss().backward()
        self.optimiser.step()  # type: ignore[union-attr]

    def _part_loss(self) -> Tensor:
        """Of this process's rows; the average of its gradients over all processes is
        that of the whole batch."""
        if self._shared is None:  # not before all agree on the parameters
            on = None if self.device.type == "cpu" else [self.device]
            self._shared = DistributedDataParallel(self.model, device_ids=on)
        x, y = self._batch()
        rows = len(x) // self.workers
        mine = slice(self._rank * rows, (self._rank + 1) * rows)
        loss = self._loss(self._shared(x[mine]), y[mine])
        return loss * self.workers if self.now.loss in _SUMS else loss

    def _loss_of(self, data: Data) -> float:
        points = len(data.x)
        if points < self.workers:
            return super()._loss_of(data)
        first = self._rank * points // self.workers
        mine = slice(first, (self._rank + 1) * points // self.workers)
        loss = self._loss(self._reading(data.x[mine]), data.y[mine])
        if self.now.loss not in _SUMS:
            loss = loss * (mine.stop - first) / points
        distributed.all_reduce(loss)
        return loss.item()
