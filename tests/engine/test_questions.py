"""The answers to questions, on small programs run by the real recorder."""

import pytest

from tutor.engine.trace import record
from tutor.graph import questions
from tutor.graph.questions import Answer
from tutor.graph.trace import Trace, TraceRequest


def traced(code: str) -> Trace:
    return record(TraceRequest(code))


def value(trace: Trace, name: str) -> int:
    found = questions.named(trace, name)
    assert found is not None
    return found


def told(answer: Answer) -> list[tuple[str, int | None]]:
    return [(each.kind, each.line) for each in answer.causes]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("code", "causes"),
    [
        ("y = x.detach() * v", [("detach", 2)]),
        ("with torch.no_grad():\n    y = x * 2\ny = y * v", [("no_grad", 3)]),
        ("y = x.data * v", [("data", 2)]),
        ("y = torch.tensor(x) * v", [("copy", 2)]),
        ("y = v[x.argmax()]", [("argmax", 2)]),
        ("y = v * (x > 1)", [("comparison", 2)]),
        ("y = v * x.long()", [("integer", 2)]),
        ("y = v * x[1].item() ** 3", [("item", 2)]),
        ("a = x.tolist()\ny = v * a[0]", [("tolist", 2)]),
        ("a = x.detach() * 2\nb = x.data\ny = v * a + b", [("detach", 2), ("data", 3)]),
        ("a = x.detach()\ny = v * 2", [("detach", 2)]),
        ("z = x * 3\ny = v * 2", [("not on the way", 2)]),
        ("y = v * 2", [("unused", 1)]),
        ("x = x * 2\ny = v * x", [("rebinding", 2)]),
        ("x = torch.ones(2)\ny = v * x", [("requires_grad", 2)]),
        ("x = torch.tensor([1, 2])\ny = v * x", [("integer", 2)]),
    ],
)  # fmt: skip
def test_why_none_names_every_cause_with_its_line(
    code: str, causes: list[tuple[str, int]]
) -> None:
    made = "torch.tensor([1., 2.], requires_grad=True)"
    leaves = f"x = {made}; v = {made}\n"
    trace = traced(f"{leaves}{code}\ny.sum().backward()")
    answer = questions.why_none(trace, value(trace, "x"))
    assert told(answer) == causes
    assert answer == questions.why(trace, value(trace, "x"))
    assert answer.verdict.startswith("x.grad is None: ")
    assert answer.advice


@pytest.mark.parametrize(
    ("code", "causes"),
    [
        ("(x - 5).relu()", [("dead relu", 2)]),
        ("torch.sigmoid(x * 1e4)", [("saturated", 2)]),
        ("x * 0", [("times zero", 2)]),
        ("x.clamp(-1, 0)", [("clamp", 2)]),
        ("x.round()", [("step", 2)]),
        ("x - x", [("cancel", 2)]),
        ("x.softmax(0)", [("cancel", 2)]),
        ("torch.where(x > 9, x, 0.0)", [("not taken", 2)]),
        ("F.dropout(x, 1.0)", [("dropout", 2)]),
        ("(x * 0).relu() + \\\n(x - 9).relu()", [("times zero", 2), ("dead relu", 2), ("dead relu", 3)]),
        ("(x * 1e-200) * 1e-200 * 1e-200", [("underflow", 2)]),
    ],
)  # fmt: skip
def test_why_zero_names_every_cause_with_its_line(
    code: str, causes: list[tuple[str, int]]
) -> None:
    first = "x = torch.tensor([1., 2.], dtype=torch.float64, requires_grad=True)"
    trace = traced(f"{first}\ny = {code}\ny.sum().backward()")
    answer = questions.why_zero(trace, value(trace, "x"))
    assert sorted(told(answer), key=lambda each: each[1] or 0) == sorted(
        causes, key=lambda each: each[1]
    )
    assert answer == questions.why(trace, value(trace, "x"))
    assert answer.verdict.startswith("x.grad is 0: ")
