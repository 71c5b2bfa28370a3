"""A tensor's attribute that is set, as an op: `x.grad = None`, `x.requires_grad_()`."""

from collections.abc import Iterator
from typing import Any

import torch

from tutor.engine import naming
from tutor.engine.drafts import Drafts, OpNote, ValueNote
from tutor.engine.naming import Kind
from tutor.engine.op_notes import OpNotes
from tutor.engine.source import Stack
from tutor.engine.summary import Summaries
from tutor.engine.value_notes import ValueNotes, role_of


class Attributes:
    """An op without outputs for each, unless the values changed."""

    def __init__(
        self,
        drafts: Drafts,
        ops: OpNotes,
        values: ValueNotes,
        summaries: Summaries,
        stack: Stack,
    ) -> None:
        self._drafts = drafts
        self._ops = ops
        self._values = values
        self._summaries = summaries
        self._stack = stack
        self._used: set[int] = set()
        """Values that the first ops took, and how many ops these are."""
        self._used_until = 0

    def will_be_set(self, kind: Kind, tensor: torch.Tensor) -> bool:
        """Read what is lost by it; False: it is hidden, as within `net.double()`."""
        if self._stack.place(2)[2]:
            if kind.name == "set_data":
                self._values.known.pop(id(tensor), None)
            return False
        if kind.name == "set_grad":
            gradient = tensor.grad
            if gradient is not None:
                self._summaries.look(gradient)
        elif kind.name == "set_data":
            self._summaries.settle()
        return True

    def was_set(
        self,
        kind: Kind,
        tensor: torch.Tensor,
        arguments: list[Any],
        keywords: dict[str, Any],
    ) -> None:
        """Note it; the arguments were noted before."""
        if not _is_setting(kind):
            return
        place = self._stack.here()
        value = arguments[0]
        note = self._ops.add(kind, arguments, keywords, place, [], 0)
        if not torch.is_grad_enabled():
            note.flags.append("nograd")
        if kind.name == "set_data":
            note.flags.append("inplace")
            taken = self._summaries.take(tensor)
            found = self._values.add(tensor, None, note.id, 0, taken, tensor.grad_fn)
            note.outputs.append(found)
        elif isinstance(value, ValueNote):
            is_leaf, requires = tensor.is_leaf, tensor.requires_grad
            if (value.requires_grad, value.is_leaf) == (requires, is_leaf):
                return
            if value.id in self._used_before(note):  # there it stays what it was
                value = self._values.add(tensor, value.name, None, 0, value.taken, None)
            value.requires_grad = requires
            value.is_leaf = is_leaf
            value.role = role_of(tensor)

    def _used_before(self, op: OpNote) -> set[int]:
        """The values that ops before this one took, but for settings."""
        ops, used = self._drafts.ops, self._used
        for place in range(self._used_until, op.id):
            each = ops[place]
            if not _is_setting(each.kind):
                used.update(_values_in((each.arguments, each.keywords)))
        self._used_until = op.id
        return used


def _is_setting(kind: Kind) -> bool:
    return kind.name in naming.SET or kind.special == "flag"


def _values_in(held: Any) -> Iterator[int]:
    if isinstance(held, ValueNote):
        yield held.id
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from _values_in(each)
    elif isinstance(held, dict):
        yield from _values_in(list(held.values()))
