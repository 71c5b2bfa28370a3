"""Verdicts: what is said of an answer. Pure; from a cell and the kernel's report."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tutor.answers import (
    Answer,
    Choice,
    Groups,
    Number,
    Order,
    number_text,
    right_answer,
)
from tutor.error_help import error_help
from tutor.kernel.outputs import Failure, Output, Stream
from tutor.lesson.schema import CodeCell, ExerciseCell, QuestionCell, WrongAnswer
from tutor.messages import CheckReport
from tutor.source import first_blank, same_code

_PLACE = re.compile(r" \([^()]*, line \d+\)$")
"""What Python adds to a SyntaxError: " (<cell>, line 2)"."""

_GIST = 120
"""Characters of an exception's message that a verdict repeats."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one answer to one cell."""

    cell: str
    """The cell's id."""
    passed: bool
    message: str
    """One or two sentences for the learner."""
    detail: str = ""
    """The smallest failing case: input, wanted, got. "" when there is none."""
    mistake: int | None = None
    """Which entry of the cell's `wrong` it was, from 0; None: none of them."""
    lesson_bug: bool = False
    """The check itself failed; the message says where, for the lesson's author."""


# -- questions


def judge_answer(cell: QuestionCell, given: Answer) -> Verdict:
    """Right, one of the known wrong answers, or simply not right."""
    if _same(cell, right_answer(cell), given):
        return Verdict(cell.id, True, cell.why or "Right.")
    for number, wrong in enumerate(cell.wrong):
        if _is_mistake(cell, wrong, given):
            return Verdict(cell.id, False, wrong.say, mistake=number)
    return Verdict(cell.id, False, _not_right(cell, given))


def _same(cell: QuestionCell, right: Answer, given: Answer) -> bool:
    match right, given:
        case Number(wanted), Number(value):
            return _near(wanted, value, cell.tolerance)
        case Groups(wanted_groups), Groups(groups):
            return all(
                sorted(groups.get(name, ())) == sorted(members)
                for name, members in wanted_groups.items()
            )
        case _:
            return right == given


def _near(wanted: float, value: float, tolerance: float) -> bool:
    if not (math.isfinite(wanted) and math.isfinite(value)):
        return wanted == value or (math.isnan(wanted) and math.isnan(value))
    # A hair above the tolerance: 0.3 typed for 0.1 + 0.2 is the same number.
    return abs(wanted - value) <= tolerance + 1e-9 * max(1.0, abs(wanted))


def _is_mistake(cell: QuestionCell, wrong: WrongAnswer, given: Answer) -> bool:
    """An order or groups of a wrong answer may name some of the items only."""
    match given:
        case Number(value):
            stated = wrong.number
            return stated is not None and _near(stated, value, cell.tolerance)
        case Choice(number):
            return wrong.choice == number
        case Order(numbers):
            if wrong.order is None:
                return False
            return [each for each in numbers if each in wrong.order] == wrong.order
        case Groups():
            return wrong.groups is not None and all(
                given.group_of(member) == name
                for name, members in wrong.groups.items()
                for member in members
            )


def _not_right(cell: QuestionCell, given: Answer) -> str:
    match given:
        case Number(value):
            return _not_the_number(cell.number or 0.0, value)
        case Order(numbers):
            places = zip(numbers, range(1, len(numbers) + 1), strict=True)
            right = sum(number == place for number, place in places)
            return f"Not yet: {right} of {len(numbers)} are in their place."
        case Groups():
            members = [
                (member, name)
                for name, each in (cell.groups or {}).items()
                for member in each
            ]
            right = sum(given.group_of(member) == name for member, name in members)
            return f"Not yet: {right} of {len(members)} are in the right group."
        case Choice():
            return "No, not this one."


def _not_the_number(wanted: float, value: float) -> str:
    said = number_text(value)
    if wanted != 0 and math.isfinite(wanted):
        if value == -wanted:
            return f"{said} has the right size, and the wrong sign."
        if abs(value - wanted) <= 0.05 * abs(wanted):
            return f"{said} is close, but not it."
    return f"{said} is not it."


# -- exercises


