"""The arguments and results of one call: the tensors in them, and how they were written."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from tutor.engine.drafts import OpNote
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


def as_written(
    op: OpNote, arguments: Sequence[Argument], site: Site | None
) -> tuple[Argument, ...]:
    """The arguments in the source's order: the 3 of `3 * q` first."""
    if len(arguments) != 2 or site is None or not isinstance(arguments[1], Const):
        return tuple(arguments)
    name = op.kind.name
    reflected = name in ("rsub", "rdiv", "rpow", "rfloordiv", "rmod", "rmatmul")
    if reflected or (op.kind.swapped and constant_is_first(site, op.aliases)):
        return arguments[1], arguments[0]
    return tuple(arguments)


def output_name(site: Site, port: int) -> str | None:
    """What the code binds one of a call's results to; None: nothing."""
    if port < len(site.output_names):
        return site.output_names[port]
    return site.name if port == 0 else None
