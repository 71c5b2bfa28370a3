"""The walk as numbered lines: for screen readers, small screens and `step`. Pure."""

import bisect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from tutor.graph import explain, names, numbers
from tutor.graph.draw import Detail, Sketch
from tutor.graph.steps import WINDOW, Step, Walk, is_shown
from tutor.graph.views import View, Views

_LABEL = 13
_STATEMENT_LIMIT = 30
_STATEMENTS_MEASURED = 200
"""Of a long walk, for the width of the column."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """What one step says, on one line or more."""

    place: int
    """The place at which it was just said."""
    head: str
    """Number of the stop and its kind, like "F2" or "B5"; "" inside a stop."""
    text: str


class Lines:
    """The lines of one walk, each made when it is asked for."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._room = _statement_room(walk)

    def all(self) -> Iterator[TextLine]:
        """Every step's, and how the walk ends."""
        for place in range(1, len(self._walk.steps) + 1):
            yield from self.at(place)

    def until(self, place: int, count: int) -> list[TextLine]:
        """The last `count` lines of the steps before and at a place."""
        found: list[TextLine] = []
        while place > 0 and len(found) < count:
            found[:0] = self.at(place)
            place -= 1
        return found[-count:] if count else []

    def at(self, place: int) -> list[TextLine]:
        """The lines of the step that leads to a place; none where the next says it."""
        walk = self._walk
        step = walk.steps[place - 1]
        found: list[TextLine] = []
        if step.kind != "node":  # the op gives its value in the next step
            before = walk.step(place - 1)
            is_first = (
                before is None or before.stop != step.stop or before.kind == "node"
            )
            head = _head(step) if is_first else ""
            found = list(_said(walk, step, place, head, self._room))
        if place == len(walk.steps) and step.kind != "refused":
            found += [
                TextLine(place, "", f"{row.label:{_LABEL}}{row.text}")
                for row in explain.ending(walk.trace)
            ]
        return found


def _statement_room(walk: Walk) -> int:
    """So wide that what is computed stands in one column, but for the longest."""
    trace = walk.trace
    widths = [
        len(names.statement(trace, op))
        for op in itertools.islice(filter(is_shown, trace.ops), _STATEMENTS_MEASURED)
    ]
    return max((width for width in widths if width <= _STATEMENT_LIMIT), default=0)


def _head(step: Step) -> str:
    letter = "B" if step.number else "F"
    return f"{letter}{step.stop + 1}"


def _said(
    walk: Walk, step: Step, place: int, head: str, room: int
) -> Iterator[TextLine]:
    rest = explain.rows_of(walk, step)
    if step.kind == "forward" and step.op is not None:
        statement = names.statement(walk.trace, walk.trace.ops[step.op])
        yield TextLine(place, head, f"{statement:{room}}   {rest.pop(0).text}")
    elif step.kind in ("leaf", "input", "whole", "refused"):
        row = rest.pop(0)
        yield TextLine(place, head, f"{row.label}   {row.text}")
    elif step.kind == "arrive" and step.op is not None and step.value is not None:
        symbol = walk.trace.ops[step.op].symbol
        where = names.name(walk.trace, step.value)
        yield TextLine(place, head, f"{symbol} at {where}")
    for row in rest:
        label = f"{row.label:{_LABEL}}" if row.label else ""
        yield TextLine(place, "", label + row.text)


def report(walk: Walk, width: int = 80, *, ascii: bool = False) -> Iterator[str]:
    """The whole walk for a reader without a screen: steps, pictures, gradients."""
    trace = walk.trace
    if trace.fault is not None and not walk.steps:
        return
    numbered = _numbered(walk)
    for number, scene in enumerate(walk.scenes):
        if number:
            yield ""
        forward = numbered.get((number, True), [])
        if forward:
            yield from _heading("forward", width, ascii)
            yield from forward
        if not scene.number:
            continue
        passes = len(trace.passes)
        title = f"backward, pass {scene.number}" if passes > 1 else "backward"
        if forward:
            yield ""
        yield from _heading(f"{title}, in {walk.order} order", width, ascii)
        yield from numbered.get((number, False), [])
        yield ""
        yield from _picture(walk, number, width, ascii)
    if trace.end.kind == "recorded":  # else nobody looked at `.grad`
        yield from _leaves(walk, width, ascii)


def _heading(title: str, width: int, ascii: bool) -> Iterator[str]:
    rule = ("-" if ascii else "─") * max(0, width - len(title) - 1)
    yield f"{title} {rule}"


def _numbered(walk: Walk) -> dict[tuple[int, bool], list[str]]:
    """The lines by their scene, and whether they are of its forward part."""
    found: dict[tuple[int, bool], list[str]] = {}
    for line in Lines(walk).all():
        step = walk.steps[line.place - 1]  # without steps there is no report
        lead = f" {line.head:>4}  " if line.head else " " * 9
        found.setdefault((step.scene, step.number == 0), []).append(lead + line.text)
    return found


def _picture(walk: Walk, scene: int, width: int, ascii: bool) -> Iterator[str]:
    """The picture at the end of the scene, as detailed as the width allows."""
    last = bisect.bisect_right(
        walk.stops, scene, key=lambda end: walk.steps[end - 1].scene
    )
    place = walk.stops[last - 1] if last else 0
    if len(walk.scenes[scene].ops) > WINDOW:
        views = Views(walk)
        if "overview" in views.levels(place):
            view, room = View("overview"), (width, 0)
            drawing = views.drawing(place, view, room, ascii=ascii, mark=False)
            if drawing.width <= width:
                yield from drawing.text().splitlines()
                return
        count = len(walk.scenes[scene].ops)
        yield f"(no picture: {count} ops; the stepper shows {WINDOW} at a time)"
        return
    least = 0
    details: tuple[Detail, ...] = ("full", "short")
    for detail in details:
        sketch = Sketch(walk, walk.scenes[scene], detail)
        if sketch.width <= width:
            yield from sketch.draw(place, ascii=ascii, mark=False).text().splitlines()
            return
        least = sketch.width
    yield f"(the picture is {least} columns wide: --width {least} draws it)"


def _leaves(walk: Walk, width: int, ascii: bool) -> Iterator[str]:
    """Every leaf with its value and what `.grad` holds at the end."""
    trace = walk.trace
    last = {trace.values[leaf.value].tensor: leaf for leaf in trace.leaves}
    leaves = {
        value.tensor: value
        for value in trace.values
        if value.requires_grad and value.is_leaf
    }
    if not leaves:
        return
    yield ""
    yield from _heading("gradients", width, ascii)
    for tensor, value in leaves.items():
        name = names.name(trace, value.id)
        leaf = last.get(tensor)
        after = "None" if leaf is None else numbers.tensor(leaf.after, 48)
        yield f"   {name}.grad = {after}"
