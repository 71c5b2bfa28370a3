"""`list`: the 18 sections, written or not, with what the learner did."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tutor import paths
from tutor.headless import listing
from tutor.progress import Progress

SAMPLE = Path(__file__).parents[1] / "samples" / "02-08-every-kind.toml"


@pytest.fixture(autouse=True)
def lessons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "lessons"
    folder.mkdir()
    shutil.copy(SAMPLE, folder)
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TUTOR_LESSONS", str(folder))
    return folder


def listed(*, as_json: bool = False) -> int:
    return listing.run(argparse.Namespace(json=as_json))


def entries(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    listed(as_json=True)
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def pass_cells(*ids: str) -> None:
    progress = Progress(paths.data())
    for cell in ids:
        progress.record("passed", "2.8", cell)
    progress.close()


def test_the_document(lessons: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pass_cells("accumulate", "twice")
    found = entries(capsys)
    assert [each["id"] for each in found] == [f"2.{n}" for n in range(1, 19)]
    promised = ("id", "title", "file", "cells", "exercises", "done")
    assert {key: found[7][key] for key in promised} == {
        "id": "2.8",
        "title": "Effortless backpropagation with torch.autograd",
        "file": str(lessons / SAMPLE.name),
        "cells": 9,
        "exercises": 1,
        "done": 2,
    }
    assert {key: found[8][key] for key in promised} == {
        "id": "2.9",
        "title": "PyTorch's Device Abstraction",
        "file": None,
        "cells": 0,
        "exercises": 0,
        "done": 0,
    }


def test_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    pass_cells("accumulate")
    assert listed() == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert len([line for line in lines if line.startswith("  2.")]) == 18
    assert max(map(len, lines)) < 80
    title = "Effortless backpropagation with torch.autograd"
    assert f"  2.8   {title}  1/9 done   9 min" in lines
    assert "\x1b" not in out


def test_cells_that_a_lesson_lost_do_not_count(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pass_cells(*(f"lost-{number}" for number in range(20)))
    assert entries(capsys)[7]["done"] == 9


def test_a_broken_lesson_is_listed_and_told(
    lessons: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = lessons / "02-05-tensors.toml"
    bad.write_text('format = 1\nsection = "2.5"\nfoo = 1\n')
    assert listed() == 2
    out, err = capsys.readouterr()
    assert "Tensors in PyTorch" in out
    assert "cannot be opened" in out
    assert err.splitlines() == [
        f"{bad}:1: the lesson needs `title`, `minutes`, `cells`.",
        "`check --static` tells everything that is wrong.",
    ]
    assert listed(as_json=True) == 2
    found = json.loads(capsys.readouterr().out)
    assert found[4]["file"] == str(bad)
    assert found[4]["ready"] is False


def test_no_lessons_at_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, sentence in (
        (tmp_path / "none", "the lesson folder cannot be read: No such file or dir"),
        (tmp_path / "empty", "there are no lessons in this folder."),
    ):
        monkeypatch.setenv("TUTOR_LESSONS", str(folder))
        assert listed(as_json=True) == 2
        out, err = capsys.readouterr()
        assert len(json.loads(out)) == 18
        assert sentence in err
        assert err.count("\n") == 1
        (tmp_path / "empty").mkdir(exist_ok=True)
