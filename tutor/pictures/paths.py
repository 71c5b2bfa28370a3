"""The ways that runs take through their parameters, up to an iteration. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from tutor.training.axis import drawable
from tutor.training.run import Race, Run

MOST = 400
"""Of a long way so many points at its beginning are shown, about as many of its middle,
and up to twice as many at its end."""


Place = tuple[float, ...]
"""A value of each parameter."""


@dataclass(frozen=True, slots=True)
class Way:
    """One run's."""

    number: int
    """Its place in the race, which is its letter and colour."""
    run: Run
    names: tuple[str, ...]
    """Of the parameters."""
    start: int
    """The first held point of its own: a fork begins later."""
    stop: int
    """Before this held point it ends."""
    newest: Place | None
    """Where it is now, if that is not held and is known."""

    def at(self, index: int) -> Place | None:
        """Of a held point; None: not known, or not finite."""
        return _known(*(self.run.params[name][index] for name in self.names))

    def among(self, indices: Sequence[int]) -> Iterator[Place | None]:
        """Of several, quicker than one by one."""
        columns = [self.run.params[name] for name in self.names]
        return (_known(*(column[at] for column in columns)) for at in indices)

    def last(self, count: int) -> list[Place | None]:
        """The last so many, or all of fewer."""
        held = range(max(self.start, self.stop - count), self.stop)
        places = [*self.among(held), *([self.newest] if self.newest else [])]
        return places[-count:]

    def __len__(self) -> int:
        return self.stop - self.start + (self.newest is not None)

    @property
    def late(self) -> int:
        """From this held point on each one is shown: 400 to 800 of them, or all."""
        blocks = max((self.stop - self.start - 1) // MOST - 1, 0)
        return self.start + blocks * MOST

    @property
    def opening(self) -> range:
        """The held points at the beginning, all of which are shown."""
        return range(self.start, min(self.start + MOST, self.late))

    @property
    def middle(self) -> range:
        """Those that are shown from the end of `opening` to before `late`. Their step is a
        power of two: while it stays the same a longer way only adds to them."""
        step = 1
        while self.late - self.start - MOST > step * MOST:
            step *= 2
        return range(self.start + MOST - 1, self.late, step)

    @property
    def now(self) -> Place | None:
        """The last that is known of those that are shown."""
        if self.newest is not None:
            return self.newest
        parts = range(self.late, self.stop), self.middle, self.opening
        shown = chain.from_iterable(map(reversed, parts))
        return next((place for at in shown if (place := self.at(at))), None)

    @property
    def first(self) -> Place | None:
        """The first that is known of those that are shown."""
        shown = chain(self.opening, self.middle, range(self.late, self.stop))
        return next((place for at in shown if (place := self.at(at))), self.newest)


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
            found.append(_way(number, run, tuple(names), cursor))
    return [each for each in found if each.now]


def _way(number: int, run: Run, names: tuple[str, ...], cursor: int | None) -> Way:
    count = min(len(run.params[each]) for each in names)
    newest = None
    if cursor is not None and cursor < run.last:
        count = min(count, cursor // run.stride + 1)
    elif (count - 1) * run.stride < run.last:
        newest = _known(*(run.last_params.get(each, math.nan) for each in names))
    start = min(-(-run.spec.since // run.stride), count)
    return Way(number, run, names, start, count, newest)


def _known(*values: float) -> Place | None:
    return values if all(map(drawable, values)) else None
