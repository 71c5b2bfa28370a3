"""Settings turned by one notch, for the training screen: which there are, what they are
now, the race after a turn. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tutor.training.axis import short
from tutor.training.spec import RaceSpec, RunSpec

_LRS = tuple(float(f"{digit}e{power}") for power in range(-5, 3) for digit in (1, 2, 5))
_BATCHES = tuple(2**power for power in range(20))
_ITERATIONS = tuple(
    round(digit * 10**power) for power in range(1, 9) for digit in (1, 2.5, 5)
)


@dataclass(frozen=True, slots=True)
class Notch:
    """One setting that can be turned."""

    key: str
    """As in SPEC.toml."""
    shown: Callable[[RaceSpec], str]
    """Its value now; "" when the race has no such setting."""
    turn: Callable[[RaceSpec, int], RaceSpec]
    """The race with the next value up (1) or down (-1); the same one at the end."""
    anew: bool = False
    """True: the turned race is another one, and begins at iteration 0."""


def turned_run(race: RaceSpec) -> RunSpec | None:
    """The run whose batch can be turned: the minibatch one, or the only one."""
    if len(race.runs) == 1:
        return race.runs[0]
    return next((run for run in race.runs if run.name == "minibatch"), None)


def _next(ladder: tuple[float, ...], value: float, direction: int) -> float:
    """The rung above or below; the value itself where there is none."""
    if direction > 0:
        return next((rung for rung in ladder if rung > value * 1.000001), value)
    return next((rung for rung in reversed(ladder) if rung < value * 0.999999), value)


def _each(race: RaceSpec, change: Callable[[RunSpec], RunSpec]) -> RaceSpec:
    return replace(race, runs=tuple(change(run) for run in race.runs))


def _all(race: RaceSpec, value: Callable[[RunSpec], str]) -> str:
    return ", ".join(dict.fromkeys(value(run) for run in race.runs))


def _turn_lr(race: RaceSpec, direction: int) -> RaceSpec:
    return _each(race, lambda run: replace(run, lr=_next(_LRS, run.lr, direction)))


def _turn_batch(race: RaceSpec, direction: int) -> RaceSpec:
    turned = turned_run(race)
    if turned is None:
        return race
    batch = int(_next(_BATCHES, turned.samples_per_iteration, direction))
    new = replace(turned, batch=None if batch >= turned.points else batch)
    return _each(race, lambda run: new if run is turned else run)


def _shown_batch(race: RaceSpec) -> str:
    run = turned_run(race)
    return "" if run is None else str(run.samples_per_iteration)


def _turn_seed(race: RaceSpec, direction: int) -> RaceSpec:
    return _each(race, lambda run: replace(run, seed=max(0, run.seed + direction)))


def _turn_iterations(race: RaceSpec, direction: int) -> RaceSpec:
    def turned(run: RunSpec) -> RunSpec:
        return replace(
            run, iterations=int(_next(_ITERATIONS, run.iterations, direction))
        )

    return _each(race, turned)


def _turn_noise(race: RaceSpec, direction: int) -> RaceSpec:
    def turned(run: RunSpec) -> RunSpec:
        ladder = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
        noise = _next(ladder, run.noise or 1e-9, direction)
        return replace(run, noise=0.0 if noise == 1e-9 else noise)

    return _each(race, turned)


NOTCHES = (
    Notch("lr", lambda race: _all(race, lambda run: f"{run.lr:g}"), _turn_lr),
    Notch("batch", _shown_batch, _turn_batch),
    Notch("seed", lambda race: _all(race, lambda run: str(run.seed)), _turn_seed, True),
    Notch(
        "noise",
        lambda race: _all(race, lambda run: f"{run.noise:g}"),
        _turn_noise,
        True,
    ),
    Notch(
        "iterations",
        lambda race: _all(race, lambda run: short(run.iterations)),
        _turn_iterations,
    ),
)
"""In the order of the screen."""
