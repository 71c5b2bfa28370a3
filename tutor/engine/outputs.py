"""What a model says: its curve over one feature (`Fit`), its verdict over a plane of two
(`Regions`)."""

import torch
from torch import Tensor, nn

from tutor.engine import losses
from tutor.engine.datasets import Data
from tutor.engine.seen import Seen
from tutor.errors import TutorError
from tutor.training import refusals
from tutor.training.views import Box, Fit, Regions, Unit, ViewRequest

SHOWN = 400
"""Data points at most."""
_ROOM = 0.1
"""Around the data, in widths of it."""


def output(request: ViewRequest, seen: Seen) -> Fit | Regions:
    """By the number of features. Raises TutorError where there is no picture of it."""
    if said := refusals.output(seen.spec):
        raise TutorError(said)
    with torch.no_grad():
        if seen.data.x.shape[1] == 1:
            return _fit(request, seen)
        return _regions(request, seen)


def _fit(request: ViewRequest, seen: Seen) -> Fit:
    data = seen.data
    left, right = (request.box or _around(data.x))[:2]
    x = torch.linspace(left, right, request.columns, device=data.x.device)
    y = seen.model(x.unsqueeze(1).to(data.x.dtype))
    some = _some(len(data.x))
    return Fit(
        run=seen.spec.name,
        iteration=seen.iteration,
        x=tuple(x.tolist()),
        y=tuple(y.flatten().tolist()),
        data=tuple(
            zip(data.x[some, 0].tolist(), data.y[some, 0].tolist(), strict=True)
        ),
    )


def _regions(request: ViewRequest, seen: Seen) -> Regions:
    data = seen.data
    box = request.box or _around(data.x)
    some = _some(len(data.x))
    x1, x2 = data.x[some].T.tolist()
    classes = data.y[some, 0].round().int().tolist()
    return Regions(
        run=seen.spec.name,
        iteration=seen.iteration,
        box=box,
        columns=request.columns,
        rows=request.rows,
        outputs=tuple(_grid(seen, box, request.columns, request.rows).tolist()),
        data=tuple(zip(x1, x2, classes, strict=True)),
        units=_units(seen.model),
        accuracy=_accuracy(seen, seen.data),
        test_accuracy=None if seen.test is None else _accuracy(seen, seen.test),
    )


def _grid(seen: Seen, box: Box, columns: int, rows: int) -> Tensor:
    """Probabilities at the middles of the cells: (rows * columns,)."""
    left, right, bottom, top = box
    edge, low = (right - left) / columns / 2, (top - bottom) / rows / 2
    across = torch.linspace(left + edge, right - edge, columns)
    up = torch.linspace(bottom + low, top - low, rows)
    places = torch.cartesian_prod(up, across).flip(1)  # (rows * columns, 2)
    outputs = seen.model(places.to(seen.data.x))
    return losses.probability(seen.spec, outputs).flatten()


def _accuracy(seen: Seen, data: Data) -> float:
    share = losses.accuracy(seen.spec, seen.model(data.x), data)
    assert share is not None  # there are two features only where there are classes
    return share


def _units(model: nn.Module) -> tuple[Unit, ...]:
    """Of the first layer, whatever follows it; none of a parabola, which has no lines."""
    first = next(each for each in model.modules() if isinstance(each, nn.Linear))
    if first.in_features != 2:
        return ()
    return tuple(
        Unit(w1, w2, b)
        for (w1, w2), b in zip(first.weight.tolist(), first.bias.tolist(), strict=True)
    )


def _some(points: int) -> Tensor:
    """Indices of at most `SHOWN`, evenly over all of them: data often come in classes."""
    return torch.arange(0, points, max(1, -(-points // SHOWN)))


def _around(x: Tensor) -> Box:
    """Left, right, bottom, top: all the data, with some room."""
    low, high = x.amin(0), x.amax(0)
    room = _ROOM * (high - low).clamp_min(1e-6)
    sides = torch.stack([low - room, high + room], 1).flatten().tolist()
    left, right, bottom, top = (*sides, 0.0, 0.0)[:4]
    return left, right, bottom, top
