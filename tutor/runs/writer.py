"""One race on its way to the disk: a folder of its own with one log and one standing.

What arrives is appended at most half a second later; the standing is replaced once a
second. Only this writer touches its files, and it never waits for the disk (no fsync).
"""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from tutor.runs import log, pieces, shortening, standing
from tutor.runs.log import Extent, Log, Note
from tutor.runs.pieces import Piece
from tutor.runs.shortening import Shortening
from tutor.runs.standing import Standing, Summary
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Stopped
from tutor.training.spec import Kept, RaceSpec

Arrived = Points | Finding | Kept | Finished

HELD_POINTS = 1 << 17
"""A run has at most so many on disk; beyond it every second one goes, again and again."""
PIECES = 4000
"""Records of points in a log; beyond it they are joined."""
STATE_BYTES = 4 << 20
"""Of all runs of a race; with more, none is kept and they are computed again."""
APPEND_S = 0.5
STANDING_S = 1.0


class Writer:
    """Takes what a race yields. Raises OSError when the disk does not."""

    def __init__(
        self, spec: RaceSpec, after_s: float, clock: Callable[[], float]
    ) -> None:
        self.spec = spec
        self.folder: Path | None = None
        """None: nothing is on disk yet."""
        self.started = time.time()
        self.states: dict[str, Kept] = {}
        """By run: where it stood when it told so last."""
        self._newest: dict[str, Piece] = {}
        """By run: what has its last point, which may be all of it."""
        self.findings: list[Finding] = []
        self.lost = False
        """True: it is not kept any more, for whatever reason."""
        self._clock = clock
        self._begin_at = clock() + after_s
        self._append_at = self._standing_at = clock()
        self._waiting: list[Piece | Note] = []
        self._counts: dict[str, int] = {}
        self._strides: dict[str, int] = {}
        self._pieces = 0
        self._shortening: Shortening | None = None
        """What is under way; None: nothing."""
        self._finished: Finished | None = None
        self._stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"

    @property
    def name(self) -> str:
        """Of the folder, if it is this writer's own."""
        return self._stem

    @property
    def iteration(self) -> int:
        """The furthest run's; -1 before the first point."""
        return max((each.last for each in self._newest.values()), default=-1)

    def reached(self, run: str) -> int | None:
        """Its last iteration; None: there is no point of it yet."""
        newest = self._newest.get(run)
        return None if newest is None else newest.last

    # ---------------------------------------------------------------------- taking

    def take(self, spec: RaceSpec, arrived: Arrived) -> None:
        """What came next; it is not on disk before `append`."""
        if spec != self.spec:
            self.spec = spec
            self._waiting.append(spec)
        if isinstance(arrived, Points):
            if arrived.losses:
                piece = pieces.piece(arrived)
                self._finished = None
                self._newest[arrived.run] = piece
                self._waiting.append(piece)
        elif isinstance(arrived, Kept):
            if arrived.run in self._newest:  # else its first point is still to be told
                self.states[arrived.run] = arrived
        else:
            self._waiting.append(arrived)
            if isinstance(arrived, Finished):
                self._finished = arrived
            else:
                self.findings.append(arrived)

    def forget(self) -> None:
        """What waits will not be written."""
        self._waiting.clear()

    def due(self) -> bool:
        """Whether it is time to append: not for a race that is over in a moment."""
        now = self._clock()
        if self.lost:
            return bool(self._waiting)
        if self.folder is None and (self.iteration <= 0 or now < self._begin_at):
            return False
        return self._finished is not None or now >= self._append_at

    # --------------------------------------------------------------------- writing

    def begin(self, folder: Path) -> None:
        """In a new folder."""
        folder.mkdir(mode=0o700)
        self.folder = folder
        self._create([log.head(self.spec, self.started)])

    def go_on(self, folder: Path, before: Log, stood: Standing | None) -> None:
        """In the folder of a race that was cut off: what is there is taken over, and
        the files of its former writer go.
        """
        for name, held in before.pieces.items():
            self._newest[name] = max(held, key=lambda p: p.last)
        if stood is not None:
            for each in stood.lasts:  # the log is appended more often, but thinned
                reached = self.reached(each.run)
                if reached is None or reached < each.start:
                    self._newest[each.run] = pieces.piece(each)
            self.states |= {each.run: each for each in stood.kept}
        self.findings = list(before.findings)
        self.started = before.started
        self.folder = folder
        told = replace(before, spec=self.spec, finished=None)
        short = (log.short(held, held) for held in before.pieces.values())
        written: list[Extent] = []
        self._create(log.records(told, chain.from_iterable(short), written))
        self._recount(written)
        self._write_standing()
        for path in folder.iterdir():
            if path.stem != self._stem:
                path.unlink(missing_ok=True)

    def append(self, *, last: bool = False) -> None:
        """Everything that waits, and the standing if it is time or the last time."""
        assert self.folder is not None
        now = self._clock()
        self._append_at = now + APPEND_S
        records = list(self._records())
        if records:
            content = b"".join(records)
            with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_APPEND), "wb") as file:
                file.write(content)
            self._shorten()
        if last:
            self._put_short(wait=True)
        if last or self._finished is not None or now >= self._standing_at:
            self._standing_at = now + STANDING_S
            self._write_standing()

    @property
    def _log(self) -> Path:
        assert self.folder is not None
        return self.folder / f"{self._stem}.log"

    def _create(self, records: Iterable[bytes]) -> None:
        """A log with a first part, there as a whole or not at all."""
        part = self._log.with_suffix(".new")
        shortening.write(part, records)
        part.replace(self._log)

    def _records(self) -> Iterator[bytes]:
        waiting, self._waiting = self._waiting, []
        runs: dict[str, list[Piece]] = {}
        for each in waiting:
            if isinstance(each, Piece):
                runs.setdefault(each.run, []).append(each)
                continue
            yield from self._points(runs)
            runs = {}
            yield log.note(each)
        yield from self._points(runs)

    def _points(self, runs: dict[str, list[Piece]]) -> Iterator[bytes]:
        for name, held in runs.items():
            stride = self._strides.get(name, 1)
            for each in pieces.joined(pieces.thinned(one, stride) for one in held):
                self._counts[name] = self._counts.get(name, 0) + each.count
                self._pieces += 1
                yield log.points(each)

    def _shorten(self) -> None:
        """Thin and join what is there, if it is too much. It takes a third of a second
        of a long log, so that nobody waits for it."""
        self._put_short(wait=False)
        if self._shortening is not None:
            return
        most = max(self._counts.values(), default=0)
        if most <= HELD_POINTS and self._pieces <= PIECES:
            return
        for name, count in self._counts.items():
            while count > HELD_POINTS:
                self._strides[name] = 2 * self._strides.get(name, 1)
                count = (count + 1) // 2
        self._shortening = Shortening(self._log, self._strides)
        self._pieces, self._counts = 0, {}  # of what is appended meanwhile

    def _put_short(self, *, wait: bool) -> None:
        making = self._shortening
        if making is not None and (wait or making.done):
            self._shortening = None
            self._recount(making.finish())

    def _recount(self, written: list[Extent]) -> None:
        """Count what stands before the rest."""
        self._pieces += len(written)
        for each in written:
            self._counts[each.run] = self._counts.get(each.run, 0) + each.count
            self._strides[each.run] = each.stride

    def _write_standing(self) -> None:
        names = {run.name for run in self.spec.runs}
        kept = [each for name, each in self.states.items() if name in names]
        if sum(len(each.state) for each in kept) > STATE_BYTES:
            kept = []
        newest = self._newest.items()
        lasts = [pieces.last_point(each) for name, each in newest if name in names]
        finished = stopped(self._finished)
        reached = {name: newest.last for name, newest in self._newest.items()}
        at = stands_at(self.spec, reached, self._finished, self.findings)
        summary = Summary(self.started, self.spec, at, finished)
        standing.replace(
            self._log.with_suffix(".standing"),
            Standing(summary, tuple(kept), tuple(lasts)),
        )


def stands_at(
    spec: RaceSpec,
    reached: Mapping[str, int],
    finished: Finished | None,
    findings: Sequence[Finding],
) -> int:
    """The iteration of the slowest run that can go on, as that is what is left to do; of
    the furthest one when none can. `reached`: the last point of each run that has any."""
    ends = {} if finished is None else finished.runs
    over = {name for name, end in ends.items() if end.stopped != "interrupted"}
    over |= {each.run for each in findings if each.kind in ("diverged", "not-finite")}
    left = [
        max(0, reached.get(run.name, run.since))
        for run in spec.runs
        if run.name not in over and reached.get(run.name, -1) < run.iterations
    ]
    if left and not spec.watched:
        return min(left)
    return max(reached.values(), default=-1)


def stopped(finished: Finished | None) -> Stopped:
    """Of a race as a whole."""
    if finished is None or not finished.over:
        return "interrupted"
    ends = {end.stopped for end in finished.runs.values()}
    return "diverged" if ends == {"diverged"} else "finished"
