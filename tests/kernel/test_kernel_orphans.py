"""Nothing outlives us: whatever the kernel is at, whatever it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.conftest import DEADLINE_S, Ending

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="a process subreaper is needed"),
]

PIDS = "import os, signal, subprocess\nprint(os.getpid())\nprint(os.getppid())"
STATES = {
    "holds the GIL": ("sum(range(10**12))", "R"),
    "stopped": ("os.kill(os.getpid(), signal.SIGSTOP)", "T"),
}
CHILDREN = {
    "none": "",
    "fork": "pid = os.fork()\nif pid == 0: signal.pause()\nprint(pid)",
    "session of its own": (
        "child = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "print(child.pid)"
    ),
    "double fork": (
        "read, write = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "        os.write(write, b'%d\\n' % os.getpid())\n"
        "        signal.pause()\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "print(os.read(read, 20).decode(), end='')"
    ),
    "forks in a loop": (
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    while os.fork() == 0: pass\n"
        "    os._exit(0)\n"
    ),
}


class Host:
    """The process that dies, and what it started."""

    def __init__(self, *cells: str, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("host.py")), *cells],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "TUTOR_HOME": str(folder),
                "TMPDIR": str(folder),
                "XDG_RUNTIME_DIR": "",
            },
        )
        self.endings = self.pids()

    def pids(self) -> list[Ending]:
        """Those that the next cell prints."""
        assert self._process.stdout is not None
        lines = iter(self._process.stdout.readline, "done\n")
        return [Ending(int(line)) for line in lines]

    def end(self, way: signal.Signals) -> None:
        assert self._process.stdout is not None
        self._process.send_signal(way)
        self._process.wait()
        self._process.stdout.close()

    def left(self) -> list[str]:
        """Processes and folders that outlived it."""
        processes = [str(each.pid) for each in self.endings if not each.wait()]
        names = [each.name for each in self._folder.iterdir()]
        return processes + [name for name in names if name.startswith("tutor-")]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Host]]:
    hosts: list[Host] = []

    def begin(*cells: str) -> Host:
        hosts.append(Host(*cells, folder=tmp_path))
        return hosts[-1]

    yield begin
    for host in hosts:
        host.end(signal.SIGKILL)


@pytest.mark.parametrize("cell", CHILDREN.values(), ids=CHILDREN.keys())
def test_what_a_cell_started(begin: Callable[..., Host], cell: str) -> None:
    host = begin(PIDS, cell)
    host.endings += host.pids()
    assert len(host.endings) == (3 if "print" in cell else 2)
    host.end(signal.SIGKILL)
    assert host.left() == []


@pytest.mark.parametrize(("cell", "state"), STATES.values(), ids=STATES.keys())
def test_whatever_the_kernel_is_at(
    begin: Callable[..., Host], cell: str, state: str
) -> None:
    host = begin(PIDS, cell)
    kernel = Path(f"/proc/{host.endings[0].pid}/stat")
    deadline = time.monotonic() + DEADLINE_S
    while kernel.read_text().rsplit(") ")[1][0] != state:
        assert time.monotonic() < deadline
    host.end(signal.SIGKILL)
    assert host.left() == []


def test_asked_to_end(begin: Callable[..., Host]) -> None:
    host = begin(PIDS)
    host.end(signal.SIGTERM)
    assert host.left() == []
