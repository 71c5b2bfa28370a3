"""What a lesson of the right shape must still obey: answers, code, ids, names.

Everything that can be said without running anything; the rest is `headless.proof`.
"""

import ast
import difflib
import re
from typing import Any

from tutor.lesson.lines import KeyPath
from tutor.lesson.prose import fences, prose_height
from tutor.lesson.question_rules import check_question
from tutor.lesson.requests import race_of
from tutor.lesson.rule_basics import (
    Report,
    check_code,
    check_expression,
    check_hints,
    check_said,
)
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
from tutor.training import notches
from tutor.training.options import SpecError

PROSE_LINES = 12
"""Lines of prose that one cell should not exceed at 76 columns."""


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
            check_said(objective, ("objectives", number), report)
    if isinstance(title := raw.get("title"), str):
        check_said(title, ("title",), report)


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
            check_question(cell, path, report, note)
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
            check_expression(expression, (*path, name), report)
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
    check_said(cell.task, (*path, "task"), report)
    if not cell.hints:
        report((*path, "hints"), "an exercise needs at least one hint.")
    check_hints(cell.hints, path, report)
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
        check_said(wrong.say, (*here, "say"), report)
        check_code(wrong.code, (*here, "code"), report, empty=False)
        if wrong.when is not None:
            check_expression(wrong.when, (*here, "when"), report)
        if _blank(wrong.code):
            report((*here, "code"), "a wrong answer has no blank ____: fill it in.")
        if _same(wrong.code, cell.solution):
            report((*here, "code"), "this is the solution.")
        earlier = [_same(each.code, wrong.code) for each in cell.wrong[:number]]
        if any(earlier):
            report((*here, "code"), f"this is already wrong[{earlier.index(True)}].")


def _blank(code: str) -> bool:
    return re.search(r"\b____\b", code) is not None


def _same(code: str, other: str) -> bool:
    return code.strip() == other.strip()


def _functions(code: str) -> list[str]:
    body = ast.parse(code).body
    return [each.name for each in body if isinstance(each, ast.FunctionDef)]


CAPTION_KINDS = (
    "input", "node", "value", "whole", "arrive", "local", "contribute", "accumulate", "leaf",
    "refused",
)  # fmt: skip
CAPTION_LIMIT = 150
_CAPTION = re.compile(rf"(start|end|({'|'.join(CAPTION_KINDS)}) \S.*)\Z")


def _check_graph(cell: GraphCell, path: KeyPath, report: Report) -> None:
    check_code(cell.code, (*path, "code"), report, empty=False)
    for name in cell.at:
        if not name.isidentifier():
            report((*path, "at", name), f'"{name}" is not a name in Python.')
    if cell.root is not None:
        check_expression(cell.root, (*path, "root"), report)
    for number, name in enumerate(cell.predict):
        check_expression(name, (*path, "predict", number), report)
    for key, words in cell.captions.items():
        if not _CAPTION.match(key):
            known = ", ".join(CAPTION_KINDS)
            report(
                (*path, "captions", key),
                f'"{key}" is no step: write start, end, or one of {known} and a name.',
            )
        if len(words) > CAPTION_LIMIT:
            report(
                (*path, "captions", key),
                f"a caption has at most {CAPTION_LIMIT} characters, for two lines.",
            )


def _check_train(cell: TrainCell, path: KeyPath, report: Report) -> None:
    try:
        race_of(cell)
    except SpecError as error:
        for fault in error.faults:
            # It counts runs from 1 and begins with its key; ours stands before it.
            message = fault.message.removeprefix(f"{fault.key} ")
            report((*path, *_key_of(fault.key, cell)), message)
    known = [notch.key for notch in notches.ALL]
    for key in cell.settings:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {known}."
            said = f"there is no setting {key!r} to turn: {hint}"
            report((*path, "settings"), said)
    for name in cell.diverges:
        if name not in [run.name for run in cell.runs]:
            report((*path, "diverges"), f"there is no run {name!r}.")


def _key_of(key: str, cell: TrainCell) -> KeyPath:
    """The path of a fault's key, which counts runs from 1; () for what is not there."""
    match = re.match(r"runs\[(\d+)\](?:\.(\w+))?(?:@\d+)?$", key)
    if match:
        run: KeyPath = ("runs", int(match[1]) - 1)
        return (*run, match[2]) if match[2] else run
    return (key,) if key and getattr(cell, key, None) is not None else ()
