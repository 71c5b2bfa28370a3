"""The layers of a model as bars: how large the gradients that reach them are, and which
of their units say nothing.
"""

import math
from collections.abc import Iterator

from tutor.picture import Marks, Picture, blank
from tutor.pictures.canvas import Canvas, Said, name
from tutor.training.axis import MOST, Axis, drawable, logarithmic
from tutor.training.views import Layer, Layers

_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEAST = 12
"""Columns of a bar, at least; else the numbers alone are shown."""


def layers(
    layers: Layers, width: int, height: int, marks: Marks = "braille"
) -> Picture:
    """A bar for the mean absolute gradient of each layer's weights, on a log axis that
    all share, and its dead and saturated units; where there is room another for the mean
    absolute weight."""
    width, height = max(width, 1), max(height, 1)
    if width < 16 or height < 3 or not layers.layers:
        return blank(width, height)
    canvas = Canvas(width, height)
    head = [_title(at, each, width) for at, each in enumerate(layers.layers, 1)]
    tail = [_units(each, layers.activation, width) for each in layers.layers]
    left = min(max(7, *map(len, head)), width // 3)
    right = max((len(text) for text, _ in tail), default=0)
    if right > width - left - 12:
        tail, right = [("", "")] * len(tail), 0
    bar = width - left - 11 - right - (2 if right else 0)
    two = height - 2 >= 3 * len(layers.layers) and bar >= _LEAST
    said: list[Said] = [
        (("mean |gradient| ", "strong"), ("of each layer's weights", "")),
        ((", log scale" if bar >= _LEAST else "", ""),),
        ((f", iteration {layers.iteration}", "quiet"),),
    ]
    canvas.write_all(0, 0, said, width)
    axis = _axis(layers, weights=two)
    row, room = 1, height - 1
    if bar >= _LEAST and height > len(layers.layers) + 2:
        below = 1 + len(layers.layers) * (3 if two else 1)
        _ticks(canvas, axis, left + 2, bar, below)
        room -= 1
    shown = len(layers.layers) if len(layers.layers) <= room else room - 1
    for at, layer in enumerate(layers.layers[:shown]):
        canvas.write(0, row, head[at][:left], "strong")
        ink = "bad" if layer.gradient == 0 or not _known(layer.gradient) else "a"
        _bar(canvas, axis, (left + 2, row), bar, layer.gradient, ink, marks)
        text, said_ink = tail[at]
        canvas.write(width - right, row, text, said_ink)
        if two:
            canvas.write(0, row + 1, "weights".rjust(left)[-left:], "quiet")
            _bar(canvas, axis, (left + 2, row + 1), bar, layer.weight, "a-", marks)
        row += 3 if two else 1
    if shown < len(layers.layers):
        canvas.write(0, row, f"… {len(layers.layers) - shown} more layers", "quiet")
    return canvas.picture(marks)


def rows(layers: Layers) -> int:
    """As many as it can use: two bars and a gap a layer, the heading and the ticks."""
    return 2 + 3 * len(layers.layers)


def _title(at: int, layer: Layer, width: int) -> str:
    """Which layer it is, from 1, and, where there is room, its name in the model."""
    if width < 52:
        return f"layer {at}"
    units = f"{layer.units} unit{'' if layer.units == 1 else 's'}"
    named = f" [{name(layer.name, 8)}]" if width >= 72 and layer.name else ""
    return f"layer {at}, {units}{named}"


def _units(layer: Layer, activation: str, width: int) -> tuple[str, str]:
    """What is wrong with its units, in as many words as fit."""
    few = width < 60
    if layer.dead:
        return f"{layer.dead}{'' if few else f' of {layer.units}'} dead", "bad"
    if layer.saturated:
        of = "" if few else f" of {layer.units}"
        return f"{layer.saturated}{of} {'sat.' if few else 'saturated'}", "bad"
    return "", ""


def _known(value: float) -> bool:
    return math.isfinite(value)


def _axis(layers: Layers, *, weights: bool) -> Axis:
    values = [each.gradient for each in layers.layers]
    if weights:
        values += [each.weight for each in layers.layers]
    shown = [value for value in values if value > 1 / MOST and drawable(value)] or [1.0]
    low = 10.0 ** math.floor(math.log10(min(shown)) - 0.3)
    return logarithmic(low, max(max(shown), 10 * low), 5)


def _bar(
    canvas: Canvas,
    axis: Axis,
    place: tuple[int, int],
    length: int,
    value: float,
    ink: str,
    marks: Marks,
) -> None:
    """The bar, and its number behind it."""
    column, row = place
    number = f"{value:.2g}" if value and _known(value) else _odd(value)
    if length < _LEAST:
        canvas.write(column, row, number, ink)
        return
    share = axis.place(value)
    eighths = round(min(max(share or 0.0, 0.0), 1.0) * length * 8)
    if marks == "ascii":
        text = "#" * max(round(eighths / 8), 1 if share else 0)
    else:
        text = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    canvas.write(column, row, text, ink)
    canvas.write(column + len(text) + (1 if text else 0), row, number, ink)


def _odd(value: float) -> str:
    return "0: nothing reaches it" if value == 0 else str(value)


def _ticks(canvas: Canvas, axis: Axis, left: int, length: int, row: int) -> None:
    for column, label in _labels(axis, left, length):
        canvas.write(column, row, label, "quiet")


def _labels(axis: Axis, left: int, length: int) -> Iterator[tuple[int, str]]:
    free = left
    for tick, label in zip(axis.ticks, axis.labels, strict=True):
        share = axis.place(tick)
        if share is not None and 0 <= share <= 1:
            column = left + round(share * length)
            text = f"│{label}"
            if column >= free:
                free = column + len(text) + 1
                yield column, text
