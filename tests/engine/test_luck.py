"""A race over many seeds at once is each seed's own run, and tells its spread."""

import math
import os
import signal
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.engine.seen_runs import spec
from tutor import wire
from tutor.engine import luck as engine
from tutor.engine import train
from tutor.errors import TutorError
from tutor.training import options
from tutor.training.luck import LuckEnd, LuckPoints, LuckRequest
from tutor.training.lucky import Lucky
from tutor.training.run import Finished
from tutor.training.spec import Change, RaceSpec, RunSpec, SliceRequest


def lucky(race: RaceSpec, **how: Any) -> Lucky:
    """All that came of a race over many seeds."""
    request = LuckRequest(race, **how)
    so_far = Lucky(request)
    for arrived in engine.luck(request):
        so_far.add(arrived)
    assert so_far.end is not None
    return so_far


def end(race: RaceSpec, **how: Any) -> LuckEnd:
    found = lucky(race, **how).end
    assert found is not None
    return found


def alone(race: RaceSpec, seed: int) -> dict[str, float]:
    """The last loss of each run of a race, trained by itself."""
    runs = tuple(replace(run, seed=seed) for run in race.runs)
    *_, finished = train.train(SliceRequest(RaceSpec(runs)))
    assert isinstance(finished, Finished)
    return {name: each.loss for name, each in finished.runs.items()}


def race(**settings: Any) -> RaceSpec:
    """One run, "it"."""
    return RaceSpec((replace(spec(**settings), name="it"),))


LINE = {"points": 60, "iterations": 12}
NET = {"model": "mlp", "dataset": "circle", "widths": [4], "iterations": 15}


def with_changes(run: RaceSpec, **changes: Any) -> RaceSpec:
    """Each of the settings is another one from iteration 5 on."""
    turned = tuple(Change(5, key, value) for key, value in changes.items())
    return RaceSpec((replace(run.runs[0], changes=turned),))


@pytest.mark.parametrize(
    "one",
    [
        race(**LINE),
        race(**LINE, batch=4),
        race(**LINE, batch=1, optimiser="momentum"),
        race(**LINE, batch=7, optimiser="adam"),
        race(model="linear", dataset="circle", iterations=15),
        race(**NET),
        race(**NET, optimiser="sgd", batch=10, activation="relu"),
        race(**NET, optimiser="momentum", activation="sigmoid"),
        race(**{**NET, "widths": [3, 5]}),
        race(model="mlp", dataset="sin", widths=[8], iterations=15),
        race(**NET, init="zero"),
        race(**LINE, loss="mae", batch=4),
        race(**LINE, loss="sse", lr=0.001),
        race(**LINE, start=[-4.0, 1.0], optimiser="none"),
        race(**LINE, decay=0.5, batch=4),
        race(**LINE, slip="no-zero-grad", batch=4),
        race(**LINE, model="constant", batch=10),
        race(**LINE, model="constant", loss="mae"),
        race(**LINE, model="parabola", batch=10),
        race(**LINE, model="parabola", loss="mae"),
        race(model="parabola", dataset="circle", batch=8, iterations=15),
        race(model="perceptron", dataset="moons", loss="bce", iterations=15),
        race(model="perceptron", dataset="xor", loss="mse", batch=8, iterations=15),
        race(
            model="perceptron",
            dataset="moons",
            loss="bce",
            slip="double-sigmoid",
            iterations=15,
        ),
        race(**NET, slip="double-sigmoid"),
        race(model="mlp", dataset="corners", widths=[3], iterations=15),
        with_changes(race(**LINE, batch=4), lr=0.01, batch=9),
        with_changes(race(**LINE), batch=3, optimiser="adam"),
        with_changes(race(**LINE, batch=3, optimiser="none"), optimiser="sgd"),
        with_changes(race(**LINE, batch=3), batch=None, optimiser="momentum"),
        with_changes(race(**LINE, optimiser="momentum"), momentum=0.5, loss="mae"),
        with_changes(race(**NET), activation="relu", optimiser="sgd"),
    ],
    ids=lambda one: f"{one.runs[0].model}-{one.runs[0].optimiser}",
)
def test_each_seed_is_its_own_run(one: RaceSpec) -> None:
    found = end(one, seeds=6, first=3).runs["it"]
    assert found.iteration == one.runs[0].iterations
    expected = [alone(one, seed)["it"] for seed in range(3, 9)]
    assert found.losses == pytest.approx(expected, rel=1e-4)


