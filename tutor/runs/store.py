"""Races on disk: kept while they are computed, listed, opened again.

A race has a folder of its own and one writer, so two tutors and a network home need no
lock. At most `RUNS` are kept: of those above it the brief ones go first, then the
oldest. Without a writable disk the race goes on, and `notices` says so once.
"""

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tutor.errors import FileError
from tutor.runs import log, pieces, standing, writer
from tutor.runs.log import Log
from tutor.runs.pieces import Piece
from tutor.runs.standing import Standing, Summary
from tutor.runs.writer import Arrived, Writer
from tutor.safetext import safe_line
from tutor.training.run import Finished, Points, Race, Run, Stopped
from tutor.training.spec import Kept, RaceSpec

RUNS = 20
BRIEF_S = 60
"""A race of less is quickly computed again."""
ALIVE_S = 10
"""What was written so lately belongs to a tutor that still computes it."""
_WRITERS = 8
"""Races of this process whose last state is at hand."""
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One race of the list."""

    id: str
    title: str
    """Empty: nobody named it."""
    started: float
    """Seconds since the epoch."""
    iteration: int
    """How far it came: its slowest run that can go on, else the furthest."""
    stopped: Stopped
    """interrupted: it can go on, if it is not a watched one."""
    spec: RaceSpec

    @property
    def far(self) -> str:
        """How far it came, in words; nobody knows where a loop of one's own ends."""
        if self.spec.watched:
            count = self.iteration + 1
            return f"{count} point" if count == 1 else f"{count} points"
        return f"{self.iteration} of {self.spec.iterations}"


@dataclass(frozen=True, slots=True)
class Stored:
    """One race, as it was."""

    id: str
    race: Race
    """Its spec has the stored race's id, so that going on with it is kept in its place."""
    kept: tuple[Kept, ...]
    """A state may be a little behind its run's points. Empty: it is computed again from
    its beginning."""
    started: float


