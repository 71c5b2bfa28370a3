"""Settings as a reader writes them: the defaults, the changes, every fault at once."""

import dataclasses
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.errors import UsageError
from tutor.training import commands, options, values, words
from tutor.training.options import SpecError, race
from tutor.training.spec import Change, RunSpec


def faults(table: dict[str, Any] | None = None, *changes: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        race(table, changes)
    return [fault.message for fault in caught.value.faults]


def test_the_default_is_the_race_of_section_2_14() -> None:
    assert race().runs == (
        RunSpec("gd", batch=None),
        RunSpec("minibatch", batch=4),
        RunSpec("sgd", batch=1),
    )
    gd = race().runs[0]
    assert (gd.dataset, gd.points, gd.noise, gd.model) == ("line", 1000, 1.0, "linear")
    assert (gd.lr, gd.iterations, gd.seed, gd.optimiser) == (0.05, 25, 0, "sgd")


def test_an_mlp_is_one_run_on_the_circle() -> None:
    (run,) = race(None, ["model=mlp"]).runs
    assert run == RunSpec(
        "mlp",
        dataset="circle",
        points=200,
        noise=0.05,
        model="mlp",
        widths=(8,),
        loss="bce",
        optimiser="adam",
        iterations=300,
    )


def test_changes_are_every_runs_but_the_batch_is_minibatchs() -> None:
    runs = race(None, ["lr=.1", "batch=16", "seed=3", "noise=0", "iterations=1e3"]).runs
    assert [run.batch for run in runs] == [None, 16, 1]
    assert {(run.lr, run.seed, run.noise, run.iterations) for run in runs} == {
        (0.1, 3, 0.0, 1000)
    }


@pytest.mark.parametrize("text", ["16,16", "16x16", "16-16", "[16, 16]", "16 16"])
def test_widths_are_read_as_people_write_them(text: str) -> None:
    assert race(None, ["model=mlp", f"widths={text}"]).runs[0].widths == (16, 16)


def test_a_table_of_runs_is_a_lessons() -> None:
    table = {
        "dataset": "line",
        "lr": 0.05,
        "iterations": 25,
        "runs": [
            {"name": "gd", "batch": 1000},
            {"name": "minibatch", "batch": 4},
            {"name": "sgd", "batch": 1},
        ],
    }
    assert race(table) == race()
    changed = race(table, ["batch=8", "lr=1"]).runs
    assert [run.batch for run in changed] == [None, 8, 1]
    assert {run.lr for run in changed} == {1.0}


def test_a_run_overrides_the_race_and_a_change_overrides_both() -> None:
    table = {"lr": 0.1, "runs": [{"name": "a", "lr": 0.2}, {"name": "b"}]}
    assert [run.lr for run in race(table).runs] == [0.2, 0.1]
    assert [run.lr for run in race(table, ["lr=0.3"]).runs] == [0.3, 0.3]


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "fast", "", "1e999"])
def test_a_bad_lr_is_named(value: str) -> None:
    (message,) = faults(None, f"lr={value}")
    assert message.startswith("lr must be a number above 0, not ")


@pytest.mark.parametrize(
    "change",
    [
        "iterations=0",
        "iterations=1.5",
        "iterations=2000000000",
        "batch=0",
        "batch=-1",
        "seed=-1",
        "seed=0.5",
        "noise=-1",
        "noise=nan",
        "points=1",
        "optimiser=adamw",
        "model=cnn",
        "model=mlp widths",
        "dataset=mnist",
    ],
)
def test_other_bad_values_are_named(change: str) -> None:
    (message,) = faults(None, change)
    assert message.startswith(f"{change.partition('=')[0]} must be ")


@pytest.mark.parametrize("text", ["0", "8,", "8,-1", "8,8.5", "1,1,1,1,1,1,1,1,1"])
def test_bad_widths_are_named(text: str) -> None:
    (message,) = faults(None, "model=mlp", f"widths={text}")
    assert message.startswith("widths must be ")


