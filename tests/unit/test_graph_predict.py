"""Numbers asked for before they are shown, and what is said of a wrong one."""

import pytest

from tests.stored_traces import stored
from tutor.graph.predict import Gate, gates, is_expression, judge
from tutor.graph.steps import Walk, walk


def seed() -> Walk:
    return walk(stored("seed"), "slide")


def gate(word: str, walked: Walk | None = None) -> Gate:
    (found, *_) = gates(walked or seed(), [word])
    return found


@pytest.mark.parametrize(
    ("word", "asks", "wanted"),
    [
        ("q", "q", 4.0),
        ("f", "f", 22.0),
        ("dq/dx", "∂q/∂x", 4.0),
        ("df/dq", "∂f/∂q", 3.0),
        ("df/dx", "∂f/∂x", 12.0),
        ("x.grad", "x.grad", 12.0),
        ("y.grad", "y.grad", 2.0),
    ],
)
def test_what_is_asked_for(word: str, asks: str, wanted: float) -> None:
    found = gate(word)
    assert (found.asks, found.wanted) == (asks, wanted)


def test_a_gate_stands_before_the_step_that_shows_its_number() -> None:
    walked = seed()
    for found in gates(walked, ["all"]):
        assert 0 < found.place <= len(walked.steps)
        assert walked.steps[found.place - 1].kind in (
            "forward", "local", "contribute", "accumulate", "leaf",
        )  # fmt: skip


def test_accumulated_over_calls() -> None:
    walked = walk(stored("twice"))
    wanted = [round(each.wanted, 4) for each in gates(walked, ["x.grad"])]
    assert wanted == [33.8, 67.6, 101.4]


def test_what_is_no_single_number_is_not_asked() -> None:
    assert gates(walk(stored("neuron")), ["w.grad"]) == ()


def test_a_number_asked_by_two_words_is_asked_once() -> None:
    assert len(gates(seed(), ["q", "all"])) == len(gates(seed(), ["all"]))


@pytest.mark.parametrize("typed", ["12", "12.0", "1.2e1", "12.03", "3*4", "24/2"])
def test_right_numbers(typed: str) -> None:
    assert judge(gate("x.grad"), typed, [seed()]).right


@pytest.mark.parametrize(
    ("word", "typed", "says"),
    [
        ("df/dx", "7", "is a sum; an edge multiplies"),
        ("df/dx", "4", "is the local derivative; multiply"),
        ("df/dx", "3", "is what arrives; multiply"),
        ("df/dx", "-12", "wrong sign"),
        ("dq/dx", "12", "has the upstream gradient in it"),
        ("q", "5", "Not 5."),
        ("q", "4.1", "Not 4.1."),
        ("q", "nan", "Not nan."),
    ],
)
def test_a_wrong_number_is_told_by_its_mistake(
    word: str, typed: str, says: str
) -> None:
    judged = judge(gate(word), typed, [seed()])
    assert not judged.right
    assert not judged.unread
    assert says in judged.sentence


def test_a_pass_of_several_tells_that_gradients_are_added() -> None:
    walked = walk(stored("twice"))
    second = gates(walked, ["x.grad"])[1]
    judged = judge(second, "33.8", [walked])
    assert not judged.right
    assert "it is added to .grad" in judged.sentence


def test_paths_that_meet_are_added() -> None:
    walked = walk(stored("fan-out"))
    (summed,) = [
        each
        for each in gates(walked, ["all"])
        if each.reveal.kind == "gradient"
        and len(walked.parts[each.reveal.number, each.reveal.value]) > 1
        and each.asks.endswith("∂y")
    ]
    part = walked.parts[summed.reveal.number, summed.reveal.value][0].gradient.scalar
    assert part is not None
    judged = judge(summed, str(part), [walked])
    assert "one path's share" in judged.sentence


@pytest.mark.parametrize("typed", ["2*x", "2x", "x**2", "x+2", "q"])
def test_expressions_are_tried_at_other_points(typed: str) -> None:
    """Here, at x = 2, all of them are 4; only 2x is at x = 3."""
    here = seed()
    local = gate("dq/dx", here)
    other = at_three(here)
    assert is_expression(here, typed)
    assert judge(local, typed, [here]).right
    judged = judge(local, typed, [here, other])
    assert judged.right == (typed in ("2*x", "2x"))
    if not judged.right:
        assert "not at x = 3" in judged.sentence


def at_three(walked: Walk) -> Walk:
    """The seed's walk with the numbers that torch gives at x = 3."""
    from dataclasses import replace

    from tutor.graph.trace import Summary, Trace

    def scalar(number: float) -> Summary:
        return Summary((), "float64", (number,))

    trace: Trace = walked.trace
    numbers = {"x": 3.0, "q": 9.0, "u": 27.0, "f": 37.0}
    values = tuple(
        replace(each, summary=scalar(numbers[each.name]))
        if each.name in numbers
        else each
        for each in trace.values
    )
    rules = tuple(
        replace(rule, local=scalar(6.0)) if rule.text == "2x" else rule
        for rule in trace.rules
    )
    return walk(replace(trace, values=values, rules=rules), "slide")


@pytest.mark.parametrize("typed", ["", "(", "12 12", "x @ y", "__import__('os')"])
def test_what_cannot_be_read_is_no_answer(typed: str) -> None:
    judged = judge(gate("df/dx"), typed, [seed()])
    assert judged.unread
    assert judged.sentence


def test_a_name_that_is_no_number_here() -> None:
    judged = judge(gate("dq/dx"), "2*w", [seed()])
    assert judged.unread
    assert "'w' is no number here" in judged.sentence
    judged = judge(gate("q"), "f - 18", [seed()])  # f is not known yet
    assert judged.unread
