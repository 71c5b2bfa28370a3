"""Reads numbers of a tensor: the first ones, low, high and mean, and whether it has any."""

import math
import weakref

import torch

HEAD = 6
"""First elements that are told of a large tensor."""


def version_of(tensor: torch.Tensor) -> int:
    """torch's version counter; tensors of inference mode have none."""
    try:
        return tensor._version
    except RuntimeError:
        return 0


def alive(holder: "weakref.ref[torch.Tensor] | None") -> torch.Tensor | None:
    """The tensor, if it is still there."""
    tensor = None if holder is None else holder()
    if tensor is not None:
        tensor._fix_weakref()  # type: ignore[attr-defined]
    return tensor


def readable(tensor: torch.Tensor) -> bool:
    """Whether it has numbers that can be read here and now."""
    return (
        tensor.layout is torch.strided
        and tensor.device.type != "meta"
        and not tensor.is_quantized
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def real(tensor: torch.Tensor) -> torch.Tensor:
    """Complex numbers as pairs."""
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def as_it_lies(tensor: torch.Tensor) -> torch.Tensor:
    """The same elements in the order of memory, each of those that are shared once.

    torch reads a large transposed tensor ten times slower than a plain one.
    """
    if tensor.is_contiguous():
        return tensor
    strides = tensor.stride()
    order = sorted(range(len(strides)), key=strides.__getitem__, reverse=True)
    tensor = tensor.permute(order)
    for dim in range(len(order) - 1, -1, -1):
        if strides[order[dim]] != 0:
            break
        tensor = tensor.select(dim, 0)
    return tensor


def head_of(tensor: torch.Tensor) -> torch.Tensor:
    """A copy of the first elements; without a copy of all of them."""
    if tensor.is_contiguous() and tensor.numel() >= HEAD:
        return tensor.detach().as_strided((HEAD,), (1,)).clone()
    while tensor.dim() > 1 and tensor[0].numel() >= HEAD:
        tensor = tensor[0]
    return tensor.detach().reshape(-1)[:HEAD].clone()


def statistics(tensor: torch.Tensor) -> torch.Tensor:
    """Low, high, mean of the finite elements; how many are not."""
    numbers = tensor if tensor.is_floating_point() else tensor.double()
    if numbers.dtype not in (torch.float32, torch.float64):
        numbers = numbers.float()
    if not numbers.numel():
        return torch.tensor([math.inf, -math.inf, 0, 0], dtype=torch.float64)
    finite = torch.isfinite(numbers)
    nonfinite = (~finite).sum()
    infinite = torch.full((), math.inf, dtype=numbers.dtype, device=numbers.device)
    low = torch.where(finite, numbers, infinite).amin()
    high = torch.where(finite, numbers, -infinite).amax()
    mean = torch.where(finite, numbers, 0).sum(dtype=torch.float64) / finite.sum()
    return torch.stack([each.double() for each in (low, high, mean, nonfinite)])
