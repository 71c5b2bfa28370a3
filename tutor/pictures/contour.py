"""The loss over two parameters as lines of equal loss, and the ways of the runs over it."""

import functools
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from tutor.picture import INKS, LETTERS, MARKERS, Marks, Picture, blank
from tutor.pictures.canvas import Canvas, Said, name
from tutor.pictures.frame import Frame, framed, letters
from tutor.pictures.paths import Way, ways
from tutor.pictures.sheet import Sheet
from tutor.pictures.trails import trail
from tutor.training.axis import between, drawable, short
from tutor.training.run import Race
from tutor.training.views import Surface

_MARKED = 30
"""Points of a way up to which each has its marker."""


def contour(
    surface: Surface,
    race: Race | None,
    width: int,
    height: int,
    cursor: int | None = None,
    hidden: frozenset[str] = frozenset(),
    marks: Marks = "braille",
) -> Picture:
    """Lines of equal loss over the two parameters, the optimum, the parameters that made
    the data, and each run's way to `cursor` (None: its newest iteration), where its
    letter is. A letter at the edge: the run is outside.
    """
    width, height = max(width, 1), max(height, 1)
    if width < 12 or height < 6:
        return blank(width, height)
    canvas = Canvas(width, height)
    frame = over_box(canvas, surface, marks)
    found = ways(race, surface.names, cursor, hidden)
    draw_ground(canvas, frame, surface, found)
    for way in reversed(found):  # the first one is on top
        _draw_way(canvas, frame, way, marks)
    said = [*_whose(surface, race), *draw_marks(canvas, frame, surface)]
    letters(
        canvas,
        frame,
        ((way.number, (way.now[0], way.now[1])) for way in found if way.now),
    )
    canvas.write_all(frame.left + 5, 0, said, width)
    return canvas.picture(marks)


def _whose(surface: Surface, race: Race | None) -> Iterator[Said]:
    """Whose loss it is, where not all runs have the same."""
    specs = race.spec.runs if race else ()
    if len({each.loss for each in specs}) > 1:
        at = next((n for n, each in enumerate(specs) if each.name == surface.run), 0)
        yield ((f"loss of {LETTERS[at]} {name(surface.run, 12)}   ", INKS[at]),)


