"""The glyphs a picture is drawn with: box drawing, or ASCII alone. Data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alphabet:
    """One way to draw."""

    is_ascii: bool
    wires: str
    """By mask: 1 north, 2 east, 4 south, 8 west."""
    marked_wires: str
    """The same, of an edge that sends right now."""
    borders: Mapping[str, str]
    """Of "done", "now" and "todo" boxes, six glyphs: four corners, level, upright."""
    brackets: Mapping[str, str]
    """The same for boxes of one row: left and right."""
    left_head: str
    right_head: str
    up_head: str
    down_head: str
    wire_end: str
    """Where a wire whose head is at its other end meets a box."""
    marked_wire_end: str


BOXES = Alphabet(
    is_ascii=False,
    wires=" │─╰││╭├─╯─┴╮┤┬┼",
    marked_wires=" ║═╚║║╔╠═╝═╩╗╣╦╬",
    borders={"done": "╭╮╰╯─│", "now": "╔╗╚╝═║", "todo": "╭╮╰╯┄┊"},
    brackets={"done": "()", "now": "[]", "todo": "┊┊"},
    left_head="◀",
    right_head="▶",
    up_head="▲",
    down_head="▼",
    wire_end="╴",
    marked_wire_end="═",
)
ASCII = Alphabet(
    is_ascii=True,
    wires=" |-+||++-+-+++++",
    marked_wires=" H=#HH##=#=#####",
    borders={"done": "++++-|", "now": "####=H", "todo": "..''.:"},
    brackets={"done": "()", "now": "[]", "todo": "::"},
    left_head="<",
    right_head=">",
    up_head="^",
    down_head="v",
    wire_end="-",
    marked_wire_end="=",
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