def test_a_batch_larger_than_the_data_is_named() -> None:
    (message,) = faults(None, "batch=2000")
    assert message == (
        "batch is 2000 in the run 'minibatch', more than the 1000 points of its data."
    )
    assert len(faults(None, "points=2")) == 1


def test_an_unknown_key_names_the_nearest() -> None:
    assert faults(None, "itrations=3") == [
        "There is no setting itrations: did you mean iterations?"
    ]
    (message,) = faults(None, "xyz=3")
    assert "lr, iterations" in message


def test_a_change_without_a_value_is_named() -> None:
    assert faults(None, "lr") == ["--set needs key=value, like lr=0.1, not 'lr'."]


def test_widths_without_an_mlp_are_named_once() -> None:
    assert faults(None, "widths=8") == [
        "widths is for an mlp: add model=mlp, or drop it."
    ]


def test_all_faults_are_told_at_once_with_their_place() -> None:
    table = {
        "lr": float("nan"),
        "dataset": "lines",
        "colour": 3,
        "runs": [{"name": "a", "batch": 0}, {"seed": "x"}],
    }
    with pytest.raises(UsageError) as caught:
        race(table, ["iterations=-3"], source="race.toml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 7
    assert [line for line in lines if not line.startswith("race.toml: ")] == [
        "iterations must be a whole number from 1 to 10^9, not -3."
    ]
    assert any("runs[1].batch must be" in line for line in lines)
    assert any("runs[2].name is missing" in line for line in lines)


def test_faults_in_combination_are_told_beside_the_others() -> None:
    told = faults(None, "lr=nan", "batch=2000", "optimiser=x", "widths=8", "sed=1")
    assert len(told) == 5


@pytest.mark.parametrize("runs", [3, [3], "gd", {"name": "a"}])
def test_runs_of_another_kind_are_named(runs: object) -> None:
    assert faults({"runs": runs})[0].startswith("runs must be tables")


def test_runs_need_different_names_and_are_few() -> None:
    same = [{"name": "a"}, {"name": "a"}]
    assert faults({"runs": same}) == ["runs must have different names."]
    with pytest.raises(SpecError, match=r"^a\.toml: runs must have different names"):
        race({"runs": same}, source="a.toml")
    with pytest.raises(SpecError, match=r"^runs must have different names"):
        race({}, ["runs=a,a"], source="a.toml")
    assert "[[runs]]" in faults({"runs": {"a": {"lr": 1}}})[0]
    many = [{"name": str(number)} for number in range(7)]
    assert faults({"runs": many}) == ["runs must be 6 at most."]
    (message,) = faults({"runs": [{"name": "\x1b[31m"}]})
    assert "\x1b" not in message


def test_every_setting_of_the_contract_can_be_set() -> None:
    assert set(options.SETTINGS) >= {
        *("lr", "iterations", "batch", "seed", "noise", "points", "optimiser"),
        *("model", "widths", "activation", "dataset"),
    }


def test_every_field_of_a_run_is_a_setting() -> None:
    fields = {field.name for field in dataclasses.fields(RunSpec)}
    assert fields == {*options.SETTINGS, *values.FORK_SETTINGS, "name", "changes"}


def test_what_is_not_given_goes_with_the_model_and_the_data() -> None:
    assert {run.loss for run in race(None, ["dataset=moons"]).runs} == {"bce"}
    (point,) = race(None, ["dataset=ravine"]).runs
    assert (point.model, point.loss, point.start) == ("point", "value", (10.0, 1.0))
    assert (point.points, point.noise, point.batch) == (1, 0.0, None)
    (corners,) = race(None, ["model=mlp", "dataset=corners"]).runs
    assert (corners.points, corners.noise, corners.widths) == (4, 0.0, (8,))


def test_a_setting_may_be_another_one_from_an_iteration_on() -> None:
    (run, _, _) = race({"lr@20": 0.01}, ["lr@12=0.1", "optimiser@12=adam"]).runs
    assert run.changes == (
        Change(12, "lr", 0.1), Change(12, "optimiser", "adam"), Change(20, "lr", 0.01),
    )  # fmt: skip
    assert [run.at(at).lr for at in (0, 11, 12, 19, 20)] == [0.05, 0.05, 0.1, 0.1, 0.01]
    told = race({"changes": {"lr@12": 0.1}}).runs
    assert told == race(None, ["lr@12=0.1"]).runs
    batches = [each.changes for each in race(None, ["batch@5=all"]).runs]
    assert batches == [(), (Change(5, "batch", None),), ()]


def test_a_setting_may_be_of_one_run() -> None:
    table = {"gd": {"lr": 0.3}, "lr": 0.2}
    assert [run.lr for run in race(table).runs] == [0.3, 0.2, 0.2]
    told = race(table, ["sgd.lr=0.4", "lr=0.1", "gd.lr@3=1"]).runs
    assert [run.lr for run in told] == [0.1, 0.1, 0.4]
    assert [run.changes for run in told] == [(Change(3, "lr", 1.0),), (), ()]
    runs = race(None, ["runs=a.b,c", "a.b.batch=3", "c.model=mlp"]).runs
    assert [(run.name, run.batch, run.model) for run in runs] == [
        ("a.b", 3, "linear"), ("c", None, "mlp"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (["model=perceptron", "dataset=line"], "a perceptron tells two classes apart"),
        (["loss=bce"], "loss bce is for two classes, and line has numbers"),
        (["loss=value"], "loss value is for a function"),
        (["momentum=.5", "optimiser=adam"], "momentum is a number for"),
        (["start=1"], "start needs 2 numbers here, w, b, not 1."),
        (["model=mlp", "start=1"], "start is for a model with few parameters"),
        (["dataset=bowl", "batch=3"], "batch is about data, and bowl is a function"),
        (["dataset=bowl", "model=mlp"], "bowl is a function without data"),
        (["model=point", "dataset=sin"], "model=point goes down on a function"),
        (["init=zero"], "init is for an mlp"),
        (["dataset=corners", "points=5"], "corners has 4 points, not 5."),
        (["batch@3=5000"], "batch is 5000 in the run 'minibatch', more than"),
        (["slip=double-sigmoid"], "the slip double-sigmoid needs the loss bce"),
        (["dataset=xor", "slip=broadcast"], "the slip broadcast needs the loss mse"),
        (["slip=broadcast", "points=10000"], "the slip broadcast compares every"),
        (["optimiser=none", "slip=no-zero-grad"], "the slip no-zero-grad needs"),
        (["lr@25=1"], "lr@25 comes too late: the run ends at iteration 25."),
        (["lr@0=0"], "lr@0 must be a number above 0, not 0."),
        (["lr@x=1"], "lr@x must have a whole number after the @"),
        (["seed@3=1"], "seed@3: lr, batch, optimiser"),
        (["loss@3=bce"], "loss bce is for two classes"),
        (["activation@3=relu"], "activation is for an mlp"),
        (["device=gpu"], "device must be cpu, cuda, cuda:1, mps or auto"),
        (["gdd.lr=1"], "There is no run gdd: did you mean gd?"),
        (["foo.lr=1"], "There is no run foo: there are gd, minibatch, sgd."),
        (["LR=1"], "There is no setting LR: did you mean lr?"),
        (["=3"], "--set needs key=value, like lr=0.1, not '=3'."),
        (["gd.lrr=1"], "There is no setting gd.lrr: did you mean lr?"),
        (["gd.engine=eager"], "There is no setting gd.engine"),
        (["runs=a,,b"], "runs must be names with commas between"),
        (["gd.of=sgd"], "gd.of must be a run that stands before it"),
        (["sgd.of=gd", "sgd.since=3"], "sgd cannot be forked off gd"),
        (["runs=a,b", "b.of=a", "b.since=25"], "b.since is 25, and the run ends at"),
    ],
)
def test_combinations_that_make_no_sense_are_told(
    changes: list[str], told: str
) -> None:
    (message,) = faults(None, *changes)
    assert message.startswith(told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (["qqq=1"], "engine, workers, runs."),
        (["iterations=1e12"], "not 1e12."),
        (["iterations=0.5"], "not 0.5."),
        (["model=mlp", "widths=a"], "like 16,16, not a."),
    ],
)
def test_what_is_wrong_is_said_as_it_is_written(changes: list[str], told: str) -> None:
    (message,) = faults(None, *changes)
    assert message.endswith(told)


