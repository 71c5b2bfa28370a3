"""What each setting of a run does: data, models, losses, optimisers, slips."""

import math

import pytest
import torch

from tutor.engine import datasets, functions, losses, models, optimisers
from tutor.engine.run import Run
from tutor.training import catalogue, options
from tutor.training.spec import RunSpec


def one(*changes: str) -> RunSpec:
    return options.race(None, changes).runs[0]


def trained(*changes: str) -> Run:
    """The first run, at its end."""
    run = Run(one(*changes))
    while run.iteration < run.spec.iterations and not run.diverged:
        run.advance()
    return run


def params(run: Run) -> dict[str, float]:
    return run.standing().params


def test_names_of_the_settings_are_those_of_the_engine() -> None:
    assert set(catalogue.DATASETS) == set(datasets.DATASETS)
    assert set(catalogue.FUNCTIONS) == set(functions.FUNCTIONS)
    assert set(catalogue.MODELS) == set(models.MODELS)
    assert set(catalogue.ACTIVATIONS) == set(models.ACTIVATIONS)
    assert set(catalogue.LOSSES) == set(losses.LOSSES)
    for name in catalogue.OPTIMISERS:
        made = optimisers.optimiser(one(f"optimiser={name}"), models.Constant())
        assert (made is None) == (name == "none")
    for name in catalogue.DATASETS:
        task = datasets.data(name, 4, 0.0, 0).task
        assert task == catalogue.task(name)


@pytest.mark.parametrize("name", list(catalogue.DATASETS))
def test_every_data_set_has_its_shape_and_seed(name: str) -> None:
    points, noise = catalogue.DATASETS[name]
    data = datasets.data(name, points, noise, seed=1)
    again = datasets.data(name, points, noise, seed=1)
    other = datasets.data(name, points, noise, seed=2)
    assert data.x.shape[0] == points
    assert data.y.shape == (points, 1)
    assert data.x.dtype is data.y.dtype is torch.float32
    assert torch.equal(data.x, again.x)
    assert torch.equal(data.y, again.y)
    if points > 4:
        assert not torch.equal(data.x, other.x)
    if data.task == "classify":
        assert data.y.mean() == pytest.approx(0.5, abs=0.1)


def test_test_data_are_others_of_the_same_kind() -> None:
    found = datasets.test_data(one("test=300", "dataset=standard"))
    assert found is not None
    assert found.x.shape == (300, 1)
    assert found.x.mean().abs() < 0.2
    assert found.x.mean() != 0
    outlier = datasets.test_data(one("test=300", "dataset=outlier"))
    assert outlier is not None
    assert outlier.y.max() < 100
    assert datasets.test_data(one()) is None
    other = datasets.test_data(one("test=300"))
    assert other is not None
    assert not torch.equal(datasets.data("line", 300, 1.0, 0).x, other.x)


# ------------------------------------------------------------ the curriculum's numbers


@pytest.mark.parametrize(
    ("lr", "w"),
    [(0.01, 0.3296), (0.1, 2.9539), (0.25, 3.0), (0.9, 2.9539), (1.1, -150.35)],
)
def test_the_bowl_of_2_12(lr: float, w: float) -> None:
    run = trained("dataset=bowl", f"lr={lr}", "iterations=20")
    assert params(run)["w"] == pytest.approx(w, abs=6e-3)


def test_the_bowl_is_left_exactly_in_one_step_or_bounces_for_ever() -> None:
    assert params(trained("dataset=bowl", "lr=0.5", "iterations=1")) == {"w": 3.0}
    assert params(trained("dataset=bowl", "lr=1", "iterations=7")) == {"w": 7.0}


@pytest.mark.parametrize(
    ("start", "lr", "w"),
    [(0.1, 0.1, -1.3008), (0.2, 0.1, 1.1309), (2.0, 0.1, -1.3008)],
)
def test_the_valleys_of_2_12(start: float, lr: float, w: float) -> None:
    run = trained("dataset=valleys", f"start={start}", f"lr={lr}", "iterations=200")
    assert params(run)["w"] == pytest.approx(w, abs=1e-3)


