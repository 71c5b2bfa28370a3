"""torch's own graph as it lies behind a tensor: its nodes in order, what each keeps.

It is only read: no hook is run or left, and nothing that was saved is freed.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.autograd.graph import Node

from tutor.graph.trace import Argument, Const, Items

NODES_AT_MOST = 20_000
_TENSORS_AT_MOST = 64


@dataclass(slots=True)
class Saved:
    """What a node keeps, by torch's names without `_saved_`."""

    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    others: dict[str, Argument] = field(default_factory=dict)
    """What is no tensor, and what has become of tensors that are not to be had."""


def is_leaf(node: Node) -> bool:
    """Whether it accumulates into a leaf."""
    return hasattr(node, "variable") and not inspect.isroutine(node.variable)


def nodes_behind(root: Node) -> tuple[list[Node], str | None]:
    """The nodes behind the root, inputs first, leaves apart; why some are left out."""
    found: list[Node] = []
    seen: set[Node] = {root}
    waiting = [root]
    while waiting:
        nearer, waiting = waiting, []
        for node in nearer:
            found.append(node)
            for upper, _ in node.next_functions:
                if upper is not None and upper not in seen and not is_leaf(upper):
                    seen.add(upper)
                    waiting.append(upper)
    truncated = None
    if len(found) > NODES_AT_MOST:
        truncated = (
            f"The graph has {len(found)} nodes; these are the {NODES_AT_MOST} nearest "
            "to its end."
        )
        found = found[:NODES_AT_MOST]
    return _inputs_first(found), truncated


def _inputs_first(nodes: list[Node]) -> list[Node]:
    """In the order in which they were made, where that is a possible one."""
    made = sorted(nodes, key=lambda node: node._sequence_nr())
    places = {node: place for place, node in enumerate(made)}
    if all(
        places.get(upper, -1) < place
        for node, place in places.items()
        for upper, _ in node.next_functions
        if upper is not None
    ):
        return made
    done: dict[Node, None] = {}
    for start in nodes:
        path: list[tuple[Node, Iterator[Any]]] = [(start, iter(start.next_functions))]
        while path:
            node, rest = path[-1]
            upper = next((each for each, _ in rest if each in places), None)
            if upper is None:
                done.setdefault(node)
                path.pop()
            elif upper not in done:
                path.append((upper, iter(upper.next_functions)))
    return list(done)


def saved_by(node: Node) -> Saved:
    """What a node keeps; or what has become of it, where it is not to be had."""
    found = Saved()
    if hasattr(node, "saved_tensors"):  # a custom autograd.Function
        _keep(found, "saved_tensors", node, "_raw_saved_tensors")
        return found
    for attribute in dir(node):
        if attribute.startswith("_saved_"):
            _keep(found, attribute, node, "_raw" + attribute)
    return found


def _keep(found: Saved, attribute: str, node: Node, raw: str) -> None:
    name = attribute.removeprefix("_saved_")
    try:
        packed = getattr(node, raw, None)
        each = packed if isinstance(packed, tuple) else (packed,)
        if any(getattr(one, "unpack_hook", None) is not None for one in each):
            # To unpack it would run the hook, and a checkpoint's forward pass.
            found.others[name] = Const("kept by a saved-tensor hook")
            return
        value = getattr(node, attribute)
    except RuntimeError as error:
        said = str(error)
        lost = "overwritten since" if "modified by an inplace" in said else "freed"
        found.others[name] = Const(lost)
        return
    if isinstance(value, torch.Tensor):
        found.tensors[name] = value
    elif isinstance(value, (list, tuple)) and any(
        isinstance(each, torch.Tensor) for each in value
    ):
        for number, each in enumerate(value[:_TENSORS_AT_MOST]):
            if isinstance(each, torch.Tensor):
                found.tensors[f"{name}[{number}]"] = each
    elif value is not None:
        found.others[name] = _argument(value)


def _argument(value: Any) -> Argument:
    if isinstance(value, (bool, int, float, str)):
        return Const(value)
    if isinstance(value, (list, tuple)):
        return Items(tuple(_argument(each) for each in value[:_TENSORS_AT_MOST]))
    return Const(repr(value)[:60])
