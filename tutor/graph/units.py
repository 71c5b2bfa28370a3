"""What is one box: an op, or a group of ops that follow each other; who feeds whom. Pure.

Units are numbered in the order of their ops, so what feeds a unit has a smaller number.
"""

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tutor.graph import names
from tutor.graph.steps import Scene
from tutor.graph.trace import Trace

Readers = Mapping[int, Sequence[int]]
"""By value: the ops that read it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Ops that follow each other, shown as one box."""

    key: str
    """Names it in `View.expanded`: "gpt.h.0", "gpt.h.0 ×12"."""
    name: str
    """For the box: "h.0", "h.0 ×12"."""
    first: int
    """Places in the scene's ops, from `first` up to but without `end`."""
    end: int
    parts: tuple["Group", ...] = ()
    """Of a fold: the siblings that are alike."""


def readers(trace: Trace) -> Readers:
    """Who reads what, in the whole trace."""
    found: dict[int, list[int]] = {}
    for op in trace.ops:
        for value in names.tensors(op):
            at = found.get(value)
            if at is None:
                found[value] = [op.id]
            elif at[-1] != op.id:
                at.append(op.id)
    return found


class Units:
    """The boxes of one scene; without groups each op is one."""

    def __init__(
        self,
        trace: Trace,
        scene: Scene,
        reads: Readers,
        groups: Sequence[Group] = (),
    ) -> None:
        self.trace = trace
        self.scene = scene
        self._ops = scene.ops
        self._reads = reads
        self._groups: dict[int, Group] = {}
        """By unit."""
        self._bounds: Sequence[int] = range(len(scene.ops) + 1)
        """Where each unit begins among the scene's ops, and the end of all."""
        if groups:
            self._bounds = self._bounded(groups)
        self._inputs: dict[int, tuple[int, ...]] = {}

    def _bounded(self, groups: Sequence[Group]) -> list[int]:
        bounds: list[int] = []
        place = 0
        for group in groups:
            bounds += range(place, group.first)
            self._groups[len(bounds)] = group
            bounds.append(group.first)
            place = group.end
        return [*bounds, *range(place, len(self._ops) + 1)]

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def group(self, unit: int) -> Group | None:
        """None: the unit is an op."""
        return self._groups.get(unit)

    def key(self, unit: int) -> str:
        """ "op 3" or "group gpt.h.0"."""
        group = self._groups.get(unit)
        if group is not None:
            return f"group {group.key}"
        return f"op {self._ops[self._bounds[unit]]}"

    def members(self, unit: int) -> Sequence[int]:
        """Its ops."""
        return self._ops[self._bounds[unit] : self._bounds[unit + 1]]

    def of(self, op: int | None) -> int | None:
        """The unit of an op; None where the scene has none."""
        if op is None:
            return None
        place = bisect.bisect_left(self._ops, op)
        if place == len(self._ops) or self._ops[place] != op:
            return None
        if not self._groups:
            return place
        return bisect.bisect_right(self._bounds, place) - 1

    def maker(self, value: int) -> int | None:
        """The unit that made a value; None: it was there before."""
        return self.of(self.trace.values[value].op)

    def inputs(self, unit: int) -> tuple[int, ...]:
        """The values it reads that come from elsewhere, each once."""
        if unit not in self._inputs:
            members = self.members(unit)
            values = (
                value
                for op in members
                for value in names.tensors(self.trace.ops[op])
                if self.maker(value) != unit
            )
            self._inputs[unit] = tuple(dict.fromkeys(values))
        return self._inputs[unit]

    def outputs(self, unit: int) -> tuple[int, ...]:
        """All values of an op; of a group those that others read, and the scene's end."""
        members = self.members(unit)
        if unit not in self._groups:
            return self.trace.ops[members[0]].outputs
        made = [value for op in members for value in self.trace.ops[op].outputs]
        found = [
            value
            for value in made
            if value == self.scene.root or self.readers(unit, value)
        ]
        return tuple(found) or tuple(made[-1:])

    def readers(self, unit: int, value: int) -> list[int]:
        """The ops of other units of the scene that read a value of this one."""
        return [
            op
            for op in self._reads.get(value, ())
            if (at := self.of(op)) is not None and at != unit
        ]

    def before(self, unit: int) -> list[int]:
        """The units that feed it, first inputs first."""
        found = (self.maker(value) for value in self.inputs(unit))
        return list(dict.fromkeys(each for each in found if each is not None))

    def after(self, unit: int) -> list[int]:
        """The units that it feeds, the nearest first."""
        found = {
            at
            for op in self.members(unit)
            for value in self.trace.ops[op].outputs
            for reader in self._reads.get(value, ())
            if (at := self.of(reader)) is not None and at != unit
        }
        return sorted(found)
