"""The drawing, the card and the numbered lines at places of stored walks."""

from dataclasses import replace

import pytest

from tests.stored_traces import REQUESTS, stored
from tutor.graph import explain, text
from tutor.graph.alphabet import plain
from tutor.graph.draw import Detail, Sketch
from tutor.graph.steps import walk
from tutor.graph.trace import Fault
from tutor.graph.views import Level, View, Views

FORWARD = """\
                                  (3)
                                   ▼
╭───╮           ╭─────╮ q        ╔═══╗ u
│ x │──────────▶│ sqr │─────────▶║ * ║─────────╮  ╭┄┄┄╮
╰───╯ 2         ╰─────╯ 4        ╚═══╝ 12      ╰─▶┊   ┊ f
                                                  ┊ + ┊───────▶
╭───╮                            ╭┄┄┄╮ z       ╭─▶┊   ┊ ?
│ y │───────────────────────────▶┊ * ┊─────────╯  ╰┄┄┄╯
╰───╯ 5                          ╰┄┄┄╯ ?
                                   ▲
                                  (2)"""

BACKWARD = """\
                                  (3)
                                   v
+---+ x=2       #=====# q=4      +---+ u=12
| x |<==========H sqr H<---------| * |<--------+  +---+
+---+ df/dx=12  #=====# df/dq=3  +---+ df/du=1 +--|   | f=22
                                                  | + |<-------
+---+ y=5                        +---+ z=10    +--|   | df/df=1
| y |<---------------------------| * |<--------+  +---+
+---+ df/dy=2                    +---+ df/dz=1
                                   ^
                                  (2)"""


def seed() -> Sketch:
    walked = walk(stored("seed"))
    return Sketch(walked, walked.scenes[0])


def test_the_seed_forward() -> None:
    assert seed().draw(2).text() == FORWARD


def test_the_seed_backward_in_ascii() -> None:
    drawn = seed().draw(18, ascii=True).text()
    assert drawn == BACKWARD


@pytest.mark.parametrize("name", REQUESTS)
def test_ascii_is_ascii_and_of_the_same_size(name: str) -> None:
    walked = walk(stored(name))
    for scene in walked.scenes:
        details: tuple[Detail, ...] = ("full", "short")
        for detail in details:
            sketch = Sketch(walked, scene, detail)
            for place in range(len(walked.steps) + 1):
                fancy, simple = sketch.draw(place), sketch.draw(place, ascii=True)
                assert simple.text().isascii()
                widths = {sum(len(run.text) for run in line) for line in simple.lines}
                assert widths == {sketch.width}
                assert len(fancy.lines) == len(simple.lines) == sketch.height


def test_what_is_unknown_has_a_question_mark() -> None:
    sketch = seed()
    assert sketch.draw(0).text().count("?") == 4
    assert sketch.draw(4).text().count("?") == 0


def test_an_arrow_turns_round_when_its_edge_has_sent() -> None:
    sketch = seed()
    heads = [sketch.draw(place).text().count("◀") for place in range(20)]
    # f's own, u, z; y; q; x.
    assert heads == [0, 0, 0, 0, 0, 1, 1, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 6, 6]


def test_a_partial_sum_shows_that_more_comes() -> None:
    walked = walk(stored("fan-out"))
    x = next(value.id for value in walked.trace.values if value.name == "x")
    first = next(
        place
        for place, step in enumerate(walked.steps, 1)
        if step.kind == "contribute" and step.value == x
    )
    sketch = Sketch(walked, walked.scenes[0])
    assert "∂f/∂x=-1+…" in sketch.draw(first).text()
    assert "∂f/∂x=17.66" in sketch.draw(len(walked.steps)).text()


def test_what_comes_alone_promises_no_more() -> None:
    sketch = seed()
    for place in range(20):
        assert "+…" not in sketch.draw(place).text()


def test_the_last_contribution_before_the_sum_promises_no_more() -> None:
    walked = walk(stored("fan-out"))
    sketch = Sketch(walked, walked.scenes[0])
    labels = [
        line.partition("∂f/∂x=")[2].split(" ")[0]
        for place in range(len(walked.steps) + 1)
        for line in sketch.draw(place).text().splitlines()
        if "∂f/∂x=" in line
    ]
    assert list(dict.fromkeys(labels)) == [
        "-1+…",
        "-1+1.697+…",
        "…+8.484+…",
        "…+8.484",
        "17.66",
    ]


@pytest.mark.parametrize("name", REQUESTS)
def test_no_label_covers_a_wire_or_is_cut(name: str) -> None:
    walked = walk(stored(name))
    for scene in walked.scenes:
        sketch = Sketch(walked, scene)
        finished = corners(sketch.draw(len(walked.steps), mark=False).text())
        for place in range(len(walked.steps)):
            assert corners(sketch.draw(place, mark=False).text()) == finished


def corners(text: str) -> list[tuple[int, int]]:
    """Where the wires turn and the boxes have corners."""
    return [
        (row, column)
        for row, line in enumerate(text.splitlines())
        for column, letter in enumerate(line)
        if letter in "╭╮╰╯├┤┬┴┼"
    ]


def test_the_picture_does_not_move_from_step_to_step() -> None:
    sketch = seed()
    for place in range(20):
        drawing = sketch.draw(place)
        lines = drawing.text().splitlines()
        assert "x" in lines[3]
        assert lines[3].index("sqr") == 18
        left, top, right, bottom = drawing.focus
        assert right < drawing.width
        assert bottom < len(drawing.lines)
        assert (left, top) <= (right, bottom)


# ------------------------------------------------------------------------ card and text


