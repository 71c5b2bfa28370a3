"""Words of lessons find their steps: "q", "dq/dx", "df/dq", "x.grad", "arrive q"."""

import pytest

from tests.stored_traces import stored
from tutor.graph.refer import places, reveals
from tutor.graph.steps import Walk, walk


def seed(*, build: bool = False) -> Walk:
    return walk(stored("seed"), "slide", build=build)


def found(walked: Walk, word: str) -> list[tuple[int, str]]:
    return [(each.place, each.kind) for each in reveals(walked, word)]


@pytest.mark.parametrize(
    ("word", "kind", "said"),
    [
        ("q", "value", "forward"),
        ("f", "value", "forward"),
        ("dq/dx", "local", "local"),
        ("df/dq", "gradient", "contribute"),
        ("∂f/∂x", "gradient", "contribute"),
        ("df/df", "gradient", "arrive"),
        ("x.grad", "leaf", "contribute"),
    ],
)
def test_each_kind_of_word(word: str, kind: str, said: str) -> None:
    walked = seed()
    ((place, what),) = found(walked, word)
    step = walked.step(place)
    assert (what, step.kind if step else None) == (kind, said)


@pytest.mark.parametrize("word", ["", "w", "dw/dx", "w.grad", "d/d", "x", "dx/dq"])
def test_a_word_that_means_nothing(word: str) -> None:
    assert reveals(seed(), word) == ()


def test_a_leaf_in_every_pass() -> None:
    walked = walk(stored("twice"))
    first, second, third = found(walked, "x.grad")
    # Nothing was there before the first pass: what arrives is what `.grad` holds.
    kinds = [walked.steps[place - 1].kind for place, _ in (first, second, third)]
    assert kinds == ["accumulate", "leaf", "leaf"]


def test_all_is_in_the_order_of_the_walk_and_leaves_out_what_a_pass_starts_from() -> (
    None
):
    walked = seed()
    all_of_it = reveals(walked, "all")
    assert [each.place for each in all_of_it] == sorted(
        each.place for each in all_of_it
    )
    kinds = [each.kind for each in all_of_it]
    assert kinds.count("value") == 4
    assert kinds.count("local") == 5  # + has two
    assert kinds.count("gradient") == 5  # u z q x y, and not f
    assert kinds.count("leaf") == 0  # every .grad was None before


@pytest.mark.parametrize(
    "key",
    [
        "start", "end", "value q", "arrive u", "local q", "contribute x", "leaf y",
        "arrive +",
    ],
)  # fmt: skip
def test_captions_find_one_step(key: str) -> None:
    walked = seed()
    assert len(places(walked, key)) == 1
    assert all(0 <= place <= len(walked.steps) for place in places(walked, key))


def test_captions_of_a_graph_that_is_built_up() -> None:
    walked = seed(build=True)
    kinds = [walked.steps[places(walked, key)[0] - 1].kind for key in (
        "input x", "node q", "value q", "node f")]  # fmt: skip
    assert kinds == ["input", "node", "forward", "node"]


@pytest.mark.parametrize("key", ["value", "value w", "dance q", "", "node q"])
def test_captions_that_mean_no_step(key: str) -> None:
    assert places(seed(), key) == ()  # nothing is built up here, so no "node q"
