"""How the gradients of batches scatter about the full gradient: a wind rose of one batch
size, and the numbers of all sizes.
"""

from collections.abc import Sequence

from tutor.picture import Marks, Picture, blank
from tutor.pictures.canvas import Canvas, Said, name
from tutor.pictures.frame import Frame, framed
from tutor.pictures.output import percent
from tutor.training.axis import Axis, between, drawable
from tutor.training.views import BatchNoise, Noise

_RAYS = 24
"""Gradients that are drawn as lines; the others are their ends alone."""
_BESIDE = 70
"""Columns from which the numbers stand beside the rose, not below it."""
_TABLE = 31
"""Columns of the numbers."""
_SIGNS = 16
"""Rows from which there is one to spare for what the signs are."""
_UPHILL = "bad"


def noise(
    noise: Noise, width: int, height: int, batch: int = 0, marks: Marks = "braille"
) -> Picture:
    """Gradients of many batches as lines from the middle, those that go uphill apart, and
    the full gradient; then a line of numbers for each size.

    batch: the index of the size that is shown as a rose.
    """
    width, height = max(width, 1), max(height, 1)
    if width < 12 or height < 6 or not noise.batches:
        return blank(width, height)
    canvas = Canvas(width, height)
    shown = noise.batches[min(max(batch, 0), len(noise.batches) - 1)]
    rows = len(noise.batches) + 1
    beside = width >= _BESIDE
    below = not beside and height >= rows + 10
    signs = height - (rows + 1 if below else 0) >= _SIGNS
    part = Canvas(
        width - _TABLE - 2 if beside else width,
        height - (rows + 1 if below else 0) - signs,
    )
    frame = framed(part, *_axes(noise, part), noise.names, marks == "braille")
    _rose(part, frame, noise, shown, marks)
    part.write_all(frame.left + 5, 0, _said(shown, beside or below), part.width)
    canvas.paste(part, 0, 0)
    if signs:
        canvas.write_all(1, part.height, _signs(marks), width)
    if beside:
        _table(canvas, noise, shown, part.width + 2, 1)
    elif below:
        _table(canvas, noise, shown, 1, part.height + 1 + signs)
    return canvas.picture(marks)


def _signs(marks: Marks) -> list[Said]:
    """What is what; where there are no colours the batches have signs too."""
    full: list[Said] = [
        (("●", "here"), (" all the data", "quiet")),
        (("   ", ""), ("+", "strong"), (" no gradient", "quiet")),
    ]
    if marks == "braille":
        return full
    batches: Said = (("   . a batch", "quiet"), ("   x uphill", "quiet"))
    return [(("#", "here"), *full[0]), full[1], batches]


def _said(shown: BatchNoise, table: bool) -> list[Said]:
    size: Said = ((f"batches of {shown.batch}", "strong"),)
    rest: Said = (
        (f", median angle {shown.angle:.0f}°", ""),
        (f", {percent(shown.uphill)} uphill", _UPHILL if shown.uphill > 0 else ""),
    )
    lines: Said = ((", each line a batch's gradient", "quiet"),)
    return [size, lines] if table else [size, rest]


def _axes(noise: Noise, canvas: Canvas) -> tuple[Axis, Axis]:
    """Wide enough for nearly all gradients of the noisiest size, so that all sizes are on
    one scale; with the origin inside."""
    arrows = [arrow for each in noise.batches for arrow in each.arrows]
    counts = max(2, canvas.width // 9), max(3, canvas.height // 4)
    found = []
    for axis in (0, 1):
        values = sorted(arrow[axis] for arrow in arrows if drawable(arrow[axis]))
        few = len(values) // 100
        part = values[few : len(values) - few] or [0.0]
        known = [0.0, *(v for v in (noise.gradient[axis],) if drawable(v))]
        low, high = min(part[0], *known), max(part[-1], *known)
        margin = (high - low) / 20
        found.append(between(low - margin, high + margin, counts[axis]))
    return found[0], found[1]


def _rose(
    canvas: Canvas, frame: Frame, noise: Noise, shown: BatchNoise, marks: Marks
) -> None:
    origin, (g0, g1) = frame.place(0.0, 0.0), noise.gradient
    layers = {ink: frame.sheet() for ink in ("quiet", _UPHILL)}
    for number, arrow in enumerate(shown.arrows):
        place = frame.place(*arrow)
        if place is None or origin is None:
            continue
        sheet = layers[_UPHILL if arrow[0] * g0 + arrow[1] * g1 < 0 else "quiet"]
        if number < _RAYS and marks == "braille":
            sheet.line(*origin, *place)
        sheet.dot(*place)
    for ink, sheet in layers.items():
        frame.draw(canvas, sheet, "." if ink == "quiet" else "x", ink)
    full = frame.sheet()
    end = frame.place(g0, g1)
    if origin is not None and end is not None:
        full.line(*origin, *end)
        frame.draw(canvas, full, "#", "here")
        canvas.put(*frame.cell(g0, g1, nearest=True), "●", "here")
    canvas.put(*frame.cell(0.0, 0.0), "+", "strong")


def _table(
    canvas: Canvas, noise: Noise, shown: BatchNoise, column: int, row: int
) -> None:
    """batch, deviation of each component, angle, uphill."""
    names = [f"σ {name(each, 4)}" for each in noise.names]
    head = ("batch", *names, "angle", "uphill")
    lines: list[Sequence[str]] = [
        head,
        *(
            (
                str(each.batch),
                _short(each.spread[0]),
                _short(each.spread[1]),
                f"{each.angle:.0f}°" if each.angle >= 10 else f"{each.angle:.1f}°",
                percent(each.uphill),
            )
            for each in noise.batches
        ),
    ]
    widths = (5, 6, 6, 6, 7)
    for at, cells in enumerate(lines):
        text = "".join(
            cell.rjust(room) for cell, room in zip(cells, widths, strict=True)
        )
        here = at > 0 and noise.batches[at - 1] is shown
        canvas.write(
            column, row + at, text, "quiet" if at == 0 else "strong" if here else ""
        )
        if here:
            canvas.put(column - 1, row + at, ">", "here")


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1e4 else f"{value:.0e}"
