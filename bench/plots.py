"""Plots: three noisy curves drawn as the screen does, beside plotext's own drawing of the
same points, alternated in this process; and what a million points each cost.

Milliseconds of the processor, so that other work on the machine counts little.
"""

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.figure import Figure
from tutor.plotting import CurveLook, loss_curves
from tutor.training.run import Points, Race
from tutor.training.spec import RaceSpec, RunSpec

SIZES = ((52, 18), (92, 38))
MANY = 1_000_000
FRAME_LIMIT_MS = 50.0
PICTURE_LIMIT_MS = 25.0
_ROUNDS = 7


def run() -> list[Figure]:
    """Small and large races, as the training screen shows them at 80x24 and 120x40."""
    few, many = noisy(1000), noisy(MANY)
    figures = [beside(few, *size) for size in SIZES]
    for size in SIZES:
        figures += million(many, *size)
    return [*figures, *pictures(few)]


def noisy(count: int) -> Race:
    """Three runs of so many points, as SGD makes them."""
    rng = random.Random(0)
    names = ("gd", "minibatch", "sgd")
    race = Race(
        RaceSpec(tuple(RunSpec(name, batch=1, iterations=count) for name in names))
    )
    for number, name in enumerate(names):
        losses = tuple(
            1 + 30 * math.exp(-8 * at / count) * (1 + number * rng.random())
            for at in range(count)
        )
        race.add(Points(name, 0, 0, 1, losses))
    return race


def beside(race: Race, width: int, height: int) -> Figure:
    """The same picture by plotext alone: every point, its own axes."""
    ours: list[float] = []
    other: list[float] = []
    for _ in range(_ROUNDS):
        ours.append(milliseconds(lambda: loss_curves(race, width, height)))
        other.append(milliseconds(lambda: _plotext(race, width, height)))
    count = len(next(iter(race.runs.values())).losses)
    return Figure(
        f"3 curves of {count} points, {width}x{height}",
        min(ours),
        min(other),
        "ms",
        "0.5x",
        min(ours) <= 0.5 * min(other),
        "other: plotext draws the same points and its axes",
    )


def million(race: Race, width: int, height: int) -> list[Figure]:
    """Each way of looking at 3 x 1e6 points; plotext takes half a minute for them."""
    looks = {
        "": CurveLook(),
        ", log": CurveLook(log=True),
        ", mean of 101": CurveLook(smooth=101),
        ", samples": CurveLook(across="samples"),
        ", zoomed": CurveLook(window=(300_000, 400_000), cursor=350_000),
    }
    figures = []
    for name, look in looks.items():
        best = least(lambda look=look: loss_curves(race, width, height, look))
        figures.append(
            Figure(
                f"3 curves of 1e6 points, {width}x{height}{name}",
                best,
                None,
                "ms",
                f"{FRAME_LIMIT_MS:.0f} ms",
                best <= FRAME_LIMIT_MS,
            )
        )
    return figures


def pictures(race: Race) -> list[Figure]:
    """Every other picture at 92x38; plotext draws three curves meanwhile."""
    from tests.unit import pictured
    from tutor.pictures import bars, contour, luck, noise, output, slope, trails

    width, height = SIZES[-1]
    bowl, ways = pictured.bowl(), pictured.race(*[pictured.down(0.05, 1000)] * 3)

    def drawn_again() -> object:
        return contour.contour(bowl, ways, width, height)

    drawn: dict[str, Callable[[], object]] = {
        "contour, new lines": lambda: _fresh(contour._ground, drawn_again),
        "contour, 3 ways of 1000": lambda: _fresh(trails._newest, drawn_again),
        "contour, nothing new": drawn_again,
        "slope": lambda: slope.slope(pictured.parabola(), None, width, height),
        "fit": lambda: output.fit(pictured.line(), width, height),
        "regions": lambda: output.regions(pictured.halves(), width, height),
        "layers": lambda: bars.layers(pictured.net(), width, height),
        "luck": lambda: luck.luck(pictured.lucky(), width, height),
        "noise": lambda: noise.noise(pictured.batches(), width, height),
    }
    figures = []
    for name, draw in drawn.items():
        ours, other = [], []
        for _ in range(_ROUNDS):
            ours.append(milliseconds(draw))
            other.append(milliseconds(lambda: _plotext(race, width, height)))
        best = min(ours)
        figures.append(
            Figure(
                f"picture: {name}, {width}x{height}",
                best,
                min(other),
                "ms",
                f"{PICTURE_LIMIT_MS:.0f} ms",
                best <= PICTURE_LIMIT_MS,
                "other: plotext draws 3 curves of 1000 points",
            )
        )
    return figures


def _fresh(kept: Any, draw: Callable[[], object]) -> object:
    """Without what was kept of it."""
    (kept.cache_clear if hasattr(kept, "cache_clear") else kept.clear)()
    return draw()


def _plotext(race: Race, width: int, height: int) -> str:
    import plotext

    figure: Any = plotext.active()
    figure.clear_figure()
    plotext.limit_size(False, False)
    figure.plot_size(width, height)
    figure.theme("clear")
    for run in race.runs.values():
        figure.plot(range(len(run.losses)), list(run.losses), marker="braille")
    figure.monitor.build_plot()
    return "\n".join("".join(line) for line in figure.monitor.matrix.marker)


def least(work: Callable[[], object], rounds: int = _ROUNDS) -> float:
    """The quickest of several."""
    times: Sequence[float] = [milliseconds(work) for _ in range(rounds)]
    return min(times)


def milliseconds(work: Callable[[], object]) -> float:
    """Of the processor."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000
