"""Notes of ops in the order of their calls; one for all that a transform of torch.func
does, in which nobody can look."""

import sys
import types as python
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.autograd.graph import Node

from tutor.engine import naming
from tutor.engine.calls import tensors
from tutor.engine.drafts import Drafts, OpNote, ValueNote
from tutor.engine.modules import ModuleNames
from tutor.engine.naming import Kind
from tutor.engine.source import Place
from tutor.graph.trace import Flag

_next_node = torch._C._autograd._get_sequence_nr
_TRANSFORMS = frozenset(
    f"torch._functorch.{name}" for name in ("apis", "eager_transforms", "vmap")
)


class OpNotes:
    """Notes ops with the module they run in."""

    def __init__(
        self, drafts: Drafts, modules: ModuleNames, clock: Iterator[int]
    ) -> None:
        self._notes = drafts.ops
        self._running = modules.running
        self._clock = clock
        self.transform: python.FrameType | None = None
        """torch.func's frame that the last op stands for; it may run on."""
        self.opaque: OpNote | None = None
        """The last op that stands for a transform."""
        self._opaques: list[tuple[int, OpNote]] = []
        """With the number that torch would have given to a node when each began."""

    def add(
        self,
        kind: Kind,
        arguments: Sequence[Any],
        keywords: dict[str, Any],
        place: Place | None,
        flags: list[Flag],
        took: int,
    ) -> OpNote:
        """A call; `took` nanoseconds."""
        running, self.transform = self._running, None
        note = OpNote(
            len(self._notes), next(self._clock), kind, tuple(arguments), keywords,
            [], place, running[-1] if running else None, flags, took,
        )  # fmt: skip
        self._notes.append(note)
        return note

    def add_transform(
        self, outer: python.FrameType, inputs: list[ValueNote], place: Place | None
    ) -> None:
        """What a transform will do that runs in this frame."""
        name = outer.f_code.co_qualname.partition(".")[0]
        flags: list[Flag] = ["opaque"]
        if not torch.is_grad_enabled():
            flags.append("nograd")
        kind = naming.plain_kind(name)
        self.opaque = self.add(kind, inputs, {}, place, flags, 0)
        self._opaques.append((_next_node(), self.opaque))

    def maker(self, origin: Node | None) -> OpNote | None:
        """The transform that ran when a node was made."""
        if origin is not None:
            made = origin._sequence_nr()
            for begun, each in reversed(self._opaques):
                if begun <= made:
                    return each
        return self.opaque


def transform() -> python.FrameType | None:
    """The outermost function of torch.func that runs now."""
    outer: python.FrameType | None = None
    frame: python.FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "") in _TRANSFORMS:
            outer = frame
        frame = frame.f_back
    return outer


def given_to(outer: python.FrameType) -> list[torch.Tensor]:
    """The tensors that a transform was called with."""
    held = outer.f_locals
    return [
        each
        for each in tensors((held.get("args"), held.get("kwargs")))
        if not torch._C._functorch.is_functorch_wrapped_tensor(each)
    ]
