"""A race that several workers compute: starts torch's elastic launcher, hears what the
first worker tells, ends it all. The process that asked keeps a copy of the race at the
last state it was told, from which workers that were started again go on, and from which
anything is to be seen.
"""

import contextlib
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import torch

from tutor import wire, workers
from tutor.engine import worker
from tutor.engine.race import Race, Sent
from tutor.engine.snapshots import SENT_BYTES
from tutor.engine.worker import Job
from tutor.errors import TutorError, WireError
from tutor.messages import Problem
from tutor.training import shares
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points
from tutor.training.spec import Kept, RunSpec, SliceRequest
from tutor.training.views import ViewRequest

RESTARTS = 3
"""Of all workers in one slice."""
_LOOK_S = 0.1
"""How often an interrupt, or the end of the launcher, is looked for."""
_STOPPING_S = 5.0
"""A first worker that says nothing for so long after it was told to stop hangs."""
_ENDING_S = 5.0
_SOCKET_PATH_BYTES = 100
_ANY_SIZE = 1 << 62
_joined: list[bool] = []
"""The launcher that runs already takes one race."""


def slice_of(
    race: Race, request: SliceRequest, interrupted: Callable[[], bool]
) -> Iterator[Sent | Finished]:
    """One slice of a race of several workers; `Finished` is the last. A few iterations,
    and what cannot be divided, this process computes itself."""
    why = {run.name: _alone(run, request.race.workers) for run in request.race.runs}
    for name, text in why.items():
        if text:
            yield from race.say_once(Finding(name, "one-worker", text=text))
    shared = tuple(
        run.spec.name
        for run in race.runs
        if not (why[run.spec.name] or run.diverged)
        and run.iteration < run.spec.iterations
    )
    joins = is_joined(request.race.workers) and not _joined
    if not joins and (not shared or request.limit is not None):
        yield from race.slice(request, interrupted)
        yield race.standing()
        return
    if joins:
        _joined.append(True)
        job = Job(replace(request, kept=_states(race), views=()), shared)
        yield from _followed(race, request.views, worker.leading(job, interrupted))
    else:
        with contextlib.closing(Crew(request, shared, _states(race))) as crew:
            yield from _followed(race, request.views, crew.arrivals(interrupted))


def is_joined(count: int) -> bool:
    """This process was started, some way up, by an elastic launcher of the reader's with
    so many workers, as their first."""
    told = workers.launched()
    return told is not None and told.rank == 0 and told.workers == count > 1


def _alone(run: RunSpec, count: int) -> str:
    """Why one worker computes a run; "": it is divided."""
    reason = shares.alone(run, count)
    gpus = torch.cuda.device_count()
    here = int(os.environ.get("LOCAL_WORLD_SIZE", count))
    if not reason and run.device != "cpu" and 0 < gpus < here:
        return f"there is {gpus} GPU here for {here} workers"
    if not reason and run.device == "auto" and torch.backends.mps.is_available():
        return "only CPUs and CUDA devices can share a run"
    return reason


def _states(race: Race) -> tuple[Kept, ...]:
    """Where the runs stand that were begun."""
    begun = (run for run in race.runs if run.iteration or run.told > 0)
    return tuple(run.kept(_ANY_SIZE) for run in begun)


def _followed(
    race: Race, asked: tuple[ViewRequest, ...], arrivals: Iterator[Sent | Finished]
) -> Iterator[Sent | Finished]:
    """What was not told before; `race` comes to where the workers are."""
    runs = {run.spec.name: run for run in race.runs}
    lasts = {name: run.told for name, run in runs.items()}
    finished: Finished | None = None
    for arrived in arrivals:
        if isinstance(arrived, Points):
            new = arrived.after(lasts[arrived.run])
            if new is not None:
                lasts[arrived.run] = new.start + len(new.losses) - 1
                yield new
        elif isinstance(arrived, Kept):
            if arrived.state:
                runs[arrived.run].follow(arrived)
            too_large = len(arrived.state) > SENT_BYTES * 4 / 3
            yield replace(arrived, state="") if too_large else arrived
            yield from race.views(asked)
        elif isinstance(arrived, Finding):
            yield from race.say_once(arrived)
        elif isinstance(arrived, Finished):
            finished = arrived
    for name, run in runs.items():
        run.hush(lasts[name])
    if finished is None:
        yield from race.news()
    yield from race.views(asked, at_end=True)
    yield finished or race.standing()


@dataclass(eq=False, slots=True)
class _Line:
    """To one worker."""

    socket: socket.socket
    unread: bytes = b""
    rank: int = -1
    """-1: it has not said yet."""
    pid: int = 0
    life: int = 0
    """How often all had been started again before."""

    def lines(self) -> list[bytes] | None:
        """What it said; None: it has ended."""
        try:
            heard = self.socket.recv(1 << 20)
        except OSError:
            heard = b""
        *lines, self.unread = (self.unread + heard).split(b"\n")
        return lines if heard else None


