"""`train`: compute a race in a kernel and print its points, as JSON lines, CSV, a table
or a plot. The formats are command-line.md's promise.

Runs are computed in turn, so that the lines come run by run while they are computed.
"""

import argparse
import tomllib
from pathlib import Path
from typing import Any

from tutor.errors import FileError, TutorError
from tutor.headless import printing, runner
from tutor.headless.race_reports import (
    CsvReport,
    JsonReport,
    PlotReport,
    Report,
    Table,
)
from tutor.kernel.base import KernelOptions
from tutor.safetext import safe_line
from tutor.session import Session
from tutor.training import options
from tutor.training.run import Finished, Points
from tutor.training.spec import RaceSpec


def run(arguments: argparse.Namespace) -> int:
    """0 also when a run diverged: that is what it did. 2 when the settings are bad."""
    try:
        table = None if arguments.spec is None else _table(arguments.spec)
        race = options.race(table, arguments.set, source=str(arguments.spec or ""))
    except options.SpecError as error:
        for fault in error.faults:
            printing.talk(safe_line(fault.message, 500))
        return error.exit_code
    race = RaceSpec(race.runs, race.title, together=False)

    async def work(session: Session) -> int:
        session.races_here = True
        return await train(session, race, _report(arguments, race))

    return runner.run(work, KernelOptions(threads=1), stop=Session.stop_training)


async def train(session: Session, race: RaceSpec, report: Report) -> int:
    """Compute the race and report; the exit code."""
    try:
        async for arrived in session.train(race):
            if isinstance(arrived, Points | Finished):
                report.take(arrived)
    except TutorError:
        report.end()
        raise
    report.end()
    return 0


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


def _report(arguments: argparse.Namespace, race: RaceSpec) -> Report:
    if arguments.json:
        return JsonReport()
    if arguments.csv:
        return CsvReport()
    return PlotReport(race, ascii=arguments.ascii) if arguments.plot else Table(race)
