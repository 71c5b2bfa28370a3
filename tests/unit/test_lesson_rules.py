"""What a lesson of the right shape must obey, kind by kind."""

from pathlib import Path

import pytest

from tutor.lesson.load import read_lesson_file

HEAD = 'format = 1\nsection = "2.5"\ntitle = "T"\nminutes = 3\n'


def said(tmp_path: Path, cell: str, head: str = HEAD) -> list[str]:
    """The problems of a lesson with this one cell, as "key: message"."""
    file = tmp_path / "lesson.toml"
    file.write_text(f"{head}[[cells]]\nid = 'c'\n{cell}\n", encoding="utf-8")
    problems = read_lesson_file(file).problems
    prefix = "cells[0]"
    return [f"{each.key.removeprefix(prefix)}: {each.message}" for each in problems]


# -- questions

NUMBER = "kind = 'question'\nask = '?'\nnumber = 4\n"
CHOICES = "kind = 'question'\nask = '?'\nchoices = ['a', 'b', 'c']\nanswer = 2\n"
ITEMS = "kind = 'question'\nask = '?'\nitems = ['a', 'b', 'c']\n"
GROUPS = "kind = 'question'\nask = '?'\ngroups = { g = ['a', 'b'], h = ['c'] }\n"
QUESTION = "kind = 'question'\nask = '?'\n"


@pytest.mark.parametrize(
    "cell",
    [
        NUMBER,
        NUMBER + "tolerance = 0.5\nwrong = [{ number = 5, say = 'no' }]",
        "kind = 'question'\nask = '?'\nnumber = inf\n",
        "kind = 'question'\nask = '?'\nnumber = nan\nexpression = '0 * math.inf'",
        CHOICES + "wrong = [{ choice = 1, say = 'no' }, { choice = 3, say = 'no' }]",
        ITEMS + "wrong = [{ order = [3, 1], say = 'no' }]",
        GROUPS + "wrong = [{ groups = { h = ['a'] }, say = 'no' }]",
    ],
)
def test_good_questions(tmp_path: Path, cell: str) -> None:
    assert said(tmp_path, cell) == []


ONE_OF = "a question needs exactly one of `number`, `choices`, `items`, `groups`"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (QUESTION, f": {ONE_OF}; this has none of them."),
        (CHOICES + "number = 1", f": {ONE_OF}; this has `number` and `choices`."),
        (NUMBER.replace("'?'", "' '"), ".ask: this text is empty."),
        (NUMBER + "tolerance = -1", ".tolerance: must be 0 or a number above it."),
        (NUMBER + "tolerance = nan", ".tolerance: must be 0 or a number above it."),
        (NUMBER + "answer = 1", ".answer: only `choices` have an `answer`."),
        (CHOICES + "tolerance = 1", ".tolerance: only a `number` has a `tolerance`."),
        (CHOICES.replace("2", "4"), ".answer: must be from 1 to 3, not 4."),
        (CHOICES.replace("2", "0"), ".answer: must be from 1 to 3, not 0."),
        (
            CHOICES.replace("answer = 2", ""),
            ": `choices` need `answer`: the right one, counted from 1.",
        ),
        (CHOICES.replace("'c'", "'a'"), '.choices[2]: "a" stands here twice.'),
        (CHOICES.replace("'b', 'c'", "''"), ".choices[1]: this text is empty."),
        (QUESTION + "items = ['a']", ".items: a question needs at least two items."),
        (QUESTION + "groups = { g = ['a'] }", ".groups: a question needs at least"),
        (GROUPS.replace("['c']", "[]"), ".groups.h: this group is empty."),
        (GROUPS.replace("'c'", "'a'"), '.groups.h[0]: "a" is already in "g".'),
        (NUMBER + "hints = ['a', ' ']", ".hints[1]: this text is empty."),
        (NUMBER + "expression = ''", ".expression: this expression is empty."),
        (NUMBER + "expression = 'x = 1'", ".expression: this is not a Python expr"),
        (NUMBER + "expression = '1\\n'", ".expression: this is not a Python expr"),
        (ITEMS + "expression = '1'", ".expression: `items` cannot be computed"),
    ],
)
def test_questions_that_cannot_be_answered(
    tmp_path: Path, cell: str, expected: str
) -> None:
    problem, *others = said(tmp_path, cell)
    assert problem.startswith(expected)
    assert others == []


