"""The signs a formula is made of: numbers, names, functions, raised digits. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from tutor.errors import TutorError
from tutor.graph.functions import FUNCTIONS

RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
_SAME = {"·": "*", "×": "*", "⋅": "*", "∙": "*", "∗": "*", "**": "^", "−": "-",
         "–": "-", "÷": "/"}  # fmt: skip
_LIBRARIES = ("torch.nn.functional.", "torch.special.", "torch.", "F.", "math.")

Kind = Literal["number", "name", "function", "method", "sign", "raised", "end"]


class ExpressionError(TutorError):
    """What was typed is no formula; `str(error)` says what, where, what to write."""


@dataclass(frozen=True, slots=True)
class Token:
    """One sign, as it stands in the text."""

    kind: Kind
    text: str
    place: int
    """The first character, from 0."""

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these; × counts as *, ** as ^."""
        return self.kind == "sign" and _SAME.get(self.text, self.text) in signs


def tokens(text: str, names: Collection[str]) -> Iterator[Token]:
    """All of them, an "end" last. `names` are read whole, the longest first."""
    ordered = sorted(names, key=len, reverse=True)
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token = (
            _given(text, place, ordered)
            or _number(text, place)
            or _raised(text, place)
            or _word(text, place)
            or _sign(text, place)
        )
        yield token
        place += len(token.text)
    yield Token("end", "", len(text))


def _given(text: str, place: int, names: list[str]) -> Token | None:
    """One of the names that were given; the longest that ends where a word ends."""
    for name in names:
        if name and text.startswith(name, place):
            after = text[place + len(name) :][:1]
            called = after == "(" and name in FUNCTIONS
            if not called and not (_in_word(name[-1]) and _in_word(after)):
                return Token("name", name, place)
    return None


def _number(text: str, place: int) -> Token | None:
    end = _digits(text, place)
    if text[end : end + 1] == ".":
        end = _digits(text, end + 1)
    if end - place == (text[place] == "."):
        return None
    if text[end : end + 1] in ("e", "E"):
        signed = end + 1 + (text[end + 1 : end + 2] in ("+", "-"))
        after = _digits(text, signed)
        if after > signed and not _in_word(text[after : after + 1]):
            end = after
    return Token("number", text[place:end], place)


def _digits(text: str, place: int) -> int:
    while place < len(text) and text[place] in "0123456789":
        place += 1
    return place


def _raised(text: str, place: int) -> Token | None:
    end = place
    while end < len(text) and text[end] in RAISED:
        end += 1
    return Token("raised", text[place:end], place) if end > place else None


def _word(text: str, place: int) -> Token | None:
    """A name with its dots and brackets, a function, or ".exp" behind an operand."""
    if text[place] == ".":
        end = _name_end(text, place + 1)
        return Token("method", text[place:end], place) if end > place + 1 else None
    if text[place] == "√":
        return Token("function", "√", place)
    library = next((each for each in _LIBRARIES if text.startswith(each, place)), "")
    end = _name_end(text, place + len(library))
    if text[place + len(library) : end] in FUNCTIONS:
        return Token("function", text[place:end], place)
    end = _name_end(text, place)
    while end > place:
        after = _name_end(text, end + 1)
        if text[end : end + 1] == "." and after > end + 1:
            if text[after : after + 1] == "(" and text[end + 1 : after] in FUNCTIONS:
                break
            end = after
        elif text[end : end + 1] == "[" and "]" in text[end:]:
            end = text.index("]", end) + 1
        else:
            break
    return Token("name", text[place:end], place) if end > place else None


def _name_end(text: str, place: int) -> int:
    while place < len(text) and _in_word(text[place]):
        place += 1
    return place


def _in_word(sign: str) -> bool:
    return sign.isalpha() or sign == "_" or (sign != "" and sign in "0123456789")


def _sign(text: str, place: int) -> Token:
    return Token("sign", text[place : place + 1 + text.startswith("**", place)], place)
