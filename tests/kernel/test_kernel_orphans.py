"""Nothing outlives us: whatever the kernel is at, whatever it started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.conftest import Ending

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="a process subreaper is needed"),
]

HEAD = (
    "import os, signal, subprocess, sys, threading\nprint(os.getpid(), os.getppid())\n"
)
WAIT = "    signal.pause()\n"
CELLS = {
    "idle": "",
    "holds the GIL": "sys.stdout.flush()\nsum(range(10**12))",
    "stopped": "sys.stdout.flush()\nos.kill(os.getpid(), signal.SIGSTOP)",
    "fork": "pid = os.fork()\nif pid == 0:\n" + WAIT + "print(pid)",
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


ENDINGS = {
    **{case: (cell, signal.SIGKILL) for case, cell in CELLS.items()},
    "asked to end": (CELLS["fork"], signal.SIGTERM),
}


@pytest.mark.parametrize(("cell", "way"), ENDINGS.values(), ids=ENDINGS.keys())
def test_nothing_outlives_us(cell: str, way: signal.Signals, tmp_path: Path) -> None:
    host = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("host.py")), HEAD + cell],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TUTOR_HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
    )
    assert host.stdout is not None
    try:
        pids = [int(pid) for pid in host.stdout.readline().split()]
        if "sys.stdout.flush()" not in cell:
            pids += [int(line) for line in iter(host.stdout.readline, "done\n")]
        endings = [Ending(pid) for pid in pids]
    finally:
        host.send_signal(way)
        host.wait()
        host.stdout.close()
    assert len(endings) >= 2  # the kernel and its guard
    assert all(ending.wait() for ending in endings)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tutor-")]
