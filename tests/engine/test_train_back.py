"""Going back: forks, changes on the way, other kernels, what was at an iteration."""

import base64
import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from tests.engine.test_train import computed, spec, take
from tutor.engine import snapshots
from tutor.engine import train as engine
from tutor.engine.race import Race as EngineRace
from tutor.engine.run import Run as EngineRun
from tutor.errors import TutorError
from tutor.training import forks, notches, options
from tutor.training.run import Finished, Points, Race, Run
from tutor.training.spec import Change, Kept, RaceSpec, SliceRequest, Value


@pytest.fixture(autouse=True)
def _no_races() -> Iterator[None]:
    yield
    engine._races.clear()


KINDS = [
    (),
    ("optimiser=momentum",),
    ("optimiser=adam", "decay=0.01"),
    ("optimiser=random", "lr=0.2"),
    ("slip=no-zero-grad", "lr=0.01"),
    ("model=mlp", "batch=16", "iterations=100"),
    ("model=mlp", "optimiser=sgd", "iterations=100", "test=50"),
    ("dataset=ravine",),
    ("lr@20=0.01", "batch@40=7", "optimiser@50=adam", "optimiser@70=sgd"),
    ("optimiser@32=momentum", "loss@32=mae", "optimiser@64=adam"),
    ("model=mlp", "activation@40=relu", "loss@45=mse", "iterations=100"),
]


def long(*changes: str, id: str = "r") -> RaceSpec:
    return spec("iterations=100", *changes, id=id)


def fork(race: RaceSpec, at: int) -> RaceSpec:
    """The race with a fork of its last run that changes nothing."""
    parent = race.runs[-1]
    more = replace(parent, name="fork", of=parent.name, since=at)
    return replace(race, runs=(*race.runs, more))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [1, 32, 33, 50, 64, 70, 99])
def test_a_fork_without_a_change_has_the_points_of_its_parent(
    kind: tuple[str, ...], at: int
) -> None:
    race = long(*kind)
    so_far, _ = computed(race)
    race = fork(race, at)
    so_far.change(race)
    finished = take(so_far, SliceRequest(race, fresh=False))
    parent, new = so_far.runs[race.runs[-2].name], so_far.runs["fork"]
    assert new.losses[at:] == parent.losses[at:]
    assert new.samples[at:] == parent.samples[at:]
    assert all(loss != loss for loss in new.losses[:at])
    for name, column in parent.params.items():
        assert new.params[name][at:] == column[at:]
    assert new.test_curve.values[at:] == parent.test_curve.values[at:]
    assert finished.runs["fork"].iteration == 100


def test_a_fork_computes_from_the_nearest_snapshot() -> None:
    race = long("iterations=1000")
    so_far, _ = computed(race)
    race = fork(race, 900)
    so_far.change(race)
    take(so_far, SliceRequest(race, fresh=False, limit=0))
    run = engine._races["r"].runs[-1]
    begun = run.snapshots.before(899)
    assert begun is not None
    assert begun.iteration == 896


def test_a_fork_changes_one_thing() -> None:
    race = long()
    so_far, _ = computed(race)
    race = forks.forked(race, "gd", 12, "lr", 0.2)
    so_far.change(race)
    take(so_far, SliceRequest(race, fresh=False))
    gd, new = so_far.runs["gd"], so_far.runs["gd lr 0.2"]
    assert new.losses[12] == gd.losses[12]
    assert new.losses[13] < gd.losses[13]
    alone, _ = computed(long("lr@12=0.2", id=""))
    assert new.losses[12:] == alone.runs["gd"].losses[12:]


def test_a_fork_does_without_a_change_of_its_parent() -> None:
    race = long("optimiser=momentum", "optimiser@32=adam")
    so_far, _ = computed(race)
    race = forks.forked(race, "gd", 32, "optimiser", "momentum")
    fork = race.runs[-1]
    assert fork.changes == ()
    so_far.change(race)
    take(so_far, SliceRequest(race, fresh=False))
    plain, _ = computed(long("optimiser=momentum", id=""))
    assert so_far.runs[fork.name].losses[32:] == plain.runs["gd"].losses[32:]


def test_a_fork_in_a_race_of_its_own_is_computed_from_the_start() -> None:
    settings = ["runs=gd,x", "x.of=gd", "x.since=12", "x.lr@12=0.2"]
    race, _ = computed(options.race(None, settings))
    alone, _ = computed(spec("lr@12=0.2"))
    assert race.runs["x"].losses[12:] == alone.runs["gd"].losses[12:]
    assert race.runs["gd"].losses[:13] == computed(spec())[0].runs["gd"].losses[:13]


def test_those_behind_catch_up_before_the_others_go_on() -> None:
    race = long()
    so_far, _ = computed(race, limit=50)
    race = fork(race, 20)
    so_far.change(race)
    finished = take(so_far, SliceRequest(race, fresh=False, limit=1))
    assert {end.iteration for end in finished.runs.values()} == {51}


