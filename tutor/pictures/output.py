"""What a model says: its line through data of one feature, or its regions in a plane of
two, with the data and the hidden units.
"""

import math
from collections.abc import Iterator, Sequence

from tutor.picture import HEATS, INKS, LETTERS, Marks, Picture, blank
from tutor.pictures.canvas import Canvas, Said
from tutor.pictures.frame import Frame, framed
from tutor.training.axis import Axis, between, drawable
from tutor.training.views import Fit, Regions, Unit

_SHADES = {"letters": " ░▒▓", "ascii": " .:%"}
"""Without colours, from class 0 to class 1."""
_ROOM = 14
"""Cells for each point that is shown, at least; all that are on the wrong side are."""
SIGNS = "ox"
"""Of the points of the two classes."""
_UNITS = 10
"""Units whose lines are drawn; one that is lit up always is."""


def fit(
    fits: Fit | Sequence[Fit],
    width: int,
    height: int,
    numbers: Sequence[int] = (),
    marks: Marks = "braille",
) -> Picture:
    """The data, and the line of each model through it.

    numbers: the places of their runs in the race, which are letters and colours; by
    default from the first on.
    """
    width, height = max(width, 1), max(height, 1)
    fits = [fits] if isinstance(fits, Fit) else list(fits)
    if width < 12 or height < 6 or not fits or not fits[0].x:
        return blank(width, height)
    numbers = list(numbers) or list(range(len(fits)))
    canvas = Canvas(width, height)
    across, up = _axes(fits, width, height)
    frame = framed(canvas, across, up, ("x", "y"), marks != "ascii")
    cloud = frame.sheet()
    for point in fits[0].data:
        place = frame.place(*point)
        if place is not None:
            cloud.dot(*place)
    frame.draw(canvas, cloud, ".", "quiet")
    odd: dict[str, str] = {}
    for each, number in reversed(list(zip(fits, numbers, strict=False))):
        if not _line(canvas, frame, each, number, marks):
            finite = any(drawable(y) for y in each.y)
            why = "outside the picture" if finite else "not finite"
            odd[why] = LETTERS[number] + odd.get(why, "")
    which = {why: "" if len(fits) == 1 else f" of {odd[why]}" for why in odd}
    said: list[Said] = [
        *(((f"answers{which[why]} {why}, ", "bad"),) for why in odd),
        ((f"the model at iteration {fits[0].iteration}", "quiet"),),
        ((f", {len(fits[0].data)} points of the data", "quiet"),),
    ]
    canvas.write_all(frame.left + 4, 0, said, width)
    return canvas.picture(marks)


