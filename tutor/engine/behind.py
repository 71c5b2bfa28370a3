"""The graph that torch keeps behind a tensor, as a trace: nothing is run for it.

It has torch's nodes, what they saved while that is still there, and the leaves. The
graph is only read: no hook, no version, no `.grad` changes, and nothing is freed.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch.autograd.graph import Node, get_gradient_edge

from tutor.engine import naming, telling
from tutor.engine.edge_values import EdgeValues
from tutor.engine.torch_graph import is_leaf, nodes_behind, saved_by
from tutor.graph.trace import (
    VERSION,
    Argument,
    Const,
    Event,
    GraphNode,
    Op,
    Ref,
    Trace,
    TraceEnd,
    TracePart,
    assemble,
)

_NOT_RECORDED = (
    "No code was run: this is the graph that torch kept for the backward pass. It holds "
    "no constants, no names but yours, and no values but the saved ones. To record all "
    "of it, run the cell again with %%step as its first line"
)


class NoGraphError(ValueError):
    """There is no graph behind the tensor; `str(error)` is the sentence."""


def view(root: torch.Tensor, scope: Mapping[str, Any]) -> Trace:
    """The trace of kind "autograd". `scope`: the learner's names.

    Raises NoGraphError where torch kept nothing.
    """
    with torch._C.DisableTorchFunction(), torch.no_grad():
        return _View(root, scope).trace()


class _View:
    """Reads one graph."""

    def __init__(self, root: torch.Tensor, scope: Mapping[str, Any]) -> None:
        self._root = root
        self._name = telling.name_of(root, scope)
        if root.grad_fn is None:
            raise NoGraphError(_no_graph(root, self._name or "the tensor"))
        self._nodes, self._truncated = nodes_behind(root.grad_fn)
        self._saved = {node: saved_by(node) for node in self._nodes}
        self._values = EdgeValues(root, self._name, scope, self._saved.values())

    def trace(self) -> Trace:
        ops: list[Op] = []
        graph: list[GraphNode] = []
        ids: dict[Node, int] = {}
        leaves: list[Node] = []
        for node in self._nodes:
            ids[node] = len(ids)
            for upper, _ in node.next_functions:
                if upper is not None and upper not in ids and is_leaf(upper):
                    ids[upper] = -1
                    leaves.append(upper)
        count = len(self._nodes)
        ids.update((leaf, count + at) for at, leaf in enumerate(leaves))
        used = self._values.ports(self._nodes)
        for number, node in enumerate(self._nodes):
            ops.append(self._op(node, number, used.get(node, [0])))
            ahead = tuple(
                -1 if upper is None else ids.get(upper, -1)
                for upper, _ in node.next_functions
            )
            kept = self._kept(node)
            graph.append(GraphNode(number, number, node.name(), None, ahead, kept))
        for leaf in leaves:
            value = self._values.at(leaf, 0)
            graph.append(GraphNode(ids[leaf], None, leaf.name(), value, ()))
        root = self._values.at(get_gradient_edge(self._root).node, self._root.output_nr)
        events: list[Event] = [*self._values.events(), *ops, *graph]
        return assemble([TracePart(VERSION, tuple(events), self._end(root))])

    def _end(self, root: int) -> TraceEnd:
        freed = any(
            Const("freed") in saved.others.values() for saved in self._saved.values()
        )
        said = _NOT_RECORDED
        if freed:
            said += ". A backward pass has freed what its nodes had saved"
        return TraceEnd(
            code="",
            file="",
            torch=torch.__version__,
            root=root,
            dtype=str(self._root.dtype).removeprefix("torch."),
            fault=None,
            truncated=self._truncated,
            kind="autograd",
            unrecorded=said + ".",
            title=f"the graph behind {self._name or 'a tensor'}",
        )

    def _op(self, node: Node, number: int, ports: list[int]) -> Op:
        inputs = self._inputs(node)
        function = naming.op_of_node(node.name())
        symbol = naming.symbol(function, [_plain(each) for each in inputs])
        return Op(
            id=number,
            at=number,
            function=function,
            symbol=symbol,
            label="",
            arguments=tuple(inputs),
            keywords={},
            outputs=tuple(self._values.at(node, port, number) for port in ports),
            source=None,
            module="",
            calls=(),
            flags=(),
            microseconds=0.0,
        )

    def _inputs(self, node: Node) -> list[Argument]:
        """The values at its edges; for one without an edge, what was saved of it."""
        found: list[Argument | None] = []
        for upper, port in node.next_functions:
            found.append(None if upper is None else Ref(self._values.at(upper, port)))
        saved = self._saved[node]
        loose = [
            each
            for name, each in saved.tensors.items()
            if not each.requires_grad and not name.startswith("result")
        ]
        if found.count(None) == 1 and len(loose) == 1:
            found[found.index(None)] = self._values.constant(loose[0])
        exponent = saved.others.get("exponent")
        if len(found) == 1 and isinstance(exponent, Const):
            found.append(exponent)
        return [each for each in found if each is not None]

    def _kept(self, node: Node) -> dict[str, Argument]:
        saved = self._saved[node]
        kept: dict[str, Argument] = dict(saved.others)
        kept.update(
            (name, self._values.kept(each)) for name, each in saved.tensors.items()
        )
        return kept


def _no_graph(root: torch.Tensor, name: str) -> str:
    if root.requires_grad:
        return (
            f"{name} is a leaf: nothing computed it, so there is no graph behind it. "
            "Walk what is computed from it, like tutor.step(f, x)."
        )
    return (
        f"{name} does not require grad, so torch kept no graph behind it: it is data, was "
        "detached, or was computed under no_grad. Walk the function that computes it, "
        "like tutor.step(f, x)."
    )


def _plain(argument: Argument) -> object:
    return argument.value if isinstance(argument, Const) else argument
