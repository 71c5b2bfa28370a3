"""The order of a picture: which column each box stands in, which row, which track. Pure.

Layers by longest path, then pushed right; dummies on long edges; barycentre sweeps
against crossings; rows by pooling adjacent violators; one track per net between two
columns, ordered so that wires of two nets cross but never share their way.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tutor.graph.picture import Box, Edge, Picture

_SWEEPS = 4
_ROW_SWEEPS = 6
_FAR = 2
"""Columns from the left at which an input that is first read there leaves it."""


def entries(box: Box) -> list[int]:
    """Rows of a box's inputs, from its middle row."""
    return [2 * place - (box.inputs - 1) for place in range(box.inputs)]


def exits(box: Box) -> list[int]:
    """Rows of a box's outputs, from its middle row; two labels each need more room."""
    apart = 2 if box.shape == "box" and not box.ports else 1
    return [apart * (2 * place - (box.exits - 1)) for place in range(box.exits)]


def box_height(box: Box) -> int:
    """Rows of a box: a border above and below, and room for all its wires."""
    inputs = 2 * max(box.inputs, 1) - 1
    if box.shape != "box":
        return max(inputs, 2 * box.exits - 1)
    outputs = 2 * box.ports + 1 if box.ports else 4 * max(box.exits, 1) - 1
    return max(3, inputs + 2, outputs)


def box_width(box: Box) -> int:
    """Columns of a box with its border."""
    return len(box.text) + {"box": 4, "row": 2, "bare": 0}[box.shape]


@dataclass(slots=True)
class Vertex:
    """A box, or a place where a long wire passes a column."""

    layer: int
    box: Box | None
    net: tuple[str, int]
    """Of a dummy: whose wire it is."""
    above: int = 0
    below: int = 0
    """Rows it needs over and under its middle row."""
    row: int = 0
    push: int = 0
    """Rows it is moved down, so that its wires end elsewhere."""
    links: list["Link"] = field(default_factory=list)


@dataclass(slots=True)
class Link:
    """A piece of a net between two neighbouring layers."""

    source: Vertex
    source_offset: int
    target: Vertex
    target_offset: int
    net: tuple[str, int]
    slots: list[Edge]
    """Edges that end here; empty where the wire goes on."""

    @property
    def source_row(self) -> int:
        return self.source.row + self.source_offset

    @property
    def target_row(self) -> int:
        return self.target.row + self.target_offset


