"""Settings that are right one by one and make no sense together, each with a sentence.

A rule looks at the settings of one run; it is not asked where one of the keys that it
looks at is at fault already. Pure.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tutor.training import catalogue
from tutor.training.spec import CHANGEABLE

Values = Mapping[str, Any]
"""All settings of a run at one time, by key; "name" too."""
Rule = Callable[[Values, frozenset[str]], Iterator[tuple[str, str]]]
"""Values, and the keys that were given -> (key at fault, sentence)."""

PAIRS = 4000
"""Points of which each may be compared with all: 4000² numbers are 64 MB."""
_NO_DATA = ("noise", "points", "test", "batch")


def _function(values: Values, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    dataset, model = values["dataset"], values["model"]
    if dataset in catalogue.FUNCTIONS:
        if model != "point":
            said = f"{dataset} is a function without data: its model is point"
            yield "model", f"{said}, not {model}."
        for key in _NO_DATA:
            if key in given and values[key]:
                yield key, f"{key} is about data, and {dataset} is a function: drop it."
        if values["loss"] != "value":
            said = f"{dataset} is a function: its loss is its value"
            yield "loss", f"{said}, not {values['loss']}."
    elif model == "point":
        names = ", ".join(catalogue.FUNCTIONS)
        yield "model", f"model=point goes down on a function: add dataset= {names}."


def _perceptron(values: Values, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    dataset = values["dataset"]
    if values["model"] == "perceptron" and catalogue.task(dataset) == "fit":
        names = ", ".join(catalogue.CLASSIFIED)
        said = f"a perceptron tells two classes apart, and {dataset} has numbers to fit"
        yield "model", f"{said}: choose a dataset of {names}."


def _loss(values: Values, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    dataset, loss = values["dataset"], values["loss"]
    if loss == "bce" and catalogue.task(dataset) == "fit":
        said = f"loss bce is for two classes, and {dataset} has numbers to fit"
        yield "loss", f"{said}: choose mse, mae or sse."
    if loss == "value" and catalogue.task(dataset) != "function":
        names = ", ".join(catalogue.FUNCTIONS)
        yield "loss", f"loss value is for a function: choose a dataset of {names}."


def _mlp(values: Values, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    if values["model"] != "mlp":
        plain = {key.partition("@")[0] for key in given}
        for key in ("widths", "activation", "init"):
            if key in plain:
                yield key, f"{key} is for an mlp: add model=mlp, or drop it."


def _start(values: Values, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    if "start" not in given or not values["start"]:
        return
    names = catalogue.parameters(values["model"], values["dataset"])
    if not names:
        yield "start", "start is for a model with few parameters, and an mlp has many."
    elif len(values["start"]) != len(names):
        one = "1 number" if len(names) == 1 else f"{len(names)} numbers"
        said = f"start needs {one} here, {', '.join(names)}"
        yield "start", f"{said}, not {len(values['start'])}."


def _points(values: Values, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    if values["dataset"] != "corners":
        return
    if values["points"] != 4:
        yield "points", f"corners has 4 points, not {values['points']}."
    if values["test"]:
        yield "test", "corners are all there are: no others are left to test with."


def _batch(values: Values, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    batch, points = values["batch"], values["points"]
    if batch is None or values["dataset"] in catalogue.FUNCTIONS or batch <= points:
        return
    said = f"batch is {batch} in the run {values['name']!r}"
    yield "batch", f"{said}, more than the {points} points of its data."


def _slip(values: Values, given: frozenset[str]) -> Iterator[tuple[str, str]]:
    slip, loss = values["slip"], values["loss"]
    if slip == "no-zero-grad" and values["optimiser"] in ("random", "none"):
        said = "the slip no-zero-grad needs gradients, and the optimiser"
        yield "slip", f"{said} {values['optimiser']} uses none."
    if slip == "broadcast" and loss not in ("mse", "mae", "sse"):
        said = "the slip broadcast needs the loss mse, mae or sse"
        yield "slip", f"{said}: with {loss} the shapes are checked."
    for key in ("points", "test"):
        if slip == "broadcast" and values[key] > PAIRS:
            said = f"the slip broadcast compares every point with every other: {key}"
            yield key, f"{said} must be {PAIRS} at most, not {values[key]}."
    if slip == "double-sigmoid" and loss != "bce":
        yield "slip", f"the slip double-sigmoid needs the loss bce, not {loss}."


_RULES: tuple[tuple[frozenset[str], Rule], ...] = (
    (frozenset({"dataset", "model", "loss"}), _function),
    (frozenset({"dataset", "model"}), _perceptron),
    (frozenset({"dataset", "loss"}), _loss),
    (frozenset({"model"}), _mlp),
    (frozenset({"dataset", "model", "start"}), _start),
    (frozenset({"dataset", "points", "test"}), _points),
    (frozenset({"dataset", "model", "points", "batch"}), _batch),
    (frozenset({"slip", "loss", "optimiser", "dataset", "points", "test"}), _slip),
)


def nonsense(
    values: Values, given: frozenset[str], at_fault: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """(key, sentence) of all that makes no sense in these settings together."""
    for keys, rule in _RULES:
        if keys.isdisjoint(at_fault):
            yield from rule(values, given)


def over_time(
    stages: list[dict[str, Any]], given: frozenset[str], at_fault: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """The same of what concerns a whole run: `stages` are its settings from the start
    and after each change; `given` has keys like `lr@12` too."""
    plain = {key.partition("@")[0] for key in given}
    if at_fault.isdisjoint({"optimiser", "momentum"}) and "momentum" in plain:
        optimisers = dict.fromkeys(stage["optimiser"] for stage in stages)
        if "momentum" not in optimisers:
            said = "momentum is a number for optimiser=momentum"
            yield "momentum", f"{said}, and the optimiser is {', '.join(optimisers)}."
    if "iterations" not in at_fault:
        last = stages[0]["iterations"]
        for key in sorted(given):
            name, at, when = key.partition("@")
            if at and name in CHANGEABLE and int(when) >= last:
                yield key, f"{key} comes too late: the run ends at iteration {last}."
