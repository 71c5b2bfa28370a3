"""Iterations a second with the live screen, against the bare loop in plain torch."""

import re
import subprocess
import sys
import time

from bench.figure import Figure, quantile
from bench.keys import start_race
from bench.line import Line
from bench.start import OURS

SECONDS = 4.0
PAIRS = 3
LIMIT = 0.9
_ITERATION = re.compile(rb"iteration ([\d\s]+) of")
_BARE = [sys.executable, "-m", "bench.bare_race", str(SECONDS)]


def run() -> list[Figure]:
    """The medians of alternating pieces; the race is paused while the other runs."""
    ours, bare = [], []
    with Line(OURS[0]) as line:
        start_race(line)
        for _ in range(PAIRS):
            ours.append(live(line))
            line.send(" ")
            line.settle()
            printed = subprocess.check_output(_BARE, text=True)
            bare.append(float(printed))
            line.send(" ")
            line.settle(0.02)
    mine, other = quantile(ours, 0.5), quantile(bare, 0.5)
    return [
        Figure(
            "iterations/s, live screen",
            mine,
            other,
            "/s",
            f"{LIMIT}x",
            mine / other >= LIMIT,
            f"{PAIRS} alternating times {SECONDS:.0f} s; other: plain torch, not drawn",
        )
    ]


def live(line: Line) -> float:
    """Iterations a second, as the title counts them."""
    first, began = shown(line)
    line.read_until(time.perf_counter() + SECONDS)
    last, ended = shown(line)
    return (last - first) / (ended - began)


def shown(line: Line) -> tuple[int, float]:
    """The iteration in the title, freshly painted, and when."""
    line.forget()
    line.seconds_until_match(_ITERATION)
    number = _ITERATION.findall(line.output)[-1]
    return int(b"".join(number.split())), time.perf_counter()


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