def test_the_valleys_are_left_with_a_large_step() -> None:
    assert trained("dataset=valleys", "start=2", "lr=0.2").diverged


@pytest.mark.parametrize(
    ("lr", "name", "value"),
    [
        (0.03, "a", 0.476),
        (0.075, "a", 0.0041),
        (0.079, "b", 0.0795),
        (0.081, "b", 11.8),
    ],
)
def test_the_ravine_of_2_12(lr: float, name: str, value: float) -> None:
    run = trained("dataset=ravine", f"lr={lr}", "iterations=100")
    assert abs(params(run)[name]) == pytest.approx(value, rel=0.02)


def test_the_best_constant_is_the_mean_and_its_loss_the_variance() -> None:
    run = trained("model=constant", "lr=0.5", "iterations=3")
    assert params(run)["b"] == pytest.approx(run.data.y.mean().item(), abs=1e-5)
    assert run.standing().loss == pytest.approx(27.56, abs=0.05)


def test_a_parabola_on_a_line_is_the_line() -> None:
    run = trained("model=parabola", "iterations=300")
    x, y = run.data.x, run.data.y
    columns = torch.cat([x, x**2, torch.ones_like(x)], 1)
    best = torch.linalg.lstsq(columns, y).solution.flatten().tolist()
    assert list(params(run)) == ["w", "a", "b"]
    assert list(params(run).values()) == pytest.approx(best, abs=1e-3)
    assert abs(params(run)["a"]) < 0.01
    line = trained("model=linear", "iterations=300").standing().loss
    assert run.standing().loss == pytest.approx(line, rel=1e-3)


def test_a_parabola_of_two_features_holds_a_circle() -> None:
    settings = ("dataset=circle", "optimiser=adam", "lr=0.1", "iterations=300")
    curved = trained("model=parabola", *settings)
    assert list(params(curved)) == ["w1", "w2", "a1", "a2", "b"]
    assert curved.standing().accuracy == pytest.approx(1, abs=0.01)
    straight = trained("model=linear", *settings).standing().accuracy
    assert straight == pytest.approx(0.5, abs=0.15)


def test_an_outlier_moves_the_mean_square_and_not_the_mean_error() -> None:
    squares = trained("dataset=outlier", "iterations=3000")
    assert params(squares) == pytest.approx({"w": -1.096, "b": 2.934}, abs=2e-3)
    for dataset in ("outlier", "line"):
        errors = trained(f"dataset={dataset}", "loss=mae", "iterations=3000")
        assert params(errors) == pytest.approx({"w": -5.014, "b": 2.002}, abs=0.02)


def test_a_sum_is_a_mean_with_another_learning_rate() -> None:
    mean = trained("lr=0.05", "iterations=10")
    total = trained("lr=0.00005", "loss=sse", "iterations=10")
    assert params(total) == pytest.approx(params(mean), rel=1e-4)
    assert trained("lr=0.05", "loss=sse", "iterations=10").diverged


def test_a_wide_feature_is_slow_and_a_standardised_one_is_not() -> None:
    slow = trained("dataset=wide", "lr=2.9e-4", "iterations=1000")
    assert params(slow)["b"] == pytest.approx(0.22, abs=0.05)
    assert trained("dataset=wide", "lr=3.1e-4", "iterations=1000").diverged
    quick = trained("dataset=standard", "lr=0.1", "iterations=100")
    assert quick.standing().loss == pytest.approx(0.9493, abs=1e-3)


def test_shuffled_targets_leave_nothing_to_learn() -> None:
    run = trained("dataset=shuffled", "lr=0.3", "iterations=100")
    assert abs(params(run)["w"]) < 0.3
    assert run.standing().loss > 27