@pytest.mark.parametrize(
    ("question", "wrong", "expected"),
    [
        (NUMBER, "number = 4", ".wrong[0].number: 4 is right, within the tolerance."),
        (NUMBER + "tolerance = 1\n", "number = 4.9", ".wrong[0].number: 4.9 is right"),
        (NUMBER, "choice = 1", ".wrong[0]: a wrong answer to `number` needs exactly"),
        (NUMBER, "", ".wrong[0]: a wrong answer to `number` needs exactly `number`."),
        (CHOICES, "choice = 2", ".wrong[0].choice: this is the right choice."),
        (CHOICES, "choice = 4", ".wrong[0].choice: must be from 1 to 3, not 4."),
        (CHOICES, "choice = 1\nnumber = 1", ".wrong[0]: a wrong answer to `choices`"),
        (ITEMS, "order = [1, 3]", ".wrong[0].order: this order is right"),
        (ITEMS, "order = [1]", ".wrong[0].order: this order is right"),
        (ITEMS, "order = [3, 3]", ".wrong[0].order: must be different numbers from 1"),
        (ITEMS, "order = [4, 3]", ".wrong[0].order: must be different numbers from 1"),
        (GROUPS, "groups = { g = ['a'] }", ".wrong[0].groups: this grouping is right."),
        (GROUPS, "groups = { x = ['a'] }", '.wrong[0].groups: there is no group "x".'),
        (GROUPS, "groups = { g = ['z'] }", '.wrong[0].groups: "z" is in none of the'),
    ],
)
def test_wrong_answers_that_are_not(
    tmp_path: Path, question: str, wrong: str, expected: str
) -> None:
    cell = f"{question}\n[[cells.wrong]]\nsay = 'no'\n{wrong}"
    problem, *others = said(tmp_path, cell)
    assert problem.startswith(expected)
    assert others == []


def test_the_same_wrong_answer_twice(tmp_path: Path) -> None:
    twice = "wrong = [{ choice = 1, say = 'a' }, { choice = 1, say = 'b' }]"
    assert said(tmp_path, CHOICES + twice) == [
        ".wrong[1].choice: this is already wrong[0]."
    ]


def test_a_choice_that_nothing_is_said_to_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "lesson.toml"
    wrong = "wrong = [{ choice = 1, say = 'no' }]"
    file.write_text(f"{HEAD}[[cells]]\nid = 'c'\n{CHOICES}{wrong}\n")
    read = read_lesson_file(file)
    assert read.problems == ()
    assert [note.message for note in read.notes] == ["nothing is said to choice 3."]


# -- exercises

