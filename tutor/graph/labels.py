"""What is told of a box or a wire at a place of the walk: how far it is, and numbers. Pure."""

from dataclasses import dataclass
from typing import Literal, Protocol

from tutor.graph import names, numbers
from tutor.graph.canvas import Style
from tutor.graph.picture import Box, Edge
from tutor.graph.steps import Scene, Walk, is_input
from tutor.graph.trace import Summary

Detail = Literal["full", "short", "none"]
State = Literal["absent", "todo", "done", "now"]

_ROOM = {"full": 16, "short": 8, "none": 0}
"""Characters of a tensor beside a wire."""
_DIGITS = {"full": 4, "short": 3, "none": 1}
_NAME_ROOM = 8
_PARTS_SHOWN = 2
"""Contributions written out beside a wire; of more, the last one."""
_LEAST_ROOM = 4


@dataclass(frozen=True, slots=True)
class Told:
    """The texts over and under a wire, next to the box it comes from."""

    above: str = ""
    below: str = ""
    above_style: Style = "name"
    below_style: Style = "value"


class Story(Protocol):
    """Tells of the boxes and wires of one picture."""

    def state(self, box: Box, place: int) -> State:
        """How far a box is."""

    def wire(self, edge: Edge, place: int) -> Style | None:
        """How a wire looks: "back" has sent, "now" sends; None: it is not there yet."""

    def end(self, box: Box, port: int, place: int) -> Style | None:
        """The same of a wire that leads nowhere."""

    def beside(self, box: Box, place: int) -> Style:
        """How the arrow of what stands beside a box looks; "back" and "now" send to it."""

    def told(self, box: Box, port: int, place: int) -> Told:
        """The labels at one of a box's outputs."""

    def room(self, box: Box) -> int:
        """Columns of the longest label that the walk will show."""


