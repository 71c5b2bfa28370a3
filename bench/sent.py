"""Bytes a second to the terminal while a race computes at full speed, by view: over a
slow link, where at most 10 kB/s are promised, and over a fast one.

The luck meter's race is so long that its curves cross the picture while it is looked at.
"""

import tempfile
import time
from pathlib import Path

from bench.figure import Figure
from bench.keys import start_race
from bench.line import Line
from bench.start import OURS

SECONDS = 10.0
LIMIT_KB = 10.0
SIZES = ((80, 24), (120, 40))
VIEWS = ("curves", "contour", "output")
"""In the order of the key that changes them."""
LUCK = "luck"
LESSON = """
format = 1
section = "2.18"
title = "Lucky"
minutes = 1

[[cells]]
id = "lucky"
kind = "train"
view = "luck"
iterations = 1000
"""


def run() -> list[Figure]:
    return [figure for size in SIZES for figure in at_size(size)]


def at_size(size: tuple[int, int]) -> list[Figure]:
    """The same over both links."""
    slow, fast = (live(size, link) for link in ("slow", "fast"))
    return [
        Figure(
            f"sent, slow link, {view}, {size[0]}x{size[1]}",
            slow[view],
            fast[view],
            "kB/s",
            f"{LIMIT_KB:.0f} kB/s",
            slow[view] <= LIMIT_KB,
            "other: over a fast link",
        )
        for view in (*VIEWS, LUCK)
    ]


def live(size: tuple[int, int], link: str) -> dict[str, float]:
    """kB/s of each view, after it has been drawn for a while."""
    rates = {}
    command = [*OURS[0], "--link", link]
    with Line(command, columns=size[0], rows=size[1]) as line:
        start_race(line)
        for view in VIEWS:
            if view != VIEWS[0]:
                line.send("v")
                line.settle(0.05)
            line.read_until(time.perf_counter() + SECONDS / 2)
            line.forget()
            line.read_until(time.perf_counter() + SECONDS)
            rates[view] = len(line.output) / SECONDS / 1000
    return {**rates, LUCK: luck(size, link)}


def luck(size: tuple[int, int], link: str) -> float:
    """kB/s of the luck meter from its first picture, for as long as it computes."""
    command = [*OURS[0], "2.18", "--link", link]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "02-18-lucky.toml").write_text(LESSON)
        lessons = {"TUTOR_LESSONS": folder}
        with Line(command, columns=size[0], rows=size[1], env=lessons) as line:
            line.seconds_until(b"Lucky")
            line.settle()
            line.send("\r")
            line.seconds_until(b"ready")
            line.settle()
            line.send("k")
            line.seconds_until(b"to beat")
            line.forget()
            began = time.perf_counter()
            while (spent := time.perf_counter() - began) < SECONDS:
                line.read_until(time.perf_counter() + 0.1)
                if b"ready" in line.output:  # it is over
                    break
            if spent < SECONDS / 4:
                raise RuntimeError(f"the luck meter was over within {spent:.1f} s")
            return len(line.output) / spent / 1000


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
