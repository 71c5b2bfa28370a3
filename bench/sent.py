"""Bytes a second to the terminal while a race computes at full speed, by view: over a
slow link, where at most 10 kB/s are promised, and over a fast one.
"""

import time

from bench.figure import Figure
from bench.keys import start_race
from bench.line import Line
from bench.start import OURS

SECONDS = 10.0
LIMIT_KB = 10.0
SIZES = ((80, 24), (120, 40))
VIEWS = ("curves", "contour", "output", "luck")
_KEYS = {"curves": "", "contour": "v", "output": "v", "luck": "vvvk"}
"""From the view before."""


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
        for view in VIEWS
    ]


def live(size: tuple[int, int], link: str) -> dict[str, float]:
    """kB/s of each view, after it has been drawn for a while."""
    rates = {}
    command = [*OURS[0], "--link", link]
    with Line(command, columns=size[0], rows=size[1]) as line:
        start_race(line)
        for view in VIEWS:
            show(line, view)
            line.read_until(time.perf_counter() + SECONDS / 2)
            line.forget()
            line.read_until(time.perf_counter() + SECONDS)
            rates[view] = len(line.output) / SECONDS / 1000
    return rates


def show(line: Line, view: str) -> None:
    """Go on to a view, from the one before it in `VIEWS`."""
    for key in _KEYS[view]:
        line.send(key)
        line.settle(0.05)


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