class Values:
    """The story of values forward and gradients backward."""

    def __init__(
        self,
        walk: Walk,
        scene: Scene,
        detail: Detail = "full",
        changed: frozenset[int] = frozenset(),
    ) -> None:
        self._walk = walk
        self._scene = scene
        self._detail: Detail = detail
        self._changed = changed

    # -- how far

    def state(self, box: Box, place: int) -> State:
        if self._walk.builds and not self._is_drawn(box, place):
            return "absent"
        if self._is_now(box, place):
            return "now"
        if box.shape == "bare":
            return "done"
        known = all(self._is_known(value, place) for value in box.outputs)
        return "done" if known and box.outputs else "todo"

    def wire(self, edge: Edge, place: int) -> Style | None:
        if not self._is_there(edge.op, None, place):
            return None
        if not self._is_known(edge.value, place):
            return "todo"
        sent = self._sent(edge, place)
        step = self._walk.step(place)
        if (
            sent
            and step is not None
            and step.kind == "contribute"
            and (step.op, step.position) == (edge.op, edge.position)
        ):
            return "now"
        return "back" if sent else "wire"

    def end(self, box: Box, port: int, place: int) -> Style | None:
        value = box.outputs[min(port, len(box.outputs) - 1)]
        known = self._is_known(value, place)
        if self._walk.builds and not known:
            return None
        if self._is_complete(value, place):
            return "back"
        return "wire" if known else "todo"

    def beside(self, box: Box, place: int) -> Style:
        number, step = self._scene.number, self._walk.step(place)
        merged = None
        if box.op is not None:
            merged = self._walk.passes.get((number, box.op))
        came = [
            sent.position
            for sent in (() if merged is None else merged.sent)
            if self._stands_beside(sent.to)
            and _reached(
                self._walk.edge_place.get((number, box.op or 0, sent.position)), place
            )
        ]
        if not came:
            return "const"
        if step is None or step.kind != "contribute" or step.op != box.op:
            return "back"
        return "now" if step.position in came else "back"

    def _stands_beside(self, value: int) -> bool:
        is_leaf = self._walk.trace.values[value].is_leaf
        return is_leaf and not is_input(self._walk.trace, value)

    def _is_drawn(self, box: Box, place: int) -> bool:
        """Of a walk that builds the graph up."""
        if box.shape == "bare" and box.outputs:
            return self._is_known(box.outputs[0], place)
        first = box.ops[0] if box.ops else box.op
        return self._is_there(first, box.value, place)

    def _is_there(self, op: int | None, value: int | None, place: int) -> bool:
        """Whether a walk that builds the graph up has come to it."""
        if not self._walk.builds:
            return True
        if op is not None:
            return _reached(self._walk.node_place.get(op), place)
        return value is None or _reached(self._walk.input_place.get(value), place)

    def _is_now(self, box: Box, place: int) -> bool:
        step = self._walk.step(place)
        if step is None or box.shape == "bare":
            return False
        if box.ops or box.op is not None:
            op = step.op
            if step.kind == "leaf" and not self._has_box(step.value):
                op = self._walk.op_of(step)
            return op is not None and (op == box.op or op in box.ops)
        if step.kind not in ("leaf", "input") or step.value is None:
            return False
        values = self._walk.trace.values
        return box.value is not None and (
            values[step.value].tensor == values[box.value].tensor
        )

    def _has_box(self, value: int | None) -> bool:
        return value is not None and is_input(self._walk.trace, value)

    def _is_known(self, value: int, place: int) -> bool:
        return _reached(self._walk.value_place.get(value), place)

    def _is_complete(self, value: int, place: int) -> bool:
        number = self._scene.number
        return _reached(self._walk.sum_place.get((number, value)), place)

    def _sent(self, edge: Edge, place: int) -> bool:
        key = self._scene.number, edge.op, edge.position
        return _reached(self._walk.edge_place.get(key), place)

    # -- numbers

    def told(self, box: Box, port: int, place: int) -> Told:
        if self._detail == "none" or box.shape == "bare":
            return Told()
        step = self._walk.step(place)
        backward = step is not None and step.number > 0
        return self._told(box, box.outputs[port], place, backward)

    def room(self, box: Box) -> int:
        if self._detail == "none" or box.shape == "bare":
            return 0
        widths = [_LEAST_ROOM]
        number = self._scene.number
        end = len(self._walk.steps)
        for value in box.outputs:
            parts = self._walk.parts.get((number, value), ()) if number else ()
            places = [end, *(part.place for part in parts)]
            told = [self._told(box, value, end, backward=False)]
            if number:
                told += [self._told(box, value, each, backward=True) for each in places]
            widths += [max(len(each.above), len(each.below)) for each in told]
        return max(widths)

    def _told(self, box: Box, value: int, place: int, backward: bool) -> Told:
        known = self._is_known(value, place)
        if not known and self._walk.builds:
            return Told()
        called = self._short_name(value)
        shown = self._value(value) if known else "?"
        if not backward:
            return Told("" if box.value is not None else called, shown)
        above = f"{called}={shown}" if called and self._detail == "full" else shown
        gradient = self._gradient(value, called, place)
        return Told(above, gradient, "value", "grad")

    def _gradient(self, value: int, called: str, place: int) -> str:
        """ "" before anything came, the sum at its step, else what came so far.

        A "+…" at its end promises that more is to come.
        """
        number = self._scene.number
        head = "∂" if self._detail == "short" or not called else ""
        if not head:
            root = self._scene.root
            of = self._short_name(root) if root is not None else ""
            head = f"∂{of}/∂{called}=" if of else "∂="
        if self._is_complete(value, place):
            total = self._walk.gradients.get((number, value))
            return head + self._number(total) if total is not None else ""
        parts = self._walk.parts.get((number, value), ())
        came = [self._number(part.gradient) for part in parts if part.place <= place]
        if not came:
            return ""
        if any(text.startswith("(") for text in came):  # shapes cannot be added up
            return f"{head}{len(came)} of {len(parts)}"
        more = "+…" if len(came) < len(parts) else ""
        if len(came) > _PARTS_SHOWN:
            return f"{head}…+{came[-1]}{more}"
        return f"{head}{'+'.join(came)}{more}"

    def _short_name(self, value: int) -> str:
        found = self._walk.trace.values[value]
        name = found.name
        if name is None and value == self._walk.trace.end.root:
            name = names.name(self._walk.trace, value)
        return name if name is not None and len(name) <= _NAME_ROOM else ""

    def _value(self, value: int) -> str:
        """Its number; a triangle before it says that it changed."""
        mark = "Δ" if value in self._changed else ""
        return mark + self._number(self._walk.trace.values[value].summary)

    def _number(self, summary: Summary) -> str:
        return numbers.tensor(summary, _ROOM[self._detail], _DIGITS[self._detail])


def _reached(from_place: int | None, place: int) -> bool:
    return from_place is not None and place >= from_place
