"""Reads a formula by precedence; `expressions.parse` is its only caller. Pure.

Where a formula could mean two things ("1/2x", "e^2x", "sin 2x") it asks instead of
guessing. Length and depth have limits, so that no text takes long.
"""

from collections.abc import Collection
from typing import NoReturn

from tutor.graph import functions
from tutor.graph.formula_signs import RAISED, ExpressionError, Token, tokens
from tutor.graph.functions import CONSTANTS, FUNCTIONS, Function

LENGTH_LIMIT = 400
"""Characters."""
DEPTH_LIMIT = 40
"""Brackets, signs and exponents within each other."""
_EXAMPLE = "write a formula like 2·x or 1/(2·sqrt(x))."

Code = tuple[float | str | Function, ...]
"""Operands before their function: (2.0, "x", MULTIPLY)."""


def read(text: str, names: Collection[str]) -> Code:
    """The formula as operands and functions. Raises ExpressionError."""
    if len(text) > LENGTH_LIMIT:
        raise ExpressionError(
            f"This formula is longer than {LENGTH_LIMIT} characters: write a shorter one."
        )
    if not text.strip():
        raise ExpressionError("Nothing was typed: write a number or a formula like 2x.")
    return tuple(_Reader(list(tokens(text, names)), frozenset(names)).whole())


class _Reader:
    """Goes through the signs once and writes the code as it goes."""

    def __init__(self, tokens: list[Token], names: frozenset[str]) -> None:
        self._tokens = tokens
        self._names = names
        self._place = 0
        self._depth = 0
        self._code: list[float | str | Function] = []

    def whole(self) -> list[float | str | Function]:
        self._sum()
        if self._next.kind != "end":
            self._fail(self._next)
        return self._code

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _is(self, *signs: str) -> bool:
        return self._next.is_sign(*signs)

    def _is_raised(self) -> bool:
        return self._next.kind == "raised"

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise ExpressionError(
                f"This formula has more than {DEPTH_LIMIT} parts within each other: "
                "write a simpler one."
            )

    def _sum(self) -> None:
        self._deeper()
        self._product()
        while self._is("+", "-"):
            function = functions.ADD if self._is("+") else functions.SUBTRACT
            self._take()
            self._product()
            self._code.append(function)
        self._depth -= 1

    def _product(self) -> None:
        unclear = self._signed()
        while True:
            if self._is("*", "/"):
                divides = self._is("/")
                self._take()
                unclear = self._signed() or divides
                self._code.append(functions.DIVIDE if divides else functions.MULTIPLY)
            elif self._goes_on():
                if unclear:
                    self._fail_unclear()
                self._signed()
                self._code.append(functions.MULTIPLY)
            else:
                return

    def _goes_on(self) -> bool:
        """Whether the next sign is another factor, without a sign between them."""
        before, token = self._tokens[self._place - 1], self._next
        if before.kind == "name" and self._is("("):
            if before.text not in self._names:
                self._fail_called(before)
            return True
        if token.kind == "name":
            return before.kind != "name"
        return token.kind == "function" or self._is("(")

    def _signed(self) -> bool:
        """A factor; True when what follows it directly could be meant to be part of it."""
        if not self._is("-", "+"):
            return self._power()
        self._deeper()
        negative = self._is("-")
        self._take()
        unclear = self._signed()
        if negative:
            self._code.append(functions.NEGATE)
        self._depth -= 1
        return unclear

    def _power(self) -> bool:
        unclear = self._operand()
        if self._is_raised():
            token = self._take()
            self._code += [self._exponent(token), functions.POWER]
        if not self._is("^"):
            return unclear
        self._deeper()
        self._take()
        self._signed()
        self._code.append(functions.POWER)
        self._depth -= 1
        return self._tokens[self._place - 1].text != ")"

    def _exponent(self, token: Token) -> float:
        try:
            return float(int("".join(RAISED[sign] for sign in token.text)))
        except ValueError:
            self._fail(token)

    def _operand(self) -> bool:
        """As `_signed`."""
        token = self._take()
        unclear = False
        if token.kind == "number":
            self._code.append(float(token.text))
        elif token.kind == "name":
            constant = None if token.text in self._names else CONSTANTS.get(token.text)
            self._code.append(token.text if constant is None else constant)
        elif token.kind == "function":
            unclear = self._function(token)
        elif token.kind == "sign" and token.text == "(":
            self._sum()
            self._close(token)
        else:
            self._fail(token)
        while self._next.kind == "method":
            self._method(self._take())
        return unclear

    def _function(self, token: Token) -> bool:
        function = FUNCTIONS[token.text.rpartition(".")[2]]
        raised = self._take() if self._is_raised() else None
        if self._is("("):
            self._arguments(token, function, 0)
        elif function.arity == 1 and self._next.kind in ("number", "name"):
            self._operand()
            if self._is("^") or self._is_raised():
                self._fail_unclear()
            self._code.append(function)
        else:
            raise ExpressionError(
                f"{token.text} at character {token.place + 1} has no argument: write "
                f"{token.text}(x)."
            )
        if raised is not None:
            if set(raised.text) & {"⁻", "⁺"}:
                self._fail(raised)
            self._code += [self._exponent(raised), functions.POWER]
        return self._tokens[self._place - 1].text != ")"

    def _method(self, token: Token) -> None:
        function = FUNCTIONS.get(token.text[1:])
        if function is None or not self._is("("):
            self._fail(token)
        self._arguments(token, function, 1)

    def _arguments(self, token: Token, function: Function, given: int) -> None:
        opened = self._take()
        if given < function.arity or not self._is(")"):
            given += 1
            self._sum()
        while self._is(","):
            self._take()
            self._sum()
            given += 1
        self._close(opened)
        if given != function.arity:
            raise ExpressionError(
                f"{token.text} at character {token.place + 1} takes {function.arity} "
                f"argument{'s' * (function.arity > 1)}, not {given}."
            )
        self._code.append(function)

    def _close(self, opened: Token) -> None:
        if not self._is(")"):
            if self._next.kind == "end":
                raise ExpressionError(
                    f"The bracket at character {opened.place + 1} is not closed: add a "
                    '")".'
                )
            self._fail(self._next)
        self._take()

    # -- what cannot be read

    def _fail(self, token: Token) -> NoReturn:
        if token.kind == "end":
            raise ExpressionError(f"The formula ends too early: {_EXAMPLE}")
        if token.text == ",":
            raise ExpressionError(
                f"The comma at character {token.place + 1} cannot be read: a decimal "
                "number has a point, like 0.5."
            )
        raise ExpressionError(
            f'"{token.text}" at character {token.place + 1} cannot be read: {_EXAMPLE}'
        )

    def _fail_called(self, token: Token) -> NoReturn:
        raise ExpressionError(
            f"{token.text} at character {token.place + 1} is no function known here: "
            f"write {token.text}·(…) to multiply, or use sin, exp, ln, sqrt, sigmoid …"
        )

    def _fail_unclear(self) -> NoReturn:
        token = self._next
        raise ExpressionError(
            f'What "{token.text}" at character {token.place + 1} belongs to is unclear: '
            "write the · and brackets, like 1/(2·x) or exp(2·x)."
        )
