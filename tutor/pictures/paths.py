"""The ways that runs take through their parameters, up to an iteration. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tutor.training.axis import drawable
from tutor.training.run import Race, Run

MOST = 400
"""Of a long way so many points at its beginning, in its middle and at its end."""


Place = tuple[float, ...]
"""A value of each parameter."""


@dataclass(frozen=True, slots=True)
class Way:
    """One run's."""

    number: int
    """Its place in the race, which is its letter and colour."""
    places: list[Place | None]
    """By rising iteration; None: not known, or not finite."""

    @property
    def now(self) -> Place | None:
        """The last that is known."""
        return next((each for each in reversed(self.places) if each), None)


def ways(
    race: Race | None,
    names: Sequence[str],
    cursor: int | None = None,
    hidden: frozenset[str] = frozenset(),
) -> list[Way]:
    """Of the runs that have these parameters and are not hidden, at most six.

    cursor: the iteration where they end; None: the newest.
    """
    found = []
    for number, run in enumerate(list(race.runs.values())[:6] if race else ()):
        known = all(each in run.params for each in names)
        if known and run.spec.name not in hidden and run.last >= 0:
            found.append(Way(number, _places(run, names, cursor)))
    return [each for each in found if each.now]


def _places(run: Run, names: Sequence[str], cursor: int | None) -> list[Place | None]:
    columns = [run.params[each] for each in names]
    count = len(columns[0])
    if cursor is not None:
        count = min(count, cursor // run.stride + 1)
    places = [_known(*(column[at] for column in columns)) for at in _some(count)]
    if cursor is None and (count - 1) * run.stride < run.last:
        places.append(_known(*(run.last_params.get(each, math.nan) for each in names)))
    return places


def _some(count: int) -> Sequence[int]:
    if count <= 3 * MOST:
        return range(count)
    middle = range(MOST, count - MOST, (count - 2 * MOST) // MOST + 1)
    return [*range(MOST), *middle, *range(count - MOST, count)]


def _known(*values: float) -> Place | None:
    return values if all(map(drawable, values)) else None
