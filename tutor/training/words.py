"""Settings, losses and ends of races in words, for prints and screens. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from tutor.training import catalogue, values
from tutor.training.commands import command as command
from tutor.training.run import Race, Run, RunEnd
from tutor.training.spec import RaceSpec, RunSpec


def settings_line(race: RaceSpec) -> str:
    """What all runs have in common, in words; what is usual is not said."""
    if race.watched:
        return "your own loop, whose settings are not known"

    first = [run.at(0) for run in race.runs]

    def said(value: Callable[[RunSpec], str]) -> str:
        return " or ".join(dict.fromkeys(filter(None, map(value, first))))

    parts = [said(_data), said(_model), f"{said(_optimiser)}, lr {said(_lr)}"]
    parts.append(f"seed {said(lambda run: str(run.seed))}")
    return "; ".join([*parts, *_on_the_way(race.runs)])


_CHANGES = 4
"""That are told one by one."""


def _on_the_way(runs: Sequence[RunSpec]) -> Iterator[str]:
    """What becomes another setting: of all runs, or of each by its name."""
    found = {run.name: _changes(run) for run in runs}
    if not any(found.values()):
        return
    same = len({*map(tuple, found.values())}) == 1
    for name, changes in [*found.items()][: 1 if same else None]:
        said = ", ".join(changes)
        if len(changes) > _CHANGES:
            said = f"{', '.join(changes[:_CHANGES])} and {len(changes) - _CHANGES} more"
        if changes:
            yield f"then {said}" if same else f"{name} then {said}"


def _changes(run: RunSpec) -> list[str]:
    return [
        f"{each.key} {values.as_text(each.value)} from {each.at}"
        for each in run.changes
        if 0 < each.at < run.iterations
    ]


def _data(run: RunSpec) -> str:
    if run.dataset in catalogue.FUNCTIONS:
        return f"{run.dataset}, a function"
    test = f", {run.test} to test" if run.test else ""
    return f"{run.dataset}, {run.points} points, noise {run.noise:g}{test}"


def _model(run: RunSpec) -> str:
    hidden = "-".join(map(str, run.widths))
    text = f"{run.model} {hidden} {run.activation}" if hidden else run.model
    if run.init != "torch":
        text += f" init {run.init}"
    if run.start and run.start != catalogue.FUNCTIONS.get(run.dataset, ((), ()))[1]:
        text += f" from {', '.join(f'{number:g}' for number in run.start)}"
    if run.loss != catalogue.loss_for(run.dataset):
        text += f", {run.loss}"
    return f"{text}, {run.slip}" if run.slip else text


def _optimiser(run: RunSpec) -> str:
    if run.optimiser == "momentum" and run.momentum != 0.9:
        return f"momentum {run.momentum:g}"
    return run.optimiser


def _lr(run: RunSpec) -> str:
    return f"{run.lr:g} decay {run.decay:g}" if run.decay else f"{run.lr:g}"


def number(value: float | None, decimals: int = 4) -> str:
    """A loss or a parameter, about eight characters; "" for None."""
    if value is None:
        return ""
    if value and not 0.1**decimals <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{value:.{decimals}f}"


def standing(race: Race, run: Run) -> str:
    """Whether a run finished, diverged, or where it stopped."""
    if run.end is None or run.end.stopped == "interrupted":
        return f"stopped at {run.last}" if run.last >= 0 else "not begun"
    if (left := race.diverged_at(run.spec.name)) is not None:
        return f"diverged at {left}"
    return "finished"


def computed(ends: Mapping[str, RunEnd]) -> str:
    """Like "Computed on cpu, eager"; of each run, where they differ."""
    names: dict[str, list[str]] = {}
    for name, end in ends.items():
        names.setdefault(computed_on(end), []).append(name)
    if len(names) < 2:
        return f"Computed on {''.join(names)}"
    each = (f"{', '.join(those)} on {where}" for where, those in names.items())
    return f"Computed: {'; '.join(each)}"


def computed_on(end: RunEnd) -> str:
    """Like "cpu, eager" or "cuda:0, eager, 2 workers"."""
    parts = [end.device, "eager" if end.engine == "compiling" else end.engine]
    if end.workers > 1:
        parts.append(f"{end.workers} workers")
    late = "; it was still being compiled" if end.engine == "compiling" else ""
    return ", ".join(parts) + late
