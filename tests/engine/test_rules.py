"""Rules of a trace: texts as the learner's names, numbers as torch's, honesty."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tutor.engine.drafts import Replay
from tutor.engine.rule_book import BOOK, Row
from tutor.engine.rule_book.row import entry
from tutor.engine.rules import rules
from tutor.engine.trace import record
from tutor.graph import backward
from tutor.graph.requests import TraceRequest
from tutor.graph.trace import Rule, Trace


def traced(code: str, at: dict[str, Any]) -> Trace:
    # Weights make the upstream gradients differ from element to element.
    weighed = f"out = {code}\n(out * torch.rand(out.shape, dtype=out.dtype)).sum()"
    trace = record(TraceRequest(weighed, at))
    assert trace.fault is None, (code, trace.fault)
    return trace


@pytest.mark.parametrize(
    ("code", "at", "text"),
    [
        ("x.sum(1)", {"x": [[1, 2], [3, 4]]}, "1 for every element"),
        ("x.sum(dim=0, keepdim=True)", {"x": [[1, 2], [3, 4]]}, "1 for every element"),
        ("x.mean((0, 1))", {"x": [[1, 2], [3, 4]]}, "1/n for each of its n elements"),
        ("x @ y", {"x": [1, 2], "y": [3, 4]}, "y"),
        ("x @ y", {"x": [[1, 2], [3, 4]], "y": [3, 4]}, "g outer y"),
        ("x @ y", {"x": [3, 4], "y": [[1, 2], [3, 4]]}, "g @ yᵀ"),
        ("torch.max(x, y)", {"x": 1, "y": 1}, "1 where x is larger, half at a tie"),
        ("F.mse_loss(x, y)", {"x": [1, 2], "y": [3, 3]}, "2·(x - y)/n"),
        ("x * y", {"x": 2, "y": [[1, 2], [3, 4]]}, "y"),
        ("x ** 3", {"x": 2}, "3x²"),
        ("x ** 0.5", {"x": 2}, "0.5·x^(-0.5)"),
        ("x ** 1", {"x": 2}, "1"),
        ("(x + 1) ** 2", {"x": 2}, "2·(x + 1)"),
        ("e ** 2", {"e": 2}, "2·e"),
        ("torch.exp(x)", {"x": 2}, "out"),
        ("1 / x", {"x": 2}, "-1/x²"),
    ],
)
def test_texts(code: str, at: dict[str, Any], text: str) -> None:
    trace = traced(code, at)
    last = next(op for op in trace.ops if op.label == code)
    rule = next(rule for rule in trace.rules if rule.op == last.id)
    assert (rule.text, rule.check) == (text, "ok")


def test_the_number_of_a_local_derivative_is_torchs() -> None:
    trace = traced("x * y", {"x": 2, "y": 5})
    assert [rule.local and rule.local.scalar for rule in trace.rules[:2]] == [5, 2]
    trace = traced("x.sin()", {"x": [[0.0, 1.0]]})
    local = trace.rules[0].local
    assert local is not None
    assert local.values == tuple(torch.tensor([0.0, 1.0]).double().cos().tolist())
    matmul = traced("x @ y", {"x": [[1, 2], [3, 4]], "y": [[1, 2], [3, 4]]}).rules[0]
    assert matmul.local is None
    assert matmul.text


def rule_of(trace: Trace, function: str, position: int = 0) -> Rule:
    """The rule of the first op of that name."""
    op = next(op for op in trace.ops if op.function == function)
    found = {rule.position: rule for rule in trace.rules if rule.op == op.id}
    return found[position]


SQUARE = [[1.0, 2.0], [3.0, 5.0]]


@pytest.mark.parametrize(
    ("code", "function", "position", "text"),
    [
        ("F.cross_entropy(x, torch.tensor([0, 1]))", "cross_entropy", 0,
         "(softmax(x) - one-hot torch.tensor([0, 1]))/n"),
        ("torch.cat([x, y])", "cat", 1, "1 for its own part"),
        ("torch.stack([x, x * y])", "stack", 1, "1 for its own part"),
        ("x.max()", "max", 0, "1 at the largest, shared at a tie"),
        ("F.mse_loss(x, y, reduction='sum')", "mse_loss", 0, "2·(x - y)"),
        ("F.gelu(x, approximate='tanh')", "gelu", 0, "Φ(x) + x·φ(x), nearly"),
        ("F.softplus(x, beta=2.0)", "softplus", 0, "sigmoid(2x)"),
        ("F.leaky_relu(x, 0.2)", "leaky_relu", 0, "1 if x > 0 else 0.2"),
        ("torch.add(x, y, alpha=3)", "add", 1, "3"),
        ("F.linear(x, y, y[0])", "linear", 1, "gᵀ @ x"),
        ("F.layer_norm(x, (2,), weight=y[0])", "layer_norm", 1,
         "x normalised, summed over the rows"),
        ("torch.where(x > 2, x, y)", "where", 2, "1 where it was taken, else 0"),
        ("torch.einsum('ij,jk->ik', x, y)", "einsum", 1, "the same sum with g in its place"),
        ("x.clamp(min=2)", "clamp", 0, "1 inside the limits, else 0"),
        ("F.dropout(x, 0.5)", "dropout", 0, "2 where kept, else 0"),
        ("F.dropout(F.relu(x - 2.5), 0.25)", "dropout", 0, "1.333 where kept, else 0"),
    ],
)  # fmt: skip
def test_texts_of_ops_on_arrays(
    code: str, function: str, position: int, text: str
) -> None:
    trace = traced(code, {"x": SQUARE, "y": [[0.5, 3.0], [1.0, -1.0]]})
    rule = rule_of(trace, function, position)
    assert (rule.text, rule.check) == (text, "ok")


@pytest.mark.parametrize("function", ["tanh", "mul", "sum"])
def test_a_wrong_row_is_caught_and_its_text_hidden(
    monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    code = {"tanh": "x.tanh()", "mul": "x * 3", "sum": "x.sum()"}[function]
    right = rule_of(traced(code, {"x": 0.5}), function)
    assert right.text
    wrong = Row("1 - {o}", lambda g, o, a, *rest: g * (1 - o))
    monkeypatch.setitem(BOOK, function, entry("input *rest", wrong))
    rule = rule_of(traced(code, {"x": 0.5}), function)
    assert (rule.text, rule.check) == ("", "off")
    assert rule.local == right.local  # torch's number stays


def test_a_row_that_disagrees_with_the_engine_is_hidden() -> None:
    """Run alone the op gives what the book says, but the pass sent something else."""
    trace = record(TraceRequest("z = x * y", {"x": 2.0, "y": 5.0}))
    (mul,) = trace.ops
    replay = Replay(mul.id, torch.mul, "mul", [leaf(2.0), leaf(5.0)], {})
    assert [rule.text for rule in rules(trace, [replay])] == ["y", "x"]
    lied = replace(trace, nodes=tuple(
        replace(node, contributions=tuple(
            replace(each, gradient=each.gradient and replace(each.gradient, values=(9.0,)))
            for each in node.contributions
        ))
        for node in trace.nodes
    ))  # fmt: skip
    found = rules(lied, [replay])
    assert [(rule.text, rule.check) for rule in found] == [("", "off"), ("", "off")]
    assert [rule.local and rule.local.scalar for rule in found] == [5, 2]


def leaf(value: Any) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def replayed(code: str, at: dict[str, Any], replay: Replay) -> list[Rule]:
    """The rules of one op of a trace, from arguments that are given by hand."""
    trace = record(TraceRequest(code, at))
    op = next(op for op in trace.ops if op.function == replay.name)
    assert backward.merged(trace, 1)
    return [*rules(trace, [replace(replay, op=op.id)])]


def test_an_op_that_changes_its_argument_has_a_rule() -> None:
    code = "y = x * 1\ny.mul_(w)\ny.sum()"
    args = [leaf([1.0, 2.0]), leaf([3.0, 4.0])]
    found = replayed(
        code,
        {"x": [1.0, 2.0], "w": [3.0, 4.0]},
        Replay(0, torch.Tensor.mul_, "mul_", args, {}),
    )
    assert [(rule.text, rule.check) for rule in found] == [("w", "ok"), ("y", "ok")]
    assert args[0].tolist() == [1.0, 2.0]  # what was kept stays as it was


def test_an_op_of_several_values_has_a_rule() -> None:
    for code, name, function, more in (
        ("a, b = x.chunk(2)\n(a * 3 + b * 2).sum()", "chunk", torch.chunk, [2]),
        ("v, i = x.sort()\n(v * torch.arange(4)).sum()", "sort", torch.sort, []),
        ("v, i = x.topk(2)\n(v * torch.arange(2)).sum()", "topk", torch.topk, [2]),
        ("a, b = x.split([3, 1])\nb.sum()", "split", torch.split, [[3, 1]]),
    ):
        at = [3.0, 1.0, 4.0, 1.5]
        replay = Replay(0, function, name, [leaf(at), *more], {})
        (rule,) = replayed(code, {"x": at}, replay)
        assert rule.check == "ok", name
        assert rule.text
        assert rule.local is None


def test_an_argument_used_twice_has_two_rules() -> None:
    held = leaf(3.0)
    found = replayed("x * x", {"x": 3.0}, Replay(0, torch.mul, "mul", [held, held], {}))
    assert [(rule.position, rule.text) for rule in found] == [(0, "x"), (1, "x")]


def test_contributions_in_another_order_than_the_arguments_hide_the_text() -> None:
    """torch may swap the operands of an einsum: which sent which cannot be told."""
    code = "torch.einsum('ij,jk->ik', x, x)"
    trace = traced(code, {"x": SQUARE})
    op = next(op for op in trace.ops if op.function == "einsum")
    assert "off" not in {rule.check for rule in trace.rules if rule.op == op.id}


def test_running_statistics_are_not_touched() -> None:
    mean, variance = torch.zeros(2).double(), torch.ones(2).double()
    x = leaf([[1.0, 2.0], [3.0, 5.0]])
    replay = Replay(
        0, torch.nn.functional.batch_norm, "batch_norm", [x, mean, variance],
        {"training": True},
    )  # fmt: skip
    code = "F.batch_norm(x, torch.zeros(2).double(), torch.ones(2).double(), None, None, True).sum()"
    (rule,) = replayed(code, {"x": x.tolist()}, replay)
    assert rule.text
    assert mean.tolist() == [0, 0]


@pytest.mark.parametrize("code", ["x.cumprod(0)", "x.logcumsumexp(0)"])
def test_what_is_not_in_the_book_has_no_text(code: str) -> None:
    trace = traced(code, {"x": SQUARE})
    op = next(op for op in trace.ops if op.label == code)
    assert [(rule.text, rule.check) for rule in trace.rules if rule.op == op.id] == [
        ("", "skip")
    ]


def test_options_that_a_row_does_not_know_hide_it() -> None:
    pool = traced("F.max_pool1d(x, 2, ceil_mode=True)", {"x": SQUARE}).rules[0]
    assert (pool.text, pool.check) == ("", "skip")


def test_rules_leave_the_random_state_alone() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    traced("F.dropout(x, 0.5) * x", {"x": SQUARE})
    assert torch.equal(torch.get_rng_state(), before)


NET = """
torch.manual_seed(SEED)
net = nn.Sequential(
    nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Dropout(0.2), nn.Linear(16, 3),
)
h = nn.Embedding(10, 4)(torch.tensor([1, 2, 2]))
q, k, v = nn.Linear(4, 12)(h).chunk(3, -1)
n = nn.LayerNorm(4)(F.scaled_dot_product_attention(q, k, v, is_causal=True))
out = net(torch.randn(2, 1, 6, 6))
m, i = out.max(1)
loss = F.cross_entropy(out, torch.tensor([0, 1])) + n.var() + m.mean()
loss = loss + F.normalize(h).sum() + nn.GroupNorm(2, 4)(h).square().mean()
loss = loss + nn.RMSNorm(4)(h).mean() + F.softmax(out, 1).sum()
loss + F.batch_norm(out, None, None, training=True).std()
"""
"""Layers in float32 whose gradients partly cancel: the sum of a softmax has none."""


def test_layers_of_a_net_have_rules_that_agree() -> None:
    for seed in range(5):
        trace = record(TraceRequest(NET.replace("SEED", str(seed))))
        assert trace.fault is None
        ops = {rule.op: trace.ops[rule.op].function for rule in trace.rules}
        off = [ops[rule.op] for rule in trace.rules if rule.check == "off"]
        assert not off, (seed, off)
        told = {ops[rule.op] for rule in trace.rules if rule.text}
        assert told >= {"conv2d", "batch_norm", "relu", "max_pool2d", "dropout", "linear",
                        "embedding", "scaled_dot_product_attention", "layer_norm",
                        "cross_entropy", "var", "normalize", "group_norm", "rms_norm",
                        "softmax", "std"}  # fmt: skip


def test_ops_of_several_values_are_run_again_too() -> None:
    code = "a, b = x.chunk(2)\nv, i = x.sort()\n(a * 3 + b).sum() + (v * y).sum()"
    at = {"x": [1.0, 3.0, 2.0, 5.0], "y": [1.0, 2.0, 3.0, 4.0]}
    trace = record(TraceRequest(code, at))
    for function in ("chunk", "sort"):
        rule = rule_of(trace, function)
        assert (bool(rule.text), rule.check, rule.local) == (True, "ok", None)
