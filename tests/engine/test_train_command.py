"""`train` from its options to its output, on a kernel that computes in this process."""

import argparse
import asyncio
import contextlib
import csv
import io
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_kernel import FakeKernel
from tutor.engine import train as engine
from tutor.errors import FileError, KernelDiedError
from tutor.headless import runner, train
from tutor.kernel.base import KernelOptions
from tutor.kernel.outputs import Done
from tutor.training.run import Points
from tutor.training.spec import SliceRequest

Run = Callable[..., tuple[int, str, str]]


def arguments(*changes: str, **given: Any) -> argparse.Namespace:
    usual = {"spec": None, "json": False, "csv": False, "plot": False, "ascii": False}
    return argparse.Namespace(set=list(changes), **{**usual, **given})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command; its exit code, stdout and stderr."""
    kernels: list[FakeKernel] = []

    def make(options: KernelOptions) -> FakeKernel:
        kernels.append(FakeKernel(options=options, calls={"train": engine.train}))
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
