"""Interrupts, deaths, restarts: the kernel is usable after each, or says why not."""

import asyncio
import os
import signal

import pytest

from tests.kernel.cells import failure, printed, rest, result, run, until_printed
from tests.kernel.conftest import DEADLINE_S, Ending, process
from tutor.kernel.base import KernelState
from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Done, Failure, Notice

pytestmark = [pytest.mark.kernel, pytest.mark.asyncio(loop_scope="module")]

SEGFAULT = "import ctypes; ctypes.string_at(0)"
STUBBORN = """\
while True:
    try:
        print('go', flush=True)
        while True: pass
    except KeyboardInterrupt:
        print('swallowed', flush=True)
"""


async def pid_of(kernel: JupyterKernel) -> int:
    return int(result(await run(kernel, "import os; os.getpid()")).text)


async def interrupted(kernel: JupyterKernel, code: str) -> list[object]:
    running = kernel.execute("print('go')\n" + code)
    # Printed without a flush, it comes when the cell has long been at `code`.
    await until_printed(running, "go")
    await kernel.interrupt()
    return list(await rest(running))


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(1000)",
        "import asyncio; await asyncio.sleep(1000)",
        "import subprocess; subprocess.run(['sleep', '1000'])",
        "while True: print('flood')",
        "await __import__('asyncio').sleep(0)\nwhile True: pass",
    ],
)
async def test_interrupted(kernel: JupyterKernel, code: str) -> None:
    found = await interrupted(kernel, code)
    assert found[-1] == Done("interrupted")
    assert printed(await run(kernel, "print('fine')")) == "fine\n"


async def test_an_interrupt_shows_where(kernel: JupyterKernel) -> None:
    found = await interrupted(kernel, "x = 1\nwhile True:\n    x += 1")
    (shown,) = [each for each in found if isinstance(each, Failure)]
    assert shown.ename == "KeyboardInterrupt"
    assert shown.line in (3, 4)


async def test_an_interrupt_clears_the_queue(kernel: JupyterKernel) -> None:
    running = kernel.execute("ran = []; print('go', flush=True)\nwhile True: pass")
    waiting = [kernel.execute(f"ran.append({n})") for n in range(3)]
    await until_printed(running, "go")
    await kernel.interrupt()
    for each in [running, *waiting]:
        assert (await rest(each))[-1] == Done("interrupted")
    assert result(await run(kernel, "ran")).text == "[]"


async def test_interrupts_at_any_moment(kernel: JupyterKernel) -> None:
    """Also while ipykernel prepares a cell or tidies up after it."""
    for number in range(100):
        running = kernel.execute("print(1)")
        for _ in range(number):
            await asyncio.sleep(0)
        await kernel.interrupt()
        found = await rest(running)
        assert not any(isinstance(each, Notice) for each in found)
        assert found[-1] in (Done("ok"), Done("interrupted"))
        assert result(await run(kernel, "6 * 7")).text == "42"


async def test_an_interrupt_of_nothing_is_nothing(kernel: JupyterKernel) -> None:
    for _ in range(5):
        await kernel.interrupt()
    assert kernel.state is KernelState.IDLE
    assert result(await run(kernel, "1 + 1")).text == "2"


async def test_a_keyboard_interrupt_of_the_cells_own(kernel: JupyterKernel) -> None:
    found = await run(kernel, "raise KeyboardInterrupt")
    assert found[-1] == Done("error")


async def test_a_cell_may_catch_it_and_end_well(kernel: JupyterKernel) -> None:
    running = kernel.execute(STUBBORN + "        break")
    await until_printed(running, "go")
    await kernel.interrupt()
    assert (await rest(running))[-1] == Done("ok")


async def test_a_cell_that_swallows_it_is_killed(kernel: JupyterKernel) -> None:
    running = kernel.execute(STUBBORN)
    await until_printed(running, "go")
    await kernel.interrupt()
    await until_printed(running, "swallowed")
    assert kernel.state is KernelState.INTERRUPTING
    await kernel.kill()
    assert (await rest(running))[-1] == Done("died", "it was killed")
    assert (kernel.state, kernel.cause) == (KernelState.DEAD, "it was killed")


@pytest.mark.parametrize(
    "code",
    [
        "sum(range(10**12))",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "import builtins; builtins.__import__ = None; input()",
    ],
    ids=["holds the GIL", "ignores SIGINT", "no imports"],
)
async def test_whatever_it_does_it_is_killed(kernel: JupyterKernel, code: str) -> None:
    ending = Ending(await pid_of(kernel))
    running = kernel.execute(code, stdin=True)
    await kernel.interrupt()
    await kernel.kill()
    assert isinstance((await rest(running))[-1], Done)
    assert kernel.state is KernelState.DEAD
    assert ending.wait()


