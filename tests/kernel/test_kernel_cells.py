"""What cells say, in one kernel."""

import asyncio
from pathlib import Path

import pytest

from tests.kernel.cells import failure, printed, rest, result, run, until_printed
from tests.kernel.conftest import DEADLINE_S, process
from tutor.kernel.base import KernelState
from tutor.kernel.jupyter import JupyterKernel
from tutor.kernel.outputs import (
    Clear,
    Display,
    Done,
    Failure,
    InputRequest,
    Notice,
    Result,
    Stream,
)

pytestmark = [pytest.mark.kernel, pytest.mark.asyncio(loop_scope="module")]


async def test_result_and_streams_in_order(kernel: JupyterKernel) -> None:
    found = await run(
        kernel, "import sys\nprint('a')\nprint('b', file=sys.stderr)\n6*7"
    )
    assert found == [
        Stream("stdout", "a\n"),
        Stream("stderr", "b\n"),
        Result("42"),
        Done("ok"),
    ]


async def test_output_comes_while_the_cell_runs(kernel: JupyterKernel) -> None:
    running = kernel.execute("print('first', flush=True)\ninput()", stdin=True)
    await until_printed(running, "first")
    assert await anext(running) == InputRequest("")
    kernel.reply("")
    assert (await rest(running))[-1] == Done("ok")


async def test_names_stay_from_cell_to_cell(kernel: JupyterKernel) -> None:
    await run(kernel, "kept = 3")
    assert result(await run(kernel, "kept + 1")) == Result("4")


async def test_quiet_changes_no_history(kernel: JupyterKernel) -> None:
    count = "get_ipython().execution_count"
    before = result(await run(kernel, count))
    assert await run(kernel, "123456", quiet=True) == [Done("ok")]
    after = result(await run(kernel, f"{count}, _"))
    assert after.text == f"({int(before.text) + 1}, {before.text})"


async def test_executes_take_their_turn(kernel: JupyterKernel) -> None:
    first = kernel.execute("order = ['first']")
    second = kernel.execute("order.append('second')")
    third = kernel.execute("order")
    assert result(await rest(third)).text == "['first', 'second']"
    assert await rest(second) == await rest(first) == [Done("ok")]


async def test_nobody_has_to_read(kernel: JupyterKernel) -> None:
    """A cell goes on, and nothing is lost, while its outputs are not iterated."""
    unread = kernel.execute("for i in range(2000): display(i)")
    await run(kernel, "pass")
    assert kernel.state is KernelState.IDLE
    found = await rest(unread)
    assert [each.text for each in found[:-1] if isinstance(each, Display)] == [
        str(i) for i in range(2000)
    ]


async def test_failure_names_the_learners_line(kernel: JupyterKernel) -> None:
    found = await run(kernel, "def half(x):\n    return 1 / x\n\nhalf(0)")
    raised = failure(found)
    assert (raised.ename, raised.evalue) == ("ZeroDivisionError", "division by zero")
    assert raised.line == 2
    assert "cell, line 4" in raised.traceback
    assert "ipykernel" not in raised.traceback
    assert found[-1] == Done("error")


async def test_syntax_error_has_its_line(kernel: JupyterKernel) -> None:
    raised = failure(await run(kernel, "x = 1\ny = = 2"))
    assert (raised.ename, raised.line) == ("SyntaxError", 2)
    assert "y = = 2" in raised.traceback


async def test_error_in_an_earlier_cell(kernel: JupyterKernel) -> None:
    await run(kernel, "def broken():\n    raise ValueError('here')")
    raised = failure(await run(kernel, "\nbroken()"))
    assert raised.line == 2
    assert "an earlier cell, line 2, in broken" in raised.traceback


async def test_an_exception_that_cannot_be_shown(kernel: JupyterKernel) -> None:
    code = "class Bad(Exception):\n    def __str__(self): return 1/0\nraise Bad"
    found = await run(kernel, code)
    assert failure(found).ename == "Bad"
    assert found[1:] == [Done("error")]  # and no notice of a reply that was lost


