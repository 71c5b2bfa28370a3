"""Prose as far as a lesson's rules need it: fenced code, and how tall the text is."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

WIDTH = 76
"""Columns of prose on the smallest usual terminal."""


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced block of a Markdown text."""

    language: str
    """What follows the opening fence; "" when nothing does."""
    code: str
    line: int
    """The line of the opening fence, counted from 1."""
    closed: bool

    @property
    def is_python(self) -> bool:
        """Python to be run by `check`; ```text or a bare fence is only shown."""
        return self.language in ("python", "py")


def fences(text: str) -> Iterator[Fence]:
    """The fenced blocks of a text, in order."""
    opened: tuple[str, int] | None = None
    held: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if opened is None:
            if line.lstrip().startswith("```"):
                opened, held = (line.strip()[3:].strip().lower(), number), []
        elif line.strip() == "```":
            yield Fence(opened[0], _dedented(held), opened[1], True)
            opened = None
        else:
            held.append(line)
    if opened is not None:
        yield Fence(opened[0], _dedented(held), opened[1], False)


def _dedented(lines: list[str]) -> str:
    return textwrap.dedent("".join(f"{line}\n" for line in lines))


def prose_height(text: str) -> int:
    """Lines the text takes at WIDTH columns, without fenced code and empty lines."""
    height = 0
    fenced = False
    paragraph: list[str] = []
    for line in [*text.split("\n"), ""]:
        mark = line.lstrip().startswith("```")
        if mark or fenced or not line.strip():
            height += len(textwrap.wrap(" ".join(paragraph), WIDTH))
            paragraph = []
            fenced = fenced != mark
            continue
        if line.lstrip().startswith(("- ", "* ", "|", "#")):
            height += len(textwrap.wrap(" ".join(paragraph), WIDTH))
            paragraph = []
        paragraph.append(line.strip())
    return height
