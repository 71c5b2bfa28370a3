"""What several workers share, as told, and how a launcher is recognised."""

import pytest

from tutor import workers
from tutor.training import options, shares, words
from tutor.training.run import Points, RunEnd
from tutor.training.spec import Change, RunSpec
from tutor.workers import Launched


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (RunSpec("gd"), ""),
        (RunSpec("gd", loss="sse", slip="no-zero-grad"), ""),
        (RunSpec("minibatch", batch=32, model="mlp", widths=(8,), device="cuda"), ""),
        (RunSpec("sgd", batch=1), "its batch of 1 point cannot be divided by 4"),
        (RunSpec("five", batch=6), "its batch of 6 points cannot be divided by 4"),
        (RunSpec("gd", points=50), "all its 50 points cannot be divided by 4"),
        (
            RunSpec("turned", batch=8, changes=(Change(3, "batch", 7),)),
            "its batch of 7 points cannot be divided by 4",
        ),
        (
            RunSpec("ball", dataset="bowl", model="point", loss="value"),
            "bowl is a function, which has no data to divide",
        ),
        (
            RunSpec("random", optimiser="random"),
            "the optimiser random has no gradients to average",
        ),
        (
            RunSpec("wrong", slip="broadcast"),
            "its slip compares every output with every target",
        ),
        (
            RunSpec("second", device="cuda:1"),
            "its device is cuda:1, and each worker needs one of its own",
        ),
    ],
)
def test_why_one_worker_computes_a_run(run: RunSpec, said: str) -> None:
    assert shares.alone(run, 4) == said


def test_workers_are_a_setting_of_the_race() -> None:
    race = options.race({"workers": 3}, ["workers=2", "lr=0.1"])
    assert race.workers == 2
    assert options.race({"workers": 3}).workers == 3
    assert options.race().workers == 1
    assert "--set workers=2" in words.command(race)
    assert "workers" not in words.command(options.race())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["workers=0"], "workers must be a whole number from 1 to 64, not 0."),
        (["sgd.workers=2"], "There is no setting sgd.workers"),
        (
            ["workers=2", "engine=compiled"],
            "engine=compiled computes in one process, not in 2 workers",
        ),
    ],
)
def test_bad_workers(changes: list[str], said: str) -> None:
    with pytest.raises(options.SpecError) as raised:
        options.race(None, changes)
    (fault,) = raised.value.faults
    assert fault.message.startswith(said)


def test_where_it_was_computed() -> None:
    assert words.computed_on(RunEnd("finished", 1, 0.0)) == "cpu, eager"
    early = RunEnd("finished", 1, 0.0, engine="compiling")
    assert words.computed_on(early) == "cpu, eager; it was still being compiled"
    many = RunEnd("finished", 1, 0.0, device="cuda:0", workers=2)
    assert words.computed_on(many) == "cuda:0, eager, 2 workers"


def test_where_each_run_was_computed_is_told_where_they_differ() -> None:
    one, two = RunEnd("finished", 1, 0.0), RunEnd("finished", 1, 0.0, workers=2)
    assert words.computed({"gd": one, "sgd": one}) == "Computed on cpu, eager"
    assert words.computed({"gd": two, "minibatch": two, "sgd": one}) == (
        "Computed: gd, minibatch on cpu, eager, 2 workers; sgd on cpu, eager"
    )


def test_points_after_an_iteration() -> None:
    points = Points(
        "gd",
        start=4,
        samples=40,
        per_iteration=10,
        losses=(4.0, 5.0, 6.0),
        params={"w": (0.4, 0.5, 0.6)},
        seconds=(1.0, 3.0),
    )
    assert points.after(3) is points
    assert points.after(6) is None
    left = points.after(4)
    assert left == Points(
        "gd", 5, 50, 10, (5.0, 6.0), {"w": (0.5, 0.6)}, seconds=(2.0, 3.0)
    )


def test_a_launcher_is_recognised() -> None:
    told = {"TORCHELASTIC_RUN_ID": "a", "RANK": "1", "WORLD_SIZE": "4"}
    assert workers.launched(told) == Launched(1, 4, 0)
    assert workers.launched({**told, "TORCHELASTIC_RESTART_COUNT": "2"}) == Launched(
        1, 4, 2
    )
    assert workers.launched({"RANK": "1", "WORLD_SIZE": "4"}) is None
    assert workers.launched({"TORCHELASTIC_RUN_ID": "a"}) is None
