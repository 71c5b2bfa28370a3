"""The first process: holds the terminal's settings and gives them back whatever dies.

It forks before anything heavy is imported. The child is the app; the parent only waits,
passes signals on, and after an abnormal end undoes what the app did to the terminal.
Stdlib only.
"""

import contextlib
import os
import select
import signal
import sys
import termios
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

PATIENCE_S = 2.0
"""How long the app may take to end after TERM or HUP, before KILL."""

_WAKING_S = 0.2
_WRITING_S = 0.5

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_IGNORED = (signal.SIGINT, signal.SIGQUIT)
_HELD = {*_ENDING, *_IGNORED, signal.SIGTSTP, signal.SIGALRM}

_SANE = (
    b"\x1b\\"  # end a sequence that was cut short
    b"\x1b[?2026l"  # synchronised output
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l"  # mouse: buttons, drags, moves
    b"\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse: ways to say where
    b"\x1b[?1004l\x1b[?2004l\x1b[?2048l"  # focus, bracketed paste, resize reports
    b"\x1b[<u"  # kitty keyboard
    b"\x1b[?7h\x1b[?1049l\x1b[?25h"  # wrap, main screen, cursor
    b"\x1b[0m\x1b(B\x0f"  # colours, character set
)

_ENDS = {
    signal.SIGSEGV: "a segmentation fault",
    signal.SIGBUS: "a memory fault",
    signal.SIGABRT: "an abort",
    signal.SIGKILL: "a kill, perhaps for lack of memory",
}


def launch(app: Callable[[int], int], program: str) -> int:
    """Run `app` in a child process; its exit code, or 128 + the signal that ended it.

    `app` gets the reading end of a pipe that ends when this process does. `program` is
    how the reader starts the tutor, for the sentence after a crash. Asked to end by
    TERM or HUP, it is 128 + that signal. In the child this never returns.
    """
    terminal = _Terminal()
    app_end, our_end = os.pipe()
    signal.signal(
        signal.SIGCHLD, signal.SIG_DFL
    )  # ignored, no child could be waited for
    held = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    child = os.fork()
    if child == 0:
        os.close(our_end)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        _be(app, app_end)
    os.close(app_end)
    watch = _Watch(child)
    signal.pthread_sigmask(signal.SIG_SETMASK, held)
    status = watch.wait()
    if os.WIFSIGNALED(status) or terminal.changed():
        last_words = b""
        if os.WIFSIGNALED(status) and not watch.asked:
            last_words = _last_words(os.WTERMSIG(status), program).encode()
        terminal.give_back(last_words)
    if watch.asked:
        return 128 + watch.asked
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def reset_terminal() -> None:
    """Make a terminal that was left unusable usable, with the common settings."""
    terminal = _Terminal()
    terminal.forget()
    terminal.give_back()


def _be(app: Callable[[int], int], pipe: int) -> NoReturn:
    """Be the app: run it and end, without the slow parts of an interpreter's end."""
    code = 1
    try:
        code = app(pipe)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _last_words(number: int, program: str) -> str:
    name = signal.Signals(number).name
    what = _ENDS.get(signal.Signals(number), "a signal")
    return (
        f"The tutor was ended by {what} ({name}).\n"
        f"What you finished is saved: `{program}` goes on from there.\n"
    )


