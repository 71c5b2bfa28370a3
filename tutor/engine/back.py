"""Looks back: a run as it was at an iteration, computed again from the nearest snapshot."""

import copy

from tutor.engine import losses, models
from tutor.engine.run import Run
from tutor.engine.seen import Seen
from tutor.errors import TutorError

_NEVER = 1 << 62


def seen(run: Run, iteration: int | None = None) -> Seen:
    """A copy at an iteration that was computed (None: the last one).

    Raises TutorError when it was not reached.
    """
    at = run.iteration if iteration is None else iteration
    if not 0 <= at <= run.iteration:
        raise TutorError(
            f"The run {run.spec.name!r} is at iteration {run.iteration}, so nothing can "
            f"be seen of it at {at}."
        )
    there = run if at == run.iteration else _back(run, at)
    settings = run.spec.at(at)
    model = copy.deepcopy(there.model)
    if settings.model == "mlp":
        models.activate(model, settings.activation)
    return Seen(settings, model, run.data, run.test, losses.loss(settings), at)


def _back(run: Run, iteration: int) -> Run:
    """Another one of the same spec at an earlier iteration. It is kept: who scrubs on
    asks for one nearby."""
    scratch, taken = run.scratch, run.snapshots.before(iteration)
    assert taken is not None  # the first is where the run begins
    if scratch is None or not taken.iteration <= scratch.iteration <= iteration:
        scratch = Run(run.spec, silent_until=run.iteration, like=run)
        scratch.snapshots.stride = _NEVER
        scratch.restore(taken)
    run.scratch = None  # what an interrupt leaves is at no iteration
    while scratch.iteration < iteration:
        scratch.advance()
    run.scratch = scratch
    return scratch
