"""Records what torch does while code runs eagerly: ops, values, backward nodes, leaves.

A TorchFunctionMode sees the calls; the backward pass is `ledger`'s. The recorder only
looks: it changes no value, gradient or random state, and a fault of its own switches
recording off. While code runs it only notes; `resolve` makes the trace of the notes.
"""

import itertools
import sys
import time
import types as python
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.autograd.graph import Node, get_gradient_edge
from torch.overrides import TorchFunctionMode

from tutor.engine import naming
from tutor.engine.calls import tensors
from tutor.engine.drafts import Drafts, OpNote, ValueNote
from tutor.engine.ledger import Ledger
from tutor.engine.modules import ModuleNames
from tutor.engine.naming import Kind
from tutor.engine.reading import version_of
from tutor.engine.source import Place, Sources, Stack
from tutor.engine.summary import Summaries
from tutor.engine.taken import Taken
from tutor.graph.trace import Const, Flag, Role

ITEMS_NOTED = 4096
"""Elements of a list that are looked through for tensors."""
_TEXT_SHOWN = 60

_kinds = naming.KINDS
_grad_enabled = torch.is_grad_enabled
_now = time.perf_counter_ns
_task = torch._C._current_graph_task_id
_interpreter = torch._C._functorch.peek_interpreter_stack
_next_node = torch._C._autograd._get_sequence_nr
_modes = torch._C._len_torch_function_stack
_TRANSFORMS = frozenset(
    f"torch._functorch.{name}" for name in ("apis", "eager_transforms", "vmap")
)
_AS_THEY_ARE = (
    bool, int, float, str, complex, type(None), torch.dtype, torch.device, slice,
    type(...), torch.memory_format, torch.layout,
)  # fmt: skip
_PLAIN = frozenset(_AS_THEY_ARE)
_NUMBERS = frozenset([int, float, bool, complex])


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
        self.drafts = Drafts(Sources(result_name), without_replays=not replays)
        self.root: int | None = None
        """The value that `backward` was asked to start from."""
        self._stack = Stack()
        self._modules = ModuleNames()
        self._summaries = Summaries()
        self._op_limit = op_limit
        self._listening = False
        self._clock = itertools.count()
        self._known: dict[int, ValueNote] = {}
        """By a tensor's identity, checked against the note's own reference."""
        self._tensor_count = 0
        self._names = dict(names or {})
        self._given: set[int] = set()
        self._variables = variables or {}
        self._gradients: dict[int, tuple[weakref.ref[torch.Tensor], ValueNote]] = {}
        self._used: set[int] = set()
        """Values that the first ops took, and how many ops these are."""
        self._used_until = 0
        self._opaque: OpNote | None = None
        self._opaques: list[tuple[int, OpNote]] = []
        """With the number that torch would have given to a node when each began."""
        self._transform: python.FrameType | None = None
        """torch.func's frame that the last op stands for; it may run on."""
        self._ledger = Ledger(
            self.drafts, self._summaries, self._clock, self._see, self._met_before,
            self._stop, self._place, op_limit,
        )  # fmt: skip

    # -- the recorder's life

    def __enter__(self) -> "Recorder":
        with torch._C.DisableTorchFunction():
            for name, tensor in self._names.items():
                value = self._see(tensor)
                value.name = name
                self._given.add(value.tensor)
        self._stack.bottom = sys._getframe(1)
        self._modules.open(self._module_name, self._module_left, self._stop)
        if self._variables:
            self._modules.learn(self._variables)
        self._listening = self._ledger.listening = True
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        self.close()

    def close(self) -> None:
        """Leave no hook and no reference to the learner's tensors; fetch summaries."""
        self._listening = False
        try:
            with torch._C.DisableTorchFunction():
                self._summaries.fetch()
                self._ledger.settle_saved()
                self._name_parts()
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)
        self._ledger.close()
        self._modules.close()
        self._known.clear()
        self._names.clear()
        self._gradients.clear()
        self._variables = {}
        self._stack.bottom = self._transform = None

    def met(self) -> list[torch.Tensor]:
        """The tensors it met that are still there; none once it is closed."""
        held = (each.holder() for each in self._known.values())
        return [each for each in held if each is not None]

    def bind(self, names: Mapping[str, Any]) -> None:
        """The variables of the code hold these now; called at its end, before `close`."""
        try:
            with torch._C.DisableTorchFunction():
                self._modules.learn(names)
                for name, held in list(names.items()):
                    if isinstance(held, torch.Tensor) and not name.startswith("__"):
                        self._bind(name, held)
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)

    def _bind(self, name: str, held: torch.Tensor) -> None:
        note = self._met_before(held)
        if note is None and held.requires_grad and held.grad_fn is None:
            note = self._see(held)  # a leaf that was not used
        if note is None and self._opaque is not None:
            note = self._see(held)
        if note is not None:
            self.drafts.names[name] = note.id
            if note.name is None:
                note.name = name

    def backward(
        self, root: torch.Tensor, start: Callable[[], Any], *, retain: bool = False
    ) -> int:
        """Go backward from a tensor, with the gradient that `start` makes; its value.

        Only the pass is recorded, not that it was asked for. `retain`: the graph stays.
        """
        with torch._C.DisableTorchFunction():
            value = self._see_root(root)
            self.root = value.id
            gradient = start()
            note = self._ledger.begin("backward", [value], retain, None)
            try:
                root.backward(gradient=gradient, retain_graph=retain)
            except BaseException as error:
                self._ledger.end(note, error)
                if not self.drafts.ran or self.drafts.ran[-1][1] != note.number:
                    self.drafts.passes.remove(note)  # it never began
                raise
            self._ledger.end(note)
            self._summaries.look()  # as the gradients may be put back
        return value.id

    def _stop(self, error: BaseException) -> None:
        """A fault of ours ends the recording, never the learner's code."""
        self._listening = self._ledger.listening = False
        self.drafts.truncated = (
            f"The recorder stopped by a fault of its own ({type(error).__name__}: "
            f"{error}); what the code computed is not touched by it."
        )

    # -- calls

    def __torch_function__(  # noqa: C901 - each call more would cost at every op
        self,
        function: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """torch calls this for every function; the answer is the function's own."""
        keywords = {} if kwargs is None else kwargs
        if not self._listening:
            return function(*args, **keywords)
        if (
            _task() != -1
            or _interpreter() is not None
            or (self._transform is not None and self._transform is _transform())
        ):
            self._elsewhere(function)
            return function(*args, **keywords)
        try:
            kind = _kinds[function]
        except (KeyError, TypeError):
            kind = naming.kind(function)
        if kind.special:
            return self._special(kind, function, args, keywords)
        # Others that listen - modes, classes of tensors - are not to hear us.
        heard = bool(types) or _modes() > 0
        changes = kind.in_place or (keywords and _may_change(keywords))
        noted: Any = None
        try:
            if heard:
                with torch._C.DisableTorchFunction():
                    noted = self._before(args, keywords, changes)
            else:
                noted = self._before(args, keywords, changes)
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)
        begun = _now()
        try:
            returned = function(*args, **keywords)
        except BaseException as error:
            if noted is not None:
                self._failed(kind, noted, error)
            raise
        if noted is not None:
            took = _now() - begun
            try:
                if heard:
                    with torch._C.DisableTorchFunction():
                        self._after(kind, function, args, noted, returned, took)
                else:
                    self._after(kind, function, args, noted, returned, took)
            except Exception as error:  # noqa: BLE001 - ours, not the learner's
                self._stop(error)
        return returned

    def _before(  # noqa: C901 - as above
        self, args: Sequence[Any], keywords: Mapping[str, Any], changes: Any
    ) -> Any:
        """The arguments as values and constants; None: the trace is full."""
        if changes:
            self._summaries.settle()
            if args and isinstance(args[0], torch.Tensor):
                self._summaries.look(args[0])
        if len(self.drafts.ops) >= self._op_limit:
            # What was computed since becomes one op, found behind the next backward.
            self.drafts.truncated = (
                f"The trace has the first {self._op_limit} ops; the code ran on."
            )
            return None
        written: Any = None
        known_before = len(self.drafts.values)
        known = self._known
        arguments: list[Any] = []
        for each in args:
            found = known.get(id(each))
            if found is not None and found.holder() is each:
                try:
                    if found.version == each._version:  # type: ignore[union-attr]
                        arguments.append(found)
                        continue
                except RuntimeError:  # a tensor of inference mode
                    pass
            arguments.append(self._noted(each))
        named = {}
        if keywords:
            for name, each in keywords.items():
                if each is not None and each is not False:
                    named[name] = self._noted(each)
        if changes:
            written = [
                (each, version_of(each)) for each in tensors((args, dict(keywords)))
            ]
        return arguments, named, written, known_before

    def _failed(self, kind: Kind, noted: Any, error: BaseException) -> None:
        try:
            arguments, keywords, _, _ = noted
            if isinstance(error, Exception) and _has_value((arguments, keywords)):
                place, _, hidden = self._stack.place(3)
                if not hidden:
                    note = self._add_op(kind, arguments, keywords, place, [], 0)
                    note.error = f"{type(error).__name__}: {error}"
        except Exception as fault:  # noqa: BLE001 - ours, not the learner's
            self._stop(fault)

    def _after(  # noqa: C901 - as above
        self,
        kind: Kind,
        function: Callable[..., Any],
        args: Sequence[Any],
        noted: Any,
        returned: Any,
        took: int,
    ) -> None:
        arguments, keywords, written, known_before = noted
        flags: list[Flag] = []
        outputs: list[torch.Tensor] = []
        known = self._known
        if written:
            for each, version in written:
                if version_of(each) != version:
                    flags.append("inplace")
                    outputs.append(each)
                    break
        for each in (
            (returned,) if type(returned) is torch.Tensor else tensors(returned)
        ):
            found = known.get(id(each))
            if (found is None or found.holder() is not each) and not (
                outputs and any(each is other for other in outputs)
            ):
                outputs.append(each)
        if not outputs and not kind.reads:
            self._forget(known_before)
            return
        place, frame, hidden = self._stack.place(3)
        if hidden:
            self._forget(known_before)
            return
        note = self._add_op(kind, arguments, keywords, place, flags, took)
        if (
            kind.swapped
            and frame is not None
            and len(args) == 2
            and type(args[1]) in _NUMBERS
        ):
            note.aliases = _names_of(args[0], frame)
        if outputs and not (
            (arguments and type(arguments[0]) is ValueNote)
            or _has_value(arguments)
            or (keywords and _has_value(keywords))
        ):
            flags.append("creation")
        if kind.random:
            flags.append("random")
        if not _grad_enabled():
            flags.append("nograd")
        if not flags:
            note.function = function
        for port, each in enumerate(outputs):
            self._add_output(note, each, port, args, arguments)

    def _forget(self, known_before: int) -> None:
        """A call that is not recorded brings no values."""
        values = self.drafts.values
        if len(values) > known_before and not any(
            each.op is not None for each in values[known_before:]
        ):
            for each in values[known_before:]:
                tensor = each.holder()
                if tensor is not None:
                    self._known.pop(id(tensor), None)
            del values[known_before:]

    def _add_op(
        self,
        kind: Kind,
        arguments: Sequence[Any],
        keywords: dict[str, Any],
        place: Place | None,
        flags: list[Flag],
        took: int,
    ) -> OpNote:
        running, self._transform = self._modules.running, None
        note = OpNote(
            len(self.drafts.ops), next(self._clock), kind, tuple(arguments), keywords,
            [], place, running[-1] if running else None, flags, took,
        )  # fmt: skip
        self.drafts.ops.append(note)
        return note

    def _add_output(
        self,
        op: OpNote,
        tensor: torch.Tensor,
        port: int,
        args: Sequence[Any],
        arguments: Sequence[Any],
    ) -> None:
        origin = tensor.grad_fn
        number = -1 if origin is None else self._ledger.claim(origin, op.id)
        taken = None
        if tensor._is_view():
            base = tensor._base
            for each, value in zip(args, arguments, strict=False):
                if isinstance(each, torch.Tensor) and (
                    each is base or each._base is base
                ):
                    if "view" not in op.flags:
                        op.flags.append("view")
                    numbers = value.taken.numbers
                    if numbers is not None and each.shape.numel() == tensor.numel():
                        taken = self._summaries.large(tensor, value.taken)
                    break
            if taken is None:
                taken = self._summaries.take_now(tensor)
        elif op.kind.name in ("from_numpy", "as_tensor", "frombuffer"):
            taken = self._summaries.take_now(tensor)
        else:
            taken = self._summaries.take(tensor)
        op.outputs.append(
            self._add_value(tensor, None, op.id, port, taken, origin, number)
        )

    # -- calls that are not like the others

    def _special(
        self,
        kind: Kind,
        function: Callable[..., Any],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
    ) -> Any:
        try:
            with torch._C.DisableTorchFunction():
                begun = self._special_before(kind, args, keywords)
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)
            return function(*args, **keywords)
        try:
            returned = function(*args, **keywords)
        except BaseException as error:
            if kind.special in ("backward", "grad") and begun is not None:
                self._ledger.end(begun[0], error)
            raise
        try:
            with torch._C.DisableTorchFunction():
                self._special_after(kind, function, args, begun, returned)
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)
        return returned

    def _special_before(
        self, kind: Kind, args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        match kind.special:
            case "backward" | "grad":
                roots = [self._see_root(each) for each in tensors(args[:1])]
                noted = None
                if kind.special == "grad":
                    noted = self._before(args, keywords, False)
                retains = bool(
                    keywords.get("retain_graph") or keywords.get("create_graph")
                )
                place, _, _ = self._stack.place(2)
                begin = self._ledger.begin
                return begin(kind.special, roots, retains, place), noted
            case "set" | "flag":
                if self._stack.place(2)[2]:  # hidden, as within `net.double()`
                    if kind.name == "set_data":
                        self._known.pop(id(args[0]), None)
                    return None
                if kind.name == "set_grad":
                    gradient = args[0].grad
                    if gradient is not None:
                        self._summaries.look(gradient)
                elif kind.name == "set_data":
                    self._summaries.settle()
                return self._before(args, {}, False)
        return None

    def _special_after(
        self,
        kind: Kind,
        function: Callable[..., Any],
        args: Sequence[Any],
        begun: Any,
        returned: Any,
    ) -> None:
        if kind.special in ("backward", "grad"):
            self._ledger.end(begun[0])
            if kind.special == "grad" and begun[1] is not None:
                self._after(kind, function, args, begun[1], returned, 0)
                if self.drafts.ops:
                    self.drafts.ops[-1].function = None
        elif kind.special == "get_grad":
            owner = self._met_before(args[0])
            if returned is not None and owner is not None:
                self._gradients[id(returned)] = weakref.ref(returned), owner
        elif begun is not None:
            self._note_setting(kind, args[0], begun)

    def _note_setting(self, kind: Kind, tensor: torch.Tensor, begun: Any) -> None:
        """An attribute was set: an op without outputs, unless the values changed."""
        arguments, keywords, _, _ = begun
        if kind.name not in naming.SET and kind.special != "flag":
            return
        place, _, _ = self._stack.place(2)
        value = arguments[0]
        note = self._add_op(kind, arguments, keywords, place, [], 0)
        if not torch.is_grad_enabled():
            note.flags.append("nograd")
        if kind.name == "set_data":
            note.flags.append("inplace")
            taken = self._summaries.take(tensor)
            found = self._add_value(tensor, None, note.id, 0, taken, tensor.grad_fn)
            note.outputs.append(found)
        elif isinstance(value, ValueNote):
            is_leaf, requires = tensor.is_leaf, tensor.requires_grad
            if (value.requires_grad, value.is_leaf) == (requires, is_leaf):
                return
            if value.id in self._used_before(note):  # there it stays what it was
                value = self._add_value(tensor, value.name, None, 0, value.taken, None)
            value.requires_grad = requires
            value.is_leaf = is_leaf
            value.role = _role(tensor)

    def _used_before(self, op: OpNote) -> set[int]:
        """The values that ops before this one took, but for settings."""
        ops, used = self.drafts.ops, self._used
        for place in range(self._used_until, op.id):
            each = ops[place]
            if each.kind.name not in naming.SET and each.kind.special != "flag":
                used.update(_values_in((each.arguments, each.keywords)))
        self._used_until = op.id
        return used

    def _elsewhere(self, function: Callable[..., Any]) -> None:
        """Within a backward pass, or a transform of torch.func, which is one op."""
        try:
            if naming.kind(function).in_place:
                with torch._C.DisableTorchFunction():
                    self._summaries.settle()
            if _interpreter() is not None and _task() == -1:
                outer = _transform()
                if outer is not None and outer is not self._transform:
                    with torch._C.DisableTorchFunction():
                        self._note_opaque(outer)
                    self._transform = outer
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)

    def _note_opaque(self, outer: python.FrameType) -> None:
        if len(self.drafts.ops) >= self._op_limit:
            return
        held = outer.f_locals
        inputs = [
            self._see(each)
            for each in tensors((held.get("args"), held.get("kwargs")))
            if not torch._C._functorch.is_functorch_wrapped_tensor(each)
        ]
        name = outer.f_code.co_qualname.partition(".")[0]
        kind = naming.plain_kind(name)
        place, _, _ = self._stack.place(2)
        flags: list[Flag] = ["opaque"]
        if not torch.is_grad_enabled():
            flags.append("nograd")
        self._opaque = self._add_op(kind, inputs, {}, place, flags, 0)
        self._opaques.append((_next_node(), self._opaque))

    # -- values

    def _met_before(self, tensor: torch.Tensor) -> ValueNote | None:
        """The value a tensor is now, if it was met as that."""
        found = self._known.get(id(tensor))
        if found is None or found.holder() is not tensor:
            return None
        return found if found.version == version_of(tensor) else None

    def _see(self, tensor: torch.Tensor) -> ValueNote:
        """The value a tensor is now; met for the first time, it becomes one."""
        known = self._known.get(id(tensor))
        if known is not None and known.holder() is not tensor:
            known = None
        if known is not None and known.version == version_of(tensor):
            return known
        origin = tensor.grad_fn
        name = known.name if known is not None else self._variable(tensor)
        number = -1 if origin is None else self._ledger.ids.get(origin)
        opaque = None
        if known is None and self._opaque is not None:
            opaque = self._opaque if number is not None else self._maker(origin)
        if opaque is not None and (
            number is None or (origin is None and not opaque.outputs)
        ):
            return self._add_opaque(opaque, tensor, origin)
        if number is None:
            assert origin is not None
            return self._add_unseen(tensor, name, origin)
        op = None if number < 0 else self.drafts.nodes[number].op
        if not tensor.requires_grad:
            take = self._summaries.take_now
        elif origin is None:
            take = self._summaries.take_leaf
        else:
            take = self._summaries.take
        note = self._add_value(tensor, name, op, 0, take(tensor), origin, number)
        if known is None:
            gradient = self._gradients.get(id(tensor))
            if gradient is not None and gradient[0]() is tensor:
                note.gradient_of = gradient[1]
        return note

    def _see_root(self, tensor: torch.Tensor) -> ValueNote:
        """The value to go backward from; a leaf may be it, with no op behind it."""
        if tensor.requires_grad and tensor.grad_fn is None:
            self._ledger.leaf(get_gradient_edge(tensor).node)
        return self._see(tensor)

    def _add_value(
        self,
        tensor: torch.Tensor,
        name: str | None,
        op: int | None,
        port: int,
        taken: Taken,
        origin: Node | None,
        node: int = -1,
    ) -> ValueNote:
        key = id(tensor)
        known = self._known.get(key)
        if known is not None and known.holder() is tensor:
            number, holder = known.tensor, known.holder
            name = name or known.name
        else:
            number, holder = self._tensor_count, weakref.ref(tensor)
            self._tensor_count += 1
        values = self.drafts.values
        if origin is not None:
            note = ValueNote(
                len(values), number, version_of(tensor), op, port, taken, True, False,
                "temporary", name, holder,
            )  # fmt: skip
            if node < 0:
                node = self._ledger.ids.get(origin, -1)
            self._ledger.made[node, tensor.output_nr] = note
        else:
            note = ValueNote(
                len(values), number, version_of(tensor), op, port, taken,
                tensor.requires_grad, tensor.is_leaf, _role(tensor), name, holder,
            )  # fmt: skip
        if known is not None and number == known.tensor:
            note.gradient_of = known.gradient_of
        values.append(note)
        self._known[key] = note
        return note

    def _add_unseen(
        self, tensor: torch.Tensor, name: str | None, origin: Node
    ) -> ValueNote:
        """An op for what torch did where the recorder could not look."""
        place, _, _ = self._stack.place(2)
        kind = naming.plain_kind(naming.op_of_node(origin.name()))
        op = self._add_op(kind, (), {}, place, ["unseen"], 0)
        number = self._ledger.claim(origin, op.id)
        op.arguments = self._behind(op.id, number)
        taken = self._summaries.take(tensor)
        note = self._add_value(tensor, name, op.id, 0, taken, origin, number)
        op.outputs.append(note)
        return note

    def _add_opaque(
        self, op: OpNote, tensor: torch.Tensor, origin: Node | None
    ) -> ValueNote:
        """What a transform of torch.func gave back."""
        number = -1
        if origin is not None:
            number = self._ledger.claim(origin, op.id)
            known = {id(each) for each in op.arguments}
            more = [e for e in self._behind(op.id, number) if id(e) not in known]
            op.arguments = (*op.arguments, *more)
        taken = self._summaries.take(tensor)
        port = len(op.outputs)
        note = self._add_value(tensor, None, op.id, port, taken, origin, number)
        op.outputs.append(note)
        return note

    def _maker(self, origin: Node | None) -> OpNote | None:
        """The transform of torch.func that ran when a node was made."""
        if origin is not None:
            made = origin._sequence_nr()
            for begun, each in reversed(self._opaques):
                if begun <= made:
                    return each
        return self._opaque

    def _behind(self, op: int, first: int) -> tuple[ValueNote, ...]:
        """The values that an op's nodes, from that one on, lead to."""
        found = [
            edge[1]
            for node in self.drafts.nodes[first:]
            if node.op == op
            for edge in node.edges
            if edge is not None and edge[1] is not None
        ]
        return tuple(dict.fromkeys(found))

    def _noted(self, given: Any) -> Any:
        """An argument: a note for a tensor, else itself, or a text that stands for it."""
        kind = type(given)
        if kind in _PLAIN:
            return given
        if isinstance(given, torch.Tensor):
            return self._see(given)
        if isinstance(given, (list, tuple)):
            return [self._noted(each) for each in given[:ITEMS_NOTED]]
        if isinstance(given, _AS_THEY_ARE):
            return given
        return Const(repr(given)[:_TEXT_SHOWN])

    # -- names

    def _variable(self, tensor: torch.Tensor) -> str | None:
        """The variable that holds a tensor, in the outermost function that has one."""
        running = self._modules.running
        if not self._listening:
            return None
        if running and (
            type(tensor) is nn.Parameter
            or any(each is tensor for each in running[-1]._buffers.values())
        ):
            return None  # its module names it, at the end
        for frame in self._stack.frames():
            names = _names_of(tensor, frame)
            if names:
                return names[0]
        return None

    def _module_name(self, module: nn.Module) -> str | None:
        with torch._C.DisableTorchFunction():
            self._stack.place(2)
            for frame in self._stack.frames():
                for names in (frame.f_locals, frame.f_globals):
                    for name, found in list(names.items()):
                        if found is module and not name.startswith("_"):
                            return name
        return None

    def _module_left(self, module: nn.Module, output: Any) -> None:
        if not self._listening or _task() != -1 or _interpreter() is not None:
            return
        with torch._C.DisableTorchFunction():
            if isinstance(output, torch.Tensor):
                given = self._met_before(output)
                if given is not None and given.op is not None:
                    self.drafts.module_outputs.append((given, module))
            place, depth = self._stack.place_of_module()
            if place is None or depth != 1:
                return  # within another module of torch's, the result has no name
            for port, tensor in enumerate(tensors(output)):
                value = self._met_before(tensor)
                if value is not None and value.name is None:
                    self.drafts.returned.append((value, port, place))

    def _name_parts(self) -> None:
        """Parameters, buffers and the modules of ops get their paths."""
        found: dict[int, tuple[str, Role]] = {}
        for tensor, name, role in self._modules.parts():
            value = self._known.get(id(tensor))
            if value is not None and value.holder() is tensor:
                found.setdefault(value.tensor, (name, role))
        if found:
            for each in self.drafts.values:
                named = found.get(each.tensor)
                if named is not None:
                    each.role = named[1]
                    if each.tensor not in self._given:
                        each.name = named[0]
        path = self._modules.path
        for op in self.drafts.ops:
            if op.module is not None and not isinstance(op.module, str):
                op.module = path(op.module)
        for value, module in self.drafts.module_outputs:
            value.output_of = path(module)
        self.drafts.module_outputs.clear()

    def _place(self) -> Place | None:
        return self._stack.place(2)[0]


