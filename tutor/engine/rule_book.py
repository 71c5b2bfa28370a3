"""The book of rules: for each op and argument, the local derivative as text and code.

The text has {a}, {b}, {c} for the call's arguments and {o} for its value; g is the
upstream gradient. `back(g, o, *arguments)` is the contribution, before broadcasting is
undone. Tested row by row against torch.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_TIMES = re.compile(r"(?<![\w.])(\d+)·(?=[A-Za-df-ik-z_](?!\w*\())")
"""2·x is written 2x; but for e and j, which would make a number of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """The derivative of an op by one of its arguments."""

    text: str | Callable[[Sequence[Any]], str]
    """Or a function of the arguments that gives such a text."""
    back: Callable[..., Tensor]
    elementwise: bool = True
    """Each element of the value depends on one element of the argument."""

    def read(self, args: Sequence[Any], written: Sequence[str]) -> str:
        """The local derivative for a learner; `written` ends in the op's own value."""
        template = self.text if isinstance(self.text, str) else self.text(args)
        texts = dict(zip("abc", [*written[:-1], "", "", ""], strict=False))
        return _TIMES.sub(r"\1", template.format(**texts, o=written[-1]))


def row(op: str, argument: int) -> Row | None:
    """The row of an op by the number of the argument; None: it is not in the book."""
    rows = BOOK.get(_SAME.get(op, op), ())
    return rows[argument] if 0 <= argument < len(rows) else None


# ------------------------------------------------------------------ powers, as written


def _power_text(args: Sequence[Any]) -> str:
    exponent = args[1]
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


# ------------------------------------------------------------- reductions and products


