"""Where `train` prints the points of a race: JSON lines, CSV, a table, a plot.

JSON and CSV go out while the race is computed; table and plot when nothing more comes.
"""

import shutil
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from tutor.headless import printing
from tutor.picture import LETTERS
from tutor.pictures.ansi import ansi
from tutor.plotting import CurveLook, loss_curves, suggests_log
from tutor.safetext import safe_line
from tutor.training import words
from tutor.training.run import Finished, Points, Race, Run
from tutor.training.spec import RaceSpec

PLOT_ROWS = 22


class Report(Protocol):
    """Where the points go."""

    def take(self, arrived: Points | Finished) -> None:
        """The next of a race."""

    def end(self) -> None:
        """Nothing more comes, whatever the reason."""


class JsonReport:
    """A line for each point, and one at the end."""

    def take(self, arrived: Points | Finished) -> None:
        if isinstance(arrived, Finished):
            printing.document({"done": True, "runs": _plain(arrived)})
            return
        ascii = sys.stdout.encoding == "ascii"
        for iteration, samples, loss, params in _rows(arrived):
            point = {
                "run": arrived.run,
                "iteration": iteration,
                "samples": samples,
                "loss": loss,
                "params": params,
            }
            printing.data(printing.dumps(point, ascii=ascii) + "\n")
        printing.flush()

    def end(self) -> None:
        """All is printed."""


def _plain(finished: Finished) -> dict[str, Any]:
    return {
        name: {
            "stopped": end.stopped,
            "iteration": end.iteration,
            "loss": end.loss,
            "params": end.params,
        }
        for name, end in finished.runs.items()
    }


def _rows(points: Points) -> list[tuple[int, int, float, dict[str, float]]]:
    names = list(points.params)
    columns = zip(*points.params.values(), strict=True) if names else None
    return [
        (
            points.start + index,
            points.samples + index * points.per_iteration,
            loss,
            {} if columns is None else dict(zip(names, next(columns), strict=True)),
        )
        for index, loss in enumerate(points.losses)
    ]


class CsvReport:
    """A row for each point, under the names of the columns."""

    def __init__(self) -> None:
        self._begun = False

    def take(self, arrived: Points | Finished) -> None:
        if isinstance(arrived, Finished):
            return
        if not self._begun:
            self._begun = True
            names = ("run", "iteration", "samples", "loss", *arrived.params)
            printing.data(",".join(names) + "\n")
        for iteration, samples, loss, params in _rows(arrived):
            numbers = (iteration, samples, loss, *params.values())
            printing.data(f"{_quoted(arrived.run)},{','.join(map(repr, numbers))}\n")
        printing.flush()

    def end(self) -> None:
        """All is printed."""


def _quoted(text: str) -> str:
    """A field of RFC 4180; the name is ours or was checked to be printable."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set('",') else text


class Table:
    """The losses of all runs at a few iterations, for people."""

    def __init__(self, spec: RaceSpec) -> None:
        self._race = Race(spec)

    def take(self, arrived: Points | Finished) -> None:
        self._race.add(arrived)

    def end(self) -> None:
        runs = list(self._race.runs.values())
        rows = [("iteration", *(safe_line(run.spec.name, 20) for run in runs))]
        rows += [
            (str(at), *(_loss_at(run, at) for run in runs))
            for at in _milestones(self._race.iteration)
        ]
        names = dict.fromkeys(name for run in runs for name in run.last_params)
        rows += [
            (f"last {name}", *(words.number(run.last_params.get(name)) for run in runs))
            for name in names
        ]
        rows.append(("", *(words.standing(run) for run in runs)))
        printing.data(words.settings_line(self._race.spec) + "\n\n" + _aligned(rows))


def _milestones(last: int) -> list[int]:
    """A few iterations from 0 to the last, denser at the beginning."""
    if last < 0:
        return []
    return sorted({0, min(1, last), *(last * fifth // 5 for fifth in range(1, 6))})


def _loss_at(run: Run, iteration: int) -> str:
    if iteration == run.last:
        return words.number(run.last_loss)
    index = iteration // run.stride
    return words.number(run.losses[index] if index < len(run.losses) else None)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "".join(line.rstrip() + "\n" for line in lines)


class PlotReport:
    """The loss curves, and a line for each run."""

    def __init__(self, spec: RaceSpec, *, ascii: bool) -> None:
        self._race = Race(spec)
        self._ascii = ascii

    def take(self, arrived: Points | Finished) -> None:
        self._race.add(arrived)

    def end(self) -> None:
        race, colours = self._race, printing.coloured(sys.stdout)
        width, rows = shutil.get_terminal_size((80, PLOT_ROWS + 2))
        told_apart = colours or len(race.runs) == 1
        picture = loss_curves(
            race,
            width,
            max(5, min(rows - 2, PLOT_ROWS)),
            CurveLook(log=suggests_log(race)),
            marks="ascii" if self._ascii else "braille" if told_apart else "letters",
        )
        printing.data(ansi(picture, colours=colours))
        rows_ = [
            (
                LETTERS[number],
                safe_line(run.spec.name, 20),
                f"batch {run.spec.samples_per_iteration}",
                f"loss {words.number(run.last_loss) if run.last >= 0 else '-'}",
                words.standing(run),
            )
            for number, run in enumerate(race.runs.values())
        ]
        printing.data(f"\n{words.settings_line(race.spec)}\n{_aligned(rows_)}")
