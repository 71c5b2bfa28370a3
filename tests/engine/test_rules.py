"""Every row of the book against torch's engine, on random inputs."""

import random
from typing import Any

import pytest
import torch

from tutor.engine import rule_book
from tutor.engine.rule_book import BOOK, Row
from tutor.engine.trace import record
from tutor.graph.trace import Rule, Trace, TraceRequest

# For each op of the book a call with x (and y), and the range they come from.
CASES: dict[str, tuple[str, float, float]] = {
    "add": ("x + y", -3, 3),
    "sub": ("x - y", -3, 3),
    "rsub": ("2 - x", -3, 3),
    "mul": ("x * y", -3, 3),
    "div": ("x / y", 0.5, 3),
    "rdiv": ("2 / x", 0.5, 3),
    "pow": ("x ** y", 0.5, 3),
    "rpow": ("2 ** x", -3, 3),
    "square": ("x.square()", -3, 3),
    "neg": ("-x", -3, 3),
    "exp": ("x.exp()", -3, 3),
    "expm1": ("x.expm1()", -3, 3),
    "exp2": ("x.exp2()", -3, 3),
    "log": ("x.log()", 0.5, 3),
    "log1p": ("x.log1p()", 0.5, 3),
    "log2": ("x.log2()", 0.5, 3),
    "log10": ("x.log10()", 0.5, 3),
    "sqrt": ("x.sqrt()", 0.5, 3),
    "rsqrt": ("x.rsqrt()", 0.5, 3),
    "reciprocal": ("x.reciprocal()", 0.5, 3),
    "sin": ("x.sin()", -3, 3),
    "cos": ("x.cos()", -3, 3),
    "tan": ("x.tan()", -1, 1),
    "asin": ("x.asin()", -0.9, 0.9),
    "acos": ("x.acos()", -0.9, 0.9),
    "atan": ("x.atan()", -3, 3),
    "sinh": ("x.sinh()", -3, 3),
    "cosh": ("x.cosh()", -3, 3),
    "tanh": ("x.tanh()", -3, 3),
    "sigmoid": ("x.sigmoid()", -3, 3),
    "logsigmoid": ("F.logsigmoid(x)", -3, 3),
    "erf": ("x.erf()", -3, 3),
    "abs": ("abs(x)", -3, 3),
    "sign": ("x.sign()", -3, 3),
    "round": ("x.round()", -3, 3),
    "floor": ("x.floor()", -3, 3),
    "ceil": ("x.ceil()", -3, 3),
    "trunc": ("x.trunc()", -3, 3),
    "clone": ("x.clone()", -3, 3),
    "to": ("x.to(torch.float32)", -3, 3),
    "float": ("x.float()", -3, 3),
    "double": ("(x * 1).float().double()", -3, 3),
    "relu": ("F.relu(x)", -3, 3),
    "leaky_relu": ("F.leaky_relu(x, 0.2)", -3, 3),
    "elu": ("F.elu(x)", -3, 3),
    "softplus": ("F.softplus(x)", -3, 3),
    "silu": ("F.silu(x)", -3, 3),
    "gelu": ("F.gelu(x)", -3, 3),
    "maximum": ("torch.maximum(x, y)", -3, 3),
    "minimum": ("torch.minimum(x, y)", -3, 3),
    "clamp": ("x.clamp(-1, 1)", -3, 3),
    "where": ("torch.where(x > 0, x, y)", -3, 3),
    "sum": ("x.sum()", -3, 3),
    "mean": ("x.mean()", -3, 3),
    "matmul": ("x @ y", -3, 3),
    "linear": ("F.linear(x, y, y[0])", -3, 3),
    "mse_loss": ("F.mse_loss(x, y)", -3, 3),
    "l1_loss": ("F.l1_loss(x, y)", -3, 3),
    "softmax": ("x.softmax(0)", -3, 3),
    "log_softmax": ("x.log_softmax(-1)", -3, 3),
    "logsumexp": ("x.logsumexp(0)", -3, 3),
    "t": ("x.t()", -3, 3),
    "T": ("x.T", -3, 3),
    "mT": ("x.mT", -3, 3),
    "transpose": ("x.transpose(0, 1)", -3, 3),
    "getitem": ("x[1]", -3, 3),
    "expand": ("x[0:1].expand(4, 2)", -3, 3),
    "view": ("x.view(4)", -3, 3),
    "reshape": ("x.reshape(1, 4)", -3, 3),
    "flatten": ("x.flatten()", -3, 3),
    "squeeze": ("x.squeeze(0)", -3, 3),
    "unsqueeze": ("x.unsqueeze(0)", -3, 3),
    "contiguous": ("x.T.contiguous()", -3, 3),
}


