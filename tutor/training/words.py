"""Settings, losses and ends of races in words, for prints and screens. Pure."""

from collections.abc import Callable

from tutor.training import catalogue
from tutor.training.commands import command as command
from tutor.training.run import Run, RunEnd
from tutor.training.spec import RaceSpec, RunSpec


def settings_line(race: RaceSpec) -> str:
    """What all runs have in common, in words; what is usual is not said."""
    if race.watched:
        return "your own loop, whose settings are not known"

    def said(value: Callable[[RunSpec], str]) -> str:
        return " or ".join(dict.fromkeys(filter(None, map(value, race.runs))))

    parts = [said(_data), said(_model), f"{said(_optimiser)}, lr {said(_lr)}"]
    return "; ".join([*parts, f"seed {said(lambda run: str(run.seed))}"])


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


def standing(run: Run) -> str:
    """Whether a run finished, diverged, or where it stopped."""
    if run.end is None or run.end.stopped == "interrupted":
        return f"stopped at {run.last}" if run.last >= 0 else "not begun"
    if run.end.stopped == "diverged":
        return f"diverged at {run.end.iteration}"
    return "finished"


def computed_on(end: RunEnd) -> str:
    """Like "cpu, eager" or "cuda:0, eager, 2 workers"."""
    parts = [end.device, end.engine]
    if end.workers > 1:
        parts.append(f"{end.workers} workers")
    return ", ".join(parts)
