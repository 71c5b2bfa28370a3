"""Answers what can be seen of a run (`training.views`). It computes on copies: no run,
gradient, generator or mode of the process is changed.
"""

from tutor.engine.layers import layers
from tutor.engine.noise import noise
from tutor.engine.outputs import output
from tutor.engine.seen import Seen
from tutor.engine.surfaces import surface
from tutor.errors import TutorError
from tutor.training.views import View, ViewRequest

MOST_CELLS = 400
"""Of a side of a picture."""


def answer(request: ViewRequest, seen: Seen) -> View:
    """What is asked of that run at that iteration.

    Raises TutorError, a sentence, where the model has no such view, or its parameters
    are not finite any more.
    """
    if not (0 < request.columns <= MOST_CELLS and 0 < request.rows <= MOST_CELLS):
        raise TutorError(
            f"A view has 1 to {MOST_CELLS} columns and rows, not "
            f"{request.columns} by {request.rows}."
        )
    if request.kind == "surface":
        return surface(request, seen)
    if not all(each.isfinite().all() for each in seen.model.parameters()):
        raise TutorError(
            f"The parameters of {seen.spec.name!r} are not finite at iteration "
            f"{seen.iteration}, so there is nothing to see: go back to an earlier one."
        )
    match request.kind:
        case "output":
            return output(request, seen)
        case "layers":
            return layers(seen)
        case "noise":
            return noise(seen)
