"""A race with one thing changed: a setting turned, a run forked off another one, a run
taken out. Pure; `RaceSpec` in, `RaceSpec` out.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from tutor.errors import UsageError
from tutor.training import catalogue, sense, values
from tutor.training.spec import (
    CHANGEABLE,
    RUN_LIMIT,
    Change,
    RaceSpec,
    RunSpec,
    Value,
)

Setting = Value | tuple[int, ...] | tuple[float, ...]
"""The value of a setting, as a RunSpec holds it."""


def turned(
    race: RaceSpec,
    run_names: Collection[str],
    key: str,
    value: Setting,
    at: int | Mapping[str, int],
) -> RaceSpec:
    """The race with another value in those runs: from iteration `at` on (of each run, or
    by its name), where the key can change on the way and the run has begun (`at` above
    0); else from the start. UsageError when that makes no sense in a run.
    """

    def new(run: RunSpec) -> RunSpec:
        when = at if isinstance(at, int) else at.get(run.name, 0)
        if key in CHANGEABLE and when > 0:
            return _from_then_on(run, key, value, when)
        return _anew(run, key, value)

    runs = tuple(new(run) if run.name in run_names else run for run in race.runs)
    return replace(race, runs=runs)


def forked(race: RaceSpec, parent: str, at: int, key: str, value: Setting) -> RaceSpec:
    """The race with a run more: as `parent` up to iteration `at`, and from there with
    another value. What cannot change on the way is another one from the start.

    UsageError at six runs, at the parent's end, or when the value makes no sense.
    """
    if no_room := full(race):
        raise UsageError(no_room)
    by_name = {run.name: run for run in race.runs}
    old = by_name[parent]
    name = _free_name(f"{parent} {key} {_said(value)}", by_name)
    if key not in CHANGEABLE:
        new = replace(_anew(old, key, value), name=name, of=parent, since=0)
        return replace(race, runs=(*race.runs, new))
    if at >= old.iterations:
        raise UsageError(
            f"{parent} ends at {at}, so nothing would follow: go back to fork it earlier."
        )
    fork = _from_then_on(old, key, value, at)
    while at < by_name[parent].since and by_name[parent].of:
        parent = by_name[parent].of  # where its points up to there are
    fork = replace(fork, name=name, of=parent, since=at)
    return replace(race, runs=(*race.runs, fork))


def full(race: RaceSpec) -> str:
    """Why there can be no fork of any run, as a sentence; "": there can be one."""
    if len(race.runs) < RUN_LIMIT:
        return ""
    return f"A race has {RUN_LIMIT} runs at most: take one out (key d) before a fork."


def is_forked(race: RaceSpec, parent: str, at: int, key: str, value: Setting) -> bool:
    """Whether the race has just that fork."""
    try:
        new = forked(replace(race, runs=_line(race, parent)), parent, at, key, value)
    except UsageError:
        return False
    wanted = replace(new.runs[-1], name="")
    return any(replace(run, name="") == wanted for run in race.runs)


def _line(race: RaceSpec, name: str) -> tuple[RunSpec, ...]:
    """A run and those it comes from."""
    by_name = {run.name: run for run in race.runs}
    found = []
    while name in by_name:
        found.append(by_name.pop(name))
        name = found[-1].of
    return tuple(found)


def made_for(run: RunSpec, key: str) -> bool:
    """A fork whose name says its value of a setting that it has from the start."""
    said = f" {key} {_said(getattr(run, key))}" if key not in CHANGEABLE else ""
    return bool(said and run.name.endswith(said.replace(",", " ")))


def together(race: RaceSpec, key: str) -> tuple[RunSpec, ...]:
    """The runs that are turned at once: not the forks made to have another value than
    the rest, whose names would lie."""
    return tuple(run for run in race.runs if not made_for(run, key)) or race.runs


def without(race: RaceSpec, name: str) -> RaceSpec:
    """The race with a run less. Its forks stay, with the points that are theirs."""
    if len(race.runs) == 1:
        raise UsageError("A race needs a run: this is its last one.")
    gone = next(run for run in race.runs if run.name == name)
    rest = (run for run in race.runs if run is not gone)

    def orphan(run: RunSpec) -> RunSpec:
        return replace(run, of=gone.of if run.since <= gone.since else "")

    return replace(
        race, runs=tuple(orphan(run) if run.of == name else run for run in rest)
    )


def as_now(race: RaceSpec, at: int) -> RaceSpec:
    """The race with the settings that it has at iteration `at`, from the start, without
    its forks."""
    runs = tuple(replace(run.at(at), changes=()) for run in race.runs if not run.of)
    return replace(race, runs=runs or race.runs)


def same_until(one: RunSpec, other: RunSpec, iteration: int) -> bool:
    """Whether two runs have the same points up to an iteration, by their settings."""

    def prefix(run: RunSpec) -> RunSpec:
        changes = tuple(each for each in run.changes if each.at < iteration)
        return replace(run, name="", of="", since=0, iterations=1, changes=changes)

    return prefix(one) == prefix(other)


def from_here(old: RunSpec, new: RunSpec, iteration: int) -> RunSpec:
    """`new` as a run that was `old` up to an iteration: settings that are others from the
    start are changes there. UsageError when it is another run altogether."""
    kept = {key: getattr(old, key) for key in CHANGEABLE}
    if not same_until(replace(new, **kept, changes=()), replace(old, changes=()), 0):
        raise UsageError(
            f"The run {old.name!r} has other data or another model now: "
            "start the race anew."
        )
    changes = [each for each in old.changes if each.at < iteration]
    before, after = replace(old, changes=tuple(changes)), new.at(iteration)
    for key in CHANGEABLE:
        value = getattr(after, key)
        if value != getattr(before.at(iteration), key):
            changes.append(Change(iteration, key, value))
    changes += [each for each in new.changes if each.at > iteration]
    return replace(new, **kept, changes=tuple(changes))


def nonsense(runs: Sequence[RunSpec]) -> Iterator[tuple[str, str]]:
    """(key, sentence) of each fork that is none of the race's runs."""
    before: dict[str, RunSpec] = {}
    for run in runs:
        parent = before.get(run.of)
        key = f"{run.name}.of"
        if run.since >= run.iterations and run.since:
            said = f"{run.name}.since is {run.since}, and the run ends at"
            yield f"{run.name}.since", f"{said} {run.iterations}."
        if run.of and parent is None:
            said = f"{key} must be a run that stands before it"
            yield key, f"{said}, not {values.shown(run.of)}."
        elif (
            parent is not None and run.since and not same_until(parent, run, run.since)
        ):
            said = f"{run.name} cannot be forked off {run.of}: their settings differ"
            yield key, f"{said} before iteration {run.since}."
        before[run.name] = run


