"""Places of a walk by the words that lessons use: "q", "dq/dx", "x.grad", "arrive q".

A word may mean several places: a name that is bound again, a leaf in every pass. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tutor.graph import names
from tutor.graph.steps import Step, Walk

Asked = Literal["value", "local", "gradient", "leaf"]

_DERIVATIVE = re.compile(r"[d∂](?P<of>[^/\s]+)/[d∂](?P<by>\S+)\Z")
_KINDS = {"value": "forward"}
"""Where a caption's word is not the step's own."""


@dataclass(frozen=True, slots=True)
class Reveal:
    """A step that shows a number for the first time."""

    place: int
    """Of the walk: it is shown from there on."""
    kind: Asked
    value: int
    """Whose value or gradient it is; of a local derivative, the argument."""
    op: int | None
    """The op that computes it, or that sends the last share; None for a leaf's
    `.grad` in a later pass."""
    position: int = -1
    """Of a local derivative: which of the op's tensor arguments."""
    number: int = 0
    """The backward pass; 0 forward."""


def reveals(walk: Walk, word: str) -> tuple[Reveal, ...]:
    """What a word of `predict` means in this walk; () when it means nothing in it.

    "q": a value. "dq/dx": a local derivative where x is an argument of the op that
    makes q. "df/dq": a gradient, where f is what a pass starts from. "x.grad": what
    the leaf holds after each pass. "all": every value, local derivative and gradient.
    """
    if word == "all":
        return tuple(_everything(walk))
    if word.endswith(".grad") and (leaf := tuple(_leaf(walk, word[: -len(".grad")]))):
        return leaf
    if (match := _DERIVATIVE.match(word)) is not None:
        of, by = match["of"], match["by"]
        return tuple(_gradients(walk, of, by)) or tuple(_locals(walk, of, by))
    return tuple(each for each in _values(walk) if _called(walk, each.value) == word)


def places(walk: Walk, key: str) -> tuple[int, ...]:
    """Where a caption is said: "start", "end", or the kind of a step and a name.

    () when no step is meant. "node +" and "arrive +" find a nameless op by its symbol.
    """
    if key in ("start", "end"):
        return (0 if key == "start" else len(walk.steps),)
    kind, _, word = key.partition(" ")
    kind = _KINDS.get(kind, kind)
    return tuple(
        place
        for place, step in enumerate(walk.steps, start=1)
        if step.kind == kind and word in _words(walk, step)
    )


def _words(walk: Walk, step: Step) -> set[str]:
    """What a step may be called by: the value's name, the op's symbol."""
    found = set()
    if step.value is not None:
        found.add(_called(walk, step.value))
    if step.op is not None:
        op = walk.trace.ops[step.op]
        found |= {op.symbol, op.function}
        found |= {_called(walk, each) for each in op.outputs[:1]}
    return found


def _called(walk: Walk, value: int) -> str:
    return names.name(walk.trace, value)


def _values(walk: Walk) -> Iterator[Reveal]:
    for place, step in enumerate(walk.steps, start=1):
        if step.kind == "forward" and step.value is not None:
            yield Reveal(place, "value", step.value, step.op)


def _locals(walk: Walk, of: str, by: str) -> Iterator[Reveal]:
    for each in _all_locals(walk):
        assert each.op is not None
        made = walk.passes[each.number, each.op].of
        if _called(walk, made) == of and _called(walk, each.value) == by:
            yield each


def _all_locals(walk: Walk) -> Iterator[Reveal]:
    for place, step in enumerate(walk.steps, start=1):
        if step.kind != "local" or step.op is None:
            continue
        for sent in walk.passes[step.number, step.op].sent:
            rule = walk.rules.get((step.op, sent.position))
            if sent.gradient is not None and rule is not None:
                yield Reveal(
                    place, "local", sent.to, step.op, sent.position, step.number
                )


def _gradients(walk: Walk, of: str, by: str) -> Iterator[Reveal]:
    roots = {
        scene.number
        for scene in walk.scenes
        if scene.root is not None and _called(walk, scene.root) == of
    }
    for each in _all_gradients(walk):
        if each.number in roots and _called(walk, each.value) == by:
            yield each


def _all_gradients(walk: Walk) -> Iterator[Reveal]:
    found = sorted(walk.sum_place.items(), key=lambda item: item[1])
    for (number, value), place in found:
        if (number, value) in walk.gradients:
            op = walk.steps[place - 1].op
            yield Reveal(place, "gradient", value, op, number=number)


def _leaf(walk: Walk, name: str) -> Iterator[Reveal]:
    for (number, value), leaf in walk.leaves.items():
        if _called(walk, value) != name:
            continue
        # Nothing was there: then what arrives is what `.grad` will hold.
        first = walk.sum_place.get((number, value)) if leaf.before is None else None
        place = first if first is not None else _leaf_place(walk, number, value)
        if place is not None:
            op = walk.steps[place - 1].op
            yield Reveal(place, "leaf", value, op, number=number)


def _leaf_place(walk: Walk, number: int, value: int) -> int | None:
    for place, step in enumerate(walk.steps, start=1):
        if (step.kind, step.number, step.value) == ("leaf", number, value):
            return place
    return None


def _everything(walk: Walk) -> Iterator[Reveal]:
    """In the order of the walk; what a pass starts from is given, not asked."""
    roots = {(scene.number, scene.root) for scene in walk.scenes}
    sums = [
        each for each in _all_gradients(walk) if (each.number, each.value) not in roots
    ]
    later = [
        Reveal(place, "leaf", value, None, number=number)
        for (number, value), leaf in walk.leaves.items()
        if leaf.before is not None
        and (place := _leaf_place(walk, number, value)) is not None
    ]
    found = [*_values(walk), *_all_locals(walk), *sums, *later]
    yield from sorted(found, key=lambda each: each.place)
