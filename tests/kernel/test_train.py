"""Races in a real kernel: paused by an interrupt, gone on with, killed; the command."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.kernel.conftest import DEADLINE_S
from tutor.errors import KernelDiedError
from tutor.kernel.base import KernelState
from tutor.kernel.jupyter import JupyterKernel
from tutor.progress import Progress
from tutor.runs import log, standing
from tutor.session import Session
from tutor.training import options
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Race
from tutor.training.spec import RaceSpec

pytestmark = pytest.mark.kernel
on_one_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(home: Path) -> AsyncIterator[Session]:
    session = Session(JupyterKernel, Progress(None))
    yield session
    await session.close()


def race(id: str, *changes: str) -> Race:
    return Race(RaceSpec(options.race(None, changes).runs, id=id))


async def train(session: Session, so_far: Race, limit: int | None = None) -> Finished:
    """Add to `so_far` what comes, and how it ended."""
    async with asyncio.timeout(DEADLINE_S):
        async for arrived in session.train(so_far.spec, limit):
            so_far.add(arrived)
    assert isinstance(arrived, Finished)
    return arrived


def is_whole(so_far: Race) -> bool:
    """No run lacks a point."""
    return all(
        len(run.losses) == run.last + 1 and all(loss == loss for loss in run.losses)
        for run in so_far.runs.values()
    )


@on_one_loop
async def test_the_default_race(session: Session) -> None:
    so_far = race("default")
    finished = await train(session, so_far)
    assert finished.over
    assert is_whole(so_far)
    ends = {name: round(end.loss, 3) for name, end in finished.runs.items()}
    assert ends == {"gd": 1.076, "minibatch": 1.213, "sgd": 1.548}
    assert session.kernel.state is KernelState.OFF


@on_one_loop
async def test_paused_again_and_again_no_point_is_lost(session: Session) -> None:
    so_far = race("paused", "iterations=1e9")
    for _ in range(10):
        before = so_far.iteration
        finished: Finished | None = None
        async with asyncio.timeout(DEADLINE_S):
            async for arrived in session.train(so_far.spec):
                so_far.add(arrived)
                if isinstance(arrived, Points) and so_far.iteration > before:
                    await session.stop_training()
                if isinstance(arrived, Finished):
                    finished = arrived
        assert finished is not None
        assert not finished.over
        assert {end.iteration for end in finished.runs.values()} == {so_far.iteration}
        assert is_whole(so_far)
    await train(session, so_far, limit=1)
    assert is_whole(so_far)


@on_one_loop
async def test_a_killed_kernel_is_told_and_another_race_runs(session: Session) -> None:
    so_far = race("killed", "iterations=1e9")
    racer = await session.racer()

    async def killed() -> None:
        async for arrived in session.train(so_far.spec):
            so_far.add(arrived)
            if so_far.iteration > 0:
                await racer.kill()

    with pytest.raises(KernelDiedError):
        await killed()
    assert is_whole(so_far)
    assert (await train(session, race("after"))).over


@on_one_loop
async def test_a_kernel_that_does_not_answer_is_ended_and_the_race_goes_on(
    session: Session,
) -> None:
    so_far = race("stuck", "runs=sgd", "batch=1", "iterations=4000")
    racer = await session.racer()
    assert isinstance(racer, JupyterKernel)
    assert racer._process is not None
    pid = racer._process._started

    async def stuck() -> None:
        ending = None
        async for arrived in session.train(so_far.spec):
            so_far.add(arrived)
            if so_far.iteration > 0 and ending is None:
                os.kill(pid, signal.SIGSTOP)
                await session.stop_training()
                ending = asyncio.ensure_future(session.end_racer())

    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(KernelDiedError):
            await stuck()
        assert (await train(session, so_far)).over
    assert is_whole(so_far)


@on_one_loop
async def test_a_race_whose_kernel_dies_goes_on_to_the_same_end(
    session: Session,
) -> None:
    changes = ("runs=sgd", "batch=1", "optimiser=momentum", "iterations=4000")
    whole, so_far = race("whole", *changes), race("cut", *changes)
    await train(session, whole)
    racer = await session.racer()
    told: list[Finding] = []
    async with asyncio.timeout(DEADLINE_S):
        async for arrived in session.train(so_far.spec):
            so_far.add(arrived)
            if isinstance(arrived, Finding):
                told.append(arrived)
            elif so_far.iteration > 2000 and not told:
                await racer.kill()
    assert [each.kind for each in told] == ["restarted"]
    assert so_far.over
    assert so_far.runs["sgd"].losses == whole.runs["sgd"].losses


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "tutor", "train", *words]


def test_ctrl_c_of_the_command_prints_what_it_has(home: Path) -> None:
    command = _command("--json", "--set", "iterations=1e9")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(100)]
        os.kill(process.pid, signal.SIGINT)
        lines += process.stdout.read().splitlines()
    *points, last = [json.loads(line) for line in lines]
    assert process.returncode == 130
    assert [point["iteration"] for point in points] == [*range(len(points))]
    assert last["runs"]["gd"]["stopped"] == "interrupted"
    assert last["runs"]["gd"]["iteration"] == points[-1]["iteration"]


def test_the_command_into_a_pipe_that_closes(home: Path) -> None:
    command = _command("--csv", "--set", "iterations=1e9")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "run,iteration,samples,loss,w,b\n"
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
    assert process.returncode != 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_cut_off_and_resumed_the_command_prints_what_it_would_have(
    tmp_path: Path, how: signal.Signals
) -> None:
    settings = ("--csv", "--set", "runs=minibatch", "--set", "iterations=1e9")
    env = {**os.environ, "TUTOR_HOME": str(tmp_path)}

    def first_lines(*words: str, enough: Callable[[int], bool]) -> list[str]:
        """Those it printed until there were enough, when it is cut off."""
        command = _command(*words)
        with subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if enough(len(lines)):
                    break
            os.kill(process.pid, how)
            process.stdout.read()
        return lines

    def is_ahead(count: int) -> bool:
        """The points on disk go further than the state they go on from."""
        for path in tmp_path.glob("runs/*/*.standing") if count % 100 == 0 else ():
            stood = standing.read(path)
            told = log.read(path.with_suffix(".log")).pieces.get("minibatch")
            if stood and stood.kept and told:
                return told[-1].last > stood.lasts[0].start
        return False

    begun = len(first_lines(*settings, enough=is_ahead))
    wanted = begun + 4000
    (id,) = {path.parent.name for path in tmp_path.glob("runs/*/*.log")}
    whole = first_lines(*settings, enough=(wanted + 2000).__eq__)
    for enough in (wanted, wanted + 2000):  # what was gone on with, gone on with
        again = first_lines("--resume", id, "--csv", enough=enough.__eq__)
        assert again == whole[:enough]
