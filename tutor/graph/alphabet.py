"""The glyphs a picture is drawn with: box drawing, or ASCII alone. Data."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alphabet:
    """One way to draw."""

    is_ascii: bool
    wires: str
    """By mask: 1 north, 2 east, 4 south, 8 west."""
    done: str
    """A border's glyphs: four corners, level, upright."""
    now: str
    todo: str
    left_head: str
    right_head: str
    up_head: str
    down_head: str
    wire_end: str
    """Where a wire whose head is at its other end meets a box."""


BOXES = Alphabet(
    is_ascii=False,
    wires=" │─╰││╭├─╯─┴╮┤┬┼",
    done="╭╮╰╯─│",
    now="╔╗╚╝═║",
    todo="╭╮╰╯┄┊",
    left_head="◀",
    right_head="▶",
    up_head="▲",
    down_head="▼",
    wire_end="╴",
)
ASCII = Alphabet(
    is_ascii=True,
    wires=" |-+||++-+-+++++",
    done="++++-|",
    now="####=H",
    todo="..''.:",
    left_head="<",
    right_head=">",
    up_head="^",
    down_head="v",
    wire_end="-",
)

_PLAIN = str.maketrans(
    {
        "∂": "d", "·": "*", "×": "x", "→": "->", "←": "<-", "…": "...", "ᵀ": "^T",
        "Φ": "Phi", "φ": "phi", "π": "pi", "−": "-", "✓": "ok", "✗": "x",
        "≈": "~", "Δ": "~", "–": "-", "▸": ">",
    }
)  # fmt: skip
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


def plain(text: str) -> str:
    """The text without a byte above 0x7F."""
    text = re.sub(
        f"[{_SUPERSCRIPTS}]",
        lambda match: f"^{_SUPERSCRIPTS.index(match[0])}",
        text,
    )
    text = text.translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode()
