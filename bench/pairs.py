"""Two sides in turn, in short pieces: the speed of a machine wanders within seconds, what
they have in common does not. The median of the ratios of neighbouring pieces counts.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.figure import Figure, quantile
from bench.line import Line

ROUNDS = 12
SECONDS = 1.0
Rate = tuple[float, float]
"""Iterations a second: of the clock, of the processor's time."""
_ITERATION = re.compile(rb"iteration ([\d\s]+) of")


class Trainers:
    """The process of `trainer_one`; it works only while it is asked to."""

    def __enter__(self) -> "Trainers":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.trainer_one"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self

    def rate(self, name: str, seconds: float = SECONDS) -> Rate:
        """Of a trainer's next piece; the first one takes longer, to get warm."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(name, seconds, file=self._process.stdin, flush=True)
        clock, cpu = self._process.stdout.readline().split()
        return float(clock), float(cpu)

    def __exit__(self, *failure: object) -> None:
        self._process.kill()
        self._process.wait()


def live(line: Line, seconds: float = SECONDS) -> Rate:
    """As the title of a race that runs counts them; of the processor: the kernel's."""
    first, began = _shown(line)
    before = {pid: _cpu_seconds(pid) for pid in line.alive()}
    line.read_until(time.perf_counter() + seconds)
    last, ended = _shown(line)
    busiest = max(_cpu_seconds(pid) - spent for pid, spent in before.items())
    return (last - first) / (ended - began), (last - first) / busiest


def live_against(
    line: Line, trainers: Trainers, name: str, limit: float, what: str
) -> Figure:
    """The race on the screen, which is paused while the other one runs."""

    def other() -> Rate:
        line.send(" ")
        line.settle()
        rate = trainers.rate(name)
        line.send(" ")
        line.seconds_until_match(_ITERATION)
        line.settle(0.02)
        return rate

    trainers.rate(name, 0.1)
    return against(lambda: live(line), other, limit, what, name)


def against(
    ours: Callable[[], Rate],
    other: Callable[[], Rate],
    limit: float,
    what: str,
    name: str,
    rounds: int = ROUNDS,
) -> Figure:
    """Of alternating pieces."""
    pairs = [(ours(), other()) for _ in range(rounds)]
    clock, cpu = (
        quantile([mine[at] / theirs[at] for mine, theirs in pairs], 0.5)
        for at in (0, 1)
    )
    theirs = quantile([each[0] for _, each in pairs], 0.5)
    return Figure(
        what,
        clock * theirs,
        theirs,
        "/s",
        f"{limit:.3g}x",
        clock >= limit,
        f"{cpu:.2f}x by processor time; median of {rounds} pairs; other: {name}",
    )


def _cpu_seconds(pid: int) -> float:
    """What a process has used so far, proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _shown(line: Line) -> tuple[int, float]:
    """The iteration in the title, freshly painted, and when."""
    line.forget()
    line.seconds_until_match(_ITERATION)
    number = _ITERATION.findall(line.output)[-1]
    return int(b"".join(number.split())), time.perf_counter()
