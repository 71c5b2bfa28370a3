"""Summaries of tensors: all values of a small one, statistics of a large one.

On a CPU a summary is made at once. On another device only a small copy is kept there,
and `fetch` brings all of them over together, so that the device is waited for once.
"""

import math
from dataclasses import dataclass

import torch

from tutor.graph.trace import Summary

INLINE = 64
"""Up to this many elements all values are kept."""
HEAD = 6


@dataclass(slots=True)
class Taken:
    """A summary, or the promise of one."""

    summary: Summary
    pending: tuple[torch.Tensor, ...] = ()
    """What is still on the device: the values, or statistics and the head."""


class Summaries:
    """Takes summaries without leaving a mark on the tensors or on torch's state."""

    def __init__(self) -> None:
        self._pending: list[Taken] = []

    def take(self, tensor: torch.Tensor) -> Taken:
        """Summarise what the tensor holds now."""
        shape = tuple(tensor.shape)
        dtype = str(tensor.dtype).removeprefix("torch.")
        unseen = Summary(shape, dtype, None)
        if not _readable(tensor):
            return Taken(unseen)
        with torch._C.DisableTorchFunction(), torch.no_grad():
            found = _real(tensor.detach())
            if found.device.type == "cpu":
                return Taken(_summary(unseen, *_parts(found)))
            # A copy: what is accumulated in place later must not change it.
            parts = tuple(part.clone() for part in _parts(found))
        taken = Taken(unseen, parts)
        self._pending.append(taken)
        return taken

    def fetch(self) -> None:
        """Bring all pending summaries over, one transfer a device and dtype."""
        groups: dict[tuple[torch.device, torch.dtype], list[torch.Tensor]] = {}
        for taken in self._pending:
            for part in taken.pending:
                group = groups.setdefault((part.device, part.dtype), [])
                group.append(part.reshape(-1))
        with torch._C.DisableTorchFunction(), torch.no_grad():
            host = {
                key: iter(torch.cat(group).cpu().split([len(p) for p in group]))
                for key, group in groups.items()
            }
            for taken in self._pending:
                parts = [next(host[part.device, part.dtype]) for part in taken.pending]
                taken.summary = _summary(taken.summary, *parts)
                taken.pending = ()
        self._pending.clear()


def _readable(tensor: torch.Tensor) -> bool:
    """Whether it has numbers that can be read here and now."""
    return (
        tensor.layout is torch.strided
        and tensor.device.type != "meta"
        and not tensor.is_quantized
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def _real(tensor: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def _parts(tensor: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The values, or for a large tensor (low, high, mean, nonfinite) and the head."""
    if tensor.numel() <= INLINE:
        return (tensor.reshape(-1),)
    numbers = tensor if tensor.is_floating_point() else tensor.double()
    low, high = torch.aminmax(numbers)
    mean = numbers.mean(dtype=torch.float64)
    finite = torch.isfinite(numbers)
    nonfinite = (~finite).sum()
    if tensor.device.type != "cpu" or nonfinite:
        infinite = torch.full_like(low, math.inf)
        low = torch.where(finite, numbers, infinite).amin()
        high = torch.where(finite, numbers, -infinite).amax()
        mean = torch.where(finite, numbers, 0).sum(dtype=torch.float64)
        mean = mean / finite.sum()
    statistics = torch.stack([each.double() for each in (low, high, mean, nonfinite)])
    return statistics, tensor.reshape(-1)[:HEAD].double()


def _summary(empty: Summary, *parts: torch.Tensor) -> Summary:
    if len(parts) == 1:
        values = tuple(float(value) for value in parts[0].tolist())
        return Summary(empty.shape, empty.dtype, values)
    (low, high, mean, nonfinite), head = (part.tolist() for part in parts)
    some = math.isfinite(low)
    return Summary(
        empty.shape,
        empty.dtype,
        None,
        low if some else None,
        high if some else None,
        mean if some else None,
        int(nonfinite),
        tuple(head),
    )
