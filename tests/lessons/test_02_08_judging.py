"""Lesson 2.8 accepts right code however it is written, and names mistakes likewise.

That the lesson's own solutions and wrong answers are judged as told is `check`'s proof;
here is also what its questions say of torch itself.
"""

from functools import partial
from typing import Any

import pytest
import torch

from tests.lessons import judging, tables
from tests.lessons.judging import function
from tutor.lesson.schema import QuestionCell

pytestmark = pytest.mark.filterwarnings("ignore:Using backward")

judged = partial(judging.judged, "2.8")
cell = partial(judging.cell, "2.8")


def three(**changed: str) -> str:
    """The three programs of `missing`, repaired but for what is given."""
    bodies = {
        "cut": "guess = w * x + b; (guess ** 2).sum().backward(); return w.grad",
        "renamed": "h = 0.5 * w; (h * x ** 2).sum().backward(); return w.grad",
        "whole": "w = torch.tensor([1., -2., 3.], requires_grad=True); "
        "(w * x + b).sum().backward(); return w.grad",
    }
    arguments = {"cut": "w, b, x", "renamed": "w, x", "whole": "b, x"}
    return "\n".join(
        function(f"{name}({arguments[name]})", changed.get(name, body))
        for name, body in bodies.items()
    )


SLOPES = "slopes(f, x)"
AGREE = "agree(got, want)"
STEP = "step(w, lr)"
FREEZE = "freeze(params)"
SECOND = "second(f, x)"
HALF = "for p in params[:len(params) // 2]: "


test_right_code_passes_however_it_is_written = tables.right_code_passes(
    "2.8",
    [
        ("slopes", function(SLOPES, "f(x).sum().backward(); return x.grad")),
        (
            "slopes",
            function(
                SLOPES,
                "y = f(x); y.backward(gradient=torch.ones_like(y)); return x.grad",
            ),
        ),
        (
            "slopes",
            function(
                SLOPES, "y = f(x); y.backward(torch.ones(y.shape)); return x.grad"
            ),
        ),
        ("slopes", function(SLOPES, "return torch.autograd.grad(f(x).sum(), x)[0]")),
        (
            "slopes",
            function(
                SLOPES, "x.grad = None; y = f(x); y.sum().backward(); return x.grad"
            ),
        ),
        ("agree", function(AGREE, "torch.testing.assert_close(got, want)")),
        ("agree", function(AGREE, "assert torch.allclose(got, want)")),
        ("agree", function(AGREE, "assert torch.isclose(got, want).all()")),
        (
            "agree",
            function(AGREE, "torch.testing.assert_close(got, want, rtol=1e-4, atol=0)"),
        ),
        (
            "agree",
            function(AGREE, "assert ((got - want).abs() <= 1e-5 * want.abs()).all()"),
        ),
        (
            "agree",
            function(
                AGREE, "if not torch.allclose(got, want): raise AssertionError('off')"
            ),
        ),
        ("missing", three()),
        (
            "missing",
            three(
                renamed="(0.5 * w * x ** 2).sum().backward(); return w.grad",
                whole="w = torch.tensor([1, -2, 3]).float().requires_grad_(); "
                "(w * x + b).sum().backward(); return w.grad",
            ),
        ),
        (
            "missing",
            three(
                renamed="leaf = w; w = 0.5 * w; (w * x ** 2).sum().backward(); "
                "return leaf.grad",
                whole="w = torch.tensor([1, -2, 3], dtype=torch.float32); "
                "w.requires_grad = True; "
                "(w * x + b).sum().backward(); return w.grad",
            ),
        ),
        (
            "step",
            function(STEP, "with torch.no_grad(): w -= lr * w.grad; w.grad = None"),
        ),
        (
            "step",
            function(STEP, "with torch.no_grad(): w.sub_(lr * w.grad); w.grad.zero_()"),
        ),
        (
            "step",
            function(
                STEP, "with torch.no_grad(): w.add_(w.grad, alpha=-lr); w.grad = None"
            ),
        ),
        (
            "step",
            function(
                STEP, "with torch.no_grad(): w.copy_(w - lr * w.grad); w.grad = None"
            ),
        ),
        ("step", function(STEP, "w.data -= lr * w.grad; w.grad = None")),
        ("step", function(STEP, "w.detach().sub_(lr * w.grad); w.grad = None")),
        ("step", function(STEP, "torch.optim.SGD([w], lr).step(); w.grad = None")),
        (
            "step",
            function(
                STEP, "with torch.inference_mode(): w -= lr * w.grad; w.grad = None"
            ),
        ),
        ("freeze", function(FREEZE, HALF + "p.requires_grad_(False)")),
        ("freeze", function(FREEZE, HALF + "p.requires_grad = False")),
        ("freeze", function(FREEZE, HALF + "p.detach_()")),
        (
            "freeze",
            function(
                FREEZE,
                "half = len(params) // 2; "
                "for i, p in enumerate(params): p.requires_grad_(i >= half)",
            ),
        ),
        (
            "freeze",
            function(FREEZE, "[p.requires_grad_(False) for p in " + HALF[9:-2] + "]"),
        ),
        (
            "second",
            function(
                SECOND,
                "s, = torch.autograd.grad(f(x).sum(), x, create_graph=True); "
                "c, = torch.autograd.grad(s.sum(), x); return c",
            ),
        ),
        (
            "second",
            function(
                SECOND,
                "f(x).sum().backward(create_graph=True); s = x.grad; x.grad = None; "
                "s.sum().backward(); return x.grad",
            ),
        ),
        (
            "second",
            function(
                SECOND,
                "y = f(x); one = torch.ones_like(y); "
                "s = torch.autograd.grad(y, x, one, create_graph=True)[0]; "
                "return torch.autograd.grad(s, x, one)[0]",
            ),
        ),
    ],
)


