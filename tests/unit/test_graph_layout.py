"""The picture's geometry: boxes apart, wires of two values never on one way."""

import itertools
import random
from collections import defaultdict

import pytest

from tests.stored_traces import LARGE, REQUESTS, stored
from tutor.graph.layout import Layout, Point, layout
from tutor.graph.picture import Box, Edge, Picture, Shape, part, picture
from tutor.graph.steps import walk
from tutor.graph.units import Units, readers
from tutor.graph.window import Windows

LABEL = 9


def random_picture(seed: int, shape: Shape = "box") -> Picture:
    """A network-like graph: mostly short edges, some fan-out, constants, two outputs;
    and wires that are cut off."""
    rng = random.Random(seed)
    leaves = [
        Box(f"value {n}", f"x{n}", None, n, 0, (n,), "", rng.choice([shape, "bare"]))
        for n in range(rng.randint(1, 4))
    ]
    boxes = list(leaves)
    edges: list[Edge] = []
    for number in range(rng.randint(1, 14)):
        key = f"op {number}"
        inputs = rng.choice([1, 1, 1, 2, 2, 3])
        for slot in range(inputs):
            near = boxes[-5:] if rng.random() < 0.8 else boxes
            source = rng.choice(near)
            port = rng.randrange(len(source.outputs))
            value = source.outputs[port]
            edges.append(Edge(source.key, port, key, slot, number, slot, value))
        outputs = (100 + 2 * number, 101 + 2 * number)[: rng.choice([1, 1, 1, 2])]
        beside = rng.choice(["", "", "(3)", "(weight, bias)"]) if shape == "box" else ""
        text = rng.choice(["*", "+", "sqr", "sigmoid"])
        boxes.append(Box(key, text, number, None, inputs, outputs, beside, shape))
    for number, source in enumerate(rng.sample(boxes, min(3, len(boxes)))):
        key = f"more {number}"
        edges.append(Edge(source.key, 0, key, 0, 0, 0, source.outputs[0]))
        boxes.append(Box(key, "+2 more", None, None, 1, (), "", "bare"))
    return Picture(tuple(boxes), tuple(edges))


def cells(start: Point, end: Point) -> list[Point]:
    assert start[0] == end[0] or start[1] == end[1], "wires run level or upright"
    columns = range(min(start[0], end[0]), max(start[0], end[0]) + 1)
    rows = range(min(start[1], end[1]), max(start[1], end[1]) + 1)
    return [(x, y) for x in columns for y in rows]


def check(whole: Picture, found: Layout) -> None:
    taken: dict[Point, str] = {}
    for placed in found.boxes:
        for x, y in itertools.product(
            range(placed.left, placed.right + 1),
            range(placed.top, placed.top + placed.height),
        ):
            assert (x, y) not in taken, "two boxes on one cell"
            assert 0 <= x < found.width
            assert 0 <= y < found.height
            taken[x, y] = placed.box.key
        if placed.beside is not None:
            for offset in range(len(placed.box.beside)):
                spot = placed.beside[0] + offset, placed.beside[1]
                assert spot not in taken
                taken[spot] = "constant"
    check_labels(found, taken)
    check_wires(whole, found, taken)


def check_labels(found: Layout, taken: dict[Point, str]) -> None:
    for placed in found.boxes:
        if placed.box.shape != "box":
            continue
        for port in range(len(placed.box.outputs)):
            x, y = placed.exit(port)
            for offset, row in itertools.product(range(1, LABEL + 1), (y - 1, y + 1)):
                assert (x + offset, row) not in taken, "a label on a label or a box"
                taken[x + offset, row] = "label"


def check_wires(whole: Picture, found: Layout, taken: dict[Point, str]) -> None:
    assert {id(wire.edge) for wire in found.wires} == set(map(id, whole.edges))
    assert len(found.wires) == len(whole.edges)
    places = {placed.box.key: placed for placed in found.boxes}
    ways: dict[Point, dict[tuple[str, int], set[str]]] = defaultdict(
        lambda: defaultdict(set)
    )
    for wire in found.wires:
        edge = wire.edge
        assert wire.points[0] == places[edge.source].exit(edge.port)
        target = places[edge.target]
        assert wire.points[-1][0] == target.left - 1
        border = target.box.shape == "box"
        low, high = target.top + border, target.top + target.height - border
        assert low <= wire.points[-1][1] < high
        for start, end in itertools.pairwise(wire.points):
            way = "level" if start[1] == end[1] else "upright"
            for cell in cells(start, end):
                assert cell not in taken, f"a wire through a {taken[cell]}"
                ways[cell][edge.source, edge.port].add(way)
    for cell, nets in ways.items():
        if len(nets) > 1:
            kinds = sorted(map(sorted, nets.values()))
            assert kinds == [["level"], ["upright"]], f"two values' wires at {cell}"


@pytest.mark.parametrize("block", range(10))
def test_random_pictures(block: int) -> None:
    for seed in range(block * 30, block * 30 + 30):
        whole = random_picture(seed)
        check(whole, layout(whole, label_room))


def label_room(box: Box) -> int:
    return LABEL if box.shape == "box" else 0


@pytest.mark.parametrize("block", range(10))
def test_random_pictures_of_compact_nodes(block: int) -> None:
    for seed in range(block * 20, block * 20 + 20):
        whole = random_picture(seed, "row")
        check(whole, layout(whole, label_room))


@pytest.mark.parametrize("shape", ["box", "row"])
@pytest.mark.parametrize("name", LARGE)
def test_every_window_of_a_large_trace(name: str, shape: Shape) -> None:
    walked = walk(stored(name))
    for scene in walked.scenes:
        units = Units(walked.trace, scene, readers(walked.trace))
        windows = Windows(units, 16, 2)
        for unit in range(len(units)):
            window = windows.at(unit)
            assert unit in window.inner
            assert len(window.units) <= 16
            whole = part(units, window.units, shape)
            check(whole, layout(whole, label_room))


@pytest.mark.parametrize("name", REQUESTS)
def test_stored_traces(name: str) -> None:
    walked = walk(stored(name))
    for scene in walked.scenes:
        whole = picture(walked.trace, scene)
        check(whole, layout(whole, lambda box: LABEL))


def test_the_seed_stands_as_on_the_slide() -> None:
    walked = walk(stored("seed"))
    whole = picture(walked.trace, walked.scenes[0])
    found = layout(whole, lambda box: 8)
    columns = defaultdict(list)
    for placed in sorted(found.boxes, key=lambda each: (each.left, each.top)):
        columns[placed.left].append(placed.box.text)
    assert list(columns.values()) == [["x", "y"], ["sqr"], ["*", "*"], ["+"]]
    assert [box.beside for box in whole.boxes] == ["", "", "(3)", "", "(2)", ""]
    assert found.width <= 72
    assert found.height <= 12


def test_an_empty_picture() -> None:
    found = layout(Picture((), ()), lambda box: LABEL)
    assert (found.boxes, found.wires) == ((), ())
