"""A curve: numbers in order, held compactly, with what a plot needs of them at hand,
so that drawing a million costs about what drawing a thousand does. Pure.
"""

import math
from array import array
from collections.abc import Sequence

from tutor.packing import doubles

BLOCK = 32
"""Numbers whose lowest and highest are remembered."""
KNOWN = 2048
"""Answers that are remembered: a picture asks the same of most columns as the one before."""


class Curve:
    """Finite numbers and gaps (nan, inf), by their index from 0."""

    def __init__(self) -> None:
        self.values = array("d")
        self.lowest_positive = math.inf
        """Of the finite ones; inf: there is none."""
        self.highest = -math.inf
        """Of the finite ones; -inf: there is none."""
        self._low_at = array("q")
        self._high_at = array("q")
        self._low = array("d")
        self._high = array("d")
        """By block: where its extremes are, and their values; inf and -inf when no
        number in it is finite."""
        self._sum = array("d")
        self._finite = array("q")
        """By block: the sum of its finite numbers, and how many they are."""
        self._known: dict[tuple[int, int], Sequence[int]] = {}
        """What `extremes` said of numbers that are all here."""

    def __len__(self) -> int:
        return len(self.values)

    def extend(self, numbers: Sequence[float]) -> None:
        """Append."""
        self.values.frombytes(doubles(numbers))
        self._look_at(numbers)

    def _look_at(self, numbers: Sequence[float]) -> None:
        """Remember of the newest what a plot needs."""
        finite = _finite(numbers)
        if finite:
            self.highest = max(self.highest, max(finite))
            positive = finite if min(finite) > 0 else [x for x in finite if x > 0]
            if positive:
                self.lowest_positive = min(self.lowest_positive, min(positive))
        while (len(self._low) + 1) * BLOCK <= len(self.values):
            self._add_block()

    def _add_block(self) -> None:
        start = len(self._low) * BLOCK
        part = self.values[start : start + BLOCK].tolist()
        finite = _finite(part)
        lowest, highest = min(finite, default=math.inf), max(finite, default=-math.inf)
        self._low_at.append(start + part.index(lowest) if finite else start)
        self._high_at.append(start + part.index(highest) if finite else start)
        self._low.append(lowest)
        self._high.append(highest)
        self._sum.append(sum(finite))
        self._finite.append(len(finite))

    def halve(self) -> None:
        """Keep every second number, where they are: with copies beside them the process
        would grow, and stay so."""
        del self.values[1::2]
        self.lowest_positive, self.highest = math.inf, -math.inf
        for column in (self._low, self._high, self._sum):
            del column[:]
        for places in (self._low_at, self._high_at, self._finite):
            del places[:]
        self._known.clear()
        self._look_at(self.values)

    def extremes(self, start: int, stop: int) -> Sequence[int]:
        """Indices, ascending, of the lowest and the highest from `start` to before
        `stop`: two, one, or none where no number is finite."""
        place = start, stop
        if place in self._known:
            return self._known[place]
        first, last = -(-start // BLOCK), min(stop // BLOCK, len(self._low))
        if last - first < 2:
            found = self._extremes(start, stop)
        else:
            found = [
                *self._extremes(start, first * BLOCK),
                *self._block_extremes(first, last),
                *self._extremes(last * BLOCK, stop),
            ]
            by_value = self.values.__getitem__
            if found:
                found = _both(min(found, key=by_value), max(found, key=by_value))
        if stop <= len(self.values):
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[place] = found
        return found

    def mean(self, start: int, stop: int) -> float:
        """Of the finite numbers from `start` to before `stop`; nan: there is none."""
        first, last = -(-start // BLOCK), min(stop // BLOCK, len(self._low))
        if last - first < 2:
            finite = _finite(self.values[start:stop])
            return sum(finite) / len(finite) if finite else math.nan
        ends = self.values[start : first * BLOCK] + self.values[last * BLOCK : stop]
        finite = _finite(ends)
        count = len(finite) + sum(self._finite[first:last])
        total = sum(finite) + sum(self._sum[first:last])
        return total / count if count else math.nan

    def _extremes(self, start: int, stop: int) -> Sequence[int]:
        part = self.values[start:stop].tolist()
        finite = _finite(part)
        if not finite:
            return ()
        lowest, highest = part.index(min(finite)), part.index(max(finite))
        return _both(start + lowest, start + highest)

    def _block_extremes(self, start: int, stop: int) -> Sequence[int]:
        lows = self._low[start:stop].tolist()
        highs = self._high[start:stop].tolist()
        lowest = min(lows)
        if lowest == math.inf:
            return ()
        return _both(
            self._low_at[start + lows.index(lowest)],
            self._high_at[start + highs.index(max(highs))],
        )


def _finite(numbers: Sequence[float]) -> Sequence[float]:
    """The finite ones; the usual case costs one sum."""
    if math.isfinite(sum(numbers)):
        return numbers
    return [number for number in numbers if math.isfinite(number)]


def _both(one: int, other: int) -> Sequence[int]:
    if one == other:
        return (one,)
    return (one, other) if one < other else (other, one)
