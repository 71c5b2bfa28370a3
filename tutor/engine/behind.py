"""The graph that torch keeps behind a tensor, as a trace: nothing is run for it.

It has torch's nodes, what they saved while that is still there, and the leaves. The
graph is only read: no hook, no version, no `.grad` changes, and nothing is freed.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.autograd.graph import Node, get_gradient_edge

from tutor.engine import naming, telling
from tutor.engine.modules import ModuleNames
from tutor.engine.summary import Summaries, Taken
from tutor.graph.trace import (
    VERSION,
    Argument,
    Const,
    Event,
    GraphNode,
    Items,
    Op,
    Ref,
    Role,
    Summary,
    Trace,
    TraceEnd,
    TracePart,
    Value,
    assemble,
)

NODES_AT_MOST = 20_000
_TENSORS_AT_MOST = 64
_NOT_RECORDED = (
    "No code was run: this is the graph that torch kept for the backward pass. It holds "
    "no constants, no names but yours, and no values but the saved ones. To record all "
    "of it, run the cell again with %%step as its first line"
)

Port = tuple[Node, int]


class NoGraphError(ValueError):
    """There is no graph behind the tensor; `str(error)` is the sentence."""


def view(root: torch.Tensor, scope: Mapping[str, Any]) -> Trace:
    """The trace of kind "autograd". `scope`: the learner's names.

    Raises NoGraphError where torch kept nothing.
    """
    with torch._C.DisableTorchFunction(), torch.no_grad():
        return _View(root, scope).trace()


@dataclass(slots=True)
class _Draft:
    """A value to be: what flows along one edge, a leaf, or a saved constant."""

    id: int
    name: str | None
    role: Role
    op: int | None
    port: int
    requires_grad: bool
    is_leaf: bool
    taken: Taken | Summary
    device: str
    version: int


@dataclass(slots=True)
class _Saved:
    """What a node keeps, by torch's names without `_saved_`."""

    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    others: dict[str, Argument] = field(default_factory=dict)
    """What is no tensor, and what has become of tensors that are not to be had."""


