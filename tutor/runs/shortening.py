"""A log made shorter beside whoever goes on appending to it: a thread reads what is there
and writes it anew, thinned and joined; what was appended meanwhile is copied behind it.
"""

import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from tutor.runs import log
from tutor.runs.log import Log


class Shortening:
    """Of one log, up to where it ends now; of each run multiples of its stride stay."""

    def __init__(self, path: Path, strides: Mapping[str, int]) -> None:
        """It begins at once. Raises OSError."""
        self._path = path
        self._part = path.with_suffix(".new")
        self._size = path.stat().st_size
        self._strides = dict(strides)
        self._short: Log | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._make, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """`finish` would not wait."""
        return not self._thread.is_alive()

    def finish(self) -> Log:
        """Put the short log in the place of the long one; what it says, without what was
        appended meanwhile. Raises OSError, or FileError, as the disk or the file is.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._short is not None
        with self._path.open("rb") as file:
            file.seek(self._size)
            appended = file.read()
        with self._part.open("ab") as file:
            file.write(appended)
        self._part.replace(self._path)
        return self._short

    def _make(self) -> None:
        try:
            whole = log.read(self._path, self._size)
            short = log.shortened(whole, self._strides)
            write(self._part, log.written(short))
            self._short = short
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error


def write(path: Path, records: Iterable[bytes]) -> None:
    """A new file, or one in place of another. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        for each in records:
            file.write(each)
