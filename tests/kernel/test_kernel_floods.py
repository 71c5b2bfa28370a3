"""Floods: memory and the event loop stay ours, whatever a cell prints."""

import asyncio
from pathlib import Path

import pytest

from tests.kernel.cells import printed, rest, result, run, until_printed
from tutor.engine.overflow import SHOWN_CHARACTERS, SHOWN_LINES
from tutor.kernel import meaning
from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import Display, Done, Notice, Output

pytestmark = [pytest.mark.kernel, pytest.mark.asyncio(loop_scope="module")]


def kept(found: list[Output]) -> Path:
    """The file that the one notice names."""
    (notice,) = [each for each in found if isinstance(each, Notice)]
    return Path(notice.text.split(" is in ")[1])


async def test_a_million_lines(kernel: JupyterKernel) -> None:
    found = await run(kernel, "for i in range(10**6): print(i)")
    assert found[-1] == Done("ok")
    shown = printed(found).splitlines()
    assert shown == [str(i) for i in range(SHOWN_LINES)]
    with kept(found).open() as rest_of_it:
        assert next(rest_of_it) == f"{SHOWN_LINES}\n"
        assert sum(1 for _ in rest_of_it) == 10**6 - SHOWN_LINES - 1


async def test_a_line_of_five_megabytes(kernel: JupyterKernel) -> None:
    found = await run(kernel, "print('x' * 5_000_000)")
    assert printed(found) == "x" * SHOWN_CHARACTERS
    assert kept(found).stat().st_size == 5_000_001 - SHOWN_CHARACTERS
    assert found[-1] == Done("ok")


async def test_the_next_cell_may_print_again(kernel: JupyterKernel) -> None:
    await run(kernel, "print('x' * 2_000_000)")
    assert printed(await run(kernel, "print('short')")) == "short\n"


async def test_a_childs_flood(kernel: JupyterKernel) -> None:
    found = await run(kernel, "import os; os.system('seq 30000');")
    assert printed(found) == "".join(f"{n}\n" for n in range(1, SHOWN_LINES + 1))
    assert kept(found).exists()


async def test_the_kernel_does_not_keep_what_it_printed(kernel: JupyterKernel) -> None:
    unit = "(1024 if sys.platform == 'darwin' else 1)"
    used = f"resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // {unit}"
    memory = f"import resource, sys; {used}"
    await run(kernel, "for i in range(10**5): print(i)")
    before = int(result(await run(kernel, memory)).text)
    await run(kernel, "for i in range(10**6): print(i)")
    after = int(result(await run(kernel, memory)).text)
    assert after - before < 20_000  # kilobytes; IPython alone would keep 60 000


async def test_a_huge_value_is_cut(kernel: JupyterKernel) -> None:
    found = await run(kernel, "'x' * 5_000_000")
    assert len(result(found).text) == meaning.VALUE_CHARACTERS
    assert any(isinstance(each, Notice) for each in found)


async def test_many_displays_end(kernel: JupyterKernel) -> None:
    found = await run(kernel, "for i in range(3000): display('x' * 1000)")
    shown = [each for each in found if isinstance(each, Display)]
    assert sum(len(each.text) for each in shown) <= meaning.SHOWN_CHARACTERS
    assert found[-1] == Done("ok")


async def test_a_flood_leaves_the_event_loop_free(kernel: JupyterKernel) -> None:
    """Something else that runs on the loop gets its turns between the messages."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.ensure_future(other())
    running = kernel.execute("while True: display('x' * 100)")
    await anext(running)
    before = turns
    for _ in range(200):
        await anext(running)
    assert turns > before
    await kernel.interrupt()
    assert (await rest(running))[-1] == Done("interrupted")
    task.cancel()


async def test_print_and_die(kernel: JupyterKernel) -> None:
    running = kernel.execute(
        "import os\nprint('last', flush=True); input()", stdin=True
    )
    await until_printed(running, "last")
    await kernel.kill()
    assert (await rest(running))[-1] == Done("died", "it was killed")
