"""Mistakes recognised in runs of ours, and correct runs in which nothing is."""

import math
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tutor.engine import datasets, models, optimisers, slips
from tutor.engine.datasets import Data
from tutor.training.findings import Finding
from tutor.training.spec import Change, RunSpec

MSE: slips.LossOf = functional.mse_loss
BCE: slips.LossOf = functional.binary_cross_entropy_with_logits
TASKS: dict[str, slips.LossOf] = {"fit": MSE, "classify": BCE}


def sse(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.mse_loss(outputs, targets, reduction="sum")


class Loop:
    """A training loop as `engine.train` has it, with what can be done wrong in it."""

    def __init__(self, spec: RunSpec, loss_of: slips.LossOf | None = None) -> None:
        self.spec = spec
        self.data = datasets.data(spec.dataset, spec.points, spec.noise, spec.seed)
        self.loss_of = loss_of or TASKS[self.data.task]
        self.model = models.model(spec, self.data.x.shape[1])
        optimiser = optimisers.optimiser(spec, self.model)
        assert optimiser is not None
        self.optimiser = optimiser
        self.findings: list[Finding] = []

    def run(self, iterations: int) -> list[Finding]:
        batches = torch.Generator().manual_seed(1)
        for iteration in range(iterations):
            chosen = torch.arange(self.spec.points)
            if self.spec.batch is not None:
                order = torch.randperm(self.spec.points, generator=batches)
                chosen = order[: self.spec.batch]
            loss = self.loss(self.data.x[chosen], self.data.y[chosen])
            if self.spec.slip != "no-zero-grad":
                self.optimiser.zero_grad()
            self.findings += slips.found(
                self.spec, self.model, self.data, self.loss_of, loss, iteration
            )
            loss.backward()
            self.optimiser.step()
            value = self.value()
            if not value <= 1e6 * max(1, self.first):
                self.findings += slips.ended(
                    self.spec, self.model, self.data, self.loss_of, iteration + 1, value
                )
                break
        return self.findings

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        outputs: Tensor = self.model(x)
        if self.spec.slip == "broadcast":
            return (outputs - y[:, 0]).square().mean()
        if self.spec.slip == "double-sigmoid":
            outputs = torch.sigmoid(outputs)
        loss = self.loss_of(outputs, y)
        if not hasattr(self, "first"):
            self.first = loss.item()
        return loss

    first = 1.0

    def value(self) -> float:
        with torch.no_grad():
            return self.loss_of(self.model(self.data.x), self.data.y).item()


def kinds(found: list[Finding]) -> list[str]:
    return [each.kind for each in found]


def line(**settings: object) -> RunSpec:
    return RunSpec("gd", **settings)  # type: ignore[arg-type]


def mlp(dataset: str = "circle", **settings: object) -> RunSpec:
    given = {"model": "mlp", "widths": (8,), "points": 100, "noise": 0.05, **settings}
    return RunSpec("net", dataset=dataset, **given)  # type: ignore[arg-type]


CORRECT = [
    *(line(seed=seed, batch=batch) for seed, batch in product(range(4), (None, 4, 1))),
    *(line(optimiser=each, lr=0.05) for each in ("momentum", "adam")),
    *(
        mlp(dataset, activation=each, optimiser=optimiser, lr=0.05)
        for dataset, each, optimiser in product(
            ("circle", "xor", "moons", "spiral"), ("tanh", "relu"), ("sgd", "adam")
        )
    ),
    *(mlp("sin", widths=widths, lr=0.01) for widths in ((3,), (8, 8), (16, 16))),
    mlp(batch=10, lr=0.1, activation="sigmoid"),
]


@pytest.mark.parametrize("number", range(len(CORRECT)))
def test_a_correct_run_has_no_finding(number: int) -> None:
    assert len(CORRECT) >= 30
    assert Loop(CORRECT[number]).run(20) == []


def test_a_gradient_that_was_not_cleared() -> None:
    (found,) = Loop(line(slip="no-zero-grad")).run(10)
    assert (found.kind, found.iteration, found.tensor) == ("no-zero-grad", 1, "w")


def test_all_pairs() -> None:
    (found,) = Loop(line(slip="broadcast", points=50)).run(10)
    assert (found.kind, found.iteration) == ("broadcast", 0)
    assert found.shapes == ("(50, 1)", "(50, 50)")


def test_one_sigmoid_too_many() -> None:
    (found,) = Loop(mlp(slip="double-sigmoid")).run(10)
    assert (found.kind, found.text) == ("double-sigmoid", "sigmoid")


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_units_that_stay_alike(activation: str) -> None:
    loop = Loop(mlp(activation=activation, lr=0.5))
    with torch.no_grad():
        for each in loop.model.parameters():
            each.fill_(0.5 if activation == "tanh" else 0.0)
    (found,) = loop.run(10)
    assert (found.kind, found.iteration, found.tensor) == ("zero-init", 3, "0")


def test_zeros_that_become_unlike_are_no_mistake() -> None:
    """Only the last layer begins at zero: the others learn from the second step on."""
    loop = Loop(mlp(lr=0.5))
    with torch.no_grad():
        for each in list(loop.model.parameters())[-2:]:
            each.zero_()
    assert loop.run(10) == []


def test_a_sum_that_is_too_much_for_the_learning_rate() -> None:
    first, *rest = Loop(line(loss="sse"), sse).run(25)
    assert (first.kind, first.iteration, first.facts["n"]) == ("sum", 0, 1000)
    assert first.limit == pytest.approx(0.9346 / 1000, rel=0.001)
    assert kinds(rest) == ["diverged"]


def test_a_sum_with_a_learning_rate_that_fits_is_no_mistake() -> None:
    assert Loop(line(loss="sse", lr=5e-5), sse).run(25) == []
    assert Loop(line(loss="sse", lr=0.05, batch=4), sse).run(25) == []


def test_a_sum_that_was_turned_on_later_is_told_when_it_diverges() -> None:
    spec = line(lr=0.05, changes=(Change(3, "loss", "sse"),))
    found = slips.ended(spec, nn.Linear(1, 1), Loop(line()).data, sse, 5, 1e9)
    assert kinds(list(found)) == ["sum", "diverged"]
    assert found[1].limit == pytest.approx(0.9346 / 1000, rel=0.001)


# ------------------------------------------------------------------------- divergence


def test_a_run_that_left_all_bounds() -> None:
    (found,) = Loop(line(lr=1.5)).run(50)
    assert found.kind == "diverged"
    assert found.lr == 1.5
    assert found.limit == pytest.approx(0.9346, abs=0.0001)
    assert found.tensor in ("w", "b")
    assert found.facts["loss"] > 1e6
    assert abs(found.facts["size"]) > 1e3
    assert 5 < found.iteration < 25


def test_the_settings_are_those_of_the_last_update() -> None:
    changed = line(lr=0.1, decay=0.5, changes=(Change(10, "lr", 2.0),))
    loop = Loop(changed)
    for iteration, lr in ((10, 0.1 / 5.5), (11, 2.0 / 6)):
        (found,) = slips.ended(
            changed, loop.model, loop.data, loop.loss_of, iteration, 1e9
        )
        assert found.lr == pytest.approx(lr)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("0.weight", "0.weight"),
        ("2.bias.grad", "2.bias.grad"),
        ("", "loss"),
    ],
)
def test_the_first_tensor_that_is_not_finite(damage: str, named: str) -> None:
    loop = Loop(mlp())
    loop.loss(loop.data.x, loop.data.y).backward()
    parameters = dict(loop.model.named_parameters())
    with torch.no_grad():
        if damage.endswith(".grad"):
            parameters["0.weight"].fill_(math.nan)  # what the gradient led to
            grad = parameters[damage.removesuffix(".grad")].grad
            assert grad is not None
            grad.fill_(math.inf)
        elif damage:
            parameters[damage].fill_(math.nan)
    (found,) = slips.ended(loop.spec, loop.model, loop.data, loop.loss_of, 9, math.nan)
    assert (found.kind, found.tensor, found.iteration) == ("not-finite", named, 9)


