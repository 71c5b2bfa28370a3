"""What torch's functions are called in a trace, and which kind they are. Data."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SYMBOLS = {
    "add": "+", "sub": "-", "rsub": "-", "mul": "*", "div": "/", "rdiv": "/",
    "true_divide": "/", "matmul": "@", "mm": "@", "mv": "@", "bmm": "@",
    "pow": "^", "rpow": "^", "neg": "neg", "square": "sqr", "getitem": "[]",
    "setitem": "[]=", "floordiv": "//", "floor_divide": "//", "remainder": "%",
    "gt": ">", "lt": "<", "ge": ">=", "le": "<=", "eq": "==", "ne": "!=",
}  # fmt: skip
"""What stands in a box, where it is not the function's name."""

READS = frozenset(
    ["item", "tolist", "numpy", "bool", "float", "int", "index", "array", "complex"]
)
"""Functions that take numbers out of the graph; recorded though they make no tensor."""

_RANDOM = re.compile(
    r"(feature_)?(alpha_)?dropout|rand|bernoulli|normal_?$|multinomial"
    r"|poisson|uniform_|exponential_|cauchy_|geometric_|log_normal_"
)
_ALIASES = {"truediv": "div", "absolute": "abs", "rtruediv": "rdiv"}
_MUTATORS = frozenset(["__setitem__"])


SET = frozenset(["set_grad", "set_data", "set_requires_grad"])
"""Ops that stand for the setting of an attribute: `x.grad = None`."""
_MAY_BE_SWAPPED = frozenset(["add", "mul"])
_SAME_BUT = frozenset(["requires_grad_"])


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What is known of one of torch's functions before it is called."""

    name: str
    special: str
    """"backward", "grad", "get_grad", "set" or "flag"; "": an op like most."""
    in_place: bool
    """It may change its first argument."""
    reads: bool
    random: bool
    swapped: bool
    """A number written first comes second to it."""


KINDS: dict[Any, Kind] = {}
"""By function: those that were met."""


def kind(function: Callable[..., Any]) -> Kind:
    """Of a function of torch; the same object each time."""
    try:
        return KINDS[function]
    except (KeyError, TypeError):
        pass
    name = function_name(function)
    found = Kind(
        name,
        _special(function, name),
        changes_in_place(function, {}),
        name in READS,
        is_random(name),
        name in _MAY_BE_SWAPPED,
    )
    if getattr(function, "__module__", None) != "__main__":
        try:
            KINDS[function] = found
        except TypeError:
            return found  # it cannot be hashed
    return found


def plain_kind(name: str) -> Kind:
    """Of something that is no one function of torch."""
    return Kind(name, "", False, False, is_random(name), False)


def _special(function: Callable[..., Any], name: str) -> str:
    if name == "grad" and is_property(function):
        return "get_grad"
    if name in ("backward", "grad"):
        return name
    if name in _SAME_BUT:
        return "flag"
    if getattr(function, "__name__", "") in ("__set__", "__delete__"):
        return "set"
    return ""


def function_name(function: Callable[..., Any]) -> str:
    """torch's name without underscores: `__rpow__` is "rpow", `x.T` is "T"."""
    name: str = getattr(function, "__name__", type(function).__name__)
    if name == "__get__":
        return getattr(getattr(function, "__self__", None), "__name__", "get")
    if name in ("__set__", "__delete__"):
        attribute = getattr(getattr(function, "__self__", None), "__name__", "it")
        return f"set_{attribute}"
    if name.startswith("__") and name.endswith("__"):
        name = name[2:-2]
    return _ALIASES.get(name, name)


def is_property(function: Callable[..., Any]) -> bool:
    """Whether it reads an attribute of a tensor, like `x.T`."""
    return getattr(function, "__name__", "") == "__get__"


def changes_in_place(function: Callable[..., Any], keywords: Mapping[str, Any]) -> bool:
    """Whether a call may change its first argument, judged before it is made."""
    name = getattr(function, "__name__", "")
    if name[2:-2] in READS or name == "__iter__":
        return False
    return (
        name in _MUTATORS
        or (name.endswith("_") and not name.endswith("__"))
        or (name.startswith("__i") and name.endswith("__") and name != "__invert__")
        or keywords.get("out") is not None
        or keywords.get("inplace") is True
    )


def is_random(name: str) -> bool:
    """Whether the op draws random numbers."""
    return _RANDOM.match(name) is not None


def op_of_node(node_name: str) -> str:
    """The op that made a node nobody saw being made: "MulBackward0" is "mul"."""
    name = re.sub(r"Backward\w*$", "", node_name.rpartition("::")[2])
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() or "op"


def symbol(name: str, arguments: Sequence[object]) -> str:
    """What stands in the op's box; a constant exponent is part of it: "sqr", "^3"."""
    base = name.rstrip("_")
    if base == "pow" and len(arguments) == 2:
        exponent = arguments[1]
        if isinstance(exponent, (int, float)):
            return "sqr" if exponent == 2 else f"^{exponent:g}"
    return SYMBOLS.get(base, name)
