"""Functions of one number: exponentials, trigonometry, rounding, changes of type."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tutor.engine.rule_book.row import ONE, ZERO, Entry, Row, entry


def _of_one(text: str, local: Callable[[Tensor, Tensor], Any]) -> Entry:
    """An op whose only argument counts; `local` is its derivative from (a, o)."""
    return entry("input", Row(text, lambda g, o, a: g * local(a, o)))


_DEGREE = math.pi / 180

POINTWISE: dict[str, Entry] = {
    "exp": _of_one("{o}", lambda a, o: o),
    "expm1": _of_one("exp({a})", lambda a, o: a.exp()),
    "exp2": _of_one("ln(2)·{o}", lambda a, o: o * math.log(2)),
    "log": _of_one("1/{a}", lambda a, o: 1 / a),
    "log1p": _of_one("1/(1 + {a})", lambda a, o: 1 / (1 + a)),
    "log2": _of_one("1/({a}·ln 2)", lambda a, o: 1 / (a * math.log(2))),
    "log10": _of_one("1/({a}·ln 10)", lambda a, o: 1 / (a * math.log(10))),
    "sqrt": _of_one("1/(2·{o})", lambda a, o: 1 / (2 * o)),
    "rsqrt": _of_one("-{o}/(2·{a})", lambda a, o: -o / (2 * a)),
    "sin": _of_one("cos({a})", lambda a, o: a.cos()),
    "cos": _of_one("-sin({a})", lambda a, o: -a.sin()),
    "tan": _of_one("1 + {o}²", lambda a, o: 1 + o**2),
    "asin": _of_one("1/sqrt(1 - {a}²)", lambda a, o: 1 / (1 - a**2).sqrt()),
    "acos": _of_one("-1/sqrt(1 - {a}²)", lambda a, o: -1 / (1 - a**2).sqrt()),
    "atan": _of_one("1/(1 + {a}²)", lambda a, o: 1 / (1 + a**2)),
    "sinh": _of_one("cosh({a})", lambda a, o: a.cosh()),
    "cosh": _of_one("sinh({a})", lambda a, o: a.sinh()),
    "tanh": _of_one("1 - {o}²", lambda a, o: 1 - o**2),
    "asinh": _of_one("1/sqrt({a}² + 1)", lambda a, o: 1 / (a**2 + 1).sqrt()),
    "acosh": _of_one("1/sqrt({a}² - 1)", lambda a, o: 1 / (a**2 - 1).sqrt()),
    "atanh": _of_one("1/(1 - {a}²)", lambda a, o: 1 / (1 - a**2)),
    "sigmoid": _of_one("{o}·(1 - {o})", lambda a, o: o * (1 - o)),
    "logsigmoid": _of_one("1 - sigmoid({a})", lambda a, o: 1 - a.sigmoid()),
    "erf": _of_one(
        "2/sqrt(π)·exp(-{a}²)",
        lambda a, o: 2 / math.sqrt(math.pi) * (-(a**2)).exp(),
    ),
    "erfc": _of_one(
        "-2/sqrt(π)·exp(-{a}²)",
        lambda a, o: -2 / math.sqrt(math.pi) * (-(a**2)).exp(),
    ),
    "erfinv": _of_one(
        "sqrt(π)/2·exp({o}²)", lambda a, o: math.sqrt(math.pi) / 2 * (o**2).exp()
    ),
    "lgamma": _of_one("digamma({a})", lambda a, o: torch.digamma(a)),
    "logit": entry(
        "input eps=None", Row("1/({a}·(1 - {a}))", lambda g, o, a, _: g / (a * (1 - a)))
    ),
    "sinc": _of_one(
        "(cos(π·{a}) - {o})/{a}", lambda a, o: ((math.pi * a).cos() - o) / a
    ),
    "deg2rad": _of_one("π/180", lambda a, o: _DEGREE),
    "rad2deg": _of_one("180/π", lambda a, o: 1 / _DEGREE),
    "abs": _of_one("sign of {a}", lambda a, o: a.sign()),
    "frac": entry("input", ONE),
    **dict.fromkeys(
        ["sign", "sgn", "round", "floor", "ceil", "trunc"],
        entry("input decimals=0", ZERO),
    ),
    "clone": entry("input memory_format=None", ONE),
    "to": entry("input *options", ONE),
    "type": entry("input dtype", ONE),
    "type_as": entry("input other", ONE),
    **dict.fromkeys(
        ["float", "double", "half", "bfloat16", "contiguous", "cpu", "cuda"],
        entry("input *options", ONE),
    ),
    "detach": entry("input", Row("0: cut off from the graph", ZERO.back)),
}
