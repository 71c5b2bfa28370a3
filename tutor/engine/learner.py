"""What the learner's code left behind, as a check sees it: copies of the names, and a
note of each call into the learner's functions.

A function is bound anew to the copied names, so that its `global` reaches no further.
"""

import copy
import functools
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from tutor.engine.short import short
from tutor.source import bound_names


class CheckFailedError(Exception):
    """Something does not hold of the learner's code."""

    def __init__(
        self, message: str, detail: str = "", got: object = None, wanted: object = None
    ) -> None:
        super().__init__(message)
        self.message = message
        """A sentence for the learner."""
        self.detail = detail
        self.got = got
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call into the learner's code."""

    name: str
    """"" for a positional one whose name is not known."""
    value: object
    before: object
    """A copy of the value as it was before the call."""

    def __str__(self) -> str:
        label = f"{self.name} = " if self.name else ""
        return label + short(self.before, 40)


@dataclass(slots=True)
class Calls:
    """What is known of the calls into the learner's functions."""

    function: str = ""
    arguments: tuple[Argument, ...] = ()
    """Of the last call."""
    returned_none: bool = False
    escaped: BaseException | None = None
    """What the last call that raised, raised."""

    def before(self, value: object) -> object:
        """The copy of an argument of the last call; LookupError when it was none."""
        for argument in self.arguments:
            if argument.value is value:
                return argument.before
        raise LookupError("not an argument of the last call")

    def forget(self) -> None:
        """A new case begins."""
        self.function, self.arguments, self.returned_none = "", (), False


class Learner:
    """`learner.step` is what the learner's code left under the name `step`."""

    def __init__(self, namespace: dict[str, Any], code: str, calls: Calls) -> None:
        vars(self)["_names"] = copied_names(namespace)
        vars(self)["_bound"] = bound_names(code)
        vars(self)["_calls"] = calls

    def __getattr__(self, name: str) -> Any:
        names: dict[str, Any] = vars(self)["_names"]
        if name not in names:
            raise CheckFailedError(f"There is no `{name}` yet.")
        value = names[name]
        made = isinstance(value, types.FunctionType) or (
            isinstance(value, type) and value.__module__ == "__main__"
        )
        if made and name not in vars(self)["_bound"]:
            # It is left over from an earlier try or another cell.
            raise CheckFailedError(f"This cell does not define `{name}`.")
        if isinstance(value, types.FunctionType):
            return _noted(value, vars(self)["_calls"])
        return value

    def __setattr__(self, name: str, value: object) -> None:
        vars(self)["_names"][name] = value


def names_of(learner: Learner) -> dict[str, Any]:
    """The copied names; the learner's functions have them as their globals."""
    names: dict[str, Any] = vars(learner)["_names"]
    return names


def copied_names(namespace: dict[str, Any]) -> dict[str, Any]:
    """A shallow copy in which the namespace's functions see the copy."""
    names = dict(namespace)
    for name, value in namespace.items():
        if isinstance(value, types.FunctionType) and value.__globals__ is namespace:
            names[name] = _bound_to(value, names)
    return names


def _bound_to(function: types.FunctionType, names: dict[str, Any]) -> object:
    bound = types.FunctionType(
        function.__code__,
        names,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    bound.__kwdefaults__ = function.__kwdefaults__
    bound.__qualname__ = function.__qualname__
    bound.__dict__.update(function.__dict__)
    return bound


def _noted(function: types.FunctionType, calls: Calls) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        note_call(calls, function, args, kwargs)
        try:
            returned = function(*args, **kwargs)
        except BaseException as error:
            calls.escaped = error
            raise
        calls.returned_none = returned is None
        return returned

    return call


def note_call(
    calls: Calls,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """Keep what the function is called with, copied, before it can change it."""
    calls.function = getattr(function, "__name__", "")
    calls.arguments = _arguments(function, args, kwargs)
    calls.returned_none = False


def _arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Argument, ...]:
    try:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        positional = [Argument("", value, copied(value)) for value in args]
        named = [Argument(name, value, copied(value)) for name, value in kwargs.items()]
        return (*positional, *named)
    return tuple(Argument(name, value, copied(value)) for name, value in bound.items())


def copied(value: Any) -> Any:
    """A deep copy, also of a tensor inside a graph; what cannot be copied, itself."""
    if isinstance(value, torch.Tensor):
        twin = value.detach().clone().requires_grad_(value.requires_grad)
        if value.is_leaf and value.grad is not None:
            twin.grad = value.grad.detach().clone()
        return twin
    if type(value) in (list, tuple):
        return type(value)(copied(each) for each in value)
    if type(value) is dict:
        return {name: copied(each) for name, each in value.items()}
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - a learner's class may refuse in any way
        return value


@dataclass(slots=True)
class Case:
    """Which of a check's inputs is tried."""

    number: int = 0
    """From 1; 0 outside of a loop over cases."""
    count: int = 0
    told: str = ""
    """What the check tells of this input; "": what was called with what."""
    calls: Calls = field(default_factory=Calls)

    def describe(self) -> str:
        """ "case 2 of 5: x = [1., 2.]", on more lines when long; "" when unknown."""
        parts = [str(argument) for argument in self.calls.arguments]
        if self.told:
            parts = self.told.splitlines()
        head = f"case {self.number} of {self.count}:" if self.number else "for"
        if not parts:
            return head.rstrip(":") if self.number else ""
        line = f"{head} {', '.join(parts)}"
        if len(line) <= 70:
            return line
        return "\n".join([head, *(f"  {part}" for part in parts)])
