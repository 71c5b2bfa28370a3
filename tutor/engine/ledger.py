"""The backward pass as torch's engine runs it: hooks on its nodes and on its leaves.

Which op a node belongs to is told by `claim`; hooks only note what they are given, as
they may run in a thread of the engine. The forward pass is `recorder`'s.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.autograd.graph import Node

from tutor.engine.drafts import Drafts, NodeNote, PassNote, ValueNote
from tutor.engine.reading import version_of
from tutor.engine.source import Place
from tutor.engine.summary import HELD, Summaries
from tutor.engine.taken import Taken

SAVED_OF = 2000
"""What a node keeps is read of so many; a longer graph is told without."""
RUNS_AT_MOST = 5
"""Backward nodes that are noted, for each op that may be: a loop over an old graph ends."""

_task = torch._C._current_graph_task_id
_modes = torch._C._len_torch_function_stack
_LAYOUT = frozenset(
    f"{name}Backward0"
    for name in ("T", "Transpose", "Permute", "View", "UnsafeView", "ReshapeAlias",
                 "Squeeze", "Unsqueeze", "Alias")
)  # fmt: skip
"""Nodes that send on what arrives, in another shape or order."""
_PLAIN = frozenset([bool, int, float, str])
_top = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", None)
_saved: dict[type, tuple[tuple[str, str], ...]] = {}
"""By the type of a node: torch's attributes, and the names they have in a trace."""