@pytest.mark.parametrize("seed", [0, 42])
def test_the_limit_is_where_gradient_descent_begins_to_diverge(seed: int) -> None:
    """Bisected over 400 iterations, within 1 %."""
    data = datasets.data("line", 1000, 1.0, seed)
    limit = slips.lr_limit(line(), nn.Linear(1, 1), data, MSE)
    assert limit is not None

    def diverges(lr: float) -> bool:
        x = torch.cat([data.x, torch.ones_like(data.x)], 1).double()
        place = torch.zeros(2, 1, dtype=torch.float64)
        for _ in range(400):
            place -= lr * 2 / len(x) * x.T @ (x @ place - data.y)
        return not bool(place.abs().max() < 1e3)

    low, high = 0.8, 1.2
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (low, middle) if diverges(middle) else (middle, high)
    assert limit == pytest.approx(low, rel=0.01)


def test_momentum_has_another_limit_and_other_losses_have_none() -> None:
    data = datasets.data("line", 200, 1.0, 0)
    model = nn.Linear(1, 1)
    plain = slips.lr_limit(line(), model, data, MSE)
    assert plain is not None
    heavy = line(optimiser="momentum", momentum=0.5)
    assert slips.lr_limit(heavy, model, data, MSE) == pytest.approx(1.5 * plain)
    assert slips.lr_limit(line(optimiser="adam"), model, data, MSE) is None
    assert slips.lr_limit(line(), model, data, functional.l1_loss) is None
    ones = Data(data.x, (data.y > 0).float(), "classify")
    assert slips.lr_limit(line(), model, ones, BCE) is None
    net = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))
    assert slips.lr_limit(line(), net, data, MSE) is None


def test_nothing_of_the_run_is_changed() -> None:
    loop = Loop(mlp())
    loss = loop.loss(loop.data.x, loop.data.y)
    loss.backward(retain_graph=True)
    before = [each.clone() for each in loop.model.parameters()]
    grads = [
        each.grad.clone() for each in loop.model.parameters() if each.grad is not None
    ]
    random = torch.random.get_rng_state()
    for iteration in range(4):
        slips.found(loop.spec, loop.model, loop.data, loop.loss_of, loss, iteration)
    slips.ended(loop.spec, loop.model, loop.data, loop.loss_of, 5, math.nan)
    slips.constant_hessian(loop.model, loop.data, loop.loss_of)
    assert torch.equal(random, torch.random.get_rng_state())
    for each, was, grad in zip(loop.model.parameters(), before, grads, strict=True):
        assert torch.equal(each, was)
        assert each.grad is not None
        assert torch.equal(each.grad, grad)
