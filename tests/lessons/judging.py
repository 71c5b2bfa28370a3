"""Code for an exercise of a lesson, judged as the kernel would, in this process."""

from functools import cache
from pathlib import Path
from typing import Any

from tutor.engine import checks
from tutor.engine.train import train
from tutor.lesson.load import load_lesson
from tutor.lesson.requests import race_of
from tutor.lesson.schema import ExerciseCell, Lesson, TrainCell
from tutor.messages import CheckRequest
from tutor.training.run import Finished, RunEnd
from tutor.training.spec import SliceRequest
from tutor.verdicts import Verdict, judge_report

LESSONS = Path(__file__).parents[2] / "lessons"


@cache
def lesson(section: str) -> Lesson:
    """The lesson of a section such as "2.5"."""
    chapter, number = section.split(".")
    (file,) = LESSONS.glob(f"{int(chapter):02}-{int(number):02}-*.toml")
    return load_lesson(file)


def cell(section: str, cell_id: str) -> Any:
    """A cell by its id, of whatever kind."""
    return next(each for each in lesson(section).cells if each.id == cell_id)


def exercise(section: str, cell_id: str) -> ExerciseCell:
    """An exercise by its id."""
    found = cell(section, cell_id)
    assert isinstance(found, ExerciseCell)
    return found


def judged(section: str, cell_id: str, code: str) -> Verdict:
    """The verdict on code that was executed after the lesson's setup alone."""
    cell = exercise(section, cell_id)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "import torch\nfrom torch import nn\nimport torch.nn.functional as F", namespace
    )
    exec(lesson(section).setup, namespace)
    exec(code, namespace)
    request = CheckRequest(
        code=code,
        check=cell.check,
        when=tuple(wrong.when for wrong in cell.wrong),
        known=tuple(wrong.code for wrong in cell.wrong),
        seconds=cell.seconds,
    )
    return judge_report(cell, checks.check(request, namespace))


def raced(section: str, cell_id: str) -> dict[str, RunEnd]:
    """Where each run of a train cell ends, by its name."""
    found = cell(section, cell_id)
    assert isinstance(found, TrainCell)
    *_, finished = train(SliceRequest(race_of(found)))
    assert isinstance(finished, Finished)
    return finished.runs


def function(signature: str, body: str) -> str:
    """A function whose body's lines are parted by "; "."""
    lines = [f"    {line}" for line in body.split("; ")]
    return "\n".join([f"def {signature}:", *lines, ""])
