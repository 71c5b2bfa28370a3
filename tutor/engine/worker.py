"""One of the processes that compute a race together. torch's elastic launcher starts it,
and starts all of them again when one ends; the first (rank 0) tells what is computed.

    python -c "from tutor.engine.worker import main; main()" [SOCKET]

SOCKET leads to `engine.crew`, from which the first one has its orders. Without it the
launcher is the reader's own, and the first one a kernel (`leading`).
"""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter

import torch
from torch import distributed
from torch.distributed import PrefixStore  # type: ignore[attr-defined]
from torch.distributed.rendezvous import rendezvous

from tutor import wire
from tutor.engine.computing import few_threads, interruptible
from tutor.engine.part import Part
from tutor.engine.race import KEPT_S, Race, Sent
from tutor.engine.run import Run
from tutor.engine.snapshots import SENT_BYTES
from tutor.errors import TutorError
from tutor.messages import Problem
from tutor.training.run import Finished
from tutor.training.spec import Kept, RunSpec, SliceRequest
from tutor.wire import Message

_KEPT_SHARE = 20
"""To keep a large state takes a twentieth of the time at most."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be computed."""

    request: SliceRequest
    shared: tuple[str, ...]
    """The runs that are divided; the first worker computes the others."""
    state_bytes: int = SENT_BYTES
    """A larger state is not told."""

    def dumps(self) -> str:
        """On one line."""
        request = wire.dumps(Message("", 0, self.request))
        return json.dumps([request, self.shared, self.state_bytes])

    @staticmethod
    def loads(text: str) -> "Job":
        """The inverse."""
        request, shared, state_bytes = json.loads(text)
        return Job(wire.loads(request).body, tuple(shared), state_bytes)


def leading(job: Job, interrupted: Callable[[], bool]) -> Iterator[Sent | Finished]:
    """Compute with the others of a launcher that runs already, as its first worker."""
    yield from _compute(job.dumps(), interrupted)


def main() -> None:
    """Compute until the race is over, the launcher ends us, or nobody listens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first one ends at an iteration
    if len(sys.argv) < 2:
        _follow()
        return
    line = _Line(sys.argv[1])
    if _rank() == 0:
        line.report()
    else:
        line.watch()
        _follow()


def _follow() -> None:
    try:
        for _ in _compute("", lambda: False):
            pass
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        sys.exit(f"This worker ended, as another one did ({reason}).")


def _rank() -> int:
    return int(os.environ["RANK"])


class _Line:
    """To the process that started the launcher. When that is gone, so are we."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._stop = threading.Event()
        try:
            self._socket.connect(path)
        except OSError:
            _end()
        life = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        self._socket.sendall(f"{_rank()} {os.getpid()} {life}\n".encode())

    def report(self) -> None:
        """Compute as the first worker, and tell all of it."""
        heard = self._socket.makefile(encoding="utf-8")
        job = heard.readline()
        if not job:
            _end()
        self.watch()
        try:
            for each in _compute(job, self._stop.is_set):
                self._tell(each)
        except TutorError as error:
            self._tell(Problem(str(error)))

    def _tell(self, body: object) -> None:
        try:
            self._socket.sendall(wire.dumps(Message("", 0, body)).encode() + b"\n")
        except OSError:
            _end()

    def watch(self) -> None:
        """From now on anything heard means to stop; the end of the line ends us."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while self._socket.recv(64):
                self._stop.set()
        _end()


def _end() -> None:
    """At once, and the launcher too: it must not start us again for nobody."""
    if os.getppid() != 1:
        os.kill(os.getppid(), signal.SIGTERM)
    os._exit(1)


def _compute(text: str, interrupted: Callable[[], bool]) -> Iterator[Sent | Finished]:
    """`text`: the job, which only the first worker has."""
    local = int(os.environ.get("LOCAL_RANK", "0"))
    has_gpu = local < torch.cuda.device_count()
    if has_gpu:
        torch.cuda.set_device(local)
    _join("cpu:gloo,cuda:nccl" if has_gpu else "gloo")
    try:
        told = [text]
        distributed.broadcast_object_list(told, src=0)
        yield from _race(Job.loads(told[0]), local, interrupted)
    finally:
        distributed.destroy_process_group()


def _join(backend: str) -> None:
    """The group of all workers. The launcher's store may still hold the addresses of
    those before a restart, who are gone: each life has names of its own in it."""
    store, rank, workers = next(rendezvous("env://"))
    life = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    own = PrefixStore(f"tutor/{life}", store)
    distributed.init_process_group(backend, store=own, rank=rank, world_size=workers)


def _race(
    job: Job, local: int, interrupted: Callable[[], bool]
) -> Iterator[Sent | Finished]:
    request = job.request
    if _rank():
        runs = [each for each in request.race.runs if each.name in job.shared]
        request = replace(request, race=replace(request.race, runs=tuple(runs)))

    def make(spec: RunSpec, silent_until: int) -> Run:
        if spec.name not in job.shared:
            return Run(spec, silent_until)
        if spec.device != "cpu" and torch.cuda.is_available():
            spec = replace(spec, device=f"cuda:{local}")
        return Part(spec, silent_until)

    if not request.race.runs:
        return
    with few_threads(request.race), interruptible() as signalled:
        race = Race(request.race, request.kept, make, job.state_bytes)
        now_and_then = _Standings(race)
        yield from race.slice(
            request, lambda: interrupted() or signalled(), now_and_then.due
        )
        yield race.standing()


class _Standings:
    """Where the runs stand, told about once a second; by the first worker alone."""

    def __init__(self, race: Race) -> None:
        self._race = race
        self._next = perf_counter() + KEPT_S

    def due(self) -> Iterator[Kept]:
        began = perf_counter()
        if began < self._next or _rank():
            return
        kept = [run.kept(self._race.state_bytes) for run in self._race.runs]
        ended = perf_counter()
        self._next = ended + max(KEPT_S, _KEPT_SHARE * (ended - began))
        yield from kept
