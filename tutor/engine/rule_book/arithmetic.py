"""Sums, products, powers and what else takes two numbers to one."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tutor.engine.rule_book.row import (
    MINUS_ONE,
    ONE,
    ZERO,
    Entry,
    Row,
    Values,
    entry,
)


def _scaled(factor: Any) -> str:
    return "1" if factor == 1 else f"{factor:g}"


def _valued(text: str) -> Callable[[Values], str]:
    """The text times `value`, the fourth parameter, where that is not 1."""
    sign = "-" if text.startswith("-") else ""
    return lambda values: (
        text if values[3] == 1 else f"{sign}{values[3]:g}·{text.removeprefix('-')}"
    )


# -- powers, as written


def _power_text(values: Values) -> str:
    exponent = values[1]
    if isinstance(exponent, Tensor):
        return "{b}·{a}^({b} - 1)"
    left = exponent - 1
    if exponent in (0, 1):
        return f"{exponent:g}"
    if left == 1:
        return "2·{a}"
    if isinstance(left, int) and 1 < left < 10:
        return f"{exponent}·{{a}}" + "⁰¹²³⁴⁵⁶⁷⁸⁹"[left]
    return (
        f"{exponent:g}·{{a}}^{left:g}" if left > 0 else f"{exponent:g}·{{a}}^({left:g})"
    )


def _power_base(g: Tensor, o: Tensor, a: Tensor, b: Any) -> Tensor:
    if isinstance(b, Tensor):
        return torch.where(b == 0, 0, g * b * a ** (b - 1))
    return g * b * a ** (b - 1) if b != 0 else 0 * g


def _power_exponent(g: Tensor, o: Tensor, a: Any, b: Tensor) -> Tensor:
    base = a if isinstance(a, Tensor) else torch.tensor(a).to(o)
    return torch.where(o == 0, 0, g * o * base.log())


_POWER = entry(
    "input exponent",
    Row(_power_text, _power_base),
    Row("ln({a})·{o}", _power_exponent),
)

# -- quotients and what is left of them


def _quotient(text: str) -> Callable[[Values], str]:
    return lambda values: "0" if values[2] else text


def _quotient_above(g: Tensor, o: Tensor, a: Any, b: Any, rounding: Any) -> Tensor:
    return 0 * g if rounding else g / b


def _quotient_below(g: Tensor, o: Tensor, a: Any, b: Any, rounding: Any) -> Tensor:
    return 0 * g if rounding else -g * a / b**2


def _rest(rounding: str) -> Entry:
    text = "-floor({a}/{b})" if rounding == "floor" else "-trunc({a}/{b})"
    below = Row(text, lambda g, o, a, b: -g * torch.div(a, b, rounding_mode=rounding))
    return entry("input other", ONE, below)


# -- the larger and the smaller


def _larger(g: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return g * ((a > b).to(g) + (a == b).to(g) / 2)  # torch halves a tie


def _tied(word: str, sign: int) -> Entry:
    def text(letter: str) -> str:
        return f"1 where {{{letter}}} is {word}, half at a tie"

    return entry(
        "input other",
        Row(text("a"), lambda g, o, a, b: _larger(g, sign * a, sign * b)),
        Row(text("b"), lambda g, o, a, b: _larger(g, sign * b, sign * a)),
    )


def _first(word: str, sign: int) -> Entry:
    return entry(
        "input other",
        Row(
            f"1 where {{a}} is {word} or the same, else 0",
            lambda g, o, a, b: g * (sign * a >= sign * b),
        ),
        Row(
            f"1 where {{b}} is {word}, else 0",
            lambda g, o, a, b: g * (sign * b > sign * a),
        ),
    )


def _clamped(g: Tensor, o: Tensor, a: Tensor, low: Any, high: Any) -> Tensor:
    inside = torch.ones_like(a, dtype=torch.bool)
    if low is not None:
        inside = inside & (a >= low)
    if high is not None:
        inside = inside & (a <= high)
    return g * inside


_CLAMPED = Row("1 inside the limits, else 0", _clamped)


def _clamp_low(g: Tensor, o: Tensor, a: Tensor, low: Any) -> Tensor:
    return _clamped(g, o, a, low, None)


def _clamp_high(g: Tensor, o: Tensor, a: Tensor, high: Any) -> Tensor:
    return _clamped(g, o, a, None, high)


ARITHMETIC: dict[str, Entry] = {
    "add": entry(
        "input other alpha=1",
        ONE,
        Row(lambda values: _scaled(values[2]), lambda g, o, a, b, alpha: g * alpha),
    ),
    "sub": entry(
        "input other alpha=1",
        ONE,
        Row(lambda values: _scaled(-values[2]), lambda g, o, a, b, alpha: -g * alpha),
    ),
    "rsub": entry(
        "input other alpha=1",
        Row(lambda values: _scaled(-values[2]), lambda g, o, a, b, alpha: -g * alpha),
        ONE,
    ),
    "mul": entry(
        "input other",
        Row("{b}", lambda g, o, a, b: g * b),
        Row("{a}", lambda g, o, a, b: g * a),
    ),
    "div": entry(
        "input other rounding_mode=None",
        Row(_quotient("1/{b}"), _quotient_above),
        Row(_quotient("-{a}/{b}²"), _quotient_below),
    ),
    "rdiv": entry("input other", Row("-{b}/{a}²", lambda g, o, a, b: -g * b / a**2)),
    "remainder": _rest("floor"),
    "fmod": _rest("trunc"),
    "pow": _POWER,
    "float_power": _POWER,
    "rpow": entry(
        "input other",
        Row("ln({b})·{o}", lambda g, o, a, b: _power_exponent(g, o, b, a)),
    ),
    "square": entry("input", Row("2·{a}", lambda g, o, a: g * 2 * a)),
    "neg": entry("input", MINUS_ONE),
    "positive": entry("input", ONE),
    "reciprocal": entry("input", Row("-1/{a}²", lambda g, o, a: -g / a**2)),
    "addcmul": entry(
        "input tensor1 tensor2 value=1",
        ONE,
        Row(_valued("{c}"), lambda g, o, a, b, c, d: g * d * c),
        Row(_valued("{b}"), lambda g, o, a, b, c, d: g * d * b),
    ),
    "addcdiv": entry(
        "input tensor1 tensor2 value=1",
        ONE,
        Row(_valued("1/{c}"), lambda g, o, a, b, c, d: g * d / c),
        Row(_valued("-{b}/{c}²"), lambda g, o, a, b, c, d: -g * d * b / c**2),
    ),
    "lerp": entry(
        "input end weight",
        Row("1 - {c}", lambda g, o, a, b, c: g * (1 - c)),
        Row("{c}", lambda g, o, a, b, c: g * c),
        Row("{b} - {a}", lambda g, o, a, b, c: g * (b - a)),
    ),
    "atan2": entry(
        "input other",
        Row("{b}/({a}² + {b}²)", lambda g, o, a, b: g * b / (a**2 + b**2)),
        Row("-{a}/({a}² + {b}²)", lambda g, o, a, b: -g * a / (a**2 + b**2)),
    ),
    "hypot": entry(
        "input other",
        Row("{a}/{o}", lambda g, o, a, b: g * a / o),
        Row("{b}/{o}", lambda g, o, a, b: g * b / o),
    ),
    "logaddexp": entry(
        "input other",
        Row("exp({a} - {o})", lambda g, o, a, b: g * (a - o).exp()),
        Row("exp({b} - {o})", lambda g, o, a, b: g * (b - o).exp()),
    ),
    "logaddexp2": entry(
        "input other",
        Row("exp2({a} - {o})", lambda g, o, a, b: g * (a - o).exp2()),
        Row("exp2({b} - {o})", lambda g, o, a, b: g * (b - o).exp2()),
    ),
    "maximum": _tied("larger", 1),
    "minimum": _tied("smaller", -1),
    "fmax": _first("larger", 1),
    "fmin": _first("smaller", -1),
    "clamp": entry("input min max", _CLAMPED),
    "clamp_min": entry("input min", Row(_CLAMPED.text, _clamp_low)),
    "clamp_max": entry("input max", Row(_CLAMPED.text, _clamp_high)),
    "nan_to_num": entry(
        "input nan posinf neginf",
        Row("1 where {a} is finite, else 0", lambda g, o, a, *_: g * a.isfinite()),
    ),
    "fill": entry(
        "input value", ZERO, Row("1 for every place filled", lambda g, *_: g)
    ),
    "zero": entry("input", ZERO),
    "copy": entry("input src", ZERO, Row("1", lambda g, *_: g)),
}
