"""Which runs several workers compute together, each a part of every batch. Pure."""

from tutor.training import catalogue
from tutor.training.spec import RunSpec


def alone(run: RunSpec, workers: int) -> str:
    """Why one worker has to compute the run, as the end of a sentence; "": they divide
    it. Its settings count from the start to its end."""
    stages = [run, *(run.at(each.at) for each in run.changes)]
    return next(filter(None, (_of_a_stage(each, workers) for each in stages)), "")


def _of_a_stage(run: RunSpec, workers: int) -> str:
    if run.dataset in catalogue.FUNCTIONS:
        return f"{run.dataset} is a function, which has no data to divide"
    if run.optimiser in ("random", "none"):
        return f"the optimiser {run.optimiser} has no gradients to average"
    if run.slip == "broadcast":
        return "its slip compares every output with every target"
    if run.device not in ("cpu", "cuda", "auto"):
        return f"its device is {run.device}, and each worker needs one of its own"
    rows = run.samples_per_iteration
    if rows % workers:
        points = "1 point" if rows == 1 else f"{rows} points"
        what = f"all its {points}" if run.batch is None else f"its batch of {points}"
        return f"{what} cannot be divided by {workers}"
    return ""
