"""Loading: good lessons load, and every problem of a bad one is told at once."""

import os
import re
from pathlib import Path

import pytest

from tutor.errors import FileError
from tutor.lesson.load import SIZE_LIMIT, load_lesson, read_lesson_file
from tutor.lesson.problem import LessonError
from tutor.lesson.schema import ExerciseCell, GraphCell, QuestionCell, TrainCell

SAMPLE = Path(__file__).parents[1] / "samples" / "02-08-every-kind.toml"
HEAD = 'format = 1\nsection = "2.5"\ntitle = "T"\nminutes = 3\n'
TEXT_CELL = '[[cells]]\nid = "t"\nkind = "text"\ntext = "Hello."\n'


def said(tmp_path: Path, text: str | bytes, name: str = "lesson.toml") -> list[str]:
    """The problems of a file with this content, as "line: key: message"."""
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    problems = read_lesson_file(file).problems
    assert all(problem.file == str(file) for problem in problems)
    return [f"{each.line}: {each.key}: {each.message}" for each in problems]


def test_every_kind_of_cell_loads() -> None:
    lesson = load_lesson(SAMPLE)
    assert (lesson.section, lesson.minutes, lesson.needs) == ("2.8", 9, ["2.5", "2.7"])
    kinds = [type(cell).__struct_config__.tag for cell in lesson.cells]
    assert set(kinds) == {"text", "code", "question", "exercise", "graph", "train"}
    by_id = {cell.id: cell for cell in lesson.cells}
    step, walk, race = by_id["step"], by_id["walk"], by_id["race"]
    assert isinstance(step, ExerciseCell)
    assert [wrong.when for wrong in step.wrong] == ["unchanged(w)", "ratio(w) == -1"]
    assert isinstance(walk, GraphCell)
    assert walk.at == {"x": 2.0, "y": 5.0}
    assert isinstance(race, TrainCell)
    assert [run.batch for run in race.runs] == [1000, 4, 1]
    assert isinstance(by_id["guess"], QuestionCell)


def test_load_lesson_raises_one_error_with_all_problems(tmp_path: Path) -> None:
    file = tmp_path / "lesson.toml"
    file.write_text('format = 1\nsection = "2.5"\n')
    with pytest.raises(LessonError) as raised:
        load_lesson(file)
    assert isinstance(raised.value, FileError)
    assert raised.value.exit_code == 2
    assert len(raised.value.problems) == 1
    sentence = f"{file}:1: the lesson needs `title`, `minutes`, `cells`."
    assert str(raised.value) == sentence


