"""Races and views to draw, made up here: small, exact, without torch."""

import math
import random

from tutor.picture import Picture
from tutor.training.luck import LuckEnd, LuckPoints, LuckRequest, LuckRun
from tutor.training.lucky import Lucky
from tutor.training.run import Points, Race
from tutor.training.spec import RaceSpec, RunSpec
from tutor.training.views import (
    BatchNoise,
    Fit,
    Layer,
    Layers,
    Noise,
    Regions,
    Slope,
    Surface,
    Unit,
)


def race(*ways: list[tuple[float, ...]], names: tuple[str, ...] = ("w", "b")) -> Race:
    """A run for each list of parameters, one entry an iteration."""
    specs = tuple(
        RunSpec("abcdef"[at], iterations=len(way) - 1) for at, way in enumerate(ways)
    )
    so_far = Race(RaceSpec(specs))
    for spec, way in zip(specs, ways, strict=True):
        columns = {
            name: tuple(place[at] for place in way) for at, name in enumerate(names)
        }
        losses = tuple(sum(map(abs, place)) for place in way)
        so_far.add(Points(spec.name, 0, 0, 1, losses, columns))
    return so_far


def bowl(columns: int = 48, rows: int = 24) -> Surface:
    """w² + 2 b² + 1 over (-4 ... 4) x (-2 ... 2), lowest at (0, 0)."""
    losses = tuple(
        1
        + (8 * (column + 0.5) / columns - 4) ** 2
        + 2 * (4 * (row + 0.5) / rows - 2) ** 2
        for row in range(rows)
        for column in range(columns)
    )
    return Surface(
        "a", ("w", "b"), (-4, 4, -2, 2), columns, rows, losses,
        optimum=(0.0, 0.0), least=1.0, curvatures=(2.0, 4.0), truth=(1.0, 0.5),
    )  # fmt: skip


def down(lr: float, count: int = 25) -> list[tuple[float, ...]]:
    """Gradient descent in the bowl, from (3.5, -1.5)."""
    way = [(3.5, -1.5)]
    for _ in range(count):
        w, b = way[-1]
        way.append((w - lr * 2 * w, b - lr * 4 * b))
    return list(way)


def parabola() -> Slope:
    """(w - 3)² from -2 to 8."""
    xs = tuple(-2 + 10 * at / 95 for at in range(96))
    return Slope("a", "w", xs, tuple((x - 3) ** 2 for x in xs), ((3.0, 0.0),), 2.0)


def rolled(lr: float, count: int = 20) -> list[tuple[float, ...]]:
    """Gradient descent on the parabola, from -1."""
    way = [-1.0]
    for _ in range(count):
        way.append(way[-1] - lr * 2 * (way[-1] - 3))
    return [(w,) for w in way]


def line() -> Fit:
    """y = -5 x + 2 with noise, and a model that is not there yet."""
    rng = random.Random(0)
    xs = [rng.gauss(0, 1) for _ in range(200)]
    data = tuple((x, -5 * x + 2 + rng.gauss(0, 1)) for x in xs)
    across = tuple(-3 + 6 * at / 47 for at in range(48))
    return Fit("a", 7, across, tuple(-3 * x + 1 for x in across), data)


def halves(columns: int = 40, rows: int = 24) -> Regions:
    """Class 1 where x1 > 0; a few points, one of them on the wrong side."""
    outputs = tuple(
        1 / (1 + math.exp(-6 * (2 * (column + 0.5) / columns - 1)))
        for _ in range(rows)
        for column in range(columns)
    )
    data = (
        (-0.5, 0.5, 0),
        (-0.5, -0.5, 0),
        (0.5, 0.5, 1),
        (0.5, -0.5, 1),
        (0.8, 0.0, 0),
    )
    units = (Unit(1.0, 0.0, 0.0), Unit(1.0, -1.0, 0.0), Unit(0.0, 0.0, 1.0))
    return Regions(
        "a", 9, (-1, 1, -1, 1), columns, rows, outputs, data, units, 0.8, 0.75
    )


def net() -> Layers:
    """Three layers: one hardly reached, one with dead units, one well."""
    return Layers(
        "a", 40,
        (
            Layer("0", 8, 0.4, 3.1e-5, saturated=3),
            Layer("2", 5, 0.3, 0.0, dead=2),
            Layer("4", 1, 0.3, 0.13),
        ),
        "relu",
    )  # fmt: skip


def batches() -> Noise:
    """Gradients about (10, -4), narrower for larger batches."""
    rng = random.Random(1)
    found = []
    for size in (1, 4, 16):
        sd = 16 / size**0.5
        arrows = tuple(
            (10 + rng.gauss(0, sd), -4 + rng.gauss(0, sd)) for _ in range(120)
        )
        up = sum(10 * x - 4 * y < 0 for x, y in arrows) / len(arrows)
        found.append(BatchNoise(size, (sd, sd), 60 / size, up, arrows))
    return Noise("a", 3, ("w", "b"), (10.0, -4.0), tuple(found))


def text(picture: Picture) -> str:
    """The lines, without trailing spaces."""
    return "\n".join(line.rstrip() for line in picture.lines) + "\n"


def inked(picture: Picture, ink: str) -> str:
    """All cells of that ink, line by line."""
    return "\n".join(
        "".join(line[each.start : each.end] for each in patches if each.ink == ink)
        for line, patches in zip(picture.lines, picture.patches, strict=True)
    )


def at(picture: Picture, sign: str) -> tuple[int, int]:
    """Column and row of the one such sign below the heading."""
    (found,) = [
        (column, row)
        for row, line in enumerate(picture.lines)
        for column, each in enumerate(line)
        if each == sign and row
    ]
    return found


def inside(picture: Picture) -> int:
    """The first column to the right of the vertical axis."""
    return max(picture.lines[2].find("│"), picture.lines[2].find("┤")) + 1


def lucky(*, ended: bool = True, diverged: bool = False) -> Lucky:
    """Two runs over 40 seeds: one falls surely, one with more luck."""
    spec = RaceSpec((RunSpec("gd", iterations=25), RunSpec("sgd", iterations=25)))
    so_far = Lucky(LuckRequest(spec, seeds=40))
    for number, run in enumerate(spec.runs):
        median = tuple(1 + 30 * 0.87**at for at in range(26))
        wide = 0.05 + 0.4 * number
        high = tuple(
            math.inf if diverged and at > 12 else loss * (1 + wide)
            for at, loss in enumerate(median)
        )
        low = tuple(loss * (1 - wide) for loss in median)
        success = tuple(at / 25 for at in range(26))
        so_far.add(LuckPoints(run.name, 0, 1, low, median, high, success))
    if ended:
        places = tuple((math.cos(at), math.sin(at)) for at in range(40))
        runs = {
            "gd": LuckRun(25, 0.8, 0, (1.1,) * 40, places=((0.5, 0.25),) * 40),
            "sgd": LuckRun(25, 0.4, 3, (1.4,) * 40, places=places),
        }
        so_far.add(LuckEnd(40, 1.5, runs, {"sgd": 0.375}))
    return so_far
