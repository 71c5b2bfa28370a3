"""The settings of a race as a reader writes them, in a TOML table or as key=value, and
all that is wrong with them at once.

A key is a setting (`lr`), a setting from an iteration on (`lr@12`), or either of one run
(`sgd.lr`). Without `runs` a linear model gives the race of section 2.14 (gd, minibatch,
sgd), another model one run. Pure; reading files is `headless.train`.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from tutor.training import catalogue, forks, sense, values
from tutor.training.catalogue import ACTIVATIONS as ACTIVATIONS
from tutor.training.catalogue import DATASETS as DATASETS
from tutor.training.catalogue import LOSSES as LOSSES
from tutor.training.catalogue import MODELS as MODELS
from tutor.training.catalogue import OPTIMISERS as OPTIMISERS
from tutor.training.spec import CHANGEABLE, RUN_LIMIT, Change, RaceSpec, RunSpec
from tutor.training.values import FORK_SETTINGS, RACE_SETTINGS
from tutor.training.values import SETTINGS as SETTINGS
from tutor.training.values import Fault as Fault
from tutor.training.values import SpecError as SpecError

_OF_A_MODEL: dict[str, dict[str, Any]] = {
    "constant": {"dataset": "line", "optimiser": "sgd", "iterations": 25},
    "linear": {"dataset": "line", "optimiser": "sgd", "iterations": 25},
    "parabola": {"dataset": "line", "optimiser": "sgd", "iterations": 25},
    "perceptron": {"dataset": "moons", "optimiser": "sgd", "iterations": 100},
    "mlp": {
        "dataset": "circle",
        "optimiser": "adam",
        "iterations": 300,
        "widths": (8,),
    },
    "point": {"dataset": "bowl", "optimiser": "sgd", "iterations": 25},
}
_RACE: tuple[dict[str, Any], ...] = (
    {"name": "gd", "batch": None},
    {"name": "minibatch"},
    {"name": "sgd", "batch": 1},
)
_DEFAULT = RunSpec("")
_OTHERS = {
    "title": ("a short text", values.text),
    "runs": ('tables, like {name = "sgd"}', lambda value: value),
    "changes": ('a table, like {"lr@12" = 0.1}', lambda value: value),
}


def race(
    table: Mapping[str, Any] | None = None,
    changes: Sequence[str] = (),
    source: str = "",
) -> RaceSpec:
    """The race that `table` describes (None: the default one), with key=value changes.

    `source` names the table's file in its faults. Raises SpecError with all of them.
    """
    faults: list[Fault] = []
    told = _Table(table or {}, faults)
    in_table = len(faults)
    changed = _Changes(changes, faults)
    specs = _specs(told, changed, faults)
    whole = {**told.all, **changed.all}
    engine, workers = whole.get("engine", "eager"), whole.get("workers", 1)
    if engine == "compiled" and workers > 1:
        said = f"engine=compiled computes in one process, not in {workers} workers"
        _add(faults, "workers", f"{said}: leave out one of the two.")
    if faults:
        lead = f"{source}: " if source else ""
        raise SpecError(
            [
                Fault(each.key, (lead if at < in_table else "") + each.message)
                for at, each in enumerate(faults)
            ]
        )
    title = told.all.get("title", "")
    return RaceSpec(specs, title=title, engine=engine, workers=workers)


class _Table:
    """What a TOML table says: of all runs, and of each."""

    def __init__(self, table: Mapping[str, Any], faults: list[Fault]) -> None:
        known = {**SETTINGS, **RACE_SETTINGS, **_OTHERS}
        own = {
            key: value
            for key, value in table.items()
            if isinstance(value, Mapping) and key not in known
        }
        rest = {key: value for key, value in table.items() if key not in own}
        self.all = values.checked(rest, "", known, faults)
        self.all.update(_on_the_way(self.all.pop("changes", {}), "", faults))
        self.runs: list[dict[str, Any]] = []
        known = {"name": ("a short name without , and =", values.name), **SETTINGS}
        known |= {**FORK_SETTINGS, "changes": _OTHERS["changes"]}
        for number, run in enumerate(_tables(self.all.pop("runs", []), faults), 1):
            place = f"runs[{number}]."
            read = values.checked(run, place, known, faults)
            read.update(_on_the_way(read.pop("changes", {}), place, faults))
            if "name" not in run:
                said = f"{place}name is missing: each run needs one."
                faults.append(Fault(f"{place}name", said))
            read.setdefault("name", f"run {number}")  # where that is a fault already
            self.runs.append(read)
        _check_names([run["name"] for run in self.runs], faults)
        self.own = {
            name: values.checked(
                settings, f"{name}.", {**SETTINGS, **FORK_SETTINGS}, faults
            )
            for name, settings in own.items()
        }
        """By the name of a run, which may be none of the race's."""


def _tables(runs: Any, faults: list[Fault]) -> list[Mapping[str, Any]]:
    if isinstance(runs, list) and all(isinstance(run, Mapping) for run in runs):
        return runs
    said = 'runs must be tables, like {name = "sgd"}.'
    if isinstance(runs, Mapping):
        said = (
            "runs must be tables that each begin with [[runs]] and have a name, like "
            'name = "sgd"; [runs] and [runs.sgd] are none.'
        )
    faults.append(Fault("runs", said))
    return []


def _check_names(names: Sequence[str], faults: list[Fault]) -> None:
    if len(set(names)) < len(names):
        faults.append(Fault("runs", "runs must have different names."))
    if len(names) > RUN_LIMIT:
        faults.append(Fault("runs", f"runs must be {RUN_LIMIT} at most."))


