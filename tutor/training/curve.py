"""A curve: numbers in order, held compactly, with what a plot needs of them at hand,
so that drawing a million costs about what drawing a thousand does. Pure.
"""

import math
from array import array
from collections.abc import Iterator, Sequence

BLOCK = 32
"""Numbers whose lowest and highest are remembered."""


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

    def __len__(self) -> int:
        return len(self.values)

    def extend(self, numbers: Sequence[float]) -> None:
        """Append."""
        self.values.extend(numbers)
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
        extremes = list(self._extremes(start, start + BLOCK))
        extremes.sort(key=self.values.__getitem__)
        self._low_at.append(extremes[0] if extremes else start)
        self._high_at.append(extremes[-1] if extremes else start)
        self._low.append(self.values[extremes[0]] if extremes else math.inf)
        self._high.append(self.values[extremes[-1]] if extremes else -math.inf)
        finite = _finite(self.values[start : start + BLOCK])
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
        self._look_at(self.values)

    def extremes(self, start: int, stop: int) -> Iterator[int]:
        """Indices, ascending, of the lowest and the highest from `start` to before
        `stop`: two, one, or none where no number is finite."""
        first, last = -(-start // BLOCK), min(stop // BLOCK, len(self._low))
        if last - first < 2:
            yield from self._extremes(start, stop)
            return
        found = [
            *self._extremes(start, first * BLOCK),
            *self._block_extremes(first, last),
            *self._extremes(last * BLOCK, stop),
        ]
        if found:
            by_value = self.values.__getitem__
            yield from _both(min(found, key=by_value), max(found, key=by_value))

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

    def _extremes(self, start: int, stop: int) -> Iterator[int]:
        part = self.values[start:stop]
        finite = _finite(part)
        if finite:
            yield from _both(
                start + part.index(min(finite)), start + part.index(max(finite))
            )

    def _block_extremes(self, start: int, stop: int) -> Iterator[int]:
        lows, highs = self._low[start:stop], self._high[start:stop]
        lowest = min(lows)
        if lowest < math.inf:
            yield from _both(
                self._low_at[start + lows.index(lowest)],
                self._high_at[start + highs.index(max(highs))],
            )


def _finite(numbers: Sequence[float]) -> Sequence[float]:
    """The finite ones; the usual case costs one sum."""
    if math.isfinite(sum(numbers)):
        return numbers
    return [number for number in numbers if math.isfinite(number)]


def _both(one: int, other: int) -> Iterator[int]:
    yield min(one, other)
    if one != other:
        yield max(one, other)
