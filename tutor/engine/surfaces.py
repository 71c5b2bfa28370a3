"""What a landscape looks like from above (`Surface`), or from the side (`Slope`): the box
that is shown, the loss in it, and where it is lowest. The same at each iteration, so the
last few are kept.
"""

import math
from collections import OrderedDict

import torch
from torch import Tensor

from tutor.engine.landscape import Landscape, Lowest
from tutor.engine.seen import Seen
from tutor.training.spec import RunSpec
from tutor.training.views import Box, Slope, Surface, ViewRequest

KEPT = 8
TRUTHS = dict.fromkeys(("line", "outlier", "wide"), (-5.0, 2.0))
"""Of data sets that a linear model's parameters have made."""
_FUNCTION_BOXES: dict[str, Box] = {
    "bowl": (-2.0, 8.0, 0.0, 0.0),
    "valleys": (-2.2, 2.2, 0.0, 0.0),
    "ravine": (-12.5, 12.5, -2.0, 2.0),
}
"""The part of a function that is worth seeing; a start outside widens it."""
_BEFORE, _BEYOND = 0.2, 0.5
"""Room at the start's side and beyond the optimum, in distances between the two: a path
may overshoot."""
_FARTHER = 6
"""Times that a minimum is looked for four times as far away."""
_FINE = 801
"""Places in which a slope's minima are looked for."""

_kept: "OrderedDict[object, Surface | Slope]" = OrderedDict()


def surface(request: ViewRequest, seen: Seen) -> Surface | Slope:
    """The loss over all parameters of the model; a `Slope` where there is only one.

    Raises TutorError where there are more than two.
    """
    spec = seen.spec
    of_spec = (spec.name, spec.dataset, spec.points, spec.noise, spec.seed)
    model = (spec.model, spec.loss, spec.slip, spec.start)
    key = (of_spec, model, request.columns, request.rows, request.box)
    if key not in _kept:
        landscape = Landscape(seen)
        make = _surface if len(landscape.names) == 2 else _slope
        _kept[key] = make(request, spec, landscape)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key]


def _surface(request: ViewRequest, spec: RunSpec, landscape: Landscape) -> Surface:
    optimum = _optimum(request.box, spec, landscape)
    truth = TRUTHS.get(spec.dataset) if spec.model == "linear" else None
    box = request.box or _box(spec, landscape.start, optimum)
    columns, rows = request.columns, request.rows
    across = _middles(box[0], box[1], columns)
    up = _middles(box[2], box[3], rows)
    places = torch.cartesian_prod(up, across).flip(1)  # (rows * columns, 2)
    bend = None if optimum is None else landscape.curvature(optimum.place)
    if landscape.is_quadratic and optimum is not None and bend is not None:
        away = places - optimum.place
        losses = optimum.loss + ((away @ bend) * away).sum(1) / 2
    else:
        losses = landscape.losses(places.float())  # enough for a picture
    first, second = landscape.names
    return Surface(
        run=spec.name,
        names=(first, second),
        box=box,
        columns=columns,
        rows=rows,
        losses=tuple(losses.tolist()),
        optimum=None if optimum is None else _pair(optimum.place),
        least=None if optimum is None else optimum.loss,
        curvatures=() if bend is None else _curvatures(bend),
        truth=truth,
    )


def _curvatures(bend: Tensor) -> tuple[float, ...]:
    """Ascending; none of a loss of straight pieces, which has none anywhere."""
    if not bend.isfinite().all() or not bend.any():
        return ()
    return tuple(torch.linalg.eigvalsh(bend).tolist())


def _optimum(box: Box | None, spec: RunSpec, landscape: Landscape) -> Lowest | None:
    """Of a quadratic loss that of all places; else near the start, or in the box."""
    left, right, bottom, top = _FUNCTION_BOXES.get(spec.dataset, box or (0, 0, 0, 0))
    if left == right:
        return _nearest(landscape)
    middle = torch.tensor([left + right, bottom + top], dtype=torch.float64) / 2
    reach = torch.tensor([right - left, top - bottom], dtype=torch.float64) / 2
    return landscape.lowest(middle, reach)