def _on_the_way(changes: Any, place: str, faults: list[Fault]) -> dict[str, Any]:
    if not isinstance(changes, Mapping):
        said = f"{place}changes must be {_OTHERS['changes'][0]}."
        faults.append(Fault(f"{place}changes", said))
        return {}
    for key in changes:
        if "@" not in key:
            said = f"{place}changes.{key} needs an iteration, like {key}@12."
            faults.append(Fault(f"{place}changes", said))
    timed = {key: value for key, value in changes.items() if "@" in key}
    return values.checked(timed, place, SETTINGS, faults)


class _Changes:
    """What `--set key=value` says: of all runs, of each, and which runs there are."""

    def __init__(self, changes: Sequence[str], faults: list[Fault]) -> None:
        self.names: list[str] | None = None
        tables: dict[str, dict[str, Any]] = {"": {}}
        for change in changes:
            key, equals, text = change.partition("=")
            name, dot, setting = key.strip().rpartition(".")
            if not (equals and setting.partition("@")[0]):
                said = f"--set needs key=value, like lr=0.1, not {change!r}."
                faults.append(Fault("", said))
            elif not dot and setting == "runs":
                self.names = _names(text, faults)
            else:
                value = values.from_text(setting.partition("@")[0], text.strip())
                tables.setdefault(name, {})[setting] = value
        runs = {"runs": ("names with commas between", values.text)}
        known = {**SETTINGS, **RACE_SETTINGS, **runs}
        self.all = values.checked(tables.pop(""), "", known, faults)
        known = {**SETTINGS, **FORK_SETTINGS}
        self.own = {
            name: values.checked(table, f"{name}.", known, faults)
            for name, table in tables.items()
        }


def _names(text: str, faults: list[Fault]) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    try:
        return [values.name(name) for name in names]
    except ValueError:
        said = f"runs must be names with commas between, not {values.shown(text)}."
        faults.append(Fault("runs", said))
        return []


# -------------------------------------------------------------------- all values of one


def _specs(told: _Table, changed: _Changes, faults: list[Fault]) -> tuple[RunSpec, ...]:
    runs = told.runs or _default_runs({**told.all, **changed.all})
    if changed.names:
        known = {run["name"]: run for run in runs}
        runs = [known.get(name, {"name": name}) for name in changed.names]
    names = [run["name"] for run in runs]
    if changed.names:
        _check_names(names, faults)
    for name in dict.fromkeys([*told.own, *changed.own]):
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = (
                f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
            )
            faults.append(Fault(name, f"There is no run {name}: {hint}"))
    at_fault = frozenset(
        fault.key.rpartition(".")[2].partition("@")[0] for fault in faults
    )
    specs = tuple(
        _spec(
            {
                **told.all,
                **run,
                **told.own.get(run["name"], {}),
                **(_common(changed.all, run) if "minibatch" in names else changed.all),
                **changed.own.get(run["name"], {}),
            },
            at_fault,
            faults,
        )
        for run in runs
    )
    if not faults:
        for key, sentence in forks.nonsense(specs):
            _add(faults, key, sentence)
    return specs


def usual_names(model: str) -> tuple[str, ...]:
    """The names of the runs of a race where none are given."""
    return ("gd", "minibatch", "sgd") if model == "linear" else (model,)


def _default_runs(common: Mapping[str, Any]) -> list[dict[str, Any]]:
    model = _model(common)
    if model != "linear":
        return [{"name": model}]
    batch = {"batch": common.get("batch", 4)}
    return [{**run, **_common(batch, run)} for run in _RACE]


def _model(given: Mapping[str, Any]) -> str:
    """That of a function is point, else linear when not given."""
    usual = "point" if given.get("dataset") in catalogue.FUNCTIONS else "linear"
    return str(given.get("model", usual))


def _common(given: Mapping[str, Any], run: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is said of all runs, for one where the batch is that of minibatch."""
    if run["name"] == "minibatch":
        return given
    return {key: each for key, each in given.items() if not key.startswith("batch")}


def _spec(
    given: dict[str, Any], at_fault: frozenset[str], faults: list[Fault]
) -> RunSpec:
    model = _model(given)
    keys = frozenset(given)
    full = {key: getattr(_DEFAULT, key) for key in SETTINGS}
    full.update({"model": model, **_OF_A_MODEL[model], **given})
    dataset = full["dataset"]
    points, noise = DATASETS[dataset]
    usual = {"points": points, "noise": noise, "loss": catalogue.loss_for(dataset)}
    if dataset in catalogue.FUNCTIONS:
        usual["start"] = catalogue.FUNCTIONS[dataset][1]
    full = {**full, **usual, **{key: full[key] for key in usual if key in given}}
    changes = _all_changes(full)
    plain = {key: value for key, value in full.items() if "@" not in key}
    for key in ("title", "engine", "workers"):
        plain.pop(key, None)
    stages = [plain]
    for change in changes:
        stages.append({**stages[-1], change.key: change.value})
    for stage in stages:
        for key, sentence in sense.nonsense(stage, keys, at_fault):
            _add(faults, key, sentence)
    for key, sentence in sense.over_time(stages, keys, at_fault):
        _add(faults, key, sentence)
    if plain["batch"] == plain["points"]:
        plain["batch"] = None
    return RunSpec(**plain, changes=changes)


def _all_changes(full: Mapping[str, Any]) -> tuple[Change, ...]:
    timed = [key.partition("@") for key in full if "@" in key]
    order = sorted((int(when), CHANGEABLE.index(key)) for key, _, when in timed)
    changes = []
    for at, number in order:
        key = CHANGEABLE[number]
        value = full[f"{key}@{at}"]
        if key == "batch" and value == full["points"]:
            value = None
        changes.append(Change(at, key, value))
    return tuple(changes)


def _add(faults: list[Fault], key: str, message: str) -> None:
    fault = Fault(key, message)
    if fault not in faults:
        faults.append(fault)
