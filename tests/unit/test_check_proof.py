"""The proof without a process: how it ends, and what it makes of a trace."""

import argparse
import ast
import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_kernel import FakeKernel
from tutor.answers import Choice, Groups, Number, Order
from tutor.errors import MachineError, StoppedError
from tutor.graph.trace import LeafGradient, Summary, Trace, TraceEnd, Value
from tutor.headless import autograd, check
from tutor.headless.proof import answers_of
from tutor.headless.stage import Stage, Tried
from tutor.kernel.outputs import Done, Failure, Result
from tutor.lesson.load import load_lesson
from tutor.lesson.schema import GraphCell, QuestionCell, WrongAnswer
from tutor.progress import Progress
from tutor.session import Session

LESSON = (
    'format = 1\nsection = "2.5"\ntitle = "T"\nminutes = 3\n'
    '[[cells]]\nid = "a"\nkind = "code"\ncode = "1 + 1"\n'
    '[[cells]]\nid = "b"\nkind = "code"\ncode = "2 + 2"\n'
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path / "home"))


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    file = tmp_path / "lesson.toml"
    file.write_text(LESSON)
    return file


def checked(kernel: FakeKernel, *files: Path) -> int:
    arguments = argparse.Namespace(paths=list(files), static=False, json=True)
    return check.run(arguments, make_kernel=lambda options: kernel)


