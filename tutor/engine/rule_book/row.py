"""What a rule is: a row for each argument of an op, and how a call meets its entry."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Values = Sequence[Any]
"""What an entry's parameters are in one call, in the signature's order."""

_TIMES = re.compile(r"(?<![\w.])(\d+)·(?=[A-Za-df-ik-z_](?!\w*\())")
"""2·x is written 2x; but for e and j, which would make a number of it."""
_OTHER_NAMES = {"axis": "dim", "keepdims": "keepdim"}
_LETTERS = "abcdefgh"


class UnknownCallError(Exception):
    """The entry does not know this way of calling its op."""


@dataclass(frozen=True, slots=True)
class Row:
    """The derivative of an op by one of its arguments."""

    text: str | Callable[[Values], str]
    """For a learner: {a}, {b}, {c} are the op's arguments in their order, {o} is its
    value, g the upstream gradient. Or a function of the values that gives such a text.
    """
    back: Callable[..., Any]
    """`back(g, o, *values)`: the contribution, before broadcasting is undone. For an op
    of several values g and o are tuples; for an argument out of a list it is called
    with `at`, its place there."""
    elementwise: bool = True
    """Each element of the value depends on one element of the argument."""
    partial: bool = False
    """`back` gives nan where it cannot tell."""


def whole(text: str | Callable[[Values], str], back: Callable[..., Any]) -> Row:
    """A row of an op whose elements depend on many: its text speaks of arrays."""
    return Row(text, back, elementwise=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """The rows of an op by parameter."""

    parameters: tuple[str, ...]
    defaults: tuple[Any, ...]
    starred: bool
    """The last parameter takes all further arguments."""
    rows: Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Bound:
    """A call by the parameters of its entry."""

    entry: Entry
    values: list[Any]
    places: list[tuple[int, int | None]]
    """For each tensor of the call, in its order: which parameter, and where in it when
    that is a list."""

    def row(self, position: int) -> Row | None:
        """Of the tensor at this position; None: it has none."""
        parameter, _ = self.places[position]
        return self.entry.rows.get(self.entry.parameters[parameter])

    def read(self, position: int, written: Sequence[str], value: str) -> str:
        """The text of a position's row, with what each tensor and the value is called."""
        row = self.row(position)
        assert row is not None
        template = row.text if isinstance(row.text, str) else row.text(self.values)
        texts = {"o": value}
        for letter, each in zip(_LETTERS, self.values, strict=False):
            texts[letter] = f"{each:g}" if isinstance(each, (int, float)) else "?"
        for (parameter, place), name in zip(self.places, written, strict=True):
            if parameter < len(_LETTERS) and not place:
                texts[_LETTERS[parameter]] = name
        parameter, place = self.places[position]
        if place is not None and parameter < len(_LETTERS):
            texts[_LETTERS[parameter]] = written[position]
        return _TIMES.sub(r"\1", template.format(**texts))


def entry(signature: str, *rows: Row | None, **named: Row) -> Entry:
    """An entry from "input other alpha=1": rows in the order of its parameters.

    A last parameter with a star takes all further arguments; one without a default is
    None where it is not given.
    """
    words = signature.split()
    starred = words[-1].startswith("*")
    names, defaults = [], []
    for word in words:
        name, _, default = word.removeprefix("*").partition("=")
        names.append(name)
        defaults.append(ast.literal_eval(default) if default else None)
    by_name = {name: row for name, row in zip(names, rows, strict=False) if row}
    return Entry(tuple(names), tuple(defaults), starred, {**by_name, **named})


def bind(entry: Entry, args: Sequence[Any], keywords: Mapping[str, Any]) -> Bound:
    """Raises UnknownCallError where the call has what the signature lacks."""
    values = list(entry.defaults)
    places: list[tuple[int, int | None]] = []
    last = len(values) - 1
    for number, given in enumerate(args):
        if entry.starred and number == last:
            rest = args[number:]
            alone = len(rest) == 1 and isinstance(rest[0], (list, tuple))
            values[last] = tuple(rest[0] if alone else rest)
            places += _places(last, values[last])
            break
        if number > last:
            raise UnknownCallError
        values[number] = given
        places += _places(number, given)
    for name, given in keywords.items():
        name = _OTHER_NAMES.get(name, name)
        if name in entry.parameters:
            parameter = entry.parameters.index(name)
            values[parameter] = given
            places += _places(parameter, given)
        elif given is not None and given is not False and name != "_stacklevel":
            raise UnknownCallError
    return Bound(entry, [_plain(each) for each in values], places)


def _places(parameter: int, given: Any) -> Iterator[tuple[int, int | None]]:
    if isinstance(given, Tensor):
        yield parameter, None
    elif isinstance(given, (list, tuple)):
        for place, each in enumerate(given):
            yield from ((parameter, place) for _ in _places(parameter, each))


def _plain(held: Any) -> Any:
    if isinstance(held, Tensor):
        return held.detach()
    if type(held) in (list, tuple):
        return type(held)(_plain(each) for each in held)
    return held


# ------------------------------------------------------- rows that many ops have in common

ONE = Row("1", lambda g, *_: g)
MINUS_ONE = Row("-1", lambda g, *_: -g)
ZERO = Row("0", lambda g, *_: torch.zeros_like(g))
MOVED = whole(
    "1, each element back at its place", lambda g, o, a, *_: g.reshape(a.shape)
)


def spread(g: Tensor, a: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """A reduction's upstream gradient, given back to every element it came from."""
    if dim is not None and dim != () and not keepdim:
        dims = [dim] if isinstance(dim, int) else list(dim)
        for each in sorted(each % max(a.dim(), 1) for each in dims):
            g = g.unsqueeze(each) if a.dim() else g
    return g.expand(a.shape)