class Ledger:
    """torch's nodes, whose they are, and what they sent."""

    def __init__(
        self,
        drafts: Drafts,
        summaries: Summaries,
        clock: Iterator[int],
        see: Callable[[torch.Tensor], ValueNote],
        known: Callable[[torch.Tensor], ValueNote | None],
        stop: Callable[[BaseException], None],
        place: Callable[[], Place | None],
        limit: int,
    ) -> None:
        """`see` gives a leaf's value, `known` one that was met before; `stop` gets our
        own errors; `place` is where the learner's code is now."""
        self.listening = False
        self.ids: dict[Node, int] = {}
        """torch's nodes that are known, with their number."""
        self.made: dict[tuple[int, int], ValueNote] = {}
        """By node and output: the value that carries it."""
        self._drafts = drafts
        self._summaries = summaries
        self._clock = clock
        self._see = see
        self._known = known
        self._stop = stop
        self._place = place
        self._limit = RUNS_AT_MOST * limit
        self._handles: list[Any] = []
        self._tasks: dict[int, int] = {}
        self._announced: PassNote | None = None
        self._open: list[tuple[Any, ...]] = []
        """Leaves whose `.grad` is being added to."""
        self._after: dict[int, tuple[torch.Tensor, int, Taken]] = {}

    def close(self) -> None:
        """Remove every hook; forget torch's nodes."""
        self.listening = False
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        nodes = self._drafts.nodes
        for (node, port), value in self.made.items():
            nodes[node].outputs[port] = value
        self.ids.clear()
        self.made.clear()
        self._open.clear()
        self._after.clear()
        del self._see, self._known, self._stop, self._place  # no cycle is left

    # -- the graph

    def claim(self, node: Node, op: int) -> int:
        """Give torch's new nodes behind one to an op, and listen there; its number."""
        ids, nodes = self.ids, self._drafts.nodes
        number = ids.get(node)
        if number is not None:
            return number
        note = self._add(node, op)
        fresh = [(node, note)]
        while fresh:
            node, below = fresh.pop()
            edges = below.edges
            for upper, port in node.next_functions:
                if upper is None:
                    edges.append(None)
                    continue
                found = ids.get(upper)
                if type(upper).__name__ == "AccumulateGrad":
                    leaf = self.leaf(upper)
                    leaf.uses += 1
                    edges.append((leaf.id, leaf.leaf))
                elif found is None:
                    if len(nodes) > self._limit:
                        edges.append(None)
                        continue
                    above = self._add(upper, op)
                    fresh.append((upper, above))
                    edges.append((above.id, None))
                else:
                    edges.append((found, self.made.get((found, port))))
        return note.id

    def _add(self, node: Node, op: int) -> NodeNote:
        nodes = self._drafts.nodes
        number = len(nodes)
        saved = self._kept(node) if number < SAVED_OF else {}
        note = NodeNote(number, op, node.name(), [], saved)
        self.ids[node] = number
        nodes.append(note)
        hook = functools.partial(self._node_ran, note)
        self._handles.append(node.register_hook(hook))
        return note

    def leaf(self, node: Node) -> NodeNote:
        """The note of a node that accumulates into a leaf; listens there."""
        leaf: torch.Tensor = node.variable  # type: ignore[attr-defined]
        number = self.ids.get(node)
        if number is None:
            note = NodeNote(len(self._drafts.nodes), None, node.name(), [], {})
            self.ids[node] = note.id
            self._drafts.nodes.append(note)
            hook = functools.partial(self._leaf_runs, note, leaf)
            self._handles.append(node.register_prehook(hook))
        else:
            note = self._drafts.nodes[number]
        note.leaf = self._see(leaf)
        return note

    def _kept(self, node: Node) -> dict[str, Any]:
        """What a node saved, as values and constants; hooks of others are not run."""
        names = _saved.get(type(node))
        if names is None:
            names = _saved[type(node)] = tuple(
                (name, name.removeprefix("_saved_"))
                for name in dir(type(node))
                if name.startswith("_saved_")
            )
        if not names or _packed():
            return {}
        found: dict[str, Any] = {}
        for attribute, name in names:
            try:
                kept = getattr(node, attribute)
            except RuntimeError:  # torch will not show it, or it is freed
                continue
            kind = type(kept)
            if kind in _PLAIN:
                if kept is not False:
                    found[name] = kept
            elif kept is not None:
                kept = self._noted(kept)
                if kept is not None:
                    found[name] = kept
        return found

    def _noted(self, kept: Any) -> Any:
        """None: it is no value of the trace."""
        if isinstance(kept, torch.Tensor):
            known = self._known(kept)
            if known is None and kept.grad_fn is not None:
                return kept.grad_fn, kept.output_nr  # an output, not noted yet
            return known
        if isinstance(kept, (tuple, list)):
            return tuple(self._noted(each) for each in kept[:8])
        return kept if type(kept) in _PLAIN else None

    def settle_saved(self) -> None:
        """Find the values of outputs that their own nodes saved."""
        for node in self._drafts.nodes[:SAVED_OF]:
            for name, kept in list(node.saved.items()):
                if type(kept) is tuple and len(kept) == 2 and isinstance(kept[0], Node):
                    number = self.ids.get(kept[0], -1)
                    value = self.made.get((number, kept[1]))
                    if value is None:
                        del node.saved[name]
                    else:
                        node.saved[name] = value

    # -- a pass

    def begin(
        self, kind: str, roots: list[ValueNote], retains: bool, place: Place | None
    ) -> PassNote:
        """A pass was asked for."""
        number = len(self._drafts.passes) + 1
        root = roots[0].id if roots else None
        note = PassNote(number, next(self._clock), root, kind, retains, place)
        self._drafts.passes.append(note)
        self._announced = note
        return note

    def end(self, note: PassNote, error: BaseException | None = None) -> None:
        """It is over."""
        if error is not None:
            note.error = f"{type(error).__name__}: {error}"
        self._announced = None
        self._finish()

    def _pass(self, node: NodeNote) -> int:
        """The number of the backward pass that is running."""
        task = _task()
        number = self._tasks.get(task)
        if number is None:
            note = self._announced
            self._announced = None
            if note is None:
                # torch did not tell: a pass within another, or torch before 2.13.
                self._finish()
                note = self.begin("backward", [], False, self._place())
                note.root = self._output_of(node)
                self._announced = None
                engine = torch.autograd.Variable._execution_engine
                engine.queue_callback(self._finish)
            number = self._tasks[task] = note.number
            if note.root is None:
                note.root = self._output_of(node)
        return number

    def _output_of(self, node: NodeNote) -> int | None:
        if node.op is None or not self._drafts.ops[node.op].outputs:
            return None
        return self._drafts.ops[node.op].outputs[0].id

    # -- hooks: nothing but notes

    def _node_ran(self, note: NodeNote, sent: Any, arrived: Any) -> None:
        if self.listening:
            try:
                if _modes():
                    with torch._C.DisableTorchFunction():
                        self._note_node(note, sent, arrived)
                else:
                    self._note_node(note, sent, arrived)
            except Exception as error:  # noqa: BLE001 - ours, not the learner's
                self._stop(error)

    def _note_node(self, note: NodeNote, sent: Any, arrived: Any) -> None:
        ran = self._drafts.ran
        if len(ran) >= self._limit:
            self.listening = False
            self._drafts.truncated = self._drafts.truncated or (
                f"The trace has the first {self._limit} backward nodes; the code ran on."
            )
            return
        number = self._tasks.get(_task()) or self._pass(note)
        gradient = self._summaries.gradient
        came = [None if each is None else gradient(each) for each in arrived]
        gone: list[Taken | None] = []
        for place, each in enumerate(sent):
            if each is None:
                gone.append(None)
            elif each.numel() <= HELD:
                gone.append(gradient(each))
            else:
                gone.append(self._large(note, place, each, came))
        ran.append((next(self._clock), number, note.id, came, gone))

    def _large(
        self, note: NodeNote, place: int, sent: torch.Tensor, came: list[Taken | None]
    ) -> Taken:
        like = None
        if note.name in _LAYOUT and came[0] is not None and came[0].numbers is not None:
            like = came[0] if sent.numel() == _count(came[0]) else None
        return self._summaries.large(sent, like, self._stays(note, place))

    def _stays(self, note: NodeNote, place: int) -> bool:
        """Whether what it sends becomes a leaf's `.grad` as it is."""
        edge = note.edges[place] if place < len(note.edges) else None
        if edge is None:
            return False
        to = self._drafts.nodes[edge[0]]
        if to.name in _LAYOUT and to.edges and to.edges[0] is not None:
            to = self._drafts.nodes[to.edges[0][0]]
        if to.leaf is None or to.uses != 1:
            return False
        leaf = to.leaf.holder()
        return leaf is not None and leaf.grad is None

    def _leaf_runs(self, note: NodeNote, leaf: torch.Tensor, arrived: Any) -> None:
        if self.listening and arrived[0] is not None:
            try:
                with torch._C.DisableTorchFunction():
                    self._note_leaf(note, leaf, arrived[0])
            except Exception as error:  # noqa: BLE001 - ours, not the learner's
                self._stop(error)

    def _note_leaf(
        self, note: NodeNote, leaf: torch.Tensor, arrived: torch.Tensor
    ) -> None:
        number = self._tasks.get(_task()) or self._pass(note)
        summaries = self._summaries
        gradient, before = leaf.grad, None
        if gradient is not None:
            summaries.look(gradient)
            known = self._after.get(note.id)
            if known and known[0] is gradient and known[1] == version_of(gradient):
                before = known[2]
            else:
                before = summaries.take(gradient)
            summaries.settle()  # what is held will be added to
        if arrived.numel() <= HELD:
            added = summaries.gradient(arrived)
        else:
            added = summaries.large(arrived, None, gradient is None)
        self._open.append((number, next(self._clock), note, leaf, before, added))

    def _finish(self) -> None:
        """The leaves of the pass have their gradients."""
        pending, self._open = self._open, []
        summaries = self._summaries
        try:
            for number, at, node, leaf, before, added in pending:
                gradient = leaf.grad
                if gradient is None:
                    continue
                after = self._taken(gradient, before, added)
                if before is not None:
                    self._after[node.id] = gradient, version_of(gradient), after
                value = (number, at, node.leaf, before, added, after)
                self._drafts.leaves.append(value)
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)
        summaries.forget_pass()

    def _taken(
        self, gradient: torch.Tensor, before: Taken | None, added: Taken
    ) -> Taken:
        if gradient.numel() <= HELD:
            return self._summaries.gradient(gradient)
        if before is None and added.numbers is not None:
            if added.numbers.low is None and added.numbers.parts is None:
                self._summaries.wait_for(added.numbers, gradient)
            return added
        return self._summaries.large(gradient, None, True)


def _count(taken: Taken) -> int:
    count = 1
    for each in taken.shape:
        count *= each
    return count


def _packed() -> bool:
    """Whether others' hooks unpack what nodes save, as checkpointing does."""
    return _top is not None and _top(True) is not None