def test_every_cell_is_executed_and_judged(
    lesson: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = Failure("ValueError", "no.", "")
    kernel = FakeKernel({"1 + 1": [failure], "2 + 2": [Result("4")]})
    assert checked(kernel, lesson) == 1
    assert kernel.codes == ["1 + 1", "2 + 2"]
    (entry,) = json.loads(capsys.readouterr().out)["lessons"]
    assert entry["problems"] == [
        {
            "file": str(lesson),
            "line": 8,
            "key": "cells[0].code",
            "message": "this code raises ValueError: no.",
        }
    ]


def test_a_broken_file_beside_a_good_one_is_exit_2(
    lesson: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel = FakeKernel({"1 + 1": [Failure("ValueError", "no", "")]})
    assert checked(kernel, lesson, tmp_path / "none.toml") == 2
    assert kernel.codes == ["1 + 1", "2 + 2"]
    lessons = json.loads(capsys.readouterr().out)["lessons"]
    assert [len(each["problems"]) for each in lessons] == [1, 1]


def test_without_a_good_lesson_no_kernel_starts(tmp_path: Path) -> None:
    kernel = FakeKernel(start_error="there is none")
    assert checked(kernel, tmp_path / "none.toml") == 2
    assert kernel.starts == 0


def test_a_kernel_that_cannot_start_is_the_machines_fault(lesson: Path) -> None:
    with pytest.raises(MachineError, match="there is none"):
        checked(FakeKernel(start_error="there is none"), lesson)


def test_an_interrupt_ends_the_whole_check(lesson: Path) -> None:
    kernel = FakeKernel({"1 + 1": [Done("interrupted")]})
    with pytest.raises(StoppedError):
        checked(kernel, lesson)
    assert kernel.codes == ["1 + 1"]


async def test_a_busy_cell_is_ended_at_the_deadline(lesson: Path) -> None:
    async def endless(code: str) -> AsyncIterator[object]:
        yield Result("working")
        await asyncio.Event().wait()

    def answer(code: str) -> Any:
        return endless(code) if code == "endless" else []

    kernel = FakeKernel(answer)
    session = Session(lambda options: kernel, Progress(None))
    stage = Stage(session, load_lesson(lesson), deadline_s=0.01)
    await stage.prepare()
    stage.accepted.append("kept = 1")
    tried = await stage.execute("endless")
    assert tried.trouble == "ends the kernel: it was still busy after 0.01 s"
    assert kernel.starts == 2
    assert kernel.codes == ["endless", "kept = 1"]
    await session.close()


def test_trouble_is_a_phrase() -> None:
    assert Tried().trouble is None
    failure = Failure("ValueError", "first\nsecond", "")
    assert Tried(failure=failure).trouble == "raises ValueError: first"
    assert Tried(failure=Failure("Stop", "", "")).trouble == "raises Stop"


# -- what a wrong answer stands for


def question(**parts: Any) -> QuestionCell:
    return QuestionCell(id="q", ask="?", **parts)


def test_the_answers_of_a_wrong_answer() -> None:
    wrong = WrongAnswer(say="no", number=3)
    assert list(answers_of(question(number=4), wrong)) == [Number(3)]
    wrong = WrongAnswer(say="no", choice=2)
    assert list(answers_of(question(choices=["a", "b"], answer=1), wrong)) == [
        Choice(2)
    ]
    wrong = WrongAnswer(say="no", order=[3, 1])
    assert list(answers_of(question(items=["a", "b", "c"]), wrong)) == [
        Order((2, 3, 1)),
        Order((3, 1, 2)),
        Order((3, 2, 1)),
    ]
    wrong = WrongAnswer(say="no", groups={"h": ["a"]})
    cell = question(groups={"g": ["a", "b"], "h": ["c"]})
    assert list(answers_of(cell, wrong)) == [Groups({"g": ("b",), "h": ("a", "c")})]


# -- a trace against torch.autograd


def trace_of(**gradients: tuple[float, ...]) -> Trace:
    """A trace that says only what became of the leaves."""
    values, leaves = [], []
    for number, (name, gradient) in enumerate(gradients.items()):
        summary = Summary((len(gradient),), "float64", gradient)
        values.append(
            Value(
                id=number,
                tensor=number,
                version=0,
                name=name,
                role="leaf",
                op=None,
                port=0,
                summary=summary,
                device="cpu",
                requires_grad=True,
                is_leaf=True,
            )
        )
        leaves.append(LeafGradient(1, number, number, None, summary, summary))
    end = TraceEnd("", "", "2.13", None, "float64", None, None)
    return Trace(tuple(values), (), (), (), (), tuple(leaves), (), end)


def test_a_trace_that_agrees_and_one_that_does_not() -> None:
    def differences(trace: Trace, **wanted: list[float] | None) -> list[str]:
        return list(autograd.differences(trace, wanted, 1e-6))

    nan = float("nan")
    agreeing = trace_of(x=(12.0, nan), y=(2.0000001,))
    assert differences(agreeing, x=[12.0, nan], y=[2.0], z=None) == []
    assert differences(trace_of(x=(12.1,)), x=[12.0]) == [
        "the stepper shows [12.1] for x.grad, torch.autograd [12.0]."
    ]
    assert differences(trace_of(), x=[12.0]) == [
        "the stepper shows nothing for x.grad, torch.autograd [12.0]."
    ]
    assert differences(trace_of(x=(12.0,)), x=None) == [
        "the stepper shows [12.0] for x.grad, torch.autograd nothing."
    ]
    assert differences(trace_of(x=(12.0,)), x=[12.0, 12.0]) != []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "root", "wanted"),
    [
        ("3 * x**2 + 2 * y", None, {"x": [12.0], "y": [2.0]}),
        ("f = 3 * x**2", None, {"x": [12.0], "y": None}),
        ("f = x * y\ng = 2 * x", "f", {"x": [5.0], "y": [2.0]}),
        ("f = x * y\nf.backward()\nf.detach()", None, {"x": [5.0], "y": [2.0]}),
        ("f = before * x", None, {"x": [7.0], "y": None}),
    ],
)
def test_torchs_own_gradients(
    code: str, root: str | None, wanted: dict[str, list[float] | None]
) -> None:
    cell = GraphCell(id="g", code=code, at={"x": 2.0, "y": 5.0}, root=root)
    names: dict[str, Any] = {"before": 7.0}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(autograd.program(cell), names)
    assert autograd.read(printed.getvalue()) == wanted
    assert set(names) == {"before", "__builtins__"}


def test_a_program_that_printed_no_gradients() -> None:
    assert autograd.read("") is None
    assert autograd.read("3") is None
    assert autograd.read("x = 1") is None
    ast.parse(autograd.program(GraphCell(id="g", code="'''\n\"")))
