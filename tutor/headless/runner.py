"""The one way a command gets a Session: started, interrupted by Ctrl+C, always closed.

The first Ctrl+C asks the work to stop, the second ends the kernel, the third gives up.
Whatever the work made of it, the exit code after a Ctrl+C is 130.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from tutor.errors import StoppedError
from tutor.headless import printing
from tutor.kernel.base import Kernel, KernelOptions
from tutor.progress import Progress
from tutor.runs.store import Runs
from tutor.session import Session

Work = Callable[[Session], Awaitable[int]]
MakeKernel = Callable[[KernelOptions], Kernel]

STOPPED = 130
"""The exit code after a Ctrl+C."""
PATIENCE_S = 2.0
"""After this long without an answer to Ctrl+C, say what the next one does."""


def run(
    work: Work,
    options: KernelOptions = KernelOptions(),  # noqa: B008 - frozen
    *,
    stop: Callable[[Session], Awaitable[None]] = Session.interrupt,
    make_kernel: MakeKernel | None = None,
    runs: Runs | None = None,
) -> int:
    """Do `work` with a started Session that keeps no progress; the exit code.

    `stop` is what the first Ctrl+C does; `runs`, where races are kept. Raises
    MachineError when there is no kernel.
    """
    return asyncio.run(_run(work, options, stop, make_kernel or _jupyter(), runs))


def _jupyter() -> MakeKernel:
    from tutor.kernel.jupyter import JupyterKernel

    return JupyterKernel


async def _run(
    work: Work,
    options: KernelOptions,
    stop: Callable[[Session], Awaitable[None]],
    make_kernel: MakeKernel,
    runs: Runs | None,
) -> int:
    session = Session(make_kernel, Progress(None), options, runs)
    working = asyncio.ensure_future(_started(session, work))
    presses = _Presses(session, stop, working)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, presses.press)
    try:
        code = await working
    except (asyncio.CancelledError, StoppedError):
        if not presses.count:
            raise
        code = STOPPED
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        presses.forget()
        await session.close()
    return STOPPED if presses.count else code


async def _started(session: Session, work: Work) -> int:
    await session.start()
    return await work(session)


class _Presses:
    """What Ctrl+C does, press by press."""

    def __init__(
        self,
        session: Session,
        stop: Callable[[Session], Awaitable[None]],
        working: asyncio.Future[int],
    ) -> None:
        self.count = 0
        self._session = session
        self._stop = stop
        self._working = working
        self._tasks: set[asyncio.Future[Any]] = set()
        self._reminder: asyncio.TimerHandle | None = None

    def press(self) -> None:
        self.count += 1
        if self._session.hello is None or self.count > 2:
            self._working.cancel()
        elif self.count == 2:
            self._begin(self._session.kill())
        else:
            self._begin(self._stop(self._session))
            self._reminder = asyncio.get_running_loop().call_later(
                PATIENCE_S,
                printing.talk,
                "It stops as soon as it can; Ctrl+C again ends its kernel at once.",
            )

    def forget(self) -> None:
        """The work is done."""
        if self._reminder is not None:
            self._reminder.cancel()

    def _begin(self, asked: Awaitable[None]) -> None:
        task = asyncio.ensure_future(asked)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
