"""A trace over the wire, numbers for people and for JSON, and the documents."""

import json
import math
import xml.etree.ElementTree as ElementTree

import pytest

from tests.stored_traces import REQUESTS, stored
from tutor import wire
from tutor.errors import WireError
from tutor.graph import export, numbers
from tutor.graph.requests import TraceRequest
from tutor.graph.steps import walk
from tutor.graph.trace import Summary, TracePart, assemble, parts


@pytest.mark.parametrize("name", REQUESTS)
def test_a_trace_travels_whole(name: str) -> None:
    trace = stored(name)
    sent = [wire.dumps(wire.Message("1", 0, part)) for part in parts(trace)]
    assert assemble(wire.loads(text).body for text in sent) == trace


def test_a_request_travels_whole() -> None:
    request = TraceRequest("f = x", {"x": [[1.0, 2.0]], "y": 3.0}, grad="ones")
    text = wire.dumps(wire.Message("1", 0, request))
    assert wire.loads(text).body == request


def test_a_trace_without_its_end_is_refused() -> None:
    *begin, _ = parts(stored("seed"))
    with pytest.raises(WireError, match="breaks off"):
        assemble(begin)


def test_a_trace_with_a_hole_is_refused() -> None:
    first, last = parts(stored("seed"))
    holed = TracePart(first.version, first.events[1:])
    with pytest.raises(WireError, match="lacks some"):
        assemble([holed, last])


def test_another_version_is_refused() -> None:
    first, last = parts(stored("seed"))
    with pytest.raises(WireError, match="version 99"):
        assemble([TracePart(99, first.events), last])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.0, "12"), (33.800000000000004, "33.8"), (1.5e-7, "1.5e-07"), (-0.0, "0"),
        (math.nan, "nan"), (-math.inf, "-inf"), (1e12, "1e+12"), (2 / 3, "0.666667"),
    ],
)  # fmt: skip
def test_numbers(value: float, text: str) -> None:
    assert numbers.number(value) == text


def summary(shape: tuple[int, ...], *values: float, dtype: str = "float64") -> Summary:
    return Summary(shape, dtype, values)


def test_tensors() -> None:
    assert numbers.tensor(summary((), 4.0)) == "4"
    assert numbers.tensor(summary((2, 2), 1, 2, 3, 4)) == "[[1, 2], [3, 4]]"
    assert numbers.tensor(summary((2,), 1 / 3, 2 / 3), 14) == "[0.333, 0.667]"
    assert numbers.tensor(summary((2, 2), 1, 2, 3, 4), 11) == "(2, 2)"
    assert numbers.tensor(summary((0,))) == "[]"
    assert numbers.tensor(summary((), 1, dtype="bool")) == "True"
    large = Summary((64, 5), "float32", None, -1.25, 3.5, 0.1, 0, (1.0,))
    assert numbers.tensor(large) == "(64, 5) -1.25 … 3.5"
    assert numbers.tensor(large, 8) == "(64, 5)"


def test_nested_lists_for_json() -> None:
    assert numbers.nested(summary((), 4.0)) == 4.0
    assert numbers.nested(summary((2, 3), 1, 2, 3, 4, 5, 6)) == [[1, 2, 3], [4, 5, 6]]
    assert numbers.nested(summary((2, 0))) == [[], []]
    assert numbers.nested(summary((2,), 1, 0, dtype="bool")) == [True, False]
    whole = numbers.nested(summary((1,), 3, dtype="int64"))
    assert json.dumps(whole) == "[3]"
    large = Summary((64, 5), "float32", None, -1.25, 3.5, 0.1, 2, (1.0,))
    assert numbers.nested(large) == {
        "shape": [64, 5], "dtype": "float32", "min": -1.25, "max": 3.5, "mean": 0.1,
        "nonfinite": 2, "head": [1.0],
    }  # fmt: skip


def test_the_document_of_the_seed() -> None:
    document = export.document(walk(stored("seed")))
    assert (document["version"], document["ok"], document["error"]) == (1, True, None)
    forward = document["forward"]
    assert [(each["name"], each["op"], each["value"]) for each in forward] == [
        ("q", "pow", 4.0), ("u", "mul", 12.0), ("z", "mul", 10.0), ("f", "add", 22.0),
    ]  # fmt: skip
    ids = {each["name"]: each["id"] for each in forward}
    x, y = document["leaves"]["x"], document["leaves"]["y"]
    assert [each["inputs"] for each in forward] == [
        [x["id"], 2], [3, ids["q"]], [2, y["id"]], [ids["u"], ids["z"]],
    ]  # fmt: skip
    assert (forward[1]["label"], forward[1]["source"], forward[1]["line"]) == (
        "3 * q", "u = 3 * q", 2,
    )  # fmt: skip
    backward = [
        (each["pass"], each["name"], each["op"], each["upstream"])
        for each in document["backward"]
    ]
    assert backward == [
        (1, "f", "add", 1), (1, "z", "mul", 1), (1, "u", "mul", 1), (1, "q", "pow", 3),
    ]  # fmt: skip
    assert document["backward"][-1]["contributions"] == [
        {"to": x["id"], "name": "x", "local": 4.0, "rule": "2x", "value": 12.0}
    ]
    assert (x["value"], x["grad"], y["grad"]) == (2.0, 12.0, 2.0)
    assert x["passes"] == [{"before": None, "add": 12.0, "after": 12.0}]


def test_documents_follow_the_order() -> None:
    document = export.document(walk(stored("seed"), "slide"))
    assert [each["name"] for each in document["backward"]] == ["f", "u", "q", "z"]


def test_the_document_of_three_passes() -> None:
    document = export.document(walk(stored("twice")))
    x = document["leaves"]["x"]
    assert x["grad"] == pytest.approx(101.4)
    assert [each["before"] for each in x["passes"]] == [
        None, pytest.approx(33.8), pytest.approx(67.6),
    ]  # fmt: skip
    assert {each["pass"] for each in document["backward"]} == {1, 2, 3}


def test_the_document_of_code_that_stopped() -> None:
    document = export.document(walk(stored("stopped")))
    assert not document["ok"]
    assert document["error"] == "NameError: name 'missing' is not defined"
    assert document["line"] == 3
    assert [each["name"] for each in document["forward"]] == ["q", "u"]
    assert document["leaves"]["x"]["grad"] is None


@pytest.mark.parametrize("name", REQUESTS)
def test_every_input_of_a_document_is_known(name: str) -> None:
    walked = walk(stored(name))
    document = export.document(walked)
    known = {each["id"] for each in document["forward"]}
    known |= {each["id"] for each in document["leaves"].values()}
    for each in document["backward"]:
        assert each["id"] in known
        assert {sent["to"] for sent in each["contributions"]} <= known
    json.dumps(document, allow_nan=False)


@pytest.mark.parametrize("name", REQUESTS)
def test_dot_mermaid_and_svg(name: str) -> None:
    walked = walk(stored(name))
    dot = export.dot(walked)
    assert dot.startswith("digraph")
    assert dot.count("{") == dot.count("}")
    assert export.mermaid(walked).startswith("flowchart LR")
    ElementTree.fromstring(export.svg(walked))


def test_dot_of_the_seed() -> None:
    dot = export.dot(walk(stored("seed")))
    assert 'op_0 -> op_1 [label="q=4\\n∂f/∂q=3"];' in dot
    assert 'value_0 [label="x", shape=ellipse];' in dot
