"""How far beyond the largest learning rate a run is, from its parameters alone. Pure."""

import math
from collections.abc import Sequence
from itertools import pairwise

_PAIRS = 3
"""Pairs of steps that must agree."""
_AGREE = 0.05


def overshoot(columns: Sequence[Sequence[float]]) -> float | None:
    """The learning rate as a multiple of the largest with which gradient descent would
    converge; None: the steps are not those of gradient descent beyond it.

    `columns`: the last values of each parameter, in order. On a quadratic each step is
    1 - lr λ times the one before, along the steepest direction, which soon is the only
    one that matters; the largest learning rate is 2 / λ, where that factor is -1.
    """
    steps = [
        [after - before for before, after in pairwise(column)] for column in columns
    ]
    vectors = [list(each) for each in zip(*steps, strict=False)]
    vectors = [each for each in vectors if all(map(math.isfinite, each))]
    factors = [_factor(one, next_one) for one, next_one in pairwise(vectors)][-_PAIRS:]
    if len(factors) < _PAIRS or not all(factor < -1 for factor in factors):
        return None
    if max(factors) - min(factors) > _AGREE * abs(factors[-1]):
        return None
    return (1 - factors[-1]) / 2


def _factor(step: Sequence[float], following: Sequence[float]) -> float:
    """By how much a step is repeated in the next one; negative: turned round."""
    size = sum(each * each for each in step)
    product = sum(one * other for one, other in zip(step, following, strict=True))
    return product / size if size else math.nan
