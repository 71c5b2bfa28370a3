"""What nets put between their layers."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus as _softplus

from tutor.engine.rule_book.row import Entry, Row, Values, entry, whole

_ROOT = math.sqrt(2 / math.pi)


def _density(a: Tensor) -> Tensor:
    return (-(a**2) / 2).exp() / math.sqrt(2 * math.pi)


def _gelu(g: Tensor, o: Tensor, a: Tensor, approximate: str) -> Tensor:
    if approximate == "tanh":
        t = (_ROOT * (a + 0.044715 * a**3)).tanh()
        return g * ((1 + t) / 2 + a / 2 * (1 - t**2) * _ROOT * (1 + 0.134145 * a**2))
    return g * ((1 + (a / math.sqrt(2)).erf()) / 2 + a * _density(a))


def _gelu_text(values: Values) -> str:
    near = ", nearly" if values[1] == "tanh" else ""
    return "Φ({a}) + {a}·φ({a})" + near


def _softplus_text(values: Values) -> str:
    text = "sigmoid({a})" if values[1] == 1 else "sigmoid({b}·{a})"
    return text if values[2] == 20 else text + ", 1 above {c}"


def _steep(g: Tensor, o: Tensor, a: Tensor, beta: float, threshold: float) -> Tensor:
    return torch.where(a * beta > threshold, g, g * (a * beta).sigmoid())


def _mish(g: Tensor, o: Tensor, a: Tensor, *_: Any) -> Tensor:
    t = _softplus(a).tanh()
    return g * (t + a * (1 - t**2) * a.sigmoid())


def _celu(g: Tensor, o: Tensor, a: Tensor, alpha: float, *_: Any) -> Tensor:
    return torch.where(a > 0, g, g * (o / alpha + 1))


_SELU = 1.0507009873554805
_SELU_LEFT = _SELU * 1.6732632423543772


def _kept(text: str, where: Callable[..., Tensor], signature: str) -> Entry:
    """1 in some places, 0 in the others."""
    return entry(signature, Row(text, lambda g, o, a, *rest: g * where(a, *rest)))


def _channels(weight: Tensor, a: Tensor) -> Tensor:
    """A weight for each channel, in the shape that meets the argument."""
    if weight.numel() == 1 or a.dim() < 2:
        return weight
    return weight.reshape(-1, *[1] * (a.dim() - 2))


def _prelu_weight(g: Tensor, o: Tensor, a: Tensor, weight: Tensor) -> Tensor:
    left = g * torch.where(a > 0, 0, a)
    return left.sum_to_size(_channels(weight, a).shape).reshape(weight.shape)


def _gated(g: Tensor, o: Tensor, a: Tensor, dim: int) -> Tensor:
    value, gate = a.chunk(2, dim)
    gate = gate.sigmoid()
    return torch.cat([g * gate, g * value * gate * (1 - gate)], dim)


ACTIVATIONS: dict[str, Entry] = {
    "relu": entry(
        "input inplace=False",
        Row("1 if {a} > 0 else 0", lambda g, o, a, _: g * (a > 0)),
    ),
    "leaky_relu": entry(
        "input negative_slope=0.01 inplace=False",
        Row(
            "1 if {a} > 0 else {b}", lambda g, o, a, b, _: torch.where(a > 0, g, g * b)
        ),
    ),
    "prelu": entry(
        "input weight",
        Row(
            "1 if {a} > 0 else {b}",
            lambda g, o, a, b: torch.where(a > 0, g, g * _channels(b, a)),
        ),
        whole("{a} where it is below 0, summed", _prelu_weight),
    ),
    "elu": entry(
        "input alpha=1.0 inplace=False",
        Row(
            "1 if {a} > 0 else {o} + {b}",
            lambda g, o, a, b, _: torch.where(a > 0, g, g * (o + b)),
        ),
    ),
    "selu": entry(
        "input inplace=False",
        Row(
            "1.0507 if {a} > 0 else {o} + 1.7581",
            lambda g, o, a, _: g * torch.where(a > 0, _SELU, o + _SELU_LEFT),
        ),
    ),
    "celu": entry(
        "input alpha=1.0 inplace=False",
        Row("1 if {a} > 0 else exp({a}/{b})", _celu),
    ),
    "softplus": entry("input beta=1.0 threshold=20.0", Row(_softplus_text, _steep)),
    "silu": entry(
        "input inplace=False",
        Row(
            "sigmoid({a})·(1 + {a} - {o})",
            lambda g, o, a, _: g * a.sigmoid() * (1 + a - o),
        ),
    ),
    "mish": entry(
        "input inplace=False",
        Row("t + {a}·(1 - t²)·sigmoid({a}), t = tanh(softplus({a}))", _mish),
    ),
    "gelu": entry('input approximate="none"', Row(_gelu_text, _gelu)),
    "hardtanh": _kept(
        "1 between {b} and {c}, else 0",
        lambda a, low, high, _: (a > low) & (a < high),
        "input min_val=-1.0 max_val=1.0 inplace=False",
    ),
    "relu6": _kept(
        "1 between 0 and 6, else 0",
        lambda a, _: (a > 0) & (a < 6),
        "input inplace=False",
    ),
    "hardsigmoid": _kept(
        "1/6 between -3 and 3, else 0",
        lambda a, _: ((a > -3) & (a < 3)) / 6,
        "input inplace=False",
    ),
    "hardswish": _kept(
        "{a}/3 + 1/2 between -3 and 3, else 0 or 1",
        lambda a, _: torch.where(a < -3, 0, torch.where(a <= 3, a / 3 + 0.5, 1)),
        "input inplace=False",
    ),
    "threshold": _kept(
        "1 if {a} > {b} else 0",
        lambda a, limit, *_: a > limit,
        "input threshold value inplace=False",
    ),
    "hardshrink": _kept(
        "1 outside of -{b} to {b}, else 0", lambda a, b: a.abs() > b, "input lambd=0.5"
    ),
    "softshrink": _kept(
        "1 outside of -{b} to {b}, else 0", lambda a, b: a.abs() > b, "input lambd=0.5"
    ),
    "tanhshrink": _kept("tanh({a})²", lambda a: a.tanh() ** 2, "input"),
    "softsign": _kept("1/(1 + abs({a}))²", lambda a: (1 + a.abs()) ** -2, "input"),
    "glu": entry(
        "input dim=-1",
        whole("g·s to the first half, s = sigmoid of the second", _gated),
    ),
}
