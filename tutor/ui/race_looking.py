"""Looking: what is seen of a race besides its points: which view is wished for, the newest
answers, and the loop that asks for them while no iteration brings them.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tutor import crash
from tutor.errors import StoppedError, TutorError
from tutor.session import Session
from tutor.training.run import Race
from tutor.training.views import (
    Fit,
    Layers,
    Noise,
    Regions,
    Slope,
    Surface,
    View,
    ViewKind,
    ViewRequest,
)

if TYPE_CHECKING:
    from tutor.ui.race_control import RaceControl

STOPPED = (
    "The picture was stopped before it was there. It is computed again when you go to "
    "another iteration or another view."
)


class Turn(Protocol):
    """Whose race computes; `races.Races` is it."""

    def taken(self, *, long: bool) -> AbstractAsyncContextManager[None]:
        """While it lasts, nobody else computes. `long`: others may end it."""

    def heard(self, control: "RaceControl") -> None:
        """Something of it has changed."""

    async def alone(self, control: "RaceControl") -> None:
        """It runs now: pause the others."""


class Looking:
    """At one race after the other, those of a `RaceControl`."""

    def __init__(self, control: "RaceControl", session: Session, turn: Turn) -> None:
        self.answers: dict[ViewKind, View] = {}
        """The newest of each kind."""
        self.problem: str | None = None
        """Why there is no answer; None: there is one, or it is on its way."""
        self._control = control
        self._session = session
        self._turn = turn
        self._wish: ViewRequest | None = None
        self._answered: object = None
        self._asked = asyncio.Event()
        self._asks = False
        """The kernel computes an answer."""
        self._gives_way = False

    def at(self, request: ViewRequest | None) -> None:
        """What is to be seen besides points, of the cursor's iteration; None: nothing.
        While it runs, the engine answers as it goes; else it is asked."""
        before, self._wish = self._wish, request
        if before is None or request is None or request.kind != before.kind:
            self.problem = None  # it was another view's
        if request is not None:
            self._asked.set()

    def resume(self) -> None:
        """No iteration brings it any more."""
        self._asked.set()

    async def give_way(self) -> None:
        """Iterations are wanted: they do not wait for a view that takes long, which is
        asked for again behind them."""
        if self._asks and not self._gives_way:
            self._gives_way = True
            await self._session.stop_training()

    def forget(self) -> None:
        """It is another race."""
        self.answers = {}
        self.problem = None
        self._answered = None

    def on_the_way(self) -> tuple[ViewRequest, ...]:
        """What the engine is to answer as it goes."""
        wish = self._wish
        if wish is None or self._control.cursor is not None or self._is_answered(wish):
            return ()
        return (replace(wish, iteration=None),)

    def take(self, view: View) -> None:
        """An answer."""
        kind = _KINDS[type(view)]
        self.answers[kind] = view
        self.problem = None
        if self._wish is not None and self._wish.kind == kind:
            at = getattr(view, "iteration", None)
            self._answered = self._key(self._wish, at)

    async def watch(self) -> None:
        """Ask while no iteration does it, for the newest wish only."""
        control = self._control
        while True:
            await self._asked.wait()
            self._asked.clear()
            wish, race = self._wish, control.race
            if wish is None or race.iteration < 0 or race.spec.watched:
                continue
            if control.busy or self._is_answered(wish):
                continue
            reached = self._key(wish)
            if await self._ask(replace(wish, race=race.spec.id), race):
                self._answered = reached  # once asked is enough, whatever the answer
            control.tell()

    async def _ask(self, request: ViewRequest, race: Race) -> bool:
        """Whether there was an answer, or the reason why there is none."""
        problem = view = None
        try:
            async with self._turn.taken(long=False):
                self._asks = True
                view = await self._session.view(request)
        except StoppedError:
            if self._gives_way:
                return False
            problem = STOPPED
        except TutorError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - told; the race is none the worse
            problem = crash.sentence(error, "The picture")
        finally:
            self._asks = self._gives_way = False
        if race is self._control.race:
            if view is not None:
                self.take(view)
            self.problem = problem
        return True

    def _is_answered(self, wish: ViewRequest) -> bool:
        return self._answered == self._key(wish)

    def _key(self, wish: ViewRequest, at: int | None = None) -> object:
        """Tells two answers apart: a surface stays the same over the iterations."""
        race = self._control.race
        run = race.runs.get(wish.run)
        if run is None:
            return None
        if at is None:
            at = run.last if wish.iteration is None else wish.iteration
        what = run.spec.at(at).loss if wish.kind == "surface" else at
        return race.spec.id, replace(wish, iteration=None), what


_KINDS: dict[type, ViewKind] = {
    Fit: "output",
    Regions: "output",
    Surface: "surface",
    Slope: "surface",
    Layers: "layers",
    Noise: "noise",
}
