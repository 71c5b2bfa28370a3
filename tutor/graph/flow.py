"""The gradient flow of a pass: how large the gradients are, layer by layer. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tutor.graph import names, numbers
from tutor.graph.breaks import magnitude
from tutor.graph.steps import Walk
from tutor.graph.trace import LeafGradient, Summary, Value

_LEAST_DECADES = 3
"""A strip spans at least so many powers of ten, so that equal layers look equal."""
_NAME_PART = 3
"""A name takes at most this part of the width, one in so many columns."""
_NUMBER = 11


@dataclass(frozen=True, slots=True)
class Layer:
    """One module's own parameters, or one leaf."""

    name: str
    """The module's path, or the leaf's name."""
    magnitude: float | None
    """The largest finite |element| of its leaves' gradients in this pass; None: there
    is no gradient, or none that is known and finite."""
    nonfinite: int
    """How many elements are nan or infinite."""
    place: int | None
    """At which the largest of them is complete; None: no gradient came."""


def flow(walk: Walk, number: int) -> tuple[Layer, ...]:
    """The layers of one pass, in the order in which the code first used them."""
    tensors = {
        value.tensor: value
        for value in walk.trace.values
        if value.requires_grad and value.is_leaf
    }
    grown = {
        walk.trace.values[value].tensor: leaf
        for (passed, value), leaf in walk.leaves.items()
        if passed == number
    }
    layers: dict[str, list[LeafGradient | None]] = {}
    for tensor, value in tensors.items():
        layers.setdefault(_layer(walk, value), []).append(grown.get(tensor))
    return tuple(_made(walk, name, leaves) for name, leaves in layers.items())


def _layer(walk: Walk, value: Value) -> str:
    name = names.name(walk.trace, value.id)
    module = name.rpartition(".")[0]
    return module if module and value.role == "parameter" else name


def _made(walk: Walk, name: str, leaves: Sequence[LeafGradient | None]) -> Layer:
    came = [leaf for leaf in leaves if leaf is not None]
    sizes = [(magnitude(leaf.add), leaf) for leaf in came]
    known = [(size, leaf) for size, leaf in sizes if size is not None]
    largest = max(known, key=lambda each: each[0], default=None)
    nonfinite = sum(_count(leaf.add) for leaf in came)
    place = None
    if came:
        leaf = came[0] if largest is None else largest[1]
        place = walk.sum_place.get((leaf.number, leaf.value))
    return Layer(name, None if largest is None else largest[0], nonfinite, place)


def _count(gradient: Summary) -> int:
    if gradient.values is not None:
        return sum(not math.isfinite(each) for each in gradient.values)
    return gradient.nonfinite or 0


def strip(
    layers: Sequence[Layer], width: int, *, ascii: bool = False
) -> tuple[str, ...]:
    """A line for each layer: its name, a bar of log10 |gradient|, and the number.

    A full bar is the largest gradient, rounded up to a power of ten; every line is at
    most `width` columns wide. Zero, none and not finite are said in words.
    """
    if not layers:
        return ()
    room = min(max(len(layer.name) for layer in layers), max(4, width // _NAME_PART))
    bar = max(1, width - room - _NUMBER - 4)
    low, high = _decades(layers)
    block = "#" if ascii else "█"
    lines = []
    for layer in layers:
        size = layer.magnitude
        filled = 0
        if size:
            share = (math.log10(size) - low) / (high - low)
            filled = max(1, min(bar, round(share * bar)))
        name = _cut(layer.name, room, ascii=ascii)
        text = f"{name:{room}}  {block * filled:{bar}}  {_said(layer)}"
        lines.append(text.rstrip()[:width])
    return tuple(lines)


def _decades(layers: Sequence[Layer]) -> tuple[int, int]:
    """From which to which power of ten the bars go."""
    sizes = [math.log10(layer.magnitude) for layer in layers if layer.magnitude]
    if not sizes:
        return 0, 1
    high = math.ceil(max(sizes))
    return min(math.floor(min(sizes)) - 1, high - _LEAST_DECADES), high


def _cut(name: str, room: int, *, ascii: bool) -> str:
    """The end of a name that is too long: the layers of a net differ there."""
    if len(name) <= room:
        return name
    dots = "..." if ascii else "…"
    return f"{dots}{name[len(name) - room + len(dots) :]}"


def _said(layer: Layer) -> str:
    if layer.nonfinite:
        return f"{layer.nonfinite} nan/inf"
    if layer.place is None:
        return "none"
    if layer.magnitude is None:
        return "?"
    return numbers.number(layer.magnitude, 2)
