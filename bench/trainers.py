"""Iterations a second of a small net: the live screen against a bare loop, Lightning and
Keras; the compiled engine against the eager one.

Each trainer is a process of its own (`trainer_one`), in turn, several times; the medians
count. Lightning and Keras are measured where they can be imported.
"""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from bench.figure import Figure, quantile
from bench.line import Line
from bench.race import live
from bench.start import OURS

SECONDS = 3.0
ROUNDS = 3
PLAYGROUND = 8475 / 7001
"""TensorFlow Playground's own engine under node, relative to the bare loop without a
loss on all the data, as measured once beside it on one core."""
LESSON = """
format = 1
section = "2.18"
title = "A net"
minutes = 1

[[cells]]
id = "net"
kind = "train"
model = "mlp"
dataset = "circle"
widths = [16, 16]
batch = 32
optimiser = "sgd"
iterations = 1000000000
"""


def run() -> list[Figure]:
    peers = {"lightning": "pytorch_lightning", "keras": "keras"}
    there = [name for name, module in peers.items() if find_spec(module)]
    rates: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "02-18-a-net.toml").write_text(LESSON)
        with Line([*OURS[0], "2.18"], env={"TUTOR_LESSONS": folder}) as line:
            _start(line)
            for _ in range(ROUNDS):
                rates.setdefault("live", []).append(live(line))
                line.send(" ")
                line.settle()
                for name in ("bare", *there):
                    rates.setdefault(name, []).append(one(name))
                line.send(" ")
                line.settle(0.02)
    figures = [_against(rates, "live", "bare", 0.95, "net, live screen")]
    for name, limit in (("lightning", 5.0), ("keras", 7.0)):
        if name in there:
            figures.append(_against(rates, "live", name, limit, f"net, live, {name}"))
    return figures + engines()


def engines() -> list[Figure]:
    """The compiled engine; its first call waits for the compiler."""
    names = ("unwatched", "compiled", "eager-race", "compiled-race")
    rates: dict[str, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for name in names:
            rates.setdefault(name, []).append(one(name))
    return [
        _against(rates, "compiled-race", "eager-race", 10, "race 2.14, compiled"),
        _against(rates, "compiled", "unwatched", PLAYGROUND, "net, compiled"),
    ]


def _start(line: Line) -> None:
    line.seconds_until(b"A net")
    line.settle()
    line.send("\r")
    line.seconds_until(b"ready")
    line.settle()
    line.send(" ")
    line.seconds_until(b"running")
    line.settle(0.02)


def one(name: str) -> tuple[float, float]:
    """Iterations a second of the clock, and of the processor."""
    command = [sys.executable, "-m", "bench.trainer_one", name, str(SECONDS)]
    printed = subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL)
    (result,) = (each for each in printed.splitlines() if each.startswith("RESULT"))
    _, clock, cpu = result.split()
    return float(clock), float(cpu)


def _against(
    rates: dict[str, list[tuple[float, float]]],
    ours: str,
    other: str,
    limit: float,
    what: str,
) -> Figure:
    mine, my_cpu = (quantile(each, 0.5) for each in zip(*rates[ours], strict=True))
    theirs, their_cpu = (
        quantile(each, 0.5) for each in zip(*rates[other], strict=True)
    )
    return Figure(
        what,
        mine,
        theirs,
        "/s",
        f"{limit:.3g}x",
        mine / theirs >= limit,
        f"{my_cpu / their_cpu:.2f}x by processor time; other: {other}",
    )


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