def test_gradients_that_are_never_cleared_swing() -> None:
    run = trained("slip=no-zero-grad", "lr=0.05", "iterations=100")
    clean = trained("lr=0.05", "iterations=100")
    assert run.standing().loss > 2 * clean.standing().loss
    again = Run(one("slip=no-zero-grad"))
    plain = Run(one())
    for _ in range(2):
        again.advance()
        plain.advance()
    # Goh, Why momentum really works: never clearing is a momentum of 1.
    heavy = Run(one("optimiser=momentum", "momentum=1"))
    heavy.advance()
    heavy.advance()
    assert params(again) == pytest.approx(params(heavy), rel=1e-5)
    assert params(again)["w"] != pytest.approx(params(plain)["w"], rel=1e-2)


def test_broadcast_targets_are_a_constant_model() -> None:
    run = trained("slip=broadcast", "lr=0.3", "iterations=100")
    assert params(run) == pytest.approx({"w": 0.0, "b": 1.885}, abs=2e-3)
    assert run.standing().loss == pytest.approx(27.56, abs=0.05)


def test_a_second_sigmoid_keeps_the_loss_up() -> None:
    run = trained("slip=double-sigmoid", "model=mlp")
    assert run.standing().loss > 0.503
    assert trained("model=mlp").standing().loss < 0.03
    twice = trained("slip=double-sigmoid", "model=perceptron", "iterations=300")
    assert twice.standing().loss > 0.503


def test_an_mlp_of_zeros_learns_nothing() -> None:
    run = trained("model=mlp", "init=zero", "iterations=100")
    assert run.standing().loss == pytest.approx(math.log(2), abs=1e-3)


def test_a_perceptron_is_a_line_with_a_sigmoid() -> None:
    run = trained("model=perceptron", "lr=1", "iterations=300")
    line = trained("model=linear", "dataset=moons", "lr=1", "iterations=300")
    assert params(run) == pytest.approx(params(line), rel=1e-3)
    assert run.standing().accuracy == line.standing().accuracy
    assert run.standing().accuracy > 0.8  # type: ignore[operator]
    assert trained("model=perceptron", "loss=mse", "lr=1").standing().accuracy > 0.8  # type: ignore[operator]


def test_a_random_search_never_gets_worse_and_none_stays() -> None:
    run = Run(one("optimiser=random", "lr=0.3", "iterations=200"))
    last = math.inf
    while run.iteration < 200:
        run.advance()
        assert run.standing().loss <= last
        last = run.standing().loss
    assert last < 15
    assert params(trained("optimiser=none")) == {"w": 0.0, "b": 0.0}


def test_momentum_and_decay_are_what_they_say() -> None:
    zero = trained("optimiser=momentum", "momentum=0")
    assert params(zero) == params(trained())
    run = Run(one("dataset=bowl", "lr=0.1", "decay=0.5", "start=0", "iterations=3"))
    w = 0.0
    for k in range(3):
        run.advance()
        w -= 0.1 / (1 + 0.5 * k) * 2 * (w - 3)
        assert params(run)["w"] == pytest.approx(w, rel=1e-6)


def test_a_start_is_where_it_starts() -> None:
    assert params(Run(one("start=-4.5,1"))) == {"w": -4.5, "b": 1.0}
    assert params(Run(one("dataset=ravine", "start=1,-2"))) == {"a": 1.0, "b": -2.0}
    run = Run(one("model=perceptron", "start=1,2,3"))
    assert params(run) == {"w1": 1.0, "w2": 2.0, "b": 3.0}


@pytest.mark.parametrize("name", ["circle", "xor", "moons", "spiral", "sin", "corners"])
def test_an_mlp_beats_a_linear_model_on_what_is_not_linear(name: str) -> None:
    change = f"dataset={name}", "optimiser=adam", "lr=0.02"
    straight = trained("model=linear", "runs=gd", *change, "iterations=300")
    bent = trained("model=mlp", *change, "iterations=1000")
    assert bent.standing().loss < 0.5 * straight.standing().loss
