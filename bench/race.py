"""Iterations a second with the live screen, against the bare loop in plain torch.

Also by processor time: on a busy machine, or one with fewer cores than processes at
work, that is what the screen costs the computation itself.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from bench.figure import Figure, quantile
from bench.keys import start_race
from bench.line import Line
from bench.start import OURS

SECONDS = 4.0
PAIRS = 3
LIMIT = 0.95
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
            bare.append(tuple(map(float, printed.split())))
            line.send(" ")
            line.settle(0.02)
    mine, my_cpu = (quantile(each, 0.5) for each in zip(*ours, strict=True))
    other, other_cpu = (quantile(each, 0.5) for each in zip(*bare, strict=True))
    return [
        Figure(
            "iterations/s, live screen",
            mine,
            other,
            "/s",
            f"{LIMIT}x",
            mine / other >= LIMIT,
            f"{my_cpu / other_cpu:.2f}x by processor time; {PAIRS} alternating times "
            f"{SECONDS:.0f} s; other: plain torch, not drawn",
        )
    ]


def live(line: Line) -> tuple[float, float]:
    """Iterations a second, as the title counts them; of the clock, of the kernel's."""
    first, began = shown(line)
    before = {pid: cpu_seconds(pid) for pid in line.alive()}
    line.read_until(time.perf_counter() + SECONDS)
    last, ended = shown(line)
    busiest = max(cpu_seconds(pid) - seconds for pid, seconds in before.items())
    return (last - first) / (ended - began), (last - first) / busiest


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shown(line: Line) -> tuple[int, float]:
    """The iteration in the title, freshly painted, and when."""
    line.forget()
    line.seconds_until_match(_ITERATION)
    number = _ITERATION.findall(line.output)[-1]
    return int(b"".join(number.split())), time.perf_counter()


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
