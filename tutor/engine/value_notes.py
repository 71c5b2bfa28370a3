"""Notes of values: which one a tensor is now. Met for the first time, it becomes one.

Tensors are known by their identity and torch's version counter, and are not kept alive.
"""

import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.autograd.graph import Node, get_gradient_edge

from tutor.engine import naming
from tutor.engine.drafts import Drafts, OpNote, ValueNote
from tutor.engine.ledger import Ledger
from tutor.engine.op_notes import OpNotes
from tutor.engine.reading import version_of
from tutor.engine.source import Stack
from tutor.engine.summary import Summaries
from tutor.engine.taken import Taken
from tutor.engine.variables import Variables
from tutor.graph.trace import Const, Role

ITEMS_NOTED = 4096
"""Elements of a list that are looked through for tensors."""
_TEXT_SHOWN = 60

_AS_THEY_ARE = (
    bool, int, float, str, complex, type(None), torch.dtype, torch.device, slice,
    type(...), torch.memory_format, torch.layout,
)  # fmt: skip
_PLAIN = frozenset(_AS_THEY_ARE)


class ValueNotes:
    """Notes values, and the ops that nobody saw but for what they gave."""

    def __init__(
        self,
        drafts: Drafts,
        summaries: Summaries,
        ops: OpNotes,
        variables: Variables,
        stack: Stack,
        clock: Iterator[int],
        stop: Callable[[BaseException], None],
        limit: int,
    ) -> None:
        self.known: dict[int, ValueNote] = {}
        """By a tensor's identity, checked against the note's own reference."""
        self.given: set[int] = set()
        """Tensors that were called something beforehand, by `ValueNote.tensor`."""
        self._count = 0
        """Of tensors."""
        self._gradients: dict[int, tuple[weakref.ref[torch.Tensor], ValueNote]] = {}
        self._drafts = drafts
        self._notes = drafts.values
        self._summaries = summaries
        self._ops = ops
        self._variables = variables
        self._stack = stack
        self.ledger = Ledger(
            drafts, summaries, clock, self.see, self.met, stop, stack.here, limit
        )

    def close(self) -> None:
        """Leave no reference to the learner's tensors."""
        self.ledger.close()
        self.known.clear()
        self._gradients.clear()

    def give(self, name: str, tensor: torch.Tensor) -> None:
        """It is called so, whatever the code calls it."""
        value = self.see(tensor)
        value.name = name
        self.given.add(value.tensor)

    def bind(self, name: str, held: torch.Tensor) -> None:
        """The code calls it so at its end."""
        note = self.met(held)
        if note is None and held.requires_grad and held.grad_fn is None:
            note = self.see(held)  # a leaf that was not used
        if note is None and self._ops.opaque is not None:
            note = self.see(held)
        if note is not None:
            self._drafts.names[name] = note.id
            if note.name is None:
                note.name = name

    def met(self, tensor: torch.Tensor) -> ValueNote | None:
        """The value a tensor is now, if it was met as that."""
        found = self.known.get(id(tensor))
        if found is None or found.holder() is not tensor:
            return None
        return found if found.version == version_of(tensor) else None

    def see(self, tensor: torch.Tensor) -> ValueNote:
        """The value a tensor is now; met for the first time, it becomes one."""
        known = self.known.get(id(tensor))
        if known is not None and known.holder() is not tensor:
            known = None
        if known is not None and known.version == version_of(tensor):
            return known
        origin = tensor.grad_fn
        name = known.name if known is not None else self._variables.of(tensor)
        number = -1 if origin is None else self.ledger.ids.get(origin)
        opaque = None
        if known is None and self._ops.opaque is not None:
            opaque = self._ops.opaque if number is not None else self._ops.maker(origin)
        if opaque is not None and (
            number is None or (origin is None and not opaque.outputs)
        ):
            return self._add_opaque(opaque, tensor, origin)
        if number is None:
            assert origin is not None
            return self._add_unseen(tensor, name, origin)
        op = None if number < 0 else self._drafts.nodes[number].op
        if not tensor.requires_grad:
            take = self._summaries.take_now
        elif origin is None:
            take = self._summaries.take_leaf
        else:
            take = self._summaries.take
        note = self.add(tensor, name, op, 0, take(tensor), origin, number)
        if known is None:
            gradient = self._gradients.get(id(tensor))
            if gradient is not None and gradient[0]() is tensor:
                note.gradient_of = gradient[1]
        return note

    def see_root(self, tensor: torch.Tensor) -> ValueNote:
        """The value to go backward from; a leaf may be it, with no op behind it."""
        if tensor.requires_grad and tensor.grad_fn is None:
            self.ledger.leaf(get_gradient_edge(tensor).node)
        return self.see(tensor)

    def see_gradient(self, owner: torch.Tensor, gradient: torch.Tensor) -> None:
        """The code reads a tensor's `.grad`."""
        value = self.met(owner)
        if value is not None:
            self._gradients[id(gradient)] = weakref.ref(gradient), value

    def noted(self, given: Any) -> Any:
        """An argument: a note for a tensor, else itself, or a text that stands for it."""
        kind = type(given)
        if kind in _PLAIN:
            return given
        if isinstance(given, torch.Tensor):
            return self.see(given)
        if isinstance(given, (list, tuple)):
            return [self.noted(each) for each in given[:ITEMS_NOTED]]
        if isinstance(given, _AS_THEY_ARE):
            return given
        return Const(repr(given)[:_TEXT_SHOWN])

    def forget(self, known_before: int) -> None:
        """A call that is not recorded brings no values; so many were there before."""
        values = self._notes
        if len(values) > known_before and not any(
            each.op is not None for each in values[known_before:]
        ):
            for each in values[known_before:]:
                tensor = each.holder()
                if tensor is not None:
                    self.known.pop(id(tensor), None)
            del values[known_before:]

    def add(
        self,
        tensor: torch.Tensor,
        name: str | None,
        op: int | None,
        port: int,
        taken: Taken,
        origin: Node | None,
        node: int = -1,
    ) -> ValueNote:
        """A value more, which the tensor is from now on."""
        key = id(tensor)
        known = self.known.get(key)
        if known is not None and known.holder() is tensor:
            number, holder = known.tensor, known.holder
            name = name or known.name
        else:
            number, holder = self._count, weakref.ref(tensor)
            self._count += 1
        values = self._notes
        if origin is not None:
            note = ValueNote(
                len(values), number, version_of(tensor), op, port, taken, True, False,
                "temporary", name, holder,
            )  # fmt: skip
            if node < 0:
                node = self.ledger.ids.get(origin, -1)
            self.ledger.made[node, tensor.output_nr] = note
        else:
            note = ValueNote(
                len(values), number, version_of(tensor), op, port, taken,
                tensor.requires_grad, tensor.is_leaf, role_of(tensor), name, holder,
            )  # fmt: skip
        if known is not None and number == known.tensor:
            note.gradient_of = known.gradient_of
        values.append(note)
        self.known[key] = note
        return note

    def add_output(
        self,
        op: OpNote,
        tensor: torch.Tensor,
        port: int,
        args: Sequence[Any],
        arguments: Sequence[Any],
    ) -> None:
        """What a call gave; `arguments` are the notes of `args`."""
        origin = tensor.grad_fn
        number = -1 if origin is None else self.ledger.claim(origin, op.id)
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
        op.outputs.append(self.add(tensor, None, op.id, port, taken, origin, number))

    # -- what was computed where nobody could look

    def _add_unseen(
        self, tensor: torch.Tensor, name: str | None, origin: Node
    ) -> ValueNote:
        """An op for what torch did where the recorder could not look."""
        kind = naming.plain_kind(naming.op_of_node(origin.name()))
        op = self._ops.add(kind, (), {}, self._stack.here(), ["unseen"], 0)
        number = self.ledger.claim(origin, op.id)
        op.arguments = self._behind(op.id, number)
        taken = self._summaries.take(tensor)
        note = self.add(tensor, name, op.id, 0, taken, origin, number)
        op.outputs.append(note)
        return note

    def _add_opaque(
        self, op: OpNote, tensor: torch.Tensor, origin: Node | None
    ) -> ValueNote:
        """What a transform of torch.func gave back."""
        number = -1
        if origin is not None:
            number = self.ledger.claim(origin, op.id)
            known = {id(each) for each in op.arguments}
            more = [e for e in self._behind(op.id, number) if id(e) not in known]
            op.arguments = (*op.arguments, *more)
        taken = self._summaries.take(tensor)
        port = len(op.outputs)
        note = self.add(tensor, None, op.id, port, taken, origin, number)
        op.outputs.append(note)
        return note

    def _behind(self, op: int, first: int) -> tuple[ValueNote, ...]:
        """The values that an op's nodes, from that one on, lead to."""
        found = [
            edge[1]
            for node in self._drafts.nodes[first:]
            if node.op == op
            for edge in node.edges
            if edge is not None and edge[1] is not None
        ]
        return tuple(dict.fromkeys(found))


def role_of(tensor: torch.Tensor) -> Role:
    """Of a tensor that is no parameter of a known module."""
    if isinstance(tensor, nn.Parameter):
        return "parameter"
    if tensor.is_leaf and tensor.requires_grad:
        return "leaf"
    return "temporary" if tensor.grad_fn is not None else "constant"
