"""How the tutor looks on this terminal: from the flags and the environment, once.

What each choice means on screen is `ui.look`'s; nothing here reads a file.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from tutor.errors import UsageError

Theme = Literal["dark", "light"]
Glyphs = Literal["unicode", "ascii"]
Link = Literal["slow", "fast"]
THEMES: tuple[Theme, ...] = ("dark", "light")
LINKS: tuple[Link, ...] = ("slow", "fast")
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices that hold for one run of the app."""

    theme: Theme = "dark"
    """For a terminal with a dark or a light background; both use its 16 colours."""
    glyphs: Glyphs = "unicode"
    """ascii: no byte above 0x7F reaches the terminal."""
    colour: bool = True
    """False: no colour code reaches the terminal."""
    link: Link = "fast"
    """slow: no animation, no blinking cursor, redraws bounded; for SSH."""


def load(
    environ: Mapping[str, str] | None = None,
    *,
    ascii: bool = False,
    theme: str | None = None,
    link: str | None = None,
) -> Settings:
    """The flags as given; what is False or None is read from the environment.

    Raises UsageError for a theme or a link that does not exist.
    """
    environ = os.environ if environ is None else environ
    unicode = not ascii and _speaks_unicode(environ)
    return Settings(
        theme=_one_of("theme", THEMES, theme) if theme else _theme(environ),
        glyphs="unicode" if unicode else "ascii",
        colour="NO_COLOR" not in environ,
        link=_one_of("link", LINKS, link) if link else _link(environ),
    )


def _one_of(option: str, known: tuple[Choice, ...], given: str) -> Choice:
    for each in known:
        if each == given:
            return each
    raise UsageError(
        f"There is no {option} {given!r} for --{option}: choose {' or '.join(known)}."
    )


def _speaks_unicode(environ: Mapping[str, str]) -> bool:
    """By the first of the locale variables that is set (POSIX, 8.2).

    None set says nothing about the terminal, and nearly all terminals speak UTF-8.
    Python itself sets LC_CTYPE where it finds the C locale (PEP 538): that is not the
    terminal's word.
    """
    if environ.get("LC_CTYPE") in _COERCED and environ.get("LANG") in ("C", "POSIX"):
        environ = {name: environ.get(name, "") for name in ("LC_ALL", "LANG")}
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := environ.get(name):
            return "utf8" in value.lower().replace("-", "")
    return True


def _theme(environ: Mapping[str, str]) -> Theme:
    """COLORFGBG, where a terminal sets it, ends in the background's colour number."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if background in ("7", "15") else "dark"


def _link(environ: Mapping[str, str]) -> Link:
    remote = "SSH_CONNECTION" in environ or "SSH_TTY" in environ
    return "slow" if remote else "fast"
