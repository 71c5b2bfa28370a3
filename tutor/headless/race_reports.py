"""Where `train` prints the points of a race: JSON lines, CSV, a table, a plot.

JSON and CSV go out while the race is computed; table and plot when nothing more comes.
"""

import functools
import shutil
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from tutor.exports import figures, table
from tutor.exports.table import Row
from tutor.headless import printing
from tutor.picture import Marks, Picture
from tutor.pictures.ansi import ansi
from tutor.plotting import CurveLook, loss_curves, suggests_log
from tutor.safetext import safe_line
from tutor.training import words
from tutor.training.run import Finished, Race, Run
from tutor.training.spec import RaceSpec

PLOT_ROWS = 22


class Report(Protocol):
    """Where the points go."""

    def rows(self, run: str, rows: Iterable[Row]) -> None:
        """The next points of a run."""

    def finished(self, finished: Finished) -> None:
        """Where the runs stand; it is the last, and may not come."""

    def end(self) -> None:
        """Nothing more comes, whatever the reason."""


class JsonReport:
    """A line for each point, and one at the end."""

    def rows(self, run: str, rows: Iterable[Row]) -> None:
        ascii = sys.stdout.encoding == "ascii"
        for iteration, samples, loss, test, params in rows:
            point: dict[str, Any] = {
                "run": run,
                "iteration": iteration,
                "samples": samples,
                "loss": loss,
            }
            if test is not None:
                point["test_loss"] = test
            point["params"] = params
            printing.data(printing.dumps(point, ascii=ascii) + "\n")
        printing.flush()

    def finished(self, finished: Finished) -> None:
        printing.document({"done": True, "runs": _plain(finished)})

    def end(self) -> None:
        """All is printed."""


def _plain(finished: Finished) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, end in finished.runs.items():
        found[name] = {
            "stopped": end.stopped,
            "iteration": end.iteration,
            "loss": end.loss,
            "params": end.params,
        }
        for key in ("accuracy", "test_accuracy"):
            if getattr(end, key) is not None:
                found[name][key] = getattr(end, key)
    return found


class CsvReport:
    """A row for each point, under the names of the columns."""

    def __init__(
        self, spec: RaceSpec, race: Race | None = None, *, begun: bool = False
    ) -> None:
        """`race`: with points of a race whose spec does not tell its parameters.
        `begun`: the names of the columns are printed already."""
        known = (
            [name for run in race.runs.values() for name in run.params] if race else []
        )
        self._columns = table.Columns(spec, known or None)
        self._begun = begun

    def rows(self, run: str, rows: Iterable[Row]) -> None:
        if not self._begun:
            self._begun = True
            printing.data(self._columns.head)
        for row in rows:
            printing.data(self._columns.line(run, row))
        printing.flush()

    def finished(self, finished: Finished) -> None:
        """The points tell it."""

    def end(self) -> None:
        """All is printed."""


class _AtTheEnd:
    """What is made of the race when nothing more comes."""

    def __init__(self, race: Race) -> None:
        self.race = race
        """Whoever calls adds to it."""

    def rows(self, run: str, rows: Iterable[Row]) -> None:
        """They are in the race."""

    def finished(self, finished: Finished) -> None:
        """It is in the race."""


class Table(_AtTheEnd):
    """The losses of all runs at a few iterations, for people."""

    def end(self) -> None:
        runs = list(self.race.runs.values())
        rows = [("iteration", *(safe_line(run.spec.name, 20) for run in runs))]
        rows += [
            (str(at), *(_loss_at(run, at) for run in runs))
            for at in _milestones(self.race.iteration)
        ]
        names = dict.fromkeys(name for run in runs for name in run.last_params)
        rows += [
            (f"last {name}", *(words.number(run.last_params.get(name)) for run in runs))
            for name in names
        ]
        rows.append(("", *(words.standing(self.race, run) for run in runs)))
        lines = [words.settings_line(self.race.spec), "", *figures.aligned(rows)]
        printing.data("\n".join(lines) + "\n")


def _milestones(last: int) -> list[int]:
    """A few iterations from 0 to the last, denser at the beginning."""
    if last < 0:
        return []
    return sorted({0, min(1, last), *(last * fifth // 5 for fifth in range(1, 6))})


def _loss_at(run: Run, iteration: int) -> str:
    if iteration < run.spec.since:
        return ""  # that point is its parent's
    if iteration == run.last:
        return words.number(run.last_loss)
    index = iteration // run.stride
    return words.number(run.losses[index] if index < len(run.losses) else None)


Draw = Callable[[int, int, Marks], Picture]
"""A picture of a width and a height."""


def show(draw: Draw, *, told_apart: bool, ascii: bool) -> None:
    """Print a picture as large as the terminal lets it be. `told_apart`: also without
    colours and letters one sees what is what."""
    colours = printing.coloured(sys.stdout)
    width, rows = shutil.get_terminal_size((80, PLOT_ROWS + 2))
    marks: Marks = "braille" if colours or told_apart else "letters"
    picture = draw(width, max(5, min(rows - 2, PLOT_ROWS)), "ascii" if ascii else marks)
    printing.data(ansi(picture, colours=colours))


def _curves(race: Race, width: int, height: int, marks: Marks) -> Picture:
    look = CurveLook(log=suggests_log(race))
    return loss_curves(race, width, height, look, marks=marks)


class PlotReport(_AtTheEnd):
    """The loss curves, and a line for each run."""

    def __init__(self, race: Race, *, ascii: bool) -> None:
        super().__init__(race)
        self.draw: Draw = functools.partial(_curves, race)
        """Another picture, if one is to be drawn."""
        self._ascii = ascii

    def end(self) -> None:
        race = self.race
        show(self.draw, told_apart=len(race.runs) == 1, ascii=self._ascii)
        printing.data("".join(f"{line}\n" for line in ["", *figures.legend(race)]))
