"""A trace made into steps: which step a place is at, its stop and its scene. Pure.

A place in the walk is how many steps were taken, so stepping back is a smaller number.
Steps that belong together - all that happens at one node - share a stop.
"""

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tutor.graph.backward import OpBackward
from tutor.graph.passes import Order, Part, Step
from tutor.graph.trace import LeafGradient, Rule, Summary, Trace

WINDOW = 32
"""Ops in one picture; of a longer scene this many are shown."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What one picture shows: the code up to a backward pass, and that pass."""

    number: int
    """The pass; 0: none follows."""
    root: int | None
    ops: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Walk:
    """A trace made into steps. Places run from 0, the start, to `len(steps)`."""

    trace: Trace
    order: Order
    steps: Sequence[Step]
    stops: Sequence[int]
    """The place at which each stop is complete."""
    scenes: tuple[Scene, ...]
    passes: Mapping[tuple[int, int], OpBackward]
    """By pass and op."""
    gradients: Mapping[tuple[int, int], Summary]
    """By pass and value: all that arrived there, summed by torch."""
    parts: Mapping[tuple[int, int], tuple[Part, ...]]
    """By pass and value: what was sent there, in the order of the walk."""
    leaves: Mapping[tuple[int, int], LeafGradient]
    """By pass and value."""
    rules: Mapping[tuple[int, int], Rule]
    """By op and position."""
    value_place: Mapping[int, int]
    """From which place on a value is known; leaves are from 0."""
    edge_place: Mapping[tuple[int, int, int], int]
    """By pass, op and position: from which place on the edge has sent."""
    sum_place: Mapping[tuple[int, int], int]
    """By pass and value: from which place on its gradient is complete."""
    leaf_place: Mapping[tuple[int, int], int]
    """By pass and value: from which place on the leaf's `.grad` has changed."""
    seen: Callable[[], Iterator[tuple[bool, Sequence[Summary]]]]
    """For each stop: whether it is backward, and what was computed or arrived there."""
    builds: bool = False
    """Whether the graph is built up: nothing is drawn before its step."""
    input_place: Mapping[int, int] = field(default_factory=dict)
    """By value, of a walk that builds: from which place on an input is drawn."""
    node_place: Mapping[int, int] = field(default_factory=dict)
    """By op, of a walk that builds: from which place on its box is drawn."""

    def step(self, place: int) -> Step | None:
        """The step just taken; None at the start."""
        return self.steps[place - 1] if 0 < place <= len(self.steps) else None

    def scene(self, place: int) -> Scene:
        """The picture that belongs to a place."""
        step = self.step(max(place, 1))
        return self.scenes[step.scene if step is not None else 0]

    def view(self, place: int) -> Scene:
        """The scene, or of a long one the ops about the one under way.

        The same for many places in a row, so that single steps do not move it.
        """
        scene = self.scene(place)
        if len(scene.ops) <= WINDOW:
            return scene
        step = self.step(place)
        near = None if step is None else self.op_of(step)
        op = scene.ops[0] if near is None else near
        half = WINDOW // 2
        begin = bisect.bisect_left(scene.ops, op) // half * half - half // 2
        begin = max(0, min(begin, len(scene.ops) - WINDOW))
        return replace(scene, ops=scene.ops[begin : begin + WINDOW])

    def op_of(self, step: Step) -> int | None:
        """The op of a step; at a leaf one that sent to it last, else its first reader."""
        if step.op is not None or step.value is None:
            return step.op
        if step.number:
            parts = self.parts.get((step.number, step.value), ())
            return parts[-1].op if parts else None
        if step.kind == "whole":
            return self.trace.values[step.value].op
        end = self.stops[step.stop]
        return self.steps[end].op if end < len(self.steps) else None

    def stop(self, place: int) -> int:
        """How many stops were begun."""
        step = self.step(place)
        return 0 if step is None else step.stop + 1

    def next_stop(self, place: int) -> int:
        """The place at which the stop under way, or else the next one, is complete."""
        found = bisect.bisect_right(self.stops, place)
        return self.stops[found] if found < len(self.stops) else len(self.steps)

    def previous_stop(self, place: int) -> int:
        """The place before the stop under way."""
        found = bisect.bisect_left(self.stops, place)
        return self.stops[found - 1] if found else 0