def test_settings_that_change_are_told() -> None:
    def line(*changes: str) -> str:
        return words.settings_line(race(None, changes))

    assert "lr 0.05; seed 0; then lr 0.1 from 12" in line("lr@12=0.1")
    assert line("lr@0=0.1") == line("lr=0.1")
    assert line("gd.lr@3=0.1", "gd.batch@4=9").endswith(
        "; gd then lr 0.1 from 3, batch 9 from 4"
    )
    many = [f"gd.lr@{at}=0.{at}" for at in range(1, 8)]
    assert line(*many).endswith("lr 0.4 from 4 and 3 more")


def test_five_faults_are_five_sentences() -> None:
    told = faults(
        None, "dataset=bowl", "batch=3", "noise=2", "test=4", "model=mlp", "loss=mse"
    )
    assert len(told) == 5
    assert len(set(told)) == 5


def test_momentum_may_be_given_for_later() -> None:
    (run, _, _) = race(None, ["momentum=.5", "optimiser@9=momentum"]).runs
    assert run.at(9).optimiser == "momentum"
    assert run.momentum == 0.5


def test_a_typed_value_is_read_or_told() -> None:
    assert values.read("lr", ".1") == 0.1
    assert values.read("batch", "all") is None
    assert values.read("widths", "8x8") == (8, 8)
    assert values.read("start", "-1") == (-1.0,)
    with pytest.raises(SpecError, match="lr must be a number above 0, not 'fast'"):
        values.read("lr", "fast")


