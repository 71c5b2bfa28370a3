"""The values of a graph that nobody recorded: leaves, saved constants, and what flows
along each edge, whose tensor may be gone."""

from collections.abc import Iterable, Mapping
from typing import Any
from weakref import ref

import torch
from torch.autograd.graph import Node

from tutor.engine import resolve, telling
from tutor.engine.drafts import ValueNote
from tutor.engine.modules import ModuleNames
from tutor.engine.reading import version_of
from tutor.engine.summary import Summaries
from tutor.engine.torch_graph import Saved, is_leaf
from tutor.graph.trace import Argument, Const, Ref, Role, Summary, Value

Port = tuple[Node, int]


class EdgeValues:
    """Values are noted as they are asked for; `events` has them all."""

    def __init__(
        self,
        root: torch.Tensor,
        name: str | None,
        scope: Mapping[str, Any],
        saved: Iterable[Saved],
    ) -> None:
        """`name` is the root's; `saved` is what the nodes keep."""
        self._summaries = Summaries()
        self._parts = ModuleNames().named(scope)
        """The names of the learner's parameters, by identity; `scope` keeps them."""
        self._scope = {
            name: each
            for name, each in list(scope.items())
            if isinstance(each, torch.Tensor) and not name.startswith("_")
        }
        self._noted: list[ValueNote | Value] = []
        self._by_port: dict[Port, int] = {}
        self._by_storage: dict[tuple[Any, ...], int] = {}
        self._known = self._tensors(root, name, saved)

    def _tensors(
        self, root: torch.Tensor, name: str | None, saved: Iterable[Saved]
    ) -> dict[Port, tuple[torch.Tensor, str | None]]:
        """The tensors that are still there, by the port they came out of."""
        found: dict[Port, tuple[torch.Tensor, str | None]] = {}
        for kept in saved:
            for each in kept.tensors.values():
                if each.grad_fn is not None:
                    found.setdefault((each.grad_fn, each.output_nr), (each, None))
        for variable, each in self._scope.items():
            if each.grad_fn is not None:
                found[each.grad_fn, each.output_nr] = each, variable
        assert root.grad_fn is not None
        found[root.grad_fn, root.output_nr] = root, name
        return found

    def ports(self, nodes: Iterable[Node]) -> dict[Node, list[int]]:
        """Which outputs of a node are used, or are still there."""
        used: dict[Node, set[int]] = {}
        for node in nodes:
            for upper, port in node.next_functions:
                if upper is not None:
                    used.setdefault(upper, set()).add(port)
        for node, port in self._known:
            used.setdefault(node, set()).add(port)
        return {node: sorted(ports) for node, ports in used.items()}

    def at(self, node: Node, port: int, op: int | None = None) -> int:
        """What flows along the edge to a node's port; `op`: the op that made it."""
        if (node, port) in self._by_port:
            return self._by_port[node, port]
        if is_leaf(node):
            value = self._leaf(node.variable)  # type: ignore[attr-defined]
        else:
            tensor, name = self._known.get((node, port), (None, None))
            if tensor is not None:
                value = self._add(tensor, name, "temporary", op, port)
            else:
                value = self._add_unseen(node, port, op)
        self._by_port[node, port] = value
        return value

    def constant(self, tensor: torch.Tensor) -> Argument:
        """What a node saved of a tensor that no gradient goes to."""
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

    def kept(self, tensor: torch.Tensor) -> Argument:
        """Any tensor that a node saved."""
        if tensor.grad_fn is not None:
            known = self._by_port.get((tensor.grad_fn, tensor.output_nr))
            return Const("a tensor") if known is None else Ref(known)
        found = self._by_storage.get(_storage(tensor))
        return self.constant(tensor) if found is None else Ref(found)

    def events(self) -> list[Value]:
        """All that were asked for."""
        self._summaries.fetch()
        return [
            each if isinstance(each, Value) else resolve.value(each)
            for each in self._noted
        ]

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
        port: int,
    ) -> int:
        number = len(self._noted)
        note = ValueNote(
            number, number, version_of(tensor), op, port, self._summaries.take(tensor),
            tensor.requires_grad, tensor.is_leaf, role, name, ref(tensor),
        )  # fmt: skip
        self._noted.append(note)
        self._by_storage.setdefault(_storage(tensor), number)
        return number

    def _add_unseen(self, node: Node, port: int, op: int | None) -> int:
        """A value that is gone: of its shape and dtype torch may know still."""
        known = getattr(node, "_input_metadata", ())
        shape: tuple[int, ...] = ()
        dtype, device = "", ""
        if port < len(known):
            shape = tuple(int(each) for each in known[port].shape)
            dtype = str(known[port].dtype).removeprefix("torch.")
            device = str(known[port].device)
        number, summary = len(self._noted), Summary(shape, dtype, None)
        value = Value(
            number, number, 0, None, "temporary", op, port, summary, device, True, False
        )
        self._noted.append(value)
        return number


def _storage(tensor: torch.Tensor) -> tuple[Any, ...]:
    """The same for two tensors that are one piece of memory seen in one way."""
    if tensor.layout is not torch.strided or not tensor.numel():
        return (id(tensor),)
    return tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype
