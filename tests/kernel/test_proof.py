"""`check` against a real kernel: what holds is proven, each planted flaw is told."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_lesson_docs import lesson_of_the_docs
from tutor import paths
from tutor.headless import check
from tutor.headless.stage import Stage
from tutor.kernel.base import KernelOptions
from tutor.kernel.jupyter import JupyterKernel
from tutor.lesson.load import load_lesson
from tutor.progress import Progress
from tutor.session import Session

pytestmark = pytest.mark.kernel

SAMPLE = Path(__file__).parents[1] / "samples" / "02-08-every-kind.toml"
HEAD = 'format = 1\nsection = "2.5"\ntitle = "T"\nminutes = 3\n'
SETUP = "setup = '''\nimport torch\nimport time\n\nv = torch.zeros(2)\n'''\n"
NEXT = "[[cells]]\nid = 'next'\nkind = 'code'\ncode = 'v + 1'\n"

EXERCISE = """[[cells]]
id = "double"
kind = "exercise"
task = "Double it."
starter = "def double(x):\\n    return ____\\n"
solution = "def double(x):\\n    return 2 * x\\n"
hints = ["Twice."]
check = '''
for x in cases(1.0, -2.0, 0.5):
    close(learner.double(x), 2 * x, "the double")
'''
"""
SQUARE = """[[cells.wrong]]
code = "def double(x):\\n    return x * x\\n"
say = "That is the square."
when = "near(got, x * x)"
"""
HALF = """[[cells.wrong]]
code = "def double(x):\\n    return x / 2\\n"
say = "That is the half."
when = "near(got, x / 2)"
"""

# Name: cells, the key of the one problem, a part of its message, a part of its line.
FLAWS: dict[str, tuple[str, str, str, str]] = {
    "setup": ("setup = 'v = 1 / 0'\n" + NEXT, "setup", "ZeroDivisionError", "1 / 0"),
    "code-raises": (
        "[[cells]]\nid = 'c'\nkind = 'code'\ncode = '''\nw = v\nw.nothing\n'''\n",
        "cells[0].code",
        "this code raises AttributeError",
        "w.nothing",
    ),
    "code-does-something-else": (
        "[[cells]]\nid = 'c'\nkind = 'code'\ncode = 'v + 1'\n"
        "expect = { close = 'torch.ones(3)' }\n",
        "cells[0].expect",
        "the code does not do this: ",
        "expect",
    ),
    "code-does-not-raise": (
        "[[cells]]\nid = 'c'\nkind = 'code'\ncode = 'v + 1'\n"
        "expect = { raises = 'RuntimeError' }\n",
        "cells[0].expect",
        "RuntimeError was to come",
        "expect",
    ),
    "code-ends-the-kernel": (
        "[[cells]]\nid = 'c'\nkind = 'code'\ncode = 'import os; os._exit(7)'\n",
        "cells[0].code",
        "this code ends the kernel: ",
        "os._exit",
    ),
    "prose": (
        "[[cells]]\nid = 'c'\nkind = 'text'\ntext = '''\nSo:\n\n```python\nvv + 1\n"
        "```\n'''\n",
        "cells[0].text",
        "NameError: name 'vv' is not defined",
        "vv + 1",
    ),
    "expression-says-otherwise": (
        "[[cells]]\nid = 'c'\nkind = 'question'\nask = '?'\nnumber = 3\n"
        "expression = 'v.numel()'\n",
        "cells[0].expression",
        "this is 2.0, which is not the stated answer.",
        "expression",
    ),
    "expression-names-no-choice": (
        "[[cells]]\nid = 'c'\nkind = 'question'\nask = '?'\nanswer = 1\n"
        "choices = ['torch.int64', 'torch.float64']\nexpression = 'v.dtype'\n"
        "wrong = [{ choice = 2, say = 'no' }]\n",
        "cells[0].expression",
        "this is torch.float32, which is not the stated answer.",
        "expression",
    ),
    "expression-raises": (
        "[[cells]]\nid = 'c'\nkind = 'question'\nask = '?'\nnumber = 3\n"
        "expression = 'v.view(5)'\n",
        "cells[0].expression",
        "this raises RuntimeError",
        "expression",
    ),
    "order-is-never-met": (
        "[[cells]]\nid = 'c'\nkind = 'question'\nask = '?'\nitems = ['a', 'b', 'c']\n"
        "wrong = [{ order = [3, 1], say = 'A' }, { order = [3, 2, 1], say = 'B' }]\n",
        "cells[0].wrong[1]",
        "wrong[0] answers for it",
        "wrong = ",
    ),
    "starter-passes": (
        EXERCISE.replace("return ____", "return x + x"),
        "cells[0].starter",
        "the starter passes the check already",
        "starter",
    ),
    "solution-fails": (
        EXERCISE.replace("return 2 * x", "return 3 * x"),
        "cells[0].solution",
        "the solution does not pass: ",
        "solution",
    ),
    "solution-raises": (
        EXERCISE.replace("    return 2 * x\\n", "    return 2 * x\\nnothing\\n"),
        "cells[0].solution",
        "the solution raises NameError",
        "solution",
    ),
    "check-fails-by-itself": (
        EXERCISE.replace("2 * x, ", "2 * xx, "),
        "cells[0].check",
        "the check itself fails: line 2 of the check: NameError",
        "2 * xx",
    ),
    "wrong-passes": (
        EXERCISE + SQUARE.replace("x * x\\n", "x + x\\n"),
        "cells[0].wrong[0].code",
        "this wrong answer passes the check.",
        "x + x",
    ),
    "wrong-raises": (
        EXERCISE + SQUARE.replace('x * x\\n"', 'x * x\\ndouble(None)\\n"'),
        "cells[0].wrong[0].code",
        "this code raises TypeError",
        "double(None)",
    ),
    "wrong-is-not-recognised": (
        EXERCISE + SQUARE.replace("near(got, x * x)", "near(got, 9.0)"),
        "cells[0].wrong[0].when",
        "does not hold for its code; said: ",
        "near(got, 9.0)",
    ),
    "wrong-gets-another-message": (
        EXERCISE + HALF.replace("near(got, x / 2)", "got != wanted") + SQUARE,
        "cells[0].wrong[1].code",
        "this gets the message of wrong[0]",
        "x * x",
    ),
    "mutant-passes": (
        EXERCISE.replace('"the double")', '"the double")\n    break').replace(
            "cases(1.0", "cases(0.0"
        )
        + "mutants = true\n",
        "cells[0].check",
        "`double` passes when all it does is `return 0`",
        "check",
    ),
    "spoilt-by-a-wrong-answer": (
        "[[cells]]\nid = 'c'\nkind = 'exercise'\ntask = 'Add 1 to v.'\n"
        "starter = '____'\nsolution = 'v.add_(1)'\nhints = ['add_']\n"
        "check = 'close(learner.v, torch.ones(2), \"v\")'\n"
        "wrong = [{ code = 'v.add_(2)', say = 'One!', when = 'learner.v[0] == 2' }]\n",
        "cells[0].solution",
        "not when the wrong answers were tried before",
        "solution",
    ),
    "graph-raises": (
        "[[cells]]\nid = 'c'\nkind = 'graph'\ncode = '''\nq = x * 2\nf = q + nothing\n"
        "'''\nat = { x = 1 }\n",
        "cells[0].code",
        "the stepper stops: NameError",
        "q + nothing",
    ),
    "graph-has-no-such-name": (
        "[[cells]]\nid = 'c'\nkind = 'graph'\ncode = 'x * 2'\nat = { x = 1 }\n"
        "predict = ['x.grad', 'y.grad']\n",
        "cells[0].predict[1]",
        "the stepper shows no number `y.grad` to predict.",
        "predict",
    ),
    "graph-caption-of-no-step": (
        "[[cells]]\nid = 'c'\nkind = 'graph'\ncode = 'x * 2'\nat = { x = 1 }\n"
        "captions = { start = 'Go.', 'value q' = 'What q?' }\n",
        "cells[0].captions.'value q'",
        'no step of this walk is "value q".',
        "captions",
    ),
    "graph-does-not-raise": (
        "[[cells]]\nid = 'c'\nkind = 'graph'\ncode = 'x * 2'\nat = { x = 1 }\n"
        "raises = 'second time'\n",
        "cells[0].raises",
        "the code should stop with 'second time'; it raises nothing.",
        "raises",
    ),
    "race-diverges": (
        "[[cells]]\nid = 'c'\nkind = 'train'\nlr = 1e9\nruns = [{ name = 'gd' }]\n",
        "cells[0]",
        "the run 'gd' does not finish: it diverged.",
        "[[cells]]",
    ),
    "race-does-not-diverge": (
        "[[cells]]\nid = 'c'\nkind = 'train'\ndiverges = ['a', 'b']\n"
        "runs = [{ name = 'a', lr = 1e9 }, { name = 'b' }]\n",
        "cells[0].diverges",
        "the run 'b' should diverge: it finished.",
        "diverges",
    ),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path / "home"))


def checked(
    capsys: pytest.CaptureFixture[str], *files: Path
) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code and each lesson's entry, by the file's name."""
    arguments = argparse.Namespace(paths=list(files), static=False, json=True)
    code = check.run(arguments)
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] == (code == 0)
    return code, {Path(each["file"]).stem: each for each in document["lessons"]}


