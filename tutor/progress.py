"""What the learner did, kept: append-only events, one JSON-lines file per writer.

The union of all files is the state, so two tutors and a network home need no lock. An
event is on disk when `record` returns. A line that cannot be read is skipped; a file
with one (other than a torn last line) is set aside under a new name, its good lines
kept. Without a writable disk the tutor runs on and `notices` says so once.
"""

import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Literal, get_args

from tutor.safetext import safe_line

VERSION = 1

Kind = Literal[
    "passed",  # the cell is done; `text` is the accepted code or answer
    "failed",  # a try that did not pass; `text` is the code or answer
    "hint",  # a rung of the hint ladder was shown
    "solution",  # the solution was shown
    "skipped",
    "draft",  # what is typed but not run
    "place",  # the cell the learner is at
    "reset",  # the cell's history starts anew
]
_KINDS = frozenset(get_args(Kind))


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    kind: Kind
    section: str
    """Like "2.5"; "console" for the console's draft."""
    cell: str
    text: str = ""
    at: float = 0.0
    """Seconds since the epoch: orders the events of several writers."""


@dataclass(slots=True)
class CellProgress:
    """What the events say of one cell."""

    done: bool = False
    skipped: bool = False
    tries: int = 0
    hints: int = 0
    solution_shown: bool = False
    accepted: str | None = None
    """The code or answer that passed last."""
    draft: str | None = None
    """Typed and not yet run; None: the starter, or what was accepted."""


@dataclass(slots=True)
class LessonProgress:
    """What the events say of one lesson."""

    cells: dict[str, CellProgress] = field(default_factory=dict)
    place: str | None = None
    """The id of the cell the learner was at; None: never opened."""
    last: float = 0.0
    """When something last happened here, seconds since the epoch."""

    def cell(self, cell_id: str, aliases: tuple[str, ...] = ()) -> CellProgress:
        """The progress under the id, or under a former one."""
        for known in (cell_id, *aliases):
            if known in self.cells:
                return self.cells[known]
        return self.cells.setdefault(cell_id, CellProgress())


class Progress:
    """All events, and the one file this process appends to."""

    def __init__(self, folder: Path | None) -> None:
        """Read what `folder` holds; None keeps nothing (headless checks)."""
        self.notices: list[str] = []
        """Sentences the learner should see once."""
        self.lessons: dict[str, LessonProgress] = {}
        self._folder = folder / "progress" if folder else None
        self._file: IO[str] | None = None
        self._broken = folder is None
        if self._folder is not None:
            for event in sorted(self._read(self._folder), key=lambda each: each.at):
                self._apply(event)

    def lesson(self, section: str) -> LessonProgress:
        """Live: later events show in it."""
        return self.lessons.setdefault(section, LessonProgress())

    def done_count(self, section: str) -> int:
        """How many cells of the section are done."""
        lesson = self.lessons.get(section)
        return sum(cell.done for cell in lesson.cells.values()) if lesson else 0

    def record(self, kind: Kind, section: str, cell: str, text: str = "") -> None:
        """Keep an event: on disk first, then in memory."""
        event = Event(kind, section, cell, text, time.time())
        self._append(event, durable=kind in ("passed", "solution", "skipped"))
        self._apply(event)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _append(self, event: Event, durable: bool) -> None:
        if self._broken:
            return
        try:
            file = self._file or self._create()
            file.write(_line(event))
            file.flush()
            if durable:
                os.fsync(file.fileno())
        except OSError as error:
            self._broken = True
            where = safe_line(str(self._folder))
            self.notices.append(
                f"Progress is not being saved: {error.strerror} in {where}. "
                "Free some space or set TUTOR_HOME to a folder you can write to."
            )

    def _create(self) -> IO[str]:
        assert self._folder is not None
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}.jsonl"
        path = self._folder / name
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")
        return self._file

    def _read(self, folder: Path) -> Iterator[Event]:
        try:
            paths = sorted(folder.glob("*.jsonl"))
        except OSError:
            return
        for path in paths:
            try:
                raw = path.read_bytes()
            except OSError as error:
                where = safe_line(str(path))
                self.notices.append(f"Could not read {where}: {error.strerror}.")
                continue
            good, damaged = _events(raw)
            if damaged:
                self._set_aside(path, raw, good)
            yield from good

    def _set_aside(self, path: Path, raw: bytes, good: list[Event]) -> None:
        """Keep a damaged file under a new name, and its good lines under the old."""
        aside = path.with_suffix(f".jsonl.corrupt-{time.strftime('%Y%m%d-%H%M%S')}")
        mended = path.with_suffix(".jsonl.mended")
        try:
            mended.write_text("".join(_line(event) for event in good))
            aside.write_bytes(raw)
            mended.replace(path)
        except OSError:
            aside = path  # a disk that cannot be written: the file stays as it is
        self.notices.append(
            f"A progress file was damaged: it is kept as {safe_line(str(aside))}, "
            f"{len(good)} entries of it could be read."
        )

    def _apply(self, event: Event) -> None:
        lesson = self.lesson(event.section)
        lesson.last = max(lesson.last, event.at)
        if event.kind == "place":
            lesson.place = event.cell
            return
        if event.kind == "reset":
            lesson.cells[event.cell] = CellProgress()
            return
        _apply_to_cell(lesson.cell(event.cell), event)


def _apply_to_cell(cell: CellProgress, event: Event) -> None:
    match event.kind:
        case "passed":
            cell.done, cell.skipped = True, False
            cell.accepted, cell.draft = event.text, None
        case "failed":
            cell.tries += 1
        case "hint":
            cell.hints += 1
        case "solution":
            cell.solution_shown = True
        case "skipped":
            cell.skipped = True
        case "draft":
            cell.draft = event.text
        case _:  # place and reset concern the lesson
            raise AssertionError(event.kind)


def _line(event: Event) -> str:
    return json.dumps({"v": VERSION, **asdict(event)}) + "\n"


def _events(raw: bytes) -> tuple[list[Event], bool]:
    """The events of a file, and whether it is damaged.

    A last line without its newline is a write that was cut off, no damage; neither is
    a line of another version, which a newer tutor may have written.
    """
    whole, _, _ = raw.rpartition(b"\n")
    good: list[Event] = []
    damaged = False
    for line in whole.split(b"\n"):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            if fields.pop("v") != VERSION:
                continue
            event = Event(**fields)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            damaged = True
            continue
        if _is_sound(event):
            good.append(event)
        else:
            damaged = True
    return good, damaged


def _is_sound(event: Event) -> bool:
    strings = (event.kind, event.section, event.cell, event.text)
    if not all(isinstance(each, str) for each in strings):
        return False
    return event.kind in _KINDS and type(event.at) in (int, float)
