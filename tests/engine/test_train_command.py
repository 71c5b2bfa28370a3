"""`train` from its options to its output, on a kernel that computes in this process."""

import argparse
import asyncio
import contextlib
import csv
import io
import json
import math
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_kernel import FakeKernel
from tutor.engine import devices, luck, viewing
from tutor.engine import train as engine
from tutor.errors import (
    FileError,
    KernelDiedError,
    MachineError,
    UsageError,
)
from tutor.headless import runner, train
from tutor.kernel.base import KernelOptions
from tutor.kernel.outputs import Done
from tutor.messages import Problem
from tutor.session import Session
from tutor.training.run import Finished, Points, RunEnd
from tutor.training.spec import SliceRequest

Run = Callable[..., tuple[int, str, str]]


def calls() -> dict[str, Any]:
    return {
        "train": engine.train,
        "luck": luck.luck,
        "view": lambda request: [viewing.view(request)],
    }


def arguments(*changes: str, **given: Any) -> argparse.Namespace:
    usual = {
        **dict.fromkeys(("spec", "resume", "svg", "png", "tensorboard")),
        "seeds": None,
        "workers": None,
        "view": "curves",
        **dict.fromkeys(("json", "csv", "plot", "ascii", "runs"), False),
    }
    return argparse.Namespace(set=list(changes), **{**usual, **given})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder, which is not there yet."""
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run the command; its exit code, stdout and stderr."""
    kernels: list[FakeKernel] = []

    def make(options: KernelOptions) -> FakeKernel:
        kernels.append(FakeKernel(options=options, calls=calls()))
        return kernels[-1]

    monkeypatch.setattr(runner, "_jupyter", lambda: make)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)

    def call(*changes: str, **given: Any) -> tuple[int, str, str]:
        code = train.run(arguments(*changes, **given))
        assert len(kernels) <= 1
        kernels.clear()
        return code, *capsys.readouterr()

    return call


def test_json_lines_of_the_default_race(run: Run) -> None:
    code, out, _ = run(json=True)
    *points, last = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [point["run"] for point in points] == (
        ["gd"] * 26 + ["minibatch"] * 26 + ["sgd"] * 26
    )
    assert [point["iteration"] for point in points] == [*range(26)] * 3
    assert points[1]["samples"] == 1000
    assert points[27]["samples"] == 4
    assert round(points[25]["loss"], 3) == 1.076
    assert {name: round(value, 4) for name, value in points[25]["params"].items()} == {
        "w": -4.6995,
        "b": 1.8568,
    }
    assert last["done"] is True
    assert {name: end["stopped"] for name, end in last["runs"].items()} == {
        "gd": "finished",
        "minibatch": "finished",
        "sgd": "finished",
    }


@pytest.mark.parametrize("form", ["json", "csv", "plot", "table"])
def test_the_same_settings_print_the_same_bytes(run: Run, form: str) -> None:
    given = {} if form == "table" else {form: True}
    first = run("seed=4", "lr=0.02", **given)
    assert first == run("seed=4", "lr=0.02", **given)
    assert first != run("seed=5", "lr=0.02", **given)


def test_divergence_is_a_result_in_strict_json(run: Run) -> None:
    code, out, _ = run("lr=1e30", json=True)
    lines = [json.loads(line, parse_constant=pytest.fail) for line in out.splitlines()]
    assert code == 0
    assert lines[-1]["runs"]["gd"]["stopped"] == "diverged"
    assert lines[-1]["runs"]["gd"]["loss"] in ("inf", "nan")
    assert lines[1]["iteration"] == 1


def test_csv_is_read_back(run: Run) -> None:
    code, out, _ = run(csv=True)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert len(rows) == 78
    assert list(rows[0]) == ["run", "iteration", "samples", "loss", "w", "b"]
    _, lines, _ = run(json=True)
    points = [json.loads(line) for line in lines.splitlines()][:-1]
    assert [float(row["loss"]) for row in rows] == [point["loss"] for point in points]


