"""How a kernel starts: what it inherits, what it does not, and what is said when it
cannot. Each test has a kernel of its own.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

import tutor
from tests.kernel.cells import call, printed, rest, result, run
from tests.kernel.conftest import Ending, process
from tutor import messages
from tutor.errors import MachineError
from tutor.kernel.base import KernelOptions, KernelState
from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Done

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("home")]

Make = Callable[..., JupyterKernel]


@pytest_asyncio.fixture
async def make() -> AsyncIterator[Make]:
    made: list[JupyterKernel] = []

    def make(options: KernelOptions = KernelOptions()) -> JupyterKernel:  # noqa: B008
        made.append(JupyterKernel(options))
        return made[-1]

    yield make
    for kernel in made:
        await kernel.stop()


async def test_what_it_inherits(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not ipykernel's parent poller, nor a torch.py of the current folder."""
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    other = tmp_path / "other"
    path = os.pathsep.join([str(other), "", ".", str(tmp_path)])
    monkeypatch.setenv("PYTHONPATH", path)
    (tmp_path / "torch.py").write_text("raise SystemExit('shadowed')")
    (tmp_path / "beside.py").write_text("here = True")
    kernel = make(KernelOptions(cwd=tmp_path, path_last=(tmp_path,)))
    await kernel.start()

    threads = "[type(each).__name__ for each in threading.enumerate()]"
    found = result(await run(kernel, f"import threading; {threads}")).text
    assert "Poller" not in found
    found = "[n for n in os.environ if n == 'PYTEST_CURRENT_TEST']"
    assert result(await run(kernel, f"import os; {found}")).text == "[]"

    request = messages.HelloRequest(path_last=(str(tmp_path),), threads=1)
    (hello,) = await call(kernel, "hello", request)
    assert hello.problem is None
    assert str(tmp_path) not in hello.torch_path
    assert hello.devices[0] == "cpu"
    checks = "torch.get_num_threads(), os.getcwd(), sys.path[0], sys.path[-1]"
    found = result(await run(kernel, f"import os, sys, torch; {checks}")).text
    assert eval(found) == (1, str(tmp_path), str(other), str(tmp_path))
    assert printed(await run(kernel, "import beside; print(beside.here)")) == "True\n"


async def test_a_scratch_folder_of_its_own(make: Make) -> None:
    kernel = make()
    await kernel.start()
    code = "import os; os.getcwd(), oct(os.stat('.').st_mode), os.listdir()"
    folder, mode, files = eval(result(await run(kernel, code)).text)
    assert folder not in (str(Path.cwd()), str(process(kernel).folder))
    assert (mode, files) == ("0o40700", [])


async def test_the_engine_is_ours_whatever_is_on_the_path(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tutor.py").write_text("raise SystemExit('another tutor')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    kernel = make()
    await kernel.start()
    found = await run(kernel, "import tutor; tutor.__file__, 'spec' in globals()")
    assert eval(result(found).text) == (tutor.__file__, False)


async def test_users_startup_files_stay_out(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    startup = tmp_path / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text("surprise = 1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    kernel = make()
    await kernel.start()
    assert (await run(kernel, "surprise"))[-1] == Done("error")


async def test_a_kernel_that_cannot_start(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.kernel.process._FLAGS", ("--no-such-flag",))
    kernel = make()
    with pytest.raises(MachineError, match=r"^The kernel cannot start: .*kernel\.log"):
        await kernel.start()
    assert kernel.state is KernelState.DEAD
    assert (await run(kernel, "1"))[-1].status == "died"  # type: ignore[union-attr]
    monkeypatch.undo()


async def test_no_module_named_ipykernel(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.kernel.process.MODULE", "no_such_launcher")
    with pytest.raises(MachineError, match="No module named no_such_launcher"):
        await make().start()


async def test_no_room_for_the_connection_file(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object) -> Path:
        raise OSError(28, "No space left on device", "/run/tutor")

    monkeypatch.setattr("tutor.kernel.connection.Connection.write", full)
    with pytest.raises(MachineError, match="No space left on device: /run/tutor"):
        await make().start()


async def test_a_folder_that_is_not_there(make: Make) -> None:
    kernel = make(KernelOptions(cwd=Path("/no/such/folder")))
    with pytest.raises(MachineError, match="/no/such/folder"):
        await kernel.start()


async def test_no_place_for_a_log(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A read-only home: the kernel starts, and output beyond the limit is not kept."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path / "file" / "home"))
    kernel = make()
    await kernel.start()
    found = await run(kernel, "print('x' * 2_000_000)")
    assert len(printed(found)) == 1_000_000
    assert "not shown" in str(found[-2])


async def test_given_up_while_it_starts(make: Make) -> None:
    kernel = make()
    starting = asyncio.ensure_future(kernel.start())
    await asyncio.sleep(0)
    ending = Ending(guard_of(kernel))
    early = kernel.execute("1")
    await kernel.stop()
    with pytest.raises(MachineError):
        await starting
    assert kernel.state is KernelState.OFF
    assert (await rest(early))[-1].status == "died"  # type: ignore[union-attr]
    assert ending.wait()


async def test_cancelled_while_it_starts(make: Make) -> None:
    kernel = make()
    starting = asyncio.ensure_future(kernel.start())
    await asyncio.sleep(0)
    ending = Ending(guard_of(kernel))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert ending.wait()


async def test_two_kernels_side_by_side(make: Make) -> None:
    first, second = make(), make()
    await asyncio.gather(first.start(), second.start())
    await run(first, "name = 'first'")
    running = first.execute("while True: pass")
    assert (await run(second, "name"))[-1] == Done("error")
    await first.kill()
    assert (await rest(running))[-1] == Done("died", "it was killed")
    assert second.state is KernelState.IDLE


async def test_executes_wait_for_the_start(make: Make) -> None:
    kernel = make()
    starting = asyncio.ensure_future(kernel.start())
    await asyncio.sleep(0)
    assert result(await run(kernel, "6 * 7")).text == "42"
    await starting


def guard_of(kernel: JupyterKernel) -> int:
    guard = process(kernel)._guard
    assert guard is not None
    return guard.pid
