"""What was executed in the console: in memory, and the last of it in a file.

The file holds one JSON string a line, is private to its owner and only appended to, so
that two tutors may share it. A disk that cannot be written is no reason to complain.
"""

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

KEPT = 200
_LONGEST = 20_000
"""Characters of an entry that is still worth keeping."""


class History:
    """What was executed; no entry twice in a row."""

    def __init__(self, path: Path | None = None) -> None:
        """`path`: None keeps nothing on disk."""
        self._path = path
        self.entries = _read(path) if path is not None else []
        """The oldest first; grows in place."""

    def add(self, code: str) -> None:
        """Remember `code`."""
        code = code.rstrip()
        if not code or code == (self.entries[-1] if self.entries else None):
            return
        self.entries.append(code)
        if self._path is not None and len(code) <= _LONGEST:
            with contextlib.suppress(OSError):
                _append(self._path, code)


class Walk:
    """One walk through the entries, from the text that was being typed."""

    def __init__(self, entries: Sequence[str], typed: str, prefix: str = "") -> None:
        """Only entries that begin with `prefix` and differ from their neighbour."""
        self._stops = [each for each in entries if each.startswith(prefix)]
        self._stops = [each for each in self._stops if each != typed]
        self._stops.append(typed)
        self._place = len(self._stops) - 1

    @property
    def shown(self) -> str:
        """The entry the walk is at; at its newest end the text it began with."""
        return self._stops[self._place]

    def older(self) -> bool:
        """One further back; False at the oldest."""
        return self._go(-1)

    def newer(self) -> bool:
        """One nearer; False at the text the walk began with."""
        return self._go(1)

    def _go(self, way: int) -> bool:
        place = self._place + way
        while 0 <= place < len(self._stops) and self._stops[place] == self.shown:
            place += way
        if not 0 <= place < len(self._stops):
            return False
        self._place = place
        return True


def _append(path: Path, code: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, json.dumps(code).encode() + b"\n")
    finally:
        os.close(descriptor)


def _read(path: Path) -> list[str]:
    """The entries of the file; a long file is cut to its last ones on the way."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    entries = []
    for line in lines[-KEPT:]:
        with contextlib.suppress(ValueError, RecursionError):
            entry = json.loads(line)
            if isinstance(entry, str):
                entries.append(entry)
    if len(lines) > 5 * KEPT:
        _rewrite(path, entries)
    return entries


def _rewrite(path: Path, entries: list[str]) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        new.unlink(missing_ok=True)
        for entry in entries:
            _append(new, entry)
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
