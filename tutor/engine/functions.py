"""Functions to go down on themselves, without data. Their parameters' names, and where
they start, stand in `training.catalogue`.
"""

from collections.abc import Callable

from torch import Tensor


def _bowl(place: Tensor) -> Tensor:
    """(w - 3)²."""
    return (place[..., 0] - 3) ** 2


def _valleys(place: Tensor) -> Tensor:
    """w⁴ - 3w² + w: two minima, the left one deeper."""
    w = place[..., 0]
    return w**4 - 3 * w**2 + w


def _ravine(place: Tensor) -> Tensor:
    """(a² + 25b²) / 2: long and narrow."""
    return (place[..., 0] ** 2 + 25 * place[..., 1] ** 2) / 2


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "bowl": _bowl,
    "valleys": _valleys,
    "ravine": _ravine,
}
"""(..., parameters) -> (...)."""
