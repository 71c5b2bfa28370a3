"""Records what torch does while code runs eagerly: ops, values, backward nodes, leaves.

A TorchFunctionMode sees the calls, hooks on torch's own graph see the backward pass.
The recorder only looks: it changes no value, gradient or random state, and a fault of
its own switches recording off. What it saw becomes events in `drafts`.
"""

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle
from torch.utils.weak import WeakTensorKeyDictionary

from tutor.engine import naming
from tutor.engine.drafts import (
    Call,
    Drafts,
    Edge,
    LeafDraft,
    NodeDraft,
    OpDraft,
    PassDraft,
    Replay,
    ValueDraft,
)
from tutor.engine.modules import ModuleNames
from tutor.engine.source import Site, Sources, constant_is_first
from tutor.engine.summary import Summaries, Taken
from tutor.graph.trace import Argument, Const, Flag, Items, Ref, Role

REPLAY_LIMIT = 4096
"""An op with up to this many elements is kept to be run again for its rule."""
REPLAYS_AT_MOST = 1000
"""So many are kept; a longer trace has rules for its first ops."""
_ITEMS_SHOWN = 32
_TEXT_SHOWN = 60


class Recorder(TorchFunctionMode):
    """Record within `with Recorder() as recorder:`; then read `recorder.drafts`."""

    def __init__(
        self,
        names: Mapping[str, torch.Tensor] | None = None,
        *,
        result_name: str | None = None,
        op_limit: int = 20_000,
        replays: bool = True,
    ) -> None:
        """`names` are leaves known beforehand; `result_name` is what the value returned
        by the outermost function is called; without `replays` no rule can be made."""
        super().__init__()
        self.drafts = Drafts()
        self.root: int | None = None
        """The value that `backward` was asked to start from."""
        self._sources = Sources(result_name)
        self._modules = ModuleNames(self._name_module_output)
        self._summaries = Summaries()
        self._op_limit = op_limit
        self._replays = replays
        self._listening = False
        self._clock = itertools.count()
        self._known: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
        self._tensor_count = 0
        self._node_ids: dict[Node, int] = {}
        self._made: dict[tuple[Node, int], int] = {}
        self._handles: list[RemovableHandle] = []
        self._tasks: dict[int, int] = {}
        self._roots: list[int] = []
        self._names = dict(names or {})

    # -- the recorder's life

    def __enter__(self) -> "Recorder":
        for name, tensor in self._names.items():
            value = self._see(tensor, None)
            self.drafts.values[value].name = name
        self._modules.open(self._sources.frame, self._guarded)
        self._listening = True
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        self.close()

    def close(self) -> None:
        """Leave no hook and no reference to the learner's tensors; fetch summaries."""
        self._listening = False
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._modules.close()
        for (node, port), value in self._made.items():
            if node in self._node_ids:
                self.drafts.nodes[self._node_ids[node]].outputs[port] = value
        self._guarded(self._summaries.fetch)
        for container in (self._node_ids, self._made, self._known, self._names):
            container.clear()

    def backward(self, root: torch.Tensor, start: Callable[[], Any]) -> int:
        """Go backward from a tensor, with the gradient that `start` makes; its value.

        Only the pass is recorded, not that it was asked for.
        """
        with torch._C.DisableTorchFunction():
            value = self._see(root, None)
            self._roots = [value]
            self.root = value
            root.backward(gradient=start())
        return value

    def _guarded(self, look: Callable[..., Any], *args: Any) -> Any:
        """Call one of ours; its fault ends the recording, never the learner's code."""
        try:
            return look(*args)
        except Exception as error:  # noqa: BLE001 - see above
            self._listening = False
            self.drafts.truncated = (
                f"The recorder stopped by a fault of its own ({type(error).__name__}: "
                f"{error}); what the code computed is not touched by it."
            )
            return None

    # -- forward

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """torch calls this for every function; the answer is the function's own."""
        keywords = kwargs or {}
        if not self._hears():
            return function(*args, **keywords)
        call: Call | None = self._guarded(self._before, function, args, keywords)
        start = time.perf_counter_ns()
        try:
            returned = function(*args, **keywords)
        except BaseException as error:
            if call is not None:
                self._guarded(self._failed, call, error)
            raise
        if call is not None:
            call.microseconds = (time.perf_counter_ns() - start) / 1000
            self._guarded(self._after, call, returned)
        return returned

    def _hears(self) -> bool:
        return (
            self._listening
            and torch._C._current_graph_task_id() == -1  # not inside a backward pass
            and torch._C._functorch.peek_interpreter_stack() is None  # nor inside vmap
        )

    def _before(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
    ) -> Call | None:
        name = naming.function_name(function)
        if name == "backward":
            self._roots = [self._see(each, None) for each in _tensors(args[:1])]
            return None
        if name == "grad" and naming.is_property(function):
            return None
        call = Call(function, name, args, keywords)
        if name == "grad":
            self._roots = [self._see(each, None) for each in _tensors(args[:1])]
        full = len(self.drafts.ops) >= self._op_limit
        if not full and naming.changes_in_place(function, keywords):
            call.site = self._sources.site()
            call.versions = [
                (each, each._version) for each in _tensors((args, keywords))
            ]
            call.arguments = self._arguments(args, call.site)
        return call

    def _failed(self, call: Call, error: BaseException) -> None:
        if isinstance(error, Exception) and next(_tensors(call.args), None) is not None:
            draft = self._record(call, ())
            draft.error = f"{type(error).__name__}: {error}"

    def _after(self, call: Call, returned: Any) -> None:
        inputs = {id(each) for each in _tensors((call.args, call.keywords))}
        changed = [each for each, seen in call.versions if each._version != seen]
        outputs = [each for each in _tensors(returned) if id(each) not in inputs]
        if changed:
            call.flags.append("inplace")
            outputs += changed[:1]
        if not outputs and call.name not in naming.READS:
            return
        if len(self.drafts.ops) >= self._op_limit:
            # What was computed since becomes one op, found behind the next backward.
            self.drafts.truncated = (
                f"The trace has the first {self._op_limit} ops; the code ran on."
            )
            return
        call.site = call.site or self._sources.site()
        if call.site is None or not call.site.hidden:
            self._record(call, outputs)

    def _record(self, call: Call, outputs: Sequence[torch.Tensor]) -> OpDraft:
        site = call.site = call.site or self._sources.site()
        if call.arguments is None:
            call.arguments = self._arguments(call.args, site)
        keywords = {
            name: self._argument(each, site)
            for name, each in call.keywords.items()
            if each is not None
        }
        inside = site is not None and self._modules.runs_in(site.frame)
        draft = OpDraft(
            id=len(self.drafts.ops),
            at=next(self._clock),
            function=call.name,
            symbol=naming.symbol(call.name, call.args),
            label=site.label if site is not None and not inside else "",
            arguments=_as_written(call, site),
            keywords=keywords,
            source=site.source if site is not None else None,
            module=self._modules.path,
            calls=site.calls if site is not None else (),
            microseconds=call.microseconds,
        )
        self.drafts.ops.append(draft)
        draft.flags = self._flags(call, outputs)
        for port, tensor in enumerate(outputs):
            name = None if site is None or inside else _output_name(site, port)
            draft.outputs.append(self._add_value(tensor, name, draft.id, port))
            self._walk(tensor, draft.id)
        if self._replays:
            self._keep_for_rule(call, draft, outputs)
        return draft

    def _flags(self, call: Call, outputs: Sequence[torch.Tensor]) -> list[Flag]:
        flags = call.flags
        if outputs and next(_tensors((call.args, call.keywords)), None) is None:
            flags.append("creation")
        bases = {id(each) for each in _tensors((call.args, call.keywords))}
        if any(each._is_view() and id(each._base) in bases for each in outputs):
            flags.append("view")
        if naming.is_random(call.name):
            flags.append("random")
        if not torch.is_grad_enabled():
            flags.append("nograd")
        return flags

    def _keep_for_rule(
        self, call: Call, draft: OpDraft, outputs: Sequence[torch.Tensor]
    ) -> None:
        if len(outputs) != 1 or not outputs[0].requires_grad:
            return
        if len(self.drafts.replays) >= REPLAYS_AT_MOST:
            return
        if {"inplace", "random", "creation", "unseen"} & set(draft.flags):
            return
        held = list(_tensors((call.args, call.keywords)))
        if outputs[0].numel() + sum(each.numel() for each in held) > REPLAY_LIMIT:
            return
        args, keywords = _copied((list(call.args), dict(call.keywords)))
        replay = Replay(draft.id, call.function, call.name, args, keywords)
        self.drafts.replays.append(replay)

    # -- values

    def _see(self, tensor: torch.Tensor, site: Site | None) -> int:
        """The value a tensor is now; met for the first time, it becomes one."""
        known: tuple[int, int] | None = self._known.get(tensor)
        origin = tensor.grad_fn
        owned = origin is None or origin in self._node_ids
        if known is not None and known[1] == _version(tensor) and owned:
            draft = self.drafts.values[known[0]]
            if draft.name is None or tensor.requires_grad != draft.requires_grad:
                self._describe(draft, tensor)
            return known[0]
        name = None
        if known is not None:
            name = self.drafts.values[known[0]].name
        elif site is not None:
            name = _variable_name(tensor, site)
        if owned or origin is None:
            op = (
                None if origin is None else self.drafts.nodes[self._node_ids[origin]].op
            )
            return self._add_value(tensor, name, op, 0)
        return self._add_unseen(tensor, name, origin, site)

    def _add_value(
        self, tensor: torch.Tensor, name: str | None, op: int | None, port: int
    ) -> int:
        known: tuple[int, int] | None = self._known.get(tensor)
        if known is not None:
            number = self.drafts.values[known[0]].tensor
        else:
            number = self._tensor_count
            self._tensor_count += 1
        draft = ValueDraft(
            id=len(self.drafts.values),
            tensor=number,
            version=_version(tensor),
            name=name,
            op=op,
            port=port,
            taken=self._summaries.take(tensor),
            device=str(tensor.device),
        )
        self._describe(draft, tensor)
        self.drafts.values.append(draft)
        self._known[tensor] = draft.id, draft.version
        if tensor.grad_fn is not None:
            self._made[tensor.grad_fn, tensor.output_nr] = draft.id
        return draft.id

    def _describe(self, draft: ValueDraft, tensor: torch.Tensor) -> None:
        draft.requires_grad = tensor.requires_grad
        draft.is_leaf = tensor.is_leaf
        named = self._modules.name(tensor)
        if named is not None and draft.name is None:
            draft.name = named[0]
        draft.role = _role(draft, tensor, named[1] if named is not None else None)

    def _add_unseen(
        self, tensor: torch.Tensor, name: str | None, origin: Node, site: Site | None
    ) -> int:
        """An op for what torch did where the recorder could not look."""
        draft = OpDraft(
            id=len(self.drafts.ops),
            at=next(self._clock),
            function=naming.op_of_node(origin.name()),
            symbol=naming.op_of_node(origin.name()),
            label="",
            source=site.source if site is not None else None,
            module=self._modules.path,
            calls=site.calls if site is not None else (),
            flags=["unseen"],
        )
        self.drafts.ops.append(draft)
        first = len(self.drafts.nodes)
        self._walk(tensor, draft.id)
        targets = [
            edge.value
            for node in self.drafts.nodes[first:]
            for edge in node.edges
            if edge is not None and edge.value is not None
        ]
        draft.arguments = [Ref(value) for value in dict.fromkeys(targets)]
        draft.outputs.append(self._add_value(tensor, name, draft.id, 0))
        return draft.outputs[0]

    def _name_module_output(self, output: Any) -> None:
        if not self._hears():
            return
        site = self._sources.site()
        for port, tensor in enumerate(_tensors(output)):
            known: tuple[int, int] | None = self._known.get(tensor)
            if known is not None and site is not None:
                draft = self.drafts.values[known[0]]
                draft.name = draft.name or _output_name(site, port)

    def _arguments(self, args: Sequence[Any], site: Site | None) -> list[Argument]:
        return [self._argument(each, site) for each in args]

    def _argument(self, given: Any, site: Site | None) -> Argument:
        if isinstance(given, torch.Tensor):
            return Ref(self._see(given, site))
        if given is None or isinstance(given, (bool, int, float, str)):
            return Const(given)
        if isinstance(given, (list, tuple)):
            items = [self._argument(each, site) for each in given[:_ITEMS_SHOWN]]
            if len(given) > _ITEMS_SHOWN:
                items.append(Const("…"))
            return Items(tuple(items))
        return Const(repr(given)[:_TEXT_SHOWN])

    # -- backward

    def _walk(self, tensor: torch.Tensor, op: int) -> None:
        """Give torch's new nodes behind a tensor to the op, and listen at them."""
        if tensor.grad_fn is None or tensor.grad_fn in self._node_ids:
            return
        fresh = [tensor.grad_fn]
        self._add_node(tensor.grad_fn, op)
        while fresh:
            node = fresh.pop()
            draft = self.drafts.nodes[self._node_ids[node]]
            self._listen(node, draft.id)
            for upper, port in node.next_functions:
                if upper is None:
                    draft.edges.append(None)
                elif _is_leaf_node(upper):
                    draft.edges.append(Edge(None, self._leaf(upper)))
                else:
                    if upper not in self._node_ids:
                        self._add_node(upper, op)
                        fresh.append(upper)
                    value = self._made.get((upper, port))
                    draft.edges.append(Edge(self._node_ids[upper], value))

    def _add_node(self, node: Node, op: int | None) -> NodeDraft:
        draft = NodeDraft(len(self.drafts.nodes), op, node.name())
        self._node_ids[node] = draft.id
        self.drafts.nodes.append(draft)
        return draft

    def _leaf(self, node: Node) -> int:
        """The value of the leaf that a node accumulates into; listens there."""
        leaf: torch.Tensor = node.variable  # type: ignore[attr-defined]
        if node not in self._node_ids:
            draft = self._add_node(node, None)
            before = functools.partial(self._leaf_before, draft.id, leaf)
            after = functools.partial(self._leaf_after, draft.id, leaf)
            self._handles.append(node.register_prehook(before))
            self._handles.append(node.register_hook(after))
        draft = self.drafts.nodes[self._node_ids[node]]
        draft.leaf = self._see(leaf, None)
        return draft.leaf

    def _listen(self, node: Node, node_id: int) -> None:
        # The hooks may run in a thread of torch's engine; appending is all they do.
        hook = functools.partial(self._node_ran, node_id)
        self._handles.append(node.register_hook(hook))

    def _node_ran(self, node_id: int, sent: Any, arrived: Any) -> None:
        if self._listening:
            self._guarded(self._note_node, node_id, sent, arrived)

    def _note_node(self, node_id: int, sent: Any, arrived: Any) -> None:
        number = self._pass(node_id)
        take = self._take_gradient
        self.drafts.ran.append(
            (next(self._clock), number, node_id,
             [take(each) for each in arrived], [take(each) for each in sent])
        )  # fmt: skip

    def _leaf_before(self, node_id: int, leaf: torch.Tensor, arrived: Any) -> None:
        if self._listening:
            self._guarded(self._note_before, node_id, leaf)

    def _note_before(self, node_id: int, leaf: torch.Tensor) -> None:
        before = self._take_gradient(leaf.grad)
        self.drafts.before[self._pass(node_id), node_id] = before

    def _leaf_after(
        self, node_id: int, leaf: torch.Tensor, sent: Any, arrived: Any
    ) -> None:
        if self._listening:
            self._guarded(self._note_leaf, node_id, leaf, arrived[0])

    def _note_leaf(
        self, node_id: int, leaf: torch.Tensor, arrived: torch.Tensor | None
    ) -> None:
        added, after = self._take_gradient(arrived), self._take_gradient(leaf.grad)
        if added is None or after is None:
            return
        number = self._pass(node_id)
        before = self.drafts.before.pop((number, node_id), None)
        self.drafts.leaves.append(
            LeafDraft(number, next(self._clock), node_id, before, added, after)
        )

    def _take_gradient(self, gradient: torch.Tensor | None) -> Taken | None:
        return None if gradient is None else self._summaries.take(gradient)

    def _pass(self, node_id: int) -> int:
        """The number of the backward pass that is running."""
        task = torch._C._current_graph_task_id()
        if task not in self._tasks:
            self._tasks[task] = len(self._tasks) + 1
            root = self._roots[0] if self._roots else self._output_of(node_id)
            self._roots = []
            self.drafts.passes.append(
                PassDraft(self._tasks[task], next(self._clock), root)
            )
        return self._tasks[task]

    def _output_of(self, node_id: int) -> int | None:
        op = self.drafts.nodes[node_id].op
        return None if op is None else self.drafts.ops[op].outputs[0]


