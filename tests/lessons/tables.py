"""Tables of answers to a lesson's cells as tests: each row is a case of its own.

What fails names the lesson, the cell, the answer and what was said of it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.lessons import judging
from tutor.answers import Answer, Groups
from tutor.lesson.schema import QuestionCell
from tutor.verdicts import Verdict, judge_answer

Test = Callable[..., None]

TITLE = 60
LINES = 11
CAPTION = 70
"""One line of the step card."""


def right_code_passes(section: str, rows: Sequence[tuple[str, str]]) -> Test:
    """Rows of an exercise and code that does it."""

    @pytest.mark.parametrize(("cell_id", "code"), rows, ids=_ids(rows))
    def test(cell_id: str, code: str) -> None:
        verdict = judging.judged(section, cell_id, code)

        assert verdict.passed, _said(section, cell_id, code, verdict)

    return test


def mistakes_are_named(section: str, rows: Sequence[tuple[str, str, str]]) -> Test:
    """Rows of an exercise, code that does not do it, and words of the message."""

    @pytest.mark.parametrize(("cell_id", "code", "words"), rows, ids=_ids(rows))
    def test(cell_id: str, code: str, words: str) -> None:
        verdict = judging.judged(section, cell_id, code)

        said = _said(section, cell_id, code, verdict)
        assert not verdict.passed, said
        assert not verdict.lesson_bug, said
        assert words in verdict.message, f"{words!r} is not in {said}"

    return test


def wrong_answers_are_told(
    section: str, rows: Sequence[tuple[str, Answer, str]]
) -> Test:
    """Rows of a question, a wrong answer, and words of the message."""

    @pytest.mark.parametrize(("cell_id", "answer", "words"), rows, ids=_ids(rows))
    def test(cell_id: str, answer: Answer, words: str) -> None:
        verdict = judge_answer(judging.cell(section, cell_id), answer)

        said = _said(section, cell_id, answer, verdict)
        assert not verdict.passed, said
        assert words in verdict.message, f"{words!r} is not in {said}"

    return test


def each_misplaced_member_is_told(section: str, *questions: str) -> Test:
    """Of these questions with groups: a sentence of its own for each wrong place."""

    @pytest.mark.parametrize("cell_id", questions)
    def test(cell_id: str) -> None:
        question = judging.cell(section, cell_id)
        named = {
            (group, member)
            for wrong in question.wrong
            for group, members in (wrong.groups or {}).items()
            for member in members
        }
        for own, members in question.groups.items():
            for member in members:
                assert (own, member) not in named, f"lesson {section}, {cell_id}"
                for group in question.groups.keys() - {own}:
                    moved = in_groups(section, cell_id, **{member: group})
                    verdict = judge_answer(question, moved)
                    said = _said(section, cell_id, f"{member} in {group}", verdict)
                    assert verdict.mistake is not None, said
                    wrong = question.wrong[verdict.mistake]
                    assert member in wrong.groups.get(group, ()), said

    return test


def cells_keep_to_length(section: str, *, prose: int, width: int = 79) -> Test:
    """`prose`: lines of a text that are neither blank nor a fence of code."""

    def test() -> None:
        for cell in judging.lesson(section).cells:
            where = f"lesson {section}, {cell.id}"
            lines = cell.text.strip().split("\n")
            texts = [each for each in lines if each and not each.startswith("```")]
            assert len(cell.title) <= TITLE, where
            assert len(lines) <= LINES, where
            assert len(texts) <= prose, where
            assert all(len(each) <= width for each in cell.text.split("\n")), where
            for caption in getattr(cell, "captions", {}).values():
                assert len(caption) <= CAPTION, f"{where}: {caption}"
            if isinstance(cell, QuestionCell):
                assert cell.wrong, where

    return test


def in_groups(section: str, cell_id: str, **moved: str) -> Groups:
    """The right answer, but for members under another group: {"A": "gd"}."""
    right = judging.cell(section, cell_id).groups
    given: dict[str, list[str]] = {group: [] for group in right}
    for group, members in right.items():
        for member in members:
            given[moved.get(member, group)].append(member)
    return Groups({group: tuple(members) for group, members in given.items()})


def _ids(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """The cell, and a number within it."""
    seen: Counter[str] = Counter()
    names = []
    for cell_id, *_ in rows:
        seen[cell_id] += 1
        names.append(f"{cell_id}-{seen[cell_id]}")
    return names


def _said(section: str, cell_id: str, answer: object, verdict: Verdict) -> str:
    return (
        f"what lesson {section}, cell {cell_id} says: {verdict.message!r} "
        f"({verdict.detail!r})\nof the answer:\n{answer}"
    )
