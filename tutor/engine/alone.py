"""One op run again by itself, on leaves of its own: for its rule and its check."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tutor.engine import naming
from tutor.engine.calls import tensors
from tutor.engine.drafts import Replay

_CHANGES_ITS_BUFFERS = ("batch_norm", "instance_norm")


@dataclass(frozen=True, slots=True)
class Alone:
    """An op that was run again."""

    leaves: list[Tensor]
    """Its tensor arguments, in their order; one used twice comes twice."""
    outputs: tuple[Tensor, ...]
    """What carries a gradient among its values, cut off where it does not."""
    several: bool
    """The op returns a tuple."""

    @property
    def wanted(self) -> list[Tensor]:
        """The arguments that a gradient goes to."""
        return [each for each in self.leaves if each.requires_grad]

    def gradients(self) -> list[Tensor | None]:
        """For each leaf torch's gradient for an upstream of ones."""
        graph = [each for each in self.outputs if each.requires_grad]
        # The sum starts ones; given as an argument they would import sympy.
        with torch.enable_grad():
            total = sum((each.sum() for each in graph[1:]), _sum(graph[0]))
        found = iter(torch.autograd.grad(total, self.wanted, allow_unused=True))
        return [next(found) if each.requires_grad else None for each in self.leaves]


def run(replay: Replay, change: Callable[[Tensor], Tensor] | None = None) -> Alone:
    """Call the op on detached arguments, each passed through `change` before.

    Raises whatever the op does; ValueError when it returns no tensor.
    """
    leaves: list[Tensor] = []
    copies = replay.name in _CHANGES_ITS_BUFFERS

    def leaf(held: Tensor) -> Tensor:
        found = held.detach()
        if change is not None:
            found = change(found)
        found = found.clone() if copies or found is held else found
        leaves.append(found.requires_grad_(held.requires_grad))
        return found

    args = mapped(leaf, replay.args)
    keywords = mapped(leaf, replay.keywords)
    with torch.enable_grad():
        if naming.changes_in_place(replay.function, replay.keywords):
            args = [args[0].clone(), *args[1:]]
            replay.function(*args, **keywords)
            returned = args[0]
        else:
            returned = replay.function(*args, **keywords)
    several = isinstance(returned, (tuple, list))
    outputs = tuple(tensors(returned))
    if not outputs:
        raise ValueError(f"{replay.name} returns no tensor")
    return Alone(leaves, outputs, several)


def mapped(change: Callable[[Tensor], Any], held: Any) -> Any:
    """The same lists and tuples with each tensor changed."""
    if isinstance(held, Tensor):
        return change(held)
    if isinstance(held, dict):
        return {name: mapped(change, each) for name, each in held.items()}
    if type(held) in (list, tuple):
        return type(held)(mapped(change, each) for each in held)
    return held


def _sum(tensor: Tensor) -> Tensor:
    return tensor.sum() if tensor.dim() else tensor