def test_of_runs_that_ended_a_fork_goes_on_alone() -> None:
    race = long()
    so_far, _ = computed(race)
    race = fork(race, 20)
    so_far.change(race)
    finished = take(so_far, SliceRequest(race, fresh=False, limit=1))
    assert finished.runs["fork"].iteration == 21
    assert [so_far.runs["fork"].losses[at] for at in (20, 21)] == list(
        so_far.runs["sgd"].losses[20:22]
    )


@pytest.mark.parametrize("together", [True, False])
def test_a_race_that_has_a_fork_runs_again_from_its_beginning(together: bool) -> None:
    race = replace(fork(long(), 20), together=together)
    so_far, finished = computed(race, limit=0)
    assert {end.iteration for end in finished.runs.values()} == {0}
    assert so_far.iteration == 0
    for at in (1, 2, 3):
        finished = take(so_far, SliceRequest(race, fresh=False, limit=1))
        assert finished.runs["sgd"].iteration == so_far.iteration == at
    finished = take(so_far, SliceRequest(race, fresh=False))
    assert {end.iteration for end in finished.runs.values()} == {100}
    assert so_far.runs["fork"].losses[20:] == so_far.runs["sgd"].losses[20:]


def test_a_run_taken_out_is_gone_and_its_fork_stays() -> None:
    race = fork(long(), 20)
    so_far, _ = computed(race, limit=50)
    race = forks.without(race, "sgd")
    so_far.change(race)
    finished = take(so_far, SliceRequest(race, fresh=False))
    assert list(finished.runs) == ["gd", "minibatch", "fork"]
    assert list(so_far.runs) == ["gd", "minibatch", "fork"]
    assert finished.over


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lr", 0.2),
        ("batch", 9),
        ("optimiser", "adam"),
        ("momentum", 0.1),
        ("loss", "mae"),
    ],
)
def test_a_change_is_applied_at_its_iteration(key: str, value: Value) -> None:
    race = RaceSpec(options.race(None, ["optimiser=momentum"]).runs[1:2], id="r")
    changed = forks.turned(race, {"minibatch"}, key, value, at=10)
    plain, _ = computed(race)
    whole, _ = computed(changed)
    one, other = plain.runs["minibatch"], whole.runs["minibatch"]
    assert one.losses[:11] == other.losses[:11]
    assert one.losses[11] != other.losses[11]
    stepped, _ = computed(race, limit=10)
    stepped.change(changed)
    take(stepped, SliceRequest(changed, fresh=False))
    assert stepped.runs["minibatch"].losses == other.losses


def test_samples_are_counted_over_a_change_of_the_batch() -> None:
    race, _ = computed(spec("batch@10=16"))
    assert list(race.runs["minibatch"].samples) == [
        *range(0, 41, 4), *range(56, 40 + 15 * 16 + 1, 16),
    ]  # fmt: skip


def test_settings_turned_from_the_start_count_from_where_the_run_is() -> None:
    race, _ = computed(spec(id="r"), limit=10)
    take(race, SliceRequest(spec("lr=0.2", id="r"), fresh=False))
    whole, _ = computed(spec("lr@10=0.2"))
    for name, run in race.runs.items():
        assert run.losses == whole.runs[name].losses
    first = engine._races["r"].runs[0]
    assert first.spec.changes == (Change(10, "lr", 0.2),)


# ------------------------------------------------------------------------ other kernels


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [0, 1, 20, 45, 70])
def test_another_kernel_goes_on_from_what_was_kept(
    kind: tuple[str, ...], at: int
) -> None:
    race = long(*kind)
    whole, _ = computed(long(*kind, id=""))
    so_far = Race(race)
    *arrived, _ = engine.train(SliceRequest(race, limit=at))
    kept = []
    for each in arrived:
        if isinstance(each, Points):
            so_far.add(each)
        elif isinstance(each, Kept):
            kept.append(each)
    engine._races.clear()
    request = SliceRequest(race, fresh=False, kept=tuple(kept))
    assert take(so_far, request).over
    for name, run in whole.runs.items():
        assert same(run, so_far.runs[name])


def same(one: Run, other: Run) -> bool:
    return (
        one.losses == other.losses
        and one.samples == other.samples
        and one.params == other.params
        and one.test_curve.values == other.test_curve.values
    )


def test_what_is_too_large_to_be_kept_is_computed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshots, "SENT_BYTES", 10)
    race = long()
    so_far = Race(race)
    arrived = list(engine.train(SliceRequest(race, limit=40)))
    kept = tuple(each for each in arrived if isinstance(each, Kept))
    assert {each.state for each in kept} == {""}
    for each in arrived:
        if isinstance(each, Points):
            so_far.add(each)
    engine._races.clear()
    take(so_far, SliceRequest(race, fresh=False, kept=kept))
    whole, _ = computed(race)
    for name, run in whole.runs.items():
        assert same(run, so_far.runs[name])