def _spread(g: Tensor, a: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """A reduction's upstream gradient, given back to every element it came from."""
    if dim is not None and not keepdim:
        dims = [dim] if isinstance(dim, int) else list(dim)
        for each in sorted(each % a.dim() for each in dims):
            g = g.unsqueeze(each)
    return g.expand(a.shape)


def _sum(g: Tensor, o: Tensor, a: Tensor, dim: Any = None, keepdim: bool = False,
         *, dtype: Any = None) -> Tensor:  # fmt: skip
    return _spread(g, a, dim, keepdim)


def _mean(g: Tensor, o: Tensor, a: Tensor, dim: Any = None, keepdim: bool = False,
          *, dtype: Any = None) -> Tensor:  # fmt: skip
    return _spread(g, a, dim, keepdim) * (o.numel() / a.numel())


def _matmul_left(g: Tensor, o: Tensor, a: Tensor, b: Tensor) -> Tensor:
    if b.dim() == 1:
        return g.unsqueeze(-1) * b
    return (g.unsqueeze(-2) @ b.mT).squeeze(-2) if a.dim() == 1 else g @ b.mT


def _matmul_right(g: Tensor, o: Tensor, a: Tensor, b: Tensor) -> Tensor:
    if a.dim() == 1:
        return g * a if b.dim() == 1 else a.unsqueeze(-1) * g.unsqueeze(-2)
    return (a.mT @ g.unsqueeze(-1)).squeeze(-1) if b.dim() == 1 else a.mT @ g


def _matmul_text(one: str, matrices: str) -> Callable[[Sequence[Any]], str]:
    def text(args: Sequence[Any]) -> str:
        return one if args[0].dim() == args[1].dim() == 1 else matrices

    return text


def _linear_weight(g: Tensor, o: Tensor, a: Tensor, *rest: Any) -> Tensor:
    return g.reshape(-1, g.shape[-1] if g.dim() else 1).mT @ a.reshape(-1, a.shape[-1])


def _softmax(
    g: Tensor, o: Tensor, a: Tensor, dim: int, *rest: Any, **kw: Any
) -> Tensor:
    return o * (g - (g * o).sum(dim, keepdim=True))


def _log_softmax(
    g: Tensor, o: Tensor, a: Tensor, dim: int, *rest: Any, **kw: Any
) -> Tensor:
    return g - o.exp() * g.sum(dim, keepdim=True)


def _count(a: Tensor, **options: Any) -> int:
    """Of the elements averaged over; ValueError for another reduction."""
    if any(each not in (None, "mean") for each in options.values()):
        raise ValueError("the book has the mean alone")
    return a.numel()


def _squared_error(
    g: Tensor, o: Tensor, a: Tensor, b: Tensor, **options: Any
) -> Tensor:
    return g * 2 * (a - b) / _count(a, **options)


def _absolute_error(
    g: Tensor, o: Tensor, a: Tensor, b: Tensor, **options: Any
) -> Tensor:
    return g * (a - b).sign() / _count(a, **options)


def _taken(g: Tensor, o: Tensor, a: Tensor, index: Any) -> Tensor:
    places = torch.arange(a.numel(), device=a.device).reshape(a.shape)[index]
    flat = torch.zeros(a.numel(), dtype=g.dtype, device=g.device)
    return flat.index_add(0, places.reshape(-1), g.reshape(-1)).reshape(a.shape)


def _clamped(g: Tensor, o: Tensor, a: Tensor, low: Any = None, high: Any = None,
             *, min: Any = None, max: Any = None) -> Tensor:  # fmt: skip
    low, high = (min if low is None else low), (max if high is None else high)
    inside = torch.ones_like(a, dtype=torch.bool)
    if low is not None:
        inside &= a >= low
    if high is not None:
        inside &= a <= high
    return g * inside


def _larger(g: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return g * ((a > b).to(g) + (a == b).to(g) / 2)  # torch halves a tie


# --------------------------------------------------------------------------- the table

_NORMAL = math.sqrt(2 * math.pi)

ONE = Row("1", lambda g, o, *args: g)
MINUS_ONE = Row("-1", lambda g, o, *args: -g)
ZERO = Row("0", lambda g, o, *args: 0 * g)
MOVED = Row(
    "1, each element back at its place",
    lambda g, o, a, *_, **kw: g.reshape(a.shape),
    False,
)
SQUARE = Row("2·{a}", lambda g, o, a: g * 2 * a)

BOOK: dict[str, tuple[Row, ...]] = {
    "add": (ONE, ONE),
    "sub": (ONE, MINUS_ONE),
    "rsub": (MINUS_ONE, ONE),
    "mul": (Row("{b}", lambda g, o, a, b: g * b), Row("{a}", lambda g, o, a, b: g * a)),
    "div": (
        Row("1/{b}", lambda g, o, a, b: g / b),
        Row("-{a}/{b}²", lambda g, o, a, b: -g * a / b**2),
    ),
    "rdiv": (Row("-{b}/{a}²", lambda g, o, a, b: -g * b / a**2),),
    "pow": (
        Row(_power_text, _power_base),
        Row("ln({a})·{o}", _power_exponent),
    ),
    "rpow": (Row("ln({b})·{o}", lambda g, o, a, b: _power_exponent(g, o, b, a)),),
    "square": (SQUARE,),
    "neg": (MINUS_ONE,),
    "exp": (Row("{o}", lambda g, o, a: g * o),),
    "expm1": (Row("exp({a})", lambda g, o, a: g * a.exp()),),
    "exp2": (Row("ln(2)·{o}", lambda g, o, a: g * o * math.log(2)),),
    "log": (Row("1/{a}", lambda g, o, a: g / a),),
    "log1p": (Row("1/(1 + {a})", lambda g, o, a: g / (1 + a)),),
    "log2": (Row("1/({a}·ln 2)", lambda g, o, a: g / (a * math.log(2))),),
    "log10": (Row("1/({a}·ln 10)", lambda g, o, a: g / (a * math.log(10))),),
    "sqrt": (Row("1/(2·{o})", lambda g, o, a: g / (2 * o)),),
    "rsqrt": (Row("-{o}/(2·{a})", lambda g, o, a: -g * o / (2 * a)),),
    "reciprocal": (Row("-1/{a}²", lambda g, o, a: -g / a**2),),
    "sin": (Row("cos({a})", lambda g, o, a: g * a.cos()),),
    "cos": (Row("-sin({a})", lambda g, o, a: -g * a.sin()),),
    "tan": (Row("1 + {o}²", lambda g, o, a: g * (1 + o**2)),),
    "asin": (Row("1/sqrt(1 - {a}²)", lambda g, o, a: g / (1 - a**2).sqrt()),),
    "acos": (Row("-1/sqrt(1 - {a}²)", lambda g, o, a: -g / (1 - a**2).sqrt()),),
    "atan": (Row("1/(1 + {a}²)", lambda g, o, a: g / (1 + a**2)),),
    "sinh": (Row("cosh({a})", lambda g, o, a: g * a.cosh()),),
    "cosh": (Row("sinh({a})", lambda g, o, a: g * a.sinh()),),
    "tanh": (Row("1 - {o}²", lambda g, o, a: g * (1 - o**2)),),
    "sigmoid": (Row("{o}·(1 - {o})", lambda g, o, a: g * o * (1 - o)),),
    "logsigmoid": (Row("1 - sigmoid({a})", lambda g, o, a: g * (1 - a.sigmoid())),),
    "erf": (
        Row(
            "2/sqrt(π)·exp(-{a}²)",
            lambda g, o, a: g * 2 / math.sqrt(math.pi) * (-(a**2)).exp(),
        ),
    ),
    "abs": (Row("sign of {a}", lambda g, o, a: g * a.sign()),),
    "sign": (ZERO,),
    "round": (ZERO,),
    "floor": (ZERO,),
    "ceil": (ZERO,),
    "trunc": (ZERO,),
    "clone": (Row("1", lambda g, o, *args, **kw: g),),
    "to": (Row("1", lambda g, o, a, *args, **kw: g),),
    "float": (Row("1", lambda g, o, a: g),),
    "double": (Row("1", lambda g, o, a: g),),
    "relu": (Row("1 if {a} > 0 else 0", lambda g, o, a, *_, **kw: g * (a > 0)),),
    "leaky_relu": (
        Row(
            "1 if {a} > 0 else the slope",
            lambda g, o, a, slope=0.01, **kw: torch.where(
                a > 0, g, g * kw.get("negative_slope", slope)
            ),
        ),
    ),
    "elu": (
        Row(
            "1 if {a} > 0 else {o} + 1",
            lambda g, o, a, alpha=1.0, *_, **kw: torch.where(
                a > 0, g, g * (o + kw.get("alpha", alpha))
            ),
        ),
    ),
    "softplus": (Row("sigmoid({a})", lambda g, o, a: g * a.sigmoid()),),
    "silu": (
        Row(
            "sigmoid({a})·(1 + {a} - {o})",
            lambda g, o, a, *_, **kw: g * a.sigmoid() * (1 + a - o),
        ),
    ),
    "gelu": (
        Row(
            "Φ({a}) + {a}·φ({a})",
            lambda g, o, a: (
                g
                * (
                    (1 + (a / math.sqrt(2)).erf()) / 2
                    + a * (-(a**2) / 2).exp() / _NORMAL
                )
            ),
        ),
    ),
    "maximum": (
        Row(
            "1 where {a} is larger, half at a tie", lambda g, o, a, b: _larger(g, a, b)
        ),
        Row(
            "1 where {b} is larger, half at a tie", lambda g, o, a, b: _larger(g, b, a)
        ),
    ),
    "minimum": (
        Row(
            "1 where {a} is smaller, half at a tie", lambda g, o, a, b: _larger(g, b, a)
        ),
        Row(
            "1 where {b} is smaller, half at a tie", lambda g, o, a, b: _larger(g, a, b)
        ),
    ),
    "clamp": (Row("1 inside the limits, else 0", _clamped),),
    "where": (
        ZERO,
        Row("1 where it was taken, else 0", lambda g, o, c, a, b: torch.where(c, g, 0)),
        Row("1 where it was taken, else 0", lambda g, o, c, a, b: torch.where(c, 0, g)),
    ),
    "sum": (Row("1 for every element", _sum, False),),
    "mean": (Row("1/n for each of its n elements", _mean, False),),
    "matmul": (
        Row(_matmul_text("{b}", "g @ {b}ᵀ"), _matmul_left, False),
        Row(_matmul_text("{a}", "{a}ᵀ @ g"), _matmul_right, False),
    ),
    "linear": (
        Row("g @ {b}", lambda g, o, a, w, *b: g @ w, False),
        Row("gᵀ @ {a}", _linear_weight, False),
        Row("1 for every row of the batch", lambda g, o, a, w, b: g, False),
    ),
    "mse_loss": (
        Row("2·({a} - {b})/n", _squared_error, False),
        Row(
            "2·({b} - {a})/n",
            lambda g, o, a, b, **kw: _squared_error(g, o, b, a, **kw),
            False,
        ),
    ),
    "l1_loss": (
        Row("sign of ({a} - {b}), over n", _absolute_error, False),
        Row(
            "sign of ({b} - {a}), over n",
            lambda g, o, a, b, **kw: _absolute_error(g, o, b, a, **kw),
            False,
        ),
    ),
    "softmax": (Row("{o}·(g - sum of g·{o})", _softmax, False),),
    "log_softmax": (Row("g - exp({o})·sum of g", _log_softmax, False),),
    "logsumexp": (
        Row(
            "softmax({a})",
            lambda g, o, a, dim, keepdim=False: (
                _spread(g, a, dim, keepdim) * a.softmax(dim)
            ),
            False,
        ),
    ),
    "t": (Row("g, transposed", lambda g, o, a: g.mT if g.dim() == 2 else g, False),),
    "T": (
        Row(
            "g, transposed", lambda g, o, a: g.permute(*reversed(range(g.dim()))), False
        ),
    ),
    "mT": (Row("g, transposed", lambda g, o, a: g.mT, False),),
    "transpose": (
        Row("g, transposed", lambda g, o, a, i, j: g.transpose(i, j), False),
    ),
    "getitem": (Row("1 where it was taken, else 0", _taken, False),),
    "expand": (Row("1, summed over the copies", lambda g, o, *args, **kw: g, False),),
    **dict.fromkeys(
        ["view", "reshape", "flatten", "squeeze", "unsqueeze", "contiguous"], (MOVED,)
    ),
}

_SAME = {
    "multiply": "mul", "divide": "div", "true_divide": "div", "subtract": "sub",
    "negative": "neg", "mm": "matmul", "mv": "matmul", "dot": "matmul",
    "bmm": "matmul", "rmatmul": "matmul", "log_sigmoid": "logsigmoid", "clip": "clamp",
    "special_erf": "erf", "arctan": "atan", "max": "maximum", "min": "minimum",
}  # fmt: skip
