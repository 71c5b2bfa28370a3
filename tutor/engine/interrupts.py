"""Ctrl+C reaches the learner's code, and nothing else of the kernel.

ipykernel raises KeyboardInterrupt wherever it finds the main thread: in its own code that
costs a reply, or the process. And a loop in a cell that awaits is not interrupted at all.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any


class Interrupts:
    """What SIGINT does while the kernel answers a request."""

    def __init__(self, shell: Any, is_cell: Callable[[str], bool]) -> None:
        self._is_cell = is_cell
        self._pending = False
        """One came before the cell's code: it ends before its next statement."""
        self._awaiting: asyncio.Future[Any] | None = None
        """The cell, where it awaits: what runs then is the event loop."""
        self._run_code = shell.run_code
        self._before: Any = signal.SIG_IGN
        shell.run_code = self._run
        shell.kernel.pre_handler_hook = self._begin
        shell.kernel.post_handler_hook = self._end
        shell.kernel._cancel_on_sigint = self._cancelling

    def _begin(self) -> None:
        self._pending = False
        self._before = signal.signal(signal.SIGINT, self._interrupt)

    def _end(self) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if self._is_cell(frame.f_code.co_filename):
                raise KeyboardInterrupt
            frame = frame.f_back
        if self._awaiting is not None:
            self._awaiting.get_loop().call_soon_threadsafe(self._awaiting.cancel)
        else:
            self._pending = True

    async def _run(
        self, code: CodeType, result: Any = None, *, async_: bool = False
    ) -> Any:
        """IPython's run_code, which executes one statement of a cell."""
        if self._pending:
            self._pending = async_ = False
            code = compile("raise KeyboardInterrupt", code.co_filename, "exec")
        return await self._run_code(code, result, async_=async_)

    @contextlib.contextmanager
    def _cancelling(self, cell: asyncio.Future[Any]) -> Iterator[None]:
        self._awaiting = cell
        try:
            yield
        finally:
            self._awaiting = None