class Grid:
    """Layers, their order, rows."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._boxes = {box.key: box for box in picture.boxes}
        layer = _layers(picture)
        self.layers: list[list[Vertex]] = [
            [] for _ in range(max(layer.values(), default=-1) + 1)
        ]
        self.vertices: dict[str, Vertex] = {}
        for key in _depth_first(picture):
            box = self._boxes[key]
            vertex = Vertex(layer[key], box, (key, 0))
            self.vertices[key] = vertex
            self.layers[vertex.layer].append(vertex)
        self.links: list[Link] = []
        self._link(layer)
        self._size()

    def _link(self, layer: Mapping[str, int]) -> None:
        """Cut edges into pieces between neighbouring layers; a net shares its own."""
        dummies: dict[tuple[tuple[str, int], int], Vertex] = {}
        pieces: dict[tuple[int, int], Link] = {}
        for edge in self.picture.edges:
            net = edge.source, edge.port
            at = self.vertices[edge.source]
            offset = exits(at.box)[edge.port] if at.box is not None else 0
            for column in range(layer[edge.source] + 1, layer[edge.target]):
                if (net, column) not in dummies:
                    dummy = Vertex(column, None, net)
                    dummies[net, column] = dummy
                    self._insert(dummy, at)
                dummy = dummies[net, column]
                if (id(at), id(dummy)) not in pieces:
                    pieces[id(at), id(dummy)] = Link(at, offset, dummy, 0, net, [])
                at, offset = dummy, 0
            target = self.vertices[edge.target]
            assert target.box is not None
            entry = entries(target.box)[edge.slot]
            pieces[id(edge), 0] = Link(at, offset, target, entry, net, [edge])
        self.links = list(pieces.values())
        self._from: list[list[Link]] = [[] for _ in self.layers]
        """By the layer they begin in."""
        for link in self.links:
            link.source.links.append(link)
            link.target.links.append(link)
            self._from[link.source.layer].append(link)

    def _insert(self, dummy: Vertex, after: Vertex) -> None:
        """Near the place its source has in the column before, to begin with."""
        before = self.layers[after.layer].index(after)
        share = before / max(len(self.layers[after.layer]), 1)
        column = self.layers[dummy.layer]
        column.insert(round(share * len(column) + 0.49), dummy)

    def order(self) -> None:
        """Sweep against crossings; the best order seen stays."""
        best, fewest = [list(each) for each in self.layers], self._crossings()
        for sweep in range(_SWEEPS):
            forward = sweep % 2 == 0
            columns = range(len(self.layers))
            for column in columns if forward else reversed(columns):
                self._sort(column, forward)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(each) for each in self.layers], crossings
        self.layers = best
        self._size()

    def _sort(self, column: int, forward: bool) -> None:
        neighbours = (
            self.layers[column - 1 if forward else column + 1]
            if (0 <= (column - 1 if forward else column + 1) < len(self.layers))
            else []
        )
        place = {id(vertex): index for index, vertex in enumerate(neighbours)}

        def centre(vertex: Vertex) -> float:
            found = []
            for link in vertex.links:
                if forward and link.target is vertex:
                    found.append(place[id(link.source)] + link.source_offset / 100)
                elif not forward and link.source is vertex:
                    found.append(place[id(link.target)] + link.target_offset / 100)
            if not found:
                return float(self.layers[column].index(vertex))
            return sum(found) / len(found)

        centres = {id(vertex): centre(vertex) for vertex in self.layers[column]}
        self.layers[column].sort(key=lambda vertex: centres[id(vertex)])

    def _crossings(self) -> int:
        place = {
            id(vertex): index
            for column in self.layers
            for index, vertex in enumerate(column)
        }
        found = 0
        for links in self._from:
            ends = [
                (
                    place[id(link.source)] + link.source_offset / 100,
                    place[id(link.target)] + link.target_offset / 100,
                )
                for link in links
            ]
            for one, other in itertools.combinations(ends, 2):
                found += (one[0] - other[0]) * (one[1] - other[1]) < 0
        return found

    def _size(self) -> None:
        for column in self.layers:
            for index, vertex in enumerate(column):
                if vertex.box is None:
                    continue
                half = box_height(vertex.box) // 2
                vertex.above = vertex.below = half
                if vertex.box.beside:
                    if beside_is_above(column, index):
                        vertex.above += 2
                    else:
                        vertex.below += 2

    def place_rows(self) -> None:
        """Rows as near to the neighbours' as the boxes' sizes allow."""
        for column in self.layers:
            row = 0
            for vertex in column:
                row += vertex.above + vertex.push
                vertex.row = row
                row += vertex.below + 2
        for sweep in range(_ROW_SWEEPS):
            forward = sweep % 2 == 1
            columns = self.layers if forward else self.layers[::-1]
            for column in columns:
                wishes = [_wish(vertex, forward) + vertex.push for vertex in column]
                _settle(column, wishes)
        top = min(
            (each.row - each.above for column in self.layers for each in column),
            default=0,
        )
        for column in self.layers:
            for vertex in column:
                vertex.row -= top

    def clashes(self) -> list[Vertex]:
        """Targets of wires that cannot be kept apart; moving one of them may help."""
        for column in range(len(self.layers)):
            nets = self.nets(column)
            _, stuck = assign_tracks(nets)
            rows = {net.row for net in stuck}
            found = [
                link.target
                for net in stuck
                for link in net.links
                if link.target_row in rows and link.target_row != net.row
            ]
            if stuck:
                return found
        return []

    def nets(self, column: int) -> list["Net"]:
        """The nets between a column and the next."""
        found: dict[tuple[str, int], Net] = {}
        for link in self._from[column]:
            if link.net not in found:
                found[link.net] = Net(link.net, link.source_row, [])
            found[link.net].links.append(link)
        return list(found.values())


@dataclass(slots=True)
class Net:
    """One value's wire between two columns."""

    key: tuple[str, int]
    row: int
    links: list[Link]

    @property
    def targets(self) -> list[int]:
        return [link.target_row for link in self.links]

    @property
    def is_straight(self) -> bool:
        return self.targets == [self.row]

    @property
    def span(self) -> tuple[int, int]:
        rows = [self.row, *self.targets]
        return min(rows), max(rows)


def beside_is_above(column: Sequence[Vertex], index: int) -> bool:
    """Constants stand over an op, under the lowest of several."""
    boxes = [each for each in column if each.box is not None]
    return len(boxes) < 2 or column[index] is not boxes[-1]


