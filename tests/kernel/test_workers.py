"""Races over two workers: the numbers, what is not divided, a killed worker, the end."""

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.conftest import Ending
from tutor.engine import crew
from tutor.engine.crew import Crew
from tutor.engine.train import train
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Race
from tutor.training.spec import Change, Kept, RaceSpec, RunSpec, SliceRequest

pytestmark = [pytest.mark.kernel, pytest.mark.slow, pytest.mark.timeout(900)]

WORKERS = 2
MLP = RunSpec(
    "mlp",
    dataset="circle",
    points=300,
    noise=0.1,
    test=51,
    model="mlp",
    widths=(16, 16),
    loss="bce",
    optimiser="adam",
    lr=0.01,
    batch=32,
    iterations=60,
)


@pytest.fixture
def crews(monkeypatch: pytest.MonkeyPatch) -> list[Crew]:
    """Those that are made."""
    made: list[Crew] = []

    def make(*given: object) -> Crew:
        made.append(Crew(*given))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(crew, "Crew", make)
    return made


def computed(spec: RaceSpec) -> Race:
    race = Race(spec)
    for arrived in train(SliceRequest(spec)):
        if not isinstance(arrived, Kept):
            race.add(arrived)
    return race


def worker(of: Crew, rank: int) -> int:
    """Its process."""
    return next(line.pid for line in of._lines if line.rank == rank)


def descendants(parent: int) -> list[int]:
    command = ["ps", "-axo", "pid=,ppid="]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ps:
        table, _ = ps.communicate()
    children: dict[int, list[int]] = {}
    for line in table.splitlines():
        pid, of = map(int, line.split())
        if pid != ps.pid:
            children.setdefault(of, []).append(pid)
    found, waiting = [], [parent]
    while waiting:
        more = children.get(waiting.pop(), [])
        found += more
        waiting += more
    return found


def same(race: Race, alone: Race) -> None:
    """Each run has the points of the race of one process."""
    for name, run in alone.runs.items():
        assert list(race.runs[name].losses) == pytest.approx(
            list(run.losses), rel=1e-3, nan_ok=True
        ), name
        assert list(race.runs[name].test_curve.values) == pytest.approx(
            list(run.test_curve.values), rel=1e-3
        ), name
        assert list(race.runs[name].samples) == list(run.samples)
        assert race.runs[name].end is not None
        assert run.end is not None
        assert race.runs[name].end.stopped == run.end.stopped  # type: ignore[union-attr]


def test_the_curves_are_those_of_one_process(crews: list[Crew]) -> None:
    runs = (
        RunSpec("gd"),
        RunSpec("minibatch", batch=4),
        RunSpec("sgd", batch=1),
        MLP,
        RunSpec(
            "sum",
            loss="sse",
            optimiser="momentum",
            lr=0.0005,
            batch=8,
            slip="no-zero-grad",
            changes=(Change(7, "lr", 0.001), Change(9, "optimiser", "sgd")),
        ),
        RunSpec("diverges", lr=50.0, iterations=400),
    )
    alone = computed(RaceSpec(runs))
    race = computed(RaceSpec(runs, workers=WORKERS))
    same(race, alone)
    ends = {name: run.end for name, run in race.runs.items()}
    assert {name: end.workers for name, end in ends.items() if end} == {
        "gd": 2,
        "minibatch": 2,
        "sgd": 1,
        "mlp": 2,
        "sum": 2,
        "diverges": 2,
    }
    assert ends["diverges"] is not None
    assert ends["diverges"].stopped == "diverged"
    (said,) = [each for each in race.findings if each.kind == "one-worker"]
    assert said.run == "sgd"
    assert said.text == "its batch of 1 point cannot be divided by 2"
    assert {each.kind for each in alone.findings} == {
        each.kind for each in race.findings
    } - {"one-worker"}
    (made,) = crews
    assert not made._folder.exists()
    assert made._launcher.returncode is not None


def test_nothing_is_started_for_what_cannot_be_divided(crews: list[Crew]) -> None:
    race = computed(RaceSpec((RunSpec("five", batch=5),), workers=WORKERS))
    same(race, computed(RaceSpec((RunSpec("five", batch=5),))))
    assert [each.kind for each in race.findings] == ["one-worker"]
    assert crews == []


