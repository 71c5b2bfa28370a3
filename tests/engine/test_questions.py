"""The answers to questions, on small programs run by the real recorder."""

import pytest

from tutor.engine.trace import record
from tutor.graph import questions
from tutor.graph.questions import Answer
from tutor.graph.requests import TraceRequest
from tutor.graph.trace import Trace


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


def test_gradients_and_an_optimisers_own_tensors_are_not_asked_about() -> None:
    code = (
        "w = torch.ones(2, requires_grad=True)\nopt = torch.optim.Adam([w])\n"
        "for _ in range(2):\n    opt.zero_grad()\n    loss = (w * w).sum()\n"
        "    loss.backward()\n    opt.step()\nseen = w.grad * 2"
    )
    trace = traced(code)
    found = [trace.values[each].name for each in questions.askable(trace)]
    assert found == ["w", "seen", "loss"]


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


LEAF = "x = torch.tensor([1., 2.], requires_grad=True)\n"


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("h = x * 2\nh.add_(1)\nloss = (h * 3).sum()", [("non-leaf", 2)]),
        ("h = x * 2\nh = h + 1\nloss = (h * 3).sum()", [("non-leaf", 3)]),
        ("h = torch.zeros(2)\nh.add_(x)\nloss = h.sum()", [("non-leaf", 3)]),
        ("h = x * 2\nloss = h.sum()\nh.add_(1)", [("non-leaf", 2)]),
        ("x = x * 2\nx += 1\nloss = x.sum()\nh = x", [("rebinding", 2)]),
    ],
)  # fmt: skip
def test_an_op_in_place_on_a_result_is_no_new_tensor(
    code: str, kinds: list[tuple[str, int]]
) -> None:
    answer = questions.ask(traced(f"{LEAF}{code}\nloss.backward()"), "h")
    assert told(answer) == kinds
    assert (kinds[0][0] == "rebinding") == ("lost that name" in str(answer))
    if kinds[0][0] == "non-leaf":
        assert "h.retain_grad() before backward()" in answer.advice


@pytest.mark.parametrize(
    ("code", "asked", "kinds"),
    [
        ("h = x.exp()\nh.add_(1)\nloss = h.sum()", "x", [("inplace", 3), ("saved", 2)]),
        ("h = x.sigmoid()\nloss = (h * h).sum()\nh.mul_(2)", "h",
         [("inplace", 4), ("saved", 3), ("non-leaf", 2)]),
    ],
)  # fmt: skip
def test_a_failed_pass_is_told_by_the_op_in_place(
    code: str, asked: str, kinds: list[tuple[str, int]]
) -> None:
    trace = traced(f"{LEAF}{code}\nloss.backward()")
    assert trace.fault is not None
    answer = questions.ask(trace, asked)
    blamed = questions.why_inplace(trace)
    assert blamed is not None
    assert told(answer) == kinds
    assert blamed.verdict in answer.verdict
    assert answer.advice == blamed.advice
    assert "RuntimeError" not in str(answer)


@pytest.mark.parametrize("code", ["torch.log(y)", "1 / y", "torch.sigmoid(y)"])
def test_a_slope_that_is_zero_at_infinity_names_what_overflowed(code: str) -> None:
    first = "x = torch.tensor([1e20, 2.], requires_grad=True)\ny = (x * x).sum()"
    answer = questions.ask(traced(f"{first}\nloss = {code}\nloss.backward()"), "x")
    assert told(answer)[0] == ("overflow", 2)
    assert "overflowed to infinity" in answer.verdict
    assert "the slope is 0 at this point" not in answer.verdict


def test_a_factor_that_is_zero_in_part_is_not_blamed_for_all() -> None:
    first = "x = torch.tensor([-1., 0., 2.])\nw = torch.ones(3, requires_grad=True)\n"
    trace = traced(f"{first}(x * w - 3).relu().sum().backward()")
    assert told(questions.ask(trace, "w")) == [("dead relu", 3)]
    trace = traced(f"{first}(x * w - 1).relu()[:2].sum().backward()")
    answer = questions.ask(trace, "w")
    assert told(answer) == [("dead relu", 3), ("not taken", 3)]
    assert "not these 1 of 3 elements" in answer.causes[1].text
    trace = traced(
        f"{first}m = torch.tensor([0., 1., 0.])\n(x * w * m).sum().backward()"
    )
    answer = questions.ask(trace, "w")
    assert told(answer) == [("times zero", 4), ("times zero", 4)]
    assert answer.verdict.endswith(", each at some of the elements.")


@pytest.mark.parametrize(
    ("code", "verdict", "kinds"),
    [
        ("h = x * 2\nh.sum().backward()\nh.retain_grad()", "not a leaf.", ["non-leaf"]),
        ("h = x * 2\nh.retain_grad()\nh.mul_(3)\nh.sum().backward()", "h.grad is [1, 1].", ["share"]),
        ("h = x * 2\nh.retain_grad()\ny = h.sum()\nh.mul_(3)\ny.backward()", "to keep.", ["inplace"]),
    ],
)  # fmt: skip
def test_retain_grad_counts_from_its_line_on_and_for_the_tensor_as_it_is(
    code: str, verdict: str, kinds: list[str]
) -> None:
    trace = traced(f"{LEAF}{code}\nkept = h.grad")
    answer = questions.ask(trace, "h")
    assert answer.verdict.endswith(verdict)
    assert [each.kind for each in answer.causes] == kinds


def test_a_refusal_that_was_caught_is_not_blamed_for_what_failed_later() -> None:
    caught = "try:\n    x.add_(1)\nexcept RuntimeError:\n    pass\ny = x.exp()\n"
    trace = traced(f"{LEAF}{caught}y.mul_(2)\ny.sum().backward()")
    assert told(questions.ask(trace, "x")) == [("inplace", 7), ("saved", 6)]
    assert questions.why_inplace(traced(f"{LEAF}{caught}y.sum().backward()")) is None


def test_one_product_for_each_element_cancels_nothing() -> None:
    code = "y = 1 / torch.zeros(2)\nz = (x / y).sum()\nz.backward()"
    assert told(questions.ask(traced(f"{LEAF}{code}"), "x")) == [
        ("infinite", 2),
        ("flat", 3),
    ]
