"""A log made shorter beside whoever goes on appending to it: a thread reads what is there
and writes it anew, thinned and joined, a record at a time; what was appended meanwhile
is copied behind it.
"""

import os
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from tutor.runs import log
from tutor.runs.log import Extent


class Shortening:
    """Of one log, up to where it ends now; of each run multiples of its stride stay."""

    def __init__(self, path: Path, strides: Mapping[str, int]) -> None:
        """It begins at once. Raises OSError."""
        self._path = path
        self._part = path.with_suffix(".new")
        self._size = path.stat().st_size
        self._strides = dict(strides)
        self._written: list[Extent] = []
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._make, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """`finish` would not wait."""
        return not self._thread.is_alive()

    def finish(self) -> list[Extent]:
        """Put the short log in the place of the long one; what it holds, without what
        was appended meanwhile. Raises OSError, or FileError, as the disk or the file is.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        with self._path.open("rb") as file, self._part.open("ab") as into:
            file.seek(self._size)
            shutil.copyfileobj(file, into)
        self._part.replace(self._path)
        return self._written

    def _make(self) -> None:
        try:
            with self._path.open("rb") as file:
                records = log.shortened(file, self._size, self._strides, self._written)
                write(self._part, records)
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error


def write(path: Path, records: Iterable[bytes]) -> None:
    """A new file, or one in place of another. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        for each in records:
            file.write(each)