def test_what_holds_is_proven(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docs = tmp_path / "02-07-docs.toml"
    docs.write_text(lesson_of_the_docs(), encoding="utf-8")
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(
        HEAD + SETUP + "[[cells]]\nid = 'c'\nkind = 'code'\ncode = '1 / 0'\n"
        "device = 'nowhere'\n" + EXERCISE + SQUARE + HALF
    )
    code, lessons = checked(capsys, SAMPLE, docs, elsewhere)
    assert [each["problems"] for each in lessons.values()] == [[], [], []]
    assert code == 0
    assert [each["wrong"] for each in lessons.values()] == [6, 7, 2]
    assert all(each["seconds"] > 0 for each in lessons.values())
    (note,) = lessons["elsewhere"]["notes"]
    assert (note["key"], note["message"]) == (
        "cells[0].device",
        "not proven: there is no nowhere here.",
    )


def test_the_tutors_own_lessons_are_proven(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUTOR_LESSONS", raising=False)
    code, lessons = checked(capsys, paths.lessons())
    assert {name: each["problems"] for name, each in lessons.items()} == {
        name: [] for name in lessons
    }
    assert code == 0
    assert all(each["wrong"] > 0 for each in lessons.values())


def test_each_flaw_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for name, (text, *_) in FLAWS.items():
        head = HEAD if text.startswith("setup") else HEAD + SETUP
        file = tmp_path / f"{name}.toml"
        # What follows a flawed cell is still proven.
        file.write_text(head + text + (NEXT if "next" not in text else ""))
        files.append(file)
    code, lessons = checked(capsys, *files)
    assert code == 1
    for file, (name, (_, key, message, line)) in zip(files, FLAWS.items(), strict=True):
        problems = lessons[name]["problems"]
        assert [each["key"] for each in problems[:1]] == [key], (name, problems)
        assert message in problems[0]["message"], name
        assert line in file.read_text().splitlines()[problems[0]["line"] - 1], name
        count = 1 + (name == "mutant-passes")  # 0 and 1.0 are told apart
        assert len(problems) <= count, (name, problems)


async def test_code_without_end_is_ended_and_the_next_goes_on() -> None:
    session = Session(JupyterKernel, Progress(None), KernelOptions())
    try:
        lesson = load_lesson(SAMPLE)
        stage = Stage(session, lesson, deadline_s=1.0)
        assert await stage.prepare() is None
        stage.accepted.append("kept = 5")
        tried = await stage.execute("while True: pass")
        assert tried.died == "it was still busy after 1 s"
        assert (await stage.execute("kept + x.item()")).result is not None
    finally:
        await session.close()
