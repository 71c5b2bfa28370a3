"""Lesson 2.13 accepts right code however it is written, and names mistakes likewise.

That the lesson's own solutions and wrong answers are judged as told is `check`'s proof;
here is also that the numbers it states of batches and noise are true.
"""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch

from tests.lessons import judging, tables
from tests.lessons.judging import function
from tutor.answers import Choice, Number

ESTIMATE = "estimate(w, b, x, y, B, g)"
DRAW = "i = torch.randperm(len(x), generator=g)[:B]; "
MINIBATCHES = "minibatches(x, y, B, g)"
RATE = "rate(k)"

cell = partial(judging.cell, "2.13")


test_right_code_passes_however_it_is_written = tables.right_code_passes(
    "2.13",
    [
        (
            "estimate",
            function(ESTIMATE, DRAW + "return gradient(w, b, x[i], y[i])"),
        ),
        (
            "estimate",
            function(
                ESTIMATE,
                "i = torch.randint(len(x), (B,), generator=g); "
                "miss = w * x[i] + b - y[i]; "
                "return torch.cat([2 * miss * x[i], 2 * miss], 1).mean(0)",
            ),
        ),
        (
            "estimate",
            function(
                ESTIMATE,
                DRAW + "w = torch.tensor(w, requires_grad=True); "
                "b = torch.tensor(b, requires_grad=True); "
                "((w * x[i] + b - y[i]) ** 2).mean().backward(); "
                "return torch.stack([w.grad, b.grad])",
            ),
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "order = torch.randperm(len(x), generator=g); "
                "return [(x[i], y[i]) for i in order.split(B)]",
            ),
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "i = torch.randperm(len(x), generator=g); x, y = x[i], y[i]; "
                "return zip(x.split(B), y.split(B))",
            ),
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "i = torch.randperm(len(x), generator=g); "
                "yield from ((x[i[k:k+B]], y[i[k:k+B]]) for k in range(0, len(x), B))",
            ),
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "from torch.utils.data import DataLoader, TensorDataset; "
                "return DataLoader(TensorDataset(x, y), B, shuffle=True, generator=g)",
            ),
        ),
        ("rate", function(RATE, "return 0.1 * 0.99 ** k")),
        ("rate", function(RATE, "return 0.1 / math.sqrt(k + 1)")),
        ("rate", function(RATE, "return 0.05 if k < 250 else 0.005")),
        ("rate", function(RATE, "return 0.1 * 0.5 ** (k // 50)")),
        ("rate", function(RATE, "return 0.05 * (1 + math.cos(math.pi * k / 500))")),
        ("rate", function(RATE, "return torch.tensor(0.1) / (1 + 0.1 * k)")),
        ("rate", function(RATE, "return max(0.05 - 0.0002 * k, 0.001)")),
    ],
)