def over_box(canvas: Canvas, surface: Surface, marks: Marks) -> Frame:
    """The axes of a surface."""
    left, right, bottom, top = surface.box
    across = between(left, right, max(2, canvas.width // 9))
    up = between(bottom, top, max(3, canvas.height // 4))
    return framed(canvas, across, up, surface.names, marks != "ascii")


def draw_ground(
    canvas: Canvas, frame: Frame, surface: Surface, found: Sequence[Way] = ()
) -> None:
    """The lines of equal loss, with their values where no way is."""
    side = _side(surface, found)
    lines, labels = _ground(surface, frame.columns, frame.rows, frame.fine)
    for column, row, sign in lines:
        canvas.put(frame.left + column, frame.top + row, sign, "quiet")
    if frame.columns < 36:
        return
    for column, row, text in labels[side]:
        canvas.write(frame.left + column, frame.top + row, text, "quiet")


def draw_marks(canvas: Canvas, frame: Frame, surface: Surface) -> Iterator[Said]:
    """The optimum and the truth; what the signs mean, with numbers where there is room.
    One sign where both are in one cell."""
    numbered = canvas.width >= 72
    known: dict[tuple[int, int], tuple[str, str, tuple[float, float] | None]] = {
        frame.cell(*place): (sign, word, place)
        for sign, word, place in (
            ("×", "true parameters", surface.truth),
            ("+", "optimum", surface.optimum),
        )
        if place is not None
    }
    if len(known) == 1 and surface.truth and surface.optimum:
        cell = next(iter(known))
        known[cell] = "*", "optimum and true parameters", None
        if numbered:
            word = f"optimum{_pair(surface.optimum)}, true parameters"
            known[cell] = "*", word, surface.truth
    for cell, (sign, word, place) in reversed(known.items()):
        canvas.put(*cell, sign, "strong")
        numbers = _pair(place) if numbered and place is not None else ""
        yield (sign, "strong"), (f" {word}{numbers}   ", "quiet")
    if surface.least is not None:
        tiny = abs(surface.least) <= 1e-9 * _highest(surface)
        least = 0.0 if tiny else surface.least
        yield ((f"least loss {least:.3g}", "quiet"),)


@functools.lru_cache(maxsize=16)
def _highest(surface: Surface) -> float:
    """Of its losses that can be shown."""
    return max(filter(drawable, surface.losses), default=0.0)


def _pair(place: tuple[float, float]) -> str:
    return f" ({place[0]:.2f}, {place[1]:.2f})"


def _draw_way(canvas: Canvas, frame: Frame, way: Way, marks: Marks) -> None:
    ink, letter = INKS[way.number], LETTERS[way.number]
    frame.draw(canvas, trail(frame, way, fine=marks == "braille"), letter.lower(), ink)
    if marks == "braille" and len(way) <= _MARKED:
        for each in way.last(_MARKED):
            if each is not None:
                canvas.put(*frame.cell(*each), MARKERS[way.number], ink)


# --------------------------------------------------------------------- lines of equal loss

_Cells = tuple[tuple[int, int, str], ...]


@functools.lru_cache(maxsize=16)
def _ground(
    surface: Surface, columns: int, rows: int, fine: bool
) -> tuple[_Cells, dict[tuple[int, int], _Cells]]:
    """Cells of the lines; and by direction the columns, rows and texts of values."""
    sheet = Sheet(columns, rows, fine)
    scale = _Scale(surface, columns * sheet.across, rows * sheet.down)
    sides: dict[tuple[int, int], list[tuple[int, int, str]]] = {}
    centre = scale.dots(*_centre(surface))
    for level, segments in _lines(surface, levels(surface, 4 + rows // 5)).items():
        middles = []
        for (c0, r0), (c1, r1) in segments:
            start, end = scale.grid(c0, r0), scale.grid(c1, r1)
            sheet.line(*start, *end)
            middles.append(start)
        for side in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            spot = _on_ray(
                middles, centre, side, (columns * sheet.across, rows * sheet.down)
            )
            if spot is not None:
                label = (
                    int(spot[0]) // sheet.across - len(short(level)) // 2,
                    int(spot[1]) // sheet.down,
                    short(level),
                )
                if _fits(label, sides.setdefault(side, []), columns):
                    sides[side].append(label)
    labels = {
        side: tuple(sides.get(side, ()))
        for side in ((1, 1), (1, -1), (-1, 1), (-1, -1))
    }
    return tuple(sheet.cells(".")), labels


class _Scale:
    """From the surface's grid and its values to dots."""

    def __init__(self, surface: Surface, across: int, down: int) -> None:
        self._box = surface.box
        self._columns, self._rows = surface.columns, surface.rows
        self._across, self._down = across - 1, down - 1

    def grid(self, column: float, row: float) -> tuple[float, float]:
        """Of a place in the grid, whose values are in the middle of its cells."""
        return (
            (column + 0.5) / self._columns * self._across,
            (1 - (row + 0.5) / self._rows) * self._down,
        )

    def dots(self, x: float, y: float) -> tuple[float, float]:
        """Of two values."""
        left, right, bottom, top = self._box
        return (
            (x - left) / (right - left) * self._across,
            (top - y) / (top - bottom) * self._down,
        )


def levels(surface: Surface, count: int) -> list[float]:
    """Losses, ascending, so far apart that the lines of a bowl are equally far."""
    finite = [loss for loss in surface.losses if drawable(loss)]
    if not finite:
        return []
    low, high = min(finite), max(finite)
    if surface.least is not None and drawable(surface.least):
        low = min(low, surface.least)
    steps = (low + (high - low) * (at / count) ** 2 for at in range(1, count))
    rounded = {float(f"{level:.2g}") for level in steps}
    return sorted(level for level in rounded if low < level < high)


_Segment = tuple[tuple[float, float], tuple[float, float]]


def _lines(surface: Surface, heights: Sequence[float]) -> dict[float, list[_Segment]]:
    """By level the pieces of its line, in columns and rows of the grid (marching squares:
    Lorensen and Cline, SIGGRAPH 1987, in two dimensions)."""
    found: dict[float, list[_Segment]] = {level: [] for level in heights}
    losses, columns = surface.losses, surface.columns
    for row in range(surface.rows - 1):
        for column in range(columns - 1):
            at = row * columns + column
            corners = (
                losses[at], losses[at + 1], losses[at + columns + 1], losses[at + columns]
            )  # fmt: skip
            low, high = min(corners), max(corners)
            if not (drawable(low) and drawable(high)):
                continue
            for index in range(bisect_left(heights, low), len(heights)):
                level = heights[index]
                if level >= high:
                    break
                found[level] += _crossings(column, row, corners, level)
    return found


_EDGES = ((0, 0), (1, 0), (1, 1), (0, 1))
"""The corners of a square, around it."""


def _crossings(
    column: int, row: int, corners: tuple[float, ...], level: float
) -> Iterator[_Segment]:
    points = []
    for at in range(4):
        one, other = corners[at], corners[(at + 1) % 4]
        if (one < level) != (other < level):
            share = (level - one) / (other - one)
            (x0, y0), (x1, y1) = _EDGES[at], _EDGES[(at + 1) % 4]
            points.append(
                (column + x0 + share * (x1 - x0), row + y0 + share * (y1 - y0))
            )
    for at in range(0, len(points) - 1, 2):
        yield points[at], points[at + 1]


# ------------------------------------------------------------------------ values at lines


def _side(surface: Surface, found: Sequence[Way]) -> tuple[int, int]:
    """The direction from the optimum in which no way begins."""
    x, y = _centre(surface)
    first = next((way.first for way in found), None)
    if first is None:
        return 1, 1
    return (1 if first[0] >= x else -1), (-1 if first[1] >= y else 1)


def _centre(surface: Surface) -> tuple[float, float]:
    left, right, bottom, top = surface.box
    return surface.optimum or ((left + right) / 2, (bottom + top) / 2)


def _on_ray(
    spots: Sequence[tuple[float, float]],
    centre: tuple[float, float],
    side: tuple[int, int],
    size: tuple[int, int],
) -> tuple[float, float] | None:
    """The spot that is most nearly on the diagonal from the centre to that side."""
    best, least = None, 0.35
    for x, y in spots:
        across = (x - centre[0]) / size[0] * side[0]
        up = (centre[1] - y) / size[1] * side[1]
        if across > 0 and up > 0:
            off = abs(across - up) / (across + up)
            if off < least:
                best, least = (x, y), off
    return best


def _fits(
    label: tuple[int, int, str], others: Sequence[tuple[int, int, str]], columns: int
) -> bool:
    column, row, text = label
    return 0 <= column <= columns - len(text) and all(
        abs(row - other_row) > 1
        or column > other + len(other_text) + 1
        or other > column + len(text) + 1
        for other, other_row, other_text in others
    )
