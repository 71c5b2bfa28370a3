"""How everything looks: one glyph table, one place for colour, for every screen.

A widget asks `look_of(self)` for the Look and writes `look[Glyph.DONE]`, never the
character. Colours are the terminal's own sixteen, by role (`GOOD`, `QUIET`, ...), in
CSS as `$accent`, `$success`, ...; a role never says something that a glyph or a word
does not say too. `LookApp` makes an App obey: themes, NO_COLOR, ASCII, slow link.
"""

import enum
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rich.style import Style as RichStyle
from textual.app import App
from textual.color import Color
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import LineFilter
from textual.theme import Theme

from tutor.picture import INKS
from tutor.pictures import inks
from tutor.settings import Settings
from tutor.ui.gates import Ascii, Colours
from tutor.ui.transliterate import ascii_text

if TYPE_CHECKING:
    from tutor.highlight import Kind

# Roles, as Textual styles for `Content` spans.
HERE: Final = "$accent"
"""Where you are, and keys."""
STRONG: Final = "bold"
QUIET: Final = "dim"
"""What may be overlooked. `dim` and not a grey: greys vanish on some backgrounds."""
GOOD: Final = "$success"
BAD: Final = "$error"
WARN: Final = "$warning"
EMPHASIS: Final = "italic"
CURVES: Final = tuple(f"$picture-{ink}" for ink in INKS)
"""Of a plot's curves, in their order; each has its letter too."""
CODE: Final = "$secondary"
"""Code inside a sentence."""
SYNTAX: Final[dict["Kind", str]] = {
    "keyword": "$secondary",
    "builtin": "",
    "defined": "bold",
    "string": "$success",
    "number": "",
    "comment": "dim",
}
"""The parts of Python code that `highlight` tells apart."""

NARROW: Final = 72
"""A screen of fewer columns gives up margins and second columns."""


class Glyph(enum.Enum):
    """The glyph table: each sign with its Unicode and its ASCII form.

    One cell wide each, and no character that terminals disagree about.
    """

    HERE = "▌", "|"
    DONE = "●", "*"
    PARTLY = "◐", "+"
    TODO = "○", "o"
    NOW = "◉", "@"
    SKIPPED = "◌", "-"
    UNWRITTEN = "·", "."
    GO = "▸", ">"
    RIGHT = "✓", "v"
    WRONG = "✗", "x"
    HINT = "?", "?"
    FULL = "▰", "#"
    EMPTY = "▱", "-"
    RULE = "─", "-"
    COLUMN = "│", "|"
    ELLIPSIS = "…", "~"
    DOT = "·", "-"
    DASH = "–", "-"
    CURSOR = "▏", "_"
    LEFT = "◂", "<"
    BULLET = "•", "*"
    UP_ARROW = "↑", "^"
    DOWN_ARROW = "↓", "v"
    BACKWARD = "◀", "<"
    PAUSED = "▮", "#"
    BUSY = "▪", "*"

    def __init__(self, fancy: str, plain: str) -> None:
        self.fancy = fancy
        self.plain = plain


_KEYS: dict[str, tuple[str, str]] = {
    # Textual's name of a key: (Unicode, ASCII)
    "enter": ("↵", "Enter"),
    "escape": ("esc", "Esc"),
    "space": ("space", "Space"),
    "tab": ("tab", "Tab"),
    "up": ("↑", "Up"),
    "down": ("↓", "Down"),
    "left": ("←", "Left"),
    "right": ("→", "Right"),
    "shift+up": ("⇧↑", "S-Up"),
    "shift+down": ("⇧↓", "S-Down"),
    "shift+left": ("⇧←", "S-Left"),
    "shift+right": ("⇧→", "S-Right"),
    "shift+tab": ("⇧tab", "S-Tab"),
    "pageup": ("pgup", "PgUp"),
    "pagedown": ("pgdn", "PgDn"),
    "home": ("home", "Home"),
    "end": ("end", "End"),
}


_USUAL = Settings()


@dataclass(frozen=True, slots=True)
class Look:
    """The glyphs of this terminal; colours come from the theme."""

    settings: Settings = _USUAL

    @property
    def ascii(self) -> bool:
        """True: only characters up to 0x7F may be drawn."""
        return self.settings.glyphs == "ascii"

    def __getitem__(self, glyph: Glyph) -> str:
        return glyph.plain if self.ascii else glyph.fancy

    def key(self, key: str) -> str:
        """How a key is drawn: "enter" as ↵, "ctrl+r" as ^r."""
        if key in _KEYS:
            return _KEYS[key][self.ascii]
        if key.startswith("ctrl+"):
            return "^" + key.removeprefix("ctrl+")
        return key

    def text(self, words: str) -> str:
        """Our or a lesson's words as this terminal can show them: ∂f/∂x or df/dx.

        The length may change, so do it before measuring.
        """
        return ascii_text(words) if self.ascii else words


