"""What can be changed where a run diverged: only what is known to end near the lowest
loss (tests/engine/test_remedies.py runs each). Pure.
"""

import math
from dataclasses import dataclass

from tutor.training.findings import Finding
from tutor.training.spec import RunSpec, Value

_SAFE = 0.6
"""Of the largest learning rate: near it the last bit of the way is slow."""
_STILL_SAFE = 0.8
"""The same where the learning rate stays and something else is changed."""
_SPREAD = 3.0
"""Batches of B points stand B / (B + 3) of the learning rate that all the data stand:
with it the squared distance shrinks on average, for a line through normal features
(lr < 2 λ / (λ² + V / B), where V, the variance of a point's curvature, is 3 λ²)."""
_USUAL = 0.1
"""A learning rate that does for small nets, whose limit nobody knows."""
_BATCHES = (4, 16, 64, 256)
_ADAM = (0.5, 1.5)
"""Learning rates with which adam comes near in 25 iterations, from batches of 4 on."""
_BADLY_SCALED = 50.0
"""From so many times on, the steepest direction keeps the others from moving."""
_NEAR = 0.9
"""Of the largest learning rate: the steps overshoot, each less than the one before."""
_EVEN = 4.0
"""Directions not steeper than so many times the flattest."""
_TOO_LARGE = 1e18
"""The square of ten times as much is beyond float32."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing to change."""

    key: str
    """A setting of the run; "": it is no setting, `words` tell what to do."""
    value: Value
    words: str
    """Like "lr 0.5: below the limit of 0.935"."""
    does: bool = False
    """The words begin with a verb: "clear the gradients"."""

    def after(self, lead: str) -> str:
        """Behind a word like "try"."""
        return f"{lead}{':' if self.does else ''} {self.words}"


def remedies(finding: Finding, spec: RunSpec | None) -> tuple[Proposal, ...]:
    """Two, where two are known: another learning rate, and something else if that
    helps, too, else a third learning rate."""
    if spec is not None and (large := too_large(spec)):
        return (large,)
    if spec is None and finding.iteration == 0:
        words = "look for nan and inf in the data and the first parameters: "
        words += "torch.isfinite(x).all()"
        return (Proposal("", None, words, does=True),)
    other = _otherwise(finding, spec)
    first = _slower(finding, spec)
    if other is None:
        other = _still_slower(finding, spec, first)
    return (first,) if other is None else (first, other)


def too_large(spec: RunSpec) -> Proposal | None:
    """For numbers whose squares float32 does not have, whatever the learning rate is."""
    if spec.noise >= _TOO_LARGE:
        return Proposal("noise", 1.0, "noise 1: then the errors can be squared")
    if any(abs(each) >= _TOO_LARGE for each in spec.start):
        return Proposal("", None, "begin nearer to 0", does=True)
    return None


def number(value: float) -> str:
    """About three digits: 0.935, 12, 1.2e+06."""
    return f"{value:.0f}" if 1000 <= abs(value) < 100_000 else f"{value:.3g}"


def below(value: float) -> float:
    """The largest of ..., 0.1, 0.2, 0.5, 1, ... that is not above a positive value."""
    exponent = int(f"{value:e}".partition("e")[2])
    rungs = [
        float(f"{digit}e{at}") for at in (exponent - 1, exponent) for digit in "125"
    ]
    return max(rung for rung in rungs if rung <= value * 1.000001)


def _steady(batch: int | None, points: int) -> float:
    """The part of all the data's learning rate that batches stand."""
    if batch is None or batch >= points:
        return 1.0
    return batch / (batch + _SPREAD)


def _safe(now: RunSpec | None, limit: float) -> float:
    """A learning rate well below the limit of all the data."""
    if now is None:
        return _SAFE * limit
    steady = _steady(now.batch, now.points)
    if now.optimiser != "momentum":
        return _SAFE * limit * steady
    kept = min(now.momentum, 0.999)
    plain = limit / (1 + kept)  # steps that add up are 1 / (1 - momentum) times as long
    return _SAFE * plain * (1 - kept) * max(steady, 0.25)


def _slower(finding: Finding, spec: RunSpec | None) -> Proposal:
    """A learning rate that converges, as far as that is known."""
    lr, limit = finding.lr, finding.limit
    times = finding.facts.get("times")
    key = "lr" if spec else ""
    now = spec.at(finding.iteration) if spec else None
    if lr is not None and lr < 0:
        words = "subtract the gradient: w -= lr * w.grad"
        return Proposal("", None, words, does=True)
    if limit is not None and (lr is None or lr > limit or now is not None):
        value = below(_safe(now, limit))
        few = now is not None and now.batch is not None and now.batch < now.points
        said = f"below the limit of {number(limit)}"
        if few:
            said += " by as much as such batches need"
        return Proposal(key, value, f"lr {value:g}: {said}")
    if lr is not None:
        value = below(max(min(lr / 5, _usual(now)), 1e-12))
        return Proposal(key, value, f"lr {value:g}: smaller steps")
    if times is not None:
        words = f"a learning rate {number(max(2.0, times / _SAFE))} times smaller"
        return Proposal("", None, words)
    return Proposal("", None, "a learning rate ten times smaller")


