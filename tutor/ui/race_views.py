"""What the training screen can show of a race: each view's name, what there is to see in
it, and why a race has none of it. Pure.
"""

from dataclasses import dataclass

from tutor.training import catalogue
from tutor.training.run import Race, Run
from tutor.training.spec import RunSpec
from tutor.training.views import ViewKind

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


def sights(race: Race, viewed: str) -> tuple[Sight, ...]:
    """Every view in order; `viewed` is the run that a picture of one run shows."""
    return tuple(sight(name, race, viewed) for name in VIEWS)


def sight(name: str, race: Race, viewed: str) -> Sight:
    """One view."""
    run = race.runs[viewed]
    match name:
        case "contour":
            return _contour(race, run)
        case "output":
            return _output(race, run.spec)
        case "layers":
            return _layers(race, run.spec)
        case "noise":
            return _noise(race, run)
        case "luck":
            return _luck(race)
    several = len(race.spec.runs) > 1
    return Sight(
        "curves",
        "curves",
        "Each curve is the loss of one run on all its data, a point an iteration."
        if several
        else "The curve is the loss on all the data, a point an iteration.",
    )


def _parameters(run: Run) -> int:
    """0: many."""
    return len(catalogue.parameters(run.spec.model, run.spec.dataset))


def _own(race: Race, what: str) -> str:
    return f"Of your own loop only the points are known: {what} needs a race from here."


def _contour(race: Race, run: Run) -> Sight:
    count = _parameters(run)
    word = "slope" if count == 1 else "contour"
    refusal = ""
    if race.spec.watched:
        refusal = _own(race, "the surface")
    elif count not in (1, 2):
        refusal = (
            "The loss can be drawn over one or two parameters, and this model has more: "
            "turn model to linear on the line to see them go downhill."
        )
    see = (
        "The loss over the one parameter; each letter is where its run stands."
        if count == 1
        else "Lines of equal loss; each run goes downhill across them."
    )
    return Sight("contour", word, see, refusal, "surface")


def _output(race: Race, spec: RunSpec) -> Sight:
    word = "regions" if catalogue.task(spec.dataset) == "classify" else "fit"
    refusal = ""
    if race.spec.watched:
        refusal = _own(race, "the output")
    elif spec.model == "point":
        refusal = (
            "A function that is gone down on itself has no data to fit: turn the data "
            "set to line or circle."
        )
    see = (
        "The line is what the model says for each x, over the data it learns from."
        if word == "fit"
        else "Shading is what the model says at each place; points are the two classes."
    )
    return Sight("output", word, see, refusal, "output")


def _layers(race: Race, spec: RunSpec) -> Sight:
    refusal = ""
    if race.spec.watched:
        refusal = _own(race, "the layers")
    elif spec.model != "mlp":
        refusal = (
            "This model has no hidden layers: turn model to mlp to see some learn."
        )
    return Sight(
        "layers",
        "layers",
        "How large each layer's gradients are; which units are dead or saturated.",
        refusal,
        "layers",
    )


def _noise(race: Race, run: Run) -> Sight:
    refusal = ""
    if race.spec.watched:
        refusal = _own(race, "its noise")
    elif _parameters(run) != 2 or run.spec.model == "point":
        refusal = (
            "Gradient noise is drawn for two parameters and batches of data: turn model "
            "to linear on the line."
        )
    return Sight(
        "noise",
        "noise",
        "Each line is the gradient of one batch: small batches point everywhere.",
        refusal,
        "noise",
    )


def _luck(race: Race) -> Sight:
    refusal = ""
    if race.spec.watched:
        refusal = _own(race, "the luck meter")
    return Sight(
        "luck",
        "luck",
        "The line is the median over the seeds; the band holds 90 of 100 of them.",
        refusal,
    )
