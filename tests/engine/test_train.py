"""Races computed in this process: the curriculum's numbers, slices, interrupts."""

import math
import os
import signal
from collections.abc import Iterator

import pytest
import torch

from tutor import wire
from tutor.engine import datasets, models
from tutor.engine import train as engine
from tutor.errors import TutorError
from tutor.training import options
from tutor.training.run import Finished, Points, Race
from tutor.training.spec import RaceSpec, SliceRequest


@pytest.fixture(autouse=True)
def _no_races() -> Iterator[None]:
    yield
    engine._races.clear()


def spec(*changes: str, id: str = "", together: bool = True) -> RaceSpec:
    runs = options.race(None, changes).runs
    return RaceSpec(runs, id=id, together=together)


def computed(race: RaceSpec, **request: object) -> tuple[Race, Finished]:
    """The race after one slice, as what arrived tells it."""
    so_far = Race(race)
    finished = take(so_far, SliceRequest(race, **request))  # type: ignore[arg-type]
    return so_far, finished


def take(so_far: Race, request: SliceRequest) -> Finished:
    *points, finished = engine.train(request)
    for each in points:
        assert isinstance(each, Points)
        so_far.add(each)
    assert isinstance(finished, Finished)
    so_far.add(finished)
    return finished


@pytest.mark.parametrize(
    ("run", "losses", "w", "b"),
    [
        ("gd", [31.112, 25.211, 11.111, 4.376, 1.076], -4.6995, 1.8568),
        ("minibatch", [31.112, 28.762, 6.787, 2.298, 1.213], -4.5518, 1.8143),
        ("sgd", [31.112, 30.830, 6.365, 2.421, 1.548], -4.3526, 1.6392),
    ],
)
def test_the_default_race_is_the_curriculums(
    run: str, losses: list[float], w: float, b: float
) -> None:
    race, finished = computed(spec())
    points = race.runs[run].losses
    assert len(points) == 26
    assert [points[at] for at in (0, 1, 5, 10, 25)] == pytest.approx(losses, abs=6e-4)
    assert finished.runs[run].params == pytest.approx({"w": w, "b": b}, abs=6e-5)
    assert finished.runs[run].stopped == "finished"
    assert finished.over


def test_samples_count_what_each_run_looked_at() -> None:
    race, _ = computed(spec())
    assert {name: run.samples[25] for name, run in race.runs.items()} == {
        "gd": 25_000,
        "minibatch": 100,
        "sgd": 25,
    }
    assert race.runs["sgd"].samples[0] == 0


def test_the_same_race_gives_the_same_points_in_turn_and_together() -> None:
    torch.manual_seed(3)
    together, _ = computed(spec("seed=7"))
    torch.manual_seed(4)
    in_turn, _ = computed(spec("seed=7", together=False))
    for name, run in together.runs.items():
        assert run.losses == in_turn.runs[name].losses
        assert run.params == in_turn.runs[name].params


def test_in_turn_sends_each_run_to_its_end_before_the_next() -> None:
    order = [
        each.run
        for each in engine.train(SliceRequest(spec(together=False)))
        if isinstance(each, Points)
    ]
    assert list(dict.fromkeys(order)) == ["gd", "minibatch", "sgd"]
    assert order == sorted(order, key=["gd", "minibatch", "sgd"].index)


def test_the_mlp_learns_the_circle_and_leaves_torchs_generator_alone() -> None:
    before = torch.random.get_rng_state()
    race, finished = computed(spec("model=mlp"))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert finished.runs["mlp"].iteration == 300
    assert finished.runs["mlp"].loss < 0.03
    assert race.runs["mlp"].losses[0] == pytest.approx(math.log(2), abs=0.2)
    assert race.runs["mlp"].params == {}


def test_slices_join_to_the_same_race() -> None:
    whole, _ = computed(spec())
    parts, standing = computed(spec(id="r"), limit=0)
    assert standing.runs["gd"].stopped == "interrupted"
    assert [run.last for run in parts.runs.values()] == [0, 0, 0]
    for limit in (1, 10, None):
        take(parts, SliceRequest(parts.spec, fresh=False, limit=limit))
    for name, run in whole.runs.items():
        assert run.losses == parts.runs[name].losses
        assert run.samples == parts.runs[name].samples


def test_a_slice_ends_when_its_time_is_over() -> None:
    race, finished = computed(spec("iterations=1e9", id="r"), seconds=0.0)
    assert finished.runs["gd"].stopped == "interrupted"
    assert race.iteration == 1


def test_lr_batch_and_optimiser_change_on_the_way() -> None:
    plain, _ = computed(spec())
    race, _ = computed(spec(id="r"), limit=10)
    changed = spec("lr=0.2", "batch=16", "optimiser=momentum", id="r")
    take(race, SliceRequest(changed, fresh=False))
    for name, run in race.runs.items():
        assert run.losses[:11] == plain.runs[name].losses[:11]
        assert run.losses[11] != plain.runs[name].losses[11]
    assert race.runs["minibatch"].samples[25] == 10 * 4 + 15 * 16


def test_more_iterations_go_on_after_the_end() -> None:
    race, finished = computed(spec(id="r"))
    finished = take(race, SliceRequest(spec("iterations=40", id="r"), fresh=False))
    assert finished.runs["gd"].iteration == race.iteration == 40


