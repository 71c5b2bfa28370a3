"""RaceControl: one race, where the learner stands in it, and the loop that computes what
is wanted. It outlives the screen that shows it; `races` keeps it.

Keys only say what is wanted; `drive` asks the session for it. A change while it computes
ends the slice and the next one brings it. What is seen besides points is `race_looking`'s.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import replace

from tutor import crash
from tutor.errors import TutorError
from tutor.lesson.schema import TrainCell
from tutor.session import Session
from tutor.training import explain
from tutor.training.findings import Finding
from tutor.training.forks import as_now
from tutor.training.luck import LuckRequest
from tutor.training.lucky import Lucky
from tutor.training.run import Finished, Points, Race
from tutor.training.spec import Kept, RaceSpec
from tutor.training.views import View
from tutor.ui.race_looking import Looking, Turn
from tutor.ui.race_looks import Looks

SPEEDS: tuple[float | None, ...] = (1, 10, 100, 1000, None)
"""Iterations a second; None: as many as there can be."""
STEPS_S = 20
"""Into so many parts a second of paced iterations is cut."""
LATE_S = 30
"""A kernel that has not begun a race after so long will hardly do so."""
LONG = 1000
"""A slice of more iterations is not waited for by another race."""
_NOTHING = -1

Arrived = Points | Finished | Finding | View | Kept

_numbers = itertools.count(1)


class RaceControl:
    """One race at a time, on a session."""

    def __init__(
        self, session: Session, spec: RaceSpec, turn: Turn, *, speed: float | None = -1
    ) -> None:
        """`speed`: -1: one that fits the race."""
        self.race = _new(spec)
        self.running = False
        """Whether iterations are wanted; they may take a moment to come or to end."""
        self.speed = _fitting_speed(spec) if speed == -1 else speed
        self.problem: str | None = None
        """Why the race cannot go on, as a sentence; None: it can."""
        self.cursor: int | None = None
        """The iteration that is looked at; None: the newest."""
        self.hidden: frozenset[str] = frozenset()
        """Runs whose curves are not drawn."""
        self.view = "curves"
        """What is shown; a name of `race_views`."""
        self.viewed = spec.runs[0].name
        """The run that a picture of one run shows."""
        self.answered: list[Finding] = []
        """Findings of the race that need not be shown any more."""
        self.lucky: Lucky | None = None
        """The luck meter; None: it was not started for this race."""
        self.trying = False
        """The luck meter computes, or is about to."""
        self.luck_problem: str | None = None
        """Why there is no luck to see, as a sentence; the race is none the worse."""
        self.looking = Looking(self, session, turn)
        """What is seen besides points."""
        self.seeds = 500
        self.was_over = False
        """Some race of it was seen to its end."""
        self.looks = Looks()
        """How it is drawn."""
        self.shown: Callable[[], None] | None = None
        """Called after anything that could be drawn is another; None: nobody looks."""
        self.late = False
        """The race should have begun long ago: its kernel may never answer."""
        self._session = session
        self._turn = turn
        self._singles = 0
        self._counting = False
        """So many iterations are computed that a key may want to end them."""
        self._long = False
        """A slice is computed that ends only when it is stopped."""
        self._asking = False
        """An answer of the kernel is waited for."""
        self._is_let_go = False
        """Its kernel is ended on purpose."""
        self._asked = asyncio.Event()
        self._asked.set()

    # ------------------------------------------------------------------ how it stands

    @property
    def state(self) -> str:
        """One word."""
        race = self.race
        if race.spec.watched:
            if any(run.end is None for run in race.runs.values()):
                return "running"
            ended = (run.end.stopped for run in race.runs.values() if run.end)
            return "finished" if set(ended) == {"finished"} else "ended"
        if self.problem is not None:
            return "lost"
        if self.trying:
            return "trying"
        if race.iteration < 0:
            return "starting"
        if race.over:
            ends = [run.end.stopped for run in race.runs.values() if run.end]
            return "diverged" if set(ends) == {"diverged"} else "finished"
        if self.running or self._counting:
            return "running"
        return "ready" if race.iteration == 0 else "paused"

    @property
    def busy(self) -> bool:
        """Iterations or seeds are being computed until somebody ends it."""
        return self.running or self.trying or self._counting

    @property
    def at(self) -> int:
        """The iteration that is looked at; -1: there is none yet."""
        return self.race.iteration if self.cursor is None else self.cursor

    @property
    def words(self) -> str:
        """How far it is, in a few words."""
        if self.trying:
            return "luck meter"
        return f"race {max(0, self.race.iteration)}/{self.race.spec.iterations}"

    @property
    def finding(self) -> Finding | None:
        """The newest that is still to be said."""
        held = [
            each
            for each in self.race.findings
            if each not in self.answered and self._holds(each)
        ]
        return held[-1] if held else None

    def _holds(self, found: Finding) -> bool:
        """It is still so; that a run is not compiled is over when it is."""
        race = self.race
        run = race.runs.get(found.run)
        if found.kind == "engine" and run is not None and run.engine != "eager":
            return False
        return explain.holds(found, race.spec, race.iteration)

    @property
    def _again(self) -> RaceSpec:
        """What runs when it runs anew: what was turned at its end holds from the start."""
        race = self.race
        changes = (
            (run, each) for run in race.runs.values() for each in run.spec.changes
        )
        if race.over and any(change.at == run.last for run, change in changes):
            return as_now(race.spec, race.iteration)
        return race.spec

    def tell(self) -> None:
        """Something that could be drawn is another."""
        if self.shown is not None:
            self.shown()
        self._turn.heard(self)

    # ------------------------------------------------------------------ what is wanted

    async def run_or_pause(self) -> None:
        """Run from the newest point; or pause; or, when nothing is left to run, begin
        anew and run."""
        if self.busy and not self.race.over:
            await self.pause()
            return
        if self.trying:
            await self.pause()
            return
        if (self.race.over and self.cursor is None) or self.problem is not None:
            self.begin_anew(self._again)
        self.cursor = None
        await self.run()

    async def run(self) -> None:
        """Iterations, until a pause or the end."""
        self.running = True
        self._ask()
        await self._turn.alone(self)

    async def pause(self) -> None:
        """No further iterations; those that were computed still come."""
        self._want_nothing()
        await self._stop()
        self.tell()

    def _want_nothing(self) -> None:
        self.running = self.trying = self._counting = False
        self._singles = 0

    async def do(self, count: int = 1) -> None:
        """So many iterations of every run, after the newest point."""
        if self.busy:
            await self.pause()
        if self.problem is not None:
            self.begin_anew(self.race.spec)
        self.cursor = None
        self._singles += count
        self._ask()

    async def reset(self, spec: RaceSpec) -> None:
        """A race from iteration 0, not running."""
        self._want_nothing()
        self.begin_anew(spec)
        await self._stop()

    async def change(self, make: Callable[[], RaceSpec]) -> None:
        """Other settings, or other runs, for the same race. `make` is called when no
        iteration is under way, so that it knows which point is the last one."""
        await self.looking.give_way()
        async with self._turn.taken(long=False):
            spec = make()
            if self.problem is not None:
                self.begin_anew(spec)
            elif spec != self.race.spec:
                self._forget_luck(spec)
                self.race.change(spec)
                self._forget_the_gone()
        self._ask()

    async def renew(self, spec: RaceSpec) -> None:
        """Settings that make another race, from iteration 0; it runs if this one does."""
        self.begin_anew(spec)
        await self._stop()

    async def try_luck(self) -> None:
        """The same race with many seeds at once."""
        if self.busy:
            await self.pause()
        race = replace(self._again, id="")
        self.lucky = Lucky(LuckRequest(race, seeds=self.seeds))
        self.luck_problem = None
        self.trying = True
        self._ask()
        await self._turn.alone(self)

    def set_speed(self, speed: float | None) -> None:
        """From the next iterations on."""
        self.speed = speed
        self._ask()

    async def go_to(self, iteration: int) -> None:
        """Look at a recorded point; a race that runs is paused."""
        if self.busy:
            await self.pause()
        last = self.race.iteration
        to = max(0, min(iteration, last))
        self.cursor = None if to >= last else to
        self.tell()

    def toggle(self, name: str) -> None:
        """Hide a curve, or show it again."""
        self.hidden ^= {name}
        self.tell()

    def set_up(self, cell: TrainCell) -> None:
        """As a train cell wants it at first."""
        self.view = cell.view
        self.seeds = cell.seeds
        if cell.speed is not None:
            self.speed = cell.speed

    def begin_anew(self, spec: RaceSpec) -> None:
        """Another race in the place of this one."""
        self._clear(_new(spec))
        self._ask()

    def _clear(self, race: Race) -> None:
        self.race = race
        self.problem = None
        self.cursor = None
        self.answered = []
        self.lucky = self.luck_problem = None
        self.looking.forget()
        self._forget_the_gone()

    def take_over(self, race: Race) -> None:
        """Show a race that came to be elsewhere: the learner's own loop, which fills it
        itself, or one from disk, which can go on."""
        self._want_nothing()
        self._clear(race)
        self.speed = _fitting_speed(race.spec, max(0, race.iteration))
        self.tell()

    def _forget_luck(self, spec: RaceSpec) -> None:
        """With other settings its luck is another."""
        if spec.runs != self.race.spec.runs:
            self.lucky = self.luck_problem = None

    def _forget_the_gone(self) -> None:
        names = set(self.race.runs)
        self.hidden &= names
        if self.viewed not in names:
            self.viewed = next(iter(self.race.runs))

    def let_go(self) -> None:
        """Its kernel is about to be ended: it pauses, and can go on in another one."""
        self._want_nothing()
        self._is_let_go = self._asking

    def _be_late(self) -> None:
        self.late = True
        self.tell()

    def _ask(self) -> None:
        self._asked.set()
        self.tell()

    async def _stop(self) -> None:
        if self._long:
            await self._session.stop_training()

    # -------------------------------------------------------------------- the loops

    async def drive(self) -> None:
        """Compute what is wanted, for as long as the app is there."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                while True:
                    if self.trying:
                        await self._try_seeds()
                    elif (limit := self._limit()) != _NOTHING:
                        await self._compute(limit)
                    else:
                        break
            except TutorError as error:
                self._end(str(error))
            except Exception as error:  # noqa: BLE001 - told; the next race can be run
                self._end(crash.sentence(error, "The race"))

    def _end(self, problem: str) -> None:
        """Nothing more comes, unless it begins anew."""
        self._want_nothing()
        if not self._is_let_go:
            self.problem = problem
        elif self.race.iteration < 0:
            self._asked.set()  # it begins in another kernel
        self._is_let_go = False
        self.tell()

    def _limit(self) -> int | None:
        """How many iterations to ask for; None: all that are left."""
        if self.problem is not None or self.race.spec.watched:
            return _NOTHING
        if self.race.iteration < 0:
            return 0
        if self.race.over:
            self.was_over = True
            self.running = False
            self._singles = 0
            self.looking.resume()
            self.tell()
            return _NOTHING
        if self._singles:
            singles, self._singles = self._singles, 0
            return singles
        if not self.running:
            self.looking.resume()
            return _NOTHING
        return None if self.speed is None else max(1, int(self.speed) // STEPS_S)

    async def _compute(self, limit: int | None) -> None:
        loop = asyncio.get_running_loop()
        long = limit is None or limit > LONG
        late = loop.call_later(LATE_S, self._be_late) if limit == 0 else None
        try:
            began = await self._slice(limit, long=long)
        finally:
            if late is not None:
                late.cancel()
                self.late = False
        if limit and self.running and self.speed is not None:
            await self._rest(began + limit / self.speed - loop.time())

    async def _slice(self, limit: int | None, *, long: bool) -> float:
        """When it began."""
        await self.looking.give_way()
        async with self._turn.taken(long=long):
            race = self.race  # which `reset` may replace meanwhile
            began = asyncio.get_running_loop().time()
            if limit is None and not self.running:
                return began
            self._is_let_go, self._asking = False, True
            self._long = long
            self._counting = long and limit is not None
            try:
                arriving = self._session.train(
                    race.spec, limit, self.looking.on_the_way
                )
                async with contextlib.aclosing(arriving):
                    async for arrived in arriving:
                        await self._take_or_stop(race, arrived)
            finally:
                self._long = self._counting = self._asking = False
        return began

    async def _take_or_stop(self, race: Race, arrived: Arrived) -> None:
        """What cannot be taken is an error of ours: the kernel is not left computing."""
        try:
            self._take(race, arrived)
        except Exception:
            await self._session.stop_training()
            raise

    def _take(self, race: Race, arrived: Arrived) -> None:
        match arrived:
            case Points():
                run = race.runs.get(arrived.run)  # one may come of a run taken away
                new = None if run is None else arrived.after(run.last)
                if new is not None:  # else it is held: from a state behind its points
                    race.add(new)
            case Finding():
                if arrived not in race.findings:
                    race.add(arrived)
            case Finished(ends):
                race.add(Finished({run: ends[run] for run in ends if run in race.runs}))
            case Kept():
                return
            case _:
                if race is self.race:
                    self.looking.take(arrived)
        self.tell()

    async def _rest(self, seconds: float) -> None:
        """Keep the pace; a key ends it."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._asked.wait()
            self._asked.clear()
        except TimeoutError:
            pass

    async def _try_seeds(self) -> None:
        await self.looking.give_way()
        async with self._turn.taken(long=True):
            lucky = self.lucky
            if lucky is None:
                self.trying = False
                return
            self._long = True
            try:
                async for arrived in self._session.luck(lucky.request):
                    lucky.add(arrived)
                    self.tell()
            except TutorError as error:
                self.luck_problem = str(error)
            except Exception as error:  # noqa: BLE001 - told; the race is none the worse
                self.luck_problem = crash.sentence(error, "The luck meter")
            finally:
                self._long = False
                if self.lucky is lucky:  # else it was asked for again meanwhile
                    self.trying = False
        self.tell()


def _new(spec: RaceSpec) -> Race:
    return Race(replace(spec, id=f"screen-{next(_numbers)}"))


def _fitting_speed(spec: RaceSpec, reached: int = 0) -> float | None:
    """One at which what is left lasts a few seconds: long enough to see it grow. A race
    that is over runs again from its start."""
    left = (spec.iterations - reached) or spec.iterations
    if left <= 60:
        return 10
    return 100 if left <= 1000 else None
