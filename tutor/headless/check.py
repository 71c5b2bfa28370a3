"""`check`: read lessons, tell all that is wrong in them, and prove the good ones.

Which files there are and how the findings are told; the proof itself is `proof`.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tutor import paths
from tutor.errors import FileError, TutorError
from tutor.headless import printing
from tutor.headless.finding import Finding
from tutor.headless.runner import MakeKernel
from tutor.lesson import course
from tutor.lesson.load import LessonFile, read_lesson_file
from tutor.lesson.problem import LessonProblem, shown
from tutor.safetext import Style, safe, safe_line


def run(arguments: argparse.Namespace, *, make_kernel: MakeKernel | None = None) -> int:
    """2 when a file is not a lesson, 1 when a lesson is not proven, else 0."""
    began = time.monotonic()
    report: Report = JsonReport() if arguments.json else TextReport()
    findings, strays = read(arguments.paths or [paths.lessons()])
    unusable = [each for each in findings if each.problems]
    for finding in unusable:
        report.take(finding)
    if arguments.static:
        for finding in findings:
            if not finding.problems:
                report.take(finding)
    elif len(unusable) < len(findings):
        code = _prove(findings, report, make_kernel)
        if code:
            return code
    report.end(findings, strays, time.monotonic() - began)
    if unusable or strays:
        return FileError.exit_code
    return TutorError.exit_code if any(each.problems for each in findings) else 0


def _prove(
    findings: list[Finding], report: "Report", make_kernel: MakeKernel | None
) -> int:
    """Put a proof in the place of each lesson that could be read; 0, or 130."""
    from tutor.headless import proof, runner
    from tutor.session import Session

    async def work(session: Session) -> int:
        for number, finding in enumerate(findings):
            if not finding.problems:
                findings[number] = await proof.prove(session, finding.file)
                report.take(findings[number])
        return 0

    return runner.run(work, make_kernel=make_kernel)


# -- which files


def read(given: Iterable[Path]) -> tuple[list[Finding], list[LessonProblem]]:
    """The lessons of files and folders, and what is wrong with no lesson's file."""
    findings: dict[Path, Finding] = {}
    strays: list[LessonProblem] = []
    for path in given:
        if path.is_dir():
            _read_folder(path, findings, strays)
        else:
            findings.setdefault(path, _finding(read_lesson_file(path)))
    return list(findings.values()), strays


def _read_folder(
    folder: Path, findings: dict[Path, Finding], strays: list[LessonProblem]
) -> None:
    """All lessons of a folder, and what they say of each other."""
    told = course.index(folder)
    known = [*told.problems]
    for section in told.sections:
        known += section.problems
    here: dict[str, Path] = {}
    for path in course.lesson_paths(folder, []):
        here[shown(path)] = path
        findings.setdefault(path, _finding(read_lesson_file(path)))
    for problem in known:
        path_of = here.get(problem.file)
        if path_of is None:
            strays.append(problem)
        elif problem not in findings[path_of].problems:
            findings[path_of] = findings[path_of].with_problem(problem)


def _finding(file: LessonFile) -> Finding:
    return Finding(file, file.problems, file.notes)


# -- how it is told


class Report(Protocol):
    """Where findings go."""

    def take(self, finding: Finding) -> None:
        """One lesson is done."""

    def end(
        self,
        findings: Sequence[Finding],
        strays: Sequence[LessonProblem],
        seconds: float,
    ) -> None:
        """All are, in the order of their files."""


class JsonReport:
    """One document at the end."""

    def take(self, finding: Finding) -> None:
        """Kept for the end."""

    def end(
        self,
        findings: Sequence[Finding],
        strays: Sequence[LessonProblem],
        seconds: float,
    ) -> None:
        """Print everything."""
        ok = not strays and not any(each.problems for each in findings)
        printing.document(
            {
                "ok": ok,
                "lessons": [_entry(each) for each in findings],
                "problems": [_problem(each) for each in strays],
                "seconds": round(seconds, 3),
            }
        )
        for problem in strays:
            printing.talk(str(problem))


def _entry(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.section,
        "file": shown(finding.file.path),
        "cells": finding.cells,
        "exercises": finding.exercises,
        "wrong": finding.wrong,
        "seconds": round(finding.seconds, 3),
        "problems": [_problem(each) for each in finding.problems],
        "notes": [_problem(each) for each in finding.notes],
    }


def _problem(problem: LessonProblem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "key": problem.key,
        "message": problem.message,
    }


class TextReport:
    """A line a lesson as soon as it is done, and its problems below."""

    def take(self, finding: Finding) -> None:
        """Print one lesson."""
        good = not finding.problems
        mark = safe("ok   " if good else "wrong", Style(2 if good else 1))
        colours = printing.coloured(sys.stdout)
        head = printing.painted(mark, colours=colours)
        lines = [f"{head}  {_described(finding)}"]
        lines += [f"  {problem}" for problem in finding.problems]
        lines += [f"  note: {note}" for note in finding.notes]
        printing.data("".join(f"{line}\n" for line in lines))
        printing.flush()

    def end(
        self,
        findings: Sequence[Finding],
        strays: Sequence[LessonProblem],
        seconds: float,
    ) -> None:
        """What is wrong beside the lessons, and the sum."""
        for problem in strays:
            printing.talk(str(problem))
        count = len(strays) + sum(len(each.problems) for each in findings)
        if findings:
            lessons = _many(len(findings), "lesson")
            wrong = _many(count, "problem") if count else "nothing wrong"
            printing.talk(f"{lessons}, {wrong}, {seconds:.1f} s")


def _described(finding: Finding) -> str:
    name = safe_line(shown(finding.file.path))
    lesson = finding.file.lesson
    if lesson is None:
        return name
    return f"{lesson.section:<5} {name}  ({', '.join(_counts(finding))})"


def _counts(finding: Finding) -> Iterator[str]:
    yield _many(finding.cells, "cell")
    if finding.exercises:
        yield _many(finding.exercises, "exercise")
    if finding.wrong:
        yield _many(finding.wrong, "wrong answer")
    if finding.seconds:
        yield f"{finding.seconds:.1f} s"


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
