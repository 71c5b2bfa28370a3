"""IPython's shell made fit for a learner: short tracebacks, notes beside tensors, a limit
on what a cell prints, streams that cannot be lost, an `exit` that does not.
"""

import atexit
import contextlib
import gc
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import leading_empty_lines

from tutor.engine import bridge, magic, notes
from tutor.engine.capture import Capture
from tutor.engine.interrupts import Interrupts
from tutor.engine.overflow import Overflow
from tutor.engine.tracebacks import Shown, shown
from tutor.messages import Overflowed
from tutor.wire import NOTE_MIME, Message

_COLOURS_FORCED = ("FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR")
"""ipykernel sets them; a learner's tools should look at their output instead."""


def install(overflow: str) -> None:
    """Once per process, before the first cell. `overflow` is the folder of long output."""
    shell = bridge.shell()
    for name in _COLOURS_FORCED:
        os.environ.pop(name, None)

    bridge.hosted = True
    magic.install(shell)
    _show_exceptions(shell, bridge.is_cell)
    Interrupts(shell, bridge.is_cell)
    formatter = shell.display_formatter
    formatter.formatters[NOTE_MIME] = notes.formatter(formatter)
    shell.colors = "nocolor"
    # Its history would keep all that is printed, and format each traceback once more.
    shell._tee = lambda channel: contextlib.nullcontext()
    shell._format_exception_for_storage = lambda error, *rest, **options: {}
    shell.ask_exit = lambda: shell.payload_manager.write_payload({"source": "ask_exit"})
    warnings.filterwarnings("ignore", message="To exit: use")
    # Else the lines of a cell that begins with empty ones would be counted wrongly.
    shell.input_transformer_manager.cleanup_transforms.remove(leading_empty_lines)
    outputs = shell.kernel.iopub_thread
    outputs.schedule(lambda: _never_drop(outputs.socket))
    streams = _Streams(Overflow(Path(overflow), _tell_overflow))
    shell.events.register("pre_execute", streams.begin)
    shell.events.register("post_execute", streams.end)
    shell.events.register("post_run_cell", _make_sayable)
    atexit.register(_leave, os.getpid())


def goodbye() -> None:
    """End the process as a script ends, without the half second that torch takes.

    Functions registered with atexit run, the last first; `_leave` is behind them all.
    """
    atexit._run_exitfuncs()


def _leave(kernel: int) -> None:
    if os.getpid() != kernel:  # a fork of the learner's: none of our business
        return
    try:
        bridge.namespace().clear()  # files that were left open are closed
        gc.collect()
    finally:
        os._exit(0)


def _never_drop(socket: Any) -> None:
    """Wait when the other side does not keep up, instead of leaving messages out."""
    socket.xpub_nodrop = True


def _tell_overflow(file: Path | None) -> None:
    body = Overflowed(None if file is None else str(file))
    bridge.publish(Message("", 0, body))


class _Streams:
    """stdout and stderr: limited, and there again after each cell."""

    def __init__(self, overflow: Overflow) -> None:
        self._overflow = overflow
        self._limited = False
        streams: tuple[Any, Any] = (sys.stdout, sys.stderr)  # ipykernel's OutStreams
        self._streams = streams
        self._captures = []
        for descriptor, stream in enumerate(streams, start=1):
            stream.close = lambda: None
            self._captures.append(Capture(descriptor, stream))
            stream.fileno = lambda descriptor=descriptor: descriptor

    def begin(self) -> None:
        """A cell is about to run."""
        if not self._limited:  # in the cell of `install`, IPython would undo it
            self._limited = True
            for stream in self._streams:
                self._overflow.limit(stream)
        self._overflow.begin()

    def end(self) -> None:
        """Put the streams back, with all that the cell's child processes printed."""
        sys.stdout, sys.stderr = self._streams
        for capture in self._captures:
            capture.take()
        self._overflow.end()


def _show_exceptions(shell: Any, is_cell: Callable[[str], bool]) -> None:
    """Replace the three ways in which IPython shows one."""

    def show(given: Any = None, *rest: Any, **options: Any) -> None:
        error = given[1] if isinstance(given, tuple) else sys.exc_info()[1]
        if error is None:
            error = getattr(sys, "last_value", None)
        if error is not None:
            sys.last_type, sys.last_value = type(error), error
            sys.last_traceback = error.__traceback__
            _send(shell, shown(error, is_cell))

    shell.showtraceback = show
    shell.showsyntaxerror = show
    shell.showindentationerror = show


def _make_sayable(result: Any) -> None:
    """The reply repeats what was raised; it would be lost where that cannot be said."""
    if result is None:  # a cell that awaited was interrupted
        return
    try:
        str(result.error_in_exec).encode()
    except Exception:  # noqa: BLE001 - the learner's __str__ may raise anything
        result.error_in_exec = RuntimeError("its message cannot be shown")


def _send(shell: Any, exception: Shown) -> None:
    """As ipykernel's `_showtraceback`, with the line beside the text."""
    sys.stdout.flush()
    sys.stderr.flush()
    content = {
        "ename": exception.ename,
        "evalue": exception.evalue,
        "traceback": [exception.text],
        "line": exception.line,
    }
    hook = shell.displayhook
    hook.session.send(
        hook.pub_socket, "error", content, hook.parent_header, ident=b"error"
    )
    shell._last_traceback = content["traceback"]
