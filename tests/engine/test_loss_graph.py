"""What is read off the graph behind a loss, before and after the backward pass."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tutor.engine.loss_graph import Broadcast, LossGraph, read

N = 7
G = torch.Generator().manual_seed(0)
x = torch.randn(N, 1, generator=G)
y = torch.randn(N, 1, generator=G)
flat = y[:, 0]
ones = (y > 0).float()
classes = torch.arange(N) % 3
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
net = nn.Linear(1, 1)
three = nn.Linear(1, 3)
unit = nn.Sequential(nn.Linear(1, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid())
Make = Callable[[], Tensor]


def line() -> Tensor:
    return x * w + b


def errors() -> Tensor:
    return (line() - y).flatten()


def by_hand(p: Tensor) -> Tensor:
    return -(ones * torch.log(p) + (1 - ones) * torch.log(1 - p))


USUAL: dict[str, Make] = {
    "mean of squares": lambda: ((line() - y) ** 2).mean(),
    "half the mean": lambda: 0.5 * ((line() - y) ** 2).mean(),
    "mse": lambda: functional.mse_loss(net(x), y),
    "flat mse": lambda: functional.mse_loss(net(x).squeeze(1), flat),
    "mae": lambda: functional.l1_loss(net(x), y),
    "root": lambda: ((line() - y) ** 2).mean().sqrt(),
    "sum divided": lambda: ((line() - y) ** 2).sum() / N,
    "sum divided by 2n": lambda: ((line() - y) ** 2).sum() / (2 * N),
    "sum times 1/n": lambda: ((line() - y) ** 2).sum() * (1 / N),
    "dot divided": lambda: errors() @ errors() / N,
    "sum of each, mean of all": lambda: ((three(x) - 1) ** 2).sum(1).mean(),
    "bce": lambda: functional.binary_cross_entropy(unit(x), ones),
    "bce with logits": lambda: functional.binary_cross_entropy_with_logits(
        net(x), ones
    ),
    "bce by hand": lambda: by_hand(unit(x)).mean(),
    "cross entropy": lambda: functional.cross_entropy(three(x), classes),
    "log softmax": lambda: functional.nll_loss(torch.log_softmax(three(x), 1), classes),
    "sigmoid and mse": lambda: functional.mse_loss(unit(x), ones),
    "penalty": lambda: functional.mse_loss(net(x), y) + 0.1 * (net.weight**2).sum(),
    "plain penalty": lambda: functional.mse_loss(net(x), y) + (net.weight**2).sum(),
    "all pairs, asked for": lambda: (net(x)[:, 0][:, None] - flat).abs().mean(),
    "all pairs of outputs": lambda: (net(x) - net(x).T).pow(2).mean(),
    "one point": lambda: ((x[:1] * w - flat[:1]) ** 2).sum(),
    "no graph": lambda: torch.tensor(1.0),
    "many numbers": lambda: (line() - flat) ** 2,
}
SUMMED: dict[str, Make] = {
    "sum": lambda: ((line() - y) ** 2).sum(),
    "torch.sum": lambda: torch.sum(torch.square(y - line())),
    "over axis 0": lambda: ((line() - y) ** 2).sum(0),
    "negative": lambda: -((line() - y) ** 2).sum(),
    "dot": lambda: (lambda e: e @ e)(errors()),
    "matrix product": lambda: (lambda e: (e.T @ e)[0, 0])(line() - y),
    "mse": lambda: functional.mse_loss(net(x), y, reduction="sum"),
    "with a penalty": lambda: (
        functional.mse_loss(net(x), y, reduction="sum") + net.bias.abs().mean()
    ),
    "abs": lambda: (net(x) - y).abs().sum(),
    "cross entropy": lambda: functional.cross_entropy(
        three(x), classes, reduction="sum"
    ),
    "bce": lambda: by_hand(unit(x)).sum(),
}
BROADCAST: dict[str, tuple[Make, tuple[int, ...]]] = {
    "by hand": (lambda: ((line() - flat) ** 2).mean(), (N, 1)),
    "turned round": (lambda: ((flat - line()) ** 2).mean(), (N, 1)),
    "mse": (lambda: functional.mse_loss(net(x), flat), (N, 1)),
    "huber": (lambda: functional.huber_loss(net(x), flat), (N, 1)),
    "flat outputs": (lambda: functional.mse_loss(net(x).squeeze(), y), (N,)),
    "abs": (lambda: (net(x) - flat).abs().mean(), (N, 1)),
    "half": (lambda: ((net(x) - flat) ** 2).mean() / 2, (N, 1)),
}
DOUBLED: dict[str, Make] = {
    "sigmoid before logits": lambda: functional.binary_cross_entropy_with_logits(
        unit(x), ones
    ),
    "squeezed": lambda: functional.binary_cross_entropy_with_logits(
        unit(x).squeeze(1), ones[:, 0]
    ),
    "twice before bce": lambda: functional.binary_cross_entropy(
        torch.sigmoid(unit(x)), ones
    ),
    "twice before a log": lambda: by_hand(torch.sigmoid(unit(x))).mean(),
}


@pytest.fixture(autouse=True)
def _no_warning() -> None:
    """torch warns of a broadcast itself, sometimes."""
    warnings.simplefilter("ignore")


def before_and_after(make: Make) -> list[LossGraph]:
    loss = make()
    first = read(loss)
    if loss.grad_fn is not None and loss.numel() == 1:
        loss.backward()
    return [first, read(loss)]


@pytest.mark.parametrize("name", USUAL)
def test_a_usual_loss_has_nothing_to_remark(name: str) -> None:
    assert before_and_after(USUAL[name]) == [LossGraph(), LossGraph()]


@pytest.mark.parametrize("name", SUMMED)
def test_a_sum_is_told_with_its_count(name: str) -> None:
    found = LossGraph(summed=N)
    assert before_and_after(SUMMED[name]) == [found, found]


def test_a_factor_is_only_known_before_the_backward_pass() -> None:
    halved = before_and_after(lambda: 0.5 * ((line() - y) ** 2).sum())
    assert [each.summed for each in halved] == [N, None]


@pytest.mark.parametrize("name", BROADCAST)
def test_all_pairs_are_told_with_their_shapes(name: str) -> None:
    make, outputs = BROADCAST[name]
    found = LossGraph(broadcast=Broadcast(outputs, (N, N)))
    assert before_and_after(make) == [found, found]


@pytest.mark.parametrize("name", DOUBLED)
def test_one_sigmoid_too_many(name: str) -> None:
    found = LossGraph(doubled="sigmoid")
    assert before_and_after(DOUBLED[name]) == [found, found]


def test_one_softmax_too_many() -> None:
    make = lambda: functional.cross_entropy(functional.softmax(three(x), 1), classes)  # noqa: E731
    assert before_and_after(make) == [LossGraph(doubled="softmax")] * 2


def test_the_graph_is_only_read() -> None:
    loss = ((line() - y) ** 2).sum()
    read(loss)
    slope = torch.autograd.grad(loss, w)[0]
    read(loss)
    torch.testing.assert_close(slope[0], 2 * (x * -y).sum())