test_a_mistake_is_named_however_it_is_written = tables.mistakes_are_named(
    "2.13",
    [
        ("estimate", function(ESTIMATE, "return gradient(w, b, x, y)"), "That is GD"),
        (
            "estimate",
            function(ESTIMATE, "return gradient(w, b, x[-B:], y[-B:])"),
            "never heard",
        ),
        (
            "estimate",
            function(ESTIMATE, DRAW + "return B * gradient(w, b, x[i], y[i])"),
            "Take their mean",
        ),
        (
            "estimate",
            function(ESTIMATE, DRAW + "return -gradient(w, b, x[i], y[i])"),
            "points downhill",
        ),
        (
            "estimate",
            function(ESTIMATE, DRAW + "return gradient(w, b, x[i], y[i])[0]"),
            "shape",
        ),
        (
            "estimate",
            function(ESTIMATE, DRAW + "return gradient(w, b, x[i], y)"),
            "",
        ),
        (
            "estimate",
            function(ESTIMATE, "return gradient(w, b, x[:1], y[:1]) * 0"),
            "never heard",
        ),
        (
            "estimate",
            function(
                ESTIMATE,
                "i = torch.randperm(len(x), generator=g)[:1]; "
                "return gradient(w, b, x[i], y[i])",
            ),
            "scatter more",
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "i = torch.randperm(len(x), generator=g); "
                "return zip(x[i].split(B), y.split(B))",
            ),
            "stranger's y",
        ),
        (
            "minibatches",
            function(MINIBATCHES, "return zip(x.split(B), y.split(B))"),
            "Shuffle first",
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "torch.manual_seed(1); i = torch.randperm(len(x)); "
                "return zip(x[i].split(B), y[i].split(B))",
            ),
            "begins anew",
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "i = torch.randperm(len(x), generator=g)[:len(x) // B * B]; "
                "return zip(x[i].split(B), y[i].split(B))",
            ),
            "shorter batch is missing",
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "for _ in range(0, len(x), B): "
                "i = torch.randint(len(x), (B,), generator=g); yield x[i], y[i]",
            ),
            "",
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "for i in torch.randperm(len(x), generator=g).split(B): yield i",
            ),
            "a pair",
        ),
        (
            "minibatches",
            function(
                MINIBATCHES,
                "for i in torch.randperm(len(x), generator=g): yield x[i], y[i]",
            ),
            "shapes",
        ),
        ("minibatches", function(MINIBATCHES, "pass"), "Nothing came back"),
        ("rate", function(RATE, "return 0.1"), "hovers for ever"),
        ("rate", function(RATE, "return 0.02"), "begin with 0.05"),
        ("rate", function(RATE, "return 0.005"), "an age"),
        ("rate", function(RATE, "return 0.1 * 0.5 ** k"), "Too quick"),
        ("rate", function(RATE, "return 0.05 + 0.0001 * k"), "grows with k"),
        ("rate", function(RATE, "return 2 / (1 + 0.05 * k)"), "throw it far out"),
        ("rate", function(RATE, "return 0.1 - 0.0001 * k"), "too large at the end"),
        ("rate", function(RATE, "return 0.1 - 0.001 * k"), "walks uphill"),
        ("rate", function(RATE, "return math.nan"), "finite"),
        ("rate", function(RATE, "return 0.1 / k"), "division by zero"),
        ("rate", function(RATE, "return '0.1'"), "a number for every k"),
    ],
)


test_wrong_answers_to_questions_are_told = tables.wrong_answers_are_told(
    "2.13",
    [
        ("average", Number(8.0), "average *sum*"),
        ("quarter", Number(1.0), "errors that all cancel"),
        ("quarter", Number(2.0), "cancelled half of the noise"),
        ("epoch", Number(31.25), "happens or does not"),
        ("dropped", Number(640.0), "short batch"),
        ("hover", Number(0.0), "kicked out again"),
        ("price", Number(1000.0), "the other has 4"),
        ("uphill", Choice(1), "right on average"),
        ("choose", Choice(1), "hovers above the goal"),
    ],
)


# -- what the lesson says of its data


def data() -> tuple[torch.Tensor, torch.Tensor]:
    names: dict[str, Any] = {}
    exec(judging.lesson("2.13").setup, names)
    return names["x"], names["y"]


def point_gradients(w: float, b: float) -> torch.Tensor:
    """(1000, 2): the gradient of each point's squared error."""
    x, y = data()
    miss = w * x + b - y
    return torch.cat([2 * miss * x, 2 * miss], dim=1)


def batch_gradients(each: torch.Tensor, batch: int, draws: int = 2000) -> torch.Tensor:
    """(draws, 2): means of batches drawn without repeats."""
    g = torch.Generator().manual_seed(1)
    return torch.stack(
        [
            each[torch.randperm(len(each), generator=g)[:batch]].mean(dim=0)
            for _ in range(draws)
        ]
    )


def test_the_noise_halves_with_four_times_the_points() -> None:
    each = point_gradients(0.0, 0.0)
    full = each.mean(dim=0)
    torch.testing.assert_close(full, torch.tensor([10.5, -3.77]), rtol=0.01, atol=0)
    spreads = [
        batch_gradients(each, batch)[:, 0].std().item() for batch in (1, 4, 16, 64)
    ]

    for wide, narrow in pairwise(spreads):
        assert narrow / wide == pytest.approx(0.5, abs=0.06)
    assert spreads[0] == pytest.approx(16.4, rel=0.06)
    assert spreads[1] == pytest.approx(8.2, rel=0.06)
    assert cell("quarter").number == pytest.approx(spreads[2], rel=0.05)