class Runs:
    """The races of one folder."""

    def __init__(
        self,
        folder: Path | None,
        *,
        after_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """None keeps nothing on disk. `after_s`: what is over earlier leaves no trace."""
        self.notices: list[str] = []
        """Sentences the learner should see once."""
        self._folder = folder
        self._after_s = after_s
        self._clock = clock
        self._writers: dict[str, Writer] = {}
        self._opened: tuple[Path, Log, Standing | None] | None = None
        """What `open` read last: to go on with just that."""

    # --------------------------------------------------------------------- keeping

    def keep(self, spec: RaceSpec, arrived: Arrived) -> None:
        """What a race yielded; a race without an id is not kept."""
        if not spec.id:
            return
        taking = self._writers.pop(spec.id, None) or self._writer(spec)
        self._writers[spec.id] = taking  # as the newest
        taking.take(spec, arrived)
        if taking.due():
            self._append(taking)
        while len(self._writers) > _WRITERS:
            self._let_go(self._writers.pop(next(iter(self._writers))))

    def kept(self, spec: RaceSpec) -> tuple[Kept, ...]:
        """Where the runs of a race stood that was kept here before, or is stored."""
        if spec.id not in self._writers and self._is_stored(spec.id):
            self._writers[spec.id] = self._writer(spec)
        known = self._writers.get(spec.id)
        return () if known is None else tuple(known.states.values())

    def iteration(self, id: str) -> int:
        """The furthest run's, of a race that `kept` or `keep` knows; else 0."""
        known = self._writers.get(id)
        return 0 if known is None else max(0, known.iteration)

    def unknown(self, id: str, arrived: Arrived) -> Arrived | None:
        """What was not kept before, of points the part; None: there is none.

        What goes on from a state that is behind its run sends some things again.
        """
        known = self._writers.get(id)
        if known is not None and isinstance(arrived, Points):
            last = known.reached(arrived.run)
            return arrived if last is None else arrived.after(last)
        if known is not None and arrived in known.findings:
            return None
        return arrived

    def place(self, id: str) -> str | None:
        """Under which id a race of this process is stored; None: it is not (yet)."""
        known = self._writers.get(id)
        return known.folder.name if known is not None and known.folder else None

    def flush(self) -> None:
        """What waits goes to the disk."""
        for each in self._writers.values():
            self._let_go(each)

    def close(self) -> None:
        """It goes to the disk, and what is known of the races is forgotten."""
        self.flush()
        self._writers.clear()

    def _let_go(self, done: Writer) -> None:
        if done.folder is not None:
            self._append(done, last=True)

    def _writer(self, spec: RaceSpec) -> Writer:
        """A new one; of a race that is stored, one that goes on in its folder."""
        made = Writer(spec, self._after_s, self._clock)
        made.lost = self._folder is None
        if self._is_stored(spec.id):
            self._leave_to(spec.id)
            with self._telling(made):
                opened, self._opened = self._opened, None
                if opened is None or opened[0].name != spec.id:
                    opened = self._read(spec.id)
                made.go_on(*opened)
        return made

    def _leave_to(self, id: str) -> None:
        """Whoever wrote that race in this process is done with it."""
        for name, each in list(self._writers.items()):
            if each.folder is not None and each.folder.name == id:
                self._let_go(self._writers.pop(name))

    def _append(self, taking: Writer, *, last: bool = False) -> None:
        with self._telling(taking):
            if taking.lost:
                taking.forget()
                return
            if taking.folder is None:
                assert self._folder is not None
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._make_room()
                taking.begin(self._folder / taking.name)
            taking.append(last=last)

    @contextlib.contextmanager
    def _telling(self, taking: Writer) -> Iterator[None]:
        """An error of the disk is a notice, and the end of keeping this race."""
        try:
            yield
        except (OSError, FileError) as error:
            taking.lost = True
            taking.forget()
            where = safe_line(str(taking.folder or self._folder))
            reason = getattr(error, "strerror", None) or str(error)
            said = (
                f"The race is not being kept: {reason} in {where}. It goes on; to keep "
                "the next one, free some space or set TUTOR_HOME to a folder you can "
                "write to."
            )
            if isinstance(error, FileNotFoundError) and taking.folder is not None:
                said = (
                    f"The race is no longer kept in {where}: another tutor went on with "
                    "it there, or it was removed."
                )
            if said not in self.notices:
                self.notices.append(said)

    def _make_room(self) -> None:
        """For one more."""
        ages = []
        for folder in self._folders():
            with contextlib.suppress(OSError):
                written = folder.stat().st_mtime
                began = time.mktime(time.strptime(folder.name[:15], "%Y%m%d-%H%M%S"))
                ages.append((written - began >= BRIEF_S, written, folder))
        own = {each.folder for each in self._writers.values()}
        now = time.time()
        for _, written, folder in sorted(ages)[: max(0, len(ages) - RUNS + 1)]:
            if folder not in own and abs(now - written) > ALIVE_S:
                shutil.rmtree(folder, ignore_errors=True)

    # --------------------------------------------------------------------- reading

    def _folders(self) -> list[Path]:
        try:
            found = [] if self._folder is None else list(self._folder.iterdir())
        except OSError:
            return []
        return [folder for folder in found if _ID.fullmatch(folder.name)]

    def list(self) -> list[StoredRun]:
        """All that can be read, the newest first."""
        found = []
        for folder in sorted(self._folders(), reverse=True):
            with contextlib.suppress(FileError, OSError):
                found.append(_listed(folder))
        return found

    def open(self, id: str) -> Stored:
        """A stored race. Raises FileError with a sentence."""
        if not self._is_stored(id):
            raise FileError(
                f"There is no stored run {id!r}: `python -m tutor train --runs` lists "
                "those there are."
            )
        folder, told, stood = self._opened = self._read(id)
        race = Race(replace(told.spec, id=folder.name))
        for name, run in race.runs.items():
            _fill(run, told.pieces.get(name, []))
        kept: tuple[Kept, ...] = ()
        if stood is not None:
            for last in stood.lasts:
                if last.run in race.runs and race.runs[last.run].last < last.start:
                    race.runs[last.run].add(last)
            kept = tuple(each for each in stood.kept if each.run in race.runs)
        if told.finished is not None:
            ends = told.finished.runs.items()
            race.add(
                Finished(
                    {
                        name: end
                        for name, end in ends
                        if name in race.runs and race.runs[name].last == end.iteration
                    }
                )
            )
        race.findings = [each for each in told.findings if each.run in race.runs]
        return Stored(folder.name, race, kept, told.started)

    def _is_stored(self, id: str) -> bool:
        if self._folder is None or not _ID.fullmatch(id):
            return False
        return (self._folder / id).is_dir()

    def _read(self, id: str) -> tuple[Path, Log, Standing | None]:
        """The folder, its log and where it stood. Raises FileError."""
        assert self._folder is not None
        path = _newest(self._folder / id)
        told, stood = log.read(path), standing.read(path.with_suffix(".standing"))
        if stood is not None and not _has_points_of(told, stood):
            stood = None  # a disk that lost what was written before the standing
        return path.parent, told, stood


def _newest(folder: Path) -> Path:
    """The log of the last writer."""
    logs = sorted(folder.glob("*.log"))
    if not logs:
        raise FileError(f"{folder} has no log: it is no run that the tutor stored.")
    return logs[-1]


def _has_points_of(told: Log, stood: Standing) -> bool:
    """Whether the log has the points up to where the race stood, but for thinned ones."""
    since = {run.name: run.since for run in told.spec.runs}
    widest = max((p.stride for held in told.pieces.values() for p in held), default=1)
    for last in stood.lasts:
        held = told.pieces.get(last.run, [])
        reached = max((each.last for each in held), default=since.get(last.run, 0) - 1)
        stride = max((each.stride for each in held), default=widest)
        if reached + stride <= last.start:
            return False
    return True


def _listed(folder: Path) -> StoredRun:
    path = _newest(folder)
    found = standing.summary(path.with_suffix(".standing"))
    if found is None:
        told = log.read(path)
        reached = {
            name: max(each.last for each in held)
            for name, held in told.pieces.items()
            if held
        }
        at = writer.stands_at(told.spec, reached, told.finished, told.findings)
        found = Summary(
            told.started, told.spec, max(0, at), writer.stopped(told.finished)
        )
    spec = found.spec
    return StoredRun(
        folder.name, spec.title, found.started, found.iteration, found.stopped, spec
    )


def _fill(run: Run, held: list[Piece]) -> None:
    """Add what is kept of a run."""
    stride = max((each.stride for each in held), default=1)
    for each in pieces.joined(pieces.thinned(each, stride) for each in held):
        new = pieces.points(each).after(run.last)
        if new is not None:
            run.add(new)
    run.stride = stride
    run.last = max(-1, run.last * stride)
