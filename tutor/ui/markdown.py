"""The Markdown subset of lessons as blocks and inline runs. Pure; drawing is `prose`'s.

Paragraphs, *emphasis*, **strong**, `code`, lists, fenced code, tables, # headings. What
is none of these is text, so nothing a lesson says can be an error.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

RunKind = Literal["text", "strong", "emphasis", "code"]


@dataclass(frozen=True, slots=True)
class Run:
    """Words in one style."""

    text: str
    kind: RunKind = "text"


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words to be wrapped."""

    runs: Runs


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of its own."""

    runs: Runs


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list."""

    mark: str
    """ "" for a bullet, else the number with its full stop."""
    depth: int
    runs: Runs


@dataclass(frozen=True, slots=True)
class Fence:
    """Code to be shown as it is."""

    language: str
    code: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first row is the head."""

    rows: tuple[tuple[Runs, ...], ...]


Block = Paragraph | Heading | Item | Fence | Table

_ITEM = re.compile(r"(?P<indent> *)(?:[-*+]|(?P<number>\d{1,3}\.)) +(?P<words>.*)")
_HEADING = re.compile(r"#{1,6} +(?P<words>.*?)[ #]*")
_TABLE_RULE = re.compile(r" *\|?(?: *:?-+:? *\|)* *:?-+:? *\|? *")
_INLINE = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)"
    r"|(?<![\w*)])\*\*(?P<strong>[^\s*](?:[^*]*[^\s*])?)\*\*(?![\w*])"
    r"|(?<![\w*])\*(?P<emphasis>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*])"
    r"|\\(?P<escaped>[\\`*_|#-])"
)


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a text, in order."""
    return tuple(_blocks(text.strip("\n").split("\n")))


def inline(text: str) -> Runs:
    """The runs of a paragraph's words."""
    return tuple(_inline(text))


def _blocks(lines: list[str]) -> Iterator[Block]:
    position = 0
    while position < len(lines):
        line = lines[position]
        if not line.strip():
            position += 1
        elif line.lstrip().startswith("```"):
            end = _end_of_fence(lines, position)
            code = "\n".join(lines[position + 1 : end])
            yield Fence(line.strip()[3:].strip(), textwrap.dedent(code).strip("\n"))
            position = end + 1
        elif match := _HEADING.fullmatch(line):
            yield Heading(inline(match["words"]))
            position += 1
        elif "|" in line and _is_table_rule(lines, position + 1):
            end = position + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield _table([line, *lines[position + 2 : end]])
            position = end
        else:
            end = _end_of_words(lines, position)
            yield _words(lines[position:end])
            position = end


def _end_of_fence(lines: list[str], start: int) -> int:
    for position in range(start + 1, len(lines)):
        if lines[position].strip() == "```":
            return position
    return len(lines)


def _is_table_rule(lines: list[str], position: int) -> bool:
    if position >= len(lines):
        return False
    line = lines[position]
    return "-" in line and "|" in line and _TABLE_RULE.fullmatch(line) is not None


def _end_of_words(lines: list[str], start: int) -> int:
    for position in range(start + 1, len(lines)):
        line = lines[position]
        other = _ITEM.match(line) or _HEADING.match(line) or _is_fence(line)
        if not line.strip() or other or _is_table_rule(lines, position + 1):
            return position
    return len(lines)


def _is_fence(line: str) -> bool:
    return line.lstrip().startswith("```")


def _words(lines: list[str]) -> Block:
    match = _ITEM.fullmatch(lines[0])
    if match is None:
        return Paragraph(inline(" ".join(line.strip() for line in lines)))
    words = " ".join([match["words"], *(line.strip() for line in lines[1:])])
    return Item(match["number"] or "", len(match["indent"]) // 2, inline(words))


def _table(lines: list[str]) -> Table:
    rows = [
        tuple(inline(cell.strip()) for cell in re.split(r"(?<!\\)\|", _trimmed(line)))
        for line in lines
    ]
    width = len(rows[0])
    return Table(tuple((*row, *[()] * (width - len(row)))[:width] for row in rows))


def _trimmed(line: str) -> str:
    return line.strip().removeprefix("|").removesuffix("|")


def _inline(text: str) -> Iterator[Run]:
    position = 0
    held = ""
    for match in _INLINE.finditer(text):
        held += text[position : match.start()]
        position = match.end()
        if match["escaped"]:
            held += match["escaped"]
            continue
        if held:
            yield Run(held)
            held = ""
        if match["code"]:
            yield Run(match["code"].strip() or match["code"], "code")
        elif match["strong"]:
            yield Run(match["strong"], "strong")
        else:
            yield Run(match["emphasis"], "emphasis")
    if held + text[position:]:
        yield Run(held + text[position:])
