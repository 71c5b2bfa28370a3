"""What tells two values apart, as a sentence and two short lines. Judges nothing."""

import numbers
from dataclasses import dataclass
from typing import Any

import torch

from tutor.engine.short import short

_READABLE = 12
"""Above so many elements the first difference is shown with its place."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Why a value is not the wanted one."""

    message: str
    """A sentence about the value."""
    detail: str = ""
    """"wanted ..." and "got ...", a line each; "" when the sentence says it all."""


def difference(
    got: object, want: object, what: str, *, rtol: float = 0.0, atol: float = 0.0
) -> Difference | None:
    """None when both agree within atol + rtol · |want|; NaN agrees with NaN.

    Tensors must agree in shape; with both tolerances 0 in dtype too. A tensor never
    agrees with a number, nor a list with a tuple.
    """
    name = what[:1].upper() + what[1:]
    if got is None and want is not None:
        return Difference(f"{name} is None.")
    if isinstance(want, torch.Tensor):
        if not isinstance(got, torch.Tensor):
            return Difference(f"{name} is a {_kind(got)}, not a tensor.")
        return _of_tensors(got, want, name, rtol, atol)
    if type(want) is not bool and isinstance(want, numbers.Real):
        return _of_numbers(got, want, name, rtol, atol)
    if isinstance(want, (list, tuple)):
        return _of_lists(got, want, name, rtol, atol)
    if type(got) is type(want) and got == want:
        return None
    return Difference(f"{name} is not the right one.", _lines(short(want), short(got)))


def _of_tensors(
    got: torch.Tensor, want: torch.Tensor, name: str, rtol: float, atol: float
) -> Difference | None:
    if got.shape != want.shape:
        shapes = f"shape {tuple(got.shape)}, not {tuple(want.shape)}"
        lines = _lines(short(want), short(got))
        return Difference(f"{name} has {shapes}.", lines)
    exact = rtol == atol == 0.0
    if exact and got.dtype != want.dtype:
        return Difference(f"{name} is {dtype_name(got)}, not {dtype_name(want)}.")
    ours, theirs = _comparable(want), _comparable(got)
    agree = torch.isclose(theirs, ours, rtol=rtol, atol=atol, equal_nan=True)
    if bool(agree.all()):
        return None
    message = f"{name} has the right shape, but not the right numbers."
    if got.dim() == 0:
        message = f"{name} is not the right number."
    if want.numel() <= _READABLE:
        return Difference(message, _lines(short(want), short(got)))
    place = (~agree).nonzero()[0].tolist()
    wanted, found = (short(each[tuple(place)]) for each in (want, got))
    return Difference(message, f"first differs at {place}\n{_lines(wanted, found)}")


def _comparable(tensor: torch.Tensor) -> torch.Tensor:
    plain = tensor.detach().cpu()
    return plain if plain.is_complex() else plain.double()


def _of_numbers(
    got: object, want: Any, name: str, rtol: float, atol: float
) -> Difference | None:
    if isinstance(got, torch.Tensor):
        hint = "; `.item()` takes the number out" if got.numel() == 1 else ""
        return Difference(f"{name} is a tensor, not a number{hint}.")
    if isinstance(got, bool) or not isinstance(got, numbers.Real):
        return Difference(f"{name} is a {_kind(got)}, not a number.")
    both_nan = got != got and want != want
    if both_nan or got == want or abs(got - want) <= atol + rtol * abs(want):
        return None
    lines = _lines(short(want), short(got))
    return Difference(f"{name} is not the right number.", lines)


def _of_lists(
    got: object,
    want: "list[Any] | tuple[Any, ...]",
    name: str,
    rtol: float,
    atol: float,
) -> Difference | None:
    if not isinstance(got, type(want)):
        return Difference(f"{name} is a {_kind(got)}, not a {_kind(want)}.")
    if len(got) != len(want):
        message = f"{name} has {len(got)} items, not {len(want)}."
        return Difference(message, _lines(short(want), short(got)))
    for index, (mine, theirs) in enumerate(zip(got, want, strict=True)):
        found = difference(mine, theirs, f"{name}[{index}]", rtol=rtol, atol=atol)
        if found is not None:
            return found
    return None


def _lines(wanted: str, got: str) -> str:
    return f"wanted  {wanted}\ngot     {got}"


def _kind(value: object) -> str:
    return "function" if callable(value) else type(value).__name__


def dtype_name(tensor: torch.Tensor) -> str:
    """Like "float32"."""
    return str(tensor.dtype).removeprefix("torch.")