def test_several_blocks_are_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three seeds to a block of the net, so that the last has one."""
    one = race(**NET, batch=10)
    whole = end(one, seeds=7).runs["it"].losses
    monkeypatch.setattr("tutor.engine.stacked.BLOCK", 3 * 200 * 4)
    assert end(one, seeds=7).runs["it"].losses == pytest.approx(whole, rel=1e-4)


def test_minibatch_and_sgd_share_their_permutations() -> None:
    default = options.race(None)
    found = end(default, seeds=3)
    assert list(found.runs) == ["gd", "minibatch", "sgd"]
    for name, run in found.runs.items():
        expected = [alone(default, seed)[name] for seed in range(3)]
        assert run.losses == pytest.approx(expected, rel=1e-5)


def test_the_points_are_the_quantiles_of_the_seeds() -> None:
    one = race(**LINE, batch=4)
    so_far = lucky(one, seeds=9)
    band = so_far.points["it"]
    assert list(band.iterations) == list(range(13))
    losses = torch.tensor(so_far.end.runs["it"].losses)  # type: ignore[union-attr]
    shares = torch.tensor([0.05, 0.5, 0.95])
    expected = losses.quantile(shares).tolist()
    assert [band.low[-1], band.median[-1], band.high[-1]] == pytest.approx(expected)
    assert so_far.iteration == 12


def test_the_data_of_one_seed_for_all() -> None:
    one = race(**{**LINE, "seed": 7})
    alike = end(one, seeds=4, vary="init").runs["it"].losses
    assert alike == pytest.approx([alone(one, 7)["it"]] * 4, rel=1e-5)
    nets = end(race(**NET), seeds=4, vary="init").runs["it"].losses
    assert len(set(nets)) == 4
    assert nets[0] == pytest.approx(alone(race(**NET), 0)["it"], rel=1e-4)


def test_each_run_has_the_data_of_its_own_seed() -> None:
    one = race(**LINE).runs[0]
    both = RaceSpec((replace(one, name="a", seed=7), replace(one, name="b", seed=8)))
    runs = end(both, seeds=2, vary="init").runs
    for name, seed in {"a": 7, "b": 8}.items():
        expected = [alone(race(**LINE), seed)["it"]] * 2
        assert runs[name].losses == pytest.approx(expected, rel=1e-5)


def test_places_and_distances() -> None:
    found = end(race(**{**LINE, "iterations": 400, "lr": 0.3}), seeds=5).runs["it"]
    assert len(found.places) == 5
    assert found.distance is not None
    assert max(found.distance) < 1e-3
    for (w, b), loss in zip(found.places, found.losses, strict=True):
        assert (w, b) == pytest.approx((-5, 2), abs=0.6)
        assert loss < 2


# ------------------------------------------------------------------------- success


def test_without_a_goal_success_is_to_end_below_the_first_run() -> None:
    default = options.race(None)
    found = lucky(default, seeds=40)
    assert found.end is not None
    gd, sgd = found.end.runs["gd"], found.end.runs["sgd"]
    below = [a < b for a, b in zip(sgd.losses, gd.losses, strict=True)]
    assert found.end.better["sgd"] == pytest.approx(sum(below) / 40)
    assert sgd.success == found.end.better["sgd"]
    assert gd.success is None
    assert not found.points["gd"].success
    assert found.points["sgd"].success[-1] == sgd.success
    assert list(found.end.better) == ["minibatch", "sgd"]


def test_a_loss_as_goal() -> None:
    found = end(race(**LINE, lr=0.2), seeds=20, goal=1.1).runs["it"]
    assert found.success == sum(loss <= 1.1 for loss in found.losses) / 20
    assert found.solved_at is not None
    assert 0 < found.solved_at <= 12


def test_an_accuracy_as_goal() -> None:
    one = race(**{**NET, "iterations": 100})
    found = lucky(one, seeds=10)
    assert found.end is not None
    run = found.end.runs["it"]
    assert run.success is not None
    assert run.success >= 0.5
    assert run.solved_at is not None
    band = found.points["it"]
    assert band.success[0] == 0
    assert len(band.success) == len(band.median)
    at = next(
        k for k, share in zip(band.iterations, band.success, strict=True) if share
    )
    assert 0 < at <= run.solved_at


# ---------------------------------------------------------------------- divergence


def test_seeds_that_diverge_are_counted_and_stay_where_they_did() -> None:
    one = race(dataset="line", points=20, lr=1.0, iterations=200)
    found = lucky(one, seeds=30)
    assert found.end is not None
    run = found.end.runs["it"]
    ends = [alone(one, seed)["it"] for seed in range(30)]
    gone = [not loss <= 1e6 for loss in ends]
    assert 0 < sum(gone) < 30
    assert run.diverged == sum(gone)
    assert found.points["it"].diverged == sum(gone)
    for mine, its, has_gone in zip(run.losses, ends, gone, strict=True):
        assert mine == pytest.approx(its, rel=0.01 if has_gone else 1e-3)
    assert found.points["it"].high[-1] == math.inf
    assert all(math.isfinite(w) for place in run.places for w in place)


def test_another_loss_has_another_bound() -> None:
    """A sum of squares that is ten million times the mean error is no divergence."""
    settings = {"points": 4000, "iterations": 9, "lr": 1e-6, "start": [2000.0, 0.0]}
    one = with_changes(race(**settings, loss="mae"), loss="sse")
    found = end(one, seeds=2).runs["it"]
    assert found.diverged == 0
    assert found.losses == pytest.approx([alone(one, each)["it"] for each in (0, 1)])


def test_it_ends_when_all_have_diverged() -> None:
    found = lucky(race(lr=3.0, iterations=10**9), seeds=5)
    assert found.end is not None
    run = found.end.runs["it"]
    assert run.diverged == 5
    assert run.iteration < 100
    assert found.points["it"].median[-1] == math.inf
    assert run.distance is not None
    assert all(far > 100 for far in run.distance)


# ------------------------------------------------------------- bounds and interrupts


def test_many_iterations_leave_points_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "DENSE", 4)
    band = lucky(race(**{**LINE, "iterations": 29}), seeds=3).points["it"]
    even, fourth = [8, 10, 12, 14], [16, 20, 24, 28, 29]
    assert list(band.iterations) == [*range(8), *even, *fourth]


def test_an_interrupt_ends_it_with_what_was_computed() -> None:
    request = LuckRequest(race(iterations=10**9), seeds=3)
    so_far = Lucky(request)
    handler = signal.getsignal(signal.SIGINT)
    for count, arrived in enumerate(engine.luck(request)):
        so_far.add(arrived)
        if count == 1:
            os.kill(os.getpid(), signal.SIGINT)
    assert so_far.end is not None
    assert so_far.end.interrupted
    assert so_far.end.runs["it"].iteration > 0
    assert len(so_far.end.runs["it"].losses) == 3
    assert signal.getsignal(signal.SIGINT) is handler


def test_the_process_is_left_as_it_was() -> None:
    threads = torch.get_num_threads()
    torch.manual_seed(3)
    state = torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        with torch.no_grad():
            end(race(**NET), seeds=2)
            assert not torch.is_grad_enabled()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("run", "seeds", "sentence"),
    [
        (spec(), 0, "1 to 10000 seeds at once, not 0"),
        (spec(), 20_000, "1 to 10000 seeds at once, not 20000"),
        (spec(points=10**6), 500, "ask for 33 seeds at most, or for fewer points"),
        (spec(model="mlp", widths=[4096, 4096], points=2), 500, "ask for 3 seeds"),
        (replace(spec(), optimiser="random"), 5, "choose another optimiser"),
        (replace(spec(), slip="broadcast"), 5, "take the slip away"),
        (replace(spec(), dataset="bowl", model="point"), 5, "left to luck"),
    ],
)
def test_what_it_cannot_do_is_said(run: RunSpec, seeds: int, sentence: str) -> None:
    with pytest.raises(TutorError, match=sentence):
        list(engine.luck(LuckRequest(RaceSpec((run,)), seeds=seeds)))


def test_a_loop_of_the_learners_own_has_no_seeds() -> None:
    with pytest.raises(TutorError, match="your own loop"):
        list(engine.luck(LuckRequest(replace(race(), watched=True))))


def test_what_is_told_travels() -> None:
    for arrived in engine.luck(LuckRequest(race(**LINE, lr=1.5), seeds=3)):
        assert isinstance(arrived, LuckPoints | LuckEnd)
        message = wire.Message("a", 0, arrived)
        assert wire.loads(wire.dumps(message)).body == arrived
