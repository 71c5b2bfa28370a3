"""The settings of a race on the training screen: which rows there are, what a turn, a
typed value or a fork makes of the race. What goes wrong is a sentence. No widgets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tutor.errors import UsageError
from tutor.training import catalogue, forks, options, values
from tutor.training.forks import Setting
from tutor.training.notches import Notch, turned_run
from tutor.training.spec import CHANGEABLE, RaceSpec
from tutor.training.values import WORKERS, Fault
from tutor.training.views import Noise, Regions
from tutor.ui.race_control import SPEEDS, RaceControl

ORDER = (
    "lr",
    "batch",
    "optimiser",
    "momentum",
    "iterations",
    "speed",
    "seed",
    "noise",
    "dataset",
    "model",
    "widths",
    "activation",
    "loss",
    "test",
    "points",
    "init",
    "decay",
    "slip",
    "engine",
    "workers",
)
"""Of the rows, the most wanted first."""
Engine = Literal["eager", "compiled"]
ENGINES: tuple[Engine, ...] = ("eager", "compiled")
_OFFERED = (
    "lr",
    "batch",
    "optimiser",
    "momentum",
    "activation",
    "loss",
    "widths",
    "seed",
)
"""Settings that a fork offers."""


@dataclass(frozen=True, slots=True)
class Row:
    """A setting, and what it is now."""

    key: str
    value: str


def rows(control: RaceControl, only: tuple[str, ...] = ()) -> list[Row]:
    """Those that mean something for this race, none for the learner's own loop; `only`:
    these, and the speed."""
    wanted = (*only, "speed") if only else ORDER
    found = [Row(key, _shown(control, key)) for key in dict.fromkeys(wanted)]
    return [row for row in found if row.value]


class Rows:
    """The rows of a race, made anew only when they may be others: they are asked for
    with each drawing."""

    def __init__(self, only: tuple[str, ...] = ()) -> None:
        """`only`: as in `rows`."""
        self._only = only
        self._of: tuple[RaceSpec, float | None, tuple[int, ...]] | None = None
        self._rows: list[Row] = []

    def of(self, control: RaceControl) -> list[Row]:
        """Now."""
        spec = control.race.spec
        changing = any(run.changes for run in spec.runs)
        at = tuple(_at(control).values()) if changing else ()
        last = self._of
        if last is None or last[0] is not spec or last[1:] != (control.speed, at):
            self._of = spec, control.speed, at
            self._rows = rows(control, self._only)
        return self._rows


def _shown(control: RaceControl, key: str) -> str:
    spec = control.race.spec
    if spec.watched:
        return ""
    if key == "speed":
        return _speed(control)
    if key == "engine":
        return spec.engine
    if key == "workers":
        return str(spec.workers)
    if key == "momentum" and all(
        each.at(_at(control)[each.name]).optimiser != "momentum" for each in spec.runs
    ):
        return ""
    if key == "loss" and all(each.dataset in catalogue.FUNCTIONS for each in spec.runs):
        return ""
    return Notch(key).shown(spec, _at(control))


def _speed(control: RaceControl) -> str:
    return "full" if control.speed is None else f"{control.speed:g}/s"


def _at(control: RaceControl) -> dict[str, int]:
    """How far each run is."""
    return {name: max(0, run.last) for name, run in control.race.runs.items()}


# ------------------------------------------------------------------------------ turning


async def turn(control: RaceControl, row: Row, direction: int) -> str:
    """The next value up or down. What is to be said of it; "": nothing."""
    if row.key == "speed":
        control.set_speed(_next_speed(control.speed, direction))
        return ""
    if row.key == "engine":
        other: Engine = "compiled" if row.value == "eager" else "eager"
        await control.change(lambda: _computed_by(control, engine=other))
        return ""
    if row.key == "workers":
        count = min(WORKERS, max(1, int(row.value) + direction))
        await control.change(lambda: _computed_by(control, workers=count))
        return ""
    notch = Notch(row.key)
    return await _put(
        control,
        row.key,
        lambda: notch.turn(control.race.spec, direction, _at(control)),
    )


def _computed_by(
    control: RaceControl, engine: Engine = "eager", workers: int = 1
) -> RaceSpec:
    """The race as it is; what is compiled has one worker."""
    return replace(control.race.spec, engine=engine, workers=workers)


async def give(control: RaceControl, key: str, text: str) -> str:
    """A value that was typed. Raises UsageError with a sentence."""
    if key == "speed":
        control.set_speed(_read_speed(text))
        return ""
    if key == "engine":
        engine = next((each for each in ENGINES if each == text), None)
        if engine is None:
            raise UsageError(f"engine must be eager or compiled, not {text!r}.")
        await control.change(lambda: _computed_by(control, engine=engine))
        return ""
    if key == "workers":
        count = options.race(None, [f"workers={text}"]).workers
        await control.change(lambda: _computed_by(control, workers=count))
        return ""
    value = read(key, text)

    def given() -> RaceSpec:
        spec = control.race.spec
        one = turned_run(spec) if key == "batch" else None
        names = {run.name for run in forks.together(spec, key)}
        names = names if one is None else {one.name}
        return forks.turned(spec, names, key, value, _at(control))

    return await _put(control, key, given)


async def _put(control: RaceControl, key: str, make: Callable[[], RaceSpec]) -> str:
    if not Notch(key).anew:
        await control.change(make)
        return ""
    spec, began = make(), control.race.iteration > 0
    if spec == control.race.spec:
        return ""
    await control.renew(spec)
    if began:
        return f"Another {_NAMES.get(key, key)} is another race: it begins anew."
    return ""


_NAMES = {
    "dataset": "data set",
    "widths": "width",
    "test": "set of test data",
    "points": "number of points",
}


def read(key: str, text: str) -> Setting:
    """The value that a text gives to a setting; UsageError with a sentence."""
    faults: list[Fault] = []
    known = values.SETTINGS
    if key not in known:
        raise UsageError(values.unknown(key, "", tuple(known)).message)
    table = {key: values.from_text(key, text)}
    found = values.checked(table, "", known, faults)
    if faults:
        raise UsageError(faults[0].message)
    value: Setting = found[key]
    return value


def _next_speed(speed: float | None, direction: int) -> float | None:
    ladder = [each for each in SPEEDS if each is not None]
    if direction > 0:
        higher = [each for each in ladder if speed is not None and each > speed]
        return higher[0] if higher else None
    lower = [each for each in ladder if speed is None or each < speed]
    return lower[-1] if lower else ladder[0]


def _read_speed(text: str) -> float | None:
    if text == "full":
        return None
    try:
        speed = float(text.removesuffix("/s"))
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= 1e6:
        raise UsageError(
            f"speed must be iterations a second, from 0.1, or full, not {text!r}."
        )
    return speed


# ------------------------------------------------------------------------------ forking


@dataclass(frozen=True, slots=True)
class Wish:
    """A fork that was typed."""

    letter: str
    """Of its parent; "": the first curve that is shown."""
    key: str
    value: Setting


def wish(text: str) -> Wish:
    """What `B lr 0.2`, `lr 0.2` or `lr=0.2` asks for; UsageError with a sentence."""
    words = text.replace("=", " ", 1).split()
    letter = ""
    if words and len(words[0]) == 1 and words[0].upper() in "ABCDEF":
        letter = words.pop(0).upper()
    if len(words) < 2:
        raise UsageError("A fork needs a setting and its value, like lr 0.2.")
    key = words[0]
    return Wish(letter, key, read(key, " ".join(words[1:])))


async def fork(
    control: RaceControl, parent: str, at: int, key: str, value: Setting
) -> str:
    """A run more, that runs at once. What is to be said of it; "": nothing. Raises
    UsageError with a sentence."""
    await control.change(
        lambda: forks.forked(control.race.spec, parent, at, key, value)
    )
    control.cursor = None
    await control.run()
    if key in CHANGEABLE or at == 0:
        return ""
    return f"{key} cannot change on the way: this run has it from the start."


async def fork_each(
    control: RaceControl, parents: Sequence[str], key: str, value: Setting
) -> str:
    """The same fork of several runs, from the start, as far as there is room. What is to
    be said; "": nothing. Raises UsageError when there is none for the first."""
    said = ""

    def make() -> RaceSpec:
        nonlocal said
        spec = control.race.spec
        for parent in parents:
            try:
                spec = forks.forked(spec, parent, 0, key, value)
            except UsageError as error:
                if spec is control.race.spec:
                    raise
                said = str(error)
                break
        return spec

    await control.change(make)
    control.cursor = None
    await control.run()
    return said


def offers(control: RaceControl, parent: str, at: int) -> tuple[str, ...]:
    """Forks worth a try, as they are typed. At the run's end nothing follows: what is left
    are those that begin at 0."""
    spec = control.race.spec
    run = next(each for each in spec.runs if each.name == parent)
    alone = replace(spec, runs=(run,))
    found = []
    for key in _OFFERED:
        if at >= run.iterations and key in CHANGEABLE:
            continue
        if key == "seed" and run.dataset in catalogue.FUNCTIONS:
            continue  # nothing is left to chance
        notch = Notch(key)
        for direction in (1, -1):
            turned = notch.turn(alone, direction, at)
            if turned != alone and notch.shown(alone, at):
                found.append(f"{key} {notch.shown(turned, at)}")
    return tuple(found)


def value_offers(control: RaceControl, key: str) -> tuple[str, ...]:
    """Values of a setting around the present one."""
    if key == "engine":
        return ENGINES
    if key == "workers":
        return ("1", "2", "4")
    if key == "speed":
        return tuple("full" if each is None else f"{each:g}" for each in SPEEDS)
    found, at = [], _at(control)
    for direction in (1, -1):
        spec = control.race.spec
        for _ in range(4):
            spec = Notch(key).turn(spec, direction, at)
            found.append(Notch(key).shown(spec, at))
    now = Notch(key).shown(control.race.spec, at)
    return tuple(each for each in dict.fromkeys(found) if each != now)


def parts(control: RaceControl) -> int:
    """How many things can be lit in the picture: hidden units, or batch sizes."""
    view = control.looking.answers.get("noise" if control.view == "noise" else "output")
    if isinstance(view, Regions):
        return len(view.units)
    return len(view.batches) if isinstance(view, Noise) else 0
