"""Normalisations, embeddings and dropout."""

import math
from typing import Any

import torch
from torch import Tensor

from tutor.engine.rule_book.row import Entry, Row, Values, entry, whole

# -- normalisation: (a - mean)/sqrt(variance + eps), then weight and bias


def _normal_back(
    g: Tensor, a: Tensor, weight: Tensor | None, dims: list[int], eps: float
) -> Tensor:
    """Of the argument; `weight` in a shape that meets it."""
    away = a - a.mean(dims, keepdim=True)
    size = (away.square().mean(dims, keepdim=True) + eps).sqrt()
    normal = away / size
    h = g if weight is None else g * weight
    along = (h * normal).mean(dims, keepdim=True)
    return (h - h.mean(dims, keepdim=True) - normal * along) / size


def _normalised(a: Tensor, dims: list[int], eps: float) -> Tensor:
    away = a - a.mean(dims, keepdim=True)
    return away / (away.square().mean(dims, keepdim=True) + eps).sqrt()


def _last(shape: Any) -> list[int]:
    return list(range(-len(shape), 0))


def _layer(g: Tensor, o: Tensor, a: Tensor, shape: Any, weight: Any, bias: Any,
           eps: float) -> Tensor:  # fmt: skip
    return _normal_back(g, a, weight, _last(shape), eps)


def _channelled(each: Tensor | None, a: Tensor) -> Tensor | None:
    """One number a channel, in a shape that meets the argument."""
    return None if each is None else each.reshape(-1, *[1] * (a.dim() - 2))


def _over_channels(a: Tensor) -> list[int]:
    return [0, *range(2, a.dim())]


def _batch(g: Tensor, o: Tensor, *values: Any) -> Any:
    a, _, variance, weight, _, training, _, eps = values
    weight = _channelled(weight, a)
    if training or variance is None:
        return _normal_back(g, a, weight, _over_channels(a), eps)
    scaled = g if weight is None else g * weight
    return scaled / (_channelled(variance, a) + eps).sqrt()


def _batch_weight(g: Tensor, o: Tensor, *values: Any) -> Tensor:
    a, mean, variance, _, _, training, _, eps = values
    if training or variance is None:
        normal = _normalised(a, _over_channels(a), eps)
    else:
        normal = (a - _channelled(mean, a)) / (_channelled(variance, a) + eps).sqrt()
    return (g * normal).sum(_over_channels(a))


def _batch_text(values: Values) -> str:
    if values[5] or values[2] is None:
        return _normal_text(values, 3, "d")
    return "{d}/sqrt({c} + eps)" if values[3] is not None else "1/sqrt({c} + eps)"


def _group(g: Tensor, o: Tensor, a: Tensor, groups: int, weight: Any, bias: Any,
           eps: float) -> Tensor:  # fmt: skip
    weight = _channelled(weight, a)
    h = (g if weight is None else g * weight).reshape(a.shape[0], groups, -1)
    return _normal_back(h, a.reshape(h.shape), None, [2], eps).reshape(a.shape)


def _group_weight(g: Tensor, o: Tensor, a: Tensor, groups: int, weight: Any, bias: Any,
                  eps: float) -> Tensor:  # fmt: skip
    normal = _normalised(a.reshape(a.shape[0], groups, -1), [2], eps)
    return (g * normal.reshape(a.shape)).sum(_over_channels(a))


def _root_mean(a: Tensor, shape: Any, eps: float | None) -> Tensor:
    eps = torch.finfo(a.dtype).eps if eps is None else eps
    return (a.square().mean(_last(shape), keepdim=True) + eps).sqrt()


def _rms(g: Tensor, o: Tensor, a: Tensor, shape: Any, weight: Any, eps: Any) -> Tensor:
    size = _root_mean(a, shape, eps)
    h, normal = (g if weight is None else g * weight), a / size
    return (h - normal * (h * normal).mean(_last(shape), keepdim=True)) / size


def _normal_text(values: Values, weight: int, letter: str) -> str:
    h = "g" if values[weight] is None else f"g·{{{letter}}}"
    return f"(h - mean h - n·mean(h·n))/std, h = {h}, n = {{a}} normalised"


def _sum_over_channels(g: Tensor, *_: Any) -> Tensor:
    return g.sum(_over_channels(g))


_ONE_A_ROW = whole("1 for every row", lambda g, *_: g)
_NORMAL_WEIGHT = "{a} normalised, summed over the rows"
_ONE_A_CHANNEL = whole("1 for every element of the channel", _sum_over_channels)

# -- embeddings and dropout


def _embedded(g: Tensor, o: Tensor, index: Tensor, weight: Tensor, padding: Any,
              max_norm: Any, norm_type: Any, scaled: bool, sparse: bool) -> Tensor:  # fmt: skip
    if scaled or sparse or max_norm is not None:
        raise ValueError("the book has no such option")
    rows, g = index.reshape(-1), g.reshape(-1, weight.shape[-1])
    if padding is not None:
        kept = rows != padding % weight.shape[0]
        rows, g = rows[kept], g[kept]
    return torch.zeros_like(weight).index_add(0, rows, g)


def _dropped(
    g: Tensor, o: Tensor, a: Tensor, p: float, training: bool, inplace: bool
) -> Tensor:
    """Which were kept is seen in the value, but not where the argument was 0."""
    if not training:
        return g
    kept = torch.where(a == 0, math.nan, (o != 0).to(g))
    return g * kept / (1 - p) if p < 1 else 0 * g


def _dropout_text(values: Values) -> str:
    _, p, training, _ = values
    return f"{1 / (1 - p):.4g} where kept, else 0" if training and p < 1 else "1"


LAYERS: dict[str, Entry] = {
    "layer_norm": entry(
        "input normalized_shape weight bias eps=1e-5",
        whole(lambda values: _normal_text(values, 2, "c"), _layer),
        weight=whole(
            _NORMAL_WEIGHT,
            lambda g, o, a, shape, w, b, eps: g * _normalised(a, _last(shape), eps),
        ),
        bias=_ONE_A_ROW,
    ),
    "rms_norm": entry(
        "input normalized_shape weight eps",
        whole(
            lambda values: (
                f"(h - n·mean(h·n))/rms, h = g{'' if values[2] is None else '·{c}'}, "
                "n = {a}/rms"
            ),
            _rms,
        ),
        weight=whole(
            "{a}/rms, summed over the rows",
            lambda g, o, a, shape, w, eps: g * a / _root_mean(a, shape, eps),
        ),
    ),
    "batch_norm": entry(
        "input running_mean running_var weight bias training=False momentum=0.1 "
        "eps=1e-5",
        whole(_batch_text, _batch),
        weight=whole("{a} normalised, summed over the batch", _batch_weight),
        bias=_ONE_A_CHANNEL,
    ),
    "group_norm": entry(
        "input num_groups weight bias eps=1e-5",
        whole(lambda values: _normal_text(values, 2, "c"), _group),
        weight=whole("{a} normalised, summed over the batch", _group_weight),
        bias=_ONE_A_CHANNEL,
    ),
    "embedding": entry(
        "input weight padding_idx max_norm norm_type=2.0 scale_grad_by_freq=False "
        "sparse=False",
        weight=whole("1 for every time a row is taken", _embedded),
    ),
    "dropout": entry(
        "input p=0.5 training=True inplace=False",
        Row(_dropout_text, _dropped, partial=True),
    ),
}
