"""SafeText: what every foreign string becomes before a screen or a terminal sees it.

Foreign is what we did not write: kernel output, lesson text, file names, exception
messages, completions, pasted text. Kept: printable characters, newlines, and SGR
colours as spans. A carriage return overwrites its line, as a terminal would. All other
escape sequences (7- and 8-bit, also unterminated ones) go; control characters, bidi
controls and invisible characters become visible. Nothing here is ever markup.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])?"  # CSI
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])"  # OSC DCS SOS PM APC: to their end,
    r"[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # or the line's when unterminated
    r"|\x1b[ -/]*[0-~]?"  # any other escape
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_JOINER = re.compile(r"[\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_INVISIBLE = re.compile(
    r"[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_ORDINARY = re.compile(r"[\n -~\xa1-\xac\xae-\u02ff\u0370-\u03ff\u2190-\u25ff]*")
_MARKS_PER_CHARACTER = 2
_TAB = 8


@dataclass(frozen=True, slots=True)
class Style:
    """How a span looks; colours are the 16 of the terminal, 0-15."""

    foreground: int | None = None
    """None: the text's usual colour."""
    background: int | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False


PLAIN = Style()


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the text, `plain[start:end]`, that is not plain."""

    start: int
    end: int
    style: Style


@dataclass(frozen=True, slots=True)
class SafeText:
    """Text that cannot command the terminal. Made by `safe`, never from a raw str."""

    plain: str
    spans: tuple[Span, ...] = ()
    style: Style = PLAIN
    """The style in force at the end, to go on with in the next piece of a stream."""

    def __str__(self) -> str:
        return self.plain


def safe(foreign: str, style: Style = PLAIN) -> SafeText:
    """`foreign` made harmless. `style` is the one in force where it begins."""
    if style == PLAIN and _ORDINARY.fullmatch(foreign):
        return SafeText(foreign)
    pieces = list(_pieces(foreign, style))
    end = pieces[-1][1]
    if "\r" in foreign:
        pieces = _overwritten(pieces)
    return _joined(pieces, end)


def safe_line(foreign: str, limit: int = 200) -> str:
    """One harmless line without colours, cut at `limit` characters: for labels."""
    line = " ".join(safe(foreign[: 4 * limit]).plain.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _pieces(foreign: str, style: Style) -> Iterator[tuple[str, Style]]:
    """Runs of harmless text with their style; \\r and \\t still in them."""
    position = marks = 0
    for match in _SEQUENCE.finditer(foreign):
        if match.start() > position:
            text, marks = _visible(foreign[position : match.start()], marks)
            yield text, style
        position = match.end()
        if match["final"] == "m" and not (match["parameters"] or "").startswith("?"):
            style = _after_sgr(style, match["parameters"] or "0")
    yield _visible(foreign[position:], marks)[0], style


def _visible(text: str, marks: int) -> tuple[str, int]:
    """`marks`: how many of them end what stands before `text`; and after it."""
    if _ORDINARY.fullmatch(text):
        return text, 0 if text else marks
    text = _CONTROL.sub(_picture, _JOINER.sub("", text))
    text = _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return (text, 0) if text.isascii() else _few_marks(text, marks)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


def _few_marks(text: str, marks: int) -> tuple[str, int]:
    kept: list[str] = []
    for character in text:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if marks <= _MARKS_PER_CHARACTER:
            kept.append(character)
    return "".join(kept), marks


def _overwritten(pieces: list[tuple[str, Style]]) -> list[tuple[str, Style]]:
    """Apply carriage returns: the text after one replaces the line's beginning."""
    done: list[tuple[str, Style]] = []
    line: list[tuple[str, Style]] = []
    column = 0
    for text, style in pieces:
        for character in text:
            if character == "\r":
                column = 0
            elif character == "\n":
                done += [*line, ("\n", style)]
                line, column = [], 0
            else:
                line[column : column + 1] = [(character, style)]
                column += 1
    return done + line


def _joined(pieces: list[tuple[str, Style]], end: Style) -> SafeText:
    plain: list[str] = []
    spans: list[Span] = []
    length = column = start = 0
    running = PLAIN
    for text, style in pieces:
        if "\t" in text:
            text = _untabbed(text, column)
        newline = text.rfind("\n")
        column = column + len(text) if newline < 0 else len(text) - newline - 1
        if style != running and text:
            if running != PLAIN:
                spans.append(Span(start, length, running))
            start, running = length, style
        plain.append(text)
        length += len(text)
    if running != PLAIN:
        spans.append(Span(start, length, running))
    return SafeText("".join(plain), tuple(spans), end)


def _untabbed(text: str, column: int) -> str:
    lead = column % _TAB
    return (" " * lead + text).expandtabs(_TAB)[lead:]


_FLAGS: dict[int, dict[str, bool]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"reverse": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"reverse": False},
}


@lru_cache(maxsize=1024)
def _after_sgr(style: Style, parameters: str) -> Style:
    """The style after one SGR sequence (ECMA-48, 8.3.117)."""
    codes = [
        int(code) if code.isdecimal() else 0 for code in re.split("[;:]", parameters)
    ]
    codes = [min(code, 999) for code in codes]
    position = 0
    while position < len(codes):
        code = codes[position]
        position += 1
        if code in (38, 48):
            colour, used = _extended(codes[position:])
            position += used
            field = "foreground" if code == 38 else "background"
            style = replace(style, **{field: colour})  # type: ignore[arg-type]
        else:
            style = _after_code(style, code)
    return style


def _after_code(style: Style, code: int) -> Style:
    if code == 0:
        return PLAIN
    if code in _FLAGS:
        return replace(style, **_FLAGS[code])
    bright = 8 if code >= 90 else 0
    if 30 <= code <= 37 or 90 <= code <= 97:
        return replace(style, foreground=code % 10 + bright)
    if 40 <= code <= 47 or 100 <= code <= 107:
        return replace(style, background=code % 10 + bright)
    if code == 39:
        return replace(style, foreground=None)
    if code == 49:
        return replace(style, background=None)
    return style


def _extended(codes: list[int]) -> tuple[int | None, int]:
    """The colour of a 256- or true-colour code, as one of the 16, and codes used."""
    if codes[:1] == [5] and len(codes) >= 2:
        index = min(codes[1], 255)
        if index < 16:
            return index, 2
        if index >= 232:
            return _nearest(*[8 + 10 * (index - 232)] * 3), 2
        steps = (index - 16) // 36, (index - 16) // 6 % 6, (index - 16) % 6
        return _nearest(*(step * 51 for step in steps)), 2
    if codes[:1] == [2] and len(codes) >= 4:
        return _nearest(*codes[1:4]), 4
    return None, len(codes)


def _nearest(red: int, green: int, blue: int) -> int:
    """The one of the 16 colours closest to an RGB triple of 0-255."""
    highest = max(red, green, blue)
    if highest < 48:
        return 0
    if max(abs(red - green), abs(green - blue), abs(red - blue)) < 24:
        return 8 if highest < 140 else 7 if highest < 224 else 15
    bits = sum(
        bit for bit, part in ((1, red), (2, green), (4, blue)) if part > highest / 2
    )
    return bits + (8 if highest > 200 else 0)
