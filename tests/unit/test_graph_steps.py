"""The walk: which steps there are, in which order, and how places move."""

import pytest

from tests.stored_traces import REQUESTS, stored
from tutor.graph import names
from tutor.graph.steps import Order, Walk, walk
from tutor.graph.study import Study


def told(walked: Walk, place: int) -> str:
    step = walked.step(place)
    assert step is not None
    value = "" if step.value is None else names.name(walked.trace, step.value)
    return f"{step.kind} {value}"


def nodes(walked: Walk) -> list[str]:
    """The backward pass, a word a stop."""
    return [
        names.name(walked.trace, walked.steps[end - 1].value or 0)
        if walked.steps[end - 1].kind == "leaf"
        else walked.trace.ops[walked.steps[end - 1].op or 0].symbol
        for end in walked.stops
        if walked.steps[end - 1].number
    ]


def test_the_seed_in_engine_order() -> None:
    walked = walk(stored("seed"))
    assert [told(walked, place) for place in range(1, 20)] == [
        "forward q", "forward u", "forward z", "forward f",
        "arrive f", "local f", "contribute u", "contribute z",
        "arrive z", "local z", "contribute y", "leaf y",
        "arrive u", "local u", "contribute q",
        "arrive q", "local q", "contribute x", "leaf x",
    ]  # fmt: skip
    assert walked.stops == (1, 2, 3, 4, 8, 11, 12, 15, 18, 19)


def test_the_slides_finish_the_first_operand_before_the_second() -> None:
    assert nodes(walk(stored("seed"))) == ["+", "*", "y", "*", "sqr", "x"]
    slide = nodes(walk(stored("seed"), "slide"))
    assert slide == ["+", "*", "sqr", "x", "*", "y"]


@pytest.mark.parametrize("order", ["engine", "slide"])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_sum_waits_for_all_its_parts(name: str, order: Order) -> None:
    walked = walk(stored(name), order)
    for (number, op), merged in walked.passes.items():
        arrive = next(
            place
            for place, step in enumerate(walked.steps, 1)
            if step.kind == "arrive" and (step.number, step.op) == (number, op)
        )
        for (other_number, other), sender in walked.passes.items():
            for sent in sender.sent:
                if (other_number, sent.to) == (number, merged.of):
                    assert walked.edge_place[number, other, sent.position] < arrive
    both = [walk(stored(name), each) for each in ("engine", "slide")]
    assert sorted(nodes(both[0])) == sorted(nodes(both[1]))
    assert len(both[0].steps) == len(both[1].steps)


def test_a_value_used_twice_is_added_up() -> None:
    walked = walk(stored("fan-out"))
    kinds = [(step.kind, step.value) for step in walked.steps]
    x = next(value.id for value in walked.trace.values if value.name == "x")
    y = next(value.id for value in walked.trace.values if value.name == "y")
    assert kinds.count(("accumulate", x)) == 1
    assert kinds.count(("accumulate", y)) == 1
    assert kinds.count(("contribute", x)) == 4  # x * x twice, y + x, ... - x


def test_each_pass_has_its_own_scene() -> None:
    walked = walk(stored("twice"))
    assert [scene.number for scene in walked.scenes] == [1, 2, 3]
    assert [len(scene.ops) for scene in walked.scenes] == [4, 4, 4]
    forward = [(step.scene, step.number) for step in walked.steps]
    assert forward == sorted(forward)


def test_code_that_stopped_has_the_steps_until_there() -> None:
    walked = walk(stored("stopped"))
    assert [told(walked, place) for place in (1, 2)] == ["forward q", "forward u"]
    assert len(walked.steps) == 2
    assert walked.scenes[0].number == 0


def test_places() -> None:
    walked = walk(stored("seed"))
    assert walked.step(0) is None
    assert walked.step(20) is None
    assert walked.stop(0) == 0
    assert walked.stop(19) == 10
    places = [0]
    while places[-1] < 19:
        places.append(walked.next_stop(places[-1]))
    assert places == [0, *walked.stops]
    assert walked.next_stop(19) == 19
    back = [walked.previous_stop(place) for place in reversed(places)]
    assert back == [*reversed(places[:-1]), 0]
    assert walked.next_stop(9) == 11
    assert walked.previous_stop(9) == 8


# ------------------------------------------------------------------------- building up


def test_the_seed_is_built_up_in_ten_steps_and_a_whole() -> None:
    walked = walk(stored("seed"), build=True)
    built = [
        (step.kind, walked.trace.ops[step.op].symbol)
        if step.kind == "node" and step.op is not None
        else (step.kind, names.name(walked.trace, step.value or 0))
        for step in walked.steps
        if step.number == 0
    ]
    assert built == [
        ("input", "x"), ("node", "sqr"), ("forward", "q"), ("node", "*"),
        ("forward", "u"), ("input", "y"), ("node", "*"), ("forward", "z"),
        ("node", "+"), ("forward", "f"), ("whole", "f"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_building_up_changes_nothing_of_the_backward_walk(name: str) -> None:
    plain, built = walk(stored(name)), walk(stored(name), build=True)
    assert [
        (step.kind, step.number, step.op, step.value)
        for step in plain.steps
        if step.number
    ] == [
        (step.kind, step.number, step.op, step.value)
        for step in built.steps
        if step.number
    ]


# ------------------------------------------------- steps are made when they are asked for


@pytest.mark.parametrize("build", [False, True])
@pytest.mark.parametrize("order", ["engine", "slide"])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_step_is_the_same_whoever_asks(name: str, order: Order, build: bool) -> None:
    walked = walk(stored(name), order, build=build)
    steps = list(walked.steps)
    assert len(steps) == len(walked.steps) == (walked.stops[-1] if steps else 0)
    assert steps == [walked.steps[place] for place in range(len(steps))]
    assert tuple(steps[-3:]) == walked.steps[-3:]
    ends = [
        place
        for place, step in enumerate(steps, 1)
        if place == len(steps) or steps[place].stop != step.stop
    ]
    assert ends == list(walked.stops)
    with pytest.raises(IndexError):
        walked.steps[len(steps)]


@pytest.mark.parametrize("order", ["engine", "slide"])
@pytest.mark.parametrize("name", REQUESTS)
def test_the_tables_tell_the_places_of_the_steps(name: str, order: Order) -> None:
    walked = walk(stored(name), order)
    edges: dict[tuple[int, int, int], int] = {}
    sums: dict[tuple[int, int], int] = {}
    for place, step in enumerate(walked.steps, 1):
        if step.kind == "contribute" and step.op is not None:
            edges[step.number, step.op, step.position] = place
        elif step.kind in ("accumulate", "leaf", "arrive") and step.value is not None:
            sums.setdefault((step.number, step.value), place)
    assert dict(walked.edge_place) == edges
    for key, place in sums.items():
        several = len(walked.parts.get(key, ())) > 1
        assert walked.sum_place[key] == place if several else True
        assert walked.sum_place[key] <= place
    for key, parts in walked.parts.items():
        assert [part.place for part in parts] == sorted(part.place for part in parts)
        for part in parts:
            assert edges[key[0], part.op, part.position] == part.place


def test_a_walk_without_its_backward_pass_ends_with_the_whole_graph() -> None:
    study = Study(stored("seed"), build=True, backward=False)

    walked = study.walk("slide")

    assert [step.number for step in walked.steps] == [0] * 11
    assert walked.steps[-1].kind == "whole"
    assert walked.steps[-1].value == stored("seed").end.root
    full = Study(stored("seed"), build=True).walk("slide")
    assert list(full.steps[:11]) == [*walked.steps]
