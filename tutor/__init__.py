"""A terminal tutor for PyTorch. Imports nothing: importing any part runs this.

In the learner's kernel `tutor.step(f, x)` walks code of the learner's own (`engine.entry`)
and `tutor.watch(loss)` shows a training loop of theirs (`engine.watch`).
"""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`step` needs torch, so it is imported when it is first used; `watch` as well."""
    if name == "step":
        from tutor.engine.entry import step

        return step
    if name == "watch":
        from tutor.engine.watch import watch

        globals()[name] = watch  # a loop asks for it in each iteration
        return watch
    raise AttributeError(f"module 'tutor' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", "step", "watch"]
