"""Verdicts say what was wrong in the lesson's words, and never blame the wrong one."""

import math
from typing import Any

import pytest

from tutor.answers import (
    Answer,
    Choice,
    Groups,
    Number,
    Order,
    answer_text,
    read_answer,
    right_answer,
    shown_order,
)
from tutor.kernel.outputs import Done, Failure, Output, Stream
from tutor.lesson.schema import (
    CodeCell,
    ExerciseCell,
    Expect,
    QuestionCell,
    Wrong,
    WrongAnswer,
)
from tutor.messages import CheckReport
from tutor.verdicts import (
    judge_answer,
    judge_expectation,
    judge_failure,
    judge_report,
)


def question(**fields: Any) -> QuestionCell:
    return QuestionCell(id="guess", ask="What?", **fields)


NUMBER = question(
    number=67.6,
    tolerance=0.05,
    why="Twice 33.8.",
    wrong=[WrongAnswer(number=33.8, say="It is added.")],
)
CHOICE = question(
    choices=["a", "b", "c"], answer=2, wrong=[WrongAnswer(choice=3, say="Not c.")]
)
ORDER = question(
    items=["one", "two", "three"],
    wrong=[
        WrongAnswer(order=[3, 2, 1], say="Backwards."),
        WrongAnswer(order=[2, 1], say="One comes before two."),
    ],
)
GROUPS = question(
    groups={"copies": ["clone", "+"], "views": ["t", "view"]},
    wrong=[WrongAnswer(groups={"copies": ["t"]}, say="t moves no element.")],
)


@pytest.mark.parametrize(
    ("cell", "given"),
    [
        (NUMBER, Number(67.6)),
        (NUMBER, Number(67.65)),
        (question(number=0.3), Number(0.1 + 0.2)),
        (question(number=math.nan), Number(math.nan)),
        (question(number=math.inf), Number(math.inf)),
        (CHOICE, Choice(2)),
        (ORDER, Order((1, 2, 3))),
        (GROUPS, Groups({"views": ("view", "t"), "copies": ("clone", "+")})),
    ],
)
def test_the_right_answer_passes(cell: QuestionCell, given: Answer) -> None:
    assert judge_answer(cell, given).passed


def test_a_right_answer_is_told_why() -> None:
    assert judge_answer(NUMBER, Number(67.6)).message == "Twice 33.8."
    assert judge_answer(CHOICE, Choice(2)).message == "Right."


@pytest.mark.parametrize(
    ("cell", "given", "mistake", "message"),
    [
        (NUMBER, Number(33.8), 0, "It is added."),
        (NUMBER, Number(33.84), 0, "It is added."),
        (NUMBER, Number(-67.6), None, "-67.6 has the right size, and the wrong sign."),
        (NUMBER, Number(67.0), None, "67 is close, but not it."),
        (NUMBER, Number(1.5), None, "1.5 is not it."),
        (NUMBER, Number(math.nan), None, "nan is not it."),
        (CHOICE, Choice(3), 0, "Not c."),
        (CHOICE, Choice(1), None, "No, not this one."),
        (ORDER, Order((3, 2, 1)), 0, "Backwards."),
        (ORDER, Order((2, 1, 3)), 1, "One comes before two."),
        (ORDER, Order((2, 3, 1)), 1, "One comes before two."),
        (ORDER, Order((1, 3, 2)), None, "Not yet: 1 of 3 are in their place."),
        (
            GROUPS,
            Groups({"copies": ("clone", "+", "t"), "views": ("view",)}),
            0,
            "t moves no element.",
        ),
        (
            GROUPS,
            Groups({"copies": ("clone",), "views": ("t", "view", "+")}),
            None,
            "Not yet: 3 of 4 are in the right group.",
        ),
    ],
)
def test_a_wrong_answer_gets_the_message_of_its_mistake(
    cell: QuestionCell, given: Answer, mistake: int | None, message: str
) -> None:
    verdict = judge_answer(cell, given)

    assert (verdict.passed, verdict.mistake, verdict.message) == (
        False,
        mistake,
        message,
    )


