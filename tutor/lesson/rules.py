"""What a lesson of the right shape must still obey: answers, code, ids, names.

Everything that can be said without running anything; the rest is `headless.proof`.
"""

import ast
import math
import re
import warnings
from collections.abc import Iterator
from typing import Any, Protocol

from tutor.lesson.lines import KeyPath
from tutor.lesson.prose import fences, prose_height
from tutor.lesson.schema import (
    AnyCell,
    Cell,
    CodeCell,
    ExerciseCell,
    Expect,
    GraphCell,
    QuestionCell,
    TrainCell,
)

PROSE_LINES = 12
"""Lines of prose that one cell should not exceed at 76 columns."""


class Report(Protocol):
    """Called with a key path, a sentence and the line within the string, from 1."""

    def __call__(self, where: KeyPath, sentence: str, within: int = 0) -> None:
        """`within` 0: the key itself."""


# -- the lesson as a whole; `raw`, since it must not need every cell to be right


def check_lesson(raw: dict[str, Any], name: str, report: Report) -> None:
    """Ids, needs, the file's name."""
    if raw.get("cells") == []:
        report(("cells",), "the lesson has no cells.")
    _check_ids(raw, report)
    section = raw.get("section")
    match = re.match(r"(\d\d)-(\d\d)-", name)
    if match and isinstance(section, str):
        named = f"{int(match[1])}.{int(match[2])}"
        if named != section:
            report(("section",), f"the file's name says {named}, this says {section}.")
    needs = raw.get("needs")
    if isinstance(needs, list) and section in needs:
        number = needs.index(section)
        report(("needs", number), "a lesson cannot need itself.")
    if isinstance(setup := raw.get("setup"), str):
        check_code(setup, ("setup",), report)
    for number, objective in enumerate(_list(raw.get("objectives"))):
        if isinstance(objective, str):
            _check_said(objective, ("objectives", number), report)
    if isinstance(title := raw.get("title"), str):
        _check_said(title, ("title",), report)


def _check_ids(raw: dict[str, Any], report: Report) -> None:
    owners: dict[str, KeyPath] = {}
    for number, cell in enumerate(_list(raw.get("cells"))):
        if not isinstance(cell, dict):
            continue
        named: list[tuple[KeyPath, Any]] = [(("cells", number, "id"), cell.get("id"))]
        for place, alias in enumerate(_list(cell.get("aliases"))):
            named.append((("cells", number, "aliases", place), alias))
        for path, name in named:
            if not isinstance(name, str):
                continue
            if name in owners:
                first = owners[name][1]
                sentence = f'"{name}" is already a name of cells[{first}].'
                report(path, sentence)
            else:
                owners[name] = path


def _list(raw: object) -> list[Any]:
    return raw if isinstance(raw, list) else []


# -- one cell


def check_cell(cell: AnyCell, path: KeyPath, report: Report, note: Report) -> None:
    """All rules of the cell's kind; `note` takes what is only not good."""
    _check_prose(cell, path, report, note)
    match cell:
        case CodeCell():
            _check_code_cell(cell, path, report)
        case QuestionCell():
            _check_question(cell, path, report, note)
        case ExerciseCell():
            _check_exercise(cell, path, report, note)
        case GraphCell():
            _check_graph(cell, path, report)
        case TrainCell():
            _check_train(cell, path, report)
        case _:
            if not cell.text.strip() and not cell.math.strip():
                report(path, "a text cell needs `text` or `math`.")


def _check_prose(cell: Cell, path: KeyPath, report: Report, note: Report) -> None:
    for name in ("text", "task", "ask", "why"):
        text = getattr(cell, name, "")
        for fence in fences(text):
            if not fence.closed:
                report((*path, name), "this ``` is never closed.", fence.line)
            elif fence.is_python:
                check_code(fence.code, (*path, name), report, fence.line)
    for name in ("text", "task"):
        height = prose_height(getattr(cell, name, ""))
        if height > PROSE_LINES:
            sentence = f"{height} lines of prose; {PROSE_LINES} are enough for a cell."
            note((*path, name), sentence)


def check_code(
    code: str, path: KeyPath, report: Report, offset: int = 0, *, empty: bool = True
) -> bool:
    """Whether it is Python; `offset` is how many lines of the string precede it."""
    if not empty and not code.strip():
        report(path, "this code is empty.")
        return False
    return _parses(code, path, report, "exec", offset)


def _check_expression(code: str, path: KeyPath, report: Report) -> None:
    if not code.strip():
        report(path, "this expression is empty.")
    elif "\n" in code.strip():
        report(path, "this must be one expression on one line.")
    else:
        _parses(code.strip(), path, report, "eval", 0)