def _from_then_on(run: RunSpec, key: str, value: Setting, at: int) -> RunSpec:
    """Later changes of the same setting are dropped: this one is to be seen."""
    changes = [each for each in run.changes if each.key != key or each.at < at]
    run = replace(run, changes=tuple(changes))
    if key == "batch" and value == run.points:
        value = None
    if getattr(run.at(at), key) != value:
        assert not isinstance(value, tuple)
        changes.append(Change(at, key, value))
        changes.sort(key=lambda each: (each.at, CHANGEABLE.index(each.key)))
    return _sensible(replace(run, changes=tuple(changes)), key)


def _anew(run: RunSpec, key: str, value: Setting) -> RunSpec:
    """With another value from the start, and what has to go with it."""
    new = replace(run, **{key: value})  # type: ignore[arg-type]
    changes = tuple(each for each in run.changes if each.key != key)
    new = replace(new, changes=changes if key in CHANGEABLE else run.changes)
    if key == "dataset":
        new = _on_other_data(run, new)
    elif key == "model":
        widths = (run.widths or (8,)) if new.model == "mlp" else ()
        new = replace(new, widths=widths, init="torch", start=(), activation="tanh")
    if new.batch is not None and new.batch >= new.points:
        new = replace(new, batch=None)
    return _sensible(new, key)


def _on_other_data(old: RunSpec, new: RunSpec) -> RunSpec:
    """Points and noise stay where they were chosen; the model and the loss stay where
    they can."""
    dataset = new.dataset
    usual, (points, noise) = (
        catalogue.DATASETS[old.dataset],
        catalogue.DATASETS[dataset],
    )
    of_function = old.dataset in catalogue.FUNCTIONS
    if (old.points, old.noise) != usual and not of_function and dataset != "corners":
        points, noise = old.points, old.noise
    task = catalogue.task(dataset)
    new = replace(new, points=points, noise=noise, start=())
    if task != catalogue.task(old.dataset):
        new = replace(new, loss=catalogue.loss_for(dataset), slip="")
    if task == "function":
        start = catalogue.FUNCTIONS[dataset][1]
        new = replace(
            new, points=1, noise=0.0, test=0, batch=None, model="point", start=start
        )
        return replace(new, widths=(), init="torch", activation="tanh")
    if of_function or (old.model == "perceptron" and task == "fit"):
        new = replace(new, model="linear")
    return replace(new, test=0) if dataset == "corners" else new


def _sensible(run: RunSpec, key: str) -> RunSpec:
    """The run itself; UsageError with a sentence when its settings make no sense."""
    names = (*values.SETTINGS, "name")
    stages = [run, *(run.at(each.at) for each in run.changes)]
    given = frozenset({key, "start"})
    faults: dict[str, None] = {}
    for stage in stages:
        settings: dict[str, Any] = {
            name: value for name, value in asdict(stage).items() if name in names
        }
        for _, sentence in sense.nonsense(settings, given, frozenset()):
            faults[sentence] = None
    if faults:
        raise UsageError("\n".join(faults))
    return run


def _said(value: Setting) -> str:
    if isinstance(value, tuple):
        return "-".join(f"{each:g}" for each in value)
    if isinstance(value, float):
        return f"{value:g}"
    return values.as_text(value)


def _free_name(wanted: str, taken: Collection[str]) -> str:
    wanted = wanted.replace(",", " ").replace("=", " ")[:50].strip()
    number = 2
    name = wanted
    while name in taken:
        name = f"{wanted} {number}"
        number += 1
    return name
