"""Axes with round numbers on them: what range to show and where the ticks are. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

MOST = 1e300
"""What is larger, or not finite, has no place in a picture."""


def drawable(value: float) -> bool:
    """Whether a value can be shown at all."""
    return abs(value) < MOST


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values, laid out between 0 (at `low`) and 1 (at `high`)."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]
    """Values, ascending, at least one of them."""

    def place(self, value: float) -> float | None:
        """Where a value lies, 0 to 1 inside the range; None: it has no place."""
        if not math.isfinite(value) or (self.log and value <= 0):
            return None
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low)

    def value(self, share: float) -> float:
        """The value that lies there: `place` the other way round."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        scaled = low + share * (high - low)
        return 10.0**scaled if self.log else scaled

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value

    @property
    def labels(self) -> tuple[str, ...]:
        """The ticks as text, short: 0.05, 20, 1e6; longer where that tells them apart."""
        pairs = zip(self.ticks, self.ticks[1:], strict=False)
        least = min((after - before for before, after in pairs), default=0.0)
        return tuple(_precise(tick, least / 100) for tick in self.ticks)


def short(value: float) -> str:
    """At most five characters for a round number."""
    text = f"{value:.6g}"
    if len(text) <= 5 and "e" not in text and abs(value) < 10_000:
        return text
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _precise(value: float, error: float) -> str:
    """As short as can be with an error that is no larger; 0: any."""
    text = short(value)
    if not error or abs(float(text) - value) <= error:
        return text
    if abs(value) < 1e9 and abs(round(value) - value) <= error:
        return str(round(value))
    texts = (f"{value:.{digits}g}" for digits in range(2, 17))
    near = (text for text in texts if abs(float(text) - value) <= error)
    return next(near, repr(value)).replace("e+", "e")


def between(low: float, high: float, count: int) -> Axis:
    """Exactly from `low` to `high`, with round ticks inside; a range without width
    becomes one around it. `count`: as many ticks as there is room for."""
    if not high > low:
        low, high = low - (abs(low) / 2 or 1), low + (abs(low) / 2 or 1)
    ticks: list[float] = []
    for room in (count, 2 * count, 4 * count):  # two at least, or no scale is told
        step = _step(max((high - low) / max(room, 1), 1e-300))
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        ticks = [step * at for at in range(first, last + 1)]
        if len(ticks) > 1:
            break
    return Axis(low, high, False, tuple(ticks or [low]))


def whole(axis: Axis) -> Axis:
    """With its whole ticks only, for what is counted; as it is where there are none."""
    ticks = tuple(tick for tick in axis.ticks if tick == round(tick))
    return Axis(axis.low, axis.high, axis.log, ticks or axis.ticks)


def linear(low: float, high: float, count: int) -> Axis:
    """From 0 (or a round number below `low`, if that is negative) past `high`.

    `count`: as many ticks as there is room for.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    step = _step(max(high - low, 1e-300) / max(count - 1, 1))
    bottom = math.floor(low / step + 1e-9)
    top = math.ceil(4 * high / step - 1e-9) / 4
    if top <= bottom:
        top = bottom + 1
    ticks = [step * at for at in range(bottom, math.floor(top) + 1)]
    return Axis(step * bottom, step * top, False, tuple(ticks))


def logarithmic(low: float, high: float, count: int) -> Axis:
    """From a round number at or below `low` to one at or above `high`; both > 0."""
    low, high = (min(max(value, 1 / MOST), MOST) for value in (low, high))
    first = _rounds(low, down=True)
    last = max(_rounds(high, down=False), first + 1)
    rounds = range(first, last + 1)
    decades = (1, 2, 3, 6, 12, 24, 48, 96, 192)
    candidates = [list(rounds)]
    candidates += [[at for at in rounds if at % (3 * each) == 0] for each in decades]
    ticks = next((each for each in candidates if 0 < len(each) <= count), [first])
    return Axis(_round(first), _round(last), True, tuple(_round(at) for at in ticks))


def _step(least: float) -> float:
    """The smallest of ..., 0.5, 1, 2, 5, 10, ... that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return power * next(each for each in (1, 2, 5, 10) if power * each >= least * 0.999)


def _round(at: int) -> float:
    """Round number `at` of ..., 1 (0), 2 (1), 5 (2), 10 (3), 20 (4), ..."""
    return float(f"{(1, 2, 5)[at % 3]}e{at // 3}")


def _rounds(value: float, *, down: bool) -> int:
    """The number of the nearest round number below or above `value`."""
    at = 3 * math.floor(math.log10(value))
    candidates: Iterator[int] = iter(range(at - 3, at + 7))
    if down:
        return max(each for each in candidates if _round(each) <= value * 1.000001)
    return next(each for each in candidates if _round(each) >= value * 0.999999)
