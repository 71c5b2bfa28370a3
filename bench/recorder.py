"""What recording costs: a forward and a backward pass, beside the same without it.

A process for each way of watching, by turns, on one thread. Counted are the opening and
the closing of the recorder; what is done when the trace is asked for stands in the note.
"""

import importlib.util
import json
import subprocess
import sys
from collections import defaultdict
from typing import Any

from bench.figure import Figure, quantile
from bench.recorder_one import ALONE, PEERS

PROGRAMS = {"seed": (400, 3.0), "mlp": (200, 3.0), "resnet": (4, 1.5), "gpt": (3, 1.5)}
"""Repeats in a process, and the promise."""
ROUNDS = 2
OTHERS = ("function mode", "dispatch log")


def run() -> list[Figure]:
    """A row for each program, by the minimum of all repeats; and one for each other."""
    figures = []
    for program, (repeats, limit) in PROGRAMS.items():
        took, events = measured(program, repeats)
        plain, ours = (min(took[each]) * 1e3 for each in ("plain", "recorder"))
        medians = [quantile(took[each], 0.5) for each in ("recorder", "plain")]
        note = f"median {medians[0] / medians[1]:.2f}x; then events {events:.1f} ms"
        figures.append(
            Figure(
                f"recorder, {program}",
                ours,
                plain,
                "ms",
                f"{limit}x",
                ours / plain <= limit,
                note,
            )
        )
        figures += [beside(program, way, took, plain) for way in (*OTHERS, *PEERS)]
    return figures


def beside(
    program: str, way: str, took: dict[str, list[float]], plain: float
) -> Figure:
    """The row of another way of watching; it promises nothing."""
    name = f"  {way}, {program}"
    if way not in took:
        return Figure(name, None, None, "ms", "", None, "not installed")
    note = "its forward pass alone" if way in ALONE else ""
    return Figure(name, min(took[way]) * 1e3, plain, "ms", "", None, note)


def measured(program: str, repeats: int) -> tuple[dict[str, list[float]], float]:
    """Seconds a step by way of watching; milliseconds until the events are there."""
    took: dict[str, list[float]] = defaultdict(list)
    later: list[float] = []
    installed = [each for each in PEERS if importlib.util.find_spec(each) is not None]
    for _ in range(ROUNDS):
        for way in ("plain", "recorder", *OTHERS, *installed):
            # These take up to a thousand times as long at each step.
            found = one(program, way, min(repeats, 10) if way in ALONE else repeats)
            took[way] += found["seconds"][1:]
            later += found["events"]
    return took, min(later) * 1e3


def one(program: str, way: str, repeats: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.recorder_one", program, way, str(repeats)]
    found: dict[str, Any] = json.loads(subprocess.check_output(command, text=True))
    return found


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