class _View:
    """Reads one graph."""

    def __init__(self, root: torch.Tensor, scope: Mapping[str, Any]) -> None:
        self._root = root
        self._name = telling.name_of(root, scope)
        if root.grad_fn is None:
            raise NoGraphError(_no_graph(root, self._name or "the tensor"))
        self._summaries = Summaries()
        self._parts = ModuleNames().named(scope)
        """The names of the learner's parameters, by identity; `scope` keeps them."""
        self._scope = {
            name: each
            for name, each in list(scope.items())
            if isinstance(each, torch.Tensor) and not name.startswith("_")
        }
        self._nodes, self._truncated = _nodes(root.grad_fn)
        self._saved = {node: _saved(node) for node in self._nodes}
        self._drafts: list[_Draft] = []
        self._by_port: dict[Port, int] = {}
        self._by_storage: dict[tuple[Any, ...], int] = {}
        self._known = self._tensors()

    def trace(self) -> Trace:
        ops: list[Op] = []
        graph: list[GraphNode] = []
        ids: dict[Node, int] = {}
        leaves: list[Node] = []
        for node in self._nodes:
            ids[node] = len(ids)
            for upper, _ in node.next_functions:
                if upper is not None and upper not in ids and _is_leaf(upper):
                    ids[upper] = -1
                    leaves.append(upper)
        count = len(self._nodes)
        ids.update((leaf, count + at) for at, leaf in enumerate(leaves))
        used = self._ports()
        for number, node in enumerate(self._nodes):
            ops.append(self._op(node, number, used.get(node, [0])))
            ahead = tuple(
                -1 if upper is None else ids.get(upper, -1)
                for upper, _ in node.next_functions
            )
            kept = self._kept(node)
            graph.append(GraphNode(number, number, node.name(), None, ahead, kept))
        for leaf in leaves:
            value = self._value(leaf, 0)
            graph.append(GraphNode(ids[leaf], None, leaf.name(), value, ()))
        root = self._value(get_gradient_edge(self._root).node, self._root.output_nr)
        self._summaries.fetch()
        events: list[Event] = [*map(_value, self._drafts), *ops, *graph]
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

    # ------------------------------------------------------------------------ tensors

    def _tensors(self) -> dict[Port, tuple[torch.Tensor, str | None]]:
        """The tensors that are still there, by the port they came out of."""
        found: dict[Port, tuple[torch.Tensor, str | None]] = {}
        for saved in self._saved.values():
            for each in saved.tensors.values():
                if each.grad_fn is not None:
                    found.setdefault((each.grad_fn, each.output_nr), (each, None))
        for name, each in self._scope.items():
            if each.grad_fn is not None:
                found[each.grad_fn, each.output_nr] = each, name
        assert self._root.grad_fn is not None
        found[self._root.grad_fn, self._root.output_nr] = self._root, self._name
        return found

    def _ports(self) -> dict[Node, list[int]]:
        """Which outputs of a node are used, or are still there."""
        used: dict[Node, set[int]] = {}
        for node in self._nodes:
            for upper, port in node.next_functions:
                if upper is not None:
                    used.setdefault(upper, set()).add(port)
        for node, port in self._known:
            used.setdefault(node, set()).add(port)
        return {node: sorted(ports) for node, ports in used.items()}

    def _value(self, node: Node, port: int, op: int | None = None) -> int:
        """What flows along the edge to a node's port."""
        if (node, port) in self._by_port:
            return self._by_port[node, port]
        if _is_leaf(node):
            value = self._leaf(node.variable)  # type: ignore[attr-defined]
        else:
            tensor, name = self._known.get((node, port), (None, None))
            if tensor is not None:
                value = self._add(tensor, name, "temporary", op, port)
            else:
                value = self._add_unseen(node, port, op)
        self._by_port[node, port] = value
        return value

    def _leaf(self, leaf: torch.Tensor) -> int:
        named = self._parts.get(id(leaf))
        if named is not None:
            return self._add(leaf, named, "parameter", None, 0)
        name = telling.name_of(leaf, self._scope)
        return self._add(leaf, name, "leaf", None, 0)

    def _add(
        self,
        tensor: torch.Tensor,
        name: str | None,
        role: Role,
        op: int | None,
        at: int,
    ) -> int:
        draft = _Draft(
            len(self._drafts),
            name,
            role,
            op,
            at,
            tensor.requires_grad,
            tensor.is_leaf,
            self._summaries.take(tensor),
            str(tensor.device),
            0 if tensor.is_inference() else tensor._version,
        )
        self._drafts.append(draft)
        self._by_storage.setdefault(_storage(tensor), draft.id)
        return draft.id

    def _add_unseen(self, node: Node, port: int, op: int | None) -> int:
        """A value that is gone: of its shape and dtype torch may know still."""
        known = getattr(node, "_input_metadata", ())
        shape: tuple[int, ...] = ()
        dtype, device = "", ""
        if port < len(known):
            shape = tuple(int(each) for each in known[port].shape)
            dtype = str(known[port].dtype).removeprefix("torch.")
            device = str(known[port].device)
        summary = Summary(shape, dtype, None)
        draft = _Draft(
            len(self._drafts), None, "temporary", op, port, True, False, summary,
            device, 0,
        )  # fmt: skip
        self._drafts.append(draft)
        return draft.id

    # --------------------------------------------------------------------------- ops

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
            outputs=tuple(self._value(node, port, number) for port in ports),
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
            found.append(None if upper is None else Ref(self._value(upper, port)))
        saved = self._saved[node]
        loose = [
            each
            for name, each in saved.tensors.items()
            if not each.requires_grad and not name.startswith("result")
        ]
        if found.count(None) == 1 and len(loose) == 1:
            found[found.index(None)] = self._constant(loose[0])
        exponent = saved.others.get("exponent")
        if len(found) == 1 and isinstance(exponent, Const):
            found.append(exponent)
        return [each for each in found if each is not None]

    def _constant(self, tensor: torch.Tensor) -> Argument:
        if tensor.dim() == 0 and not tensor.is_complex():
            return Const(tensor.item())
        known = self._by_storage.get(_storage(tensor))
        if known is not None:
            return Ref(known)
        name = next(
            (
                name
                for name, each in self._scope.items()
                if _storage(each) == _storage(tensor)
            ),
            None,
        )
        return Ref(self._add(tensor, name, "constant", None, 0))

    def _kept(self, node: Node) -> dict[str, Argument]:
        saved = self._saved[node]
        kept: dict[str, Argument] = dict(saved.others)
        for name, tensor in saved.tensors.items():
            if tensor.grad_fn is not None:
                port = tensor.grad_fn, tensor.output_nr
                known = self._by_port.get(port)
                kept[name] = Const("a tensor") if known is None else Ref(known)
            elif _storage(tensor) in self._by_storage:
                kept[name] = Ref(self._by_storage[_storage(tensor)])
            else:
                kept[name] = self._constant(tensor)
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


def _nodes(root: Node) -> tuple[list[Node], str | None]:
    """The nodes behind the root, inputs first, leaves apart; why some are left out."""
    found: list[Node] = []
    seen: set[Node] = {root}
    waiting = [root]
    while waiting:
        nearer, waiting = waiting, []
        for node in nearer:
            found.append(node)
            for upper, _ in node.next_functions:
                if upper is not None and upper not in seen and not _is_leaf(upper):
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


def _saved(node: Node) -> _Saved:
    found = _Saved()
    if hasattr(node, "saved_tensors"):  # a custom autograd.Function
        _keep(found, "saved_tensors", node, "_raw_saved_tensors")
        return found
    for attribute in dir(node):
        if attribute.startswith("_saved_"):
            _keep(found, attribute, node, "_raw" + attribute)
    return found


def _keep(found: _Saved, attribute: str, node: Node, raw: str) -> None:
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


def _plain(argument: Argument) -> object:
    return argument.value if isinstance(argument, Const) else argument


def _is_leaf(node: Node) -> bool:
    return hasattr(node, "variable") and not inspect.isroutine(node.variable)


def _storage(tensor: torch.Tensor) -> tuple[Any, ...]:
    """The same for two tensors that are one piece of memory seen in one way."""
    if tensor.layout is not torch.strided or not tensor.numel():
        return (id(tensor),)
    return tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype


def _value(draft: _Draft) -> Value:
    taken = draft.taken
    summary = taken if isinstance(taken, Summary) else taken.summary
    return Value(
        id=draft.id,
        tensor=draft.id,
        version=draft.version,
        name=draft.name,
        role=draft.role,
        op=draft.op,
        port=draft.port,
        summary=summary,
        device=draft.device,
        requires_grad=draft.requires_grad,
        is_leaf=draft.is_leaf,
    )
