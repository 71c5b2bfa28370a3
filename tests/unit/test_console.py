"""The console's own life: turns, input(), interrupts, restarts, drafts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from tests.fake_kernel import FakeKernel
from tutor.console import GREETING, Console
from tutor.history import History
from tutor.kernel.outputs import Done, InputRequest, Output, Result, Stream
from tutor.progress import Progress
from tutor.session import Session


def console(kernel: FakeKernel, folder: Path | None = None) -> Console:
    return Console(Session(lambda options: kernel, Progress(folder)), History())


def shown(made: Console) -> list[str]:
    return [line.text.plain for cell in made.transcript.cells for line in cell]


async def settled(made: Console) -> None:
    """Until nothing runs or waits."""
    done = asyncio.Event()
    unwatch = made.watch(lambda output: None if made.busy else done.set())
    if made.busy:
        async with asyncio.timeout(30):
            await done.wait()
    unwatch()


async def heard(made: Console, kind: type[Output]) -> None:
    """Until an output of that kind came."""
    came = asyncio.Event()
    unwatch = made.watch(
        lambda output: came.set() if isinstance(output, kind) else None
    )
    async with asyncio.timeout(30):
        await came.wait()
    unwatch()


async def test_torch_is_at_hand_before_the_first_statement() -> None:
    made = console(FakeKernel({"1": [Result("1")]}))
    made.greet()
    made.execute("1")
    await settled(made)
    assert shown(made) == [*GREETING.split("\n"), "1", "1"]
    assert made.history.entries == ["1"]


async def test_statements_take_turns() -> None:
    kernel = FakeKernel({"a": [Stream("stdout", "from a")], "b": [Result("from b")]})
    made = console(kernel)
    made.greet()
    await settled(made)
    made.clear()
    made.execute("a")
    made.execute("b")
    await settled(made)
    assert shown(made) == ["a", "from a", "b", "from b"]


async def endless() -> AsyncIterator[Output]:
    yield Stream("stdout", "begun\n")
    await asyncio.Event().wait()


async def test_an_interrupt_forgets_what_waits_and_says_so() -> None:
    kernel = FakeKernel({"endless": endless()})
    made = console(kernel)
    for code in ("endless", "b", "c"):
        made.execute(code)
    await heard(made, Stream)
    await made.session.interrupt()
    await settled(made)
    assert shown(made)[-3:] == [
        "begun",
        "KeyboardInterrupt",
        "The 2 statements waiting behind it did not run.",
    ]
    assert "b" not in kernel.codes
    assert made.history.entries == ["endless", "b", "c"]


async def test_input_is_asked_and_answered() -> None:
    async def asking() -> AsyncIterator[Output]:
        yield InputRequest("name? ")
        yield Stream("stdout", f"hello {await kernel.replied()}\n")

    kernel = FakeKernel({"ask": asking()})
    made = console(kernel)
    made.execute("ask")
    await heard(made, InputRequest)
    asked = [made.asked]
    made.reply("Ada")
    asked.append(made.asked)
    assert asked == [InputRequest("name? "), None]
    await settled(made)
    assert shown(made)[-1] == "hello Ada"
    assert kernel.executed[-1].stdin


async def test_a_death_is_said_and_a_restart_has_torch_again() -> None:
    kernel = FakeKernel({"die": [Done("died", "segmentation fault (signal 11)")]})
    made = console(kernel)
    made.execute("die")
    await settled(made)
    assert shown(made)[-1] == "The kernel died: segmentation fault (signal 11)."
    made.execute("x")
    await settled(made)
    assert kernel.codes == [GREETING, "die"]
    await made.session.restart()
    made.execute("x")
    await settled(made)
    assert kernel.codes == [GREETING, "die", GREETING, "x"]
    assert "A new kernel: the names so far are gone." in shown(made)


async def test_a_kernel_that_cannot_start_is_said() -> None:
    made = console(FakeKernel(start_error="No Python here: install one."))
    made.execute("x")
    await settled(made)
    assert shown(made)[-1] == "No Python here: install one."
    assert not made.busy


async def test_a_draft_survives_the_tutor(tmp_path: Path) -> None:
    made = console(FakeKernel(), tmp_path)
    made.draft = "half a stat"
    made.keep_draft()
    made.keep_draft()
    await made.session.close()
    assert console(FakeKernel(), tmp_path).draft == "half a stat"
    files = list((tmp_path / "progress").iterdir())
    assert len(files[0].read_text().splitlines()) == 1


async def test_who_stopped_watching_hears_nothing() -> None:
    made = console(FakeKernel())
    outputs: list[Output | None] = []
    unwatch = made.watch(outputs.append)
    made.clear()
    unwatch()
    made.clear()
    assert outputs == [None]
