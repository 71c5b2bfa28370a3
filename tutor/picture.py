"""A picture in text: lines of one width, and which cells of them have a colour. What
`plotting` and `pictures` make, and screens and prints show. Plain data, stdlib only.

A colour is told by its role; `pictures.inks` says which one that is:
"a" to "f" the curves in their order, "a-" to "f-" the same but faint; "quiet", "strong",
"bad", "here" (a cursor); "class0" and "class1" the points of two classes; "heat0" (low)
to "heat7" (high).
Where there are no colours the characters alone must tell enough: ask for `Marks`.
"""

from dataclasses import dataclass
from typing import Literal

Marks = Literal["braille", "letters", "ascii"]
"""How things are drawn: dots and colours; letters that need no colour; that, in ASCII."""
LETTERS = "ABCDEF"
"""Of the curves."""
INKS = "abcdef"
"""Their roles."""
MARKERS = "●▲■◆▼○"
"""On their lines, so that colours alone tell nothing."""
FAINT = tuple(f"{ink}-" for ink in INKS)
"""Their roles where they stay behind: test losses, values before smoothing."""
HEATS = tuple(f"heat{number}" for number in range(8))


@dataclass(frozen=True, slots=True)
class Patch:
    """Cells of one line, start to end, in one colour."""

    start: int
    end: int
    ink: str = ""
    """The role of the characters' colour; "": as all text."""
    ground: str = ""
    """The role of the colour behind them; "": none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Lines of exactly the asked width, and the patches of each, from left to right."""

    lines: tuple[str, ...]
    patches: tuple[tuple[Patch, ...], ...]


def blank(width: int, height: int) -> Picture:
    """Nothing, of that size."""
    return Picture((" " * width,) * height, ((),) * height)


def patches(inks: "dict[int, tuple[str, str]]") -> tuple[Patch, ...]:
    """Neighbouring cells of the same colours as one patch; `inks` by column: the ink
    and the ground of a cell."""
    found: list[Patch] = []
    for at in sorted(inks):
        ink, ground = inks[at]
        last = found[-1] if found else None
        if last and last.end == at and (last.ink, last.ground) == (ink, ground):
            found[-1] = Patch(last.start, at + 1, ink, ground)
        else:
            found.append(Patch(at, at + 1, ink, ground))
    return tuple(found)
