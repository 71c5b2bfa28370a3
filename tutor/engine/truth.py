"""The true functions of torch and Python, remembered before a learner could touch them.

Import this before any code of the learner runs. `true_functions` puts them back while a
check runs, and the learner's own replacements after it.
"""

import builtins
import contextlib
import math
import types
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional

_OWNERS: dict[str, Any] = {
    "torch": torch,
    "torch.Tensor": torch.Tensor,
    "torch.nn": torch.nn,
    "torch.nn.functional": torch.nn.functional,
    "torch.nn.Module": torch.nn.Module,
    "torch.autograd": torch.autograd,
    "torch.linalg": torch.linalg,
    "torch.optim": torch.optim,
    "torch.testing": torch.testing,
    "math": math,
    "builtins": builtins,
}
_REPLACED_BY_OTHERS = frozenset(
    {
        *("input", "print", "open", "exit", "quit", "help", "breakpoint", "display"),
        *("get_ipython", "license", "credits", "copyright"),
        *("__import__", "__build_class__"),
    }
)
"""Builtins that the kernel, a debugger or a library replaces for its own ends."""

_MISSING: Any = object()


def _is_function(name: str, value: object) -> bool:
    private = name.startswith("_") and not name.endswith("__")
    known = callable(value) and not isinstance(value, types.ModuleType)
    return known and not private and name not in _REPLACED_BY_OTHERS


_TRUE: dict[str, dict[str, Any]] = {
    title: {
        name: value for name, value in vars(owner).items() if _is_function(name, value)
    }
    for title, owner in _OWNERS.items()
}

_TRUE_IDS = frozenset(id(value) for each in _TRUE.values() for value in each.values())


def _is_torchs_own(value: object) -> bool:
    """torch wraps some of its functions late (torch._dynamo, at its import)."""
    of_torch = getattr(value, "__module__", None) or ""
    is_python = isinstance(value, types.FunctionType)
    return is_python and of_torch.startswith("torch.") and id(value) not in _TRUE_IDS


@contextlib.contextmanager
def true_functions() -> Iterator[tuple[str, ...]]:
    """Within, torch and the builtins are as they were; yields what was replaced.

    Names like "torch.add". On leaving, the replacements are back.
    """
    replaced = list(_replaced())
    for owner, name, true, _ in replaced:
        _bind(_OWNERS[owner], name, true)
    try:
        yield tuple(f"{owner}.{name}" for owner, name, _, _ in replaced)
    finally:
        for owner, name, _, own in replaced:
            _bind(_OWNERS[owner], name, own)


def restore() -> None:
    """Put back for good what a learner replaced."""
    for owner, name, true, _ in list(_replaced()):
        _bind(_OWNERS[owner], name, true)


def _replaced() -> Iterator[tuple[str, str, Any, Any]]:
    """Owner, name, the true function, and what is there now."""
    for title, true in _TRUE.items():
        now = vars(_OWNERS[title])
        for name, value in true.items():
            found = now.get(name, _MISSING)
            if found is not value and not _is_torchs_own(found):
                yield title, name, value, found
        if isinstance(_OWNERS[title], type):
            yield from _overriding(title, now, true)


def _overriding(
    title: str, now: Any, true: dict[str, Any]
) -> Iterator[tuple[str, str, Any, Any]]:
    """What was put on a class above a function that it inherits."""
    bases = _OWNERS[title].__mro__[1:-1]
    for name, value in list(now.items()):
        inherited = any(name in vars(base) for base in bases)
        if name in true or not inherited or not _is_function(name, value):
            continue
        if not _is_torchs_own(value):
            yield title, name, _MISSING, value


def _bind(owner: Any, name: str, value: Any) -> None:
    with contextlib.suppress(AttributeError, TypeError):
        if value is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, value)
