"""`train --plot --view` and `train --seeds`: what can be seen of a race besides its curves,
as pictures, and the luck meter as a picture, JSON or CSV.
"""

from collections.abc import Sequence

from tutor.errors import UsageError
from tutor.exports import figures
from tutor.exports.table import quoted
from tutor.headless import printing
from tutor.picture import Marks, Picture
from tutor.pictures import bars
from tutor.pictures.of_view import of_view
from tutor.pictures.output import fit
from tutor.session import Session
from tutor.training import words
from tutor.training.luck import FEW, GOAL, LuckRun
from tutor.training.lucky import Lucky, ends_below_first
from tutor.training.refusals import refusal
from tutor.training.run import Race
from tutor.training.spec import RaceSpec
from tutor.training.views import KIND_OF, Fit, Layers, View, ViewRequest


def refuse(view: str, spec: RaceSpec) -> None:
    """Raises UsageError for a race that has no such picture of any run."""
    if not _shown(view, spec):
        raise UsageError(refusal(view, spec, spec.runs[0]))


def _shown(view: str, spec: RaceSpec) -> list[str]:
    """The runs that have such a picture; of what is the same for all of them, one."""
    names = [run.name for run in spec.runs if not refusal(view, spec, run)]
    return names[:1] if view in ("contour", "noise") else names


async def seen(session: Session, race: Race, view: str, width: int) -> list[View]:
    """Of the newest iteration: one of the race, or one of each run. Raises TutorError
    where there is no such view.
    """
    found = []
    for name in _shown(view, race.spec):
        request = ViewRequest(KIND_OF[view], name, race.spec.id, columns=width)
        found.append(await session.view(request))
    return found


def drawn(
    found: Sequence[View], race: Race, width: int, height: int, marks: Marks
) -> Picture:
    """What was seen, one below the other, each under its run's name; at most of that
    height each."""
    fits = [each for each in found if isinstance(each, Fit)]
    if fits:
        return fit(fits, width, height, marks=marks)
    parts = [
        of_view(each, race, width, min(height, _most(each) or height), marks)
        for each in found
    ]
    if len(parts) == 1:
        return parts[0]
    lines: list[str] = []
    patches: list[tuple[object, ...]] = []
    for each, part in zip(found, parts, strict=True):
        lines += [each.run.ljust(width)[:width], *part.lines]
        patches += [(), *part.patches]
    return Picture(tuple(lines), tuple(patches))  # type: ignore[arg-type]


def _most(view: View) -> int | None:
    """Rows that its picture can use; None: any number."""
    return bars.rows(view) if isinstance(view, Layers) else None


# ----------------------------------------------------------------------- many seeds


def show_json(lucky: Lucky) -> None:
    """One line: how each run ended over the seeds."""
    end = lucky.end
    runs = {} if end is None else {name: _plain(run) for name, run in end.runs.items()}
    printing.document(
        {
            "done": True,
            "seeds": lucky.request.seeds if end is None else end.seeds,
            "interrupted": end is None or end.interrupted,
            "runs": runs,
            "better": {} if end is None else end.better,
        }
    )


def _plain(run: LuckRun) -> dict[str, object]:
    return {
        "iteration": run.iteration,
        "success": run.success,
        "diverged": run.diverged,
        "losses": run.losses,
        "places": run.places,
    }


def show_csv(lucky: Lucky) -> None:
    """A row for each iteration of each run."""
    printing.data("run,iteration,low,median,high,success\n")
    for name, band in lucky.points.items():
        success = band.success or [None] * len(band.median)
        for row in zip(
            band.iterations, band.low, band.median, band.high, success, strict=True
        ):
            fields = ("" if each is None else repr(each) for each in row)
            printing.data(f"{quoted(name)},{','.join(fields)}\n")


def _goal(lucky: Lucky, *, below_first: bool) -> str:
    """What success is."""
    if below_first:
        goal = f"ends below {next(iter(lucky.points))}, so that this one has none"
    else:
        goal = f"classifies {100 * GOAL:.0f} % of the points right (all, of {FEW} or fewer)"
    return f"success: the share of the seeds with which a run {goal}."


def show_table(lucky: Lucky) -> None:
    """How each run ended over the seeds, for people."""
    rows: list[tuple[str, ...]] = [("", "median", "5 %", "95 %", "success", "diverged")]
    for name, band in lucky.points.items():
        if not band.median:
            continue
        success = f"{100 * band.success[-1]:.1f} %" if band.success else ""
        losses = (band.median[-1], band.low[-1], band.high[-1])
        rows.append((name, *map(words.number, losses), success, str(band.diverged)))
    lines = [words.settings_line(lucky.request.race), "", *figures.aligned(rows)]
    end = lucky.end
    below_first = ends_below_first(lucky)
    if any(band.success for band in lucky.points.values()):
        lines.append(_goal(lucky, below_first=below_first))
    better = {} if end is None or below_first else end.better
    for name, share in better.items():
        first = next(iter(lucky.points))
        lines.append(
            f"{name} ends below {first} with {100 * share:.1f} % of the seeds."
        )
    printing.data("\n".join(lines) + "\n")
