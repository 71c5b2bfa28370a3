"""What the curriculum measured, over as many seeds as it says: bands of section 2.14,
noise floors, the largest learning rate, how often nets learn XOR and the circle.

The bands hold for any generator of random numbers, so they are wider than what one of
them gives.
"""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.engine.seen_runs import seen, spec
from tests.engine.test_luck import end, lucky, race
from tutor.engine import train, views
from tutor.training import options
from tutor.training.luck import LuckRun
from tutor.training.run import Finished, RunEnd
from tutor.training.spec import RaceSpec, SliceRequest
from tutor.training.views import Surface, ViewRequest

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def quantiles(values: tuple[float, ...]) -> list[float]:
    shares = torch.tensor(SHARES, dtype=torch.float64)
    found: list[float] = (
        torch.tensor(values, dtype=torch.float64).quantile(shares).tolist()
    )
    return found


# --------------------------------------------------------------------- section 2.14


def test_the_bands_of_2_14_over_500_seeds() -> None:
    found = lucky(options.race(None), seeds=500)
    assert found.end is not None
    runs = found.end.runs
    expected = {
        "gd": ([1.064, 1.114, 1.150, 1.189, 1.246], 0.02),
        "minibatch": ([1.001, 1.070, 1.164, 1.294, 1.597], 0.06),
        "sgd": ([0.989, 1.099, 1.244, 1.581, 2.633], 0.12),
    }
    for name, (losses, within) in expected.items():
        assert quantiles(runs[name].losses) == pytest.approx(losses, rel=within)
        band = found.points[name]
        last = [band.low[-1], band.median[-1], band.high[-1]]
        assert last == pytest.approx(losses[::2], rel=within)
        assert band.median[0] == pytest.approx(31, abs=1)
    assert found.end.better == pytest.approx({"minibatch": 0.48, "sgd": 0.37}, abs=0.06)
    distances = {
        "gd": (0.312, 0.392, 0.472),
        "minibatch": (0.136, 0.404, 0.776),
        "sgd": (0.135, 0.484, 1.303),
    }
    for name, far in distances.items():
        assert runs[name].distance == pytest.approx(far, rel=0.12)


def test_gd_goes_down_in_every_run_of_2_14() -> None:
    gd = RaceSpec(options.race(None).runs[:1])
    band = lucky(gd, seeds=100).points["gd"]
    for column in (band.low, band.median, band.high):
        assert list(column) == sorted(column, reverse=True)


@pytest.mark.slow
def test_an_undertrained_line_ends_where_theory_says() -> None:
    """Section 2.15: 100 iterations at lr 0.01 with batches of 4; w = -5 (1 - 0.98^100)."""
    one = end(race(batch=4, lr=0.01, iterations=100), seeds=1000).runs["it"]
    low, _, median, _, high = quantiles(tuple(w for w, _ in one.places))
    assert median == pytest.approx(-5 * (1 - 0.98**100), abs=0.02)
    assert (low, median, high) == pytest.approx((-4.531, -4.335, -4.104), abs=0.04)


# --------------------------------------------------------------------- section 2.13


@pytest.mark.slow
def test_the_noise_floor() -> None:
    """Medians of 200 seeds after 500 iterations; the floor of the data is 1."""
    floors = {(1, 0.05): 1.08, (1, 0.2): 1.54, (4, 0.2): 1.09, (16, 0.5): 1.11}
    one = options.race({"iterations": 500}).runs[0]
    runs = [
        replace(one, name=f"{batch} {lr}", batch=batch, lr=lr) for batch, lr in floors
    ]
    found = end(RaceSpec(tuple(runs)), seeds=200).runs
    for (batch, lr), floor in floors.items():
        median = quantiles(found[f"{batch} {lr}"].losses)[2]
        assert median - 1 == pytest.approx(floor - 1, rel=0.25)


def test_single_points_diverge_where_whole_data_do_not() -> None:
    one = options.race({"iterations": 500, "lr": 0.9}).runs[0]
    runs = (replace(one, name="gd"), replace(one, name="sgd", batch=1))
    found = end(RaceSpec(runs), seeds=20).runs
    assert found["gd"].diverged == 0
    assert found["sgd"].diverged == 20


# --------------------------------------------------------------------- section 2.12


