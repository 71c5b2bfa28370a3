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


def test_a_result_printed_is_not_blamed() -> None:
    made = "torch.tensor([1., 2.], requires_grad=True)"
    code = f"x = {made}; v = {made}\nprint(x.sum().item())\n(v * 3).sum().backward()"
    trace = traced(code)
    answer = questions.why_none(trace, value(trace, "x"))
    assert told(answer) == [("not on the way", 2)]


def test_zeros_in_some_elements_are_told_apart() -> None:
    code = (
        "x = torch.tensor([1., -2., 3.], requires_grad=True)\n"
        "m = torch.tensor([0., 1., 1.])\n"
        "(x.relu() * m).sum().backward()"
    )
    trace = traced(code)
    answer = questions.why_zero(trace, value(trace, "x"))
    assert answer.verdict.startswith("x.grad is 0 at 2 of 3 elements: ")
    assert sorted(told(answer)) == [("dead relu", 3), ("times zero", 3)]


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("x.log() * 0", [("log", 2), ("passed on", 2), ("log", 2)]),
        ("x.sqrt() * torch.tensor([0., 1.])", [("sqrt", 2)]),
        ("(x * 1e308) * 1e308", [("mul", 2), ("mul", 2)]),
    ],
)
def test_the_first_value_that_is_not_finite(
    code: str, kinds: list[tuple[str, int]]
) -> None:
    first = "x = torch.tensor([0., 4.], dtype=torch.float64, requires_grad=True)"
    trace = traced(f"{first}\ny = {code}\ny.sum().backward()")
    answer = questions.first_nonfinite(trace)
    assert answer is not None
    assert told(answer) == kinds
    assert questions.why(trace, value(trace, "x")).causes == answer.causes


def test_every_value_is_finite() -> None:
    trace = traced("x = torch.ones(2, requires_grad=True)\n(x * 2).sum().backward()")
    assert questions.first_nonfinite(trace) is None
    assert questions.why_inplace(trace) is None


def test_where_a_healthy_gradient_comes_from() -> None:
    code = (
        "x = torch.tensor(3., requires_grad=True)\n"
        "(x * x).backward()\n(2 * x).backward()"
    )
    trace = traced(code)
    answer = questions.ask(trace, "x")
    assert answer.verdict == "x.grad is 8: 6 was there, pass 2 adds 2."
    assert [each.text for each in answer.causes] == [
        "Line 3: `2 * x` sends 2 back to x."
    ]


@pytest.mark.parametrize(
    ("code", "causes"),
    [
        ("x += 1", [("leaf", 2)]),
        ("x[0] += 1", [("leaf view", 2)]),
        ("y = x.exp()\ny += 1\ny.sum().backward()", [("inplace", 3), ("saved", 2)]),
        (
            "y = x * 1\nz = y * y\ny[:1].mul_(2)\nz.sum().backward()",
            [("inplace", 4), ("saved", 3)],
        ),
        (
            "s = torch.optim.SGD([x])\ny = (x * x).sum()\n"
            "y.backward(retain_graph=True)\ns.step()\ny.backward()",
            [("optimizer", 5), ("saved", 3)],
        ),
        ("y = x + 1\ny += 1\ny.sum().backward()", None),
    ],
)
def test_the_in_place_op_is_named_with_what_had_saved_the_value(
    code: str, causes: list[tuple[str, int]] | None
) -> None:
    trace = traced(f"x = torch.ones(2, requires_grad=True)\n{code}")
    answer = questions.why_inplace(trace)
    assert (answer and told(answer)) == causes


def test_askable_are_leaves_first_and_each_tensor_once() -> None:
    trace = traced("q = x * 2\nq += 1\nf = q.sum()\nf.backward()")
    assert questions.askable(trace) == ()
    code = "x = torch.ones(2, requires_grad=True)\nq = x * 2\nq += 1\nf = q.sum()"
    trace = traced(code)
    found = [trace.values[each] for each in questions.askable(trace)]
    assert [each.name for each in found] == ["x", "q", "f"]
    assert [each.version for each in found] == [0, 1, 0]


def test_the_tutors_own_pass_tells_where_the_graph_is_cut() -> None:
    """The code calls no backward(): still the detach is what the learner looks for."""
    request = TraceRequest("f = w.detach() * 2 + b", {"w": 2.0, "b": 1.0})
    answer = questions.ask(record(request), "w")
    assert [(cause.kind, cause.line) for cause in answer.causes] == [("detach", 1)]


def test_a_pass_of_the_tutors_that_torch_refuses_tells_where_the_graph_is_cut() -> None:
    request = TraceRequest("n = x.long()\nf = n * 2", {"x": 1.0})
    answer = questions.ask(record(request), "x")
    assert [cause.line for cause in answer.causes] == [1]
    assert "only floats have gradients" in answer.causes[0].text