class _Watch:
    """Waits for the child and passes signals on to it."""

    def __init__(self, child: int) -> None:
        self.asked = 0
        """The signal that asked us to end; 0: none."""
        self._child = child
        self._woken, waker = os.pipe()
        for end in (self._woken, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        for number in _ENDING:
            signal.signal(number, self._end)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGTSTP, self._stop)
        signal.signal(signal.SIGALRM, self._kill)

    def wait(self) -> int:
        """The child's wait status at its end. Stops when the child stops."""
        status = self._next(os.WUNTRACED)
        while os.WIFSTOPPED(status):
            if self.asked:
                status = self._next(0)
                break
            os.kill(os.getpid(), signal.SIGSTOP)  # the shell takes the terminal
            status = self._after_waking()
        for number in (*_ENDING, signal.SIGTSTP, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)  # only the giving back is left
        return status

    def _after_waking(self) -> int:
        """The next status but "continued".

        A shell's `fg` wakes the child as well, and a second CONT would start the app's
        screen twice: it is sent only when none came.
        """
        deadline = time.monotonic() + _WAKING_S
        flags = os.WNOHANG | os.WUNTRACED | os.WCONTINUED
        while time.monotonic() < deadline:
            changed, status = os.waitpid(self._child, flags)
            if changed and os.WIFCONTINUED(status):
                break
            if changed:
                return status
            select.select([], [], [], 0.005)
        else:
            os.kill(self._child, signal.SIGCONT)
        return self._next(os.WUNTRACED)

    def _next(self, flags: int) -> int:
        """The child's next wait status.

        Not with a waitpid that blocks: a signal that comes just before it would be
        handled only after it.
        """
        while True:
            changed, status = os.waitpid(self._child, os.WNOHANG | flags)
            if changed:
                return status
            select.select([self._woken], [], [])
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, 4096)

    def _end(self, number: int, frame: FrameType | None) -> None:
        del frame
        if not self.asked:
            self.asked = number
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
        os.kill(self._child, number)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        os.kill(self._child, number)

    def _kill(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        os.kill(self._child, signal.SIGKILL)


class _Terminal:
    """The terminal of stdin and stdout, as it was when this was made."""

    def __init__(self) -> None:
        self._attributes = _attributes()

    def changed(self) -> bool:
        """Whether its settings are others than at the start."""
        return _attributes() != self._attributes

    def forget(self) -> None:
        """Take the common settings for those it had."""
        if self._attributes is not None:
            self._attributes = _usual(self._attributes)

    def give_back(self, last_words: bytes = b"") -> None:
        """Undo what an app did, and write `last_words` on the main screen.

        Not from the background, where the terminal is another's. Never waits long for
        a terminal that has stopped reading, nor fails for one that is gone.
        """
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with contextlib.suppress(OSError, termios.error):
            if _in_background():
                return
            if self._attributes is not None:
                termios.tcsetattr(0, termios.TCSANOW, self._attributes)
                termios.tcflush(0, termios.TCIFLUSH)  # reports of mouse and focus
            if os.isatty(1):
                _write(_SANE + last_words)


def _in_background() -> bool:
    try:
        return os.tcgetpgrp(0) != os.getpgrp()
    except OSError:  # not our controlling terminal
        return False


def _attributes() -> list[Any] | None:
    """None: stdin is no terminal, or it is gone."""
    try:
        attributes = termios.tcgetattr(0)
    except termios.error:
        return None
    attributes[3] &= ~termios.PENDIN  # the kernel's own note, not a setting
    return attributes


def _usual(attributes: list[Any]) -> list[Any]:
    """The settings that shells expect: lines, echo, Ctrl+C (termios(3))."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, characters = attributes
    iflag |= termios.BRKINT | termios.ICRNL | termios.IXON
    iflag &= ~(termios.INLCR | termios.IGNCR | termios.ISTRIP)
    oflag |= termios.OPOST | termios.ONLCR
    lflag |= termios.ISIG | termios.ICANON | termios.IEXTEN
    lflag |= termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ECHOCTL
    lflag &= ~(termios.ECHONL | termios.NOFLSH | termios.TOSTOP)
    characters = list(characters)
    for index, character in (
        (termios.VINTR, b"\x03"),
        (termios.VQUIT, b"\x1c"),
        (termios.VERASE, b"\x7f"),
        (termios.VKILL, b"\x15"),
        (termios.VEOF, b"\x04"),
        (termios.VSUSP, b"\x1a"),
    ):
        characters[index] = character
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, characters]


def _write(data: bytes) -> None:
    """Write to stdout's terminal; give up when it takes nothing for a while.

    On a descriptor of its own, since not waiting is a setting that the shell's shares.
    """
    own = os.open(os.ttyname(1), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        for _ in range(2):
            deadline = time.monotonic() + _WRITING_S
            while data and (left := deadline - time.monotonic()) > 0:
                select.select([], [own], [], left)
                with contextlib.suppress(BlockingIOError):
                    data = data[os.write(own, data) :]
            if data:  # drop what the app still had to say
                termios.tcflush(own, termios.TCOFLUSH)
    finally:
        os.close(own)
