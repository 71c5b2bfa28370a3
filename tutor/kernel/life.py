"""Where a kernel is in its life, why, and who wants to know."""

import asyncio
from collections.abc import Callable

from tutor.kernel.base import KernelState


class Life:
    """The state of one kernel; watchers hear each change once, in order."""

    def __init__(self) -> None:
        self.state = KernelState.OFF
        self.cause: str | None = None
        self._watchers: list[Callable[[KernelState], None]] = []

    def watch(self, told: Callable[[KernelState], None]) -> None:
        """Call `told` from the event loop: its errors are its own."""
        self._watchers.append(told)

    def become(self, state: KernelState, cause: str | None = None) -> None:
        """Move to `state`; nothing is told when it is there already."""
        if state is self.state:
            return
        self.state, self.cause = state, cause
        loop = asyncio.get_running_loop()
        for told in self._watchers:
            loop.call_soon(told, state)
