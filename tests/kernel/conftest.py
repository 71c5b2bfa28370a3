import os
import select
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tutor.kernel.base import KernelOptions, KernelState
from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.process import KernelProcess

DEADLINE_S = 30
"""No test waits longer; none passes because of it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A TUTOR_HOME and a place for sockets and scratch folders, both empty."""
    home = tmp_path_factory.mktemp("home")
    runtime = Path("/tmp") / f"t{os.getpid()}"
    runtime.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTOR_HOME", str(home))
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        patch.setattr("tempfile.tempdir", str(runtime))
        yield home
    runtime.rmdir()  # fails when anything was left behind


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(home: Path) -> AsyncIterator[JupyterKernel]:
    kernel = JupyterKernel(KernelOptions())
    await kernel.start()
    yield kernel
    await kernel.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def kernel(shared: JupyterKernel) -> JupyterKernel:
    """The module's kernel, alive and idle whatever the test before did to it."""
    if shared.state is KernelState.DEAD:
        await shared.start()
    elif shared.state is not KernelState.IDLE:
        await shared.restart()
    return shared


def process(kernel: JupyterKernel) -> KernelProcess:
    assert kernel._process is not None
    return kernel._process


class Ending:
    """Watches a process of somebody else's, from now until it has ended."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None

    def wait(self) -> bool:
        """Whether it ended within the deadline."""
        if self._handle is None:
            return self._poll()
        ended, _, _ = select.select([self._handle], [], [], DEADLINE_S)
        os.close(self._handle)
        return bool(ended)

    def _poll(self) -> bool:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                return True
            select.select([], [], [], 0.01)
        return False
