"""Computes races, a slice at a time (see `training.spec` for why): real autograd, real
optimisers, eager. Keeps the last few races, so that a later slice goes on, and so that
what they were at any iteration can be seen.

The loss of a point is that on all the data, whatever the batch was.
"""

from collections import OrderedDict
from collections.abc import Generator

from tutor.engine import back, crew
from tutor.engine.computing import few_threads, interruptible
from tutor.engine.race import Race, Sent
from tutor.engine.run import DIVERGED as DIVERGED
from tutor.engine.seen import Seen
from tutor.errors import TutorError
from tutor.training.run import Finished
from tutor.training.spec import RaceSpec, SliceRequest

KEPT_RACES = 4

_races: "OrderedDict[str, Race]" = OrderedDict()


def train(request: SliceRequest) -> Generator[Sent | Finished, None, None]:
    """Compute one slice; `Finished` is the last. An interrupt ends it between two
    iterations. Raises TutorError when the race to go on with is not here, or a device.
    """
    with interruptible() as interrupted, few_threads(request.race):
        race = _race(request)
        if request.race.workers > 1:
            yield from crew.slice_of(race, request, interrupted)
            return
        yield from race.slice(request, interrupted)
        yield race.standing()


def seen(race_id: str, run: str, iteration: int | None = None) -> Seen:
    """A copy of a run at an iteration that was computed; None: the last one.

    Raises TutorError when it is not here, or did not come so far.
    """
    race = _races.get(race_id)
    found = [each for each in race.runs if each.spec.name == run] if race else []
    if not found:
        raise TutorError(
            "The kernel does not have this race any more, so nothing can be seen of it: "
            "go on with it, or start it anew."
        )
    with few_threads(RaceSpec((found[0].spec,))):
        return back.seen(found[0], iteration)


def _race(request: SliceRequest) -> Race:
    spec = request.race
    if request.fresh:
        race = Race(spec)
    elif spec.id in _races:
        race = _races[spec.id]
        race.change(spec)
    elif request.kept:
        race = Race(spec, request.kept)
    else:
        raise TutorError(
            "The kernel no longer has this race, so it cannot go on: start it anew."
        )
    if spec.id:
        _races[spec.id] = race
        _races.move_to_end(spec.id)
        while len(_races) > KEPT_RACES:
            _races.popitem(last=False)
    return race