@pytest.mark.parametrize("cell", [NUMBER, CHOICE, ORDER, GROUPS])
def test_an_answer_survives_being_kept_as_text(cell: QuestionCell) -> None:
    right = right_answer(cell)

    assert read_answer(cell, answer_text(right)) == right
    assert judge_answer(cell, right).passed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4.0),
        (" -4. ", -4.0),
        ("−4", -4.0),
        ("2/3", 2 / 3),
        ("1e-3", 1e-3),
        ("inf", math.inf),
        ("", None),
        ("four", None),
        ("1/0", None),
        ("1 2", None),
        ("0x10", None),
        ("0,5", None),
    ],
)
def test_a_number_is_read_as_written(text: str, value: float | None) -> None:
    assert read_answer(NUMBER, text) == (None if value is None else Number(value))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (CHOICE, "0"),
        (CHOICE, "4"),
        (CHOICE, "b"),
        (CHOICE, "²"),
        (ORDER, "1 2"),
        (ORDER, "1 2 2"),
        (ORDER, "1 2 x 3"),
        (GROUPS, "copies"),
        (GROUPS, "[1]"),
        (GROUPS, '{"copies": ["clone"]}'),
        (GROUPS, '{"copies": 3}'),
        (GROUPS, '{"else": ["clone", "+", "t", "view"]}'),
        (GROUPS, "[" * 100_000),
    ],
)
def test_text_that_is_no_answer_is_none(cell: QuestionCell, text: str) -> None:
    assert read_answer(cell, text) is None


def test_items_are_shown_shuffled_and_always_alike() -> None:
    for name in ("a", "b", "c", "d", "e"):
        cell = QuestionCell(id=name, ask="Order?", items=["x", "y"])
        assert shown_order(cell) == (2, 1)
    assert shown_order(GROUPS) == shown_order(GROUPS)
    assert sorted(shown_order(GROUPS)) == [1, 2, 3, 4]
    assert shown_order(GROUPS) != (1, 2, 3, 4)


# -- exercises

EXERCISE = ExerciseCell(
    id="step",
    task="Step.",
    starter="def step(w):\n    ____\n",
    solution="def step(w):\n    return w - 1\n",
    check="close(learner.step(2), 1)",
    hints=["One less."],
    wrong=[Wrong(code="def step(w):\n    return 1 / 0\n", say="Not by zero.")],
    why="One less each time.",
)


def test_a_passed_check_says_why() -> None:
    verdict = judge_report(EXERCISE, CheckReport("passed"))

    assert (verdict.passed, verdict.message) == (True, "One less each time.")


def test_a_passed_check_passes_on_what_it_noticed() -> None:
    verdict = judge_report(EXERCISE, CheckReport("passed", "You replaced `torch.add`."))

    assert verdict.message == "One less each time. You replaced `torch.add`."


@pytest.mark.parametrize("outcome", ["failed", "raised"])
def test_a_known_mistake_gets_the_lessons_words(outcome: Any) -> None:
    report = CheckReport(outcome, "RuntimeError: no", "case 1 of 2", mistake=0)

    verdict = judge_report(EXERCISE, report)

    assert not verdict.passed
    assert verdict.message == "Not by zero."
    assert (verdict.detail, verdict.mistake) == ("case 1 of 2", 0)


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (CheckReport("failed", "The result is None."), "The result is None."),
        (CheckReport("timeout"), "busy after 5 s"),
        (
            CheckReport(
                "raised",
                "RuntimeError: Can't call numpy() on Tensor that requires grad. "
                "Use tensor.detach().numpy() instead.",
            ),
            "requires grad. The graph cannot follow numpy",
        ),
        (CheckReport("raised", "KeyError: 'a'"), "Your code raised KeyError: 'a'."),
        (CheckReport("raised", "SystemExit: "), "Your code raised SystemExit."),
        (CheckReport("raised", "ValueError: a\nb\nc"), "raised ValueError: a."),
        (CheckReport("raised", "ValueError: " + "a" * 500), "aaa..."),
        (
            CheckReport("raised", "NameError: name '____' is not defined"),
            "There is still a blank ____",
        ),
    ],
)
def test_what_happened_is_told_in_a_sentence(report: CheckReport, words: str) -> None:
    verdict = judge_report(EXERCISE, report)

    assert not verdict.passed
    assert not verdict.lesson_bug
    assert words in verdict.message