async def test_deep_recursion_is_short(kernel: JupyterKernel) -> None:
    raised = failure(await run(kernel, "def f(n): return f(n + 1)\nf(0)"))
    assert "times more" in raised.traceback
    assert raised.traceback.count("\n") < 30


@pytest.mark.parametrize("way", ["exit()", "quit()", "exit", "quit"])
async def test_exit_keeps_the_kernel(kernel: JupyterKernel, way: str) -> None:
    found = await run(kernel, way)
    assert [type(each) for each in found] == [Notice, Done]
    assert printed(await run(kernel, "print('here')")) == "here\n"


async def test_system_exit_keeps_the_kernel(kernel: JupyterKernel) -> None:
    found = await run(kernel, "import sys; sys.exit(3)")
    assert "keeps running" in failure(found).traceback
    assert found[-1] == Done("error")
    assert "To exit" not in printed(found, "stderr")


async def test_escapes_and_markup_are_text(kernel: JupyterKernel) -> None:
    text = "\x1b[2J\x1b]0;title\x07\x9b5n [/nope] [link=http://evil]A[/link]"
    found = await run(kernel, f"print({text!r}); {text!r}")
    assert printed(found) == text + "\n"
    assert result(found).text == repr(text)


async def test_input_is_answered(kernel: JupyterKernel) -> None:
    running = kernel.execute("name = input('Name? '); print(name)", stdin=True)
    assert await anext(running) == InputRequest("Name? ")
    kernel.reply("Ada é")
    assert printed(await rest(running)) == "Ada é\n"


async def test_a_password_is_marked(kernel: JupyterKernel) -> None:
    running = kernel.execute("import getpass; getpass.getpass('Key: ')", stdin=True)
    assert await anext(running) == InputRequest("Key: ", password=True)
    kernel.reply("secret")
    assert result(await rest(running)).text == "'secret'"


async def test_input_is_refused_clearly(kernel: JupyterKernel) -> None:
    found = await run(kernel, "input('Name? ')")
    assert "cannot ask" in failure(found).evalue
    assert found[-1] == Done("error")


async def test_an_interrupt_ends_input(kernel: JupyterKernel) -> None:
    running = kernel.execute("input()", stdin=True)
    assert await anext(running) == InputRequest("")
    await kernel.interrupt()
    assert (await rest(running))[-1] == Done("interrupted")


@pytest.mark.parametrize(
    "breaking",
    ["sys.stdout.close()", "sys.stdout = None", "sys.stderr = sys.stdout = 3"],
)
async def test_streams_come_back(kernel: JupyterKernel, breaking: str) -> None:
    found = await run(kernel, f"import sys\n{breaking}")
    assert found[-1] == Done("ok")
    assert printed(await run(kernel, "print('still here')")) == "still here\n"


async def test_what_children_and_c_code_print(kernel: JupyterKernel) -> None:
    found = await run(kernel, "import os\nos.system('echo out; echo err >&2');")
    assert (printed(found), printed(found, "stderr")) == ("out\n", "err\n")
    assert printed(await run(kernel, "os.write(1, b'raw')\nNone")) == "raw"
    code = (
        "import subprocess, sys; subprocess.run(['echo', 'given'], stdout=sys.stdout)"
    )
    assert printed(await run(kernel, code)) == "given\n"


async def test_characters_of_children_are_whole(kernel: JupyterKernel) -> None:
    child = "import sys; sys.stdout.buffer.write('é€😀'.encode() * 3000)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]);"
    assert printed(await run(kernel, code)) == "é€😀" * 3000


async def test_nothing_of_a_child_is_late(kernel: JupyterKernel) -> None:
    await run(kernel, "import os, sys; sys.setswitchinterval(1)")  # the worst for it
    for number in range(50):
        found = await run(kernel, f"os.write(1, b'{number}'); None")
        assert printed(found) == f"{number}"
    await run(kernel, "sys.setswitchinterval(0.005)")


async def test_a_descriptor_that_is_closed(kernel: JupyterKernel) -> None:
    assert (await run(kernel, "import os; os.close(1); os.close(2)"))[-1] == Done("ok")
    assert printed(await run(kernel, "print('still here')")) == "still here\n"
    await kernel.restart()


