"""What the course keeps of a lesson file, cached under the file's time and size.

With a warm cache neither TOML nor msgspec is needed. A cache that cannot be read or
written only costs time.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tutor import paths
from tutor.lesson.problem import LessonProblem, shown


@dataclass(frozen=True, slots=True)
class Summary:
    """One lesson file as the home screen shows it."""

    section: str | None = None
    """None: the file does not tell."""
    title: str = ""
    minutes: int = 0
    cells: int = 0
    exercises: int = 0
    summary: str = ""
    needs: tuple[str, ...] = ()
    problems: tuple[LessonProblem, ...] = ()


def summary_of(path: Path) -> Summary:
    """Read the file, whatever it is."""
    from tutor.lesson.load import read_lesson_file  # msgspec stays out of a warm start

    file = read_lesson_file(path)
    lesson = file.lesson
    if lesson is None:
        section = (file.raw or {}).get("section")
        known = section if isinstance(section, str) else None
        return Summary(section=known, problems=file.problems)
    kinds = [type(cell).__struct_config__.tag for cell in lesson.cells]
    return Summary(
        section=lesson.section,
        title=lesson.title,
        minutes=lesson.minutes,
        cells=len(kinds),
        exercises=kinds.count("exercise"),
        summary=lesson.summary,
        needs=tuple(lesson.needs),
    )


class Cache:
    """Summaries by file, time and size, in one JSON file per lesson folder."""

    def __init__(self, folder: Path) -> None:
        self._file = paths.data() / "cache" / "course.json"
        self._stamp = _stamp_of_reader()
        self._folder = os.path.abspath(folder)  # noqa: PTH100 - resolve() may raise
        self._all: dict[str, Any] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError, RecursionError):
            raw = json.loads(self._file.read_bytes())
            if isinstance(raw, dict) and raw.get("reader") == self._stamp:
                kept = raw.get("files")
                self._all = kept if isinstance(kept, dict) else {}

    def get(self, path: Path) -> Summary | None:
        entry = self._all.get(self._key(path))
        stamp = _stamp(path)
        if stamp is None or not isinstance(entry, dict) or entry.get("at") != stamp:
            return None
        with contextlib.suppress(TypeError, KeyError, AttributeError):
            return _summary_from(entry["summary"], path)
        return None

    def put(self, path: Path, summary: Summary) -> None:
        stamp = _stamp(path)
        if stamp is not None:
            entry = {"at": stamp, "summary": asdict(summary)}
            self._all[self._key(path)] = entry
            self._changed = True

    def save(self, present: list[Path]) -> None:
        """Write what changed; entries of this folder's lost files are dropped."""
        if not self._changed:
            return
        known = {self._key(path) for path in present}
        files = {
            key: entry
            for key, entry in self._all.items()
            if key in known or os.path.dirname(key) != self._folder  # noqa: PTH120
        }
        text = json.dumps({"reader": self._stamp, "files": files})
        fresh = self._file.with_name(f"course.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self._file)

    def _key(self, path: Path) -> str:
        return os.path.join(self._folder, path.name)  # noqa: PTH118 - see above


def _summary_from(raw: dict[str, Any], path: Path) -> Summary:
    """TypeError or KeyError when the cache holds something else."""
    file = shown(path)  # as it is called now
    problems = tuple(
        LessonProblem(**{**each, "file": file}) for each in raw["problems"]
    )
    summary = Summary(
        **{**raw, "needs": tuple(raw["needs"]), "problems": problems},
    )
    counts = (summary.minutes, summary.cells, summary.exercises)
    texts = (summary.title, summary.summary, *summary.needs)
    if not all(type(each) is int for each in counts):
        raise TypeError("a count is no number")
    if not all(isinstance(each, str) for each in texts):
        raise TypeError("a text is no text")
    return summary


def _stamp(path: Path) -> list[int] | None:
    """Time and size; None for a file that cannot be asked."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_size, status.st_mode]


def _stamp_of_reader() -> list[int]:
    """Changes when the code that reads lessons does."""
    newest = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir(Path(__file__).parent):
            if entry.name.endswith(".py"):
                newest = max(newest, entry.stat().st_mtime_ns)
    return [2, newest]