def _axes(fits: Sequence[Fit], width: int, height: int) -> tuple[Axis, Axis]:
    xs = [x for x in fits[0].x if drawable(x)] or [0.0, 1.0]
    ys = [y for _, y in fits[0].data if drawable(y)] or [
        y for each in fits for y in each.y if drawable(y)
    ]
    low, high = min(ys, default=0.0), max(ys, default=1.0)
    margin = (high - low) / 20
    return (
        between(min(xs), max(xs), max(2, width // 9)),
        between(low - margin, high + margin, max(3, height // 4)),
    )


def _line(canvas: Canvas, frame: Frame, fit: Fit, number: int, marks: Marks) -> bool:
    """False: none of it is inside."""
    points = list(zip(fit.x, fit.y, strict=True))
    sheet = frame.line(points, fine=marks == "braille")
    frame.draw(canvas, sheet, LETTERS[number].lower(), INKS[number])
    inside = [each for each in points if frame.cell(*each) != (-1, -1)]
    if inside:
        canvas.put(*frame.cell(*inside[-1]), LETTERS[number], INKS[number])
    return any(True for _ in sheet.cells("."))


def regions(
    regions: Regions,
    width: int,
    height: int,
    unit: int | None = None,
    marks: Marks = "braille",
) -> Picture:
    """What the classifier says everywhere, two values a cell, with the data on it: "o"
    and "x" are the points of the two classes. The hidden units are lines.

    unit: the index of one to light up.
    """
    width, height = max(width, 1), max(height, 1)
    if width < 12 or height < 6 or not regions.outputs:
        return blank(width, height)
    canvas = Canvas(width, height)
    left, right, bottom, top = regions.box
    across = between(left, right, max(2, width // 9))
    up = between(bottom, top, max(3, height // 4))
    frame = framed(canvas, across, up, ("x1", "x2"), marks != "ascii")
    if marks == "braille":
        _paint(canvas, frame, regions)
    else:
        _shade(canvas, frame, regions, _SHADES[marks])
    for index in _drawn_units(regions, unit):
        _unit(canvas, frame, regions.units[index], index, marks, lit=index == unit)
    for column, row, number in _points(frame, regions):
        canvas.put(column, row, SIGNS[number], f"class{number}")
    canvas.write_all(frame.left + 5, 0, _said(regions, unit, marks), width)
    return canvas.picture(marks)


def _said(regions: Regions, unit: int | None, marks: Marks) -> Iterator[Said]:
    right = f"right {percent(regions.accuracy)}"
    if regions.test_accuracy is not None:
        right += f", test {percent(regions.test_accuracy)}"
    yield ((right, "strong"),)
    signs = tuple((f" {sign}", f"class{at}") for at, sign in enumerate(SIGNS))
    yield ("  ", ""), *signs, (" classes 0, 1", "quiet")
    if unit is not None and 0 <= unit < len(regions.units):
        yield ((f"   unit {unit + 1}", "here"),)
    elif len(regions.units) > _UNITS:
        yield ((f"   {_UNITS} of {len(regions.units)} units", "quiet"),)
    if marks != "braille":
        yield ((f"   {_SHADES[marks][-1]} says class 1", "quiet"),)


def percent(share: float) -> str:
    """Never 100 % when one is wrong."""
    text = f"{100 * share:.1f}"
    if text == "100.0" and share < 1:
        text = "99.9"
    return f"{text.removesuffix('.0')} %"


def _paint(canvas: Canvas, frame: Frame, regions: Regions) -> None:
    """Two values in each cell: the upper one as ink, the lower one as ground."""
    rows = _sampled(regions, frame.columns, 2 * frame.rows)
    for row in range(frame.rows):
        for column, (high, low) in enumerate(
            zip(rows[2 * row], rows[2 * row + 1], strict=True)
        ):
            upper, lower = heat(high), heat(low)
            sign = " " if upper == lower else "▀"
            ink = "" if upper == lower else upper
            canvas.put(frame.left + column, frame.top + row, sign, ink, lower)


def _shade(canvas: Canvas, frame: Frame, regions: Regions, shades: str) -> None:
    for row, values in enumerate(_sampled(regions, frame.columns, frame.rows)):
        for column, value in enumerate(values):
            share = min(max(value, 0.0), 0.999) if value == value else 0.0
            sign = shades[int(share * len(shades))]
            canvas.put(frame.left + column, frame.top + row, sign)


def heat(share: float) -> str:
    """The role of a value from 0 to 1; of nan none."""
    return HEATS[int(min(max(share, 0.0), 0.999) * 8)] if share == share else ""


def _sampled(regions: Regions, columns: int, rows: int) -> list[list[float]]:
    """The grid at so many places, from the top row down, with what is between its values
    on straight lines between them."""
    outputs, many = regions.outputs, regions.columns
    across = [_between(at, columns, many) for at in range(columns)]
    found = []
    for row in range(rows):
        low, high, share = _between(rows - 1 - row, rows, regions.rows)
        one = outputs[low * many : (low + 1) * many]
        other = outputs[high * many : (high + 1) * many]
        mixed = [a + (b - a) * share for a, b in zip(one, other, strict=True)]
        found.append([mixed[a] + (mixed[b] - mixed[a]) * part for a, b, part in across])
    return found


def _between(at: int, of: int, many: int) -> tuple[int, int, float]:
    """Place `at` of `of` among `many` values: the two around it, and how far between."""
    place = min(max((at + 0.5) / of * many - 0.5, 0.0), many - 1.0)
    low = int(place)
    return low, min(low + 1, many - 1), place - low


def _drawn_units(regions: Regions, unit: int | None) -> list[int]:
    """The first few, and the one that is lit up last."""
    first = [at for at in range(min(len(regions.units), _UNITS)) if at != unit]
    lit = unit is not None and 0 <= unit < len(regions.units)
    return [*first, unit] if lit and unit is not None else first


def _unit(
    canvas: Canvas, frame: Frame, unit: Unit, index: int, marks: Marks, *, lit: bool
) -> None:
    """Its line, and its number where the line ends. One that is lit is of another sign
    where there is no colour."""
    ends = _ends(unit, frame)
    if ends is None:
        return
    plain = lit and marks != "braille"
    sheet = frame.line(ends, fine=frame.fine and not plain)
    number = str(index + 1)[-1]
    frame.draw(canvas, sheet, "#" if lit else number, "here" if lit else "")
    column, row = frame.cell(*ends[1], nearest=True)
    canvas.put(column, row, number, "here" if lit else "strong")


def _ends(
    unit: Unit, frame: Frame
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Where the line w1 x1 + w2 x2 + b = 0 enters and leaves; None: it is not inside."""
    left, right = frame.across.low, frame.across.high
    bottom, top = frame.up.low, frame.up.high
    w1, w2, b = unit.w1, unit.w2, unit.b
    if not math.isfinite(w1 + w2 + b):
        return None
    found = [(x, -(w1 * x + b) / w2) for x in (left, right) if w2]
    found += [(-(w2 * y + b) / w1, y) for y in (bottom, top) if w1]
    slack_x, slack_y = (right - left) * 1e-6, (top - bottom) * 1e-6
    inside = [
        (x, y)
        for x, y in found
        if left - slack_x <= x <= right + slack_x
        and bottom - slack_y <= y <= top + slack_y
    ]
    if len(inside) < 2:
        return None
    return min(inside), max(inside)


def _points(frame: Frame, regions: Regions) -> list[tuple[int, int, int]]:
    """Column, row and class of the points that are shown: all that are on the wrong side,
    and of the others as many as leave the regions to be seen."""
    right: dict[tuple[int, int], int] = {}
    wrong: dict[tuple[int, int], int] = {}
    for x, y, number in regions.data:
        cell = frame.cell(x, y)
        if cell != (-1, -1):
            said = _value(regions, x, y) >= 0.5
            (right if said == bool(number) else wrong)[cell] = 1 if number else 0
    room = max(8, frame.columns * frame.rows // _ROOM)
    few = max(1, math.ceil(len(right) / max(room - len(wrong), 8)))
    shown = dict(list(right.items())[::few]) | wrong
    return [(column, row, number) for (column, row), number in shown.items()]


def _value(regions: Regions, x: float, y: float) -> float:
    left, right, bottom, top = regions.box
    column = int((x - left) / (right - left) * regions.columns)
    row = int((y - bottom) / (top - bottom) * regions.rows)
    column = min(max(column, 0), regions.columns - 1)
    return regions.outputs[
        min(max(row, 0), regions.rows - 1) * regions.columns + column
    ]