def judge_report(cell: ExerciseCell, report: CheckReport) -> Verdict:
    """What a check found, in the lesson's words where it has them."""
    if report.outcome == "passed":
        # The report's own message is something it noticed on the way.
        said = f"{cell.why or 'Right.'} {report.message}".strip()
        return Verdict(cell.id, True, said)
    if report.outcome == "lesson-bug":
        message = (
            "This is our mistake, not yours: the check of this cell failed by "
            f"itself ({report.message}). Skip it, and please tell us."
        )
        return Verdict(cell.id, False, message, report.detail, lesson_bug=True)
    if report.mistake is not None and report.mistake < len(cell.wrong):
        message = cell.wrong[report.mistake].say
    elif report.outcome == "raised":
        ename, _, evalue = report.message.partition(": ")
        message = _about_error(ename, evalue, None)
    elif report.outcome == "timeout":
        message = (
            f"Your code was still busy after {cell.seconds:g} s, so the check "
            "stopped it. Is there a loop that never ends?"
        )
    else:
        message = report.message
    return Verdict(cell.id, False, message, report.detail, report.mistake)


def judge_failure(cell: ExerciseCell, failure: Failure, code: str) -> Verdict:
    """The learner's code raised before it could be checked."""
    for number, wrong in enumerate(cell.wrong):
        if same_code(wrong.code, code):
            return Verdict(cell.id, False, wrong.say, mistake=number)
    if blank := first_blank(code):
        message = f"There is still a blank ____ in line {blank}: fill it in."
        return Verdict(cell.id, False, message)
    message = _about_error(failure.ename, failure.evalue, failure.line)
    return Verdict(cell.id, False, message)


def _about_error(ename: str, evalue: str, line: int | None) -> str:
    """What an exception of the learner's code means, as one to three sentences."""
    if ename == "NameError" and "'____'" in evalue:
        return "There is still a blank ____ in your code: fill it in."
    if ename == "KeyboardInterrupt":
        return "It was interrupted before it ended, so it was not checked."
    where = f"Line {line}" if line else "Your code"
    said = f"{where} raised {ename}{_gist(evalue)}"
    help_ = error_help(ename, evalue)
    return f"{said} {help_}" if help_ else said


def _gist(evalue: str) -> str:
    """ ": the message." as far as its first sentence goes, or "." when it is empty."""
    first = evalue.partition("\n")[0]
    first = _PLACE.sub("", first).partition(". ")[0].partition(" (or ")[0].strip()
    if len(first) > _GIST:
        first = first[: _GIST - 3] + "..."
    if not first:
        return "."
    return f": {first}" if first.endswith((".", "!", "?")) else f": {first}."


# -- code cells that promise an outcome


def judge_expectation(
    cell: CodeCell, outputs: Iterable[Output], report: CheckReport | None
) -> Verdict:
    """Did a code cell do what its `expect` says?

    `prints` and `raises` are judged from the outputs; the rest is in `report`, None
    when nothing of it was asked (or the cell raised, so that there was no value).
    """
    outputs = list(outputs)
    failure = next((each for each in outputs if isinstance(each, Failure)), None)
    expect = cell.expect
    if expect is None:
        return Verdict(
            cell.id, failure is None, "" if failure is None else "It raised."
        )
    if expect.raises is not None:
        return _judge_raises(cell, expect.raises, failure)
    if failure is not None:
        said = _about_error(failure.ename, failure.evalue, failure.line)
        return Verdict(cell.id, False, said)
    printed = "".join(
        each.text
        for each in outputs
        if isinstance(each, Stream) and each.name == "stdout"
    )
    if expect.prints is not None and expect.prints not in printed:
        detail = f"wanted {expect.prints!r}\ngot    {printed[-200:]!r}"
        return Verdict(cell.id, False, "It printed something else.", detail)
    if report is not None and report.outcome != "passed":
        bug = report.outcome == "lesson-bug"
        return Verdict(cell.id, False, report.message, report.detail, lesson_bug=bug)
    return Verdict(cell.id, True, "As it should be.")


def _judge_raises(cell: CodeCell, wanted: str, failure: Failure | None) -> Verdict:
    if failure is None:
        message = f"It ran through; {wanted.split(':')[0]} was to come."
        return Verdict(cell.id, False, message)
    ename, _, part = wanted.partition(":")
    if failure.ename == ename.strip() and part.strip() in failure.evalue:
        return Verdict(cell.id, True, error_help(ename, failure.evalue) or "As told.")
    detail = f"wanted {wanted}\ngot    {failure.ename}: {failure.evalue[:200]}"
    return Verdict(cell.id, False, "It raised something else.", detail)
