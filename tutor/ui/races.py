"""Races: those of the app, one for each train cell and the free one. They outlive the
screens that show them, and end with the app. One of them computes at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from tutor.lesson.schema import TrainCell
from tutor.session import Session
from tutor.training.spec import RaceSpec
from tutor.ui.race_control import RaceControl

Start = Callable[[Coroutine[Any, Any, None]], object]


class Races:
    """Implements `race_looking.Turn`."""

    def __init__(
        self, session: Session, start: Start, heard: Callable[[], None] | None = None
    ) -> None:
        """`start` runs a coroutine until the app ends; `heard` is called after any
        change of any race."""
        self.session = session
        self._start = start
        self._heard = heard
        self._controls: dict[str, RaceControl] = {}
        self._own: RaceControl | None = None
        self._order = asyncio.Lock()
        self._long = False
        """The turn that is taken lasts until somebody ends it."""
        self._waiting = 0
        """Short turns that are waited for."""
        self._calm = asyncio.Event()
        self._calm.set()

    def of(self, key: str) -> RaceControl | None:
        """The race kept under that key; None: there is none yet."""
        return self._controls.get(key)

    def make(
        self, key: str, spec: RaceSpec, cell: TrainCell | None = None
    ) -> RaceControl:
        """A race under that key, set up as a train cell wants it."""
        control = RaceControl(self.session, spec, self)
        if cell is not None:
            control.set_up(cell)
        self._controls[key] = control
        self._start(control.drive())
        self._start(control.looking.watch())
        return control

    def own(self) -> RaceControl | None:
        """The learner's own loop that was watched last; None: none was."""
        race = self.session.watched
        if race is None:
            return None
        if self._own is None:
            self._own = RaceControl(self.session, race.spec, self)
        if self._own.race is not race:
            self._own.take_over(race)
        return self._own

    def news_of_own(self) -> bool:
        """Whether there is a loop of the learner's own that was not shown yet."""
        race = self.session.watched
        return race is not None and (self._own is None or self._own.race is not race)

    @property
    def under_way(self) -> RaceControl | None:
        """The one that runs; None: nobody computes."""
        return next((each for each in self._controls.values() if each.busy), None)

    @property
    def asks(self) -> bool:
        """Whether somebody waits for an answer of the kernel."""
        return self._order.locked()

    async def rest(self) -> None:
        """Until nobody does."""
        async with self._order:
            pass

    async def end_kernel(self) -> None:
        """Whether it answers or not; the races stay, paused where they are."""
        for each in self._controls.values():
            each.let_go()
        await self.session.end_racer()

    # ------------------------------------------------------------------- taking turns

    def heard(self, control: RaceControl) -> None:
        """For whoever shows shortly that a race runs."""
        if self._heard is not None:
            self._heard()

    async def alone(self, control: RaceControl) -> None:
        """It runs now: the others pause."""
        for other in self._controls.values():
            if other is not control and other.busy:
                await other.pause()

    @asynccontextmanager
    async def taken(self, *, long: bool) -> AsyncIterator[None]:
        """While it lasts, nobody else asks the kernel. A long turn ends for a short one,
        and none begins while a short one waits."""
        if long:
            await self._calm.wait()
        else:
            self._waiting += 1
            self._calm.clear()
        try:
            if self._long:
                await self.session.stop_training()
            await self._order.acquire()
        finally:
            if not long:
                self._waiting -= 1
                if not self._waiting:
                    self._calm.set()
        self._long = long
        try:
            yield
        finally:
            self._long = False
            self._order.release()
