"""The tokens of a TOML text, well-formed or not, and limits before it is parsed.

What would make a parser slow or overflow is refused: depth, dotted keys, long numbers.
Linear time, whatever the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

DEPTH_LIMIT = 16
"""Arrays and tables within each other; the format needs five."""
DOTS_LIMIT = 16
"""Dots of one key; tomllib needs quadratic time for them."""
DIGITS_LIMIT = 40
"""Characters of one number."""

_TOKEN = re.compile(
    r"(?P<multiline>\"\"\"|''')"
    r"|(?P<string>\"(?:[^\"\\\n]|\\[^\n])*\"?|'[^'\n]*'?)"
    r"|(?P<newline>\n)"
    r"|(?P<skip>[ \t\r]+|\#[^\n]*)"
    r"|(?P<mark>[][{}=,.])"
    r"|(?P<word>[^][{}=,.\s\#\"']+)"
    r"|(?P<other>.)"
)
_NUMBER = re.compile(r"[+-]?[0-9][0-9A-Fa-fxob_]*")


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of the text."""

    kind: str
    """multiline, unclosed, string, newline, mark, word or other."""
    text: str
    line: int
    last: int


def tokens_of(text: str) -> Iterator[Token]:
    """All tokens but spaces and comments; never fails."""
    position, line = 0, 1
    while match := _TOKEN.match(text, position):
        kind, found = str(match.lastgroup), match[0]
        position, last = match.end(), line
        if kind == "multiline":
            end = _end_of_multiline(text, position, found)
            if end is None:
                kind, end = "unclosed", len(text)
            found, position = text[match.start() : end], end
            last = line + found.count("\n")
        if kind != "skip":
            yield Token(kind, found, line, last)
        line = last + (kind == "newline")


def _end_of_multiline(text: str, start: int, quotes: str) -> int | None:
    """Where the string ends, its quotes included; None when it never does."""
    position = start
    while (end := text.find(quotes, position)) >= 0:
        if quotes == '"""' and _backslashes(text, start, end) % 2:
            position = end + 1  # the first quote is escaped
            continue
        end += 3
        for _ in range(2):  # up to two quotes may stand before the closing three
            if text.startswith(quotes[0], end):
                end += 1
        return end
    return None


def _backslashes(text: str, start: int, end: int) -> int:
    """How many stand right before `end`."""
    position = end
    while position > start and text[position - 1] == "\\":
        position -= 1
    return end - position


def refusals(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    """Line and sentence of each thing that is not worth parsing."""
    depth = dots = 0
    for token in tokens:
        if token.kind == "word" and len(token.text) > DIGITS_LIMIT:
            if _NUMBER.fullmatch(token.text):
                yield token.line, "a number has too many digits."
        elif token.text == ".":
            dots += 1
            if dots == DOTS_LIMIT + 1:
                sentence = f"a key has more than {DOTS_LIMIT} dots."
                yield token.line, sentence
        elif token.kind in ("mark", "newline"):
            dots = 0
            if token.text in "[{":
                depth += 1
                if depth == DEPTH_LIMIT + 1:
                    sentence = (
                        f"lists and tables lie more than {DEPTH_LIMIT} deep: "
                        "is a bracket not closed?"
                    )
                    yield token.line, sentence
            elif token.text in "]}":
                depth = max(0, depth - 1)
