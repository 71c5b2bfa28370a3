"""Processes that compute a race together: how one is started, and what a launcher of the
reader's (`torchrun`) told this one. Stdlib only; computing is `engine.worker`.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import tutor

_WORK = """\
import importlib.util, sys
spec = importlib.util.spec_from_file_location("tutor", {package!r})
sys.modules["tutor"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["tutor"])
from tutor.engine.worker import main
main()
"""
"""It gets our very copy of the package, and sys.path stays as it is."""


def command(*arguments: str) -> list[str]:
    """The command line of one worker."""
    return [
        sys.executable,
        "-P",
        "-c",
        _WORK.format(package=tutor.__file__),
        *arguments,
    ]


@dataclass(frozen=True, slots=True)
class Launched:
    """An elastic launcher started this process, or one that started it."""

    rank: int
    """Of this one; 0 is the first."""
    workers: int
    """On all machines."""
    restarts: int
    """How often all of them were started again."""


def launched(environment: Mapping[str, str] = os.environ) -> Launched | None:
    """What the launcher told; None: there is none."""
    if "TORCHELASTIC_RUN_ID" not in environment:
        return None
    try:
        return Launched(
            int(environment["RANK"]),
            int(environment["WORLD_SIZE"]),
            int(environment.get("TORCHELASTIC_RESTART_COUNT", "0")),
        )
    except (KeyError, ValueError):
        return None
