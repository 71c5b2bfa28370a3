"""The command line that computes a race again exactly. Pure."""

import shlex
from collections.abc import Iterator
from dataclasses import replace

from tutor.training import options, values
from tutor.training.spec import RaceSpec, RunSpec

_FIRST = ("dataset", "model")
"""What the other settings are when not given depends on these."""


def command(race: RaceSpec) -> str:
    """Each setting that is not what it would be anyway; but for the title. "": it is the
    learner's own loop, which no command runs."""
    if race.watched:
        return ""
    line = ["python", "-m", "tutor", "train"]
    for setting in settings(race):
        line += ["--set", setting]
    return shlex.join(line)


def settings(race: RaceSpec) -> list[str]:
    """As `key=value`: `options.race(None, settings(race))` is the race again, without
    its title and id, and without changes that come after a run's end."""
    runs = [_seen(run) for run in race.runs]
    told = [f"engine={race.engine}"] if race.engine != "eager" else []
    told += [f"workers={race.workers}"] if race.workers > 1 else []
    names = tuple(run.name for run in runs)
    models = {run.model for run in runs}
    if len(models) > 1 or names != options.usual_names(models.pop()):
        told.append(f"runs={','.join(names)}")
    told += _needed(told, _given(runs, _FIRST))
    usual = options.race(None, told).runs
    for key in values.SETTINGS:
        if key not in _FIRST:
            told += _where_not(key, runs, usual)
    for run in runs:
        told += _own(run)
    return told


def _needed(told: list[str], more: list[str]) -> list[str]:
    """Those of `more` without which the race would be another one."""
    race = options.race(None, told + more)
    for setting in reversed(tuple(more)):
        rest = [each for each in more if each != setting]
        try:
            if options.race(None, told + rest) == race:
                more = rest
        except options.SpecError:
            continue
    return more


def _given(runs: list[RunSpec], keys: tuple[str, ...]) -> list[str]:
    """These settings of all runs, told in full."""
    told = []
    for key in keys:
        found = [getattr(run, key) for run in runs]
        if len(set(found)) == 1:
            told.append(f"{key}={found[0]}")
        else:
            told += [f"{run.name}.{key}={getattr(run, key)}" for run in runs]
    return told


def _where_not(
    key: str, runs: list[RunSpec], usual: tuple[RunSpec, ...]
) -> Iterator[str]:
    """This setting where it is not the usual one; once, when all runs have the same."""
    found = [getattr(run, key) for run in runs]
    other = [
        run
        for run, by_default in zip(runs, usual, strict=True)
        if getattr(run, key) != getattr(by_default, key)
    ]
    if len(other) == len(runs) and len(set(found)) == 1 and key != "batch":
        yield f"{key}={values.as_text(found[0])}"
        return
    for run in other:
        yield f"{run.name}.{key}={values.as_text(getattr(run, key))}"


def _own(run: RunSpec) -> Iterator[str]:
    for change in run.changes:
        value = values.as_text(change.value)
        yield f"{run.name}.{change.key}@{change.at}={value}"
    if run.of:
        yield f"{run.name}.of={run.of}"
    if run.since:
        yield f"{run.name}.since={run.since}"


def _seen(run: RunSpec) -> RunSpec:
    """Without what nobody sees: late changes, a momentum that nothing uses."""
    changes = [each for each in run.changes if each.at < run.iterations]
    if "momentum" not in {run.optimiser, *(each.value for each in changes)}:
        changes = [each for each in changes if each.key != "momentum"]
        run = replace(run, momentum=RunSpec("").momentum)
    return replace(run, changes=tuple(changes))
