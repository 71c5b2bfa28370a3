"""A race as a file: everything that is held is in it, and what cannot be is a sentence."""

import csv
import dataclasses
import importlib.util
import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tutor import exports
from tutor.errors import FileError, MachineError, UsageError
from tutor.exports import events, table
from tutor.picture import Patch, Picture
from tutor.training import options, words
from tutor.training import run as held
from tutor.training.run import Finished, Points, Race, RunEnd
from tutor.training.spec import RaceSpec, RunSpec


def race(count: int = 26) -> Race:
    """The default one, with `count` points of each run."""
    made = Race(options.race(None, ["gd.test=10"]))
    for name, run in made.runs.items():
        at = range(count)
        each = run.spec.samples_per_iteration
        losses = tuple(30 / (1 + k) for k in at)
        params = {"w": tuple(-0.1 * k for k in at), "b": tuple(0.5 * k for k in at)}
        tests = tuple(31 / (1 + k) for k in at) if run.spec.test else ()
        made.add(Points(name, 0, 0, each, losses, params, tests))
    ends = {name: RunEnd("finished", count - 1, 1.0) for name in made.runs}
    made.add(Finished(ends))
    return made


def test_csv_has_all_points(tmp_path: Path) -> None:
    path = exports.write(race(), "csv", tmp_path / "a.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert list(rows[0]) == [
        "run",
        "iteration",
        "samples",
        "loss",
        "test_loss",
        "w",
        "b",
    ]
    assert [row["run"] for row in rows] == ["gd"] * 26 + ["minibatch"] * 26 + [
        "sgd"
    ] * 26
    assert [float(row["loss"]) for row in rows[:26]] == [
        30 / (1 + k) for k in range(26)
    ]
    assert float(rows[1]["test_loss"]) == 15.5
    assert rows[27] == {
        "run": "minibatch", "iteration": "1", "samples": "4", "loss": "15.0",
        "test_loss": "", "w": "-0.1", "b": "0.5",
    }  # fmt: skip


def test_csv_of_a_thinned_run_ends_with_its_last_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "HELD_POINTS", 8)
    rows = list(table.rows(race(26).runs["sgd"]))
    assert [(iteration, samples) for iteration, samples, *_ in rows] == [
        (0, 0), (4, 4), (8, 8), (12, 12), (16, 16), (20, 20), (24, 24), (25, 25),
    ]  # fmt: skip
    assert rows[-1][2] == 30 / 26
    assert rows[-1][4] == {"w": -2.5, "b": 12.5}


def test_csv_leaves_out_what_never_came_and_keeps_a_nan(tmp_path: Path) -> None:
    fork = held.Run(RunSpec("fork", of="gd", since=3))
    fork.add(Points("fork", 3, 9, 1, (1.0, 2.0, math.nan)))
    assert [row[0] for row in table.rows(fork)] == [3, 4, 5]
    assert math.isnan(list(table.rows(fork))[-1][2])


def test_csv_of_models_with_other_parameters_has_empty_fields(tmp_path: Path) -> None:
    spec = options.race(None, ["sgd.model=constant"])
    columns = table.Columns(spec)
    assert columns.head == "run,iteration,samples,loss,w,b\n"
    assert columns.line("sgd", (0, 0, 1.5, None, {"b": 2.0})) == "sgd,0,0,1.5,,2.0\n"


def test_text_is_the_picture_the_ends_and_the_command(tmp_path: Path) -> None:
    text = exports.write(race(), "text", tmp_path / "a.txt").read_text("utf-8")
    assert all(letter in text for letter in "ABC")
    assert "finished" in text
    assert text.endswith(f"\n{words.command(race().spec)}\n")


