"""A Picture as an SVG file: dots, lines and blocks as shapes, so that no font decides how
they look; words as text. Light or dark as the reader's system is.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from tutor.picture import HEATS, Patch, Picture
from tutor.pictures import inks

WIDTH, HEIGHT = 8, 16
"""Of a cell, in pixels."""
_MARGIN = 8
_BRAILLE = range(0x2800, 0x2900)
_DOTS = (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)
"""Column and row of each bit of a braille cell (Unicode 15, 2800-28FF)."""

_WORD = re.compile(r"[^ ]+")
_HEATS = dict(
    zip(
        HEATS,
        ("#1c5fc4", "#5f93ea", "#74c7d8", "#c5e9f0", "#ffe7a3", "#f5b83d", "#ef7168", "#c92a2a"),
        strict=True,
    )
)  # fmt: skip
"""More even than the sixteen can be."""
_LIGHT = {
    "black": "#24292f", "red": "#c92a2a", "green": "#2b8a3e", "yellow": "#b08800",
    "blue": "#1c5fc4", "magenta": "#9c36b5", "cyan": "#0b7285", "white": "#868e96",
    "bright_black": "#868e96", "bright_red": "#ef7168", "bright_green": "#51cf66",
    "bright_yellow": "#ffdf80", "bright_blue": "#6c9cf0", "bright_magenta": "#cc5de8",
    "bright_cyan": "#9adbe8", "bright_white": "#ffffff",
}  # fmt: skip
_DARK = _LIGHT | {
    "red": "#e5534b", "green": "#8cc265", "yellow": "#e0b341", "blue": "#4d8df0",
    "magenta": "#c678dd", "cyan": "#4fb8c9", "black": "#5c6370",
}  # fmt: skip
_SHEETS = (
    ("", inks.LIGHT, _LIGHT, "#24292f", "#ffffff"),
    ("@media (prefers-color-scheme: dark)", inks.DARK, _DARK, "#d7dae0", "#1b1e24"),
)
"""Condition, colours by role, colours by name, of the text, of the background."""

_LINES = {
    "─": "lr", "│": "ud", "┤": "udl", "├": "udr", "┬": "lrd", "┴": "lru", "┼": "lrud",
    "└": "ur", "┘": "ul",
}  # fmt: skip
"""Which ways a sign goes from the middle of its cell."""
_WAYS = {"l": (0.0, 0.5), "r": (1.0, 0.5), "u": (0.5, 0.0), "d": (0.5, 1.0)}
_BLOCKS = {"▀": (1.0, 0.5), "█": (1.0, 1.0)} | {
    sign: (number / 8, 1.0) for number, sign in enumerate("▏▎▍▌▋▊▉", start=1)
}
"""Width and height of what is filled, from the upper left corner."""
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_SHAPES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "▲": ((0.5, 0.2), (0.95, 0.75), (0.05, 0.75)),
    "▼": ((0.5, 0.8), (0.95, 0.25), (0.05, 0.25)),
    "■": ((0.1, 0.3), (0.9, 0.3), (0.9, 0.7), (0.1, 0.7)),
    "◆": ((0.5, 0.22), (1.0, 0.5), (0.5, 0.78), (0.0, 0.5)),
    "●": tuple(
        (0.5 + 0.45 * math.cos(at * math.pi / 8), 0.5 + 0.225 * math.sin(at * math.pi / 8))
        for at in range(16)
    ),
}  # fmt: skip


def svg(picture: Picture, title: str = "") -> str:
    """A whole document. `title`: what a screen reader says."""
    columns = max(map(len, picture.lines), default=0)
    width = columns * WIDTH + 2 * _MARGIN
    height = len(picture.lines) * HEIGHT + 2 * _MARGIN
    shapes = _Shapes()
    for row, (line, patches) in enumerate(
        zip(picture.lines, picture.patches, strict=True)
    ):
        for part in _parts(line, patches):
            shapes.add(row, part.start, line[part.start : part.end], part)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="{-_MARGIN} {-_MARGIN} {width} {height}" role="img">\n',
            f"<title>{escape(_printable(title))}</title>\n" if title else "",
            f"<style>\n{_style()}</style>\n",
            f'<rect class="page" x="{-_MARGIN}" y="{-_MARGIN}" width="{width}" '
            f'height="{height}"/>\n',
            *shapes.elements(),
            "</svg>\n",
        ]
    )


def _parts(line: str, patches: tuple[Patch, ...]) -> Iterator[Patch]:
    """All of a line, also what lies between the patches."""
    at = 0
    for patch in patches:
        if at < patch.start:
            yield Patch(at, patch.start)
        yield patch
        at = patch.end
    if at < len(line):
        yield Patch(at, len(line))


class _Shapes:
    """What is drawn in each colour: areas under lines and dots under words."""

    def __init__(self) -> None:
        self._grounds: dict[str, list[str]] = defaultdict(list)
        self._areas: dict[str, list[str]] = defaultdict(list)
        self._shades: dict[tuple[str, float], list[str]] = defaultdict(list)
        self._strokes: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._words: list[str] = []

    def add(self, row: int, column: int, text: str, patch: Patch) -> None:
        """Neighbouring cells of one colour."""
        x, y, ink = column * WIDTH, row * HEIGHT, patch.ink
        if patch.ground:
            self._grounds[patch.ground].append(_box(x, y, len(text), 1))
        for sign in text:
            if ord(sign) in _BRAILLE:
                self._strokes[ink, "dots"] += _dots(x, y, ord(sign) - 0x2800)
            elif sign in _LINES:
                for way in _LINES[sign]:
                    across, down = _WAYS[way]
                    self._strokes[ink, "lines"].append(
                        f"M{x + WIDTH / 2:g} {y + HEIGHT / 2:g}"
                        f"L{x + across * WIDTH:g} {y + down * HEIGHT:g}"
                    )
            elif sign == "┊":
                middle = x + WIDTH / 2
                self._strokes[ink, "lines"] += [
                    f"M{middle:g} {y + at}v3" for at in (1, 7, 13)
                ]
            elif sign in _BLOCKS:
                self._areas[ink].append(_box(x, y, *_BLOCKS[sign]))
            elif sign in _SHADES:
                self._shades[ink, _SHADES[sign]].append(_box(x, y, 1, 1))
            elif sign in _SHAPES:
                self._areas[ink].append(_polygon(x, y, sign))
            x += WIDTH
        self._write(row, column, text, ink)

    def _write(self, row: int, column: int, text: str, ink: str) -> None:
        """The words in it; each is as wide as its cells, whatever the font."""
        words = "".join(" " if _is_drawn(sign) else sign for sign in text)
        for found in _WORD.finditer(words):
            word = found.group()
            self._words.append(
                f'<text{_class(ink)} x="{(column + found.start()) * WIDTH}" '
                f'y="{row * HEIGHT + 12}" textLength="{len(word) * WIDTH}" '
                f'lengthAdjust="spacingAndGlyphs">{escape(_printable(word))}</text>\n'
            )

    def elements(self) -> Iterator[str]:
        """From the back to the front."""
        for ink, pieces in (*self._grounds.items(), *self._areas.items()):
            yield f'<path{_class(ink)} d="{"".join(pieces)}"/>\n'
        for (ink, share), pieces in self._shades.items():
            yield f'<path{_class(ink)} opacity="{share}" d="{"".join(pieces)}"/>\n'
        for (ink, kind), pieces in self._strokes.items():
            yield f'<path{_class(ink, kind)} d="{"".join(pieces)}"/>\n'
        yield from self._words


def _is_drawn(sign: str) -> bool:
    return (
        ord(sign) in _BRAILLE or sign in _LINES or sign in _BLOCKS or sign in _SHADES
        or sign in _SHAPES or sign == "┊"
    )  # fmt: skip


def _box(x: float, y: float, columns: float, rows: float) -> str:
    width, height = columns * WIDTH, rows * HEIGHT
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"


def _polygon(x: float, y: float, sign: str) -> str:
    points = (f"{x + a * WIDTH:g} {y + b * HEIGHT:g}" for a, b in _SHAPES[sign])
    return "M" + "L".join(points) + "z"


def _dots(x: float, y: float, bits: int) -> Iterator[str]:
    for number, (column, row) in enumerate(_DOTS):
        if bits & 1 << number:
            yield f"M{x + 2 + 4 * column:g} {y + 2 + 4 * row:g}h0"


def _class(ink: str, *others: str) -> str:
    names = " ".join((*others, *([f"i{ink}"] if ink else [])))
    return f' class="{names}"' if names else ""


def _style() -> str:
    sheets = []
    for condition, roles, colours, front, back in _SHEETS:
        rules = [
            f"svg{{color:{front};fill:{front}}}.page{{fill:{back}}}",
            *(
                f".i{role}{{color:{colour};fill:{colour}}}"
                for role, name in roles.items()
                for colour in (_HEATS.get(role, colours[name]),)
            ),
        ]
        sheet = "\n".join(rules)
        sheets.append(f"{condition}{{\n{sheet}\n}}\n" if condition else sheet + "\n")
    dim = ",".join(f".i{role}" for role in sorted(inks.DIM))
    bold = ",".join(f".i{role}" for role in sorted(inks.BOLD))
    return (
        "".join(sheets)
        + f"{dim}{{opacity:.55}}{bold}{{font-weight:bold}}\n"
        + "text{font:13px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}\n"
        + ".dots,.lines{fill:none;stroke:currentColor;stroke-width:1}\n"
        + ".dots{stroke-width:2.6;stroke-linecap:round}\n"
    )


def _printable(text: str) -> str:
    """Without what XML 1.0 does not allow."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
