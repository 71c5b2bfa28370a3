"""The check by finite differences: right ops pass, wrong gradients do not."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional

from tutor.engine import finite
from tutor.engine.drafts import Replay
from tutor.engine.trace import record
from tutor.graph import checking
from tutor.graph.requests import Checked, TraceCheck, TraceRequest
from tutor.graph.trace import Summary


def leaf(value: Any, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(value, dtype=dtype, requires_grad=True)


def replay(function: Any, *args: Any, **keywords: Any) -> Replay:
    return Replay(0, function, function.__name__, list(args), keywords)


def summary(*values: float, shape: tuple[int, ...], dtype: str = "float64") -> Summary:
    return Summary(shape, dtype, values)


@pytest.mark.parametrize(
    "call",
    [
        replay(torch.mul, leaf(3.0), leaf(4.0)),
        replay(torch.sin, leaf([0.1, 2.0, -700.0])),
        replay(torch.matmul, leaf([[1.0, 2.0], [3.0, 4.0]]), leaf([[1.0], [-1.0]])),
        replay(functional.linear, leaf([[1.0, 2.0]]), leaf([[3.0, 4.0]]), leaf([1.0])),
        replay(torch.exp, leaf([1.0, 2.0], torch.float32)),
        replay(functional.cross_entropy, leaf([[1.0, 2.0, 0.5]]), torch.tensor([2])),
        replay(functional.layer_norm, leaf([[1.0, 2.0, 4.0]]), (3,)),
        replay(torch.sort, leaf([3.0, 1.0, 2.0])),
        replay(torch.cat, [leaf([1.0]), leaf([2.0, 3.0])]),
        replay(torch.mul, leaf([1e8, 1e-8]), leaf([3.0, 4.0])),
        replay(torch.Tensor.transpose, leaf([[1.0, 2.0, 3.0]]), 0, 1),
    ],
)
def test_right_gradients_agree(call: Replay) -> None:
    found = finite.check(call)
    assert found.problem is None
    assert found.arguments
    for each in found.arguments:
        assert each.agrees, each
        assert each.elements == each.of
        assert each.step >= finite.STEP
        assert not each.corners
        assert each.engine_difference is None


class Wrong(torch.autograd.Function):
    """x² whose gradient is said to be x."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return g * x


def test_a_wrong_gradient_does_not_agree() -> None:
    (found,) = finite.check(Replay(0, Wrong.apply, "wrong", [leaf(3.0)], {})).arguments
    assert not found.agrees
    assert found.difference == pytest.approx(3.0)


def test_what_the_engine_sent_is_compared_too() -> None:
    call = replay(torch.mul, leaf([3.0, 1.0]), leaf([4.0, 2.0]))
    up = summary(10.0, 1.0, shape=(2,))
    right = summary(40.0, 2.0, shape=(2,))
    wrong = summary(30.0, 1.5, shape=(2,))
    first, second = finite.check(call, up, [right, wrong]).arguments
    assert (first.engine_difference, first.engine_agrees) == (0, True)
    assert (second.engine_difference, second.engine_agrees) == (0.5, False)
    assert first.agrees
    assert second.agrees  # torch's gradient of the op alone is right
    # Without what arrived there is nothing to compare with.
    first, _ = finite.check(call, None, [right, wrong]).arguments
    assert first.engine_agrees is None


def test_a_corner_is_told() -> None:
    (found,) = finite.check(replay(torch.relu, leaf([0.0, 1.0, -1.0]))).arguments
    assert found.corners == 1
    assert found.agrees
    assert found.elements == 3


def test_a_large_argument_is_checked_in_part() -> None:
    big = torch.linspace(-3, 3, 3000, dtype=torch.float64).requires_grad_()
    (found,) = finite.check(replay(torch.tanh, big)).arguments
    assert (found.elements, found.of) == (finite.ELEMENTS_AT_MOST, 3000)
    assert found.agrees


def test_elements_that_are_not_finite_are_left_out() -> None:
    (found,) = finite.check(
        replay(torch.exp, leaf([math.inf, math.nan, 1.0]))
    ).arguments
    assert found.elements == 1


def test_ops_that_cannot_be_tried_say_why() -> None:
    assert "float32" in (
        finite.check(replay(torch.Tensor.float, leaf(1.0))).problem or ""
    )
    mixed = replay(torch.matmul, leaf([1.0]), leaf([1.0, 2.0]))
    assert "cannot be run again" in (finite.check(mixed).problem or "")
    constant = replay(torch.mul, torch.ones(1), torch.ones(1))
    assert finite.check(constant).problem == "mul sends no gradient back."


def test_nothing_is_left_changed() -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    before = torch.get_rng_state()
    finite.check(replay(torch.mul, x, w))
    assert x.tolist() == [1.0, 2.0]
    assert x.grad is None
    assert torch.equal(torch.get_rng_state(), before)


def test_a_trace_that_is_not_kept() -> None:
    assert "no longer kept" in (finite.check_node(TraceCheck("none", 0)).problem or "")


def traced(code: str) -> Any:
    return record(TraceRequest(code, {"x": [1.0, 2.0], "y": [3.0, 4.0]}))


@pytest.mark.parametrize(
    ("code", "function", "word"),
    [
        ("F.dropout(x).sum()", "dropout", "draws random numbers"),
        ("z = x * 1\nz.mul_(y)\nz.sum()", "mul_", "in place"),
        ("torch.ones(2).double() * x", "ones", "No gradient passes"),
    ],
)
def test_the_request_says_why_not(code: str, function: str, word: str) -> None:
    trace = traced(code)
    op = next(op for op in trace.ops if op.function == function)
    found = checking.request(trace, op.id)
    assert isinstance(found, Checked)
    assert word in (found.problem or "")
    assert (found.problem or "").endswith(".")


def test_a_trace_without_an_id_keeps_nothing() -> None:
    trace = traced("(x * y).sum()")
    found = checking.request(replace(trace, end=replace(trace.end, id="")), 0)
    assert isinstance(found, Checked)
    assert "not kept" in (found.problem or "")


def test_the_request_carries_what_the_engine_sent() -> None:
    trace = traced("(x * y * 10).sum()")
    trace = replace(trace, end=replace(trace.end, id="t1"))
    request = checking.request(trace, 0)
    assert isinstance(request, TraceCheck)
    assert request.upstream is not None
    assert list(request.upstream.values or ()) == [10, 10]
    assert [each and each.values for each in request.sent] == [(30, 40), (10, 20)]
    call = replay(torch.mul, leaf([1.0, 2.0]), leaf([3.0, 4.0]))
    found = finite.check(call, request.upstream, request.sent)
    assert [each.engine_agrees for each in found.arguments] == [True, True]


def test_every_op_of_a_recorded_trace_can_be_asked_about() -> None:
    code = "z = (x * y).tanh()\nw = F.relu(x)\nz.sum() * 3 + w.sum()"
    trace = traced(code)
    for op in trace.ops:
        request = checking.request(trace, op.id)
        assert isinstance(request, TraceCheck)
        found = finite.check_node(request)
        assert found.problem is None
        assert found.arguments
        assert all(each.agrees and each.engine_agrees for each in found.arguments)