def test_what_is_said_as_text_is_read_again() -> None:
    for key, value in {
        "lr": 1e-7, "batch": None, "widths": (8, 16), "start": (-1.5, 2.0),
        "optimiser": "none", "slip": "", "seed": 2**53, "noise": 1e20,
    }.items():  # fmt: skip
        assert values.read(key, values.as_text(value)) == value


_KEYS = st.sampled_from(
    [*options.SETTINGS, "runs", "engine", "changes", "title", "gd", "of", "since", "x"]
)
_PLACES = st.sampled_from(["", "gd.", "sgd.", "no.", "."])
_TIMES = st.sampled_from(["", "@3", "@", "@x", "@-1", "@99999999999"])
_WORDS = st.sampled_from(
    [
        *("0", "3", "-1", ".1", "nan", "1e9", "all", "none", "gd,x", "a,b", "4,4", ""),
        *("=", "é", *options.DATASETS, *options.MODELS, *options.OPTIMISERS),
        *options.LOSSES,
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(_KEYS, _VALUES, max_size=4),
    st.lists(st.tuples(_PLACES, _KEYS, _TIMES, _WORDS), max_size=4),
)
def test_whatever_is_written_is_a_race_or_sentences(
    table: dict[str, Any], changes: list[tuple[str, str, str, str]]
) -> None:
    written = [f"{place}{key}{time}={word}" for place, key, time, word in changes]
    try:
        made = race(table, written)
    except SpecError as error:
        for fault in error.faults:
            assert fault.message.endswith((".", "?"))
    else:
        assert race(None, commands.settings(made)) == replace(made, title="")
