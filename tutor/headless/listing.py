"""`list`: the 18 sections in order, which are written, and what the learner did."""

import argparse
import itertools
import sys
from collections.abc import Iterator

from tutor import paths
from tutor.errors import FileError
from tutor.headless import printing
from tutor.lesson import course
from tutor.lesson.course import Course, Section
from tutor.lesson.problem import LessonProblem, shown
from tutor.progress import Progress
from tutor.safetext import Style, safe, safe_line

_TITLE_WIDTH = 48


def run(arguments: argparse.Namespace) -> int:
    """2 when the folder or one of its lessons cannot be used, else 0."""
    found = course.index(paths.lessons())
    progress = Progress(paths.data())
    try:
        if arguments.json:
            printing.document([_entry(each, progress) for each in found.sections])
        else:
            printing.data("".join(f"{line}\n" for line in _lines(found, progress)))
    finally:
        progress.close()
    for sentence in (*progress.notices, *_sentences(found)):
        printing.talk(sentence)
    return FileError.exit_code if _problems(found) else 0


def _entry(section: Section, progress: Progress) -> dict[str, object]:
    return {
        "id": section.number,
        "title": section.title,
        "file": None if section.file is None else shown(section.file),
        "cells": section.cells,
        "exercises": section.exercises,
        "done": done_of(section, progress),
        "minutes": section.minutes,
        "group": section.group,
        "needs": list(section.needs),
        "ready": section.ready,
    }


def done_of(section: Section, progress: Progress) -> int:
    """Cells done; cells that a lesson no longer has do not count beyond its own."""
    return min(progress.done_count(section.number), section.cells)


def _problems(found: Course) -> list[LessonProblem]:
    """One a file: the first, which tells how many more there are."""
    return [
        *found.problems,
        *(each.problems[0] for each in found.sections if each.problems),
    ]


def _sentences(found: Course) -> Iterator[str]:
    for problem in _problems(found):
        yield str(problem)
    if any(len(each.problems) > 1 for each in found.sections):
        yield "`check --static` tells everything that is wrong."


def _lines(found: Course, progress: Progress) -> Iterator[str]:
    groups = itertools.groupby(found.sections, key=lambda each: each.group)
    for number, (group, sections) in enumerate(groups):
        if number:
            yield ""
        yield _painted(group, Style(bold=True))
        for section in sections:
            yield _line(section, progress)


def _line(section: Section, progress: Progress) -> str:
    title = safe_line(section.title)
    head = f"  {section.number:<6}{title}"
    gap = " " * max(2, _TITLE_WIDTH - len(title))
    if section.file is None:
        return head + gap + _painted("not written yet", Style(dim=True))
    if section.problems:
        return head + gap + "cannot be opened"
    done = done_of(section, progress)
    state = "done" if done == section.cells else f"{done}/{section.cells} done"
    return f"{head}{gap}{state:<10}{section.minutes:>2} min"


def _painted(text: str, style: Style) -> str:
    colours = printing.coloured(sys.stdout)
    return printing.painted(safe(text, style), colours=colours)
