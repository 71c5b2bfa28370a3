"""What a learner types as a number or a formula: read and evaluated. Pure.

Nothing is executed: a formula becomes operands and functions of `functions`. It reads
Python ("3 * x**2", "torch.exp(x)", "x.exp()"), a textbook's signs ("3x²", "√x") and the
rule book's texts ("1/(2·o)").
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tutor.graph.formula_signs import ExpressionError
from tutor.graph.formulas import Code, read
from tutor.graph.functions import Function

__all__ = ["Expression", "ExpressionError", "number", "parse"]

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


def _known(values: Point) -> str:
    shown = ", ".join(list(values)[:8])
    more = ", …" if len(values) > 8 else ""
    return f"write it with {shown}{more}." if shown else "write a number."
