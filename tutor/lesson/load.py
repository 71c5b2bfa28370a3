"""Reads a lesson file: a Lesson, or every problem of the file with its line and key.

Only data is made here; nothing of the lesson is run. Limits are checked before parsing,
so that a hostile file costs milliseconds.
"""

import os
import re
import stat
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor.lesson.lines import KeyPath, Lines, key_text, scan
from tutor.lesson.problem import LessonError, LessonProblem, shown
from tutor.lesson.rule_basics import Report
from tutor.lesson.rules import check_cell, check_lesson
from tutor.lesson.schema import FORMAT, Lesson
from tutor.lesson.structure import read_cell, read_lesson

SIZE_LIMIT = 256 * 1024
"""Bytes of one file; the longest lesson needs a tenth."""

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True)
class LessonFile:
    """What one file holds."""

    path: Path
    lesson: Lesson | None
    """None when there are problems."""
    problems: tuple[LessonProblem, ...]
    """In the order of the file's lines; empty: the lesson can be used."""
    notes: tuple[LessonProblem, ...] = ()
    """What could be better; it stops nothing."""
    raw: dict[str, Any] | None = None
    """The parsed tables, also of a lesson with problems; None: it is not TOML."""
    lines: Lines | None = None

    def problem(self, path: KeyPath, message: str, within: int = 0) -> LessonProblem:
        """A problem of this file, at the key, or at line `within` of its string.

        `within` counts from 1; 0 is the key itself.
        """
        lines = self.lines or Lines()
        line = lines.line_within(path, within) if within else lines.line(path)
        return LessonProblem(shown(self.path), line, key_text(path), message)


def load_lesson(path: Path) -> Lesson:
    """The lesson of a file; LessonError with every problem when it cannot be used."""
    file = read_lesson_file(path)
    if file.lesson is None:
        raise LessonError(file.problems)
    return file.lesson


def read_lesson_file(path: Path) -> LessonFile:
    """Whatever the file is; nothing is raised."""
    try:
        text = _text(path)
        return _read_text(path, text)
    except _UnreadableError as error:
        problem = LessonProblem(shown(path), error.line, "", str(error))
        return LessonFile(path, None, (problem,))


class _UnreadableError(Exception):
    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


def _text(path: Path) -> str:
    raw = _bytes(path)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _UnreadableError("the file is UTF-16; save it as UTF-8.")
    raw = raw.removeprefix(b"\xef\xbb\xbf")  # what Windows editors put first
    try:
        return raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        sentence = f"byte 0x{raw[error.start]:02x} is not UTF-8; save it as UTF-8."
        raise _UnreadableError(sentence, line) from None


def _bytes(path: Path) -> bytes:
    try:
        # Not to wait for ever at a named pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            raw = _regular(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise _UnreadableError("there is no such file.") from None
    except OSError as error:
        raise _UnreadableError(f"cannot be read: {error.strerror}.") from None
    except ValueError:  # a null byte in the path
        raise _UnreadableError("this is no file name.") from None
    if len(raw) > SIZE_LIMIT:
        limit = SIZE_LIMIT // 1024
        raise _UnreadableError(f"the file is larger than {limit} kB; split the lesson.")
    return raw


def _regular(descriptor: int) -> bytes:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise _UnreadableError("this is a folder, not a lesson file.")
    if not stat.S_ISREG(mode):
        raise _UnreadableError("this is not a regular file.")
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(SIZE_LIMIT + 1)


def _read_text(path: Path, text: str) -> LessonFile:
    lines = scan(text)
    if lines.refused:
        line, sentence = lines.refused[0]
        raise _UnreadableError(sentence, line)
    raw = _parsed(text, lines)
    found: list[tuple[KeyPath, str, int]] = []
    notes: list[tuple[KeyPath, str, int]] = []
    lesson = _judged(path, raw, found, notes)
    found += _controls(raw, lines, text)
    bare = LessonFile(path, None, (), lines=lines)
    problems = sorted(
        (bare.problem(*each) for each in found), key=lambda each: each.line or 0
    )
    return LessonFile(
        path,
        None if problems else lesson,
        tuple(problems),
        tuple(bare.problem(*each) for each in notes),
        raw,
        lines,
    )