test_a_mistake_is_named_however_it_is_written = tables.mistakes_are_named(
    "2.8",
    [
        (
            "slopes",
            function(SLOPES, "f(x).backward(); return x.grad"),
            "will not guess",
        ),
        (
            "slopes",
            function(SLOPES, "y = f(x); return y.backward(torch.ones_like(y))"),
            "None came back",
        ),
        (
            "slopes",
            function(
                SLOPES, "y = (3 * x**2 + 2 * x).sum(); y.backward(); return x.grad"
            ),
            "any function",
        ),
        ("slopes", function(SLOPES, "return x.grad"), "None came back"),
        (
            "slopes",
            function(
                SLOPES, "for y in f(x): y.backward(retain_graph=True); return x.grad"
            ),
            "loop",
        ),
        (
            "slopes",
            function(
                SLOPES, "f(x).sum().backward(); f(x).sum().backward(); return x.grad"
            ),
            "not the right numbers",
        ),
        ("agree", function(AGREE, "return torch.equal(got, want)"), "never raises"),
        ("agree", function(AGREE, "return (got == want).all()"), "never raises"),
        (
            "agree",
            function(AGREE, "assert torch.equal(got, want)"),
            "`==` is too strict",
        ),
        (
            "agree",
            function(AGREE, "assert (got - want).abs().max() == 0"),
            "`==` is too strict",
        ),
        ("agree", function(AGREE, "assert all(got - want < 1e-2)"), "without `abs()`"),
        (
            "agree",
            function(AGREE, "assert (got.sum() - want.sum()).abs() < 1e-2"),
            "cancelled",
        ),
        (
            "agree",
            function(AGREE, "torch.testing.assert_close(got, want, rtol=.05, atol=0)"),
            "too wide",
        ),
        (
            "agree",
            function(AGREE, "assert got.tolist() == want.tolist()"),
            "`==` is too strict",
        ),
        (
            "missing",
            three(
                cut="guess = w.data * x + b; (guess ** 2).sum().backward(); return w.grad"
            ),
            "`cut` still gives None",
        ),
        (
            "missing",
            three(
                cut="guess = w * x + b.detach(); (guess ** 2).sum().backward(); "
                "return w.grad"
            ),
            "cuts `b` off",
        ),
        (
            "missing",
            three(
                renamed="w = (0.5 * w).detach().requires_grad_(); "
                "(w * x ** 2).sum().backward(); return w.grad"
            ),
            "factor 0.5",
        ),
        (
            "missing",
            three(renamed="(w * x ** 2).sum().backward(); return w.grad"),
            "factor 0.5",
        ),
        (
            "missing",
            three(
                whole="w = torch.tensor([1, -2, 3]).requires_grad_(); "
                "(w * x + b).sum().backward(); return w.grad"
            ),
            "Only floats",
        ),
        ("step", function(STEP, "w.sub_(lr * w.grad); w.grad = None"), "no_grad"),
        ("step", function(STEP, "w[...] = w - lr * w.grad; w.grad = None"), "no_grad"),
        ("step", function(STEP, "w = w.detach() - lr * w.grad"), "has not moved"),
        ("step", function(STEP, "return w - lr * w.grad"), "has not moved"),
        ("step", function(STEP, "w.data += lr * w.grad; w.grad = None"), "uphill"),
        ("step", function(STEP, "w.data -= lr * w.grad"), "33.8, 67.6"),
        (
            "step",
            function(STEP, "w.detach_(); w -= lr * w.grad; w.grad = None"),
            "flag",
        ),
        (
            "step",
            function(STEP, "with torch.no_grad(): w -= lr; w.grad = None"),
            "not the right numbers",
        ),
        ("freeze", function(FREEZE, HALF + "p.require_grad = None"), "without an s"),
        ("freeze", function(FREEZE, HALF + "p.requires_grad_()"), "another tensor"),
        ("freeze", function(FREEZE, HALF + "p.zero_grad = True"), "without an s"),
        (
            "freeze",
            function(FREEZE, HALF + "p.data.zero_(); p.requires_grad_(False)"),
            "params[",
        ),
        (
            "freeze",
            function(FREEZE, "for p in params[::2]: p.requires_grad_(False)"),
            "params[",
        ),
        (
            "second",
            function(
                SECOND,
                "s = torch.autograd.grad(f(x).sum(), x, retain_graph=True)[0]; "
                "return torch.autograd.grad(s.sum(), x)[0]",
            ),
            "element 0 of tensors",
        ),
        (
            "second",
            function(SECOND, "f(x).sum().backward(); return x.grad"),
            "the first derivative",
        ),
        (
            "second",
            function(
                SECOND,
                "s = torch.autograd.grad(f(x).sum(), x, create_graph=True); "
                "return torch.autograd.grad(s.sum(), x)",
            ),
            "returns a tuple",
        ),
    ],
)


