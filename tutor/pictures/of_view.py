"""The picture of whatever the engine answered: each view has its own."""

from tutor.picture import Marks, Picture
from tutor.pictures.bars import layers
from tutor.pictures.contour import contour
from tutor.pictures.noise import noise
from tutor.pictures.output import fit, regions
from tutor.pictures.slope import slope
from tutor.training.run import Race
from tutor.training.views import Fit, Layers, Noise, Regions, Slope, Surface, View


def of_view(
    view: View,
    race: Race,
    width: int,
    height: int,
    marks: Marks = "braille",
    *,
    cursor: int | None = None,
    hidden: frozenset[str] = frozenset(),
    unit: int | None = None,
    batch: int = 0,
) -> Picture:
    """Of exactly `width` x `height` cells. `cursor`: the iteration that the ways of the
    runs lead to, None: their newest; `hidden`: runs whose ways are left out; `unit`,
    `batch`: which hidden unit, or batch size, is lit.
    """
    match view:
        case Surface():
            return contour(view, race, width, height, cursor, hidden, marks)
        case Slope():
            return slope(view, race, width, height, cursor, hidden, marks)
        case Fit():
            number = list(race.runs).index(view.run) if view.run in race.runs else 0
            return fit(view, width, height, [number], marks)
        case Regions():
            return regions(view, width, height, unit=unit, marks=marks)
        case Layers():
            return layers(view, width, height, marks)
        case Noise():
            return noise(view, width, height, batch, marks)
