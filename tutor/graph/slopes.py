"""Where an op's slope is zero: at which elements of an argument, and why. Pure.

Judged from the numbers of its arguments and result; torch's own gradients are
`why_zero`'s.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tutor.graph import names, numbers
from tutor.graph.trace import Const, Items, Op, Ref, Summary, Trace
from tutor.graph.zeros import is_zero, passing, shown, values_of, zeros

ELEMENTWISE = frozenset(
    ["add", "sub", "rsub", "mul", "div", "rdiv", "pow", "rpow", "neg", "square",
     "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish",
     "sigmoid", "tanh", "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt",
     "rsqrt", "abs", "sign", "sgn", "floor", "ceil", "round", "trunc", "fix", "frac",
     "sin", "cos", "tan", "sinh", "cosh", "erf", "softplus", "softsign", "hardtanh",
     "hardsigmoid", "hardswish", "hardshrink", "softshrink", "tanhshrink", "clamp",
     "clip", "clamp_min", "clamp_max", "threshold", "where", "maximum", "minimum",
     "masked_fill", "dropout", "clone", "contiguous", "to", "float", "double",
     "reciprocal", "logsigmoid", "triu", "tril", "heaviside", "requires_grad",
     "setitem", "copy", "fill", "zero", "addcmul", "lerp", "atan", "asin", "acos"]
)  # fmt: skip
"""Ops whose gradient at an element depends on the upstream at that element alone."""

MOVES = frozenset(
    ["stack", "cat", "concat", "hstack", "vstack", "dstack", "reshape", "view",
     "transpose", "permute", "t", "T", "mT", "flatten", "unflatten", "squeeze",
     "unsqueeze", "flip", "roll", "movedim", "swapaxes", "contiguous", "expand",
     "broadcast_to", "repeat", "tile", "pad", "ravel"]
)  # fmt: skip
"""Ops that only move numbers: what arrives nowhere did not arrive at them either."""
_PRODUCTS = ("matmul", "mm", "mv", "bmm", "dot", "linear", "addmm", "einsum", "conv1d",
             "conv2d", "conv3d", "bilinear", "rmatmul", "inner", "outer", "vdot")  # fmt: skip
_STEPS = ("sign", "sgn", "floor", "ceil", "round", "trunc", "fix", "heaviside")
_PICKS = ("getitem", "select", "narrow", "index_select", "gather", "take", "masked_select",
          "chunk", "split", "unbind", "topk", "kthvalue", "diagonal", "diag", "unfold",
          "take_along_dim", "embedding", "tensor_split", "triu", "tril", "trace",
          "slice")  # fmt: skip
_EXTREMES = ("max", "min", "amax", "amin", "median", "mode", "maximum", "minimum",
             "fmax", "fmin", "max_pool1d", "max_pool2d", "max_pool3d",
             "adaptive_max_pool1d", "adaptive_max_pool2d", "cummax", "cummin",
             "quantile")  # fmt: skip
_OVERWRITES = ("zero", "fill", "copy", "setitem", "masked_fill", "index_fill",
               "masked_scatter", "index_copy", "scatter", "uniform", "normal")  # fmt: skip
_LOSSES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")


@dataclass(frozen=True, slots=True)
class Slope:
    """That an op's slope is zero."""

    kind: str
    says: str
    """What stands after the quoted op in a sentence."""
    elements: frozenset[int] | None
    """Of the argument, row by row; None: all."""


def slope(trace: Trace, op: Op, position: int) -> Slope | None:
    """At which elements of an argument its slope is zero; None: nowhere, as far as seen.

    `position` counts the op's tensor arguments.
    """
    given = names.tensors(op)
    if not 0 <= position < len(given) or not op.outputs:
        return None
    at = _At(trace, op, position, given)
    rule = _RULES.get(at.function)
    return None if rule is None else rule(at)


@dataclass(frozen=True, slots=True)
class _At:
    """One argument of one op."""

    trace: Trace
    op: Op
    position: int
    given: Sequence[int]

    @property
    def function(self) -> str:
        return self.op.function.rstrip("_")

    @property
    def name(self) -> str:
        return names.name(self.trace, self.given[self.position])

    @property
    def argument(self) -> Summary:
        return self.trace.values[self.given[self.position]].summary

    @property
    def result(self) -> Summary:
        return self.trace.values[self.op.outputs[0]].summary

    def others(self) -> list[tuple[str, Summary | float]]:
        """The other arguments that are numbers: what each is called, and what it is."""
        found: list[tuple[str, Summary | float]] = []
        seen = -1
        for each in self.op.arguments:
            match each:
                case Ref(value):
                    seen += 1
                    if seen != self.position:
                        name = names.name(self.trace, value)
                        found.append((name, self.trace.values[value].summary))
                case Const(value=bool() | int() | float() as value):
                    found.append((numbers.number(float(value)), float(value)))
                case Items(items=items):
                    seen += sum(isinstance(item, Ref) for item in items)
                case Const():
                    pass
        return found