def rows(name: str, place: int) -> list[tuple[str, str, bool]]:
    card = explain.card(walk(stored(name)), place)
    return [(row.label, row.text, row.is_new) for row in card.rows]


def test_the_card_grows_within_a_stop() -> None:
    assert rows("seed", 16) == [("upstream", "∂f/∂q = 3", True)]
    assert rows("seed", 18) == [
        ("upstream", "∂f/∂q = 3", False),
        ("local", "∂q/∂x = 2x = 4", False),
        ("contribution", "3 × 4 = 12 → x", True),
    ]
    card = explain.card(walk(stored("seed")), 18)
    assert (card.title, card.statement, card.line) == ("sqr", "q = x ** 2", 1)


def test_the_card_before_anything() -> None:
    assert rows("seed", 0) == [("leaf", "x = 2", False), ("leaf", "y = 5", False)]


def test_what_an_earlier_backward_left_is_pointed_out() -> None:
    walked = walk(stored("twice"))
    said = explain.card(walked, len(walked.steps)).rows
    assert said[0].text == "67.6 + 33.8 → 101.4"
    assert said[1].kind == "warning"


def test_a_card_says_the_first_sentence_of_what_was_raised() -> None:
    trace = stored("seed")
    fault = Fault("RuntimeError: A second time (or so). Specify more.", 3, "run")
    stopped = replace(trace, end=replace(trace.end, fault=fault))
    walked = walk(stopped)
    said = explain.card(walked, len(walked.steps)).rows[-1]
    assert said.text == "RuntimeError: A second time (or so) (line 3)"
    assert explain.ending(stopped)[0].text.endswith("Specify more. (line 3)")


def test_a_sum_is_told_with_its_parts() -> None:
    walked = walk(stored("fan-out"))
    sums = [
        explain.rows_of(walked, step)[0].text
        for step in walked.steps
        if step.kind == "accumulate"
    ]
    assert sums[0].startswith("∂f/∂y = ")
    assert sums[0].count("+") == 1
    assert sums[1].count("+") == 3


def test_the_lines_say_what_the_cards_say() -> None:
    for name in REQUESTS:
        walked = walk(stored(name))
        lines = tuple(text.Lines(walked).all())
        for place, step in enumerate(walked.steps, 1):
            said = " ".join(line.text for line in lines if line.place == place)
            for row in explain.rows_of(walked, step):
                assert row.text in said or step.kind == "arrive"


def test_the_report_of_the_seed() -> None:
    report = list(text.report(walk(stored("seed")), 80))
    assert "   F1  q = x ** 2   2² = 4" in report
    assert "         contribution 3 × 4 = 12 → x" in report
    assert "   B7  y.grad   None + 2 → 2" in report
    assert report[-2:] == ["   x.grad = 12", "   y.grad = 2"]
    assert max(map(len, report)) <= 80
    assert all(plain(line).isascii() for line in report)


def test_a_picture_too_wide_says_how_wide() -> None:
    report = "\n".join(text.report(walk(stored("neuron")), 40))
    assert "(the picture is " in report
    width = int(report.partition("--width ")[2].split()[0])
    again = "\n".join(text.report(walk(stored("neuron")), width))
    assert "(the picture is " not in again
    assert "sigmoid │" in again


def test_the_arrow_to_a_parameter_turns_round_when_it_was_sent_to() -> None:
    walked = walk(stored("blocks"))
    sketch = Sketch(walked, walked.scenes[0])
    start, end = sketch.draw(0).text(), sketch.draw(len(walked.steps)).text()
    # Parameters stand beside five linear layers and three norms; constants do not turn.
    assert start.count("▼") + start.count("▲") == end.count("▼") + end.count("▲") == 8
    assert (start.count("▼"), start.count("▲")) == (end.count("▲"), end.count("▼"))
    seed_end = seed().draw(19).text()
    assert (seed_end.count("▼"), seed_end.count("▲")) == (1, 1)


def test_a_large_report_draws_its_modules_where_it_has_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = "\n".join(text.report(walk(stored("long")), 200))
    assert "(no picture: 45 ops; the stepper shows 32 at a time)" in long
    monkeypatch.setattr(text, "WINDOW", 5)
    blocks = "\n".join(text.report(walk(stored("blocks")), 120))
    assert "│ h.0 ×3 │" in blocks
    plain_ones = "\n".join(text.report(walk(stored("blocks")), 120, ascii=True))
    assert "| h.0 x3 |" in plain_ones


BUILT = """\
                                  (3)
                                   ▼
╭───╮           ╭─────╮ q        ╔═══╗ u
│ x │──────────▶│ sqr │─────────▶║ * ║───────▶
╰───╯ 2         ╰─────╯ 4        ╚═══╝ 12





"""


def test_the_seed_is_built_up_where_it_will_stand() -> None:
    walked = walk(stored("seed"), build=True)
    sketch = Sketch(walked, walked.scenes[0])
    assert sketch.draw(0).text().strip() == ""
    assert sketch.draw(5).text() == BUILT
    assert "4" not in sketch.draw(2).text()
    whole = sketch.draw(11).text()
    assert whole == seed().draw(4, mark=False).text()
    signs = [len(sketch.draw(place, mark=False).text().split()) for place in range(12)]
    assert signs == sorted(signs)


@pytest.mark.parametrize("level", ["overview", "boxes", "compact"])
def test_nothing_is_drawn_before_its_step_at_any_level(level: Level) -> None:
    walked = walk(stored("blocks"), build=True)
    views = Views(walked)
    assert views.drawing(0, View(level), (80, 14)).text().strip() == ""
    assert views.drawing(1, View(level), (80, 14)).text().split()
