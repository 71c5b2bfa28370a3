"""LessonProblem: one thing wrong in a lesson file, and the error that carries them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tutor.errors import FileError
from tutor.safetext import safe, safe_line


@dataclass(frozen=True, slots=True)
class LessonProblem:
    """What is wrong, where, and what the author should do."""

    file: str
    """The path as it was given."""
    line: int | None
    """Counted from 1; None: the file as a whole."""
    key: str
    """The key path, like "cells[3].hints[1]", counted from 0; "": the whole file."""
    message: str
    """A sentence."""

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        key = f" {self.key}:" if self.key else ""
        message = " ".join(safe(f"{key} {self.message}").plain.split())
        return f"{safe_line(where)}: {message}"


class LessonError(FileError):
    """A lesson file that cannot be used; `problems` holds everything found."""

    def __init__(self, problems: Sequence[LessonProblem]) -> None:
        """At least one problem; the first is the sentence."""
        more = len(problems) - 1
        also = f" ({more} more: see `check`)" if more else ""
        super().__init__(f"{problems[0]}{also}")
        self.problems = tuple(problems)


def shown(path: Path) -> str:
    """A path as text that can be printed and encoded, whatever bytes it holds."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
