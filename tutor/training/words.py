"""Settings, losses and ends of races in words, for prints and screens. Pure."""

from tutor.training.run import Run
from tutor.training.spec import RaceSpec


def settings_line(race: RaceSpec) -> str:
    """What all runs have in common, in words."""

    def said(*values: str) -> str:
        return " or ".join(dict.fromkeys(values))

    runs = race.runs
    widths = said(*("-".join(map(str, run.widths)) for run in runs))
    hidden = f" {widths} {said(*(run.activation for run in runs))}" if widths else ""
    return (
        f"{said(*(run.dataset for run in runs))}, "
        f"{said(*(str(run.points) for run in runs))} points, "
        f"noise {said(*(f'{run.noise:g}' for run in runs))}; "
        f"{said(*(run.model for run in runs))}{hidden}; "
        f"{said(*(run.optimiser for run in runs))}, "
        f"lr {said(*(f'{run.lr:g}' for run in runs))}; "
        f"seed {said(*(str(run.seed) for run in runs))}"
    )


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