def look_of(node: DOMNode) -> Look:
    """The Look of the app that `node` lives in; the usual one if it has none."""
    found = getattr(node.app, "look", None)
    return found if isinstance(found, Look) else Look()


def sent_by(node: DOMNode) -> int:
    """Bytes that the app that `node` lives in has sent to the terminal so far."""
    return node.app.sent if isinstance(node.app, LookApp) else 0


_ANSI_VARIABLES = {
    "ansi-background": "ansi_default",
    "ansi-foreground": "ansi_default",
    "border": "ansi_default",
    "border-blurred": "ansi_default",
    "block-cursor-background": "ansi_default",
    "block-cursor-foreground": "ansi_default",
    "block-cursor-text-style": "reverse",
    "input-cursor-background": "ansi_default",
    "input-cursor-foreground": "ansi_default",
    "input-cursor-text-style": "reverse",
    "scrollbar": "ansi_bright_black",
    "scrollbar-hover": "ansi_bright_black",
    "scrollbar-active": "ansi_default",
    "scrollbar-background": "ansi_default",
    "scrollbar-background-hover": "ansi_default",
    "scrollbar-background-active": "ansi_default",
    "scrollbar-corner-color": "ansi_default",
}


def _picture(colours: Mapping[str, str]) -> dict[str, str]:
    """The theme variables of a picture's roles."""
    return {f"picture-{role}": f"ansi_{colour}" for role, colour in colours.items()}


def picture_style(variables: Mapping[str, str], ink: str, ground: str) -> RichStyle:
    """How the cells of a `picture.Patch` look. `variables`: the theme's."""
    front, back = (variables.get(f"picture-{role}", "") for role in (ink, ground))
    return _style(front, back, ink in inks.BOLD, ink in inks.DIM)


@functools.lru_cache(1024)
def _style(front: str, back: str, bold: bool, dim: bool) -> RichStyle:
    return RichStyle(
        color=Color.parse(front).rich_color if front else None,
        bgcolor=Color.parse(back).rich_color if back else None,
        bold=bold or None,
        dim=dim or None,
    )


_COMMON: dict[str, Any] = {
    "ansi": True,
    "foreground": "ansi_default",
    "background": "ansi_default",
    "surface": "ansi_default",
    "panel": "ansi_default",
    "boost": "ansi_default",
}

THEMES = {
    "dark": Theme(
        name="tutor-dark",
        dark=True,
        primary="ansi_blue",
        secondary="ansi_magenta",
        accent="ansi_cyan",
        success="ansi_green",
        error="ansi_bright_red",
        warning="ansi_yellow",
        variables=_ANSI_VARIABLES
        | _picture(inks.DARK)
        | {
            "input-selection-background": "ansi_blue",
            "input-selection-foreground": "ansi_bright_white",
            "screen-selection-background": "ansi_blue",
            "screen-selection-foreground": "ansi_bright_white",
        },
        **_COMMON,
    ),
    "light": Theme(
        name="tutor-light",
        dark=False,
        primary="ansi_blue",
        secondary="ansi_magenta",
        accent="ansi_blue",
        success="ansi_green",
        error="ansi_red",
        warning="ansi_magenta",
        variables=_ANSI_VARIABLES
        | _picture(inks.LIGHT)
        | {
            "input-selection-background": "ansi_cyan",
            "input-selection-foreground": "ansi_black",
            "screen-selection-background": "ansi_cyan",
            "screen-selection-foreground": "ansi_black",
        },
        **_COMMON,
    ),
}


Result = TypeVar("Result")


class LookApp(App[Result]):
    """An App that looks as the settings say. Tests of one widget use it as it is."""

    ENABLE_COMMAND_PALETTE = True

    def __init__(self, settings: Settings = _USUAL) -> None:
        super().__init__()
        self.sent = 0
        """Bytes that went to the terminal so far; a test without one sends none."""
        self.look = Look(settings)
        self._line_filters: list[LineFilter] = [Colours(keep=settings.colour)]
        if self.look.ascii:
            self._line_filters.append(Ascii({each.fancy: each.plain for each in Glyph}))
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = THEMES[settings.theme].name
        if settings.link == "slow":
            self.animation_level = "none"
        self.set_class(self.look.ascii, "-ascii")

    def get_driver_class(self) -> type[Driver]:
        """The usual one, counting."""
        app, usual = self, super().get_driver_class()

        class Counting(usual):  # type: ignore[valid-type, misc]
            def write(self, data: str) -> None:
                app.sent += len(data.encode(errors="replace"))
                super().write(data)

        return Counting

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Ours replace Textual's, which would make 24-bit colours of the sixteen."""
        return self._line_filters

    def switch_theme(self) -> None:
        """The other of the two."""
        dark, light = (theme.name for theme in THEMES.values())
        self.theme = light if self.theme == dark else dark
