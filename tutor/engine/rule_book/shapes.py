"""The same elements in another shape or order, copied, cut up or joined."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tutor.engine.rule_book.row import MOVED, Entry, entry, whole

_BACK = "1, each element back at its place"
_TURNED = "g, transposed"
_COPIES = whole("1, summed over the copies", lambda g, *_: g)


def _back_from(order: Sequence[int]) -> list[int]:
    """The permutation that undoes one."""
    undone = [0] * len(order)
    for place, dim in enumerate(order):
        undone[dim % len(order)] = place
    return undone


def _permuted(g: Tensor, o: Tensor, a: Tensor, dims: Sequence[int]) -> Tensor:
    return g.permute(_back_from(dims))


def _moved(g: Tensor, o: Tensor, a: Tensor, source: Any, destination: Any) -> Tensor:
    return g.movedim(destination, source)


def _swapped(g: Tensor, o: Tensor, a: Tensor, i: int, j: int) -> Tensor:
    return g.transpose(i, j)


_TRANSPOSE = entry("input dim0 dim1", whole(_TURNED, _swapped))
_MOVEDIM = entry("input source destination", whole(_BACK, _moved))


def _repeated(g: Tensor, o: Tensor, a: Tensor, sizes: Sequence[int]) -> Tensor:
    more = len(sizes) - a.dim()
    split: list[int] = list(sizes[:more])
    for times, size in zip(sizes[more:], a.shape, strict=True):
        split += [times, size]
    copies = [*range(more), *range(more, len(split), 2)]
    return g.reshape(split).sum(copies) if split else g


def _tiled(g: Tensor, o: Tensor, a: Tensor, sizes: Sequence[int]) -> Tensor:
    return _repeated(g, o, a, [1] * (a.dim() - len(sizes)) + list(sizes))


def _interleaved(
    g: Tensor, o: Tensor, a: Tensor, times: Any, dim: Any, _: Any
) -> Tensor:
    flat = a.reshape(-1) if dim is None else a
    dim = 0 if dim is None else dim % a.dim()
    counts = (
        times.expand(flat.shape[dim])
        if isinstance(times, Tensor)
        else torch.full((flat.shape[dim],), times, device=a.device)
    )
    sources = torch.arange(flat.shape[dim], device=a.device).repeat_interleave(counts)
    found = torch.zeros_like(flat).index_add(dim, sources, g)
    return found.reshape(a.shape)


def _rolled(g: Tensor, o: Tensor, a: Tensor, shifts: Any, dims: Any) -> Tensor:
    back = -shifts if isinstance(shifts, int) else [-each for each in shifts]
    if dims in (None, ()):
        return g.reshape(-1).roll(back).reshape(a.shape)
    return g.roll(back, dims)


def _kept(cut: str) -> Entry:
    return entry(
        "input diagonal=0",
        whole(
            "1 where it was kept, else 0",
            lambda g, o, a, d: getattr(g, cut)(diagonal=d),
        ),
    )


def _on_diagonal(
    g: Tensor, o: Tensor, a: Tensor, offset: int, dim1: int, dim2: int
) -> Tensor:
    return torch.diagonal_scatter(torch.zeros_like(a), g, offset, dim1, dim2)


def _diag(g: Tensor, o: Tensor, a: Tensor, diagonal: int) -> Tensor:
    if a.dim() == 1:
        return g.diagonal(diagonal)
    return torch.diagonal_scatter(torch.zeros_like(a), g, diagonal)


# -- joined and cut up


def _part(g: Tensor, parts: Sequence[Tensor], dim: int, at: int) -> Tensor:
    """What belongs to one of the parts that were put side by side."""
    dim = dim % g.dim()
    # An empty vector may stand beside anything.
    lengths = [0 if each.shape == (0,) else each.shape[dim] for each in parts]
    if not lengths[at]:
        return g.new_zeros(parts[at].shape)
    return g.narrow(dim, sum(lengths[:at]), lengths[at])


def _cat(g: Tensor, o: Tensor, tensors: Any, dim: int, *, at: int) -> Tensor:
    return _part(g, tensors, dim, at)


def _hstack(g: Tensor, o: Tensor, tensors: Any, *, at: int) -> Tensor:
    dim = 0 if tensors[at].dim() < 2 else 1
    grown = [each.reshape(1) if not each.dim() else each for each in tensors]
    return _part(g, grown, dim, at).reshape(tensors[at].shape)


def _vstack(g: Tensor, o: Tensor, tensors: Any, *, at: int) -> Tensor:
    grown = [torch.atleast_2d(each) for each in tensors]
    return _part(g, grown, 0, at).reshape(tensors[at].shape)


_OWN_PART = "1 for its own part"
_CAT = entry("tensors dim=0", whole(_OWN_PART, _cat))


def _joined(g: Sequence[Tensor], o: Any, a: Tensor, dim: int) -> Tensor:
    return torch.cat(list(g), dim)


_PARTS = "1, each part back at its place"
_CUT = entry(
    "input size dim=0",
    whole(_PARTS, lambda g, o, a, _, dim: torch.cat(list(g), dim)),
)

SHAPES: dict[str, Entry] = {
    **dict.fromkeys(
        ["view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "ravel",
         "view_as", "reshape_as", "atleast_1d", "atleast_2d"],
        entry("input *sizes", MOVED),
    ),
    "t": entry("input", whole(_TURNED, lambda g, o, a: g.t())),
    "T": entry("input", whole(_TURNED, lambda g, *_: g.permute(*range(g.dim())[::-1]))),
    **dict.fromkeys(
        ["mT", "mH", "H", "adjoint"], entry("input", whole(_TURNED, lambda g, *_: g.mT))
    ),
    "transpose": _TRANSPOSE,
    "swapaxes": _TRANSPOSE,
    "swapdims": _TRANSPOSE,
    "permute": entry("input *dims", whole(_BACK, _permuted)),
    "movedim": _MOVEDIM,
    "moveaxis": _MOVEDIM,
    **dict.fromkeys(
        ["expand", "expand_as", "broadcast_to"], entry("input *sizes", _COPIES)
    ),
    "repeat": entry("input *repeats", whole(_COPIES.text, _repeated)),
    "tile": entry("input *dims", whole(_COPIES.text, _tiled)),
    "repeat_interleave": entry(
        "input repeats dim output_size", whole(_COPIES.text, _interleaved)
    ),
    "flip": entry("input *dims", whole(_BACK, lambda g, o, a, dims: g.flip(dims))),
    "fliplr": entry("input", whole(_BACK, lambda g, *_: g.fliplr())),
    "flipud": entry("input", whole(_BACK, lambda g, *_: g.flipud())),
    "roll": entry("input shifts dims", whole(_BACK, _rolled)),
    "triu": _kept("triu"),
    "tril": _kept("tril"),
    "diagonal": entry(
        "input offset=0 dim1=0 dim2=1", whole("1 on the diagonal, else 0", _on_diagonal)
    ),
    "diag": entry("input diagonal=0", whole("1 on the diagonal, else 0", _diag)),
    "trace": entry(
        "input",
        whole(
            "1 on the diagonal, else 0",
            lambda g, o, a: g * torch.eye(*a.shape, dtype=a.dtype, device=a.device),
        ),
    ),
    **dict.fromkeys(["cat", "concat", "concatenate"], _CAT),
    "stack": entry(
        "tensors dim=0",
        whole(_OWN_PART, lambda g, o, tensors, dim, at: g.select(dim, at)),
    ),
    "hstack": entry("tensors", whole(_OWN_PART, _hstack)),
    "vstack": entry("tensors", whole(_OWN_PART, _vstack)),
    **dict.fromkeys(["chunk", "split", "tensor_split", "split_with_sizes"], _CUT),
    "unbind": entry(
        "input dim=0",
        whole(_PARTS, lambda g, o, a, dim: torch.stack(list(g), dim)),
    ),
}  # fmt: skip
