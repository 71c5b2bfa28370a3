"""The questions on cases by someone who had not seen how they are answered."""

import pytest

from tests.engine.none_cases import (
    HEALTHY_CASES,
    INPLACE_CASES,
    NONE_CASES,
    ZERO_CASES,
    Case,
)
from tutor.engine.trace import record
from tutor.graph import questions
from tutor.graph.questions import Answer
from tutor.graph.requests import TraceRequest

pytestmark = pytest.mark.filterwarnings("ignore")
AT_LEAST = 0.95
"""Of each kind, the cases whose lines must all be named, and no other line."""


def answered(case: Case) -> Answer | None:
    trace = record(TraceRequest(case.code))
    if case.kind == "inplace":
        return questions.why_inplace(trace)
    value = questions.named(trace, case.ask)
    if value is None:
        return questions.ask(trace, case.ask)
    asked = questions.why_zero if case.kind == "zero" else questions.why_none
    return asked(trace, value)


def is_right(case: Case, answer: Answer | None) -> bool:
    """All lines are named, and none beside those that set them up."""
    if answer is None:
        return False
    named = {each.line for each in answer.causes} - {None}
    return set(case.lines) <= named <= set(case.lines) | set(case.also)


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(NONE_CASES, id="none"),
        pytest.param(ZERO_CASES, id="zero"),
        pytest.param(INPLACE_CASES, id="inplace"),
    ],
)
def test_the_right_line_is_named(cases: tuple[Case, ...]) -> None:
    wrong = [case.id for case in cases if not is_right(case, answered(case))]
    assert len(wrong) <= (1 - AT_LEAST) * len(cases), wrong


@pytest.mark.parametrize("case", HEALTHY_CASES, ids=lambda case: case.id)
def test_nothing_is_blamed_where_all_is_well(case: Case) -> None:
    trace = record(TraceRequest(case.code))
    assert questions.why_inplace(trace) is None
    value = questions.named(trace, case.ask)
    if value is None:
        return  # the trace says nothing of it
    answer = questions.why_none(trace, value)
    assert not answer.causes
    assert "is not None" in answer.verdict
    assert {each.kind for each in questions.why(trace, value).causes} <= {"share"}


@pytest.mark.parametrize(
    "case", [*NONE_CASES, *ZERO_CASES, *INPLACE_CASES], ids=lambda case: case.id
)
def test_an_answer_is_made_of_sentences(case: Case) -> None:
    answer = answered(case)
    assert answer is not None
    said = [answer.verdict, *(each.text for each in answer.causes)]
    for sentence in said:
        assert sentence.endswith((".", "…"))
        assert "\n" not in sentence
    assert answer.advice
