"""Where each key of a TOML file stands: a scanner that never fails.

`tomllib` tells no lines. `scan` reads the same text once, in linear time, before it is
parsed, and finds the line of every key path. It accepts more than TOML does; what it
cannot follow, `tomllib` will reject.
"""

import re
from dataclasses import dataclass, field

from tutor.lesson.tokens import Token, refusals, tokens_of

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, in lines counted from 1."""

    line: int
    """The line of its key, or of the value itself within an array."""
    first: int
    """For a string: the line of its first character; else that of the value."""
    last: int
    """The line it ends on."""


@dataclass(slots=True)
class Lines:
    """What `scan` found."""

    places: dict[KeyPath, Place] = field(default_factory=dict)
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Line and sentence of what is not worth parsing; not empty: do not parse."""
    unclosed: int | None = None
    """The line on which a triple-quoted string begins that never ends."""
    repeated: tuple[KeyPath, int, int] | None = None
    """A key that is given twice, and both lines."""
    split: int | None = None
    """The line on which an inline table is broken, which TOML forbids."""

    def place(self, path: KeyPath) -> Place:
        """The place of the path, or of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if found := self.places.get(path[:length]):
                return found
        return Place(1, 1, 1)

    def line(self, path: KeyPath) -> int:
        """The line of the path's key, or of the nearest thing around it."""
        return self.place(path).line

    def line_within(self, path: KeyPath, number: int) -> int:
        """The file's line of line `number`, counted from 1, of a string value."""
        place = self.place(path)
        return max(place.first, min(place.first + number - 1, place.last))


def key_text(path: KeyPath) -> str:
    """Like "cells[3].hints[1]"; a key that is no bare key is quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            text += ("." if text else "") + (part if bare else repr(part))
    return text


def scan(text: str) -> Lines:
    """Find the lines of all key paths in a TOML text, well-formed or not."""
    lines = Lines()
    tokens = list(tokens_of(text))
    lines.refused = list(refusals(tokens))
    if tokens and tokens[-1].kind == "unclosed":
        lines.unclosed = tokens[-1].line
    if not lines.refused:
        _Reader(tokens, lines).read()
    return lines


class _LostError(Exception):
    """The text is not TOML from here on."""


class _Reader:
    """Follows the tokens as TOML; stops, without a word, where it cannot."""

    def __init__(self, tokens: list[Token], lines: Lines) -> None:
        last = tokens[-1].last if tokens else 1
        self._tokens = [*tokens, Token("end", "", last, last)]
        self._next = 0
        self._lines = lines
        self._places = lines.places
        self._counts: dict[KeyPath, int] = {}
        self._pairs: dict[KeyPath, int] = {}

    def read(self) -> None:
        table: KeyPath = ()
        try:
            while self._peek().kind != "end":
                if self._peek().kind == "newline":
                    self._take()
                elif self._peek().text == "[" and self._peek().kind == "mark":
                    table = self._header()
                else:
                    self._pair(table)
        except _LostError:
            return

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self, mark: str | None = None) -> Token:
        token = self._peek()
        wrong = mark is not None and (token.kind, token.text) != ("mark", mark)
        if wrong or token.kind == "end":
            raise _LostError
        self._next += 1
        return token

    def _at(self, mark: str) -> bool:
        token = self._peek()
        return (token.kind, token.text) == ("mark", mark)

    def _header(self) -> KeyPath:
        line = self._take("[").line
        many = self._at("[")
        if many:
            self._take("[")
        keys = self._keys()
        self._take("]")
        if many:
            self._take("]")
        path = self._inside(keys[:-1])
        path = (*path, keys[-1])
        if many:
            self._places.setdefault(path, Place(line, line, line))
            number = self._counts[path] = self._counts.get(path, -1) + 1
            path = (*path, number)
        self._places[path] = Place(line, line, line)
        return path

    def _inside(self, keys: tuple[str, ...]) -> KeyPath:
        """Like the keys, with the number of the present element of each array."""
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            if path in self._counts:
                path = (*path, self._counts[path])
        return path

    def _keys(self) -> tuple[str, ...]:
        keys = [self._key()]
        while self._at("."):
            self._take(".")
            keys.append(self._key())
        return tuple(keys)

    def _key(self) -> str:
        token = self._take()
        if token.kind == "string":
            return _unquoted(token.text)
        if token.kind != "word":
            raise _LostError
        return token.text

    def _pair(self, table: KeyPath) -> None:
        line = self._peek().line
        keys = self._keys()
        self._take("=")
        for length in range(1, len(keys)):
            self._places.setdefault((*table, *keys[:length]), Place(line, line, line))
        path = (*table, *keys)
        if path in self._pairs and self._lines.repeated is None:
            self._lines.repeated = (path, self._pairs[path], line)
        self._pairs[path] = line
        self._value(path, line)

    def _value(self, path: KeyPath, line: int) -> None:
        token = self._peek()
        self._places.setdefault(path, Place(line, token.line, token.line))
        if self._at("["):
            self._array(path)
        elif self._at("{"):
            self._inline_table(path)
        elif token.kind in ("string", "multiline", "unclosed"):
            self._take()
            # TOML drops a line break right after the opening quotes.
            dropped = token.kind != "string" and token.text[3:5].startswith(
                ("\n", "\r\n")
            )
            self._places[path] = Place(line, token.line + dropped, token.last)
            return
        else:
            while self._peek().kind == "word" or self._at("."):
                self._take()
            return
        first = self._places[path].first
        last = self._tokens[self._next - 1].last
        self._places[path] = Place(line, first, last)

    def _array(self, path: KeyPath) -> None:
        self._take("[")
        number = 0
        while True:
            while self._peek().kind == "newline" or self._at(","):
                self._take()
            if self._at("]"):
                self._take("]")
                return
            start = self._next
            self._value((*path, number), self._peek().line)
            if self._next == start:
                raise _LostError
            number += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._take("{")
        while not self._at("}"):
            if self._peek().kind == "newline":
                broken = self._take().line
                self._lines.split = self._lines.split or broken
            elif self._at(","):
                self._take()
            else:
                self._pair(path)
        self._take("}")


_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def _unquoted(text: str) -> str:
    """The key that a quoted key means."""
    inner = text[1:-1]
    return _ESCAPE.sub(_escaped, inner) if text[0] == '"' else inner


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 1:
        return _SHORT.get(code, code)
    number = int(code[1:], 16)
    return chr(number) if number < 0x110000 else "\N{REPLACEMENT CHARACTER}"
