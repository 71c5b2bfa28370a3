"""Which of the terminal's sixteen colours each role of a picture has, for screens,
prints and files: one table for dark backgrounds and one for light ones.
"""

from typing import Final

from tutor.picture import FAINT, HEATS, INKS

COLOURS: Final = (
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    "bright_black", "bright_red", "bright_green", "bright_yellow",
    "bright_blue", "bright_magenta", "bright_cyan", "bright_white",
)  # fmt: skip
"""Their names, by number."""
DIM: Final = frozenset({"quiet", *FAINT})
"""Roles drawn dim. Not grey: greys vanish on some backgrounds."""
BOLD: Final = frozenset({"strong", "bad", "here"})
"""Roles drawn bold."""

_HEATS = (
    "blue", "bright_blue", "cyan", "bright_cyan",
    "bright_yellow", "yellow", "bright_red", "red",
)  # fmt: skip
"""The two halves differ in hue, so that 0.5 is seen as an edge."""


def _roles(curves: tuple[str, ...], **others: str) -> dict[str, str]:
    heats = dict(zip(HEATS, _HEATS, strict=True))
    both = zip((*INKS, *FAINT), curves * 2, strict=True)
    return {**dict(both), **heats, **others}


DARK: Final = _roles(
    ("cyan", "yellow", "magenta", "green", "red", "blue"),
    bad="bright_red",
    here="cyan",
    class0="bright_cyan",
    class1="bright_yellow",
)
"""Colour by role; a role that is not in it has the text's usual colour."""
LIGHT: Final = _roles(
    ("blue", "red", "magenta", "green", "cyan", "black"),
    bad="red",
    here="blue",
    class0="blue",
    class1="red",
)
