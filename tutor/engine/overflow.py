"""How much a cell may print: the first lines are shown, the rest goes to a file.

The limit is in the kernel, so that a flood costs neither its memory nor ours.
"""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

SHOWN_LINES = 10_000
SHOWN_CHARACTERS = 1_000_000
KEPT_CHARACTERS = 50_000_000
"""In the file; an endless loop must not fill the disk."""
FILES = 10
"""Kept at a time, of all kernels."""


class Overflow:
    """Counts what one cell prints, on both streams together."""

    def __init__(self, folder: Path, tell: Callable[[Path | None], None]) -> None:
        self._folder = folder
        self._tell = tell
        """Gets the file with the rest, once per cell; None: there is no place for it."""
        self._file: IO[str] | None = None
        self.begin()

    def begin(self) -> None:
        """A new cell: it may print as much as any other."""
        self.end()
        self._lines_left = SHOWN_LINES
        self._characters_left = SHOWN_CHARACTERS
        self._kept = 0
        self._full = False

    def end(self) -> None:
        """Let the file be read."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def limit(self, stream: Any) -> None:
        """From now on, count what is written to `stream`."""
        write_all = stream.write

        def write(text: object) -> int:
            if not isinstance(text, str):
                raise TypeError(f"write() takes a str, not {type(text).__name__}")
            text = encodable(text)
            if self._full:
                self._keep(text)
            elif (shown := self._shown(text)) == len(text):
                write_all(text)
            else:
                write_all(text[:shown])
                stream.flush()
                self._open()
                self._keep(text[shown:])
            return len(text)

        stream.write = write

    def _shown(self, text: str) -> int:
        """How many characters of `text` may still be shown."""
        shown = min(len(text), self._characters_left)
        lines = text.count("\n", 0, shown)
        if lines > self._lines_left or self._lines_left == 0:
            lines, shown = self._lines_left, 0
            for _ in range(lines):
                shown = text.index("\n", shown) + 1
        self._characters_left -= shown
        self._lines_left -= lines
        self._full = shown < len(text)
        return shown

    def _open(self) -> None:
        path = None
        with contextlib.suppress(OSError):
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed in `end`
                "w",
                encoding="utf-8",
                prefix="output-",
                suffix=".txt",
                dir=self._folder,
                delete=False,
            )
            path = Path(self._file.name)
            self._sweep()
        self._tell(path)

    def _sweep(self) -> None:
        files = self._folder.glob("output-*.txt")
        for file in sorted(files, key=lambda each: each.stat().st_mtime_ns)[:-FILES]:
            file.unlink()

    def _keep(self, text: str) -> None:
        self._kept += len(text)
        if self._file is not None and self._kept <= KEPT_CHARACTERS:
            with contextlib.suppress(OSError, ValueError):
                self._file.write(text)


def encodable(text: str) -> str:
    """Lone surrogates as escapes: a message with one is lost on its way."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