def matrix(rng: random.Random, low: float, high: float) -> list[list[float]]:
    return [[rng.uniform(low, high) for _ in range(2)] for _ in range(2)]


def rules_of(trace: Trace, function: str) -> list[Rule]:
    same = rule_book._SAME
    return [
        rule
        for rule in trace.rules
        if same.get(name := trace.ops[rule.op].function, name) == function
    ]


def traced(code: str, at: dict[str, Any]) -> Trace:
    # Weights make the upstream gradients differ from element to element.
    weighed = f"out = {code}\n(out * torch.rand(out.shape, dtype=out.dtype)).sum()"
    trace = record(TraceRequest(weighed, at))
    assert trace.fault is None, (code, trace.fault)
    return trace


def test_every_row_has_a_case() -> None:
    assert CASES.keys() == BOOK.keys()


@pytest.mark.parametrize("function", CASES)
def test_a_row_agrees_with_torch(function: str) -> None:
    code, low, high = CASES[function]
    rng = random.Random(function)
    for _ in range(20):
        at = {"x": matrix(rng, low, high)}
        if "y" in code:
            at["y"] = matrix(rng, low, high)
        trace = traced(code, at)
        found = rules_of(trace, function)
        assert found, code
        assert {rule.check for rule in found} == {"ok"}, (code, at)
        assert all(rule.text for rule in found)


@pytest.mark.parametrize(
    ("code", "at", "text"),
    [
        ("x.sum(1)", {"x": [[1, 2], [3, 4]]}, "1 for every element"),
        ("x.sum(dim=0, keepdim=True)", {"x": [[1, 2], [3, 4]]}, "1 for every element"),
        ("x.mean((0, 1))", {"x": [[1, 2], [3, 4]]}, "1/n for each of its n elements"),
        ("x @ y", {"x": [1, 2], "y": [3, 4]}, "y"),
        ("x @ y", {"x": [[1, 2], [3, 4]], "y": [3, 4]}, "g @ yᵀ"),
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


def test_a_wrong_row_is_caught_and_its_text_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = Row("1 - {o}", lambda g, o, a: g * (1 - o))
    monkeypatch.setitem(BOOK, "tanh", (wrong,))
    rule = traced("x.tanh()", {"x": 0.5}).rules[0]
    assert (rule.text, rule.check) == ("", "off")
    assert rule.local is not None
    assert rule.local.scalar == pytest.approx(1 - torch.tensor(0.5).tanh().item() ** 2)


@pytest.mark.parametrize(
    "code", ["F.dropout(x, 0.5)", "x.clone().mul_(2)", "x.cumprod(0)", "x.max()"]
)
def test_what_is_not_in_the_book_has_no_text(code: str) -> None:
    trace = traced(code, {"x": [[1.0, 2.0], [3.0, 5.0]]})
    op = next(op for op in trace.ops if op.label == code)
    assert all(not rule.text for rule in trace.rules if rule.op == op.id)


def test_options_that_a_row_does_not_know_hide_it() -> None:
    rule = traced("F.gelu(x, approximate='tanh')", {"x": 0.5}).rules[0]
    assert (rule.text, rule.check) == ("", "skip")
    loss = traced("F.mse_loss(x, y, reduction='sum')", {"x": [1, 2], "y": [3, 3]})
    assert (loss.rules[0].text, loss.rules[0].check) == ("", "skip")
    softplus = traced("F.softplus(x, beta=2.0)", {"x": 0.5}).rules[0]
    assert softplus.text == ""
