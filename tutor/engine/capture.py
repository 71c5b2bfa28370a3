"""What C code and child processes print: everything written to descriptor 1 or 2.

ipykernel watches them too, but may be late by a cell, and cuts characters in two.
"""

import codecs
import contextlib
import fcntl
import os
import select
import sys
import termios
import threading
from typing import Any

_AT_ONCE = 65536


class Capture:
    """Reads one descriptor into one of ipykernel's streams, for as long as we live."""

    def __init__(self, descriptor: int, stream: Any) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._taking = threading.Lock()
        """Held from before the reading until after the writing."""
        self._end, write_end = os.pipe()
        os.dup2(write_end, descriptor)
        os.close(write_end)
        name = f"capture of {descriptor}"
        threading.Thread(target=self._take_on, name=name, daemon=True).start()

    def take(self) -> bool:
        """Write what has come; when it returns, nothing is under way. False at EOF."""
        with self._taking, contextlib.suppress(OSError):
            while self._unread():
                self._stream.write(self._decode(os.read(self._end, _AT_ONCE)))
            return True
        return False

    def _take_on(self) -> None:
        while self._come() and self.take():
            pass

    def _come(self) -> bool:
        """Wait for something to read; False when nothing can come any more."""
        waiting = select.poll()
        waiting.register(self._end, select.POLLIN)
        return any(event & select.POLLIN for _, event in waiting.poll())

    def _unread(self) -> int:
        count = fcntl.ioctl(self._end, termios.FIONREAD, b"\0\0\0\0")
        return int.from_bytes(count, sys.byteorder)
