"""The backward pass as torch's engine runs it: hooks on its nodes and on its leaves.

Which op a node belongs to is told by `claim`; hooks only note what they are given, as
they may run in a thread of the engine. The forward pass is `recorder`'s.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.autograd.graph import Node
from torch.utils.hooks import RemovableHandle

from tutor.engine.drafts import Drafts, Edge, LeafDraft, NodeDraft, PassDraft
from tutor.engine.summary import Summaries, Taken


class Ledger:
    """torch's nodes, whose they are, and what they sent."""

    def __init__(
        self,
        drafts: Drafts,
        summaries: Summaries,
        clock: Iterator[int],
        see: Callable[[torch.Tensor], int],
        guard: Callable[..., Any],
    ) -> None:
        """`see` gives a leaf's value; `guard` calls one of ours and lets no error out."""
        self.listening = False
        self.roots: list[int] = []
        """Values that a backward pass was asked to start from."""
        self._drafts = drafts
        self._summaries = summaries
        self._clock = clock
        self._see = see
        self._guard = guard
        self._ids: dict[Node, int] = {}
        self._made: dict[tuple[Node, int], int] = {}
        self._handles: list[RemovableHandle] = []
        self._tasks: dict[int, int] = {}

    def close(self) -> None:
        """Remove every hook; forget torch's nodes."""
        self.listening = False
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        for (node, port), value in self._made.items():
            if node in self._ids:
                self._drafts.nodes[self._ids[node]].outputs[port] = value
        self._ids.clear()
        self._made.clear()

    def knows(self, node: Node) -> bool:
        """Whether an op owns it."""
        return node in self._ids

    def op_of(self, node: Node) -> int | None:
        """The op that owns a known node."""
        return self._drafts.nodes[self._ids[node]].op

    def carries(self, tensor: torch.Tensor, value: int) -> None:
        """Gradients that reach the tensor's node there are the value's."""
        if tensor.grad_fn is not None:
            self._made[tensor.grad_fn, tensor.output_nr] = value

    def claim(self, tensor: torch.Tensor, op: int) -> None:
        """Give torch's new nodes behind a tensor to the op, and listen at them."""
        if tensor.grad_fn is None or tensor.grad_fn in self._ids:
            return
        fresh = [tensor.grad_fn]
        self._add_node(tensor.grad_fn, op)
        while fresh:
            node = fresh.pop()
            draft = self._drafts.nodes[self._ids[node]]
            self._listen(node, draft.id)
            for upper, port in node.next_functions:
                if upper is None:
                    draft.edges.append(None)
                elif _is_leaf_node(upper):
                    leaf = self.leaf(upper)
                    draft.edges.append(Edge(self._ids[upper], leaf, is_leaf=True))
                else:
                    if upper not in self._ids:
                        self._add_node(upper, op)
                        fresh.append(upper)
                    value = self._made.get((upper, port))
                    draft.edges.append(Edge(self._ids[upper], value))

    def _add_node(self, node: Node, op: int | None) -> NodeDraft:
        draft = NodeDraft(len(self._drafts.nodes), op, node.name())
        self._ids[node] = draft.id
        self._drafts.nodes.append(draft)
        return draft

    def leaf(self, node: Node) -> int:
        """The value of the leaf that a node accumulates into; listens there."""
        leaf: torch.Tensor = node.variable  # type: ignore[attr-defined]
        if node not in self._ids:
            draft = self._add_node(node, None)
            before = functools.partial(self._leaf_before, draft.id, leaf)
            after = functools.partial(self._leaf_after, draft.id, leaf)
            self._handles.append(node.register_prehook(before))
            self._handles.append(node.register_hook(after))
        draft = self._drafts.nodes[self._ids[node]]
        draft.leaf = self._see(leaf)
        return draft.leaf

    def _listen(self, node: Node, node_id: int) -> None:
        # The hooks may run in a thread of torch's engine; appending is all they do.
        hook = functools.partial(self._node_ran, node_id)
        self._handles.append(node.register_hook(hook))

    def _node_ran(self, node_id: int, sent: Any, arrived: Any) -> None:
        if self.listening:
            self._guard(self._note_node, node_id, sent, arrived)

    def _note_node(self, node_id: int, sent: Any, arrived: Any) -> None:
        number = self._pass(node_id)
        take = self._take_gradient
        self._drafts.ran.append(
            (next(self._clock), number, node_id,
             [take(each) for each in arrived], [take(each) for each in sent])
        )  # fmt: skip

    def _leaf_before(self, node_id: int, leaf: torch.Tensor, arrived: Any) -> None:
        if self.listening:
            self._guard(self._note_before, node_id, leaf)

    def _note_before(self, node_id: int, leaf: torch.Tensor) -> None:
        before = self._take_gradient(leaf.grad)
        self._drafts.before[self._pass(node_id), node_id] = before

    def _leaf_after(
        self, node_id: int, leaf: torch.Tensor, sent: Any, arrived: Any
    ) -> None:
        if self.listening:
            self._guard(self._note_leaf, node_id, leaf, arrived[0])

    def _note_leaf(
        self, node_id: int, leaf: torch.Tensor, arrived: torch.Tensor | None
    ) -> None:
        added, after = self._take_gradient(arrived), self._take_gradient(leaf.grad)
        if added is None or after is None:
            return
        number = self._pass(node_id)
        before = self._drafts.before.pop((number, node_id), None)
        self._drafts.leaves.append(
            LeafDraft(number, next(self._clock), node_id, before, added, after)
        )

    def _take_gradient(self, gradient: torch.Tensor | None) -> Taken | None:
        return None if gradient is None else self._summaries.take(gradient)

    def _pass(self, node_id: int) -> int:
        """The number of the backward pass that is running."""
        task = torch._C._current_graph_task_id()
        if task not in self._tasks:
            self._tasks[task] = len(self._tasks) + 1
            root = self.roots[0] if self.roots else self._output_of(node_id)
            self.roots = []
            self._drafts.passes.append(
                PassDraft(self._tasks[task], next(self._clock), root)
            )
        return self._tasks[task]

    def _output_of(self, node_id: int) -> int | None:
        op = self._drafts.nodes[node_id].op
        return None if op is None else self._drafts.ops[op].outputs[0]


def _is_leaf_node(node: Node) -> bool:
    return type(node).__name__ == "AccumulateGrad"
