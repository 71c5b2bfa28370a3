"""The functions that a formula may use, on floats that never raise. Pure.

A result too large is infinite and one that does not exist is nan, as in torch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """A function by the names a learner may write."""

    names: tuple[str, ...]
    arity: int
    compute: Callable[..., float]

    def __call__(self, *arguments: float) -> float:
        """nan where it is not defined, infinite where it is too large."""
        try:
            return float(self.compute(*arguments))
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan


def divide(a: float, b: float) -> float:
    """As IEEE 754 has it: 1/0 is infinite, 0/0 is nan."""
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def power(a: float, b: float) -> float:
    """nan for a negative base with a broken exponent."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:  # of 0 with a negative exponent, or of a negative base
        return divide(1.0, math.pow(a, -b)) if a == 0 else math.nan


def _log(a: float) -> float:
    return -math.inf if a == 0 else math.log(a)


def _exp(a: float) -> float:
    return math.inf if a > 709.78 else math.exp(a)


def _sigmoid(a: float) -> float:
    if a < 0:
        grown = math.exp(a)
        return grown / (1 + grown)
    return 1 / (1 + math.exp(-a))


def _sinh(a: float) -> float:
    return math.sinh(a) if abs(a) < 710 else math.copysign(math.inf, a)


def _softplus(a: float) -> float:
    return a if a > 40 else math.log1p(math.exp(a))


def _sign(a: float) -> float:
    return a if math.isnan(a) else float((a > 0) - (a < 0))


def _relu(a: float) -> float:
    return a if math.isnan(a) else max(a, 0.0)


def _phi(a: float) -> float:
    """The normal distribution's density."""
    return math.exp(-a * a / 2) / math.sqrt(2 * math.pi)


def _below(a: float) -> float:
    """The normal distribution's share below a."""
    return (1 + math.erf(a / math.sqrt(2))) / 2


def _whole(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda a: float(function(a)) if math.isfinite(a) else a


def _extreme(pick: Callable[[float, float], float]) -> Callable[[float, float], float]:
    return lambda a, b: math.nan if math.isnan(a) or math.isnan(b) else pick(a, b)


NEGATE = Function(("neg", "negative"), 1, lambda a: -a)
ADD = Function(("add",), 2, lambda a, b: a + b)
SUBTRACT = Function(("sub", "subtract"), 2, lambda a, b: a - b)
MULTIPLY = Function(("mul", "multiply"), 2, lambda a, b: a * b)
DIVIDE = Function(("div", "divide", "true_divide"), 2, divide)
POWER = Function(("pow",), 2, power)
ROOT = Function(("sqrt", "√"), 1, math.sqrt)

_ALL = (
    NEGATE, ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER, ROOT,
    Function(("sin",), 1, math.sin),
    Function(("cos",), 1, math.cos),
    Function(("tan",), 1, math.tan),
    Function(("asin", "arcsin"), 1, math.asin),
    Function(("acos", "arccos"), 1, math.acos),
    Function(("atan", "arctan"), 1, math.atan),
    Function(("atan2", "arctan2"), 2, math.atan2),
    Function(("sinh",), 1, _sinh),
    Function(("cosh",), 1, math.cosh),
    Function(("tanh",), 1, math.tanh),
    Function(("asinh", "arcsinh"), 1, math.asinh),
    Function(("acosh", "arccosh"), 1, math.acosh),
    Function(("atanh", "arctanh"), 1, math.atanh),
    Function(("exp",), 1, _exp),
    Function(("exp2",), 1, lambda a: power(2.0, a)),
    Function(("expm1",), 1, math.expm1),
    Function(("ln", "log"), 1, _log),
    Function(("log1p",), 1, lambda a: -math.inf if a == -1 else math.log1p(a)),
    Function(("log2",), 1, lambda a: -math.inf if a == 0 else math.log2(a)),
    Function(("log10",), 1, lambda a: -math.inf if a == 0 else math.log10(a)),
    Function(("rsqrt",), 1, lambda a: divide(1.0, math.sqrt(a))),
    Function(("cbrt",), 1, lambda a: math.copysign(abs(a) ** (1 / 3), a)),
    Function(("square",), 1, lambda a: a * a),
    Function(("reciprocal",), 1, lambda a: divide(1.0, a)),
    Function(("abs",), 1, abs),
    Function(("sign", "sgn"), 1, _sign),
    Function(("floor",), 1, _whole(math.floor)),
    Function(("ceil",), 1, _whole(math.ceil)),
    Function(("trunc",), 1, _whole(math.trunc)),
    Function(("round",), 1, _whole(round)),
    Function(("min", "minimum"), 2, _extreme(min)),
    Function(("max", "maximum"), 2, _extreme(max)),
    Function(("hypot",), 2, math.hypot),
    Function(("sigmoid", "σ"), 1, _sigmoid),
    Function(("logsigmoid",), 1, lambda a: -_softplus(-a)),
    Function(("relu",), 1, _relu),
    Function(("softplus",), 1, _softplus),
    Function(("silu", "swish"), 1, lambda a: a * _sigmoid(a)),
    Function(("gelu",), 1, lambda a: a * _below(a)),
    Function(("erf",), 1, math.erf),
    Function(("φ",), 1, _phi),
    Function(("Φ",), 1, _below),
)  # fmt: skip

FUNCTIONS = {name: function for function in _ALL for name in function.names}
CONSTANTS = {
    "π": math.pi, "pi": math.pi, "e": math.e,
    "inf": math.inf, "∞": math.inf, "nan": math.nan,
}  # fmt: skip