def _tensors(held: Any) -> Iterator[torch.Tensor]:
    """The tensors in arguments or results, in order; lists, tuples and dicts opened."""
    if isinstance(held, torch.Tensor):
        yield held
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from _tensors(each)
    elif isinstance(held, dict):
        yield from _tensors(list(held.values()))


def _copied(held: Any) -> Any:
    """The same arguments with copies of the tensors, cut off from their graph."""
    if isinstance(held, torch.Tensor):
        return held.detach().clone().requires_grad_(held.requires_grad)
    if isinstance(held, dict):
        return {name: _copied(each) for name, each in held.items()}
    if type(held) in (list, tuple):
        return type(held)(_copied(each) for each in held)
    return held


def _as_written(call: Call, site: Site | None) -> list[Argument]:
    """The arguments in the source's order: the 3 of `3 * q` first."""
    arguments = call.arguments or []
    if len(arguments) != 2 or site is None or not isinstance(arguments[1], Const):
        return arguments
    reflected = call.function.__name__.startswith("__r") and call.name.startswith("r")
    if reflected or constant_is_first(site, call.args[0]):
        return [arguments[1], arguments[0]]
    return arguments


def _output_name(site: Site, port: int) -> str | None:
    if port < len(site.output_names):
        return site.output_names[port]
    return site.name if port == 0 else None


def _variable_name(tensor: torch.Tensor, site: Site) -> str | None:
    for names in (site.frame.f_locals, site.frame.f_globals):
        for name, found in list(names.items()):
            if found is tensor and not name.startswith("_"):
                return name
    return None


def _role(draft: ValueDraft, tensor: torch.Tensor, kind: str | None) -> Role:
    if kind == "buffer":
        return "buffer"
    if kind == "parameter" or isinstance(tensor, torch.nn.Parameter):
        return "parameter"
    if tensor.is_leaf and tensor.requires_grad:
        return "leaf"
    return "temporary" if tensor.grad_fn is not None else "constant"


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _is_leaf_node(node: Node) -> bool:
    return type(node).__name__ == "AccumulateGrad"
