"""The settings of a race as a reader writes them, in a TOML table or as key=value: what
each may be, what it is when not given, and all that is wrong at once.

Without `runs` a linear model gives the race of section 2.14 (gd, minibatch, sgd), an
MLP one run. Pure; reading files is `headless.train`.
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tutor.errors import UsageError
from tutor.training.spec import RaceSpec, RunSpec

RUN_LIMIT = 6
"""Curves that can still be told apart."""
DATASETS = {
    "line": (1000, 1.0),
    "circle": (200, 0.05),
    "xor": (200, 0.0),
    "moons": (200, 0.1),
    "spiral": (200, 0.03),
    "sin": (200, 0.1),
}
"""Each data set's points and noise when not given."""
MODELS = ("linear", "mlp")
ACTIVATIONS = ("tanh", "relu", "sigmoid")
OPTIMISERS = ("sgd", "momentum", "adam")

_OF_A_MODEL: dict[str, dict[str, Any]] = {
    "linear": {"dataset": "line", "optimiser": "sgd", "iterations": 25},
    "mlp": {
        "dataset": "circle",
        "optimiser": "adam",
        "iterations": 300,
        "widths": (8,),
        "activation": "tanh",
    },
}
_RACE: tuple[dict[str, Any], ...] = (
    {"name": "gd", "batch": None},
    {"name": "minibatch", "batch": 4},
    {"name": "sgd", "batch": 1},
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    key: str
    """Like "lr" or "runs[2].batch", counted from 1; "" when it is about none."""
    message: str
    """A sentence."""


class SpecError(UsageError):
    """The settings make no race; `str(error)` has a line for each fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.message for fault in faults))


def race(
    table: Mapping[str, Any] | None = None,
    changes: Sequence[str] = (),
    source: str = "",
) -> RaceSpec:
    """The race that `table` describes (None: the default one), with key=value changes.

    `source` names the table's file in its faults. Raises SpecError with all of them.
    """
    faults: list[Fault] = []
    given = _checked(table or {}, "", faults)
    runs = [
        _checked(run, f"runs[{number}].", faults)
        for number, run in enumerate(_runs(table or {}, faults), start=1)
    ]
    in_table = len(faults)
    changed = _changes(changes, faults)
    specs = _specs(given, runs, changed, faults)
    if faults:
        lead = f"{source}: " if source else ""
        raise SpecError(
            [
                Fault(
                    fault.key, lead + fault.message if at < in_table else fault.message
                )
                for at, fault in enumerate(faults)
            ]
        )
    return RaceSpec(runs=specs, title=given.get("title", ""))


def _runs(table: Mapping[str, Any], faults: list[Fault]) -> list[Mapping[str, Any]]:
    runs = table.get("runs", [])
    if not isinstance(runs, list) or not all(isinstance(run, Mapping) for run in runs):
        faults.append(Fault("runs", 'runs must be tables, like {name = "sgd"}.'))
        return []
    for number, run in enumerate(runs, start=1):
        if "name" not in run:
            key = f"runs[{number}].name"
            faults.append(Fault(key, f"{key} is missing: each run needs one."))
    return runs


def _changes(changes: Sequence[str], faults: list[Fault]) -> dict[str, Any]:
    table = {}
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            faults.append(
                Fault("", f"--set needs key=value, like lr=0.1, not {change!r}.")
            )
        elif key.strip() not in SETTINGS:
            faults.append(_unknown(key.strip(), "", tuple(SETTINGS)))
        else:
            table[key.strip()] = _value(key.strip(), text.strip())
    return _checked(table, "", faults)


def _value(key: str, text: str) -> Any:
    """What a TOML table would hold."""
    if key == "widths":
        parts = re.split(r"\s*[,x]\s*|\s+|(?<=\d)-", text.strip("[] "))
        return [_value("", part) for part in parts]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


# ---------------------------------------------------------------- one value at a time


def _checked(
    table: Mapping[str, Any], place: str, faults: list[Fault]
) -> dict[str, Any]:
    """The good values of a table, by their key."""
    others = ("name",) if place else ("title", "runs")
    values = {}
    for key, value in table.items():
        if key in SETTINGS:
            what, read = SETTINGS[key]
            try:
                values[key] = read(value)
            except ValueError:
                message = f"{place}{key} must be {what}, not {_shown(value)}"
                faults.append(Fault(f"{place}{key}", f"{message}."))
        elif key in others:
            if key != "runs":
                values[key] = _text(value, place + key, faults)
        else:
            faults.append(_unknown(key, place, (*SETTINGS, *others)))
    return values


def _unknown(key: str, place: str, known: Sequence[str]) -> Fault:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    return Fault(place + key, f"There is no setting {place}{key}: {hint}")


def _text(value: Any, key: str, faults: list[Fault]) -> str:
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 60:
        return value
    faults.append(Fault(key, f"{key} must be a short text, not {_shown(value)}."))
    return ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _number(least: float, *, included: bool) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError
        if not math.isfinite(value) or value < least:
            raise ValueError
        if value == least and not included:
            raise ValueError
        return float(value)

    return read


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not least <= value <= most:
            raise ValueError
        return value

    return read


def _one_of(names: Sequence[str]) -> tuple[str, Callable[[Any], str]]:
    def read(value: Any) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return f"{', '.join(names[:-1])} or {names[-1]}", read


def _batch(value: Any) -> int | None:
    return None if value == "all" else _whole(1, 1_000_000)(value)


def _widths(value: Any) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 8:
        raise ValueError
    return tuple(_whole(1, 4096)(width) for width in value)


SETTINGS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "lr": ("a number above 0", _number(0.0, included=False)),
    "iterations": ("a whole number from 1 to 10^9", _whole(1, 10**9)),
    "batch": ("a whole number from 1, or all", _batch),
    "seed": ("a whole number from 0 to 2^53", _whole(0, 2**53)),
    "noise": ("a number from 0", _number(0.0, included=True)),
    "points": ("a whole number from 2 to 10^6", _whole(2, 1_000_000)),
    "optimiser": _one_of(OPTIMISERS),
    "model": _one_of(MODELS),
    "widths": ("1 to 8 whole numbers, like 16,16", _widths),
    "activation": _one_of(ACTIVATIONS),
    "dataset": _one_of(tuple(DATASETS)),
}
"""Each key: what it may be, and its reader, which raises ValueError."""


# -------------------------------------------------------------------- all values of one


def _specs(
    given: dict[str, Any],
    runs: list[dict[str, Any]],
    changed: dict[str, Any],
    faults: list[Fault],
) -> tuple[RunSpec, ...]:
    if not runs:
        given, changed = {**given, **changed}, {}
        model = given.get("model", "linear")
        runs = [dict(run) for run in _RACE] if model == "linear" else [{"name": model}]
    for number, run in enumerate(runs, start=1):
        run.setdefault("name", f"run {number}")  # only where that is a fault already
    names = [run["name"] for run in runs]
    if len(set(names)) < len(names):
        faults.append(Fault("runs", "runs must have different names."))
    if len(runs) > RUN_LIMIT:
        faults.append(Fault("runs", f"runs must be {RUN_LIMIT} at most."))
    merged = [_merged(given, run, changed, names) for run in runs]
    return tuple(_spec(values, faults) for values in merged)


def _merged(
    given: dict[str, Any],
    run: dict[str, Any],
    changed: dict[str, Any],
    names: Sequence[str],
) -> dict[str, Any]:
    """A run's values. A batch for the whole race is minibatch's, if that is there."""
    if "minibatch" in names and run["name"] != "minibatch":
        changed = {key: value for key, value in changed.items() if key != "batch"}
    elif "minibatch" in names and "batch" in given and run in _RACE:
        run = {**run, "batch": given["batch"]}
    return {**given, **run, **changed}


def _spec(values: dict[str, Any], faults: list[Fault]) -> RunSpec:
    at_fault = {fault.key.rpartition(".")[2] for fault in faults}
    model = values.get("model", "linear")
    values = {**_OF_A_MODEL[model], **values}
    points, noise = DATASETS[values["dataset"]]
    values = {"points": points, "noise": noise, **values}
    if model == "linear" and "model" not in at_fault:
        for key in ("widths", "activation"):
            if key in values:
                _add(faults, key, f"{key} is for an mlp: add model=mlp, or drop it.")
    batch = values.get("batch")
    points_known = at_fault.isdisjoint({"points", "dataset", "model"})
    if batch is not None and batch > values["points"] and points_known:
        _add(
            faults,
            "batch",
            f"batch is {batch} in the run {values['name']!r}, more than the "
            f"{values['points']} points of its data.",
        )
    if batch == values["points"]:
        values["batch"] = None
    values.pop("title", None)
    return RunSpec(**values)


def _add(faults: list[Fault], key: str, message: str) -> None:
    fault = Fault(key, message)
    if fault not in faults:
        faults.append(fault)
