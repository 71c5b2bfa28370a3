"""`train --seeds N`: the luck meter without a screen. One race over N seeds at once, as a
table, a picture, JSON or CSV.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tutor import exports
from tutor.errors import UsageError
from tutor.exports import figures
from tutor.headless import printing, race_views, runner
from tutor.headless.race_reports import show
from tutor.kernel.base import KernelOptions
from tutor.picture import Marks, Picture
from tutor.pictures.luck import luck
from tutor.safetext import safe_line
from tutor.session import Session
from tutor.training import words
from tutor.training.luck import LuckRequest
from tutor.training.lucky import Lucky
from tutor.training.run import Race
from tutor.training.spec import RaceSpec


def refuse(arguments: argparse.Namespace) -> None:
    """What does not go with many seeds. Raises UsageError."""
    if arguments.resume is not None or arguments.view != "curves":
        raise UsageError("--seeds goes with neither --resume nor --view: leave it out.")
    if arguments.tensorboard is not None:
        raise UsageError("--seeds has no event files: use --csv, --svg or --png.")
    if not 1 <= arguments.seeds <= 10_000:
        raise UsageError("--seeds must be a whole number from 1 to 10000.")


def run(
    spec: RaceSpec, arguments: argparse.Namespace, files: Sequence[tuple[str, Path]]
) -> int:
    """The exit code; after Ctrl+C, what was computed. Raises TutorError."""

    async def work(session: Session) -> int:
        session.races_here = True
        lucky = Lucky(LuckRequest(spec, seeds=arguments.seeds))
        async for arrived in session.luck(lucky.request):
            lucky.add(arrived)
        _report(lucky, arguments)
        for kind, path in files:
            drawn = _drawn(lucky, figures.WIDTH, figures.HEIGHT, "braille")
            written = exports.write(Race(spec), kind, path, drawn)
            printing.talk(f"Written: {safe_line(str(written))}")
        again = f"{words.command(spec)} --seeds {arguments.seeds}"
        printing.talk(f"The same again: {again}")
        return 0

    return runner.run(work, KernelOptions(threads=1), stop=Session.stop_training)


def _report(lucky: Lucky, arguments: argparse.Namespace) -> None:
    if arguments.json:
        race_views.show_json(lucky)
    elif arguments.csv:
        race_views.show_csv(lucky)
    elif arguments.plot:

        def draw(width: int, height: int, marks: Marks) -> Picture:
            return _drawn(lucky, width, height, marks)

        told_apart = len(lucky.points) == 1
        show(draw, told_apart=told_apart, ascii=arguments.ascii)
    else:
        race_views.show_table(lucky)


def _drawn(lucky: Lucky, width: int, height: int, marks: Marks) -> Picture:
    return luck(lucky, width, height, log=_suggests_log(lucky), marks=marks)


def _suggests_log(lucky: Lucky) -> bool:
    medians = [
        each for band in lucky.points.values() for each in band.median if each > 0
    ]
    return bool(medians) and max(medians) > 1000 * min(medians)
