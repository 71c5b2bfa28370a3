"""The Kernel protocol: all that Session knows of the process that runs the code.

`kernel.jupyter` implements it on ipykernel; `tests/fake_kernel.py` follows a script.
"""

import enum
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tutor.kernel.outputs import Output


class KernelState(enum.Enum):
    """Where a kernel is; the value is the word shown to the learner."""

    OFF = "off"
    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    INTERRUPTING = "interrupting"
    RESTARTING = "restarting"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Completion:
    """What Tab offers: each match replaces code[start:end]."""

    matches: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class KernelOptions:
    """How to start a kernel."""

    cwd: Path | None = None
    """None: a private scratch folder, removed with the kernel."""
    path_last: tuple[Path, ...] = ()
    """Folders that come last on sys.path, so that nothing there shadows torch."""
    threads: int | None = None
    """torch threads; None leaves torch's own choice."""


class Kernel(Protocol):
    """One process that executes code, one cell at a time."""

    @property
    def state(self) -> KernelState:
        """Changes are told to `watch`."""
        ...

    @property
    def cause(self) -> str | None:
        """Why it is DEAD, as a sentence; None otherwise."""
        ...

    def watch(self, told: Callable[[KernelState], None]) -> None:
        """Call `told` on the event loop after every change of state."""
        ...

    async def start(self) -> None:
        """Ready when it returns; MachineError when it cannot start."""
        ...

    def execute(
        self, code: str, *, quiet: bool = False, stdin: bool = False
    ) -> AsyncIterator[Output]:
        """Outputs as they come, `Done` last, always, even when the kernel dies.

        It begins now, whether or not it is iterated; the state is no longer BUSY when
        `Done` comes, unless another execute waits.
        `quiet`: a call of ours; it changes no history and no execution count.
        `stdin`: `input()` is allowed and arrives as InputRequest.
        A second execute waits for the first. On a dead kernel: `Done("died", cause)`.
        """
        ...

    def reply(self, text: str) -> None:
        """Answer the pending InputRequest."""
        ...

    async def complete(self, code: str, cursor: int) -> Completion | None:
        """None when the kernel is busy, dead or slow: completion never delays typing.

        cursor counts characters from the start of `code`.
        """
        ...

    async def interrupt(self) -> None:
        """Ask the running cell to stop, and forget the cells that wait behind it."""
        ...

    async def kill(self) -> None:
        """End the process now; a running `execute` gets `Done("died")`."""
        ...

    async def restart(self) -> None:
        """A new process, an empty namespace; what is executed meanwhile waits for it.

        MachineError when it cannot start. An idle process ends as a script ends.
        """
        ...

    async def stop(self) -> None:
        """End the process and everything it started; state OFF."""
        ...
