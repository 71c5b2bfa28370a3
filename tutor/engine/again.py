"""What `tutor.step` and `%%step` recorded, run again with other numbers in its leaves.

The last few recordings are kept. They run on copies: every tensor of the learner's that
could change has other memory meanwhile, and random numbers are drawn as the first time.
"""

import ast
import contextlib
import itertools
import linecache
import random
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from tutor.engine import running
from tutor.errors import TutorError
from tutor.graph.requests import RetraceRequest
from tutor.graph.trace import Trace, TracePart, parts

KEPT = 3
_EDITED = "__edited__"
_numbers = itertools.count(1)
_kept: "OrderedDict[str, Again]" = OrderedDict()


@dataclass(frozen=True, slots=True)
class Again:
    """One recording that can be made once more."""

    run: Callable[[Mapping[str, torch.Tensor]], Trace]
    """Given the leaves that the code makes itself, by name."""
    scope: Mapping[str, Any]
    """The learner's names as they were."""
    states: tuple[Any, Any]
    """Of the random numbers, when it began."""
    made: Mapping[str, str] = field(default_factory=dict)
    """Leaves that a statement of the code's own binds, and their dtype."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Leaves that were changed already."""


def random_states() -> tuple[Any, Any]:
    """As they are now."""
    return torch.get_rng_state(), random.getstate()


def keep(again: Again, trace: Trace) -> Trace:
    """The trace with the id under which it can be run again; the oldest is forgotten."""
    identity = trace.end.id or f"step-{next(_numbers)}"
    _kept[identity] = again
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return replace(trace, end=replace(trace.end, id=identity))


def retrace(request: RetraceRequest) -> Iterator[TracePart]:
    """Run a recording again. TutorError says why it cannot be."""
    again = _kept.get(request.trace)
    if again is None:
        raise TutorError(
            f"This walk cannot be run again: only the last {KEPT} of this kernel are "
            "kept. Run its cell once more."
        )
    values = {**again.values, **request.values}
    leaves = _leaves(again.scope)
    made, replaced = {}, {}
    for name, given in values.items():
        if name in again.made:
            made[name] = given
        elif name in leaves:
            replaced[name] = _data(name, given, leaves[name])
        else:
            raise TutorError(
                f"{name} cannot be changed from here: the code makes it where it is not "
                "seen. Change it in the code, and run that again."
            )
    fresh = {
        name: _fresh(name, given, again.made[name]) for name, given in made.items()
    }
    with _random_as_then(again), _on_copies(leaves, replaced):
        trace = again.run(fresh)
    yield from parts(keep(replace(again, values=values), trace))


def edited(text: str, file: str, leaves: Mapping[str, torch.Tensor]) -> running.Code:
    """The code, where the first statement that binds one of the leaves binds that one."""
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    tree = ast.parse(text, file)
    left = set(leaves)
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in left:
                left.remove(name)
                given = [ast.Constant(name), value]
                call = ast.Call(ast.Name(_EDITED, ast.Load()), given, [])
                statement.value = ast.copy_location(call, value)
    return running.prepared(ast.fix_missing_locations(tree), file)


def edit_names(leaves: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """What `edited` code needs among its names."""
    return {_EDITED: lambda name, made: leaves[name]}


def made_by(text: str, trace: Trace) -> dict[str, str]:
    """The leaves that a statement of the code's own binds, and their dtypes."""
    bound = {
        statement.targets[0].id
        for statement in ast.parse(text).body
        if isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
    }
    return {
        value.name: value.summary.dtype
        for value in trace.values
        if value.name in bound and value.is_leaf and value.requires_grad
    }


def _leaves(scope: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The learner's leaves, parameters and buffers, by the names they have in a trace."""
    found: dict[str, torch.Tensor] = {}
    for name, held in list(scope.items()):
        if name.startswith("_"):
            continue
        if isinstance(held, torch.Tensor):
            if held.is_leaf and not held.is_inference():
                found[name] = held
        elif isinstance(held, nn.Module):
            found.update(held.named_parameters(prefix=name))
            found.update(held.named_buffers(prefix=name))
    return found


def _data(name: str, given: Any, like: torch.Tensor) -> torch.Tensor:
    data = _tensor(name, given, like.dtype).to(like.device)
    if data.numel() == like.numel() == 1:
        return data.reshape(like.shape)
    if data.shape != like.shape:
        raise TutorError(
            f"{name} has the shape {tuple(like.shape)}, {str(given)[:60]} the shape "
            f"{tuple(data.shape)}: give as many numbers, in the same lists."
        )
    return data


def _fresh(name: str, given: Any, dtype: str) -> torch.Tensor:
    return _tensor(name, given, getattr(torch, dtype)).requires_grad_()


def _tensor(name: str, given: Any, dtype: torch.dtype) -> torch.Tensor:
    try:
        return torch.tensor(_numbers_of(given), dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise TutorError(f"{name} cannot be made of {str(given)[:60]}.") from error


def _numbers_of(given: Any) -> Any:
    if isinstance(given, (list, tuple)):
        return [_numbers_of(each) for each in given]
    return float(given) if given in ("nan", "inf", "-inf") else given


@contextlib.contextmanager
def _random_as_then(again: Again) -> Iterator[None]:
    torch_state, python_state = again.states
    now = random.getstate()
    with torch.random.fork_rng(()):
        torch.set_rng_state(torch_state)
        random.setstate(python_state)
        try:
            yield
        finally:
            random.setstate(now)


@contextlib.contextmanager
def _on_copies(
    leaves: Mapping[str, torch.Tensor], replaced: Mapping[str, torch.Tensor]
) -> Iterator[None]:
    """Give each leaf other memory inside; its own, and its `.grad`, comes back."""
    unique = {id(each): (name, each) for name, each in leaves.items()}
    for name in replaced:  # a leaf with two names is changed under either
        unique[id(leaves[name])] = name, leaves[name]
    held = [(name, each, each.data, each.grad) for name, each in unique.values()]
    try:
        for name, leaf, data, gradient in held:
            leaf.data = replaced[name] if name in replaced else data.clone()
            if gradient is not None:
                leaf.grad = gradient.clone()
        yield
    finally:
        _put_back((leaf, data, grad) for _, leaf, data, grad in held)


def _put_back(held: Iterable[tuple[torch.Tensor, torch.Tensor, Any]]) -> None:
    for leaf, data, gradient in held:
        leaf.data = data
        leaf.grad = gradient