def test_a_name_with_quotes_is_one_csv_field(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "race.toml"
    spec.write_text('runs = [{ name = "a \\"b\\"", iterations = 1 }]')
    _, out, _ = run(spec=spec, csv=True)
    assert [row["run"] for row in csv.DictReader(io.StringIO(out))] == ['a "b"'] * 2


def test_the_mlp(run: Run) -> None:
    _, out, _ = run("model=mlp", json=True)
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == 302
    assert lines[300]["params"] == {}
    assert lines[-1]["runs"]["mlp"]["loss"] < 0.03


@pytest.mark.parametrize("columns", [None, 40, 120])
def test_the_plot_is_as_wide_as_asked(
    run: Run, columns: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if columns is not None:
        monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = run(plot=True)
    lines = out.splitlines()
    axis = next(line for line in lines if "└" in line)
    assert code == 0
    assert len(axis) == (columns or 80)
    assert "\x1b" not in out
    assert all(letter in out for letter in "ABC")
    assert "1.0761" in out


def test_the_plot_in_ascii(run: Run) -> None:
    _, out, _ = run(plot=True, ascii=True)
    assert out.isascii()


def test_a_diverged_race_is_plotted_as_far_as_it_went(run: Run) -> None:
    code, out, _ = run("lr=1.5", plot=True)
    assert code == 0
    assert "loss (log)" in out
    assert "diverged at" in out


def test_without_a_format_there_is_a_table(run: Run) -> None:
    code, out, _ = run()
    rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert ["iteration", "gd", "minibatch", "sgd"] in rows
    assert ["25", "1.0761", "1.2126", "1.5479"] in rows
    assert ["last", "w", "-4.6995", "-4.5518", "-4.3526"] in rows


def test_a_fork_has_no_loss_before_it_branches_off(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "fork.toml"
    spec.write_text(
        '[[runs]]\nname = "a"\n[[runs]]\nname = "b"\nof = "a"\nsince = 7\n'
        'changes = { "lr@7" = 0.2 }\n'
    )
    _, out, _ = run(spec=spec)
    assert "nan" not in out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    assert len(rows["5"]) == 1
    assert len(rows["10"]) == 2


def test_a_spec_file_with_changes(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "race.toml"
    spec.write_text('lr = 0.1\niterations = 3\nruns = [{ name = "one", batch = 2 }]')
    _, out, _ = run("iterations=2", spec=spec, json=True)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["samples"] for line in lines[:-1]] == [0, 2, 4]


def test_all_faults_are_told_on_stderr(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "race.toml"
    spec.write_text('lr = -1\ncolour = 2\ndataset = "mnist"\nseed = "x"')
    code, out, err = run("batch=0", spec=spec)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 5
    assert sum(str(spec) in line for line in err.splitlines()) == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no file"), (b"lr = ", "not valid TOML"), (b"\xff\xfe", "UTF-8")],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    run: Run, tmp_path: Path, content: bytes | None, said: str
) -> None:
    spec = tmp_path / "race.toml"
    if content is not None:
        spec.write_bytes(content)
    with pytest.raises(FileError, match=said):
        run(spec=spec)


@pytest.mark.parametrize("form", ["json", "csv", "plot", "table"])
def test_ctrl_c_prints_what_was_computed(
    run: Run, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = engine.train

    async def interrupted(request: SliceRequest) -> AsyncIterator[Any]:
        pressed = False
        for answer in real(request):  # it hears SIGINT too, as in its own process
            yield answer
            if not pressed and isinstance(answer, Points) and answer.start:
                pressed = True
                os.kill(os.getpid(), signal.SIGINT)
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

    monkeypatch.setattr(engine, "train", interrupted)
    given = {} if form == "table" else {form: True}
    code, out, _ = run("iterations=1e9", **given)
    assert code == 130
    if form == "json":
        *points, last = [json.loads(line) for line in out.splitlines()]
        assert [point["iteration"] for point in points] == [*range(len(points))]
        assert last["runs"]["gd"]["stopped"] == "interrupted"
        assert last["runs"]["gd"]["iteration"] == points[-1]["iteration"]
    elif form == "csv":
        assert len(out.splitlines()) > 2
    else:
        assert "stopped at" in out


def test_a_kernel_that_dies_leaves_the_points_it_had(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def dying(request: SliceRequest) -> Iterator[Any]:
        yield Points("gd", 0, 0, 1, (31.0, 30.0))
        yield Done("died", "killed (signal 9)")

    monkeypatch.setattr(engine, "train", dying)
    with pytest.raises(KernelDiedError):
        run(plot=True)
    assert "loss 30.0000  stopped at 1" in capsys.readouterr().out


def interrupting(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Make the engine press Ctrl+C when a run is past an iteration."""
    real = engine.train

    async def interrupted(request: SliceRequest) -> AsyncIterator[Any]:
        pressed = False
        for answer in real(request):
            yield answer
            if not pressed and isinstance(answer, Points) and answer.start >= at:
                pressed = True
                os.kill(os.getpid(), signal.SIGINT)
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

    monkeypatch.setattr(engine, "train", interrupted)


def test_divergence_is_explained_on_stderr(run: Run) -> None:
    code, out, err = run("lr=1.5", csv=True)
    assert code == 0
    assert out.splitlines()[0] == "run,iteration,samples,loss,w,b"
    told = [line for line in err.splitlines() if "diverge" in line]
    assert len(told) == 3
    assert all(name in "".join(told) for name in ("gd", "minibatch", "sgd"))
    assert err.count("  try ") == 6
    assert err.splitlines()[-1].endswith("python -m tutor train --set lr=1.5")


def test_what_the_engine_refuses_is_a_sentence_and_no_table(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = Problem("There is no device cuda:7 here.", machine=True)
    monkeypatch.setattr(engine, "train", lambda request: [refusal])
    with pytest.raises(MachineError, match="There is no device cuda:7 here"):
        run("device=cuda:7")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("view", "changes", "said"),
    [
        ("contour", (), "optimum"),
        ("contour", ("dataset=bowl", "model=point"), "w"),
        ("output", (), "the model at iteration 25"),
        ("output", ("model=mlp", "iterations=20"), "classes"),
        ("layers", ("model=mlp", "iterations=20"), "tanh"),
        ("noise", (), "batches of"),
    ],
)
def test_another_picture_than_the_curves(
    run: Run, tmp_path: Path, view: str, changes: tuple[str, ...], said: str
) -> None:
    svg = tmp_path / "view.svg"
    code, out, _ = run(*changes, view=view, plot=True, svg=svg)
    assert code == 0
    assert said in out
    assert "finished" in out
    assert said.split()[-1] in svg.read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"view": "noise"}, "--view noise needs --plot"),
        ({"view": "layers", "plot": True}, "choose model=mlp"),
        ({"seeds": 0}, "--seeds must be a whole number"),
        ({"seeds": 5, "resume": ""}, "neither --resume nor --view"),
        ({"seeds": 5, "tensorboard": Path("/nowhere")}, "no event files"),
    ],
)
def test_options_that_do_not_go_together(
    run: Run, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        run(**given)


def test_many_seeds(run: Run, tmp_path: Path) -> None:
    _, out, err = run(seeds=40)
    assert "success: the share of the seeds with which a run ends below gd" in out
    assert "minibatch ends below gd with" not in out
    assert err.endswith("python -m tutor train --seeds 40\n")
    _, out, _ = run(seeds=40, json=True)
    document = json.loads(out)
    assert document["seeds"] == 40
    assert len(document["runs"]["sgd"]["losses"]) == 40
    _, out, _ = run(seeds=40, csv=True)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["iteration"] for row in rows] == [str(each) for each in range(26)] * 3
    assert all(float(r["low"]) <= float(r["median"]) <= float(r["high"]) for r in rows)
    _, out, _ = run(seeds=40, plot=True, svg=tmp_path / "luck.svg")
    assert "median and 5 to 95 %" in out
    assert "seeds" in (tmp_path / "luck.svg").read_text()
    assert out.count("% below gd") == 2
    assert "success" not in out
    _, out, _ = run("dataset=circle", "model=mlp", "iterations=5", seeds=4)
    assert "classifies 95 % of the points right" in out


def test_the_list_of_runs_takes_nothing_else(run: Run) -> None:
    for given in ({"csv": True}, {"plot": True}, {"seeds": 3}, {"svg": Path("a.svg")}):
        with pytest.raises(UsageError, match="--runs lists the stored runs"):
            run(runs=True, **given)
    with pytest.raises(UsageError, match="--runs lists the stored runs"):
        run("lr=0.1", runs=True)


def test_what_is_true_of_each_run_is_said_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "here", lambda: ["cpu"])
    _, _, err = run("device=auto", svg=tmp_path / "race.svg")
    assert err.count("There is no accelerator: it is computed on cpu.") == 1
    assert f"Written: {tmp_path / 'race.svg'}\n" in err


def test_ctrl_c_before_the_first_point_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def started(session: Session, work: runner.Work) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(runner, "_started", started)
    code, out, err = run()
    assert (code, out) == (130, "")
    assert "Stopped before its first point" in err


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A race is kept from its first iteration on."""
    monkeypatch.setattr(train, "SHORT_S", 0.0)


def told_id(err: str) -> str:
    (line,) = [each for each in err.splitlines() if "--resume" in each]
    return line.split()[-1]


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.usefixtures("at_once")
def test_cut_off_and_gone_on_with_it_is_as_if_in_one_go(
    run: Run, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("points=64", "iterations=2000")
    given = {form: True}
    _, whole, _ = run(*settings, **given)
    with monkeypatch.context() as patch:
        interrupting(patch, 1)
        code, cut, err = run(*settings, **given)
    assert code == 130
    assert len(cut) < len(whole)
    id = told_id(err)
    code, listed, _ = run(runs=True)
    assert code == 0
    assert [line.split()[0] for line in listed.splitlines()[1:2]] == [id]
    assert "can go on" in listed
    code, again, err = run(resume="", **given)
    assert (code, again) == (0, whole)
    assert "--resume" not in err
    code, stored, _ = run(resume=id, **given)  # over: read from the disk alone
    assert (code, stored) == (0, whole)


def test_what_is_over_at_once_is_not_kept(run: Run, home: Path) -> None:
    run()
    assert not (home / "runs").exists()
    code, out, err = run(runs=True)
    assert (code, out) == (0, "")
    assert "No run is stored" in err
    with pytest.raises(UsageError, match="none to go on with"):
        run(resume="")


def test_what_is_no_stored_run_is_a_sentence(run: Run, home: Path) -> None:
    with pytest.raises(FileError, match="There is no stored run 'walk'"):
        run(resume="walk")
    folder = home / "runs" / "20261127-000000-abcd"
    folder.mkdir(parents=True)
    (folder / "a.log").write_text("hello")
    with pytest.raises(FileError, match="is no run that the tutor stored"):
        run(resume=folder.name)


def test_a_resumed_run_keeps_its_settings(run: Run) -> None:
    with pytest.raises(UsageError, match="--resume goes on with the settings"):
        run("lr=0.1", resume="")


@pytest.mark.usefixtures("at_once")
def test_a_disk_that_cannot_be_written_is_told_and_the_race_goes_on(
    run: Run, home: Path
) -> None:
    home.write_text("a file")
    code, out, err = run(csv=True)
    assert code == 0
    assert len(out.splitlines()) == 79
    assert err.count("The race is not being kept") == 1


def test_files_are_written_beside_the_usual_output(run: Run, tmp_path: Path) -> None:
    _, usual, _ = run()
    svg = tmp_path / "race.svg"
    code, out, _ = run(svg=svg)
    assert (code, out) == (0, usual)
    assert svg.read_text().startswith("<svg")
    code, _, _ = run(csv=True, svg=tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == svg.read_text()


@pytest.mark.parametrize("place", ["none/race.svg", ".", "file/race.svg"])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_computed(
    run: Run, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        run(svg=tmp_path / place)


def test_ctrl_c_still_writes_the_files(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupting(monkeypatch, 1)
    code, _, _ = run("iterations=1e9", json=True, svg=tmp_path / "race.svg")
    assert code == 130
    assert (tmp_path / "race.svg").read_text().startswith("<svg")


def test_losses_on_test_data_have_a_column_of_their_own(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def played(request: SliceRequest) -> Iterator[Any]:
        yield Points("gd", 0, 0, 1, (3.0, 2.0), {"w": (0.0, 1.0)}, (4.0, math.nan))
        yield Finished({"gd": RunEnd("finished", 1, 2.0)})

    monkeypatch.setattr(engine, "train", played)
    _, out, _ = run("gd.test=10", csv=True)
    assert out.splitlines() == [
        "run,iteration,samples,loss,test_loss,w,b",
        "gd,0,0,3.0,4.0,0.0,",
        "gd,1,1,2.0,nan,1.0,",
    ]
    _, out, _ = run("gd.test=10", json=True)
    first, second, last = map(json.loads, out.splitlines())
    assert (first["test_loss"], second["test_loss"]) == (4.0, "nan")
    assert "device" not in last["runs"]["gd"]


def test_what_is_recognised_is_said_on_stderr_with_what_to_try(run: Run) -> None:
    code, out, said = run("lr=1.5", json=True)
    assert code == 0
    assert "diverged at iteration" not in out
    assert "gd diverged at iteration 10: w had grown to" in said
    assert "The learning rate 1.5 is above 0.935, which is 2 / λmax" in said
    assert "  try lr 0.5: below the limit of 0.935\n" in said
    _, _, said = run("slip=no-zero-grad", csv=True)
    assert said.count("is still in w.grad") == 3
    _, _, said = run()
    assert "try" not in said
