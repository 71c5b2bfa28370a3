"""The arguments and results of one call: the tensors in them, their order, their names."""

from collections.abc import Iterator
from typing import Any

import torch

from tutor.engine.drafts import Call
from tutor.engine.source import Site, constant_is_first
from tutor.graph.trace import Argument, Const


def tensors(held: Any) -> Iterator[torch.Tensor]:
    """The tensors in arguments or results, in order; lists, tuples and dicts opened."""
    if isinstance(held, torch.Tensor):
        yield held
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from tensors(each)
    elif isinstance(held, dict):
        yield from tensors(list(held.values()))


def copied(held: Any) -> Any:
    """The same arguments with copies of the tensors, cut off from their graph."""
    if isinstance(held, torch.Tensor):
        return held.detach().clone().requires_grad_(held.requires_grad)
    if isinstance(held, dict):
        return {name: copied(each) for name, each in held.items()}
    if type(held) in (list, tuple):
        return type(held)(copied(each) for each in held)
    return held


def as_written(call: Call, site: Site | None) -> list[Argument]:
    """The arguments in the source's order: the 3 of `3 * q` first."""
    arguments = call.arguments or []
    if len(arguments) != 2 or site is None or not isinstance(arguments[1], Const):
        return arguments
    reflected = call.function.__name__.startswith("__r") and call.name.startswith("r")
    if reflected or constant_is_first(site, call.args[0]):
        return [arguments[1], arguments[0]]
    return arguments


def output_name(site: Site, port: int) -> str | None:
    """What the code binds one of a call's results to; None: nothing."""
    if port < len(site.output_names):
        return site.output_names[port]
    return site.name if port == 0 else None


def variable_name(tensor: torch.Tensor, site: Site) -> str | None:
    """The variable that holds a tensor where the call is; None: none does."""
    for names in (site.frame.f_locals, site.frame.f_globals):
        for name, found in list(names.items()):
            if found is tensor and not name.startswith("_"):
                return name
    return None