def test_all_problems_at_once_each_with_its_line_and_key(tmp_path: Path) -> None:
    text = """\
format = 1
section = "2.5"
title = "T"
minutes = 3
obectives = []

[[cells]]
id = "a"
kind = "question"
ask = "?"
number = "four"
tolerence = 0.1

[[cells]]
id = "b"
kind = "exercise"
task = "t"
starter = "x = ____"
solution = '''
x = 1
y = = 2
'''
check = "true(x)"
hints = ["one", ""]
mutants = 1

[[cells.wrong]]
code = "x = 2"

[[cells.wrong]]
code = "x = 3"
say = "no"
when = "x =="

[[cells]]
id = "a"
kind = "txt"
"""
    assert said(tmp_path, text) == [
        "5: obectives: this table has no key `obectives`; do you mean `objectives`?",
        "11: cells[0].number: must be a number, not text.",
        "12: cells[0].tolerence: a question cell has no key `tolerence`; "
        "do you mean `tolerance`?",
        "21: cells[1].solution: this is not Python: invalid syntax.",
        "24: cells[1].hints[1]: this text is empty.",
        "25: cells[1].mutants: must be true or false, not a whole number.",
        "27: cells[1].wrong[0]: this table needs `say`.",
        "33: cells[1].wrong[1].when: this is not a Python expression: invalid syntax.",
        '36: cells[2].id: "a" is already a name of cells[0].',
        '37: cells[2].kind: must be "text", "code", "question", "exercise", "graph" '
        'or "train"; do you mean `text`?',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = = 1", "1: : this is not TOML: invalid value, column 5."),
        ('format = 1\nx = """\nopen\n', "2: : the triple quotes opened here are"),
        ("a = 1\nb = {\n c = 1 }", "2: : a { } table must stay on one line"),
        ("a = 1\n[b]\nc.d = 1\nc.d = 2", "4: : `b.c.d` is given in line 3 already."),
        ("x = [1, 2", "1: : this is not TOML: unclosed array."),
        ("x = 2024-13-45", "1: : this is not TOML"),
        ("x = 1e", "1: : this is not TOML"),
        ('x = "\x1b"', "1: : this is not TOML: illegal character '\\x1b', column 6."),
        ("x = " + "[" * 100_000, "1: : lists and tables lie more than 16 deep"),
        ("x = " + "1" * 5000, "1: : a number has too many digits."),
        ("x" + ".x" * 50_000 + " = 1", "1: : a key has more than 16 dots."),
        (b"a = 1\nb = '\xff'", "2: : byte 0xff is not UTF-8; save it as UTF-8."),
        ("a = 1".encode("utf-16"), "None: : the file is UTF-16; save it as UTF-8."),
        (b"#" * (SIZE_LIMIT + 1), "None: : the file is larger than 256 kB"),
        ("", "1: : the lesson needs `format`, `section`, `title`"),
        ("format = 2\nfoo = 1", "1: format: format 2 is unknown; this tutor reads"),
        ("format = true\n" + HEAD[11:] + TEXT_CELL, "1: format: must be a whole n"),
        (HEAD + "cells = []", "5: cells: the lesson has no cells."),
        (HEAD + "cells = 3", "5: cells: must be a list, not a whole number."),
        (HEAD + "cells = [1]", "5: cells[0]: a cell must be a table, not a whole num"),
        (HEAD + "cells = [{id = 'a'}]", "5: cells[0]: a cell needs `kind`: "),
        (HEAD + '[cells]\nid = "a"', "5: cells: must be a list, not a table."),
    ],
)
def test_a_file_that_is_no_lesson(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    first, *others = said(tmp_path, text)
    assert first.startswith(expected)
    assert first.endswith((".", "?"))
    assert others == []


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    text = (HEAD + TEXT_CELL).replace("\n", "\r\n")
    assert said(tmp_path, b"\xef\xbb\xbf" + text.encode()) == []


@pytest.mark.parametrize(
    ("value", "line", "name"),
    [
        (r'"a\u001b[2Jb"', 6, "U+001B (control character)"),
        (r'"a\u009bb"', 6, "U+009B (control character)"),
        (r'"a\rb"', 6, "U+000D (control character)"),
        (r'"a\u202eb"', 6, "U+202E (right-to-left override)"),
        ("'a\u202eb'", 6, "U+202E (right-to-left override)"),
        ('"""\nfine\nfine\nhere \\u0007 it is\n"""', 9, "U+0007 (control character)"),
    ],
)
def test_control_characters_are_refused_on_their_line(
    tmp_path: Path, value: str, line: int, name: str
) -> None:
    cell = f'[[cells]]\ntext = {value}\nid = "t"\nkind = "text"\n'
    (problem,) = said(tmp_path, HEAD + cell)
    sentence = f"{name} is not allowed in a lesson; leave it out."
    assert problem == f"{line}: cells[0].text: {sentence}"


def test_a_control_character_in_a_key_is_refused(tmp_path: Path) -> None:
    problems = said(tmp_path, HEAD + '"a\\u001b" = 1\n' + TEXT_CELL)
    assert any("U+001B" in problem for problem in problems)


def test_booleans_are_no_numbers_and_text_is_no_number(tmp_path: Path) -> None:
    text = HEAD.replace("minutes = 3", "minutes = true") + TEXT_CELL
    assert said(tmp_path, text) == [
        "4: minutes: must be a whole number, not true or false."
    ]
    text = HEAD.replace("minutes = 3", "minutes = 0") + TEXT_CELL
    assert said(tmp_path, text) == ["4: minutes: must be a whole number from 1, not 0."]
    text = HEAD.replace("minutes = 3", "minutes = 3.0") + TEXT_CELL
    assert said(tmp_path, text) == ["4: minutes: must be a whole number, not a number."]


def test_the_name_of_the_file_tells_its_section(tmp_path: Path) -> None:
    good = HEAD + TEXT_CELL
    assert said(tmp_path, good, "02-05-tensors.toml") == []
    assert said(tmp_path, good, "anything.toml") == []
    assert said(tmp_path, good, "02-15-tensors.toml") == [
        "2: section: the file's name says 2.15, this says 2.5."
    ]


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    def sentence(path: Path) -> str:
        (problem,) = read_lesson_file(path).problems
        assert (problem.line, problem.key) == (None, "")
        return problem.message

    assert sentence(tmp_path / "none.toml") == "there is no such file."
    assert sentence(tmp_path / "a" / "none.toml") == "there is no such file."
    assert sentence(tmp_path) == "this is a folder, not a lesson file."
    os.mkfifo(tmp_path / "pipe.toml")
    assert sentence(tmp_path / "pipe.toml") == "this is not a regular file."
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    assert sentence(tmp_path / "loop.toml").startswith("cannot be read: ")
    assert sentence(Path("a\0b.toml")) == "this is no file name."
    assert sentence(Path("/" + "x" * 5000)).startswith("cannot be read: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "secret.toml"
    file.write_text(HEAD)
    file.chmod(0)
    (problem,) = read_lesson_file(file).problems
    assert problem.message == "cannot be read: Permission denied."


def test_no_file_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for path in (tmp_path, tmp_path / "none", SAMPLE):
        read_lesson_file(path)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_name_that_is_not_utf8_can_be_shown(tmp_path: Path) -> None:
    file = Path(os.fsdecode(bytes(tmp_path) + b"/02-05-\xff\x1b[2J.toml"))
    try:
        file.write_text("a = 1")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    for problem in read_lesson_file(file).problems:
        str(problem).encode()
        assert re.search("[\x00-\x1f]", str(problem)) is None


def test_notes_stop_nothing(tmp_path: Path) -> None:
    file = tmp_path / "lesson.toml"
    long = "A line that is long enough to be one line of a lesson's prose, and more.\\n"
    file.write_text(HEAD + TEXT_CELL.replace("Hello.", (long + "\\n") * 13))
    read = read_lesson_file(file)
    assert read.lesson is not None
    assert [(note.line, note.key) for note in read.notes] == [(8, "cells[0].text")]
    assert "13 lines of prose" in read.notes[0].message
