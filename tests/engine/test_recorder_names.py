"""What values are called when tensors change in place, or have no name of their own."""

import pytest

from tutor.engine.trace import record
from tutor.graph import names, text
from tutor.graph.requests import TraceRequest
from tutor.graph.steps import walk
from tutor.graph.trace import Trace

_TRAINED = """
w = torch.tensor(1.0, requires_grad=True)
opt = torch.optim.{optimizer}([w], lr=0.1)
for i in range(2):
    opt.zero_grad(set_to_none={to_none})
    loss = (w*2-3)**2
    loss.backward()
    opt.step()
"""
_NET = """
net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
x = torch.ones(4, 2)
"""


def traced(code: str) -> Trace:
    trace = record(TraceRequest(code))
    assert trace.fault is None
    assert trace.end.truncated is None
    return trace


def called(trace: Trace, function: str) -> list[str]:
    return [
        names.name(trace, output)
        for op in trace.ops
        if op.function == function
        for output in op.outputs
    ]


@pytest.mark.parametrize("to_none", [True, False])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_an_optimisers_step_leaves_a_leaf_its_name(
    optimizer: str, *, to_none: bool
) -> None:
    trace = traced(_TRAINED.format(optimizer=optimizer, to_none=to_none))
    w = trace.values[trace.end.names["w"]]
    versions = [each for each in trace.values if each.tensor == w.tensor]
    assert len(versions) >= 3
    assert {each.name for each in versions} == {"w"}
    assert {names.name(trace, leaf.value) for leaf in trace.leaves} == {"w"}
    said = "\n".join(text.report(walk(trace), 80))
    assert "w.grad.grad" not in said
    assert "opt.step().grad" not in said
    assert said.count("∂(w*2)/∂w = 2") == 2


@pytest.mark.parametrize("change", ["w -= 0.1 * w.grad", "w.mul_(2)", "w.data = w + 1"])
def test_a_change_in_place_leaves_a_leaf_its_name(change: str) -> None:
    trace = traced(
        "w = torch.ones(2, requires_grad=True)\n"
        "for i in range(2):\n    (w * w).sum().backward()\n"
        f"    with torch.no_grad():\n        {change}\n"
    )
    assert {trace.values[leaf.value].name for leaf in trace.leaves} == {"w"}
    assert len({leaf.value for leaf in trace.leaves}) == 2


def test_a_parameter_keeps_its_path_after_a_step() -> None:
    trace = traced(
        _NET + "opt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "for i in range(2):\n    net(x).sum().backward()\n    opt.step()\n"
    )
    (first,) = {each.tensor for each in trace.values if each.name == "net.0.weight"}
    versions = [each.name for each in trace.values if each.tensor == first]
    assert versions == ["net.0.weight"] * 3


def test_what_is_frozen_later_was_a_leaf_before() -> None:
    trace = traced(
        _NET + "net(x).sum().backward()\nnet[0].weight.requires_grad_(False)\n"
        "net(x).sum().backward()\n"
    )
    weights = [each for each in trace.values if each.name == "net.0.weight"]
    assert [each.requires_grad for each in weights] == [True, False]
    assert len({each.tensor for each in weights}) == 1
    said = "\n".join(text.report(walk(trace), 80))
    assert "not in the book" not in said
    assert "net.0.weight.grad = " in said.partition("gradients ─")[2]


def test_what_nothing_used_yet_is_the_same_value_when_it_becomes_a_leaf() -> None:
    trace = traced("x = torch.ones(2)\nx.requires_grad_()\ny = (x * 2).sum()")
    assert [each.requires_grad for each in trace.values if each.name == "x"] == [True]


def test_a_modules_output_is_called_by_its_path() -> None:
    trace = traced(_NET + "loss = net(x).sum()\nloss.backward()\n")
    assert called(trace, "linear") == ["net.0(…)", "net(…)"]
    assert called(trace, "relu") == ["net.1(…)"]
    assert "relu(net.0(…))" in "\n".join(text.report(walk(trace), 80))


def test_a_long_source_text_is_cut_where_a_word_ends() -> None:
    trace = traced(
        "a = torch.ones(2, requires_grad=True)\n"
        "y = torch.relu(a + 3 * a.square() - 12).sum()\n"
    )
    assert called(trace, "relu") == ["torch.relu(a + 3 * …)"]


def test_a_root_without_a_name_is_called_by_its_short_text() -> None:
    trace = traced("y = torch.ones(2, requires_grad=True)\ny.sum().backward()\n")
    assert called(trace, "sum") == ["y.sum()"]
    assert "∂y.sum()/∂y" in "\n".join(text.report(walk(trace), 80))


def test_a_root_with_a_long_text_is_called_f() -> None:
    trace = traced(
        "y = torch.ones(2, requires_grad=True)\n((y + 1).square() * 3 - y).sum().backward()"
    )
    assert called(trace, "sum") == ["f"]


def test_an_optimisers_step_shows_its_arithmetic() -> None:
    trace = traced(_TRAINED.format(optimizer="SGD", to_none=True))
    said = "\n".join(text.report(walk(trace), 80))
    assert "opt.step()          1 - 0.1 × (-4) = 1.4" in said
    assert "1.4 - 0.1 × (-0.8) = 1.48" in said
