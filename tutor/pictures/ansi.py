"""A Picture as text for a terminal: its lines, with the sixteen colours or without."""

from tutor.picture import Patch, Picture
from tutor.pictures import inks


def ansi(picture: Picture, *, colours: bool) -> str:
    """Lines that end with a newline and have no spaces before it. With colours each
    patch is switched on and off by itself (ECMA-48, 8.3.117)."""
    lines = []
    for line, patches in zip(picture.lines, picture.patches, strict=True):
        pieces, at = [], 0
        for patch in patches if colours else ():
            pieces.append(line[at : patch.start])
            text, codes = line[patch.start : patch.end], _codes(patch)
            pieces.append(f"\x1b[{codes}m{text}\x1b[0m" if codes else text)
            at = patch.end
        lines.append("".join([*pieces, line[at:]]).rstrip() + "\n")
    return "".join(lines)


def _codes(patch: Patch) -> str:
    codes = []
    if patch.ink in inks.BOLD:
        codes.append(1)
    if patch.ink in inks.DIM:
        codes.append(2)
    for role, base in ((patch.ink, 30), (patch.ground, 40)):
        if role in inks.DARK:
            number = inks.COLOURS.index(inks.DARK[role])
            codes.append(base + number if number < 8 else base + 52 + number)
    return ";".join(map(str, codes))
