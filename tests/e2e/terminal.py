"""A pseudo-terminal with a program in it: keys go in, the display is read by pyte.

Every wait is for something that happens, with one generous deadline. Linux only: the
program's processes are found in /proc by a mark in their environment.
"""

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

DEADLINE_S = 30.0
MARK = "TUTOR_TEST_MARK"

_ROOM = 4095
"""Bytes in Linux' terminal line that wait to be read, N_TTY_BUF_SIZE - 1."""
_OPEN = 'terminal=$0; exec "$@" <>"$terminal" >&0 2>&0'
"""A session's leader that opens a terminal has it as its controlling terminal."""
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][\d;]*[a-zA-Z]")
_OTHER_SCREEN = re.compile(rb"\x1b\[\?1049[hl]")
"""pyte has one screen; a new one is empty, and what was on the other is not kept."""
_UNFINISHED = re.compile(rb"\x1b(?:\[[<-?]?[\d;]*)?$")


class Terminal:
    """Leads its own session. Use as a context manager: nothing lives on after it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.output = b""
        """All that the program wrote."""
        self.mark = uuid.uuid4().hex
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._unfinished = b""
        self._master, self._slave = os.openpty()
        self._set_size(columns, rows)
        self.attributes_before = self.attributes()
        self.process = subprocess.Popen(
            ["sh", "-c", _OPEN, os.ttyname(self._slave), *command],
            start_new_session=True,
            cwd=cwd,
            env={**environment(), **(env or {}), MARK: self.mark},
        )
        self._ended = os.pidfd_open(self.process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pid in self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.hang_up()
        os.close(self._slave)
        os.close(self._ended)

    # What it shows.

    @property
    def text(self) -> str:
        """The display, trailing blanks cut."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def attributes(self) -> list[object]:
        """Its settings, termios(3)."""
        attributes = termios.tcgetattr(self._slave)
        attributes[3] &= ~termios.PENDIN
        return attributes

    # What is done to it.

    def send(self, keys: str | bytes) -> None:
        """Type."""
        raw = keys.encode() if isinstance(keys, str) else keys
        while raw:
            raw = raw[os.write(self._master, raw) :]

    def resize(self, columns: int, rows: int) -> None:
        """The window changes its size."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def hang_up(self) -> None:
        """Its window is closed, or the line to it is cut."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _set_size(self, columns: int, rows: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    # Waiting.

    def wait_until(self, happened: Callable[[], object], what: str = "") -> None:
        """Read the output until `happened`; it is asked after each piece."""
        deadline = time.monotonic() + DEADLINE_S
        while not happened():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"waited {DEADLINE_S} s for {what or happened}; on screen:\n"
                    f"{self.text}\nlast bytes: {self.output[-300:]!r}"
                )
            self._read(0.05)

    def wait_for(self, text: str) -> None:
        """Until `text` is on the display."""
        self.wait_until(lambda: text in self.text, repr(text))

    def wait_for_bytes(self, pattern: bytes) -> None:
        """Until the regular expression is in the whole output."""
        self.wait_until(lambda: re.search(pattern, self.output), repr(pattern))

    def wait_for_end(self, *, reading: bool = True) -> int:
        """The exit code of the program, -n for signal n.

        `reading` False: the terminal takes no more output meanwhile, as over a frozen
        line.
        """
        if reading:
            self.wait_until(lambda: self._has_ended(0), "the program's end")
            while self._read(0):
                pass
        else:
            assert self._has_ended(DEADLINE_S), "the program did not end"
        return self.process.wait()

    def wait_until_full(self) -> None:
        """Without reading: until no more output fits into the line."""
        deadline = time.monotonic() + DEADLINE_S
        while self._unread() < _ROOM and time.monotonic() < deadline:
            self._has_ended(0.05)
        assert self._unread() >= _ROOM

    def _unread(self) -> int:
        answer = fcntl.ioctl(self._master, termios.FIONREAD, struct.pack("i", 0))
        return int(struct.unpack("i", answer)[0])

    def wait_until_none_alive(self) -> None:
        """Until no process that began in this terminal is left."""
        self.wait_until(lambda: not self.alive(), "the end of every process")

    def _has_ended(self, seconds: float) -> bool:
        return bool(select.select([self._ended], [], [], seconds)[0])

    def _read(self, seconds: float) -> bool:
        """Whether there was something to read."""
        if self._master < 0:
            self._has_ended(seconds)
            return False
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        piece = os.read(self._master, 1 << 16)
        self.output += piece
        self._show(piece)
        return bool(piece)

    def _show(self, piece: bytes) -> None:
        known = _UNKNOWN_TO_PYTE.sub(b"", self._unfinished + piece)
        known = _OTHER_SCREEN.sub(b"\\g<0>\x1b[2J\x1b[H", known)
        end = _UNFINISHED.search(known)
        cut = end.start() if end else len(known)
        self._unfinished = known[cut:]
        self._stream.feed(known[:cut])

    # The processes in it.

    def alive(self) -> dict[int, str]:
        """Pid and command line of every process that began here and is no zombie."""
        found = {}
        wanted = f"{MARK}={self.mark}".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            with contextlib.suppress(OSError):  # it ended meanwhile, or is another's
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(entry.name)] = line.decode(errors="replace").strip()
        return found

    def children(self, pid: int) -> list[int]:
        """The children of a process, oldest first."""
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in listed.split()]


def state(pid: int) -> str:
    """R, S, T (stopped), Z ... of a process (proc_pid_stat(5)); "" when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return ""
    return stat.rpartition(")")[2].split()[0]


def environment() -> dict[str, str]:
    """Like a learner's: a usual terminal, nothing of the test run's own settings."""
    kept = ("PATH", "HOME", "TMPDIR", "TUTOR_HOME", "PYTHONPATH", "LD_LIBRARY_PATH")
    chosen = {name: os.environ[name] for name in kept if name in os.environ}
    return {**chosen, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
