"""`train`: compute a race in a kernel and print its points, as JSON lines, CSV, a table
or a plot; list the stored ones, go on with one. The formats are command-line.md's promise.

Runs are computed in turn, so that the lines come run by run while they are computed.
"""

import argparse
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from tutor import exports, paths
from tutor.errors import FileError, TutorError, UsageError
from tutor.exports import figures, table
from tutor.headless import (
    elastic,
    many_seeds,
    printing,
    race_views,
    runner,
    stored_races,
)
from tutor.headless.race_reports import (
    CsvReport,
    JsonReport,
    PlotReport,
    Report,
    Table,
)
from tutor.kernel.base import KernelOptions
from tutor.picture import Marks, Picture
from tutor.runs.store import Runs
from tutor.safetext import safe_line
from tutor.session import Session
from tutor.training import explain, options, words
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Race
from tutor.training.spec import RaceSpec
from tutor.training.views import View

SHORT_S = 1.0
"""A race that is over earlier is not kept on disk."""


_NOT_GIVEN: tuple[object, ...] = (None, False, [])


def run(arguments: argparse.Namespace) -> int:
    """0 also when a run diverged: that is what it did. 2 when the settings are bad."""
    _refuse(arguments)
    launched = elastic.joined(arguments)
    after_s = 0.0 if launched else SHORT_S
    runs = Runs(paths.data() / "runs", after_s=after_s)
    if arguments.runs:
        return stored_races.show(runs, json=arguments.json)
    try:
        race = _race(arguments, runs)
    except options.SpecError as error:
        for fault in error.faults:
            printing.talk(safe_line(fault.message, 500))
        return error.exit_code
    restarted = False
    if launched is not None:
        race, restarted = elastic.race(race, launched, runs)
    for kind, path in _exports(arguments):
        exports.check(kind, path)
    if arguments.seeds is not None:
        return many_seeds.run(race.spec, arguments, _exports(arguments))
    race_views.refuse(arguments.view, race.spec)
    training = _Training(race, arguments, restarted=restarted)
    training.careful = launched is not None
    if race.spec.watched or (race.over and arguments.view == "curves"):
        training.show_stored()
        training.end()
        return 0

    async def work(session: Session) -> int:
        session.races_here = True
        return await training.work(session)

    code = runner.run(
        work, KernelOptions(threads=1), stop=Session.stop_training, runs=runs
    )
    if code == runner.STOPPED and not training.begun:
        printing.talk("Stopped before its first point, so there is nothing to print.")
    return code


def _race(arguments: argparse.Namespace, runs: Runs) -> Race:
    """A stored one, or a new one. Raises options.SpecError with all faults."""
    if arguments.resume is not None:
        return runs.open(arguments.resume or stored_races.newest(runs)).race
    return Race(_spec(arguments))


def _refuse(arguments: argparse.Namespace) -> None:
    """Options that do not go together. Raises UsageError."""
    if arguments.runs:
        others = ("spec", "set", "resume", "csv", "plot", "seeds", "workers")
        given = [name for name in others if getattr(arguments, name) not in _NOT_GIVEN]
        given += [kind for kind, _ in _exports(arguments)]
        if given or arguments.view != "curves":
            raise UsageError(
                "--runs lists the stored runs, with --json as one line: leave out the "
                "rest. `--resume ID` prints one of them, also with --csv."
            )
    if arguments.view != "curves" and not (arguments.plot or _exports(arguments)):
        raise UsageError(f"--view {arguments.view} needs --plot, --svg or --png.")
    told = arguments.spec or arguments.set or arguments.workers is not None
    if arguments.resume is not None and told:
        raise UsageError(
            "--resume goes on with the settings that a run has: leave out "
            "SPEC.toml, --set and --workers, or begin anew without --resume."
        )
    if arguments.seeds is not None:
        many_seeds.refuse(arguments)


def _spec(arguments: argparse.Namespace) -> RaceSpec:
    """Raises options.SpecError with all faults."""
    given = None if arguments.spec is None else _table(arguments.spec)
    changes = list(arguments.set)
    if arguments.workers is not None:
        changes.append(f"workers={arguments.workers}")
    race = options.race(given, changes, source=str(arguments.spec or ""))
    return replace(race, id="train", together=False)


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileError(f"There is no file {path}.") from error
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not a text file in UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{path} is not valid TOML: {error}.") from error