Rule = Callable[[_At], Slope | None]


# ---------------------------------------------------------------------------- elements


def _where(test: Callable[[float], bool], of: Summary) -> frozenset[int] | None:
    """The elements that pass; empty where they are not known. None: all pass."""
    found = values_of(of)
    if found is None:
        ends = (of.low, of.high)
        if not of.nonfinite and all(each is not None and test(each) for each in ends):
            return None
        return frozenset()
    return passing(found, (test(each) for each in found))


def _some(at: _At, elements: frozenset[int] | None) -> str:
    """Like "all 3 elements" or "2 of 3 elements"; "" for a single number."""
    count = math.prod(at.argument.shape)
    if count == 1:
        return ""
    if elements is None:
        return f" at all {count} elements"
    return f" at {len(elements)} of {count} elements"


# ------------------------------------------------------------------------------- rules


def _where_argument(kind: str, says: str, test: Callable[[float], bool]) -> Rule:
    def rule(at: _At) -> Slope | None:
        found = _where(test, at.argument)
        if found is not None and not found:
            return None
        text = says.format(
            name=at.name, some=_some(at, found), numbers=shown(at.argument, found)
        )
        return Slope(kind, text, found)

    return rule


def _where_result(kind: str, says: str, test: Callable[[float], bool]) -> Rule:
    def rule(at: _At) -> Slope | None:
        found = _where(test, at.result)
        if found is not None and not found:
            return None
        text = says.format(
            name=at.name, some=_some(at, found), numbers=shown(at.argument, found),
            result=shown(at.result, found).strip(" ()"),
        )  # fmt: skip
        return Slope(kind, text, found)

    return rule


def _always(kind: str, says: str) -> Rule:
    return lambda at: Slope(kind, says.format(name=at.name), None)


def _clipped(at: _At) -> Slope | None:
    """Clamps: where the result is not what went in, it went in outside of the limits."""
    before, after = values_of(at.argument), values_of(at.result)
    if at.position or before is None or after is None or len(before) != len(after):
        return None
    pairs = zip(before, after, strict=True)
    found = passing(before, (first != second for first, second in pairs))
    if found is not None and not found:
        return None
    says = f"clips {at.name}{shown(at.argument, found)}: no slope outside its limits."
    return Slope("clamp", says, found)


def _product(at: _At) -> Slope | None:
    """`mul`: where the other factor is 0."""
    for name, other in at.others():
        found = _zeros_like(at, other)
        if found is None or found:
            what = name
            if not isinstance(other, float):
                what = f"{name}, which is 0{_some(at, found)}"
            says = f"multiplies {at.name} by {what}."
            return Slope("times zero", says, found)
    return None


def _zeros_like(at: _At, other: Summary | float) -> frozenset[int] | None:
    """At which elements of the argument another one is 0; None: all; empty: none."""
    if isinstance(other, float):
        return None if other == 0 else frozenset()
    if is_zero(other):
        return None
    if other.shape == at.argument.shape:
        found = zeros(other)
        return frozenset() if found is None else found
    found_values = values_of(other)
    count = math.prod(at.argument.shape)
    if found_values is None or count > len(found_values) * 64 or not found_values:
        return frozenset()
    if at.argument.shape[-len(other.shape) :] == other.shape:  # rows repeat it
        period = len(found_values)
        return frozenset(
            index for index in range(count) if found_values[index % period] == 0
        )
    return frozenset()


def _matrix_product(at: _At) -> Slope | None:
    for name, other in at.others():
        if not isinstance(other, float) and len(other.shape) and is_zero(other):
            if at.function == "linear" and at.position == 2:
                return None  # the bias
            if at.function == "linear" and name.endswith("bias"):
                continue
            says = f"multiplies {at.name} by {name}, which is all 0."
            return Slope("times zero", says, None)
    return None


def _quotient(at: _At) -> Slope | None:
    others = at.others()
    if not others:
        return None
    name, other = others[0]
    if at.position == 1 or not isinstance(at.op.arguments[0], Ref):
        found = _zeros_like(at, other)
        if found is None or found:
            says = f"divides {name}, which is 0, by {at.name}."
            return Slope("times zero", says, found)
    return None


def _power(at: _At) -> Slope | None:
    others = [other for _, other in at.others()]
    exponent = others[0] if others and isinstance(others[0], float) else None
    if at.function == "square":
        exponent = 2.0
    if exponent is None or not isinstance(at.op.arguments[0], Ref):
        return None
    if exponent == 0:
        return Slope("flat", f"is 1 for every {at.name}: its slope is 0.", None)
    if exponent <= 1:
        return None
    found = _where(lambda each: each == 0, at.argument)
    if found is not None and not found:
        return None
    power = numbers.number(exponent)
    says = f"has slope 0 where {at.name} is 0{_some(at, found)} (power {power})."
    return Slope("flat", says, found)