def test_svg_is_xml_with_the_curves_or_the_picture_that_is_given(
    tmp_path: Path,
) -> None:
    path = exports.write(race(), "svg", tmp_path / "a.svg")
    text = "".join(ET.parse(path).getroot().itertext())
    assert "iteration" in text
    assert "finished" in text
    picture = Picture(("over <there>",), ((Patch(0, 4, "a"),),))
    exports.write(race(), "svg", path, picture)
    assert "<there>" in "".join(ET.parse(path).getroot().itertext())


@pytest.mark.parametrize(
    ("kind", "extra"), [("png", "png"), ("tensorboard", "tensorb")]
)
def test_an_extra_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, extra: str
) -> None:
    monkeypatch.setattr(exports, "find_spec", lambda name: None)
    with pytest.raises(MachineError, match=f"needs the tutor's extra {extra}"):
        exports.write(race(), kind, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    importlib.util.find_spec("resvg_py") is None, reason="without the extra png"
)
def test_png(tmp_path: Path) -> None:
    content = exports.write(race(), "png", tmp_path / "a.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(content[16:20], "big") == 2 * (100 * 8 + 16)
    assert len(content) > 10_000


@pytest.mark.skipif(
    importlib.util.find_spec("tensorboard") is None,
    reason="without the extra tensorboard",
)
def test_tensorboard_reads_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST", 100)
    made = race(1000)
    exports.write(made, "tensorboard", tmp_path / "tb")
    code = """if 1:
        import sys
        from tensorboard.backend.event_processing.event_accumulator import (
            EventAccumulator,
        )
        read = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
        read.Reload()
        print(sorted(read.Tags()["scalars"]), read.Tags()["tensors"])
        points = read.Scalars("loss")
        print(len(points), points[0].step, points[-1].step, points[-1].value)
    """
    folder = str(tmp_path / "tb" / "gd")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, folder],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "['loss', 'parameters/b', 'parameters/w', 'test loss'] ['settings']",
        "92 0 999 0.029999999329447746",
    ]


@pytest.mark.parametrize("kind", ["csv", "text", "svg"])
@pytest.mark.parametrize("place", ["none/a", ".", "file/a"])
def test_a_place_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, kind: str, place: str
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"cannot be written: .*\.$"):
        exports.write(race(), kind, tmp_path / place)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_a_sentence() -> None:
    with pytest.raises(FileError, match="No space left on device"):
        exports.write(race(), "csv", Path("/dev/full"))


def test_what_the_ending_of_a_name_means() -> None:
    assert exports.kind_of(Path("a/b.CSV")) == "csv"
    assert exports.kind_of(Path("a/b")) == "tensorboard"
    with pytest.raises(UsageError, match="no ending that tells what to write"):
        exports.kind_of(Path("a/b.gif"))
    with pytest.raises(UsageError, match="There is no export 'gif'"):
        exports.write(race(), "gif", Path("/tmp/never"))


def test_asking_whether_a_file_can_be_written_leaves_none(tmp_path: Path) -> None:
    exports.check("csv", tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b.csv").write_text("kept")
    exports.check("csv", tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text() == "kept"


def test_a_watched_race_has_the_columns_of_its_points(tmp_path: Path) -> None:
    spec = dataclasses.replace(options.race(None, ["model=mlp"]), watched=True)
    made = Race(spec)
    made.add(Points("mlp", 0, 0, 1, (1.0,), {"theta": (2.0,)}))
    path = exports.write(made, "csv", tmp_path / "a.csv")
    assert path.read_text().splitlines()[0] == "run,iteration,samples,loss,theta"


def test_of_an_own_loop_no_settings_are_told(tmp_path: Path) -> None:
    race = Race(RaceSpec((RunSpec("loss"),), "Your own loop", watched=True))
    race.add(Points("loss", 0, 0, 0, (3.0, 2.0, 1.0), {"w": (0.0, 1.0, 2.0)}))
    path = exports.write(race, "text", tmp_path / "own.txt")
    text = path.read_text()
    assert "A  loss" in text
    assert "your own loop, whose settings are not known" in text
    for invented in ("points", "batch", "python -m tutor", "lr"):
        assert invented not in text