class Crew:
    """The launcher of one slice, and its workers."""

    def __init__(
        self, request: SliceRequest, shared: tuple[str, ...], kept: tuple[Kept, ...]
    ) -> None:
        self._request = replace(request, views=(), seconds=None, limit=None)
        self._shared = shared
        self._kept = {each.run: each for each in kept}
        self._run = shared[0]
        """The one that told something last."""
        self._lines: list[_Line] = []
        self._leader: _Line | None = None
        """The first worker, which has its job."""
        self._waiting: _Line | None = None
        """One without, as some of the life before have not ended yet."""
        self._ended = ""
        """The worker that ended first in this life."""
        self._stopping: float | None = None
        self._folder = Path(_folder())
        self._log = self._folder / "log"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._folder / "line"))
        self._listener.listen()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._launcher = self._launch(request.race.workers)

    def _launch(self, count: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "torch.distributed.run", "--standalone"]
        command += ["--local-addr", "127.0.0.1", "--nproc-per-node", str(count)]
        command += ["--max-restarts", str(RESTARTS), "--no-python"]
        command += workers.command(str(self._folder / "line"))
        with self._log.open("wb") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=_environment(count),
                start_new_session=True,  # an interrupt is for us
            )

    # ------------------------------------------------------------------- while it runs

    def arrivals(self, interrupted: Callable[[], bool]) -> Iterator[Sent | Finished]:
        """What the first worker tells, `Finished` last; that is missing when they were
        interrupted before they had begun.

        Raises TutorError when the launcher gives up.
        """
        while True:
            if self._stopping is None and interrupted():
                self._stopping = monotonic() + _STOPPING_S
                if self._leader is None:
                    return
                with contextlib.suppress(OSError):
                    self._leader.socket.sendall(b"stop\n")
            if self._stopping is not None and monotonic() > self._stopping:
                return
            ready = self._selector.select(_LOOK_S)
            for key, _ in ready:
                if key.fileobj is self._listener:
                    self._accept()
                    continue
                for body in self._hear(key.data):
                    yield body
                    if isinstance(body, Finished):
                        return
            yield from self._begin()
            if not ready and self._launcher.poll() is not None:
                raise TutorError(self._last_words())

    def _accept(self) -> None:
        line = _Line(self._listener.accept()[0])
        self._lines.append(line)
        self._selector.register(line.socket, selectors.EVENT_READ, line)

    def _hear(self, line: _Line) -> Iterator[Sent | Finished]:
        lines = line.lines()
        if lines is None:
            self._forget(line)
            return
        for said in lines:
            if line.rank < 0:
                line.rank, line.pid, line.life = map(int, said.split())
                if line.rank == 0:
                    self._waiting = line
                continue
            body = wire.loads(said.decode()).body
            if isinstance(body, Problem):
                raise TutorError(body.message)
            if not isinstance(body, (Points, Kept, Finding, Finished)):
                raise WireError(f"a worker sent a {type(body).__name__}.")
            if isinstance(body, Points):
                self._run = body.run
            elif isinstance(body, Kept) and body.state:
                self._kept[body.run] = body
            yield body

    def _forget(self, line: _Line) -> None:
        self._selector.unregister(line.socket)
        line.socket.close()
        self._lines.remove(line)
        self._ended = self._ended or f"Worker {line.rank} (process {line.pid})"
        if self._leader is line:
            self._leader = None

    def _begin(self) -> Iterator[Finding]:
        """Give the first worker its job, when what those before it said is all heard."""
        line = self._waiting
        if line is None or any(each.life < line.life for each in self._lines):
            return
        self._waiting, self._leader = None, line
        kept = tuple(self._kept.values())
        job = Job(replace(self._request, kept=kept), self._shared, _ANY_SIZE)
        with contextlib.suppress(OSError):  # it has ended, as we shall hear
            line.socket.sendall(job.dumps().encode() + b"\n")
        if line.life and self._ended:
            stood = self._kept.get(self._run)
            at = stood.iteration if stood else 0
            yield Finding(self._run, "workers", at, text=self._ended)
        self._ended = ""

    def _last_words(self) -> str:
        """Why the launcher gave up."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        errors = re.findall(
            r"^(?:\[rank\d+\]: )?(\w*(?:Error|Exception): .+)", text, re.M
        )
        cause = errors[-1] if errors else f"exit code {self._launcher.returncode}"
        return (
            f"The {self._request.race.workers} workers have ended, after their launcher "
            f"had started them {RESTARTS} more times at most ({cause[:300]}): run it with "
            "workers=1, or see whether memory ran out."
        )

    # ------------------------------------------------------------------------ its end

    def close(self) -> None:
        """End the launcher and its workers, if they have not: nothing is left."""
        self._selector.close()
        self._listener.close()
        pids = [line.pid for line in self._lines if line.pid]
        self._launcher.terminate()
        try:
            self._launcher.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self._launcher.kill()
            self._launcher.wait()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
        for line in self._lines:  # whoever is there still ends now
            line.socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _folder() -> str:
    """For us alone, in the kernel's, which ends with it; or where a path is short enough
    for a socket."""
    made = tempfile.mkdtemp(prefix="w-", dir=os.environ.get("TUTOR_KERNEL_FOLDER"))
    if len(os.fsencode(made)) > _SOCKET_PATH_BYTES - len("/line"):
        Path(made).rmdir()
        made = tempfile.mkdtemp(prefix="tutor-", dir="/tmp")
    return made


def _environment(count: int) -> dict[str, str]:
    """Ours, without what another launcher may have told; the address of this machine
    must not need a name that nobody resolves."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if name not in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
        and not name.startswith(("TORCHELASTIC_", "LOCAL_", "GROUP_", "ROLE_"))
    }
    names = {name for _, name in socket.if_nameindex()}
    for name in ("lo", "lo0"):
        if name in names:
            ours.setdefault("GLOO_SOCKET_IFNAME", name)
    ours.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // count)))
    return ours