_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def _parsed(text: str, lines: Lines) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = _AT.search(message)
        line = int(at[1]) if at and at[1] else text.rstrip().count("\n") + 1
        if lines.unclosed is not None and lines.unclosed <= line:
            sentence = "the triple quotes opened here are never closed."
            raise _UnreadableError(sentence, lines.unclosed) from None
        if lines.split == line:
            sentence = "a { } table must stay on one line: join it, or use [[...]]."
            raise _UnreadableError(sentence, line) from None
        what = _AT.sub("", message)
        if lines.repeated is not None and what.startswith("Cannot overwrite"):
            key, first, line = lines.repeated
            sentence = f"`{key_text(key)}` is given in line {first} already."
            raise _UnreadableError(sentence, line) from None
        column = f", column {at[2]}" if at and at[2] else ""
        sentence = f"this is not TOML: {what[:1].lower()}{what[1:]}{column}."
        raise _UnreadableError(sentence, line) from None
    except (ValueError, OverflowError) as error:
        # A date or a number that Python cannot hold.
        raise _UnreadableError(f"this is not TOML: {error}.") from None
    except RecursionError:
        raise _UnreadableError("lists and tables lie too deep.") from None


def _judged(
    path: Path,
    raw: dict[str, Any],
    found: list[tuple[KeyPath, str, int]],
    notes: list[tuple[KeyPath, str, int]],
) -> Lesson | None:
    version = raw.get("format")
    if isinstance(version, int) and version != FORMAT:
        sentence = f"format {version} is unknown; this tutor reads format {FORMAT}."
        found.append((("format",), sentence, 0))
        return None

    def report(where: KeyPath, sentence: str, within: int = 0) -> None:
        found.append((where, sentence, within))

    def note(where: KeyPath, sentence: str, within: int = 0) -> None:
        notes.append((where, sentence, within))

    lesson = read_lesson(raw, report)
    check_lesson(raw, path.name, report)
    cells = raw.get("cells")
    for number, cell in enumerate(cells if isinstance(cells, list) else []):
        _judge_cell(cell, ("cells", number), report, note)
    return lesson


def _judge_cell(raw: object, path: KeyPath, report: Report, note: Report) -> None:
    """Apply the rules to a cell, but for what is said of keys that are broken."""
    read = read_cell(raw)
    if read is None:
        return
    cell, made_up = read
    broken = [(*path, *each) for each in made_up]

    def unless_broken(tell: Report) -> Report:
        def told(where: KeyPath, sentence: str, within: int = 0) -> None:
            if not any(_overlap(where, each) for each in broken):
                tell(where, sentence, within)

        return told

    check_cell(cell, path, unless_broken(report), unless_broken(note))


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    """Whether one of the paths leads to the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _controls(
    raw: dict[str, Any], lines: Lines, text: str
) -> Iterator[tuple[KeyPath, str, int]]:
    """Characters that a terminal or an editor obeys, wherever they stand."""
    source = text.split("\n")
    for path, string in _strings(raw, ()):
        match = _CONTROL.search(string)
        if match is None:
            continue
        place, bad = lines.place(path), match[0]
        code = ord(bad)
        spelt = re.compile(rf"{re.escape(bad)}|\\[uU]0*{code:x}(?![0-9a-f])", re.I)
        within = next(
            (
                number
                for number, line in enumerate(source[place.first - 1 : place.last], 1)
                if spelt.search(line)
            ),
            0,
        )
        name = unicodedata.name(bad, "control character").lower()
        sentence = f"U+{code:04X} ({name}) is not allowed in a lesson; leave it out."
        yield path, sentence, within


def _strings(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Every string with its path; a key counts as a string of its own value."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _strings(each, (*path, number))
    elif isinstance(value, dict):
        for name, each in value.items():
            yield (*path, name), name
            yield from _strings(each, (*path, name))
