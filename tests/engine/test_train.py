"""Races computed in this process: the curriculum's numbers, slices, interrupts."""

import math
import os
import signal
from collections.abc import Iterator

import pytest
import torch

from tutor import wire
from tutor.engine import devices, slips
from tutor.engine import race as race_module
from tutor.engine import train as engine
from tutor.errors import MachineError, TutorError
from tutor.training import options
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Race
from tutor.training.spec import Kept, RaceSpec, SliceRequest
from tutor.training.views import Regions, ViewRequest


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
    *arrived, finished = engine.train(request)
    for each in arrived:
        if isinstance(each, (Points, Finding)):
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
        if isinstance(each, (Points, Finished)):
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
    clock = iter(number * race_module.PUBLISH_S / 10 for number in range(10_000))
    monkeypatch.setattr(race_module, "perf_counter", lambda: next(clock))
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


def test_the_last_thing_before_the_end_is_where_each_run_stands() -> None:
    *_, gd, minibatch, sgd, finished = engine.train(SliceRequest(spec()))
    assert isinstance(finished, Finished)
    for each, name in zip((gd, minibatch, sgd), finished.runs, strict=True):
        assert isinstance(each, Kept)
        assert (each.run, each.iteration) == (name, 25)


def test_test_losses_and_seconds_are_columns() -> None:
    race, finished = computed(spec("model=mlp", "test=500", "iterations=200"))
    run = race.runs["mlp"]
    assert len(run.test_curve) == len(run.losses) == len(run.seconds) == 201
    assert run.test_curve.values[200] < 0.5 * run.test_curve.values[0]
    assert list(run.seconds) == sorted(run.seconds)
    assert 0.0 <= run.seconds[0] < run.seconds[200]
    end = finished.runs["mlp"]
    assert end.accuracy == 1.0
    assert end.test_accuracy is not None
    assert 0.9 < end.test_accuracy <= 1.0
    assert end.device == "cpu"
    assert computed(spec())[1].runs["gd"].accuracy is None


def test_a_race_of_very_many_iterations_holds_little() -> None:
    race = spec("iterations=1e9", "points=2", "batch=1", id="r")
    runs = RaceSpec(race.runs[:1], id="r")
    list(engine.train(SliceRequest(runs, seconds=3.0)))
    (run,) = engine._races["r"].runs
    assert run.iteration > 64 * 32
    assert 32 <= len(run.snapshots) <= 64
    assert run.snapshots.size < 1e6
    assert run.take() == []


def test_a_device_that_is_not_there_is_named_with_those_that_are() -> None:
    missing = "cuda:17"
    with pytest.raises(MachineError, match=r"no device cuda:17 here, only cpu"):
        list(engine.train(SliceRequest(spec(f"device={missing}"))))


@pytest.mark.skipif(len(devices.here()) > 1, reason="there is an accelerator here")
def test_auto_falls_back_to_the_cpu_and_says_so() -> None:
    race, finished = computed(spec("device=auto"))
    assert {each.run for each in race.findings if each.kind == "device"} == {
        "gd", "minibatch", "sgd",
    }  # fmt: skip
    assert finished.runs["gd"].device == "cpu"
    plain, _ = computed(spec())
    assert race.runs["sgd"].losses == plain.runs["sgd"].losses


def test_what_goes_wrong_is_found_once() -> None:
    race, finished = computed(spec("lr=1.5"))
    diverged = [
        name for name, end in finished.runs.items() if end.stopped == "diverged"
    ]
    assert diverged
    assert sorted((each.run, each.kind) for each in race.findings) == [
        (name, "diverged") for name in sorted(diverged)
    ]
    for slip, change in {
        "no-zero-grad": ("slip=no-zero-grad", "iterations=10"),
        "broadcast": ("slip=broadcast", "points=50"),
        "double-sigmoid": ("slip=double-sigmoid", "model=mlp", "iterations=10"),
        "zero-init": ("init=zero", "model=mlp", "iterations=10"),
    }.items():
        alone = RaceSpec(spec(*change).runs[:1])
        assert [each.kind for each in computed(alone)[0].findings] == [slip]


def test_looking_for_mistakes_changes_no_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = {name: run.losses for name, run in computed(spec())[0].runs.items()}
    monkeypatch.setattr(slips, "LOOKED", 0)
    for name, run in computed(spec())[0].runs.items():
        assert run.losses == looked[name]


def test_what_is_to_be_seen_comes_with_the_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(number * 0.01 for number in range(1_000_000))
    monkeypatch.setattr(race_module, "perf_counter", lambda: next(clock))
    race = spec("model=mlp", "iterations=200", id="r")
    asked = (
        ViewRequest("output", "mlp", columns=4, rows=3),
        ViewRequest("surface", "mlp"),  # which an mlp does not have
        ViewRequest("output", "nobody"),
    )
    arrived = list(engine.train(SliceRequest(race, views=asked)))
    seen = [each for each in arrived if isinstance(each, Regions)]
    assert [each.iteration for each in seen] == sorted(
        {each.iteration for each in seen}
    )
    assert seen[-1].iteration == 200
    assert 4 <= len(seen) <= 200 * 0.03 / race_module.VIEW_S + 2
    assert all(len(each.outputs) == 12 for each in seen)
    plain, _ = computed(spec("model=mlp", "iterations=200"))
    losses = [
        loss for each in arrived if isinstance(each, Points) for loss in each.losses
    ]
    assert losses == list(plain.runs["mlp"].losses)