def test_how_many_batches_lead_uphill() -> None:
    far, near = point_gradients(0.0, 0.0), point_gradients(-4.9, 1.9)

    def uphill(each: torch.Tensor, batch: int) -> float:
        return (
            (batch_gradients(each, batch) @ each.mean(dim=0) < 0).float().mean().item()
        )

    assert uphill(far, 1) == pytest.approx(0.05, abs=0.02)
    shares = {1: 0.42, 4: 0.36, 16: 0.24, 64: 0.08, 256: 0.0}
    for batch, share in shares.items():
        assert uphill(near, batch) == pytest.approx(share, abs=0.03), batch
    question = cell("uphill")
    assert question.choices[question.answer - 1] == "about 40"


Schedule = Callable[[int], float]


def excess(batch: int, rate: Schedule, iterations: int, runs: int = 60) -> torch.Tensor:
    """(iterations + 1, runs): how far SGD is above the least loss, run by run."""
    x, y = torch.empty(2, runs, 1000, dtype=torch.float64)
    for seed in range(runs):
        g = torch.Generator().manual_seed(seed)
        x[seed] = torch.randn(1000, generator=g)
        y[seed] = -5 * x[seed] + 2 + torch.randn(1000, generator=g)

    def loss(w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        miss: torch.Tensor = w * x + b - y
        return (miss**2).mean(dim=1)

    mean_x, mean_y = x.mean(1, keepdim=True), y.mean(1, keepdim=True)
    best = ((x - mean_x) * (y - mean_y)).mean(1, keepdim=True)
    best = best / ((x - mean_x) ** 2).mean(1, keepdim=True)
    least = loss(best, mean_y - best * mean_x)
    w = b = torch.zeros(runs, 1, dtype=torch.float64)
    g = torch.Generator().manual_seed(3)
    above = [loss(w, b) - least]
    for k in range(iterations):
        some = (x, y)
        if batch < 1000:
            place = torch.randint(1000, (runs, batch), generator=g)
            some = (x.gather(1, place), y.gather(1, place))
        miss = w * some[0] + b - some[1]
        w, b = (
            w - rate(k) * (2 * miss * some[0]).mean(1, keepdim=True),
            b - rate(k) * (2 * miss).mean(1, keepdim=True),
        )
        above.append(loss(w, b) - least)
    return torch.stack(above)


@pytest.mark.parametrize(("lr", "batch"), [(0.1, 8), (0.05, 1), (0.05, 4), (0.1, 16)])
def test_the_noise_floor_is_about_two_lr_over_the_batch(lr: float, batch: int) -> None:
    hovering = excess(batch, lambda k: lr, 500)[250:]

    assert hovering.mean().item() == pytest.approx(2 * lr / batch, rel=0.35)


def first_below(batch: int, goal: float) -> float:
    """The first iteration at which the middle run is; inf: never within 200."""
    middle = excess(batch, lambda k: 0.05, 200).median(dim=1).values
    below = (middle <= goal).nonzero()
    return below[0].item() if len(below) else math.inf


def test_what_a_batch_costs() -> None:
    assert first_below(1000, 0.1) == pytest.approx(28, abs=1)
    assert first_below(4, 0.1) == pytest.approx(29, abs=2)
    question = cell("choose")
    lines = question.text.strip().split("\n")[5:]
    rows = [line.strip("| ").split(" | ") for line in lines]
    stated = {int(batch): float(text.replace("never", "inf")) for batch, text in rows}
    for batch, iterations in stated.items():
        found = first_below(batch, 0.03)
        assert found == pytest.approx(iterations, abs=4), (batch, found)
    cheapest = min(stated, key=lambda batch: batch * stated[batch])
    assert question.choices[question.answer - 1] == str(cheapest)


def test_mismatched_pairs_leave_the_spread_of_y() -> None:
    _, y = data()

    assert y.var(correction=0).item() == pytest.approx(27.6, abs=0.1)


test_cells_keep_to_the_lesson_rules_of_length = tables.cells_keep_to_length(
    "2.13", prose=9
)