def _nearest(landscape: Landscape) -> Lowest | None:
    """Looked for around the start, farther and farther; None: not so far away either."""
    reach = 4 + 2 * landscape.start.abs()
    for _ in range(_FARTHER):
        if (found := landscape.lowest(landscape.start, reach)) is not None:
            return found
        reach = 4 * reach
    return None


def _box(spec: RunSpec, start: Tensor, optimum: Lowest | None) -> Box:
    """Start and optimum with room around them; neither side less than a quarter of the
    other."""
    sides: list[tuple[float, float]] = []
    known = _FUNCTION_BOXES.get(spec.dataset)
    for axis, begins in enumerate(start.tolist()):
        if known is not None:
            low, high = known[2 * axis : 2 * axis + 2]
            room = 0.1 * (high - low)
            sides.append((min(low, begins - room), max(high, begins + room)))
            continue
        ends = begins if optimum is None else float(optimum.place[axis])
        before, beyond = (begins - ends) * _BEFORE, (ends - begins) * _BEYOND
        sides.append(
            (min(begins + before, ends + beyond), max(begins + before, ends + beyond))
        )
    least = max(high - low for low, high in sides) / 4 or 2.0
    wide = []
    for low, high in sides:
        more = max(0.0, least - (high - low)) / 2
        wide += [low - more, high + more]
    left, right, bottom, top = wide
    return left, right, bottom, top


def _slope(request: ViewRequest, spec: RunSpec, landscape: Landscape) -> Slope:
    left, right = _range(request.box, spec, landscape)
    x = torch.linspace(left, right, request.columns, dtype=torch.float64)
    minima = _minima(landscape, left, right)
    deepest = min(minima, key=lambda each: each.loss, default=None)
    curvature = None
    if deepest is not None:
        curvature = float(landscape.curvature(deepest.place)[0, 0])
    return Slope(
        run=spec.name,
        name=landscape.names[0],
        x=tuple(x.tolist()),
        y=tuple(landscape.losses(x.unsqueeze(1)).tolist()),
        minima=tuple((float(each.place[0]), each.loss) for each in minima),
        curvature=curvature if curvature and math.isfinite(curvature) else None,
    )


def _range(box: Box | None, spec: RunSpec, landscape: Landscape) -> tuple[float, float]:
    if box is not None:
        return box[0], box[1]
    start = float(landscape.start[0])
    if spec.dataset in _FUNCTION_BOXES:
        left, right = _FUNCTION_BOXES[spec.dataset][:2]
        room = 0.1 * (right - left)
        return min(left, start - room), max(right, start + room)
    lowest = _nearest(landscape)
    middle = start if lowest is None else float(lowest.place[0])
    wide = 1.3 * max(abs(start - middle), 1.0)
    return middle - wide, middle + wide


def _minima(landscape: Landscape, left: float, right: float) -> list[Lowest]:
    """From left to right, those that are not at an end."""
    x = torch.linspace(left, right, _FINE, dtype=torch.float64)
    y = landscape.losses(x.unsqueeze(1))
    is_lowest = (y[1:-1] < y[:-2]) & (y[1:-1] <= y[2:])
    reach = (x[1:2] - x[0:1]) * 1.5
    found = [
        landscape.lowest(x[at + 1 : at + 2], reach)
        for at in is_lowest.nonzero().flatten().tolist()
    ]
    return [each for each in found if each is not None]


def _middles(low: float, high: float, cells: int) -> Tensor:
    """The middle of each cell."""
    edge = (high - low) / cells / 2
    return torch.linspace(low + edge, high - edge, cells, dtype=torch.float64)


def _pair(place: Tensor) -> tuple[float, float]:
    first, second = place.tolist()
    return first, second
