"""Where the boxes of a picture stand, left to right, and how its wires run. Pure.

Columns, rows and tracks are `grid`'s; this turns them into cells.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tutor.graph.grid import (
    Grid,
    Link,
    Vertex,
    assign_tracks,
    beside_is_above,
    box_height,
    box_width,
    exits,
)
from tutor.graph.picture import Box, Edge, Picture

Point = tuple[int, int]
"""Column, row."""

_TRIES = 40
_SHORTEST_GAP = 5
_BEFORE = 2
"""Cells of an arrow that belong to the box it leads to."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A box and the cells it covers."""

    box: Box
    left: int
    top: int
    width: int
    height: int
    beside: Point | None
    """Where the text of its constants begins; None: it has none."""
    beside_arrow: Point | None

    @property
    def middle(self) -> int:
        return self.top + self.height // 2

    @property
    def right(self) -> int:
        return self.left + self.width - 1

    def exit(self, port: int) -> Point:
        """The cell to the right of one of its outputs."""
        offsets = exits(self.box)
        return self.right + 1, self.middle + offsets[min(port, len(offsets) - 1)]


@dataclass(frozen=True, slots=True)
class Wire:
    """The way of one edge; edges of one value share its beginning."""

    edge: Edge
    points: tuple[Point, ...]
    """Corners, from the cell right of the source to the cell left of the target."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture with every place decided."""

    boxes: tuple[Placed, ...]
    wires: tuple[Wire, ...]
    stubs: dict[tuple[str, int], int]
    """Outputs that nothing takes, by box and port: the last column of their wire."""
    width: int
    height: int
    columns: tuple[int, ...] = ()
    """Left of each column of boxes and of the arrow heads before it."""


def layout(picture: Picture, label_width: Callable[[Box], int]) -> Layout:
    """Place everything; `label_width` is the room right of a box for its values."""
    grid = Grid(picture)
    grid.order()
    for attempt in range(_TRIES):
        grid.place_rows()
        clashes = grid.clashes()
        if not clashes:
            break
        clashes[attempt % len(clashes)].push += 1
    return _Geometry(grid, label_width).layout()


class _Geometry:
    """Columns and wires of a grid whose rows are settled."""

    def __init__(self, grid: Grid, label_width: Callable[[Box], int]) -> None:
        self._grid = grid
        self._label_width = label_width
        self._placed: dict[str, Placed] = {}
        self._tracks: list[dict[tuple[str, int], int]] = []
        self._columns: list[int] = []
        self._bases: list[int] = []
        """Column of the first track, by gap."""

    def layout(self) -> Layout:
        left = 0
        sources = {(edge.source, edge.port) for edge in self._grid.picture.edges}
        stubs: dict[tuple[str, int], int] = {}
        width = height = 0
        for number, column in enumerate(self._grid.layers):
            boxes = [each for each in column if each.box is not None]
            column_width = max(
                [_column_width(each.box) for each in boxes if each.box is not None],
                default=1,
            )
            self._columns.append(max(0, left - _BEFORE))
            self._place(column, left, column_width)
            labels = [
                self._label_width(each.box) for each in boxes if each.box is not None
            ]
            nets = self._grid.nets(number)
            tracks, stuck = assign_tracks(nets)
            for net in stuck:  # no room was found to keep them apart
                tracks[net.key] = max(tracks.values(), default=-1) + 1
            self._tracks.append(tracks)
            base = left + column_width + max([*labels, 0]) + 2
            self._bases.append(base)
            for vertex in boxes:
                assert vertex.box is not None
                placed = self._placed[vertex.box.key]
                for port in range(vertex.box.exits):
                    if (vertex.box.key, port) not in sources:
                        room = max(self._label_width(vertex.box) + 1, _SHORTEST_GAP)
                        stubs[vertex.box.key, port] = placed.right + room
                        width = max(width, placed.right + room + 1)
            count = max(tracks.values(), default=-1) + 1
            left = max(base + 2 * count, left + column_width + _SHORTEST_GAP - 1) + 1
        for placed in self._placed.values():
            width = max(width, placed.right + 1)
            height = max(height, placed.top + placed.height)
            if placed.beside is not None:
                height = max(height, placed.beside[1] + 1)
                width = max(width, placed.beside[0] + len(placed.box.beside))
        boxes_found = tuple(self._placed[key] for key in self._grid.vertices)
        wires = tuple(self._wires())
        rows = [row for wire in wires for _, row in wire.points]
        height = max([height, *(row + 1 for row in rows)])
        columns = tuple(self._columns)
        return Layout(boxes_found, wires, stubs, width, height, columns)

    def _place(self, column: Sequence[Vertex], left: int, width: int) -> None:
        for index, vertex in enumerate(column):
            if vertex.box is None:
                continue
            box = vertex.box
            own, height = box_width(box), box_height(box)
            at = left + (width - own) // 2
            top = vertex.row - height // 2
            beside = arrow = None
            if box.beside:
                above = beside_is_above(column, index)
                middle = at + own // 2
                start = max(left, middle - len(box.beside) // 2)
                beside = start, top - 2 if above else top + height + 1
                arrow = middle, top - 1 if above else top + height
            self._placed[box.key] = Placed(box, at, top, own, height, beside, arrow)

    def _wires(self) -> Iterable[Wire]:
        onward: dict[int, Link] = {
            id(link.target): link for link in self._grid.links if not link.slots
        }
        for link in self._grid.links:
            for edge in link.slots:
                chain = [link]
                while chain[0].source.box is None:
                    chain.insert(0, onward[id(chain[0].source)])
                yield Wire(edge, tuple(self._points(edge, chain)))

    def _points(self, edge: Edge, chain: Sequence[Link]) -> Iterable[Point]:
        yield self._placed[edge.source].exit(edge.port)
        for link in chain:
            column = link.source.layer
            if link.source_row != link.target_row:
                track = self._tracks[column][link.net]
                x = self._bases[column] + 2 * track
                yield x, link.source_row
                yield x, link.target_row
        yield self._placed[edge.target].left - 1, chain[-1].target_row


def _column_width(box: Box) -> int:
    return max(box_width(box), len(box.beside))