def _transform() -> python.FrameType | None:
    """The outermost function of torch.func that runs now."""
    outer: python.FrameType | None = None
    frame: python.FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "") in _TRANSFORMS:
            outer = frame
        frame = frame.f_back
    return outer


def _names_of(tensor: Any, frame: python.FrameType) -> tuple[str, ...]:
    """The names of the frame's own code that hold a tensor there."""
    code, local, outside = frame.f_code, frame.f_locals, frame.f_globals
    found = []
    if local is not outside:
        found = [name for name, held in local.items() if held is tensor]
    for name in code.co_names:
        if outside.get(name) is tensor:
            found.append(name)
    return tuple([name for name in found if name[0] != "_"])


def _has_value(held: Any) -> bool:
    if isinstance(held, ValueNote):
        return True
    if isinstance(held, (list, tuple)):
        return any(_has_value(each) for each in held)
    return isinstance(held, dict) and any(_has_value(each) for each in held.values())


def _values_in(held: Any) -> Iterator[int]:
    if isinstance(held, ValueNote):
        yield held.id
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from _values_in(each)
    elif isinstance(held, dict):
        yield from _values_in(list(held.values()))


def _may_change(keywords: Mapping[str, Any]) -> bool:
    return keywords.get("out") is not None or keywords.get("inplace") is True


def _role(tensor: torch.Tensor) -> Role:
    if isinstance(tensor, nn.Parameter):
        return "parameter"
    if tensor.is_leaf and tensor.requires_grad:
        return "leaf"
    return "temporary" if tensor.grad_fn is not None else "constant"
