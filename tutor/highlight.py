"""Which parts of Python code to colour: one pass of one expression, never an error.

Meant for what is being typed, so half-written code is the usual case: a string that
does not end runs to its line's end, a triple-quoted one to the end of the code.
"""

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["keyword", "builtin", "defined", "string", "number", "comment"]

_STRING = r"(?:[rR][bBfF]?|[bBfF][rR]?|[uU])?"
_TOKEN = re.compile(
    rf"(?P<string>{_STRING}(?:"
    r'"""(?:[^\\"]|\\.|"(?!""))*(?:"""|\\?\Z)'
    r"|'''(?:[^\\']|\\.|'(?!''))*(?:'''|\\?\Z)"
    r'|"(?:[^\\"\n]|\\.)*(?:"|\\?$)'
    r"|'(?:[^\\'\n]|\\.)*(?:'|\\?$)"
    r"))"
    r"|(?P<comment>\#[^\n]*)"
    r"|(?P<number>(?<!\w)(?:0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)"
    r"(?:[eE][+-]?\d[\d_]*)?[jJ]?))"
    r"|(?P<decorator>^[ ]*@[\w.]+)"
    r"|(?P<attribute>\.\s*[^\W\d]\w*)"
    r"|(?P<name>[^\W\d]\w*)",
    re.MULTILINE | re.DOTALL,
)
_KINDS: dict[str, Kind] = {
    "string": "string",
    "number": "number",
    "comment": "comment",
}
_KEYWORDS = frozenset(keyword.kwlist)
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))


@dataclass(frozen=True, slots=True)
class Token:
    """A part of the code, `code[start:end]`, of one kind."""

    start: int
    end: int
    kind: Kind


def tokens(code: str) -> Iterator[Token]:
    """The parts that are not plain, in order; they do not overlap."""
    position = 0
    defines = False
    while match := _TOKEN.search(code, position):
        position = max(match.end(), position + 1)
        kind, text = match.lastgroup, match[0]
        if kind == "name":
            found = "defined" if defines else _name(text)
            if found is not None:
                yield Token(match.start(), match.end(), found)
            defines = text in ("def", "class")
            continue
        elif kind == "decorator":
            start = match.start() + len(text) - len(text.lstrip())
            yield Token(start, match.end(), "defined")
        elif plain_kind := _KINDS.get(kind or ""):
            yield Token(match.start(), match.end(), plain_kind)
        defines = False


def _name(text: str) -> Kind | None:
    if text in _KEYWORDS:
        return "keyword"
    return "builtin" if text in _BUILTINS else None


def tokens_of_lines(code: str) -> list[list[Token]]:
    """The tokens of each line, counted from its beginning; a long string is in many."""
    lines: list[list[Token]] = [[] for _ in range(code.count("\n") + 1)]
    row = start = 0
    for token in tokens(code):
        while True:
            newline = code.find("\n", start)
            end = len(code) if newline < 0 else newline
            if max(token.start, start) < min(token.end, end):
                first, last = max(token.start - start, 0), min(token.end, end) - start
                lines[row].append(Token(first, last, token.kind))
            if token.end <= end:
                break
            row, start = row + 1, end + 1
    return lines
