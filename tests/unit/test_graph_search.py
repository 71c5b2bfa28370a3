"""Finding places, and who made or reads a value."""

from tests.stored_traces import stored
from tutor.graph.search import consumers, producer, producers, search
from tutor.graph.steps import Walk, walk


def seed() -> Walk:
    return walk(stored("seed"))


def told(text: str) -> list[str]:
    return [found.text for found in search(seed(), text)]


def test_a_name_finds_where_it_was_made_first() -> None:
    assert told("q")[0] == "line 1  q = x ** 2"
    assert told("x")[0] == "leaf  x.grad"
    assert search(seed(), "u")[0].place == 2


def test_an_op_is_found_by_its_sign_and_by_torchs_name() -> None:
    assert told("*")[:2] == ["line 2  u = 3 * q", "line 3  z = 2 * y"]
    assert told("mul") == ["line 2  u = 3 * q", "line 3  z = 2 * y"]


def test_a_line_is_found_by_its_number() -> None:
    assert told("line 3") == told("3") == told("LINE 3") == ["line 3  z = 2 * y"]
    assert told("99") == []


def test_nothing_asked_is_nothing_found() -> None:
    assert told("  ") == told("no such thing") == []


def test_who_made_it_and_who_reads_it() -> None:
    walked = seed()
    assert [each.text for each in producers(walked, 4)] == [
        "line 2  u = 3 * q",
        "line 3  z = 2 * y",
    ]
    assert producer(walked, 1) is None
    first = producer(walked, 4)
    assert first is not None
    assert first.place == 2
    assert [each.place for each in consumers(walked, 2)] == [4]


def test_backward_the_jump_stays_in_the_pass() -> None:
    walked = seed()
    arrived = next(
        place
        for place, step in enumerate(walked.steps, 1)
        if step.kind == "arrive" and step.op == 1
    )
    (before,) = producers(walked, arrived)
    step = walked.step(before.place)
    assert step is not None
    assert (step.number, step.op, step.kind) == (1, 3, "contribute")  # + sent to u
    (after,) = consumers(walked, arrived)
    step = walked.step(after.place)
    assert step is not None
    assert (step.number, step.op, step.kind) == (1, 0, "arrive")  # u's * sends to q
