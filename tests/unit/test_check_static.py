"""`check --static`: exit codes, the JSON document, one sentence for bad input."""

import argparse
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tutor.headless import check
from tutor.headless.mutants import mutants_of

SAMPLE = Path(__file__).parents[1] / "samples" / "02-08-every-kind.toml"
GOOD = (
    'format = 1\nsection = "2.5"\ntitle = "T"\nminutes = 3\n'
    '[[cells]]\nid = "t"\nkind = "text"\ntext = "Hello."\n'
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path / "home"))


def checked(*given: Path | str, as_json: bool = False, static: bool = True) -> int:
    paths = [Path(each) for each in given]
    return check.run(argparse.Namespace(paths=paths, static=static, json=as_json))


def document(capsys: pytest.CaptureFixture[str], *given: Path | str) -> dict[str, Any]:
    checked(*given, as_json=True)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_good_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(SAMPLE) == 0
    out, err = capsys.readouterr()
    assert out == f"ok     2.8   {SAMPLE}  (9 cells, 1 exercise)\n"
    assert re.fullmatch(r"1 lesson, nothing wrong, \d+\.\d s\n", err)


def test_the_document_of_a_good_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, SAMPLE)
    assert found["ok"] is True
    (lesson,) = found["lessons"]
    assert lesson["problems"] == []
    assert {key: lesson[key] for key in ("id", "file", "cells", "exercises")} == {
        "id": "2.8",
        "file": str(SAMPLE),
        "cells": 9,
        "exercises": 1,
    }
    assert (lesson["wrong"], lesson["seconds"]) == (0, 0.0)


def test_a_bad_lesson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(GOOD.replace("minutes", "minuets") + 'kind = "text"\n')
    assert checked(bad) == 2
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"wrong  {bad}",
        f"  {bad}:9: `cells[0].kind` is given in line 7 already.",
    ]
    assert err.startswith("1 lesson, 1 problem, ")


def test_the_document_of_a_bad_lesson(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(GOOD.replace("minutes", "minuets"))
    assert checked(bad, SAMPLE, as_json=True) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    first, second = found["lessons"]
    assert first["id"] == "2.5"
    assert first["cells"] == 1
    assert first["problems"] == [
        {
            "file": str(bad),
            "line": 1,
            "key": "",
            "message": "the lesson needs `minutes`.",
        },
        {
            "file": str(bad),
            "line": 4,
            "key": "minuets",
            "message": "this table has no key `minuets`; do you mean `minutes`?",
        },
    ]
    assert second["problems"] == []


@pytest.mark.parametrize("as_json", [False, True])
def test_bad_input_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    missing = tmp_path / "missing.toml"
    for path, sentence in (
        (empty, "there are no lessons in this folder."),
        (missing, "there is no such file."),
        (Path("/dev/null"), "this is not a regular file."),
    ):
        assert checked(path, as_json=as_json) == 2
        out, err = capsys.readouterr()
        assert (out + err).count(sentence) == (2 if as_json and path == empty else 1)
        if as_json:
            assert json.loads(out)["ok"] is False


def test_without_a_path_the_tutors_own_lessons(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "lessons"
    folder.mkdir()
    shutil.copy(SAMPLE, folder)
    monkeypatch.setenv("TUTOR_LESSONS", str(folder))
    assert [each["id"] for each in document(capsys)["lessons"]] == ["2.8"]


def test_what_lessons_of_a_folder_say_of_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "02-05-one.toml").write_text('needs = ["2.6"]\n' + GOOD)
    (folder / "02-05-two.toml").write_text(GOOD)
    six = GOOD.replace("2.5", "2.6")
    (folder / "02-06-six.toml").write_text('needs = ["2.5"]\n' + six)
    (folder / "stray.toml").write_text("= 1")
    lessons = document(capsys, folder)["lessons"]
    found = {Path(each["file"]).name: each["problems"] for each in lessons}
    messages = {
        name: [problem["message"] for problem in problems]
        for name, problems in found.items()
    }
    assert messages == {
        "02-05-one.toml": ["these lessons need each other: 2.5 → 2.6 → 2.5."],
        "02-05-two.toml": [
            "section 2.5 is already in 02-05-one.toml; one of them must go."
        ],
        "02-06-six.toml": ["these lessons need each other: 2.6 → 2.5 → 2.6."],
        "stray.toml": ["this is not TOML: invalid statement, column 1."],
    }


def test_a_file_is_read_once(capsys: pytest.CaptureFixture[str]) -> None:
    lessons = document(capsys, SAMPLE, SAMPLE.parent, SAMPLE)["lessons"]
    assert len(lessons) == 1


def test_a_name_that_is_not_utf8(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(bytes(tmp_path) + b"/\xff\x1b[31m.toml")
    assert checked(name) == 2
    assert checked(name, as_json=True) == 2
    out, err = capsys.readouterr()
    (out + err).encode()
    assert "\x1b" not in out + err


def test_no_file_of_the_lesson_can_command_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('"\\u001b[31m" = 1\nsection = "\\u001b]0;x\\u0007"\n')
    assert checked(bad) == 2
    assert checked(bad, as_json=True) == 2
    out, err = capsys.readouterr()
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out + err) is None


# -- mutants


def test_mutants_replace_one_function_each() -> None:
    solution = (
        "import math\n\ndef f(a, b=1):\n    '''Doc.'''\n    return math.sqrt(a + b)\n\n"
        "def g():\n    return 2\n\nclass C:\n    def m(self):\n        return 3\n"
    )
    mutants = list(mutants_of(solution))
    assert [(each.function, each.returns) for each in mutants] == [
        *(("f", returned) for returned in ("None", "0", "1.0", "a")),
        *(("g", returned) for returned in ("None", "0", "1.0")),
    ]
    names: dict[str, Any] = {}
    exec(mutants[3].code, names)
    assert names["f"](7) == 7
    assert names["g"]() == 2
    assert names["C"]().m() == 3


def test_code_without_functions_has_no_mutants() -> None:
    assert list(mutants_of("x = 1")) == []
