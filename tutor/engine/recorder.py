"""Records what torch does while code runs eagerly: ops, values, backward nodes, leaves.

A TorchFunctionMode sees the calls; the backward pass is `ledger`'s. The recorder only
looks: it changes no value, gradient or random state, and a fault of its own switches
recording off. What it saw becomes events in `drafts`.
"""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.autograd.graph import Node, get_gradient_edge
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from tutor.engine import naming
from tutor.engine.calls import (
    as_written,
    copied,
    output_name,
    tensors,
    variable_name,
)
from tutor.engine.drafts import (
    Call,
    Drafts,
    OpDraft,
    Replay,
    ValueDraft,
)
from tutor.engine.ledger import Ledger
from tutor.engine.modules import ModuleNames
from tutor.engine.source import Site, Sources
from tutor.engine.summary import Summaries
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
        variables: Mapping[str, Any] | None = None,
        op_limit: int = 20_000,
        replays: bool = True,
    ) -> None:
        """`names` are tensors known beforehand; `result_name` is what the value returned
        by the outermost function is called; the modules among `variables` are called
        as there; without `replays` no rule can be made."""
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
        self._names = dict(names or {})
        self._variables = variables or {}
        self._ledger = Ledger(
            self.drafts,
            self._summaries,
            self._clock,
            lambda leaf: self._see(leaf, None),
            self._guarded,
        )

    # -- the recorder's life

    def __enter__(self) -> "Recorder":
        for name, tensor in self._names.items():
            value = self._see(tensor, None)
            self.drafts.values[value].name = name
        self._modules.open(self._sources.frame, self._guarded)
        self._guarded(self._modules.learn, self._variables)
        self._listening = self._ledger.listening = True
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        self.close()

    def close(self) -> None:
        """Leave no hook and no reference to the learner's tensors; fetch summaries."""
        self._listening = False
        self._ledger.close()
        self._modules.close()
        self._guarded(self._summaries.fetch)
        self._known.clear()
        self._names.clear()
        self._variables = {}

    def met(self) -> list[torch.Tensor]:
        """The tensors it met that are still there; none once it is closed."""
        return list(self._known)

    def backward(
        self, root: torch.Tensor, start: Callable[[], Any], *, retain: bool = False
    ) -> int:
        """Go backward from a tensor, with the gradient that `start` makes; its value.

        Only the pass is recorded, not that it was asked for. `retain`: the graph stays.
        """
        with torch._C.DisableTorchFunction():
            value = self._see_root(root)
            self._ledger.roots = [value]
            self.root = value
            root.backward(gradient=start(), retain_graph=retain)
        return value

    def _guarded(self, look: Callable[..., Any], *args: Any) -> Any:
        """Call one of ours; its fault ends the recording, never the learner's code."""
        try:
            return look(*args)
        except Exception as error:  # noqa: BLE001 - see above
            self._listening = self._ledger.listening = False
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
            self._ledger.roots = [self._see_root(each) for each in tensors(args[:1])]
            return None
        if name == "grad" and naming.is_property(function):
            return None
        call = Call(function, name, args, keywords)
        if name == "grad":
            self._ledger.roots = [self._see(each, None) for each in tensors(args[:1])]
        full = len(self.drafts.ops) >= self._op_limit
        if not full and naming.changes_in_place(function, keywords):
            call.site = self._sources.site()
            call.versions = [
                (each, each._version) for each in tensors((args, keywords))
            ]
            call.arguments = self._arguments(args, call.site)
        return call

    def _failed(self, call: Call, error: BaseException) -> None:
        if isinstance(error, Exception) and next(tensors(call.args), None) is not None:
            draft = self._record(call, ())
            draft.error = f"{type(error).__name__}: {error}"

    def _after(self, call: Call, returned: Any) -> None:
        inputs = {id(each) for each in tensors((call.args, call.keywords))}
        changed = [each for each, seen in call.versions if each._version != seen]
        outputs = [each for each in tensors(returned) if id(each) not in inputs]
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
            if each is not None and each is not False
        }
        inside = site is not None and self._modules.runs_in(site.frame)
        draft = OpDraft(
            id=len(self.drafts.ops),
            at=next(self._clock),
            function=call.name,
            symbol=naming.symbol(call.name, call.args),
            label=site.label if site is not None and not inside else "",
            arguments=as_written(call, site),
            keywords=keywords,
            source=site.source if site is not None else None,
            module=self._modules.path,
            calls=site.calls if site is not None else (),
            microseconds=call.microseconds,
        )
        self.drafts.ops.append(draft)
        draft.flags = self._flags(call, outputs)
        for port, tensor in enumerate(outputs):
            name = None if site is None or inside else output_name(site, port)
            draft.outputs.append(self._add_value(tensor, name, draft.id, port))
            self._ledger.claim(tensor, draft.id)
        if self._replays:
            self._keep_for_rule(call, draft, outputs)
        return draft

    def _flags(self, call: Call, outputs: Sequence[torch.Tensor]) -> list[Flag]:
        flags = call.flags
        if outputs and next(tensors((call.args, call.keywords)), None) is None:
            flags.append("creation")
        bases = {id(each) for each in tensors((call.args, call.keywords))}
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
        held = list(tensors((call.args, call.keywords)))
        if outputs[0].numel() + sum(each.numel() for each in held) > REPLAY_LIMIT:
            return
        args, keywords = copied((list(call.args), dict(call.keywords)))
        replay = Replay(draft.id, call.function, call.name, args, keywords)
        self.drafts.replays.append(replay)

    # -- values

    def _see(self, tensor: torch.Tensor, site: Site | None) -> int:
        """The value a tensor is now; met for the first time, it becomes one."""
        known: tuple[int, int] | None = self._known.get(tensor)
        origin = tensor.grad_fn
        owned = origin is None or self._ledger.knows(origin)
        if known is not None and known[1] == _version(tensor) and owned:
            draft = self.drafts.values[known[0]]
            if draft.name is None or tensor.requires_grad != draft.requires_grad:
                self._describe(draft, tensor)
            return known[0]
        name = None
        if known is not None:
            name = self.drafts.values[known[0]].name
        elif site is not None:
            name = variable_name(tensor, site)
        if owned or origin is None:
            op = None if origin is None else self._ledger.op_of(origin)
            return self._add_value(tensor, name, op, 0)
        return self._add_unseen(tensor, name, origin, site)

    def _see_root(self, tensor: torch.Tensor) -> int:
        """The value to go backward from; a leaf may be it, with no op behind it."""
        if tensor.requires_grad and tensor.grad_fn is None:
            self._ledger.leaf(get_gradient_edge(tensor).node)
        return self._see(tensor, None)

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
        self._ledger.carries(tensor, draft.id)
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
        self._ledger.claim(tensor, draft.id)
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
        for port, tensor in enumerate(tensors(output)):
            known: tuple[int, int] | None = self._known.get(tensor)
            if known is not None and site is not None:
                draft = self.drafts.values[known[0]]
                draft.name = draft.name or output_name(site, port)

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
