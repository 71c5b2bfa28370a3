"""Races with one thing changed, and the command line of each."""

import pytest

from tutor.errors import UsageError
from tutor.training import forks, options, words
from tutor.training.commands import settings
from tutor.training.spec import Change, RaceSpec

RACE = options.race()


def test_a_turn_on_the_way_is_a_change_of_those_runs() -> None:
    race = forks.turned(RACE, {"gd", "sgd"}, "lr", 0.1, at=7)
    assert [run.changes for run in race.runs] == [
        (Change(7, "lr", 0.1),), (), (Change(7, "lr", 0.1),),
    ]  # fmt: skip
    assert race.runs[0].lr == 0.05
    again = forks.turned(race, {"gd"}, "lr", 0.2, at=7)
    assert again.runs[0].changes == (Change(7, "lr", 0.2),)
    assert forks.turned(again, {"gd"}, "lr", 0.05, at=7).runs[0] == RACE.runs[0]


def test_a_turn_knows_how_far_each_run_is() -> None:
    race = forks.turned(RACE, {"gd", "sgd"}, "lr", 0.1, at={"gd": 3})
    assert race.runs[0].changes == (Change(3, "lr", 0.1),)
    assert (race.runs[2].lr, race.runs[2].changes) == (0.1, ())


def test_what_cannot_change_on_the_way_is_another_one_from_the_start() -> None:
    race = forks.turned(RACE, {"gd"}, "seed", 4, at=7)
    assert race.runs[0].seed == 4
    assert race.runs[0].changes == ()


def test_other_data_bring_what_goes_with_them() -> None:
    names = {run.name for run in RACE.runs}
    circle = forks.turned(RACE, names, "dataset", "circle", 0)
    assert circle.runs == options.race(None, ["dataset=circle"]).runs
    bowl = forks.turned(circle, {"gd"}, "dataset", "bowl", 0).runs[0]
    (point,) = options.race(None, ["dataset=bowl"]).runs
    assert (bowl.model, bowl.loss, bowl.start, bowl.points) == (
        point.model, point.loss, point.start, point.points,
    )  # fmt: skip
    back = forks.turned(circle, names, "dataset", "line", 0)
    assert back.runs == RACE.runs


def test_a_turn_that_makes_no_sense_is_refused_with_a_sentence() -> None:
    with pytest.raises(UsageError, match="loss bce is for two classes"):
        forks.turned(RACE, {"gd"}, "loss", "bce", at=5)
    with pytest.raises(UsageError, match="a perceptron tells two classes apart"):
        forks.turned(RACE, {"gd"}, "model", "perceptron", at=0)


def test_a_fork_is_its_parent_up_to_its_iteration() -> None:
    race = forks.forked(RACE, "gd", 12, "lr", 0.1)
    fork = race.runs[-1]
    assert (fork.name, fork.of, fork.since) == ("gd lr 0.1", "gd", 12)
    assert fork.changes == (Change(12, "lr", 0.1),)
    assert forks.same_until(RACE.runs[0], fork, 12)
    assert not forks.same_until(RACE.runs[0], fork, 13)
    assert forks.forked(race, "gd", 12, "lr", 0.1).runs[-1].name == "gd lr 0.1 2"


def test_a_fork_of_a_fork_before_its_time_is_one_of_its_parent() -> None:
    race = forks.forked(RACE, "gd", 12, "lr", 0.1)
    race = forks.forked(race, "gd lr 0.1", 5, "batch", 4)
    fork = race.runs[-1]
    assert (fork.of, fork.since) == ("gd", 5)
    assert fork.changes == (Change(5, "batch", 4), Change(12, "lr", 0.1))


def test_a_fork_with_other_data_begins_anew() -> None:
    fork = forks.forked(RACE, "gd", 12, "seed", 1).runs[-1]
    assert (fork.of, fork.since, fork.seed) == ("gd", 0, 1)


def test_six_runs_are_enough() -> None:
    race = RACE
    for lr in (0.1, 0.2, 0.3):
        race = forks.forked(race, "gd", 3, "lr", lr)
    with pytest.raises(UsageError, match="6 runs at most"):
        forks.forked(race, "gd", 3, "lr", 0.4)


def test_a_run_is_taken_out_and_its_forks_stay() -> None:
    race = forks.forked(RACE, "gd", 12, "lr", 0.1)
    race = forks.forked(race, "gd lr 0.1", 20, "batch", 4)
    rest = forks.without(race, "gd")
    assert [run.name for run in rest.runs][-2:] == ["gd lr 0.1", "gd lr 0.1 batch 4"]
    assert [(run.of, run.since) for run in rest.runs][-2:] == [
        ("", 12), ("gd lr 0.1", 20),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="its last one"):
        forks.without(RaceSpec(RACE.runs[:1]), "gd")


@pytest.mark.parametrize(
    "changes",
    [
        [],
        ["lr=1e-7", "momentum=.5", "optimiser=momentum"],
        ["model=mlp", "widths=16,16", "test=500", "init=zero"],
        ["dataset=ravine", "start=1,-2.5", "lr@3=.2", "decay=.1"],
        ["model=perceptron", "loss=mse", "batch@3=4"],
        ["batch=8", "sgd.lr@4=.1", "gd.optimiser=adam", "device=auto"],
        ["runs=a,b", "a.model=mlp", "b.lr=3", "slip=no-zero-grad"],
        ["dataset=corners"],
        ["engine=compiled", "points=4", "gd.batch=2"],
        ["runs=gd,x", "x.of=gd", "x.since=3", "x.lr@3=.2", "x.batch@5=7"],
    ],
)
def test_the_command_line_is_the_race_again(changes: list[str]) -> None:
    race = options.race(None, changes)
    assert options.race(None, settings(race)) == race
    said = "python -m tutor train" + (" --set" if settings(race) else "")
    assert words.command(race).startswith(said)


def test_the_command_line_of_forks_is_the_race_again() -> None:
    race = forks.forked(RACE, "gd", 12, "lr", 0.1)
    race = forks.forked(race, "gd lr 0.1", 20, "batch", 4)
    race = forks.forked(race, "sgd", 3, "dataset", "circle")
    assert options.race(None, settings(race)) == race
    assert "'gd lr 0.1.lr@12=0.1'" in words.command(race)


def test_the_command_line_of_the_default_race_has_no_settings() -> None:
    assert words.command(RACE) == "python -m tutor train"
    assert settings(options.race(None, ["dataset=bowl"])) == ["dataset=bowl"]


def test_at_its_end_nothing_would_follow_a_fork() -> None:
    end = RACE.runs[0].iterations
    with pytest.raises(UsageError, match="nothing would follow"):
        forks.forked(RACE, "gd", end, "lr", 0.1)
    fork = forks.forked(RACE, "gd", end, "seed", 1).runs[-1]
    assert fork.since == 0, "what cannot change on the way is another run"


def test_as_now_has_the_turned_settings_from_the_start_and_no_forks() -> None:
    race = forks.turned(RACE, {"gd"}, "lr", 0.1, 7)
    race = forks.forked(race, "gd", 12, "batch", 4)
    now = forks.as_now(race, 12)
    assert [run.name for run in now.runs] == [run.name for run in RACE.runs]
    assert (now.runs[0].lr, now.runs[0].changes) == (0.1, ())
    assert forks.as_now(race, 6).runs[0].lr == RACE.runs[0].lr
