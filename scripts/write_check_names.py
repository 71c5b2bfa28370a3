"""Write docs/check-names.md from the names' own docstrings."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tutor.engine.check_names import CheckNames, names_at_hand

TARGET = Path(__file__).parents[1] / "docs" / "check-names.md"

_HEAD = """# Names at hand in a check

<!-- Made from tutor/engine/check_names.py by scripts/write_check_names.py. -->

A lesson's `check`, each `when` of a wrong answer and each expression of `expect` are
executed in the kernel, in a copy of the learner's namespace, and may use the names below.
They win over names of the learner. `torch`, `nn`, `F` and `math` are at hand too, with
torch's true functions whatever the learner replaced.

`learner.step` is what the learner's code left under the name `step`; without it the check
fails with "There is no `step` yet.". A function or a class must come from this very cell. A
check passes when it comes to its end. Random numbers are seeded and put back, as are grad
mode, default dtype and device; values are the author's duty: give a learner's function
`copied(x)` where it could change a tensor of the learner.

A `when` is evaluated where the check failed, so it sees the check's variables, and besides
`got` and `wanted` of the `close` or `equal` that failed (None for another check), and
`error`, "Type: message" when the learner's code raised, else "". The first `when` that is
true names the mistake; one that raises counts as false."""


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for name in names_at_hand():
        method = getattr(CheckNames, name)
        parts.append(f"## `{name}{_parameters(method)}`\n\n{inspect.getdoc(method)}")
    return "\n\n".join(parts) + "\n"


def _parameters(method: Callable[..., Any]) -> str:
    """Like "(got, want, what='the result')"."""
    own = list(inspect.signature(method).parameters.values())[1:]
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in own]
    return str(inspect.Signature(bare))


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
