"""All that a run needs to go on from an iteration: its parameters, optimiser, generators.
A bounded number of them is kept on the way, to go back to and to fork from; the newest
travels as text, to go on from in another kernel.
"""

import base64
import io
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tutor.errors import TutorError

MOST = 64
"""Of a run."""
MOST_BYTES = 64 << 20
"""Of a run's, together."""
FIRST_STRIDE = 32
"""Iterations between two of them; it doubles whenever there are too many."""
SENT_BYTES = 4 << 20
"""A larger state does not travel: its run is computed again from the start."""
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run after an iteration. Its tensors are nobody else's."""

    iteration: int
    samples: int
    seconds: float
    bound: float
    """The loss from which on the run has diverged."""
    optimiser: str
    """Its name: of another one the memory is of no use."""
    parameters: list[Tensor]
    gradients: list[Tensor | None]
    """Empty when they are cleared before they are used."""
    memory: list[dict[str, Any]]
    """What the optimiser knows of each parameter."""
    batches: Tensor
    """The state of the generator of batches."""
    moves: Tensor | None
    """That of a random search, if there is one."""

    @property
    def size(self) -> int:
        """Bytes, about."""
        tensors = [
            *self.parameters,
            *(each for each in self.gradients if each is not None),
        ]
        for known in self.memory:
            tensors += [each for each in known.values() if isinstance(each, Tensor)]
        return sum(each.numel() * each.element_size() for each in tensors) + 12_000


def parameters(model: nn.Module) -> list[Tensor]:
    """Copies."""
    return [each.detach().clone() for each in model.parameters()]


def gradients(model: nn.Module) -> list[Tensor | None]:
    """Copies."""
    grads = (each.grad for each in model.parameters())
    return [None if grad is None else grad.clone() for grad in grads]


def memory(optimiser: Optimizer | None, model: nn.Module) -> list[dict[str, Any]]:
    """Copies; [] when there is none yet."""
    if optimiser is None or not optimiser.state:
        return []
    return [_copied(optimiser.state.get(each, {})) for each in model.parameters()]


def put_back(
    taken: Snapshot, model: nn.Module, optimiser: Optimizer | None, is_same: bool
) -> None:
    """Into a model, and an optimiser of the kind (`is_same`) that it was taken from."""
    known = taken.memory if is_same and optimiser is not None else []
    with torch.no_grad():
        for at, each in enumerate(model.parameters()):
            each.copy_(taken.parameters[at])
            grad = taken.gradients[at] if taken.gradients else None
            each.grad = None if grad is None else grad.to(each.device, copy=True)
            if known and optimiser is not None:
                optimiser.state[each] = _copied(known[at], each.device)


def _copied(
    known: dict[str, Any], device: torch.device | None = None
) -> dict[str, Any]:
    return {
        # "step" stays on the cpu, as torch keeps it there
        name: value.to(None if name == "step" else device, copy=True)
        if isinstance(value, Tensor)
        else value
        for name, value in known.items()
    }


class Snapshots:
    """Those of a run, by rising iteration."""

    def __init__(self) -> None:
        self.stride = FIRST_STRIDE
        self._taken: list[Snapshot] = []
        self._size = 0

    def __len__(self) -> int:
        return len(self._taken)

    @property
    def size(self) -> int:
        """Bytes, about."""
        return self._size

    def add(self, taken: Snapshot) -> None:
        """After all others."""
        self._taken.append(taken)
        self._size += taken.size
        while len(self._taken) > 1 and (
            len(self._taken) > MOST or self._size > MOST_BYTES
        ):
            self._thin()

    def _thin(self) -> None:
        """Every second one goes; the first, where the run begins, stays."""
        self.stride *= 2
        self._taken = self._taken[::2]
        self._size = sum(each.size for each in self._taken)

    def before(self, iteration: int) -> Snapshot | None:
        """The last one not after an iteration."""
        at = bisect_right(self._taken, iteration, key=lambda each: each.iteration)
        return self._taken[at - 1] if at else None


def as_text(taken: Snapshot, most: int) -> str:
    """Base64 of `torch.save`; "" when it is too large to travel."""
    if taken.size > most:
        return ""
    fields = {name: getattr(taken, name) for name in Snapshot.__slots__}
    file = io.BytesIO()
    torch.save({"format": _FORMAT, **fields}, file)
    return base64.b64encode(file.getvalue()).decode("ascii")


def from_text(text: str) -> Snapshot:
    """The inverse; nothing but tensors and numbers is read. TutorError if it is none."""
    try:
        file = io.BytesIO(base64.b64decode(text, validate=True))
        fields = torch.load(file, map_location="cpu", weights_only=True)
        if fields.pop("format") != _FORMAT:
            raise ValueError
        return Snapshot(**fields)
    except Exception as error:  # a cut or foreign file raises anything
        raise TutorError(
            "What was kept of this race cannot be read, so it cannot go on: "
            "start it anew."
        ) from error