def _layers(picture: Picture) -> dict[str, int]:
    """Longest path from the left; then ops go as far right as their readers allow."""
    layer = {box.key: 0 for box in picture.boxes}
    # Boxes come in the order in which they came to be: sources before their readers.
    rank = {box.key: place for place, box in enumerate(picture.boxes)}
    edges = sorted(picture.edges, key=lambda edge: rank[edge.target])
    for edge in edges:
        layer[edge.target] = max(layer[edge.target], layer[edge.source] + 1)
    readers: dict[str, list[str]] = {}
    for edge in edges:
        readers.setdefault(edge.source, []).append(edge.target)
    for box in reversed(picture.boxes):
        if box.key in readers:
            last = min(layer[each] for each in readers[box.key]) - 1
            # Inputs stay left, but for those that are first read far from there.
            if box.value is None or last > _FAR:
                layer[box.key] = last
    return layer


def _depth_first(picture: Picture) -> list[str]:
    """Boxes in the order met from the last ones back, first inputs first."""
    inputs: dict[str, list[str]] = {}
    read = set()
    for edge in picture.edges:
        inputs.setdefault(edge.target, []).append(edge.source)
        read.add(edge.source)
    ends = [box.key for box in picture.boxes if box.key not in read]
    found: dict[str, None] = {}
    stack = list(reversed(ends))
    while stack:
        key = stack.pop()
        if key not in found:
            found[key] = None
            stack += reversed(inputs.get(key, []))
    return list(found)


def _wish(vertex: Vertex, forward: bool) -> float:
    rows = []
    for link in vertex.links:
        if forward and link.target is vertex:
            rows.append(link.source_row - link.target_offset)
        elif not forward and link.source is vertex:
            rows.append(link.target_row - link.source_offset)
    return sum(rows) / len(rows) if rows else float(vertex.row)


def _settle(column: Sequence[Vertex], wishes: Sequence[float]) -> None:
    """The rows nearest to the wishes that keep order and room (pooled violators)."""
    offsets, total = [], 0
    for index, vertex in enumerate(column):
        if index:
            total += column[index - 1].below + vertex.above + 2 + vertex.push
        offsets.append(total)
    blocks: list[list[float]] = []  # mean, weight
    for wish, offset in zip(wishes, offsets, strict=True):
        blocks.append([wish - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, weight = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * weight) / (last[1] + weight)
            last[1] += weight
    place = 0
    for mean, weight in blocks:
        for _ in range(int(weight)):
            column[place].row = round(mean) + offsets[place]
            place += 1


def assign_tracks(
    nets: Sequence[Net],
) -> tuple[dict[tuple[str, int], int], list[Net]]:
    """A track number for each net that turns, and the nets that found none.

    Where a net begins in the row in which another ends, it must turn before it does;
    two that ask for each other's place are stuck.
    """
    turning = [net for net in nets if not net.is_straight]
    after: dict[tuple[str, int], set[tuple[str, int]]] = {
        net.key: {
            other.key
            for other in turning
            if other is not net and other.row in net.targets
        }
        for net in turning
    }
    waiting = sorted(turning, key=_preference)
    order: list[Net] = []
    while waiting:
        placed = {net.key for net in order}
        ready = next((net for net in waiting if after[net.key] <= placed), None)
        if ready is None:
            break
        waiting.remove(ready)
        order.append(ready)
    return _packed(order, after), waiting


def _preference(net: Net) -> tuple[int, int]:
    """Left to right so that fewest cross: wires down from below, wires up from above."""
    down = sum(net.targets) > net.row * len(net.targets)
    return (0, -net.row) if down else (1, net.row)


def _packed(
    order: Sequence[Net], after: Mapping[tuple[str, int], set[tuple[str, int]]]
) -> dict[tuple[str, int], int]:
    """Nets that do not meet may share a track."""
    found: dict[tuple[str, int], int] = {}
    taken: list[list[tuple[int, int]]] = []
    least = 0
    for net in order:
        first = max([least, *(found[key] + 1 for key in after[net.key])])
        low, high = net.span
        track = first
        while track < len(taken) and any(
            low <= other_high + 1 and other_low - 1 <= high
            for other_low, other_high in taken[track]
        ):
            track += 1
        while len(taken) <= track:
            taken.append([])
        taken[track].append((low, high))
        found[net.key] = track
    return found
