"""Graphs behind tensors are read as expressions, and told apart where they part."""

from collections.abc import Callable

import pytest
import torch

from tutor.engine.check_names import CheckNames
from tutor.engine.learner import CheckFailedError
from tutor.engine.tensor_graphs import NODES_AT_MOST, form_of, nodes_of, parting

Expression = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@pytest.fixture
def x() -> torch.Tensor:
    return torch.tensor(2.0, requires_grad=True)


@pytest.fixture
def y() -> torch.Tensor:
    return torch.tensor(5.0, requires_grad=True)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (lambda x, y: (x + y) * 2, "(x + y) * 2"),
        (lambda x, y: 2.0 * (y + x), "(x + y) * 2"),
        (lambda x, y: y - x / 2, "y - (x / 2)"),
        (lambda x, _: x.square(), "x ** 2"),
        (lambda x, _: x * x, "x * x"),
        (lambda x, y: torch.sin(x + 1) * y, "sin(const + x) * y"),
        (lambda x, y: x * y.detach(), "5 * x"),
        (lambda x, _: x, "x"),
        (lambda x, _: x.detach(), "const"),
        (lambda x, _: x + torch.ones(2, requires_grad=True), "another leaf + x"),
        (lambda x, y: x**y, "x ** y"),
    ],
)
def test_a_graph_reads_as_an_expression(
    expression: Expression, text: str, x: torch.Tensor, y: torch.Tensor
) -> None:
    assert form_of(expression(x, y), {"x": x, "y": y}).text == text


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (lambda x, y: y * 3 + x, lambda x, y: x + 3 * y),
        (lambda x, y: torch.mul(2, y.add(x)), lambda x, y: (x + y) * 2),
        (lambda x, y: (s := y * x).square() + s, lambda x, y: (s := x * y) + s**2),
    ],
)
def test_one_graph_is_found_however_it_is_written(
    got: Expression, want: Expression, x: torch.Tensor, y: torch.Tensor
) -> None:
    assert parting(got(x, y), want(x, y), {"x": x, "y": y}) is None


@pytest.mark.parametrize(
    ("got", "want", "says"),
    [
        (
            lambda x, y: x + y * 2,
            lambda x, y: (x + y) * 2,
            "ends in `+`; the graph shown ends in `*`.",
        ),
        (
            lambda x, y: 2 * x**2 - y,
            lambda x, y: (2 * x) ** 2 - y,
            "has `(x ** 2) * 2` going into `-`; in the graph shown it is `(2 * x) ** 2`.",
        ),
        (
            lambda x, y: (x + y) * 3 + y,
            lambda x, y: (x - y) * 3 + y,
            "has `x + y` going into `*`; in the graph shown it is `x - y`.",
        ),
        (
            lambda x, y: y - x,
            lambda x, y: x - y,
            "has the two edges into `-` the other way round.",
        ),
        (
            lambda x, y: x * y + (x * y) ** 2,
            lambda x, y: (s := x * y) + s**2,
            "computes `x * y` 2 times; in the graph shown that is one node, used again.",
        ),
        (
            lambda x, y: (s := x * y) + s**2,
            lambda x, y: x * y + (x * y) ** 2,
            "has one node for `x * y`; the graph shown has 2 nodes.",
        ),
        (
            lambda x, _: x,
            lambda x, y: x * y,
            "has no node: its `grad_fn` is None.",
        ),
    ],
)
def test_where_two_graphs_part_is_told(
    got: Expression, want: Expression, says: str, x: torch.Tensor, y: torch.Tensor
) -> None:
    assert parting(got(x, y), want(x, y), {"x": x, "y": y}) == says


def test_a_huge_graph_is_told_by_its_size(x: torch.Tensor) -> None:
    value = x
    for _ in range(5000):
        value = value + value

    assert len(nodes_of(value)) == NODES_AT_MOST + 1
    said = parting(value, x * x, {"x": x})
    assert said == f"has over {NODES_AT_MOST} nodes; the graph shown has 2."
    assert CheckNames({}, "").graph_of(value, x=x) == ""


def test_a_check_fails_with_both_graphs(x: torch.Tensor, y: torch.Tensor) -> None:
    names = CheckNames({}, "")
    names.same_graph(y + x, x + y, x=x, y=y)

    with pytest.raises(CheckFailedError) as failed:
        names.same_graph(x * y, x + y, "`first`", x=x, y=y)

    assert failed.value.message == "`first` ends in `*`; the graph shown ends in `+`."
    assert failed.value.detail == "wanted  x + y\ngot     x * y"
    with pytest.raises(CheckFailedError, match="is a float, not a tensor"):
        names.same_graph(1.0, x + y, x=x, y=y)
