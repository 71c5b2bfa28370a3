"""What the cards say of real traces of layers: rules with their shapes."""

from tutor.engine.trace import record
from tutor.graph import explain
from tutor.graph.requests import TraceRequest
from tutor.graph.steps import walk

LINEAR = """\
torch.manual_seed(0)
x = torch.randn(64, 3)
w = torch.randn(5, 3, requires_grad=True)
b = torch.zeros(5, requires_grad=True)
out = F.linear(x, w, b)
loss = (out ** 2).mean()
"""


def rows(code: str, label: str) -> list[str]:
    walked = walk(record(TraceRequest(code)))
    return [
        row.text
        for step in walked.steps
        for row in explain.rows_of(walked, step)
        if row.label == label
    ]


def test_the_rule_of_a_matrix_product_has_the_shapes_of_its_factors() -> None:
    rules = rows(LINEAR, "rule")
    assert "→ w: gᵀ @ x   (5, 3) = (5, 64) @ (64, 3)" in rules
    assert not any("@" in text for text in rows(LINEAR, "local"))


def test_matmul_on_either_side() -> None:
    code = (
        "a = torch.ones(2, 4, requires_grad=True)\n"
        "c = torch.ones(4, 3, requires_grad=True)\nf = (a @ c).sum()"
    )
    assert rows(code, "rule")[-2:] == [
        "→ a: g @ cᵀ   (2, 4) = (2, 3) @ (3, 4)",
        "→ c: aᵀ @ g   (4, 3) = (4, 2) @ (2, 3)",
    ]


def test_a_scalar_has_a_local_derivative_and_no_rule() -> None:
    code = "x = torch.tensor(2., requires_grad=True)\nf = x ** 2"
    assert rows(code, "rule") == []
    assert rows(code, "local") == ["∂f/∂x = 2x = 4"]


TWICE = "y = x ** 2\ny.backward()\ny.backward()"


def test_a_pass_that_is_refused_is_a_step_that_says_what_was_freed() -> None:
    walked = walk(record(TraceRequest(TWICE, {"x": 3.0})))
    last = walked.steps[-1]
    assert (last.kind, last.number) == ("refused", 2)
    card = explain.card(walked, len(walked.steps))
    assert (card.statement, card.line) == ("backward() of pass 2", 3)
    assert [row.label for row in card.rows] == ["raised", "freed"]
    assert "a second time" in card.rows[0].text
    assert card.rows[1].text == "sqr kept x until pass 1"


def test_a_pass_that_nothing_leads_back_from_is_refused() -> None:
    code = "y = x.detach() ** 2\ny.backward()"
    walked = walk(record(TraceRequest(code, {"x": 3.0})), "slide")
    assert [step.kind for step in walked.steps] == ["forward", "forward", "refused"]
    assert rows(code.replace("x.", "torch.tensor(3.)."), "freed") == []
