import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tutor import guard

PYTHON = sys.executable
DEADLINE_S = 30


class Guarded:
    """A program under a guard that we talk to."""

    def __init__(self, program: str, *folders: Path, python: str = PYTHON) -> None:
        command = [PYTHON, "-I", "-S", guard.__file__, *map(str, folders)]
        self.guard = subprocess.Popen(
            [*command, "--", python, "-I", "-S", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def say(self, line: bytes) -> None:
        assert self.guard.stdin is not None
        self.guard.stdin.write(line + b"\n")
        self.guard.stdin.flush()

    def leave(self) -> None:
        assert self.guard.stdin is not None
        self.guard.stdin.close()
        self.guard.stdin = None

    def heard(self) -> str:
        assert self.guard.stdout is not None
        return self.guard.stdout.readline().decode().strip()

    def printed(self) -> str:
        assert self.guard.stderr is not None
        return self.guard.stderr.readline().decode().strip()

    def end(self) -> int:
        return self.guard.wait(DEADLINE_S)


Start = Callable[..., Guarded]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program under a guard; none is left at the end of the test."""
    started: list[Guarded] = []

    def start(program: str, *folders: Path, python: str = PYTHON) -> Guarded:
        started.append(Guarded(program, *folders, python=python))
        return started[-1]

    yield start
    for each in started:
        each.guard.kill()
        each.guard.communicate()


@pytest.fixture
def running(start: Start) -> Guarded:
    guarded = start(
        "import sys, time\n"
        "try: print('ready', flush=True); time.sleep(1000)\n"
        "except KeyboardInterrupt: sys.exit(7)"
    )
    assert guarded.heard().startswith("started ")
    assert guarded.printed() == "ready"
    return guarded


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("import os; os.kill(os.getpid(), 11)", -11),
        ("import os; os.kill(os.getpid(), 9)", -9),
    ],
)
def test_the_true_status_is_told(start: Start, program: str, status: int) -> None:
    guarded = start(program)
    assert guarded.heard().startswith("started ")
    assert guarded.heard() == f"exited {status}"
    assert guarded.end() == (0 if status == 0 else 1)


def test_interrupt(running: Guarded) -> None:
    running.say(b"interrupt")
    assert running.heard() == "interrupted"
    assert running.heard() == "exited 7"


def test_kill(running: Guarded) -> None:
    running.say(b"kill")
    assert running.heard() == "exited -9"


def test_words_it_does_not_know_are_ignored(running: Guarded) -> None:
    running.say(b"hello")
    running.say(b"interrupt")
    assert running.heard() == "interrupted"
    assert running.heard() == "exited 7"


def test_nobody_there_any_more(running: Guarded) -> None:
    running.leave()
    assert running.heard() == "exited -9"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_asked_to_end(running: Guarded, number: signal.Signals) -> None:
    running.guard.send_signal(number)
    assert running.heard() == "exited -9"
    assert running.end() == 1


def test_the_program_is_its_own_session_and_group(start: Start) -> None:
    program = "import os, sys; print(os.getsid(0) == os.getpgrp() == os.getpid())"
    guarded = start(program)
    assert guarded.printed() == "True"


def test_signals_ignored_by_us_are_not_ignored_by_it(start: Start) -> None:
    program = "import signal; print(signal.getsignal(signal.SIGINT).__name__)"
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        guarded = start(program)
    finally:
        signal.signal(signal.SIGINT, ignored)
    assert guarded.printed() == "default_int_handler"


def test_a_program_that_cannot_be_started(start: Start) -> None:
    guarded = start("pass", python="/no/such/python")
    assert guarded.heard().startswith("started ")
    assert guarded.heard() == "exited 127"
    assert guarded.guard.stderr is not None
    assert b"No such file" in guarded.guard.stderr.read()


def test_folders_go_with_it(start: Start, tmp_path: Path) -> None:
    folders = [tmp_path / "sockets", tmp_path / "scratch"]
    for folder in folders:
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "file").touch()
    assert start("pass", *folders).end() == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="oom_score_adj is of Linux")
def test_the_memory_killer_takes_it_first(start: Start) -> None:
    guarded = start("print(open('/proc/self/oom_score_adj').read())")
    assert guarded.printed() == "1000"


@pytest.mark.skipif(sys.platform != "linux", reason="the subreaper is of Linux")
def test_orphans_are_killed_with_it(start: Start) -> None:
    """A grandchild in a session of its own, whose parent has ended."""
    program = (
        "import os, signal\n"
        "read, write = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        os.write(write, b'%d' % os.getpid()); os.close(write)\n"
        "        signal.pause()\n"
        "    os._exit(0)\n"
        "os.wait(); os.close(write)\n"
        "print(os.read(read, 20).decode(), flush=True)\n"
    )
    guarded = start(program)
    orphan = int(guarded.printed())
    assert guarded.heard().startswith("started ")
    assert guarded.heard() == "exited 0"
    with pytest.raises(ProcessLookupError):
        os.kill(orphan, 0)
