"""Why something cannot be seen of a run, and what to choose to see it: one sentence for
the screen, the command line and the engine. Pure.
"""

from tutor.training import catalogue
from tutor.training.spec import RaceSpec, RunSpec

_OWN = {
    "contour": "the surface",
    "output": "the output",
    "layers": "the layers",
    "noise": "the noise",
    "luck": "the luck meter",
}


def refusal(view: str, race: RaceSpec, run: RunSpec) -> str:
    """Why a view (curves, contour, output, layers, noise, luck) cannot be had of one run
    of a race; "": it can."""
    if view == "curves":
        return ""
    if race.watched:
        return (
            f"Of your own loop only the points are known: {_OWN[view]} can be seen of a "
            "race that the tutor itself runs."
        )
    if view == "luck":
        return next(filter(None, map(luck, race.runs)), "")
    return {"contour": contour, "output": output, "layers": layers, "noise": noise}[
        view
    ](run)


def contour(run: RunSpec) -> str:
    """Of the loss over the parameters."""
    count = catalogue.parameter_count(run.model, run.dataset, run.widths)
    if count <= 2:
        return ""
    also = " or its layers" if run.model == "mlp" else ""
    return (
        f"A model with {count} parameters has no contour: that takes one or two. Choose "
        f"model=linear on the line, or look at its output{also}."
    )


def output(run: RunSpec) -> str:
    """Of what the model says."""
    if run.model != "point":
        return ""
    return (
        f"The function {run.dataset} has no data, so there is no output to look at. "
        "Look at its slope or its contour, or choose dataset=line."
    )


def layers(run: RunSpec) -> str:
    """Of gradients layer by layer."""
    if run.model == "mlp":
        return ""
    return "This model has no hidden layers: choose model=mlp to see some learn."


def noise(run: RunSpec) -> str:
    """Of the gradients of batches."""
    if run.model == "point":
        return (
            f"The function {run.dataset} has no data, so there are no batches of it: "
            "each iteration knows its whole gradient. Choose dataset=line."
        )
    count = catalogue.parameter_count(run.model, run.dataset, run.widths)
    if count != 2:
        return (
            f"Arrows show gradients of two parameters, and this model has {count}. "
            "Choose model=linear on data of one feature, like line."
        )
    if run.slip == "broadcast":
        return (
            "With the mistake broadcast each output meets the targets of all the others, "
            "so that points have no gradients of their own: take the slip away."
        )
    return ""


def luck(run: RunSpec) -> str:
    """Of the same race with many seeds."""
    if run.dataset in catalogue.FUNCTIONS:
        return (
            f"Nothing of the run {run.name!r} is left to luck: the function "
            f"{run.dataset} has no data, and every seed starts at the same place."
        )
    settings = [run, *(run.at(each.at) for each in run.changes)]
    if any(each.optimiser == "random" for each in settings):
        return (
            f"The luck meter follows gradients, and the run {run.name!r} moves at "
            "random: choose another optimiser than random."
        )
    if run.slip == "broadcast":
        return (
            f"The luck meter cannot make the mistake broadcast of the run {run.name!r}: "
            "take the slip away, or watch a single run."
        )
    return ""
