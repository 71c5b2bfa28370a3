"""How commands write: data on stdout, talk on stderr, strict JSON, no stray bytes.

Foreign text must be a SafeText before `painted`; JSON needs none, since all that could
command a terminal is escaped in it.
"""

import codecs
import contextlib
import io
import json
import os
import re
import signal
import sys
from typing import Any, NoReturn, TextIO

from tutor.errors import TutorError
from tutor.safetext import SafeText, Style, safe
from tutor.wire import to_json

_PLAINER = {
    "×": "x", "·": ".", "…": "...", "–": "-", "—": "-", "−": "-", "→": "->",
    "←": "<-", "‘": "'", "’": "'", "“": '"', "”": '"', "✓": "ok", "✗": "x",
    "²": "^2", "³": "^3", "∂": "d", "\N{REPLACEMENT CHARACTER}": "?",
}  # fmt: skip
_COMMANDING = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def set_up(*, ascii: bool) -> None:
    """UTF-8 whatever the locale, or nothing above 0x7F."""
    codecs.register_error("tutor.plainer", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue  # a test's own stream
        if ascii:
            stream.reconfigure(encoding="ascii", errors="tutor.plainer")
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


class OutputLostError(TutorError):
    """What should go to stdout cannot be written."""


class ReaderLeftError(OutputLostError):
    """Who reads stdout has seen enough: that is no error, so end quietly."""

    exit_code = 128 + signal.SIGPIPE


def data(text: str) -> None:
    """Text for stdout, as it is. Raises OutputLostError."""
    try:
        sys.stdout.write(text)
    except OSError as error:
        _give_up(error)


def flush() -> None:
    """What was written to stdout is needed now. Raises OutputLostError."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _give_up(error)


def put(text: str, stream: TextIO) -> None:
    """Text for one of our two streams, at once."""
    if stream is sys.stdout:
        data(text)
        flush()
        return
    flush()
    with contextlib.suppress(OSError):  # nobody hears it
        stream.write(text)
        stream.flush()


def _give_up(error: OSError) -> NoReturn:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())  # else the interpreter's end fails again
    os.close(nowhere)
    lost = ReaderLeftError if isinstance(error, BrokenPipeError) else OutputLostError
    raise lost(f"The output cannot be written: {error.strerror}.") from error


def document(value: object) -> None:
    """One strict JSON document, on a line of its own, for stdout at once.

    Dataclasses and tuples are allowed; non-finite floats become "nan", "inf", "-inf".
    """
    put(dumps(value, ascii=sys.stdout.encoding == "ascii") + "\n", sys.stdout)


def dumps(value: object, *, ascii: bool = False) -> str:
    """Strict JSON that cannot command a terminal; floats in full repr precision."""
    text = json.dumps(to_json(value), allow_nan=False, ensure_ascii=ascii)
    return _COMMANDING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def talk(sentence: str) -> None:
    """A line for the reader, on stderr."""
    put(safe(sentence).plain + "\n", sys.stderr)


def complain(sentence: str) -> None:
    """What went wrong, as one line on stderr."""
    talk(" ".join(sentence.split()))


def coloured(stream: TextIO) -> bool:
    """Whether colours may go to `stream` (no-color.org)."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty()


def painted(text: SafeText, *, colours: bool) -> str:
    """The text with its colours as SGR sequences, or plain."""
    if not colours:
        return text.plain
    pieces: list[str] = []
    position = 0
    for span in text.spans:
        pieces.append(text.plain[position : span.start])
        pieces.append(sgr(span.style) + text.plain[span.start : span.end] + "\x1b[0m")
        position = span.end
    return "".join(pieces) + text.plain[position:]


def sgr(style: Style) -> str:
    """The sequence that switches to `style` from plain (ECMA-48, 8.3.117)."""
    codes: list[Any] = []
    flags = ("bold", 1), ("dim", 2), ("italic", 3), ("underline", 4), ("reverse", 7)
    codes += [code for name, code in flags if getattr(style, name)]
    for colour, base in ((style.foreground, 30), (style.background, 40)):
        if colour is not None:
            codes.append(base + colour if colour < 8 else base + 52 + colour)
    return f"\x1b[{';'.join(map(str, codes))}m"


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """Encode to ASCII what has a usual spelling there; escape the rest."""
    assert isinstance(error, UnicodeEncodeError)
    wrong = error.object[error.start : error.end]
    escaped = (each.encode("ascii", "backslashreplace").decode() for each in wrong)
    plain = [_PLAINER.get(c, e) for c, e in zip(wrong, escaped, strict=True)]
    return "".join(plain), error.end