async def test_colours_are_not_forced_on_children(kernel: JupyterKernel) -> None:
    names = "[n for n in os.environ if 'COLOR' in n]"
    assert result(await run(kernel, f"import os; {names}")).text == "[]"


async def test_half_characters(kernel: JupyterKernel) -> None:
    """Lone surrogates: refused in code, escaped in output; neither loses a message."""
    found = await run(kernel, "x = 1\nprint('\ud800')")
    assert failure(found).line == 2
    assert found[-1] == Done("error")
    found = await run(kernel, "print(chr(0xd800) + '!'); raise ValueError(chr(0xdfff))")
    assert printed(found) == "\\ud800!\n"
    assert failure(found).evalue == "\\udfff"


async def test_output_can_be_cleared(kernel: JupyterKernel) -> None:
    code = (
        "from IPython.display import clear_output\n"
        "print(1, flush=True); clear_output(); print(2, flush=True)\n"
        "clear_output(wait=True); print(3)"
    )
    stream = [Stream("stdout", f"{n}\n") for n in (1, 2, 3)]
    expected = [stream[0], Clear(), stream[1], Clear(), stream[2], Done("ok")]
    assert await run(kernel, code) == expected


async def test_help_is_shown(kernel: JupyterKernel) -> None:
    await run(kernel, "def f():\n    'What f does.'")
    (shown,) = [each for each in await run(kernel, "f?") if isinstance(each, Display)]
    assert "What f does." in shown.text


async def test_top_level_await(kernel: JupyterKernel) -> None:
    found = await run(kernel, "import asyncio\nawait asyncio.sleep(0, 'waited')")
    assert result(found).text == "'waited'"


async def test_completion(kernel: JupyterKernel) -> None:
    await run(kernel, "class Thing:\n    long_name = 1\nthing = Thing()")
    code = "é = thing.lon + 1"
    async with asyncio.timeout(DEADLINE_S):
        while (found := await kernel.complete(code, 13)) is None:
            pass  # the first answer of a fresh kernel may take too long
    assert [
        code[: found.start] + each + code[found.end :] for each in found.matches
    ] == ["é = thing.long_name + 1"]


async def test_completion_never_waits_for_a_cell(kernel: JupyterKernel) -> None:
    running = kernel.execute("input()", stdin=True)
    await anext(running)
    assert await kernel.complete("pri", 3) is None
    kernel.reply("")
    await rest(running)


async def test_late_output_of_a_thread_is_not_lost(kernel: JupyterKernel) -> None:
    code = (
        "import threading\n"
        "go = threading.Event()\n"
        "def late():\n    go.wait()\n    print('late')\n"
        "thread = threading.Thread(target=late)\nthread.start()"
    )
    assert printed(await run(kernel, code)) == ""
    assert printed(await run(kernel, "go.set()\nthread.join()")) == "late\n"


async def test_states_are_told_in_order(kernel: JupyterKernel) -> None:
    told: list[KernelState] = []
    idle = asyncio.Event()

    def hear(state: KernelState) -> None:
        told.append(state)
        if state is KernelState.IDLE:
            idle.set()

    kernel.watch(hear)
    running = kernel.execute("print('go', flush=True)\nwhile True: pass")
    await until_printed(running, "go")
    await kernel.interrupt()
    await rest(running)
    async with asyncio.timeout(DEADLINE_S):
        await idle.wait()  # told a moment after the last output
    assert told == [KernelState.BUSY, KernelState.INTERRUPTING, KernelState.IDLE]


async def test_sockets_are_for_us_alone(kernel: JupyterKernel, home: Path) -> None:
    folder = process(kernel).folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "connection.json").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in folder.glob("socket-*")} == {
        f"socket-{port}" for port in range(1, 6)
    }
    assert (home / "kernel.log").stat().st_mode & 0o777 == 0o600


async def test_refused_outputs_are_no_failure(kernel: JupyterKernel) -> None:
    code = "class Odd:\n    def __repr__(self): raise ValueError('no repr')\nOdd()"
    found = await run(kernel, code)
    assert any(isinstance(each, Failure) or printed(found, "stderr") for each in found)
    assert isinstance(found[-1], Done)
