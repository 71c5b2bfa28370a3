"""What a value is at a place: leaf, requires grad, saved, freed, accumulates, detached."""

from dataclasses import replace

from tests.stored_traces import stored
from tutor.graph.badges import Badges
from tutor.graph.refer import places
from tutor.graph.steps import Walk, walk
from tutor.graph.trace import Ref, Trace


def at(walked: Walk, key: str) -> tuple[str, ...]:
    return Badges(walked).of(places(walked, key)[0])


def saving(trace: Trace, *, retains: bool) -> Trace:
    """The seed, its `x ** 2` keeping x for the backward pass."""
    graph = tuple(
        replace(node, saved={"self": Ref(0)}) if node.name == "PowBackward0" else node
        for node in trace.graph
    )
    passes = tuple(replace(each, retains=retains) for each in trace.passes)
    return replace(trace, graph=graph, passes=passes)


def test_nothing_is_in_front_at_the_start() -> None:
    assert Badges(walk(stored("seed"))).of(0) == ()


def test_a_leaf_and_a_computed_value() -> None:
    walked = walk(stored("seed"))
    assert at(walked, "leaf x")[0] == "leaf"
    assert at(walked, "value q") == ("requires grad",)


def test_what_is_saved_is_freed_by_the_pass_that_uses_it() -> None:
    walked = walk(saving(stored("seed"), retains=False))
    assert walked.trace.values[0].name == "x"
    assert at(walked, "leaf x") == ("leaf", "freed")
    # While the pass is at the node, the value is still there.
    assert at(walked, "contribute x")[1:] == ("freed",)


def test_a_pass_that_retains_frees_nothing() -> None:
    walked = walk(saving(stored("seed"), retains=True))
    assert at(walked, "leaf x") == ("leaf", "saved")


def test_a_leaf_that_held_a_gradient_accumulates() -> None:
    walked = walk(stored("twice"))
    badges = Badges(walked)
    first, second, *_ = places(walked, "leaf x")
    assert "accumulates" not in badges.of(first)
    assert "accumulates" in badges.of(second)


def test_a_value_used_twice_accumulates() -> None:
    walked = walk(stored("fan-out"))
    assert "accumulates" in at(walked, "value y")


def test_a_value_without_the_graph_of_its_input_is_detached() -> None:
    trace = stored("seed")
    values = tuple(
        replace(each, requires_grad=False) if each.name == "z" else each
        for each in trace.values
    )
    assert at(walk(replace(trace, values=values)), "value z") == ("detached",)
