"""Settings turned by one notch, for the training screen: which there are, what they are
now, the race after a turn. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tutor.errors import UsageError
from tutor.training import catalogue, forks
from tutor.training.axis import short
from tutor.training.forks import Setting
from tutor.training.spec import CHANGEABLE, RaceSpec, RunSpec

At = int | Mapping[str, int]
"""How far the runs are: all of them, or each by its name; 0: not begun."""

_LADDERS: dict[str, tuple[float, ...]] = {
    "lr": tuple(
        float(f"{digit}e{power}") for power in range(-5, 3) for digit in (1, 2, 5)
    ),
    "noise": (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
    "momentum": (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0),
    "decay": (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
}
_WHOLE_LADDERS: dict[str, tuple[int, ...]] = {
    "batch": tuple(2**power for power in range(20)),
    "iterations": tuple(
        round(digit * 10**power) for power in range(1, 9) for digit in (1, 2.5, 5)
    ),
    "points": (2, 4, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000),
    "test": (0, 50, 100, 200, 500, 1000, 2000, 5000, 10_000),
}
_CHOICES: dict[str, tuple[Setting, ...]] = {
    "optimiser": catalogue.OPTIMISERS,
    "activation": catalogue.ACTIVATIONS,
    "loss": catalogue.LOSSES,
    "dataset": tuple(catalogue.DATASETS),
    "model": catalogue.MODELS,
    "init": catalogue.INITS,
    "slip": ("", *catalogue.SLIPS),
    "widths": ((2,), (3,), (4,), (8,), (16,), (32,), (3, 5), (8, 8), (16, 16)),
}
_OF_AN_MLP = ("widths", "activation", "init")
_OF_DATA = ("batch", "noise", "points", "test")


@dataclass(frozen=True, slots=True)
class Notch:
    """One setting that can be turned."""

    key: str
    """As in SPEC.toml."""

    @property
    def anew(self) -> bool:
        """True: the turned race is another one, and begins at iteration 0."""
        return self.key not in (*CHANGEABLE, "iterations")

    def shown(self, race: RaceSpec, at: At = 0) -> str:
        """Its value now; "" when the race has no such setting."""
        found = (_value(run, self.key, at) for run in _concerned(race, self.key))
        return ", ".join(dict.fromkeys(map(_said, found)))

    def turn(self, race: RaceSpec, direction: int, at: At = 0) -> RaceSpec:
        """The race with the next value up (1) or down (-1) that makes sense; the same
        one at the end. A run that has begun has it from `at` on, if it can."""
        for run in _concerned(race, self.key):
            for value in _next_values(
                run, self.key, _value(run, self.key, at), direction
            ):
                try:
                    race = forks.turned(race, {run.name}, self.key, value, at)
                except UsageError:
                    continue
                break
        return race


def turned_run(race: RaceSpec) -> RunSpec | None:
    """The run whose batch can be turned: the minibatch one, or the only one."""
    if len(race.runs) == 1:
        return race.runs[0]
    return next((run for run in race.runs if run.name == "minibatch"), None)


def _concerned(race: RaceSpec, key: str) -> Iterator[RunSpec]:
    """The runs that have such a setting."""
    for run in [turned_run(race)] if key == "batch" else forks.together(race, key):
        if run is None:
            continue
        has_data = run.dataset not in catalogue.FUNCTIONS
        if (
            (run.model == "mlp" or key not in _OF_AN_MLP)
            and (has_data or key not in _OF_DATA)
            and (key != "momentum" or "momentum" in _optimisers(run))
        ):
            yield run


def _optimisers(run: RunSpec) -> set[object]:
    return {run.optimiser, *(each.value for each in run.changes)}


def _value(run: RunSpec, key: str, at: At) -> Setting:
    now = run.at(at if isinstance(at, int) else max(0, at.get(run.name, 0)))
    if key == "batch":
        return now.samples_per_iteration
    value: Setting = getattr(now, key)
    return value


def _next_values(
    run: RunSpec, key: str, value: Setting, direction: int
) -> Iterator[Setting]:
    """Those after it, the nearest first."""
    if isinstance(value, (int, float)) and key == "seed":
        yield max(0, int(value) + direction)
    elif isinstance(value, (int, float)):
        ladder = _LADDERS.get(key) or _WHOLE_LADDERS[key]
        up = [rung for rung in ladder if rung > value * 1.000001]
        down = [rung for rung in reversed(ladder) if rung < value * 0.999999]
        yield from up if direction > 0 else down
    else:
        choices = _CHOICES[key]
        at = choices.index(value) if value in choices else -1
        yield from choices[at + 1 :] if direction > 0 else choices[: max(at, 0)][::-1]


def _said(value: Setting) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    if isinstance(value, int) and value >= 10_000:
        return short(value)
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


_KEYS = (
    *("lr", "batch", "optimiser", "momentum", "decay", "loss", "model", "widths"),
    *("activation", "init", "dataset", "points", "noise", "test", "seed"),
    *("iterations", "slip"),
)
ALL = tuple(map(Notch, _KEYS))
"""Every one, in the order of the screen."""
NOTCHES = tuple(map(Notch, ("lr", "batch", "seed", "noise", "iterations")))
"""The few that are shown when nobody says which."""
