"""Elements that are picked by index or by a condition, and written to such places."""

from typing import Any

import torch
from torch import Tensor

from tutor.engine.rule_book.row import Entry, Row, entry, whole


def _places(a: Tensor) -> Tensor:
    """The number of each element, in its place."""
    return torch.arange(a.numel(), device=a.device).reshape(a.shape)


def _returned(g: Tensor, a: Tensor, places: Tensor) -> Tensor:
    """Each element of g added to the element of a that it was a copy of."""
    flat = torch.zeros(a.numel(), dtype=g.dtype, device=g.device)
    return flat.index_add(0, places.reshape(-1), g.reshape(-1)).reshape(a.shape)


def _getitem(g: Tensor, o: Tensor, a: Tensor, index: Any) -> Tensor:
    return _returned(g, a, _places(a)[index])


def _select(g: Tensor, o: Tensor, a: Tensor, dim: int, index: Any) -> Tensor:
    return _returned(g, a, _places(a).select(dim, int(index)))


def _narrow(
    g: Tensor, o: Tensor, a: Tensor, dim: int, start: Any, length: int
) -> Tensor:
    return _returned(g, a, _places(a).narrow(dim, int(start), length))


def _index_select(g: Tensor, o: Tensor, a: Tensor, dim: int, index: Tensor) -> Tensor:
    return _returned(g, a, _places(a).index_select(dim, index))


def _gather(
    g: Tensor, o: Tensor, a: Tensor, dim: int, index: Tensor, sparse: bool
) -> Tensor:
    return _returned(g, a, _places(a).gather(dim, index))


def _take(g: Tensor, o: Tensor, a: Tensor, index: Tensor) -> Tensor:
    return _returned(g, a, _places(a).take(index))


def _take_along(g: Tensor, o: Tensor, a: Tensor, index: Tensor, dim: Any) -> Tensor:
    return _returned(g, a, _places(a).take_along_dim(index, dim))


def _masked(g: Tensor, o: Tensor, a: Tensor, mask: Tensor) -> Tensor:
    places, mask = torch.broadcast_tensors(_places(a), mask)
    return _returned(g, a, places[mask])


# -- written into a copy


def _without(g: Tensor, index: Any) -> Tensor:
    """g but for the places that were written over."""
    places = _places(g)[index]
    return g.reshape(-1).index_fill(0, places.reshape(-1), 0).reshape(g.shape)


def _put(g: Tensor, o: Tensor, a: Tensor, index: Any, value: Any) -> Tensor:
    return _without(g, index)


def _put_value(g: Tensor, o: Tensor, a: Tensor, index: Any, value: Tensor) -> Tensor:
    sent = g[index]
    extra = max(value.dim() - sent.dim(), 0)  # leading dimensions of size 1
    return sent.reshape([1] * extra + list(sent.shape))


def _scatter(
    g: Tensor, o: Tensor, a: Tensor, dim: int, index: Tensor, src: Any, reduce: Any
) -> Tensor:
    if reduce is not None:
        raise ValueError("the book has no reduce")
    return g.scatter(dim, index, 0)


def _scatter_source(
    g: Tensor, o: Tensor, a: Tensor, dim: int, index: Tensor, src: Tensor, *_: Any
) -> Tensor:
    """Where two are written to one place, torch passes the gradient to both."""
    return g.gather(dim, index)


def _index_add_source(g: Tensor, o: Tensor, a: Tensor, dim: int, index: Tensor,
                      source: Tensor, alpha: float) -> Tensor:  # fmt: skip
    return g.index_select(dim, index).reshape(source.shape) * alpha


def _index_fill(
    g: Tensor, o: Tensor, a: Tensor, dim: int, index: Tensor, value: Any
) -> Tensor:
    return g.index_fill(dim, index, 0)


_TAKEN = "1 where it was taken, else 0"
_TIMES_TAKEN = "1 for every time it is taken"
_LEFT = "1 where it was left, else 0"
_WRITTEN = "1 for what was written"

PICKING: dict[str, Entry] = {
    "getitem": entry("input index", whole(_TAKEN, _getitem)),
    "select": entry("input dim index", whole(_TAKEN, _select)),
    "narrow": entry("input dim start length", whole(_TAKEN, _narrow)),
    "index_select": entry("input dim index", whole(_TIMES_TAKEN, _index_select)),
    "gather": entry("input dim index sparse_grad=False", whole(_TIMES_TAKEN, _gather)),
    "take": entry("input index", whole(_TIMES_TAKEN, _take)),
    "take_along_dim": entry("input indices dim", whole(_TIMES_TAKEN, _take_along)),
    "masked_select": entry("input mask", whole(_TAKEN, _masked)),
    "where": entry(
        "condition input other",
        None,
        Row(_TAKEN, lambda g, o, c, a, b: torch.where(c, g, 0)),
        Row(_TAKEN, lambda g, o, c, a, b: torch.where(c, 0, g)),
    ),
    "masked_fill": entry(
        "input mask value",
        Row(_LEFT, lambda g, o, a, mask, _: torch.where(mask, 0, g)),
        value=whole("1 for every place filled", lambda g, o, a, mask, _: g * mask),
    ),
    "setitem": entry(
        "input index value", whole(_LEFT, _put), value=whole(_WRITTEN, _put_value)
    ),
    "scatter": entry(
        "input dim index src reduce",
        whole(_LEFT, _scatter),
        src=whole(_WRITTEN, _scatter_source),
    ),
    "scatter_add": entry(
        "input dim index src",
        whole("1", lambda g, *_: g),
        src=whole("1, from the place it was added to", _scatter_source),
    ),
    "index_add": entry(
        "input dim index source alpha=1",
        whole("1", lambda g, *_: g),
        source=whole("1, from the place it was added to", _index_add_source),
    ),
    "index_fill": entry("input dim index value", whole(_LEFT, _index_fill)),
}