def test_no_constant_passes_for_a_slope() -> None:
    constant = "[2.0, 2.6, 3.2, 3.8, 4.4, 5.0, 5.6, 6.2, 6.8, 7.4]"

    assert not judged(
        "slopes", function(SLOPES, f"return torch.tensor({constant})")
    ).passed


# -- what the lesson says of torch


def passes_twice(statement: str) -> bool:
    b = torch.tensor(3.0, requires_grad=True)
    names: dict[str, Any] = {"torch": torch, "b": b}
    exec(statement, names)
    names["z"].backward()
    try:
        names["z"].backward()
    except RuntimeError as error:
        return "backward through the graph a second time" not in str(error)
    return True


def test_only_graphs_that_saved_something_are_freed() -> None:
    question = cell("twice")
    assert isinstance(question, QuestionCell)
    assert question.groups is not None
    for group, statements in question.groups.items():
        for statement in statements:
            assert passes_twice(statement) == (group == "passes"), statement


@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_who_keeps_a_gradient() -> None:
    question = cell("leaves")
    assert isinstance(question, QuestionCell)
    assert question.groups is not None
    code = question.text.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {"torch": torch}
    exec(code, names)
    for group, members in question.groups.items():
        for member in members:
            has = names[member].grad is not None
            assert has == (group == "gradient"), member
    with pytest.warns(UserWarning, match="not a leaf Tensor"):
        assert names["v"].grad is None


def test_the_rounding_shows_on_this_machine() -> None:
    names: dict[str, Any] = {"torch": torch}
    exec(cell("rounding").code, names)
    x = names["x"].detach()

    assert not torch.equal(names["x"].grad, 6 * x + 2)
    torch.testing.assert_close(names["x"].grad, 6 * x + 2)


test_cells_keep_to_the_lesson_rules_of_length = tables.cells_keep_to_length(
    "2.8", prose=9
)
