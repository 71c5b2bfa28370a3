"""`%%step` for IPython. What it does is `entry`'s, which is imported at its first use."""

from typing import Any


def install(shell: Any) -> None:
    """Make the magic known; costs nothing until it is used."""
    shell.register_magic_function(_step, "cell", "step")


def _step(line: str, cell: str = "") -> Any:
    """Record what the code of this cell does with torch, and walk through it."""
    from tutor.engine import entry

    return entry.step_cell(line, cell)