def _exports(arguments: argparse.Namespace) -> list[tuple[str, Path]]:
    """What else is to be written: kinds and paths."""
    given = [(kind, getattr(arguments, kind)) for kind in ("svg", "png", "tensorboard")]
    return [(kind, path) for kind, path in given if path is not None]


class _Training:
    """A race from its first point to the last word about it."""

    def __init__(
        self, race: Race, arguments: argparse.Namespace, *, restarted: bool = False
    ) -> None:
        """`restarted`: the points that `race` has were printed by a process before."""
        self.race = race
        self.careful = False
        """What is printed has to be on disk: this process may be started again."""
        self._restarted = restarted
        self._exports = _exports(arguments)
        self._streams = bool(arguments.json or arguments.csv)
        self._report = _report(arguments, race, begun=restarted)
        self._finished: Finished | None = None
        self._view = arguments.view
        self._picture: Picture | None = None
        """What the files show; None: the curves."""
        self.begun = False
        """There are points."""
        self._said: list[list[str]] = []

    async def work(self, session: Session) -> int:
        """Compute what is left, and report; the exit code."""
        self.show_stored()
        try:
            async for arrived in session.train(self.race.spec):
                if self.careful:
                    session.runs.flush()
                self._take(arrived)
            if self._view != "curves":
                await self._see(session)
        finally:
            try:
                self.end()
            finally:
                session.runs.flush()
                self._tell(session.runs, session.runs.place(self.race.spec.id))
        return 0

    def show_stored(self) -> None:
        """The points that were there before."""
        for name, run in self.race.runs.items():
            if run.last >= 0:
                self.begun = True
                if not self._restarted:
                    self._report.rows(name, table.rows(run))
        for finding in self.race.findings:
            self._say(finding)
        if self.race.over or self.race.spec.watched:
            ends = {n: run.end for n, run in self.race.runs.items() if run.end}
            self._finished = Finished(ends)
            self._report.finished(self._finished)

    def _take(self, arrived: Points | Finding | View | Finished) -> None:
        if self._exports or not self._streams:
            self.race.add(arrived)
        if isinstance(arrived, Points):
            self.begun = True
            self._report.rows(arrived.run, table.point_rows(arrived))
        elif isinstance(arrived, Finished):
            self._finished = arrived
            self._report.finished(arrived)
        elif isinstance(arrived, Finding):
            self._say(arrived)

    async def _see(self, session: Session) -> None:
        """Have another picture than the curves. Raises TutorError: there is none."""
        found = await race_views.seen(session, self.race, self._view, figures.WIDTH)

        def draw(width: int, height: int, marks: Marks) -> Picture:
            return race_views.drawn(found, self.race, width, height, marks)

        if isinstance(self._report, PlotReport):
            self._report.draw = draw
        self._picture = draw(figures.WIDTH, figures.HEIGHT, "braille")

    def end(self) -> None:
        """The rest of the report, and the files. Raises TutorError for the first file
        that could not be written; the others are.
        """
        if not self.begun:
            return
        self._report.end()
        problems = []
        for kind, path in self._exports:
            try:
                written = exports.write(self.race, kind, path, self._picture)
                printing.talk(f"Written: {safe_line(str(written))}")
            except TutorError as error:
                problems.append(error)
        if problems:
            raise problems[0]

    def _say(self, finding: Finding) -> None:
        """What was recognised, and what to try."""
        runs = {run.name: run for run in self.race.spec.runs}
        spec = None if self.race.spec.watched else runs.get(finding.run)
        said = explain.lines(finding, spec)
        if finding.kind == "device" and said in self._said:
            return  # of another run
        self._said.append(said)
        for line in said:
            printing.talk(line)

    def _tell(self, runs: Runs, id: str | None) -> None:
        """On what it was computed, how to have it again, and how to go on."""
        if self._finished is not None:
            where = words.computed(self._finished.runs)
            again = words.command(self.race.spec)
            printing.talk(f"{where}. The same again: {again}")
        for notice in runs.notices:
            printing.talk(notice)
        if id is not None and (self._finished is None or not self._finished.over):
            printing.talk(f"To go on with it: python -m tutor train --resume {id}")


def _report(arguments: argparse.Namespace, race: Race, *, begun: bool) -> Report:
    if arguments.json:
        return JsonReport()
    if arguments.csv:
        return CsvReport(race.spec, race, begun=begun)
    return PlotReport(race, ascii=arguments.ascii) if arguments.plot else Table(race)
