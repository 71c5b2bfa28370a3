"""Breakpoints: what may be typed, and where each is met."""

import re
from dataclasses import replace

import pytest

from tests.stored_traces import stored
from tutor.graph import breaks
from tutor.graph.breaks import Break, Hit, parse
from tutor.graph.steps import Walk, walk
from tutor.graph.trace import Summary, Trace

NAN = float("nan")


def walked(name: str = "seed") -> Walk:
    return walk(stored(name))


def hits(walk: Walk, *typed: str) -> list[Hit]:
    return list(breaks.all_hits(walk, tuple(parse(each) for each in typed)))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("nan", Break("nonfinite")),
        ("INF", Break("nonfinite")),
        ("< 1e-7", Break("vanishing", limit=1e-7)),
        ("<1e-7", Break("vanishing", limit=1e-7)),
        ("|g| > 1e3", Break("exploding", limit=1e3)),
        ("vanishing", Break("vanishing", limit=1e-7)),
        ("op relu", Break("op", "relu")),
        ("  line   4 ", Break("line", "4")),
        ("module net.0", Break("module", "net.0")),
        ("leaf net.0.weight", Break("leaf", "net.0.weight")),
        ("shape", Break("shape")),
    ],
)
def test_what_may_be_typed(typed: str, meant: Break) -> None:
    assert parse(typed) == meant
    assert parse(breaks.words(meant)) == meant


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("nann", "Did you mean nan?"),
        ("modul net", "Did you mean module"),
        ("lime 4", "Did you mean line 4?"),
        ("", "Write one of: nan, < 1e-7"),
        ("op", "Say which op, as in: op relu."),
        ("line four", "A line is a number, as in: line 4; not 'four'."),
        ("< much", "After < comes a number above 0"),
        ("> -1", "After > comes a number above 0"),
        ("> nan", "After > comes a number above 0"),
    ],
)
def test_what_cannot_be_meant(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse(typed)


def test_an_op_is_met_forward_and_backward() -> None:
    assert hits(walked(), "op mul") == [
        Hit(2, "mul at line 2: the op is mul"),
        Hit(3, "mul at line 3: the op is mul"),
        Hit(9, "mul at line 3: the op is mul"),
        Hit(13, "mul at line 2: the op is mul"),
    ]
    assert [hit.place for hit in hits(walked(), "op *")] == [2, 3, 9, 13]


def test_lines_leaves_and_sizes() -> None:
    assert [hit.place for hit in hits(walked(), "line 2")] == [2, 13]
    assert hits(walked(), "leaf y") == [Hit(12, "y: its .grad changes")]
    assert hits(walked(), "> 11")[0] == Hit(
        18, "pow at line 1: the largest |gradient| is 12, above 11"
    )
    assert [hit.place for hit in hits(walked(), "< 2")] == [5, 9, 13]
    assert hits(walked(), "shape") == []


def test_a_change_of_shape_is_met() -> None:
    shapes = hits(walked("outputs"), "shape")
    assert shapes[0] == Hit(1, "chunk at line 1: the shape (4,) becomes (2,)")


def test_several_are_met_in_order_and_each_place_once() -> None:
    both = hits(walked(), "line 2", "op mul", "leaf x")
    assert [hit.place for hit in both] == [2, 3, 9, 13, 19]


def test_the_next_one_either_way() -> None:
    wanted = (parse("op mul"),)
    seed = walked()
    places = [0, 1, 2, 3, 8, 12, 13, 19]
    found = [breaks.next_hit(seed, place, wanted) for place in places]
    assert [hit and hit.place for hit in found] == [2, 2, 3, 9, 9, 13, None, None]
    found = [breaks.next_hit(seed, place, wanted, forward=False) for place in places]
    assert [hit and hit.place for hit in found] == [None, None, None, 2, 3, 9, 9, 13]
    assert breaks.next_hit(seed, 0, ()) is None


def with_upstream(trace: Trace, index: int, gradient: Summary) -> Trace:
    nodes = list(trace.nodes)
    nodes[index] = replace(nodes[index], upstream=(gradient,))
    return replace(trace, nodes=tuple(nodes))


def test_what_is_not_finite_is_met_with_how_many() -> None:
    bad = Summary((3,), "float64", (NAN, 1.0, NAN))
    seed = walk(with_upstream(stored("seed"), 1, bad))
    assert hits(seed, "nan")[0] == Hit(9, "mul at line 3: 2 of 3 gradients are nan")


def test_a_large_tensor_is_judged_by_its_ends() -> None:
    small = Summary((100,), "float64", None, low=-1e-9, high=2e-9, nonfinite=0)
    seed = walk(with_upstream(stored("seed"), 1, small))
    assert hits(seed, "< 1e-8")[0].why.endswith("is 2e-09, below 1e-08")
    unknown = replace(small, low=None, high=None)
    assert hits(walk(with_upstream(stored("seed"), 1, unknown)), "< 1e-8") == []


def test_a_module_is_met_with_what_is_inside_of_it() -> None:
    trace = stored("seed")
    paths = ("net.1", "net.10", "net.1.fc", "")
    ops = tuple(
        replace(op, module=path) for op, path in zip(trace.ops, paths, strict=True)
    )
    inside = hits(walk(replace(trace, ops=ops)), "module net.1")
    assert [hit.place for hit in inside] == [1, 3, 9, 16]
