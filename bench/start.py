"""From the command to the first frame: `python -m tutor` against a bare Textual app."""

import sys

from bench.figure import Figure, quantile
from bench.line import Line

OURS = [sys.executable, "-m", "tutor"], b"Impatient", b"quit"
BARE = [sys.executable, "-m", "bench.hello"], b"Hello, world", b""
PAIRS = 11
LIMIT = 1.5


def first_frame(command: list[str], *parts: bytes) -> float:
    """Milliseconds until every part of the frame was painted."""
    with Line(command) as line:
        return max(line.seconds_until(part) for part in parts) * 1000


def run() -> list[Figure]:
    """The median of alternating starts, the first pair left out."""
    ours, bare = [], []
    for _ in range(PAIRS):
        bare.append(first_frame(BARE[0], *BARE[1:]))
        ours.append(first_frame(OURS[0], *OURS[1:]))
    mine, other = quantile(ours[1:], 0.5), quantile(bare[1:], 0.5)
    note = f"{PAIRS - 1} alternating starts, 80x24; other: a bare Textual app"
    return [
        Figure(
            "first frame",
            mine,
            other,
            "ms",
            f"{LIMIT}x",
            mine / other <= LIMIT,
            note,
        )
    ]


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
