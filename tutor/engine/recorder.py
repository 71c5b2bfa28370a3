"""Records what torch does while code runs eagerly: ops, values, backward nodes, leaves.

A TorchFunctionMode sees the calls; `op_notes` and `value_notes` write them down, and the
backward pass is `ledger`'s. The recorder only looks: it changes no value, gradient or
random state, and a fault of its own switches recording off. While code runs it only
notes; `resolve` makes the trace of the notes.
"""

import itertools
import sys
import time
import types as python
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from tutor.engine import naming
from tutor.engine.attributes import Attributes
from tutor.engine.calls import tensors
from tutor.engine.drafts import Drafts, ValueNote
from tutor.engine.module_notes import ModuleNotes
from tutor.engine.modules import ModuleNames
from tutor.engine.naming import Kind
from tutor.engine.op_notes import OpNotes, given_to, transform
from tutor.engine.reading import version_of
from tutor.engine.source import Sources, Stack
from tutor.engine.summary import Summaries
from tutor.engine.value_notes import ValueNotes
from tutor.engine.variables import Variables, names_of
from tutor.graph.trace import Flag

_kinds = naming.KINDS
_grad_enabled = torch.is_grad_enabled
_now = time.perf_counter_ns
_task = torch._C._current_graph_task_id
_interpreter = torch._C._functorch.peek_interpreter_stack
_modes = torch._C._len_torch_function_stack
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
        self._listening = False
        self._given_names = dict(names or {})
        self._given_variables = variables or {}
        self._op_limit = op_limit
        self._stack = stack = Stack()
        self._summaries = summaries = Summaries()
        self._modules = modules = ModuleNames()
        clock = itertools.count()
        self._ops = ops = OpNotes(self.drafts, modules, clock)
        self._variables = Variables(stack, modules)
        self._values = values = ValueNotes(
            self.drafts, summaries, ops, self._variables, stack, clock, self._stop,
            op_limit,
        )  # fmt: skip
        self._known = values.known
        self._ledger = values.ledger
        self._module_notes = ModuleNotes(self.drafts, values, modules, stack)
        self._attributes = Attributes(self.drafts, ops, values, summaries, stack)

    # -- the recorder's life

    def __enter__(self) -> "Recorder":
        with torch._C.DisableTorchFunction():
            for name, tensor in self._given_names.items():
                self._values.give(name, tensor)
        self._stack.bottom = sys._getframe(1)
        self._modules.open(
            self._variables.of_module, self._module_notes.left, self._stop
        )
        if self._given_variables:
            self._modules.learn(self._given_variables)
        self._listen(True)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        self.close()

    def close(self) -> None:
        """Leave no hook and no reference to the learner's tensors; fetch summaries."""
        self._listen(False)
        try:
            with torch._C.DisableTorchFunction():
                self._summaries.fetch()
                self._ledger.settle_saved()
                self._module_notes.name_parts()
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)
        self._values.close()
        self._modules.close()
        self._given_names.clear()
        self._given_variables = {}
        self._stack.bottom = self._ops.transform = None

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
                        self._values.bind(name, held)
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)

    def backward(
        self, root: torch.Tensor, start: Callable[[], Any], *, retain: bool = False
    ) -> int:
        """Go backward from a tensor, with the gradient that `start` makes; its value.

        Only the pass is recorded, not that it was asked for. `retain`: the graph stays.
        """
        with torch._C.DisableTorchFunction():
            value = self._values.see_root(root)
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

    def _listen(self, whether: bool) -> None:
        self._listening = self._ledger.listening = whether
        self._variables.listening = self._module_notes.listening = whether

    def _stop(self, error: BaseException) -> None:
        """A fault of ours ends the recording, never the learner's code."""
        self._listen(False)
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
            or (self._ops.transform is not None and self._ops.transform is transform())
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
            arguments.append(self._values.noted(each))
        named = {}
        if keywords:
            for name, each in keywords.items():
                if each is not None and each is not False:
                    named[name] = self._values.noted(each)
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
                    note = self._ops.add(kind, arguments, keywords, place, [], 0)
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
            self._values.forget(known_before)
            return
        place, frame, hidden = self._stack.place(3)
        if hidden:
            self._values.forget(known_before)
            return
        note = self._ops.add(kind, arguments, keywords, place, flags, took)
        if (
            kind.swapped
            and frame is not None
            and len(args) == 2
            and type(args[1]) in _NUMBERS
        ):
            note.aliases = names_of(args[0], frame)
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
            self._values.add_output(note, each, port, args, arguments)

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
                roots = [self._values.see_root(each) for each in tensors(args[:1])]
                noted = None
                if kind.special == "grad":
                    noted = self._before(args, keywords, False)
                retains = bool(
                    keywords.get("retain_graph") or keywords.get("create_graph")
                )
                begin, place = self._ledger.begin, self._stack.here()
                return begin(kind.special, roots, retains, place), noted
            case "set" | "flag":
                if self._attributes.will_be_set(kind, args[0]):
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
            if returned is not None:
                self._values.see_gradient(args[0], returned)
        elif begun is not None:
            arguments, keywords, _, _ = begun
            self._attributes.was_set(kind, args[0], arguments, keywords)

    def _elsewhere(self, function: Callable[..., Any]) -> None:
        """Within a backward pass, or a transform of torch.func, which is one op."""
        try:
            if naming.kind(function).in_place:
                with torch._C.DisableTorchFunction():
                    self._summaries.settle()
            if _interpreter() is not None and _task() == -1:
                outer = transform()
                if outer is not None and outer is not self._ops.transform:
                    with torch._C.DisableTorchFunction():
                        self._note_transform(outer)
                    self._ops.transform = outer
        except Exception as error:  # noqa: BLE001 - ours, not the learner's
            self._stop(error)

    def _note_transform(self, outer: python.FrameType) -> None:
        if len(self.drafts.ops) < self._op_limit:
            inputs = [self._values.see(each) for each in given_to(outer)]
            self._ops.add_transform(outer, inputs, self._stack.here())


def _has_value(held: Any) -> bool:
    if isinstance(held, ValueNote):
        return True
    if isinstance(held, (list, tuple)):
        return any(_has_value(each) for each in held)
    return isinstance(held, dict) and any(_has_value(each) for each in held.values())


def _may_change(keywords: Mapping[str, Any]) -> bool:
    return keywords.get("out") is not None or keywords.get("inplace") is True