@pytest.mark.parametrize("state", ["x", "AAAA", "é"])
def test_what_is_kept_and_cannot_be_read_is_told(state: str) -> None:
    kept = (Kept("gd", 5, state),)
    with pytest.raises(TutorError, match="cannot be read"):
        list(engine.train(SliceRequest(long(), fresh=False, kept=kept)))


def test_a_state_from_elsewhere_runs_no_code() -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (exec, ("raise SystemExit",))

    file = io.BytesIO()
    torch.save({"format": 1, "iteration": Evil()}, file)
    with pytest.raises(TutorError, match="cannot be read"):
        snapshots.from_text(base64.b64encode(file.getvalue()).decode())


# ------------------------------------------------------------- what it was at an iteration


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_seen_as_it_was(kind: tuple[str, ...]) -> None:
    race = long(*kind)
    so_far, _ = computed(race)
    name = race.runs[-1].name
    for at in (100, 0, 99, 7, 40, 41, 42, 70, 33):
        seen = engine.seen("r", name, at)
        with torch.no_grad():
            loss = seen.loss(seen.model(seen.data.x), seen.data.y).item()
        assert seen.iteration == at
        assert seen.spec.lr == race.runs[-1].at(at).lr
        changed = {each.at for each in race.runs[-1].changes}
        if at not in changed:
            assert loss == so_far.runs[name].losses[at]


def test_looking_back_changes_nothing() -> None:
    race = long("optimiser=adam")
    whole, _ = computed(long("optimiser=adam", id=""))
    so_far, _ = computed(race, limit=50)
    for at in (50, 3, 40):
        seen = engine.seen("r", "sgd", at)
        seen.loss(seen.model(seen.data.x), seen.data.y).backward()
        with torch.no_grad():
            for each in seen.model.parameters():
                each.zero_()
    take(so_far, SliceRequest(race, fresh=False))
    assert same(so_far.runs["sgd"], whole.runs["sgd"])


def test_a_large_state_is_not_sent_after_each_short_slice() -> None:
    large = long("model=mlp", "widths=200,200", id="large")
    small = long("model=mlp", id="small")
    for race, count in ((large, 1), (small, 5)):
        sent = [
            each
            for limit in (0, 1, 1, 1, 1)
            for each in engine.train(
                SliceRequest(race, fresh=limit == 0, limit=limit, seconds=1.0)
            )
            if isinstance(each, Kept)
        ]
        assert len(sent) == count
    end = list(engine.train(SliceRequest(large, fresh=False)))
    assert isinstance(end[-2], Kept)
    assert end[-2].iteration == 100


def test_what_can_be_turned_on_the_way_is_turned() -> None:
    for notch in notches.ALL:
        if notch.anew:
            continue
        race = long("model=mlp", "dataset=moons")
        so_far, _ = computed(race, limit=5)
        turned = notch.turn(race, 1, at=5)
        so_far.change(turned)
        finished = take(so_far, SliceRequest(turned, fresh=False, limit=5))
        assert finished.runs["mlp"].iteration == 10


def test_what_was_not_reached_or_is_not_there_cannot_be_seen() -> None:
    computed(long(), limit=5)
    with pytest.raises(TutorError, match="at iteration 5, so nothing"):
        engine.seen("r", "gd", 6)
    with pytest.raises(TutorError, match="does not have this race"):
        engine.seen("other", "gd", 0)
    with pytest.raises(TutorError, match="does not have this race"):
        engine.seen("r", "nobody", 0)


def test_snapshots_are_few_and_small() -> None:
    kept = snapshots.Snapshots()
    some = EngineRace(long()).runs[0].snapshot()
    for number in range(1000):
        kept.add(replace(some, iteration=number))
    assert 32 <= len(kept) <= snapshots.MOST
    first = kept.before(0)
    assert first is not None
    assert first.iteration == 0
    assert kept.before(-1) is None


def test_finished_tells_every_run_of_the_race() -> None:
    *_, finished = engine.train(SliceRequest(fork(long(), 20)))
    assert isinstance(finished, Finished)
    assert list(finished.runs) == ["gd", "minibatch", "sgd", "fork"]


def test_a_look_back_that_is_interrupted_leaves_nothing_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed(long("iterations=300"))
    model = engine.seen("r", "sgd", 255).model
    wanted = [each.detach().clone() for each in model.parameters()]
    engine._races["r"].runs[-1].scratch = None
    plain, done = EngineRun.advance, 0

    def advance(run: EngineRun) -> None:
        nonlocal done
        done += 1
        if done == 5:
            run._update()  # what it is at is not counted yet
            raise KeyboardInterrupt
        plain(run)

    with monkeypatch.context() as patched:
        patched.setattr(EngineRun, "advance", advance)
        with pytest.raises(KeyboardInterrupt):
            engine.seen("r", "sgd", 255)
    again = engine.seen("r", "sgd", 255).model
    for one, other in zip(again.parameters(), wanted, strict=True):
        assert torch.equal(one, other)