def test_killed_workers_are_started_again_and_no_point_is_lost(
    crews: list[Crew],
) -> None:
    run = RunSpec("minibatch", batch=4, lr=0.001, iterations=800)
    spec = RaceSpec((run,), id="killed", workers=WORKERS)
    race = Race(spec)
    for arrived in train(SliceRequest(spec, limit=10)):
        if not isinstance(arrived, Kept):
            race.add(arrived)
    assert crews == []  # a few iterations are not worth it
    told: list[Finding] = []
    victims = [1, 0]
    for arrived in train(SliceRequest(spec, fresh=False)):
        if isinstance(arrived, Kept):
            continue
        race.add(arrived)
        told = [each for each in race.findings if each.kind == "workers"]
        is_next = len(told) == 2 - len(victims)
        if isinstance(arrived, Points) and victims and is_next:
            os.kill(worker(crews[0], victims.pop(0)), signal.SIGKILL)
    same(race, computed(RaceSpec((run,))))
    assert [each.text[:9] for each in told] == ["Worker 1 ", "Worker 0 "]
    assert told[0].iteration == 10


def test_interrupted_all_workers_end_and_the_race_can_go_on(crews: list[Crew]) -> None:
    run = RunSpec("minibatch", batch=4, lr=0.001, iterations=10**9)
    spec = RaceSpec((run,), id="interrupted", workers=WORKERS)
    race = Race(spec)
    endings: list[Ending] = []
    for arrived in train(SliceRequest(spec)):
        if isinstance(arrived, Kept):
            continue
        race.add(arrived)
        if isinstance(arrived, Points) and arrived.losses and not endings:
            endings = [Ending(pid) for pid in descendants(os.getpid())]
            os.kill(os.getpid(), signal.SIGINT)
    assert isinstance(arrived, Finished)
    assert not arrived.over
    assert len(endings) >= WORKERS + 1  # the launcher too
    assert all(each.wait() for each in endings)
    stood = race.iteration
    assert arrived.runs["minibatch"].iteration == stood
    for arrived in train(SliceRequest(spec, fresh=False, limit=5)):
        if not isinstance(arrived, Kept):
            race.add(arrived)
    short = RunSpec("minibatch", batch=4, lr=0.001, iterations=stood + 5)
    alone = computed(RaceSpec((short,))).runs["minibatch"]
    assert list(race.runs["minibatch"].losses) == pytest.approx(
        list(alone.losses), rel=1e-3
    )


@contextlib.contextmanager
def command(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command line of Python, from its beginning to its end."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, *words],
        env={**environment, "TUTOR_HOME": str(home), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_or_a_kill_of_the_command_leaves_no_process(
    home: Path, number: signal.Signals
) -> None:
    given = ["--workers", "2", "--set", "iterations=1e9", "--json"]
    with command(home, "-m", "tutor", "train", *given) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if json.loads(line)["iteration"] == 50:
                break
        endings = [Ending(pid) for pid in descendants(running.pid)]
        assert len(endings) >= 2 + 1 + WORKERS  # guard, kernel, launcher, workers
        running.send_signal(number)
        *_, last = running.stdout
        assert running.wait() == (130 if number == signal.SIGINT else -number)
        assert all(each.wait() for each in endings)
        if number == signal.SIGINT:
            assert json.loads(last)["runs"]["gd"]["stopped"] == "interrupted"


TORCHRUN = ("-m", "torch.distributed.run", "--standalone")
ON_TWO = ("--local-addr", "127.0.0.1", "--nproc-per-node", "2")


def rows(text: str) -> dict[int, float]:
    """Loss by iteration of the run gd."""
    found = [row for row in csv.DictReader(io.StringIO(text)) if row["run"] == "gd"]
    return {int(row["iteration"]): float(row["loss"]) for row in found}


def test_under_a_launcher_of_the_readers_a_killed_worker_costs_no_point(
    home: Path,
) -> None:
    given = ["--csv", "--set", "runs=gd", "--set", "lr=0.0001"]
    given += ["--set", "iterations=400"]
    launcher = [*TORCHRUN, *ON_TWO, "--max-restarts", "2"]
    printed = []
    with command(home, *launcher, "-m", "tutor", "train", *given) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        for line in running.stdout:
            printed.append(line)
            if line.startswith("gd,20,"):
                os.kill(follower(running.pid), signal.SIGKILL)
        said = running.stderr.read()
        assert running.wait() == 0, said
    with command(home, "-m", "tutor", "train", *given) as running:
        expected, _ = running.communicate()
    found, alone = rows("".join(printed)), rows(expected)
    assert found == pytest.approx({at: alone[at] for at in found}, rel=1e-3)
    assert 400 in found
    assert "A worker ended, and the launcher has started all workers again" in said
    assert "2 workers" in said


def follower(launcher: int) -> int:
    """The worker of a launcher that is no command of the tutor's any more."""
    for pid in descendants(launcher):
        line = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
        told = subprocess.run(line, capture_output=True, text=True, check=False).stdout
        if "tutor.engine.worker" in told:
            return pid
    raise AssertionError("there is none")