EXERCISE = """kind = 'exercise'
task = 'Do it.'
starter = 'x = ____'
solution = 'x = 1'
check = 'true(learner.x == 1)'
hints = ['Think.']
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", None),
        ("x = ____", "", None),
        ("Do it.", " ", ".task: this text is empty."),
        ("['Think.']", "[]", ".hints: an exercise needs at least one hint."),
        ("['Think.']", "['']", ".hints[0]: this text is empty."),
        ("x = ____", "x = ", ".starter: this is not Python: invalid syntax."),
        ("x = ____", "x = 1 ", ".starter: the starter is already the solution."),
        ("'x = 1'", "''", ".solution: this code is empty."),
        ("'x = 1'", "'x = ____ + 1'", ".solution: the solution still has a blank"),
        ("'x = 1'", "'x = (1'", ".solution: this is not Python: '(' was never closed."),
        ("true(learner.x == 1)", "if", ".check: this is not Python: invalid syntax."),
        ("true(learner.x == 1)", "", ".check: this code is empty."),
        ("hints", "seconds = 0\nhints", ".seconds: must be a number above 0, not 0."),
        (
            "hints",
            "seconds = 99\nhints",
            ".seconds: must be a number up to 60, not 99.",
        ),
        ("hints", "mutants = true\nhints", ".mutants: `mutants` needs a function"),
    ],
)
def test_exercises(tmp_path: Path, old: str, new: str, expected: str | None) -> None:
    problems = said(tmp_path, EXERCISE.replace(old, new))
    if expected is None:
        assert problems == []
    else:
        (problem,) = problems
        assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("code", "when", "expected"),
    [
        ("x = 2", "wrong(x)", None),
        ("x = 1 ", "x", ".wrong[0].code: this is the solution."),
        ("x = ____", "x", ".wrong[0].code: a wrong answer has no blank ____: fill it"),
        ("x = (", "x", ".wrong[0].code: this is not Python: '(' was never closed."),
        ("", "x", ".wrong[0].code: this code is empty."),
        ("x = 2", "x = 3", ".wrong[0].when: this is not a Python expression"),
        ("x = 2", "", ".wrong[0].when: this expression is empty."),
    ],
)
def test_wrong_code(tmp_path: Path, code: str, when: str, expected: str | None) -> None:
    wrong = f"[[cells.wrong]]\ncode = '{code}'\nsay = 'No.'\nwhen = '{when}'"
    problems = said(tmp_path, f"{EXERCISE}{wrong}")
    if expected is None:
        assert problems == []
    else:
        (problem,) = problems
        assert problem.startswith(expected)


# -- the other kinds


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("kind = 'text'", ": a text cell needs `text` or `math`."),
        ("kind = 'text'\nmath = 'x²'", None),
        ("kind = 'code'\ncode = ' '", ".code: this code is empty."),
        ("kind = 'code'\ncode = '''\n1\n2 +\n'''", ".code: this is not Python: "),
        ("kind = 'code'\ncode = '1 +'\nexpect = { raises = 'SyntaxError' }", None),
        ("kind = 'code'\ncode = '1'\nexpect = {}", ".expect: `expect` says nothing"),
        ("kind = 'code'\ncode = '1'\nexpect = { close = '1 +' }", ".expect.close: thi"),
        ("kind = 'code'\ncode = '1'\nexpect = { shape = [-1] }", ".expect.shape[0]: a"),
        (
            "kind = 'code'\ncode = '1'\nexpect = { raises = '1x' }",
            ".expect.raises: mus",
        ),
        (
            "kind = 'code'\ncode = '1'\nexpect = { raises = 'E', dtype = 'int64' }",
            ".expect: a cell that raises has no value: leave out `dtype`.",
        ),
        (
            "kind = 'text'\ntext = '''\n```python\nx = (\n```'''",
            ".text: this is not Py",
        ),
        ("kind = 'text'\ntext = '''\n```\nx = (\n```'''", None),
        ("kind = 'text'\ntext = '''\na\n```\nb'''", ".text: this ``` is never closed."),
        ("kind = 'graph'\ncode = 'x *'", ".code: this is not Python: invalid syntax."),
        ("kind = 'graph'\ncode = 'x'\nat = { '2x' = 1 }", '.at.2x: "2x" is not a name'),
        (
            "kind = 'graph'\ncode = 'x'\nat = { x = 'a' }",
            ".at.x: must be a number or a",
        ),
        ("kind = 'graph'\ncode = 'x'\norder = 'slid'", '.order: must be "engine" or '),
        (
            "kind = 'graph'\ncode = 'x'\npredict = ['x grad']",
            ".predict[0]: this is not",
        ),
        ("kind = 'graph'\ncode = 'x'\ncaptions = { end = 'Done.' }", None),
        (
            "kind = 'graph'\ncode = 'x'\ncaptions = { arrives = 'x' }",
            '.captions.arrives: "arrives" is no step: write start, end, or one of input, ',
        ),
        (
            f"kind = 'graph'\ncode = 'x'\ncaptions = {{ end = '{'long ' * 40}' }}",
            ".captions.end: a caption has at most 150 characters, for two lines.",
        ),
        ("kind = 'train'", None),
        ("kind = 'train'\ndataset = 'lin'", ".dataset: must be line, circle, "),
        ("kind = 'train'\nlr = -1", ".lr: must be a number above 0, not -1."),
        ("kind = 'train'\nbatch = 0", ".batch: 0 is not a batch: a whole number from"),
        ("kind = 'train'\nbatch = 'all'", None),
        ("kind = 'train'\nruns = [{ name = 'a' }, { name = 'a' }]", ".runs: must have"),
        (
            "kind = 'train'\nruns = [{ name = 'a', lr = 0 }]",
            ".runs[0].lr: must be a number above",
        ),
        (
            "kind = 'train'\nruns = [{ name = 'a' }]\ndiverges = ['b']",
            ".diverges: there is no run 'b'.",
        ),
    ],
)
def test_other_kinds(tmp_path: Path, cell: str, expected: str | None) -> None:
    problems = said(tmp_path, cell)
    if expected is None:
        assert problems == []
    else:
        (problem,) = problems
        assert problem.startswith(expected)


def test_code_that_is_not_python_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "lesson.toml"
    text = "text = '''\nOne.\n```python\nx = 1\ny = = 2\n```\n'''"
    file.write_text(f"{HEAD}[[cells]]\nid = 'c'\nkind = 'text'\n{text}\n")
    (problem,) = read_lesson_file(file).problems
    assert file.read_text().split("\n")[(problem.line or 0) - 1] == "y = = 2"


def test_ids_and_aliases_are_unique(tmp_path: Path) -> None:
    file = tmp_path / "lesson.toml"
    cells = "".join(
        f"[[cells]]\nid = '{name}'\naliases = {aliases}\nkind = 'text'\ntext = 'x'\n"
        for name, aliases in (("a", ["b"]), ("b", []), ("c", ["c", "a"]))
    )
    file.write_text(HEAD + cells)
    assert [str(each.key) for each in read_lesson_file(file).problems] == [
        "cells[1].id",
        "cells[2].aliases[0]",
        "cells[2].aliases[1]",
    ]


def test_a_lesson_cannot_need_itself(tmp_path: Path) -> None:
    head = HEAD + "needs = ['2.4', '2.5']\n"
    (problem,) = said(tmp_path, "kind = 'train'", head)
    assert problem == "needs[1]: a lesson cannot need itself."


def test_setup_must_be_python(tmp_path: Path) -> None:
    head = HEAD + "setup = 'x = ('\nobjectives = ['a', '']\n"
    assert said(tmp_path, "kind = 'train'", head) == [
        "setup: this is not Python: '(' was never closed.",
        "objectives[1]: this text is empty.",
    ]
