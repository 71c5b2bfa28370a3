"""What a question must obey: one kind of answer, and wrong ones that are wrong."""

import math
from collections.abc import Iterator
from typing import Any

from tutor.lesson.lines import KeyPath
from tutor.lesson.rule_basics import Report, check_expression, check_hints, check_said
from tutor.lesson.schema import QuestionCell


def check_question(
    cell: QuestionCell, path: KeyPath, report: Report, note: Report
) -> None:
    """Report what is wrong in a question; note what it could do better."""
    check_said(cell.ask, (*path, "ask"), report)
    check_hints(cell.hints, path, report)
    kinds = ("number", "choices", "items", "groups")
    given = [name for name in kinds if getattr(cell, name) is not None]
    if len(given) != 1:
        has = " and ".join(f"`{name}`" for name in given) or "none of them"
        choice = "one of `number`, `choices`, `items`, `groups`"
        report(path, f"a question needs exactly {choice}; this has {has}.")
        return
    if cell.answer is not None and cell.choices is None:
        report((*path, "answer"), "only `choices` have an `answer`.")
    if cell.tolerance and cell.number is None:
        report((*path, "tolerance"), "only a `number` has a `tolerance`.")
    if cell.expression is not None:
        check_expression(cell.expression, (*path, "expression"), report)
        if given[0] in ("items", "groups"):
            sentence = f"`{given[0]}` cannot be computed: leave out `expression`."
            report((*path, "expression"), sentence)
    {
        "number": _check_number,
        "choices": _check_choices,
        "items": _check_items,
        "groups": _check_groups,
    }[given[0]](cell, path, report)
    _check_wrong_answers(cell, given[0], path, report)
    if cell.choices is not None:
        _note_unmet_choices(cell, path, note)


def _check_number(cell: QuestionCell, path: KeyPath, report: Report) -> None:
    if not 0 <= cell.tolerance < math.inf:
        report((*path, "tolerance"), "must be 0 or a number above it.")


def _check_choices(cell: QuestionCell, path: KeyPath, report: Report) -> None:
    choices = cell.choices or []
    _check_distinct(choices, (*path, "choices"), "choices", report)
    if cell.answer is None:
        sentence = "`choices` need `answer`: the right one, counted from 1."
        report(path, sentence)
    elif not 1 <= cell.answer <= len(choices):
        sentence = f"must be from 1 to {len(choices)}, not {cell.answer}."
        report((*path, "answer"), sentence)


def _check_items(cell: QuestionCell, path: KeyPath, report: Report) -> None:
    _check_distinct(cell.items or [], (*path, "items"), "items", report)


def _check_groups(cell: QuestionCell, path: KeyPath, report: Report) -> None:
    groups = cell.groups or {}
    if len(groups) < 2:
        report((*path, "groups"), "a question needs at least two groups.")
    owners: dict[str, str] = {}
    for name, members in groups.items():
        check_said(name, (*path, "groups", name), report)
        if not members:
            report((*path, "groups", name), "this group is empty.")
        for number, member in enumerate(members):
            here = (*path, "groups", name, number)
            check_said(member, here, report)
            if member in owners:
                report(here, f'"{member}" is already in "{owners[member]}".')
            owners.setdefault(member, name)


def _check_distinct(texts: list[str], path: KeyPath, what: str, report: Report) -> None:
    if len(texts) < 2:
        report(path, f"a question needs at least two {what}.")
    for number, text in enumerate(texts):
        check_said(text, (*path, number), report)
        if text in texts[:number]:
            report((*path, number), f'"{text}" stands here twice.')


_ANSWER_OF = {
    "number": "number",
    "choices": "choice",
    "items": "order",
    "groups": "groups",
}


def _check_wrong_answers(
    cell: QuestionCell, kind: str, path: KeyPath, report: Report
) -> None:
    wanted = _ANSWER_OF[kind]
    seen: list[object] = []
    for number, wrong in enumerate(cell.wrong):
        here = (*path, "wrong", number)
        check_said(wrong.say, (*here, "say"), report)
        given = [
            name for name in _ANSWER_OF.values() if getattr(wrong, name) is not None
        ]
        if given != [wanted]:
            report(here, f"a wrong answer to `{kind}` needs exactly `{wanted}`.")
            continue
        answer = getattr(wrong, wanted)
        if answer in seen:
            report((*here, wanted), f"this is already wrong[{seen.index(answer)}].")
        seen.append(answer)
        for sentence in _wrong_answer_problems(cell, answer):
            report((*here, wanted), sentence)


def _wrong_answer_problems(cell: QuestionCell, answer: Any) -> Iterator[str]:
    if cell.number is not None:
        if answer == cell.number or abs(answer - cell.number) <= cell.tolerance:
            yield f"{answer:g} is right, within the tolerance."
    elif cell.choices is not None:
        if not 1 <= answer <= len(cell.choices):
            yield f"must be from 1 to {len(cell.choices)}, not {answer}."
        elif answer == cell.answer:
            yield "this is the right choice."
    elif cell.items is not None:
        places = range(1, len(cell.items) + 1)
        if len(set(answer)) != len(answer) or not set(answer) <= set(places):
            yield f"must be different numbers from 1 to {len(cell.items)}."
        elif len(answer) < 2 or answer == sorted(answer):
            yield "this order is right: the items stand in their right order."
    else:
        yield from _wrong_groups_problems(cell.groups or {}, answer)


def _wrong_groups_problems(
    groups: dict[str, list[str]], answer: dict[str, list[str]]
) -> Iterator[str]:
    known = {member for members in groups.values() for member in members}
    misplaced = False
    for name, members in answer.items():
        if name not in groups:
            yield f'there is no group "{name}".'
        for member in members:
            if member not in known:
                yield f'"{member}" is in none of the groups.'
            misplaced = misplaced or member not in groups.get(name, ())
    if not misplaced:
        yield "this grouping is right."


def _note_unmet_choices(cell: QuestionCell, path: KeyPath, note: Report) -> None:
    met = {wrong.choice for wrong in cell.wrong} | {cell.answer}
    numbers = range(1, len(cell.choices or []) + 1)
    unmet = [str(number) for number in numbers if number not in met]
    if unmet:
        note((*path, "wrong"), f"nothing is said to choice {', '.join(unmet)}.")
