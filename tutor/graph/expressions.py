"""What a learner types as a number or a formula: read, evaluated and compared. Pure.

Nothing is executed: a formula becomes operands and functions of `functions`. It reads
Python ("3 * x**2", "torch.exp(x)", "x.exp()"), a textbook's signs ("3x²", "√x") and the
rule book's texts ("1/(2·o)").
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tutor.graph.formula_signs import ExpressionError
from tutor.graph.formulas import Code, read
from tutor.graph.functions import Function

__all__ = ["Expression", "ExpressionError", "agree", "near", "number", "parse",
           "three_points"]  # fmt: skip

Point = Mapping[str, float]
"""What each name stands for."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula that was understood."""

    text: str
    code: Code

    @property
    def names(self) -> frozenset[str]:
        """What it needs a value for; π, e and functions are no names."""
        return frozenset(each for each in self.code if isinstance(each, str))

    def at(self, values: Point) -> float:
        """Its value; nan or infinite where there is none.

        Raises ExpressionError for a name without a value.
        """
        stack: list[float] = []
        for each in self.code:
            if isinstance(each, str):
                if each not in values:
                    raise ExpressionError(f"{each} has no value here: {_known(values)}")
                stack.append(float(values[each]))
            elif isinstance(each, Function):
                arguments = stack[-each.arity :]
                del stack[-each.arity :]
                stack.append(each(*arguments))
            else:
                stack.append(each)
        return stack[0]


def parse(text: str, names: Collection[str] = ()) -> Expression:
    """Read a formula. `names` are read as they stand, whatever signs are in them.

    Raises ExpressionError.
    """
    return Expression(text.strip(), read(text, names))


def number(text: str) -> float | None:
    """The value of a formula without names, like "12", "-1e-3", "1/3", "inf"."""
    try:
        return parse(text).at({})
    except ExpressionError:
        return None


def agree(
    given: Expression, wanted: Expression, points: Sequence[Point], tolerance: float
) -> bool:
    """Whether both have the same values, within a part `tolerance` of them.

    nan equals nan, and what a millionth of the tolerance apart is, is equal near 0.
    Raises ExpressionError when a point lacks a name.
    """
    return all(near(given.at(point), wanted.at(point), tolerance) for point in points)


def near(given: float, wanted: float, tolerance: float) -> bool:
    """Whether two numbers are equal in the sense of `agree`."""
    if math.isnan(given) or math.isnan(wanted):
        return math.isnan(given) and math.isnan(wanted)
    return math.isclose(given, wanted, rel_tol=tolerance, abs_tol=tolerance * 1e-6)


_PARTS = ((0.0, 0.0), (0.19, 0.23), (-0.29, 0.17))
"""For each point how far from here, as a part of the value, and what differs by name."""
_TURN = (math.sqrt(5) - 1) / 2


def three_points(
    names: Iterable[str],
    here: Point,
    formulas: Mapping[str, Expression] | None = None,
) -> tuple[dict[str, float], ...]:
    """The present values and two places near them, the same ones every time.

    A name with a formula (the op that computes it) follows the others, so that "y" and
    "exp(x)" agree; a formula that is wrong here is left out. No value changes its sign.
    Names that `here` lacks are left out.
    """
    true = _true_here(formulas or {}, here)
    needed = {*names, *(name for each in true.values() for name in each.names)}
    free = sorted((needed & here.keys()) - true.keys())
    points = []
    for part, spread in _PARTS:
        point = {}
        for place, name in enumerate(free, start=1):
            value = float(here[name])
            step = part + spread * math.copysign((place * _TURN) % 1, part)
            point[name] = value + step * (abs(value) or 1.0) if part else value
        for name, formula in true.items():
            point[name] = formula.at(point) if part else float(here[name])
        points.append(point)
    return tuple(points)


def _true_here(
    formulas: Mapping[str, Expression], here: Point
) -> dict[str, Expression]:
    """The formulas that give what they should, each behind those it needs."""
    found: dict[str, Expression] = {}
    for name, formula in formulas.items():
        known = name in here and formula.names <= here.keys()
        ordered = not any(
            each in formulas and each not in found for each in formula.names
        )
        if known and ordered and near(formula.at(here), float(here[name]), 1e-3):
            found[name] = formula
    return found


def _known(values: Point) -> str:
    shown = ", ".join(list(values)[:8])
    more = ", …" if len(values) > 8 else ""
    return f"write it with {shown}{more}." if shown else "write a number."
