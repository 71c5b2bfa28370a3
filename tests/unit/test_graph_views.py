"""Views: what is drawn at each level, and that it depends on the place alone."""

import random

import pytest

from tests.stored_traces import LARGE, REQUESTS, stored
from tutor.graph.draw import Drawing
from tutor.graph.steps import Walk, walk
from tutor.graph.views import View, Views
from tutor.ui.widgets.graph_view import part_start

ROOM = (80, 14)
OPEN = frozenset(["net.h.0 ×3", "net.h.1"])
LOOKS = [
    View(),
    View("compact"),
    View("overview"),
    View("overview", OPEN),
    View("autograd"),
    View(inside=2),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "moves"), [("blocks", 1000), ("twice", 200), ("long", 200)]
)
def test_random_moves_show_what_a_straight_walk_shows(name: str, moves: int) -> None:
    walked = walk(stored(name))
    last = len(walked.steps)
    straight: dict[tuple[int, View], Drawing] = {}
    for view in LOOKS:
        views = Views(walked)
        for place in range(last + 1):
            straight[place, view] = views.drawing(place, view, ROOM)
    rng = random.Random(4)
    place, view, views = 0, View(), Views(walked)
    for _ in range(moves):
        match rng.randrange(6):
            case 0 | 1:
                place = min(place + 1, last)
            case 2:
                place = max(place - 1, 0)
            case 3:
                place = rng.randint(0, last)
            case 4:
                place = rng.choice(
                    [walked.next_stop(place), walked.previous_stop(place)]
                )
            case 5:
                view = rng.choice(LOOKS)
        assert views.drawing(place, view, ROOM) == straight[place, view]


@pytest.mark.parametrize("name", [*REQUESTS, *LARGE])
def test_every_level_is_ascii_where_asked_and_its_focus_lies_inside(name: str) -> None:
    walked = walk(stored(name))
    views = Views(walked)
    for place in range(0, len(walked.steps) + 1, 7):
        for level in views.levels(place):
            fancy = views.drawing(place, View(level), ROOM)
            plain = views.drawing(place, View(level), ROOM, ascii=True)
            assert plain.text().isascii()
            assert len(fancy.lines) == len(plain.lines)
            widths = {sum(len(run.text) for run in line) for line in plain.lines}
            assert widths <= {plain.width}
            left, top, right, bottom = fancy.focus
            assert 0 <= left <= right
            assert 0 <= top <= bottom < max(1, len(fancy.lines))


def test_a_long_walk_is_shown_in_windows_that_stay() -> None:
    walked = walk(stored("long"))
    views = Views(walked)
    shown = [
        views.drawing(place, View(), ROOM).text().count("│ * │")
        + views.drawing(place, View(), ROOM).text().count("║ * ║")
        for place in range(len(walked.steps) + 1)
    ]
    assert max(shown) < 20
    moves = 0
    before = None
    for place in range(1, 46):
        corner = views.drawing(place, View("compact"), ROOM)
        frame = corner.text().translate(str.maketrans("[]┊()", "     "))
        moves += frame != before
        before = frame
    assert moves < 45 / 2
    assert " more" in views.drawing(20, View(), ROOM).text()


@pytest.mark.slow
def test_what_is_under_way_is_always_in_the_picture() -> None:
    for name in LARGE:
        walked = walk(stored(name))
        views = Views(walked)
        for place in range(1, len(walked.steps) + 1, 2):
            for level in views.levels(place):
                left, _, right, _ = views.drawing(place, View(level), ROOM).focus
                assert right > left, (name, level, walked.step(place))


def modules() -> tuple[Walk, Views]:
    walked = walk(stored("blocks"))
    return walked, Views(walked)


def place_in(walked: Walk, module: str) -> int:
    return next(
        place
        for place, step in enumerate(walked.steps, 1)
        if step.op is not None and walked.trace.ops[step.op].module.startswith(module)
    )


def test_siblings_that_are_alike_are_one_box_until_it_is_opened() -> None:
    walked, views = modules()
    place = place_in(walked, "net.h.1")
    view = View("overview")
    closed = views.drawing(place, view, ROOM).text()
    assert "║ h.0 ×3 ║" in closed
    assert "│ into │" in closed
    opened: list[str] = []
    while (key := views.group_at(place, view)) not in (None, *opened):
        assert key is not None
        opened.append(key)
        view = View("overview", frozenset(opened))
    assert opened == ["net.h.0 ×3", "net.h.1", "net.h.1.norm"]
    text = views.drawing(place, view, ROOM).text()
    assert "layer_norm" in text
    assert "h.2" in text
    assert "h.0 ×3" not in text
    assert views.group_at(place, view) == "net.h.1.norm"


def test_without_modules_there_is_no_overview() -> None:
    assert Views(walk(stored("long"))).levels(5) == ("boxes", "compact", "autograd")
    assert modules()[1].levels(5)[0] == "overview"


def test_torchs_own_graph_is_drawn_from_the_output_to_the_leaves() -> None:
    text = Views(walk(stored("seed"))).drawing(5, View("autograd"), (200, 30)).text()
    assert text.count("AccumulateGrad") == 2
    assert text.count("MulBackward0") == 2
    assert text.count("no node") == 2
    line = next(line for line in text.splitlines() if "PowBackward0" in line)
    assert line.index("PowBackward0") < line.index("AccumulateGrad")


def test_an_op_from_within_is_its_nodes() -> None:
    walked, views = modules()
    linear = next(op for op in walked.trace.ops if op.function == "linear")
    text = views.drawing(3, View(inside=linear.id), (200, 30)).text()
    for node in walked.trace.graph:
        if node.op == linear.id:
            assert node.name in text
    assert "TanhBackward0" in text


def test_changed_values_have_a_sign_of_their_own() -> None:
    walked = walk(stored("seed"))
    q = next(value.id for value in walked.trace.values if value.name == "q")
    views = Views(walked)
    assert "Δ4" in views.drawing(4, View(), ROOM, changed=frozenset([q])).text()
    assert "Δ" not in views.drawing(4, View(), ROOM).text()


def test_what_is_in_sight_begins_at_a_box() -> None:
    views = Views(walk(stored("long")))
    for place in range(0, 200, 5):
        drawing = views.drawing(place, View(), ROOM)
        left, _, right, _ = drawing.focus
        start = part_start(left, right, drawing.width, ROOM[0], edges=drawing.columns)
        assert start in (*drawing.columns, 0) or drawing.width <= ROOM[0]
        assert start <= left <= right < start + ROOM[0]


def test_a_part_is_moved_and_never_beyond_the_picture() -> None:
    assert part_start(10, 20, 60, 80) == 0
    assert part_start(10, 20, 200, 80) == 0
    assert part_start(100, 110, 200, 80) == 80
    assert part_start(100, 110, 200, 80, moved=-30) == 50
    assert part_start(100, 110, 200, 80, moved=-500) == 0
    assert part_start(190, 199, 200, 80, moved=500) == 120
    assert part_start(100, 110, 200, 80, edges=(0, 70, 90)) == 70
    assert part_start(140, 159, 200, 80, edges=(0, 30, 130)) == 130
