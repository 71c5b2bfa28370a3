"""An hour of a race at 5000 iterations a second, as its points would come, without waiting:
what the screen's process holds and what is on disk, against what they were after a tenth;
and the engine's own memory over a minute of real iterations.

Each is a process of its own. A run holds up to a million points and then every second
one of them, again and again, so that memory rises and falls: its peaks are compared.
"""

import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.figure import Figure
from tutor.training.run import Finished, Points, Race
from tutor.training.spec import RaceSpec, RunSpec

HOUR_S = 3600
PER_SECOND = 5000
BATCHES_PER_SECOND = 25
DRAWN_EVERY_S = 16
ENGINE_SLICES = 60
LIMIT = 1.05
BATCHES = {"gd": None, "minibatch": 4, "sgd": 1}


def run() -> list[Figure]:
    """Both processes, one after the other."""
    hour, engine = one("screen"), one("engine")
    return [
        _figure("memory after an hour's points", hour[1], hour[0], "the screen's peak"),
        _figure("disk after an hour's points", hour[3], hour[2], "the largest"),
        _figure("memory of the engine", engine[1], engine[0], "its peak in a minute"),
    ]


def _figure(what: str, end: float, tenth: float, note: str) -> Figure:
    kept = end <= LIMIT * tenth
    note = f"{note}; other: in the first tenth"
    return Figure(what, end, tenth, "MB", f"{LIMIT}x", kept, note)


def one(what: str) -> list[float]:
    """What a process says of itself."""
    command = [sys.executable, "-m", "bench.hour", what]
    return [*map(float, subprocess.check_output(command, text=True).split())]


def spec() -> RaceSpec:
    """The race of 2.14, endless."""
    runs = (
        RunSpec(name, batch=batch, iterations=10**9) for name, batch in BATCHES.items()
    )
    return RaceSpec(tuple(runs), id="hour")


def screen() -> Sequence[float]:
    """MB: the peak of this process in the first tenth, and in all; the same of the disk."""
    from tutor.plotting import CurveLook, loss_curves
    from tutor.runs.store import Runs

    race, count = Race(spec()), PER_SECOND // BATCHES_PER_SECOND
    rng = random.Random(0)
    noise = [rng.random() for _ in range(4096)]
    figures, largest = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        now = 0.0
        runs = Runs(Path(folder), clock=lambda: now)
        for batch in range(HOUR_S * BATCHES_PER_SECOND):
            now, at = batch / BATCHES_PER_SECOND, batch * count
            for number, name in enumerate(race.runs):
                first = (batch * 7 + number) % 3000
                losses = tuple(noise[first : first + count])
                params = {"w": losses, "b": losses}
                arrived = Points(
                    name, at, at, 1, losses, params, (), (now, now + 1 / 25)
                )
                race.add(arrived)
                runs.keep(race.spec, arrived)
            if batch % BATCHES_PER_SECOND == 0:
                wait_for_threads()
            if batch % (DRAWN_EVERY_S * BATCHES_PER_SECOND) == 0:
                loss_curves(race, 92, 38, CurveLook())
                largest = max(largest, _size(Path(folder)))
            if batch == HOUR_S * BATCHES_PER_SECOND // 10:
                figures = [peak(), largest]
        runs.close()
    memory, disk = figures
    return memory, peak(), disk, largest


def wait_for_threads() -> None:
    """A log is shortened beside its race: in a real second that is done."""
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()


def engine() -> Sequence[float]:
    """MB: the peak of this process in the first tenth, and in all."""
    from tutor.engine.train import train
    from tutor.training.spec import SliceRequest

    race, peaks = spec(), []
    for number in range(ENGINE_SLICES):
        *_, end = train(SliceRequest(race, fresh=number == 0, seconds=1.0))
        assert isinstance(end, Finished)
        peaks.append(peak())
    return peaks[ENGINE_SLICES // 10 - 1], peaks[-1]


def peak() -> float:
    """Of this process's memory so far, MB, proc_pid_status(5)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM")


def _size(folder: Path) -> float:
    return sum(each.stat().st_size for each in folder.rglob("*.*")) / 2**20


CHILDREN: dict[str, Callable[[], Sequence[float]]] = {
    "screen": screen,
    "engine": engine,
}

if __name__ == "__main__":
    if sys.argv[1:]:
        print(*CHILDREN[sys.argv[1]]())
    else:
        from bench.figure import table

        print(table(run()))