def _parses(code: str, path: KeyPath, report: Report, mode: str, offset: int) -> bool:
    what = "Python" if mode == "exec" else "a Python expression"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape is still Python
            compile(code, "<lesson>", mode, ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        within = offset + (error.lineno or 1)
        report(path, f"this is not {what}: {error.msg}.", within)
    except (ValueError, RecursionError, MemoryError) as error:
        why = str(error) or "it is too deep"
        report(path, f"this is not {what}: {why}.")
    else:
        return True
    return False


def _check_said(text: str, path: KeyPath, report: Report) -> None:
    if not text.strip():
        report(path, "this text is empty.")


def _check_code_cell(cell: CodeCell, path: KeyPath, report: Report) -> None:
    expect = cell.expect
    raises = (expect.raises or "") if expect else ""
    if not re.match(r"(Syntax|Indentation|Tab)Error\b", raises):
        check_code(cell.code, (*path, "code"), report, empty=False)
    if expect is not None:
        _check_expect(expect, (*path, "expect"), report)


def _check_expect(expect: Expect, path: KeyPath, report: Report) -> None:
    for name in ("close", "equal"):
        if (expression := getattr(expect, name)) is not None:
            _check_expression(expression, (*path, name), report)
    values = ("close", "equal", "shape", "dtype", "device", "requires_grad")
    valued = [name for name in values if getattr(expect, name) is not None]
    if expect.raises is not None:
        _check_raises(expect.raises, valued, path, report)
    elif not valued and expect.prints is None:
        report(path, "`expect` says nothing: give a key or leave it out.")
    for number, size in enumerate(expect.shape or []):
        if size < 0:
            report((*path, "shape", number), "a size cannot be negative.")


def _check_raises(
    raises: str, valued: list[str], path: KeyPath, report: Report
) -> None:
    if valued:
        keys = ", ".join(f"`{name}`" for name in valued)
        report(path, f"a cell that raises has no value: leave out {keys}.")
    if not re.match(r"[A-Za-z_][\w.]*(: .+)?$", raises):
        sentence = 'must be like "RuntimeError" or "RuntimeError: some of its message".'
        report((*path, "raises"), sentence)


def _check_exercise(
    cell: ExerciseCell, path: KeyPath, report: Report, note: Report
) -> None:
    _check_said(cell.task, (*path, "task"), report)
    if not cell.hints:
        report((*path, "hints"), "an exercise needs at least one hint.")
    _check_hints(cell.hints, path, report)
    check_code(cell.starter, (*path, "starter"), report)
    check_code(cell.check, (*path, "check"), report, empty=False)
    parsed = check_code(cell.solution, (*path, "solution"), report, empty=False)
    if _blank(cell.solution):
        report((*path, "solution"), "the solution still has a blank ____.")
    if _same(cell.starter, cell.solution):
        report((*path, "starter"), "the starter is already the solution.")
    if cell.mutants and parsed and not _functions(cell.solution):
        sentence = "`mutants` needs a function in the solution; leave it out."
        report((*path, "mutants"), sentence)
    if not cell.wrong:
        sentence = "no `wrong` answers: which mistakes will learners make?"
        note(path, sentence)
    _check_wrong(cell, path, report)


def _check_wrong(cell: ExerciseCell, path: KeyPath, report: Report) -> None:
    for number, wrong in enumerate(cell.wrong):
        here = (*path, "wrong", number)
        _check_said(wrong.say, (*here, "say"), report)
        check_code(wrong.code, (*here, "code"), report, empty=False)
        if wrong.when is not None:
            _check_expression(wrong.when, (*here, "when"), report)
        if _blank(wrong.code):
            report((*here, "code"), "a wrong answer has no blank ____: fill it in.")
        if _same(wrong.code, cell.solution):
            report((*here, "code"), "this is the solution.")
        earlier = [_same(each.code, wrong.code) for each in cell.wrong[:number]]
        if any(earlier):
            report((*here, "code"), f"this is already wrong[{earlier.index(True)}].")


def _check_hints(hints: list[str], path: KeyPath, report: Report) -> None:
    for number, hint in enumerate(hints):
        _check_said(hint, (*path, "hints", number), report)


def _blank(code: str) -> bool:
    return re.search(r"\b____\b", code) is not None


def _same(code: str, other: str) -> bool:
    return code.strip() == other.strip()


def _functions(code: str) -> list[str]:
    body = ast.parse(code).body
    return [each.name for each in body if isinstance(each, ast.FunctionDef)]


def _check_graph(cell: GraphCell, path: KeyPath, report: Report) -> None:
    check_code(cell.code, (*path, "code"), report, empty=False)
    for name in cell.at:
        if not name.isidentifier():
            report((*path, "at", name), f'"{name}" is not a name in Python.')
    if cell.root is not None:
        _check_expression(cell.root, (*path, "root"), report)
    for number, name in enumerate(cell.predict):
        _check_expression(name, (*path, "predict", number), report)


def _check_train(cell: TrainCell, path: KeyPath, report: Report) -> None:
    names: dict[str, int] = {}
    for number, run in enumerate(cell.runs):
        here = (*path, "runs", number)
        _check_said(run.name, (*here, "name"), report)
        if run.name in names:
            report((*here, "name"), f'runs[{names[run.name]}] is called "{run.name}".')
        names.setdefault(run.name, number)
        if run.lr is not None and not 0 < run.lr < math.inf:
            report((*here, "lr"), "must be a number above 0.")
    if not 0 < cell.lr < math.inf:
        report((*path, "lr"), "must be a number above 0.")


# -- questions


def _check_question(
    cell: QuestionCell, path: KeyPath, report: Report, note: Report
) -> None:
    _check_said(cell.ask, (*path, "ask"), report)
    _check_hints(cell.hints, path, report)
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
        _check_expression(cell.expression, (*path, "expression"), report)
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
        _check_said(name, (*path, "groups", name), report)
        if not members:
            report((*path, "groups", name), "this group is empty.")
        for number, member in enumerate(members):
            here = (*path, "groups", name, number)
            _check_said(member, here, report)
            if member in owners:
                report(here, f'"{member}" is already in "{owners[member]}".')
            owners.setdefault(member, name)


def _check_distinct(texts: list[str], path: KeyPath, what: str, report: Report) -> None:
    if len(texts) < 2:
        report(path, f"a question needs at least two {what}.")
    for number, text in enumerate(texts):
        _check_said(text, (*path, number), report)
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
        _check_said(wrong.say, (*here, "say"), report)
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
