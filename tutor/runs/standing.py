"""Where a race stands, as a small file that is replaced as a whole: a line to list it
by, and a line with what is needed to go on.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from tutor import wire
from tutor.training.run import Points, Stopped
from tutor.training.spec import Kept, RaceSpec

VERSION = 1


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list of runs shows."""

    started: float
    """Seconds since the epoch."""
    spec: RaceSpec
    iteration: int
    """Where the race stands (`writer.stands_at`)."""
    stopped: Stopped
    """interrupted: some run can go on."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it."""

    summary: Summary
    kept: tuple[Kept, ...]
    """Of each run that can go on from a state."""
    lasts: tuple[Points, ...]
    """The last point of each run, which a thinned log may lack."""


@dataclass(frozen=True, slots=True)
class _Rest:
    kept: tuple[Kept, ...]
    lasts: tuple[Points, ...]


def text(standing: Standing) -> str:
    """The whole text of the file."""
    rest = _Rest(standing.kept, standing.lasts)
    lines = [{"version": VERSION, **wire.to_json(standing.summary)}, wire.to_json(rest)]
    return "".join(
        json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n"
        for line in lines
    )


def summary(path: Path) -> Summary | None:
    """The first line; None when it is not there or cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            raw = json.loads(file.readline())
        if raw["version"] != VERSION:
            return None
        found: Summary = wire.from_json(Summary, raw)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found


def read(path: Path) -> Standing | None:
    """All of it; None when it is not there or not whole."""
    first = summary(path)
    if first is None:
        return None
    try:
        line = path.read_text(encoding="utf-8").split("\n")[1]
        rest: _Rest = wire.from_json(_Rest, json.loads(line))
    except (OSError, ValueError, IndexError, RecursionError):
        return None
    return Standing(first, rest.kept, rest.lasts)


def replace(path: Path, standing: Standing) -> None:
    """Write it in place of the one before. Raises OSError."""
    part = path.with_suffix(".part")
    part.write_text(text(standing), encoding="utf-8")
    part.replace(path)
