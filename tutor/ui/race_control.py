"""RaceControl: what the learner wants of a race, and the loop that makes it so.

Keys only say what is wanted; `drive` asks the session for the iterations. A change
while it computes ends the slice and the next one brings it. No widgets here.
"""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace

from tutor.errors import TutorError
from tutor.session import Session
from tutor.training.run import Race
from tutor.training.spec import RaceSpec

SPEEDS: tuple[int | None, ...] = (10, 100, None)
"""Iterations a second; None: as many as there can be."""
STEPS_S = 20
"""Into so many parts a second of paced iterations is cut."""
_NOTHING = -1

_numbers = itertools.count(1)
_leaving: set[asyncio.Future[None]] = set()


class RaceControl:
    """One race at a time, on a session."""

    def __init__(
        self, session: Session, spec: RaceSpec, changed: Callable[[], None]
    ) -> None:
        """`changed` is called after anything that could be drawn is another."""
        self.race = _new(spec)
        self.running = False
        """Whether iterations are wanted; they may take a moment to come or to end."""
        self.speed = _fitting_speed(spec)
        self.problem: str | None = None
        """Why the race cannot go on, as a sentence; None: it can."""
        self._session = session
        self._changed = changed
        self._singles = 0
        self._computing_all = False
        self._asked = asyncio.Event()
        self._asked.set()

    @property
    def state(self) -> str:
        """One word."""
        race = self.race
        if self.problem is not None:
            return "lost"
        if race.iteration < 0:
            return "starting"
        if race.over:
            ends = [run.end.stopped for run in race.runs.values() if run.end]
            return "diverged" if set(ends) == {"diverged"} else "finished"
        if self.running:
            return "running"
        return "ready" if race.iteration == 0 else "paused"

    # ------------------------------------------------------------------ what is wanted

    async def run_or_pause(self) -> None:
        """Run; or pause; or, when nothing is left to run, begin anew and run."""
        if self.running and not self.race.over:
            await self.pause()
            return
        if self.race.over or self.problem is not None:
            self._begin_anew(self.race.spec)
        self.running = True
        self._ask()

    async def pause(self) -> None:
        """No further iterations; those that were computed still come."""
        self.running = False
        self._singles = 0
        await self._stop()
        self._changed()

    async def one(self) -> None:
        """One iteration of every run."""
        if self.running:
            await self.pause()
        if self.problem is not None:
            self._begin_anew(self.race.spec)
        self._singles += 1
        self._ask()

    async def reset(self) -> None:
        """The same race from iteration 0, not running."""
        self.running = False
        self._singles = 0
        self._begin_anew(self.race.spec)
        await self._stop()

    async def change(self, spec: RaceSpec, *, anew: bool) -> None:
        """Other settings. `anew`: they make another race, from iteration 0."""
        if anew or self.problem is not None:
            self._begin_anew(spec)
        else:
            self.race.change(spec)
        await self._stop()
        self._ask()

    def set_speed(self, speed: int | None) -> None:
        """From the next iterations on."""
        self.speed = speed
        self._changed()

    def leave(self) -> None:
        """Nobody watches: no further iterations; nothing is awaited."""
        self.running = False
        if self._computing_all:
            stopping = asyncio.ensure_future(self._session.stop_training())
            _leaving.add(stopping)
            stopping.add_done_callback(_leaving.discard)

    def _begin_anew(self, spec: RaceSpec) -> None:
        self.problem = None
        self.race = _new(spec)
        self._ask()

    def _ask(self) -> None:
        self._asked.set()
        self._changed()

    async def _stop(self) -> None:
        if self._computing_all:
            await self._session.stop_training()

    # -------------------------------------------------------------------- the loop

    async def drive(self) -> None:
        """Compute what is wanted, for as long as the screen is there."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                while (limit := self._limit()) != _NOTHING:
                    await self._compute(limit)
            except TutorError as error:
                self.running = False
                self._singles = 0
                self.problem = str(error)
                self._changed()

    def _limit(self) -> int | None:
        """How many iterations to ask for; None: all that are left."""
        if self.problem is not None:
            return _NOTHING
        if self.race.iteration < 0:
            return 0
        if self.race.over:
            self.running = False
            self._singles = 0
            self._changed()
            return _NOTHING
        if self._singles:
            self._singles -= 1
            return 1
        if not self.running:
            return _NOTHING
        return None if self.speed is None else max(1, self.speed // STEPS_S)

    async def _compute(self, limit: int | None) -> None:
        race = self.race  # which `reset` may replace meanwhile
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._computing_all = limit is None
        try:
            async for arrived in self._session.train(race.spec, limit):
                race.add(arrived)
                self._changed()
        finally:
            self._computing_all = False
        if limit and self.running and self.speed is not None:
            await self._rest(began + limit / self.speed - loop.time())

    async def _rest(self, seconds: float) -> None:
        """Keep the pace; a key ends it."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._asked.wait()
            self._asked.clear()
        except TimeoutError:
            pass


def _new(spec: RaceSpec) -> Race:
    return Race(replace(spec, id=f"screen-{next(_numbers)}"))


def _fitting_speed(spec: RaceSpec) -> int | None:
    """One at which the race lasts a few seconds: long enough to see it grow."""
    if spec.iterations <= 60:
        return SPEEDS[0]
    return SPEEDS[1] if spec.iterations <= 1000 else None
