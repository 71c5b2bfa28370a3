"""`torchrun ... -m tutor train`: this process is one of the workers of a launcher that the
reader started. The first one reports as ever; the others only compute.
"""

import argparse
import os
from dataclasses import replace

from tutor import workers
from tutor.errors import UsageError
from tutor.headless import printing
from tutor.runs.store import Runs
from tutor.training import explain
from tutor.training.findings import Finding
from tutor.training.run import Race
from tutor.workers import Launched


def joined(arguments: argparse.Namespace) -> Launched | None:
    """The launcher; None: there is none. Does not return in a worker but the first.

    Raises UsageError for what cannot be done under one.
    """
    told = workers.launched()
    if told is None or told.workers == 1:
        return None
    if arguments.runs or arguments.seeds is not None:
        raise UsageError("Under torchrun, leave out --runs and --seeds.")
    if arguments.workers not in (None, told.workers):
        raise UsageError(
            f"torchrun has started {told.workers} workers here: leave out "
            f"--workers {arguments.workers}."
        )
    arguments.workers = None if arguments.resume is not None else told.workers
    if told.rank:
        command = workers.command()
        os.execv(command[0], command)
    return told


def race(new: Race, told: Launched, runs: Runs) -> tuple[Race, bool]:
    """The race for all workers; after a restart the stored one, and True.

    Raises UsageError when there is nothing to compute, as the others wait for it.
    """
    spec = replace(new.spec, workers=told.workers)
    new.change(spec)
    if new.over or spec.watched:
        raise UsageError("This race is over: see it without torchrun.")
    if not told.restarts:
        return new, False
    same = (
        each.id
        for each in runs.list()
        if each.stopped == "interrupted" and replace(each.spec, id=spec.id) == spec
    )
    found = next(same, None)
    stored = new if found is None else runs.open(found).race
    run = max(stored.runs.values(), key=lambda each: each.last)
    again = Finding(run.spec.name, "workers", max(0, run.last), text="A worker")
    printing.talk(explain.sentence(again))
    return stored, found is not None
