"""What can be seen of races besides their points, asked of the kernel that races: views
of a run at any iteration, and the luck meter. No screen, no torch: `Session.view` and
`Session.luck` are this.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

from tutor.errors import StoppedError, WireError
from tutor.kernel.asking import ask, ask_one
from tutor.kernel.base import Kernel
from tutor.training.luck import LuckEnd, LuckPoints, LuckRequest
from tutor.training.views import View, ViewRequest


class Sight:
    """The views and luck meters of one session."""

    def __init__(self, kernel: Callable[[], Awaitable[Kernel]]) -> None:
        """`kernel` starts the one that races at its first use."""
        self._start = kernel
        self._kernel: Kernel | None = None
        """The one that a view or a luck meter is computed in; None: none is."""
        self._stopping = False

    async def view(self, request: ViewRequest) -> View:
        """What is asked of a race that is paused or over. Raises TutorError; StoppedError
        when it was stopped."""
        self._stopping = False
        kernel = await self._start()
        if self._stopping:
            raise StoppedError("Interrupted.")
        self._kernel = kernel
        try:
            found: View = await ask_one(kernel, "view", request)
        finally:
            self._kernel = None
        return found

    async def luck(self, request: LuckRequest) -> AsyncIterator[LuckPoints | LuckEnd]:
        """Points as they come, `LuckEnd` always last. Raises TutorError."""
        self._stopping = False
        kernel = await self._start()
        ended = False
        if not self._stopping:
            self._kernel = kernel
            try:
                async for answer in ask(kernel, "luck", request):
                    ended = isinstance(answer, LuckEnd)
                    yield answer
            except StoppedError:  # before the engine had begun
                self._stopping = True
            finally:
                self._kernel = None
        if not ended and not self._stopping:
            raise WireError("the end of the luck meter was lost: start it again.")
        if not ended:
            yield LuckEnd(request.seeds, 0.0, {}, interrupted=True)

    async def stop(self) -> None:
        """End a luck meter with what it has computed, or a view with nothing. Nothing
        happens without one."""
        kernel, self._kernel = self._kernel, None  # once is enough
        self._stopping = True
        if kernel is not None:
            await kernel.interrupt()
