"""RaceCare: how the training screen stops what computes, and ends a kernel of the races
that does not answer. The console's kernel is `kernel_care`'s.
"""

import asyncio

from tutor.ui import look
from tutor.ui.look import Glyph
from tutor.ui.races import Races
from tutor.ui.screens import kernel_care
from tutor.ui.screens.race_asks import RaceAsks


class RaceCare(RaceAsks):
    """The part of the training screen that ctrl+c and ctrl+n are about."""

    _races: Races
    _end_wanted: asyncio.Event | None = None
    """Set by the second one."""

    def action_interrupt(self) -> None:
        """ctrl+c pauses; what was computed is kept. The second one ends a kernel that
        does not answer."""
        if self._end_wanted is not None:
            self._end_wanted.set()
        elif self._races.asks or self.control.busy:
            self._end_wanted = asyncio.Event()
            self.app.run_worker(self._stop(self._end_wanted), group="interrupt")
        else:
            super().action_interrupt()

    def action_restart_kernel(self) -> None:
        """While a race computes or begins, the kernel that is ended is that of races."""
        if self._races.asks or self.control.busy:
            self.app.run_worker(self._end_kernel(), group="restart", exclusive=True)
        else:
            super().action_restart_kernel()

    async def _stop(self, end_wanted: asyncio.Event) -> None:
        races = self._races
        try:
            for each in (races.under_way, self.control):
                if each is not None:
                    await each.pause()
            await races.session.stop_training()
            rest = asyncio.ensure_future(races.rest())
            await asyncio.wait([rest], timeout=kernel_care.PATIENCE_S)
            if not rest.done() and not end_wanted.is_set():
                self.say(
                    f"The race's kernel does not answer. {self.look.key('ctrl+c')} ends "
                    "it; the race can go on in a new one.",
                    look.WARN,
                )
            wish = asyncio.ensure_future(end_wanted.wait())
            await asyncio.wait([rest, wish], return_when=asyncio.FIRST_COMPLETED)
            if not rest.done():
                await self._end_kernel()
            rest.cancel()
            wish.cancel()
        finally:
            self._end_wanted = None

    async def _end_kernel(self) -> None:
        self.say("Ending the race's kernel" + self.look[Glyph.ELLIPSIS])
        await self._races.end_kernel()
        self.say(
            "The race's kernel was ended. The race is kept as far as it came, and "
            f"{self.look.key('space')} goes on with it in a new one.",
            look.WARN,
        )