def _usual(now: RunSpec | None) -> float:
    """A learning rate that does where no limit is known."""
    if now is None:
        return math.inf
    if now.optimiser not in ("sgd", "momentum"):
        return _USUAL
    kept = min(now.momentum, 0.999) if now.optimiser == "momentum" else 0.0
    value = _USUAL * _steady(now.batch, now.points) * (1 - kept)
    return value / now.samples_per_iteration if now.loss == "sse" else value


def _still_slower(
    finding: Finding, spec: RunSpec | None, first: Proposal
) -> Proposal | None:
    """Another learning rate of ours: just below the limit where the loss shows that it
    is one, else a part of the first."""
    if spec is None or first.key != "lr" or not isinstance(first.value, float):
        return None
    now, limit = spec.at(finding.iteration), finding.limit
    whole = now.batch is None or now.batch >= now.points
    if limit is not None and whole and now.optimiser == "sgd":
        value = float(f"{_NEAR * limit:.2g}")
        words = f"lr {value:g}: just below the limit, it swings before it rests"
        return Proposal("lr", value, words)
    value = below(first.value / 5)
    return Proposal("lr", value, f"lr {value:g}: smaller still, slower but surer")


def _falling(finding: Finding, now: RunSpec, most: float) -> Proposal | None:
    """A learning rate that falls, as the sum of its steps does not (Robbins and Monro, A
    stochastic approximation method, 1951): from `most` times the limit it comes back."""
    lr, limit = finding.lr, finding.limit
    if lr is None or not limit or now.decay or lr > most * limit:
        return None
    if finding.facts.get("condition", 1.0) > _EVEN:
        return None  # the flat directions would have no time
    value = below(max(1.0, lr / limit))
    words = f"decay {value:g}: lr / (1 + {value:g}k) falls below the limit"
    return Proposal("decay", value, words)


def _otherwise(finding: Finding, spec: RunSpec | None) -> Proposal | None:
    """The second way; None: nothing is known that would help with this learning rate."""
    if finding.facts.get("condition", 0.0) >= _BADLY_SCALED:
        return _scaled(finding, spec)
    if spec is None:
        words = (
            "clip the gradients before the step: "
            "torch.nn.utils.clip_grad_norm_(parameters, 1.0)"
        )
        return Proposal("", None, words, does=True)
    now, lr = spec.at(finding.iteration), finding.lr
    if lr is None or lr < 0:
        return None
    largest = finding.limit or _usual(now) / _steady(now.batch, now.points)
    if now.loss == "sse":
        return mean_instead(finding, now) if finding.limit else None
    if now.optimiser == "momentum":
        kept = min(now.momentum, 0.999)
        plain = largest / (1 + kept if finding.limit else 1 - kept)
        if lr <= _STILL_SAFE * plain * _steady(now.batch, now.points):
            return Proposal("optimiser", "sgd", "no momentum: steps do not add up")
        return _falling(finding, now, most=3.0)
    if now.optimiser != "sgd":
        return None
    if now.batch is not None and (more := _more(now, lr, largest)):
        return more
    if finding.limit and _ADAM[0] <= lr <= _ADAM[1] and (now.batch or 4) >= 4:
        words = "adam: its steps do not grow with the gradient"
        return Proposal("optimiser", "adam", words)
    return _falling(finding, now, most=100.0 if now.batch is None else 10.0)


def _more(now: RunSpec, lr: float, largest: float) -> Proposal | None:
    """The smallest batch that stands this learning rate."""
    assert now.batch is not None
    for batch in _BATCHES:
        enough = lr <= _STILL_SAFE * largest * _steady(batch, now.points)
        if now.batch < batch < now.points and enough:
            times = number(math.sqrt(batch / now.batch))
            words = f"batch {batch}: its gradients scatter {times} times less"
            return Proposal("batch", batch, words)
    if now.batch < now.points and lr <= _STILL_SAFE * largest:
        return Proposal("batch", None, "batch all: its gradients do not scatter")
    return None


def mean_instead(finding: Finding, now: RunSpec) -> Proposal | None:
    """The mean of the errors, if this learning rate is small enough for it."""
    lr, limit = finding.lr, finding.limit
    if lr is not None and limit is not None:
        most = _STILL_SAFE / _SAFE * _safe(now, limit * now.samples_per_iteration)
        if lr > most:
            return None
    return Proposal("loss", "mse", "the mean of the errors instead of their sum")


def _scaled(finding: Finding, spec: RunSpec | None) -> Proposal:
    steeper = number(finding.facts["condition"])
    words = (
        f"scale the features to mean 0 and deviation 1: now one direction is "
        f"{steeper} times steeper than another"
    )
    if spec is not None and spec.loss == "mse" and finding.lr is not None:
        rate = below(_safe(spec.at(finding.iteration), 1.0))
        if finding.lr > rate:
            words += f"; then lr {rate:g} is small enough"
    return Proposal("", None, words, does=True)