def trained(**settings: Any) -> RunEnd:
    one = replace(spec(**settings), name="it")
    *_, finished = train.train(SliceRequest(RaceSpec((one,))))
    assert isinstance(finished, Finished)
    return finished.runs["it"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "limit"), [(0, 0.9346), (1, 0.9435), (2, 0.9621), (42, 0.9919)]
)
def test_gd_diverges_within_1_percent_of_two_over_lambda_max(
    seed: int, limit: float
) -> None:
    surface = views.answer(ViewRequest("surface", "gd"), seen(spec(seed=seed)))
    assert isinstance(surface, Surface)
    assert surface.lr_limit == pytest.approx(limit, abs=2e-4)
    low, high = 0.5 * limit, 2 * limit
    while high - low > 0.002 * limit:
        lr = (low + high) / 2
        if trained(seed=seed, lr=lr, iterations=2000).stopped == "diverged":
            high = lr
        else:
            low = lr
    assert surface.lr_limit == pytest.approx((low + high) / 2, rel=0.01)


# --------------------------------------------------------------------- section 2.18


def learned(inits: int = 100, **settings: Any) -> LuckRun:
    """How a net fares with its circle or corners, and that many initial parameters."""
    one = race(**{"model": "mlp", "optimiser": "adam", "lr": 0.05, **settings})
    return end(one, seeds=inits, vary="init").runs["it"]


CORNERS: dict[str, Any] = {"dataset": "corners", "iterations": 1000}
CIRCLE: dict[str, Any] = {"dataset": "circle"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("widths", "activation", "percent"),
    [
        ([2], "sigmoid", 46),
        ([2], "relu", 20),
        ([3], "sigmoid", 79),
        ([3], "tanh", 89),
        ([3], "relu", 49),
        ([4], "sigmoid", 93),
        ([4], "tanh", 97),
        ([4], "relu", 65),
        ([8], "sigmoid", 100),
        ([8], "tanh", 100),
        ([8], "relu", 95),
        ([3, 5], "sigmoid", 90),
        ([3, 5], "tanh", 100),
        ([3, 5], "relu", 62),
    ],
)
def test_how_often_xor_is_learned(
    widths: list[int], activation: str, percent: float
) -> None:
    found = learned(widths=widths, activation=activation, **CORNERS)
    assert found.success is not None
    assert 100 * found.success == pytest.approx(percent, abs=5)


@pytest.mark.slow
def test_two_tanh_units_learn_xor_half_the_time() -> None:
    """The curriculum's 100 inits gave 43; these 100 give 51, and 2000 give 48.6."""
    found = learned(500, widths=[2], activation="tanh", **CORNERS)
    assert found.success is not None
    assert 100 * found.success == pytest.approx(48.6, abs=5)


@pytest.mark.slow
def test_the_seeds_own_net_does_not_learn_xor_with_sgd() -> None:
    settings = {**CORNERS, "optimiser": "sgd", "lr": 0.5, "iterations": 2000}
    found = learned(widths=[3, 5], activation="sigmoid", **settings)
    assert found.success is not None
    assert 100 * found.success == pytest.approx(12, abs=5)
    assert quantiles(found.losses)[2] == pytest.approx(0.693, abs=0.001)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("widths", "activation", "iterations", "percent"),
    [
        ([3], "tanh", 1000, 100),
        ([3], "sigmoid", 500, 100),
        ([8], "tanh", 300, 100),
        ([8], "sigmoid", 300, 100),
        ([8], "relu", 300, 97.5),
    ],
)
def test_how_often_the_circle_is_learned(
    widths: list[int], activation: str, iterations: int, percent: float
) -> None:
    settings = {**CIRCLE, "iterations": iterations}
    found = learned(widths=widths, activation=activation, **settings)
    assert found.success is not None
    assert 100 * found.success == pytest.approx(percent, abs=5)


def test_two_units_cannot_enclose_the_circle() -> None:
    found = learned(20, widths=[2], activation="tanh", iterations=200, **CIRCLE)
    assert found.success == 0


@pytest.mark.slow
def test_the_seeds_own_net_on_the_circle() -> None:
    settings = {**CIRCLE, "widths": [3, 5], "activation": "sigmoid"}
    stuck = learned(optimiser="sgd", lr=0.1, iterations=2000, **settings)
    assert stuck.success == 0
    assert quantiles(stuck.losses)[2] == pytest.approx(0.693, abs=0.001)
    rescued = learned(lr=0.05, iterations=1000, **settings)
    assert rescued.success is not None
    assert 100 * rescued.success == pytest.approx(97.5, abs=5)