def test_a_lesson_bug_is_never_the_learners_fault() -> None:
    report = CheckReport("lesson-bug", "line 2 of the check: NameError: x")

    verdict = judge_report(EXERCISE, report)

    assert verdict.lesson_bug
    assert verdict.message.startswith("This is our mistake, not yours")
    assert "line 2 of the check" in verdict.message


def failure(ename: str, evalue: str, line: int | None = None) -> Failure:
    return Failure(ename, evalue, "", line)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            failure("NameError", "name '____' is not defined", 2),
            "x = 1\ny = ____",
            "There is still a blank ____ in line 2: fill it in.",
        ),
        (
            failure("SyntaxError", "invalid syntax (<cell>, line 2)", 2),
            "def step(w):\n    w ____ 1",
            "There is still a blank ____ in line 2: fill it in.",
        ),
        (
            failure("NameError", "name 'wight' is not defined", 1),
            "wight",
            "Line 1 raised NameError: name 'wight' is not defined. Is it spelt right, "
            "and was the cell that makes it run?",
        ),
        (
            failure("SyntaxError", "'(' was never closed (<cell>, line 1)", 1),
            "f(1",
            "Line 1 raised SyntaxError: '(' was never closed. "
            "Count the brackets: one that opens here has no partner.",
        ),
        (
            failure("ZeroDivisionError", "division by zero"),
            "1/0",
            "Your code raised ZeroDivisionError: division by zero.",
        ),
        (failure("ValueError", ""), "f()", "Your code raised ValueError."),
        (
            failure("KeyboardInterrupt", ""),
            "f()",
            "It was interrupted before it ended, so it was not checked.",
        ),
    ],
)
def test_code_that_raised_is_told_kindly(
    error: Failure, code: str, message: str
) -> None:
    verdict = judge_failure(EXERCISE, error, code)

    assert (verdict.passed, verdict.message) == (False, message)


def test_known_wrong_code_that_raises_gets_its_own_message() -> None:
    code = "def step(w):\n    return 1/0  # hm\n"

    verdict = judge_failure(EXERCISE, failure("ZeroDivisionError", "division"), code)

    assert (verdict.message, verdict.mistake) == ("Not by zero.", 0)


# -- code cells


def expecting(**fields: Any) -> CodeCell:
    return CodeCell(id="run", code="f()", expect=Expect(**fields))


def printed(*texts: str) -> list[Output]:
    return [*(Stream("stdout", text) for text in texts), Done("ok")]


RAISED: list[Output] = [
    failure("RuntimeError", "grad can be implicitly created only for scalar outputs"),
    Done("error"),
]


@pytest.mark.parametrize(
    ("cell", "outputs", "report", "passed"),
    [
        (expecting(prints="a b"), printed("x a", " b y"), CheckReport("passed"), True),
        (expecting(prints="a b"), printed("a", "b"), CheckReport("passed"), False),
        (
            expecting(prints="oh"),
            [Stream("stderr", "oh"), Done("ok")],
            CheckReport("passed"),
            False,
        ),
        (expecting(raises="RuntimeError"), RAISED, None, True),
        (expecting(raises="RuntimeError: scalar outputs"), RAISED, None, True),
        (expecting(raises="RuntimeError: other"), RAISED, None, False),
        (expecting(raises="ValueError"), RAISED, None, False),
        (expecting(raises="RuntimeError"), printed(), CheckReport("passed"), False),
        (expecting(equal="3"), RAISED, None, False),
        (expecting(equal="3"), printed(), CheckReport("passed"), True),
        (expecting(equal="3"), printed(), CheckReport("failed", "No."), False),
        (CodeCell(id="run", code="f()"), printed(), None, True),
        (CodeCell(id="run", code="f()"), RAISED, None, False),
    ],
)
def test_a_promise_is_kept_or_not(
    cell: CodeCell, outputs: list[Output], report: CheckReport | None, passed: bool
) -> None:
    assert judge_expectation(cell, outputs, report).passed is passed


def test_an_expected_error_is_explained() -> None:
    verdict = judge_expectation(expecting(raises="RuntimeError"), RAISED, None)

    assert verdict.message.startswith("backward() starts from one number")


def test_an_expression_of_the_lesson_that_raises_is_a_lesson_bug() -> None:
    report = CheckReport("lesson-bug", "`expect` raised NameError: x")

    assert judge_expectation(expecting(close="x"), printed(), report).lesson_bug
