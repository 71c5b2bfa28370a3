"""Iterations a second with the live screen, against the bare loop in plain torch: linear
regression with batch 4, a small net, and the three runs of 2.14.

Also by processor time: on a busy machine, or one with fewer cores than processes at
work, that is what the screen costs the computation itself.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figure import Figure
from bench.keys import start_race
from bench.line import Line
from bench.pairs import Trainers, live_against
from bench.start import OURS

LIMIT = 0.95
CELLS = {
    "line": 'model = "linear"\ndataset = "line"\nbatch = 4\nruns = [{ name = "minibatch" }]',
    "net": 'model = "mlp"\ndataset = "circle"\nwidths = [16, 16]\nbatch = 32',
}
LESSON = """
format = 1
section = "2.18"
title = "Alone"
minutes = 1

[[cells]]
id = "alone"
kind = "train"
optimiser = "sgd"
iterations = 1000000000
{cell}
"""


def run() -> list[Figure]:
    figures = []
    with Trainers() as trainers:
        for name, what in (("line", "linear, batch 4"), ("net", "net 2-16-16-1")):
            with alone(name) as line:
                figures.append(_live(line, trainers, name, what))
        with Line(OURS[0]) as line:
            start_race(line)
            figures.append(_live(line, trainers, "race", "the race of 2.14"))
    return figures


def _live(line: Line, trainers: Trainers, name: str, what: str) -> Figure:
    return live_against(line, trainers, f"bare-{name}", LIMIT, f"{what}, live")


@contextmanager
def alone(name: str) -> Iterator[Line]:
    """A screen with one run of a race at full speed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "02-18-alone.toml").write_text(LESSON.format(cell=CELLS[name]))
        with Line([*OURS[0], "2.18"], env={"TUTOR_LESSONS": folder}) as line:
            line.seconds_until(b"Alone")
            line.settle()
            line.send("\r")
            line.seconds_until(b"ready")
            line.settle()
            line.send(" ")
            line.seconds_until(b"running")
            line.settle(0.02)
            yield line


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