async def test_a_stopped_process_is_killed(kernel: JupyterKernel) -> None:
    pid = await pid_of(kernel)
    ending = Ending(pid)
    running = kernel.execute("while True: pass")
    os.kill(pid, signal.SIGSTOP)
    await kernel.interrupt()
    assert kernel.state is KernelState.INTERRUPTING
    await kernel.kill()
    assert (await rest(running))[-1] == Done("died", "it was killed")
    assert ending.wait()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (SEGFAULT, "segmentation fault (signal 11)"),
        ("os._exit(1)", "exit code 1: the code called os._exit, or something it uses"),
        (
            "os.kill(os.getpid(), 9)",
            "killed (signal 9), perhaps because memory ran out",
        ),
        ("os.abort()", "abort (signal 6)"),
        (
            "os.kill(os.getppid(), 9)",
            "killed (signal 9), perhaps because memory ran out",
        ),
    ],
    ids=["segfault", "exit", "kill", "abort", "guard killed"],
)
async def test_death_is_named(kernel: JupyterKernel, code: str, cause: str) -> None:
    running = kernel.execute("import os, time\n" + code + "\ntime.sleep(1000)")
    waiting = kernel.execute("1 + 1")
    assert (await rest(running))[-1] == Done("died", cause)
    assert await rest(waiting) == [Done("died", cause)]
    assert (kernel.state, kernel.cause) == (KernelState.DEAD, cause)
    assert await run(kernel, "1 + 1") == [Done("died", cause)]
    assert await kernel.complete("pri", 3) is None
    await kernel.interrupt()
    await kernel.kill()


async def test_death_between_cells_is_noticed(kernel: JupyterKernel) -> None:
    dead = asyncio.Event()
    kernel.watch(lambda state: dead.set() if state is KernelState.DEAD else None)
    os.kill(await pid_of(kernel), signal.SIGKILL)
    async with asyncio.timeout(DEADLINE_S):
        await dead.wait()
    assert (await run(kernel, "1"))[-1].status == "died"  # type: ignore[union-attr]


async def test_restart_empties_the_namespace(kernel: JupyterKernel) -> None:
    before = await pid_of(kernel)
    await run(kernel, "kept = 1")
    told: list[KernelState] = []
    kernel.watch(told.append)
    await kernel.restart()
    assert await pid_of(kernel) != before
    assert failure(await run(kernel, "kept")).ename == "NameError"
    assert told[:2] == [KernelState.RESTARTING, KernelState.IDLE]


async def test_restart_while_a_cell_runs(kernel: JupyterKernel) -> None:
    running = kernel.execute("print('go', flush=True)\nwhile True: pass")
    waiting = kernel.execute("1")
    await until_printed(running, "go")
    restarting = asyncio.ensure_future(kernel.restart())
    await asyncio.sleep(0)  # it has begun: what comes now is for the new process
    later = kernel.execute("2 + 2")
    assert (await rest(running))[-1] == Done("died", "it was restarted")
    assert await rest(waiting) == [Done("died", "it was restarted")]
    assert result(await rest(later)).text == "4"
    await restarting


async def test_what_a_cell_left_open_is_written(kernel: JupyterKernel) -> None:
    """A restart ends an idle kernel as a script ends."""
    log = process(kernel).log.with_name("left-open.txt")
    code = (
        f"left = open({str(log)!r}, 'w'); left.write('flushed, ')\n"
        f"import atexit; atexit.register(lambda: left.write('at exit'))"
    )
    assert (await run(kernel, code))[-1] == Done("ok")
    await kernel.restart()
    assert log.read_text() == "flushed, at exit"


async def test_stop_leaves_nothing(kernel: JupyterKernel) -> None:
    """No process of its own or of the cell's, no folder of sockets, no scratch."""
    code = (
        "import os, subprocess\n"
        "child = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "open('scratch.txt', 'w').write('x')\n"
        "child.pid, os.getppid()"
    )
    child, guard = eval(result(await run(kernel, code)).text)
    endings = [Ending(pid) for pid in (await pid_of(kernel), guard, child)]
    folder, scratch = process(kernel).folder, process(kernel).cwd
    assert (scratch / "scratch.txt").exists()
    await kernel.stop()
    assert [ending.wait() for ending in endings] == [True, True, True]
    assert not folder.exists()
    assert not scratch.exists()
    assert kernel.state is KernelState.OFF
    assert await run(kernel, "1") == [Done("died", "it is not running")]
    await kernel.stop()
    await kernel.start()
