"""From a key to its paint while a race computes and draws at full speed: at 80x24 and at
120x40, with the curves, the contour and the output live.
"""

import random
import re
import time

from bench.figure import Figure, quantile
from bench.line import Line
from bench.start import OURS

KEYS = 300
SIZES = ((80, 24), (120, 40))
VIEWS = ("curves", "contour", "output")
"""In the order of the key that changes them."""
LIMIT_MS = 50.0
SETTINGS = (
    *("lr", "batch", "optimiser", "iterations", "speed", "seed", "noise", "dataset"),
    *("model", "loss", "test", "points", "decay", "slip", "engine", "workers"),
)
_MORE_ITERATIONS = 12
_PAUSE_S = 0.03, 0.13


def run() -> list[Figure]:
    """The 99th percentile of moves of the mark over the settings."""
    return [figure for size in SIZES for figure in at_size(*size)]


def at_size(columns: int, rows: int) -> list[Figure]:
    """One race, looked at in one way after the other."""
    figures = []
    with Line(OURS[0], columns=columns, rows=rows) as line:
        start_race(line)
        at = 0
        for view in VIEWS:
            times = [move(line, at + number) for number in range(KEYS)]
            at += KEYS
            line.forget()
            line.seconds_until(b"running")  # the race was live to the end
            p50, p99 = (quantile(times, share) * 1000 for share in (0.5, 0.99))
            figures.append(
                Figure(
                    f"key to paint, {view} live, {columns}x{rows}",
                    p99,
                    None,
                    "ms",
                    f"{LIMIT_MS:.0f} ms",
                    p99 <= LIMIT_MS,
                    f"p99 of {KEYS} keys, p50 {p50:.0f} ms, "
                    f"max {max(times) * 1000:.0f} ms",
                )
            )
            line.send("v")
            line.settle(0.1)
    return figures


def start_race(line: Line) -> None:
    """As many iterations as there can be, as fast as they come."""
    line.seconds_until(b"quit")
    line.send("t")
    line.seconds_until(b"of 25")
    for number in range(1, len(SETTINGS)):
        line.send("j")
        line.seconds_until_match(marked(SETTINGS[number]))
        if SETTINGS[number] in ("iterations", "speed"):
            line.send("+" * _MORE_ITERATIONS)
            line.settle()
    line.send(" ")
    line.seconds_until(b"running")
    line.settle(0.02)


def move(line: Line, number: int) -> float:
    """Seconds from pressing j to the painted mark at the next setting."""
    pause = time.perf_counter() + random.Random(number).uniform(*_PAUSE_S)
    line.read_until(pause)
    line.forget()
    began = time.perf_counter()
    line.send("j")
    return line.seconds_until_match(marked(SETTINGS[number % len(SETTINGS)]), began)


def marked(setting: str) -> re.Pattern[bytes]:
    """The mark, colours, the setting's name."""
    return re.compile(rb"\xe2\x96\x8c(?:\x1b\[[\d;]*m)*" + setting.encode() + rb"\b")


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
