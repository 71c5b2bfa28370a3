"""`tutor.step(loss)`: the graph behind a tensor, read and left as it was."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from tutor.engine import behind
from tutor.graph import names, recorded
from tutor.graph.steps import walk
from tutor.graph.trace import Const, Ref, Trace


def functions(trace: Trace) -> list[str]:
    return [op.function for op in trace.ops]


def name_set(trace: Trace) -> set[str]:
    return {value.name for value in trace.values if value.name is not None}


def seed() -> dict[str, torch.Tensor]:
    x = torch.tensor(2.0, requires_grad=True)
    y = torch.tensor(5.0, requires_grad=True)
    q = x**2
    return {"x": x, "y": y, "q": q, "f": 3 * q + 2 * y}


def test_the_graph_with_the_values_that_are_still_there() -> None:
    scope = seed()
    trace = behind.view(scope["f"], scope)
    assert trace.end.kind == "autograd"
    assert functions(trace) == ["pow", "mul", "mul", "add"]
    assert name_set(trace) == {"x", "y", "q", "f"}
    pow_op, tripled = trace.ops[0], trace.ops[1]
    assert pow_op.symbol == "sqr"
    assert tripled.arguments == (Ref(pow_op.outputs[0]), Const(3))
    values = {value.name: value.summary.scalar for value in trace.values}
    assert (values["q"], values["f"]) == (4, 22)
    unseen = trace.values[tripled.outputs[0]].summary
    assert unseen.values is None  # 3 * q was not saved by anything
    assert unseen.dtype == "float32"
    assert trace.graph[0].saved["exponent"] == Const(2)
    assert "%%step" in recorded.sentence(trace)
    assert len(walk(trace).steps) == 4


def test_it_leaves_grad_graph_versions_and_hooks_as_they_were() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    data, ran = torch.randn(16, 4), []

    def loss() -> torch.Tensor:
        result: torch.Tensor = (net(data) ** 2).mean()
        return result

    loss().backward()
    wanted = [parameter.grad for parameter in net.parameters()]
    net.zero_grad()
    looked_at = loss()
    first = next(net.parameters())
    first.register_hook(lambda gradient: ran.append("leaf"))
    looked_at.register_hook(lambda gradient: ran.append("root"))
    first.grad = kept = torch.ones_like(first)
    held = [first, data, looked_at, *net.parameters()]
    versions = [each._version for each in held]
    hooks = dict(first._backward_hooks or {})
    before = torch.get_rng_state()

    trace = behind.view(looked_at, {"net": net, "data": data, "looked_at": looked_at})

    assert {"net.0.weight", "net.2.bias", "data"} <= name_set(trace)
    assert torch.equal(torch.get_rng_state(), before)
    assert [each._version for each in held] == versions
    assert dict(first._backward_hooks or {}) == hooks
    assert ran == []
    assert first.grad is kept
    assert torch.equal(kept, torch.ones_like(kept))
    first.grad = None
    looked_at.backward()
    assert sorted(ran) == ["leaf", "root"]
    for parameter, gradient in zip(net.parameters(), wanted, strict=True):
        assert parameter.grad is not None
        assert gradient is not None
        assert torch.equal(parameter.grad, gradient)


def test_a_freed_graph_says_so() -> None:
    scope = seed()
    scope["f"].backward()
    trace = behind.view(scope["f"], scope)
    assert trace.graph[0].saved["self"] == Const("freed")
    assert "has freed" in recorded.sentence(trace)


def test_what_was_overwritten_says_so() -> None:
    x = torch.ones(3, requires_grad=True)
    middle = x.exp()
    loss = (middle * 2).sum()
    with torch.no_grad():
        middle.add_(1)
    trace = behind.view(loss, {"x": x})
    assert Const("overwritten since") in trace.graph[0].saved.values()


def test_a_checkpoint_is_not_run_again() -> None:
    x = torch.ones(3, requires_grad=True)
    runs = []

    def inside(given: torch.Tensor) -> torch.Tensor:
        runs.append(1)
        return (given * given).sin()

    loss = checkpoint(inside, x, use_reentrant=False).sum()
    trace = behind.view(loss, {"x": x})
    assert len(runs) == 1
    kept: list[Any] = [each for node in trace.graph for each in node.saved.values()]
    assert Const("kept by a saved-tensor hook") in kept
    loss.backward()
    assert x.grad is not None


def test_several_outputs_and_a_function_of_the_learners() -> None:
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, given: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(given)
            return given * 2

        @staticmethod
        def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
            return gradients[0] * 2

    x = torch.ones(4, requires_grad=True)
    a, b = (x * 3).chunk(2)
    twice: Any = Twice.apply
    loss = twice(torch.stack([a, b])).sum()
    trace = behind.view(loss, {"x": x, "a": a, "b": b})
    assert {"a", "b"} <= name_set(trace)
    assert functions(trace) == ["mul", "split", "stack", "twice", "sum"]
    assert len(trace.ops[1].outputs) == 2
    assert names.call_text(trace, trace.ops[2]) == "stack(a, b)"


def test_a_deep_graph_is_read_without_recursion_and_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = torch.ones(1, requires_grad=True)
    end = x
    for _ in range(5000):
        end = end * 1.0
    assert len(behind.view(end, {"x": x}).ops) == 5000
    monkeypatch.setattr("tutor.engine.torch_graph.NODES_AT_MOST", 100)
    trace = behind.view(end, {"x": x})
    assert len(trace.ops) == 100
    assert trace.end.root is not None
    assert trace.values[trace.end.root].op == 99
    assert "5000 nodes; these are the 100 nearest" in recorded.sentence(trace)


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (torch.ones(1, requires_grad=True), "w is a leaf"),
        (torch.ones(1), "w does not require grad"),
    ],
)
def test_no_graph_is_a_sentence(tensor: torch.Tensor, said: str) -> None:
    with pytest.raises(behind.NoGraphError, match=said):
        behind.view(tensor, {"w": tensor})