@pytest.mark.parametrize("change", ["seed=1", "noise=2", "points=500", "dataset=sin"])
def test_other_data_needs_a_new_race(change: str) -> None:
    computed(spec(id="r"), limit=1)
    with pytest.raises(TutorError, match="start the race anew"):
        list(engine.train(SliceRequest(spec(change, id="r"), fresh=False)))


def test_a_race_that_is_not_kept_any_more_says_so() -> None:
    for number in range(engine.KEPT_RACES + 1):
        computed(spec(id=f"r{number}"), limit=1)
    assert len(engine._races) == engine.KEPT_RACES
    with pytest.raises(TutorError, match="start it anew"):
        list(engine.train(SliceRequest(spec(id="r0"), fresh=False)))


@pytest.mark.parametrize("lr", ["1.5", "10", "1e30"])
def test_a_run_that_diverges_stops_and_keeps_its_points(lr: str) -> None:
    race, finished = computed(spec(f"lr={lr}"))
    end = finished.runs["gd"]
    assert end.stopped == "diverged"
    assert end.iteration < 25
    assert race.runs["gd"].last == end.iteration
    assert not race.runs["gd"].last_loss < 31e6
    assert finished.over


def test_runs_beside_a_diverged_one_go_on() -> None:
    table = {"runs": [{"name": "wild", "lr": 1e20}, {"name": "calm"}]}
    race, finished = computed(options.race(table))
    assert finished.runs["wild"].stopped == "diverged"
    assert finished.runs["calm"].stopped == "finished"
    assert race.runs["calm"].last == 25


def test_the_reachable_lr_limit_of_the_curriculum_is_not_called_divergence() -> None:
    _, finished = computed(spec("lr=0.95"))
    assert finished.runs["gd"].stopped == "finished"
    assert finished.runs["gd"].loss == pytest.approx(81, rel=0.02)


def test_an_interrupt_stops_between_two_iterations_and_keeps_the_points() -> None:
    race = spec("iterations=1e9", id="r")
    so_far = Race(race)
    handler = signal.getsignal(signal.SIGINT)
    slice_ = engine.train(SliceRequest(race, seconds=2.0))
    first = next(slice_)
    assert isinstance(first, Points)
    so_far.add(first)
    reached = so_far.iteration
    os.kill(os.getpid(), signal.SIGINT)
    for each in slice_:
        so_far.add(each)
    assert signal.getsignal(signal.SIGINT) is handler
    ends = [run.end for run in so_far.runs.values()]
    assert [end.stopped for end in ends if end] == ["interrupted"] * 3
    assert len({run.last for run in so_far.runs.values()}) == 1
    assert so_far.iteration == reached
    assert len(so_far.runs["gd"].losses) == reached + 1


def test_small_models_use_one_thread_and_give_the_others_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        slice_ = engine.train(SliceRequest(spec()))
        next(slice_)
        assert torch.get_num_threads() == 1
        slice_.close()
        assert torch.get_num_threads() == 2
        big = spec("model=mlp", "widths=400,400", "iterations=1")
        slice_ = engine.train(SliceRequest(big))
        next(slice_)
        assert torch.get_num_threads() == 2
        slice_.close()
    finally:
        torch.set_num_threads(before)


def test_points_come_in_batches_not_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(number * engine.PUBLISH_S / 10 for number in range(10_000))
    monkeypatch.setattr(engine, "perf_counter", lambda: next(clock))
    race = spec("model=mlp", "iterations=100")
    batches = [
        len(each.losses)
        for each in engine.train(SliceRequest(race))
        if isinstance(each, Points)
    ]
    assert sum(batches) == 101
    assert max(batches) <= 11
    assert len(batches) <= 12


def test_what_a_slice_yields_survives_the_wire() -> None:
    for seq, body in enumerate(engine.train(SliceRequest(spec("lr=1e30")))):
        sent = wire.Message("r", seq, body)
        assert repr(wire.loads(wire.dumps(sent))) == repr(sent)


@pytest.mark.parametrize("name", list(options.DATASETS))
def test_every_data_set_has_its_shape_and_seed(name: str) -> None:
    points, noise = options.DATASETS[name]
    data = datasets.data(name, points, noise, seed=1)
    again = datasets.data(name, points, noise, seed=1)
    other = datasets.data(name, points, noise, seed=2)
    assert data.x.shape[0] == points
    assert data.y.shape == (points, 1)
    assert data.x.dtype is data.y.dtype is torch.float32
    assert torch.equal(data.x, again.x)
    assert torch.equal(data.y, again.y)
    assert not torch.equal(data.x, other.x)
    if data.task == "classify":
        assert data.y.mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", ["circle", "xor", "moons", "spiral", "sin"])
def test_an_mlp_beats_a_linear_model_on_what_is_not_linear(name: str) -> None:
    change = f"dataset={name}", "optimiser=adam", "iterations=1000", "lr=0.02"
    _, straight = computed(spec("model=linear", "batch=200", *change), limit=300)
    _, bent = computed(spec("model=mlp", *change))
    assert bent.runs["mlp"].loss < 0.5 * straight.runs["gd"].loss


def test_names_of_the_settings_are_those_of_the_engine() -> None:
    assert set(options.DATASETS) == set(datasets.DATASETS)
    assert set(options.MODELS) == set(models.MODELS)
    assert set(options.ACTIVATIONS) == set(models.ACTIVATIONS)
    assert set(options.OPTIMISERS) == set(models.OPTIMISERS)
