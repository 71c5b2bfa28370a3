"""What the training screen can show of a race: each view's name, what there is to see in
it, and why a race has none of it (`training.refusals`). Pure.
"""

from dataclasses import dataclass

from tutor.training import catalogue, options
from tutor.training.refusals import refusal
from tutor.training.run import Race
from tutor.training.spec import RaceSpec, RunSpec
from tutor.training.views import KIND_OF, ViewKind

VIEWS = ("curves", "contour", "output", "layers", "noise", "luck")
"""In the order of the key; a train cell's `view` is one of them."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A view of one race."""

    name: str
    """One of `VIEWS`."""
    word: str
    """What it is called for this race."""
    see: str
    """One sentence: what to look at."""
    refusal: str = ""
    """Why this race has no such picture, and how to get one; "": it has one."""
    kind: ViewKind | None = None
    """What the engine is asked for; None: points are enough."""


ENDS = (
    "Each sign is where a seed of its run ended, over lines of equal loss; the signs are "
    "named above."
)
"""What is said in place of the luck meter's `see`, while it shows the ends."""


def title(spec: RaceSpec) -> str:
    """What runs, where nobody named the race."""
    if _kinds(spec) == _kinds(options.race()):
        return "2.14 GD, minibatch SGD, SGD"
    named = dict.fromkeys(
        run.dataset
        if run.dataset in catalogue.FUNCTIONS
        else f"{run.model} on {run.dataset}"
        for run in spec.runs
    )
    return ", ".join(named)


def _kinds(spec: RaceSpec) -> set[tuple[str, str]]:
    return {(run.model, run.dataset) for run in spec.runs}


def sights(race: Race, viewed: str) -> tuple[Sight, ...]:
    """Every view in order; `viewed` is the run that a picture of one run shows."""
    return tuple(sight(name, race, viewed) for name in VIEWS)


def sight(name: str, race: Race, viewed: str) -> Sight:
    """One view."""
    run = race.runs[viewed].spec
    word, see = _said(name, race, run)
    return Sight(name, word, see, refusal(name, race.spec, run), KIND_OF.get(name))


def _parameter_count(run: RunSpec) -> int:
    return catalogue.parameter_count(run.model, run.dataset, run.widths)


def _contour(race: Race, run: RunSpec) -> str:
    if len({each.loss for each in race.spec.runs}) > 1:
        return (
            f"Lines of equal loss are those of {run.name}; runs with another loss go "
            "down their own."
        )
    return "Lines of equal loss, and each run's way across them."


def _said(name: str, race: Race, run: RunSpec) -> tuple[str, str]:
    """What a view is called, and what to look at in it."""
    match name:
        case "contour" if _parameter_count(run) == 1:
            return "slope", (
                "The loss over the one parameter; each letter is where its run stands."
            )
        case "contour":
            return name, _contour(race, run)
        case "output" if catalogue.task(run.dataset) == "classify":
            return "regions", (
                "Shading is what the model says at each place. Points are the two classes: "
                "all that are wrong, some of the right ones."
            )
        case "output":
            return "fit", (
                "The line is what the model says for each x, over the data it learns "
                "from."
            )
        case "layers":
            return name, (
                "How large each layer's gradients are. A saturated unit is near its limit "
                "for most points: that may be right, but it learns slowly."
            )
        case "noise":
            return name, (
                "Each line is the gradient of one batch: small batches point everywhere."
            )
        case "luck":
            return name, (
                "The line is the median over the seeds; the band holds 90 of 100 of them."
            )
    if race.spec.watched:
        curves = "Each curve" if len(race.spec.runs) > 1 else "The curve"
        return name, f"{curves} is what your loop gave to tutor.watch, call by call."
    if len(race.spec.runs) > 1:
        return name, (
            "Each curve is the loss of one run on all its data, a point an iteration."
        )
    return name, "The curve is the loss on all the data, a point an iteration."