def _picked(at: _At) -> Slope | None:
    """`where`: the other branch was taken."""
    condition = at.trace.values[at.given[0]].summary
    took = values_of(condition)
    if at.position == 0 or took is None or condition.shape != at.argument.shape:
        return None
    first = len(at.given) == 3 or isinstance(at.op.arguments[1], Ref)
    is_first = first and at.position == 1
    found = passing(took, (bool(each) != is_first for each in took))
    if found is not None and not found:
        return None
    says = f"takes the other branch, not {at.name}{_some(at, found)}."
    return Slope("not taken", says, found)


def _dropped(at: _At) -> Slope | None:
    before, after = values_of(at.argument), values_of(at.result)
    if before is None or after is None or len(before) != len(after):
        return None
    pairs = zip(before, after, strict=True)
    found = passing(before, (bool(first) and not second for first, second in pairs))
    if found is not None and not found:
        return None
    says = f"dropped {at.name}{_some(at, found)}."
    return Slope("dropout", says, found)


def _masked(at: _At) -> Slope | None:
    if at.position or len(at.given) < 2:
        return None
    mask = at.trace.values[at.given[1]].summary
    took = values_of(mask)
    if took is None or mask.shape != at.argument.shape or not any(took):
        return None
    found = passing(took, (bool(each) for each in took))
    says = f"puts a constant in place of {at.name}{_some(at, found)}."
    return Slope("overwritten", says, found)


_DEAD = "gets only negative input or 0{some}{numbers}: its slope there is 0."
_FULL = "is saturated{some}: its result is {result}, its slope exactly 0."
_FLAT = "has slope 0{some}, where {name} is 0."

_RULES: dict[str, Rule] = {
    "relu": _where_argument("dead relu", _DEAD, lambda each: each <= 0),
    "sigmoid": _where_result("saturated", _FULL, lambda each: each in (0, 1)),
    "tanh": _where_result("saturated", _FULL, lambda each: abs(each) == 1),
    "erf": _where_result("saturated", _FULL, lambda each: abs(each) == 1),
    "exp": _where_result("saturated", _FULL, lambda each: each == 0),
    "softmax": _where_result("saturated", _FULL, lambda each: each in (0, 1)),
    "relu6": _where_result("dead relu", _FULL, lambda each: each in (0, 6)),
    "hardsigmoid": _where_result("saturated", _FULL, lambda each: each in (0, 1)),
    "hardshrink": _where_result("clamp", _FULL, lambda each: each == 0),
    "softshrink": _where_result("clamp", _FULL, lambda each: each == 0),
    "abs": _where_argument("flat", _FLAT, lambda each: each == 0),
    "cos": _where_argument("flat", _FLAT, lambda each: each == 0),
    "cosh": _where_argument("flat", _FLAT, lambda each: each == 0),
    "mul": _product,
    "div": _quotient,
    "rdiv": _quotient,
    "pow": _power,
    "square": _power,
    "where": _picked,
    "dropout": _dropped,
    "masked_fill": _masked,
    "zero": _always("overwritten", "overwrites {name} with 0."),
    "fill": _always("overwritten", "overwrites {name} with a constant."),
    **dict.fromkeys(_PRODUCTS, _matrix_product),
    **dict.fromkeys(_STEPS, _always("step", "is a staircase: its slope is 0.")),
    **dict.fromkeys(
        ("clamp", "clip", "clamp_min", "clamp_max", "hardtanh", "threshold"), _clipped
    ),
}


def stopped(trace: Trace, op: Op, position: int) -> tuple[str, str]:
    """Kind and words for an op that sent 0 although something arrived."""
    given = names.tensors(op)
    function = op.function.rstrip("_")
    name = "it"
    if 0 <= position < len(given):
        name = names.name(trace, given[position])
    if function in _PICKS:
        return "not taken", f"takes other elements, none of those of {name}."
    if function in _EXTREMES:
        return "not taken", f"picks another number, not {name}."
    if function in _OVERWRITES:
        return "overwritten", f"overwrites {name}, so the old numbers do not matter."
    if function in _LOSSES:
        return "flat", f"has slope 0, as {name} equals its target."
    if function == "softmax":
        return "cancel", "always sums to 1, so equal gradients for all add up to 0."
    if function == "dropout":
        return "dropout", f"dropped {name}."
    if function in ("layer_norm", "batch_norm", "group_norm", "instance_norm"):
        return "cancel", "takes out the mean, so equal gradients for all add up to 0."
    if function in (*_PRODUCTS, "mul", "div", "sum", "prod"):
        return "cancel", f"sends shares to {name} that add up to 0."
    return "flat", f"sends 0 to {name}: its slope is 0 there."
