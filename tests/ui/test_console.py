"""The console: typed, executed, shown; on a screen of its own and after it was left."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.events import Key
from textual.pilot import Pilot

from tests.fake_kernel import FakeKernel
from tests.stored_traces import stored
from tests.ui.conftest import SIZES, screen_text, wait_for_text, wait_until
from tests.ui.tutor_app import make_app, running
from tutor.console import GREETING
from tutor.kernel.base import Completion
from tutor.kernel.outputs import (
    Failure,
    InputRequest,
    Output,
    Payload,
    Recording,
    Result,
    Stream,
)
from tutor.packing import packed
from tutor.progress import Progress
from tutor.session import Session
from tutor.training.watched import Watched
from tutor.ui.look import LookApp
from tutor.ui.screens.console import ConsoleScreen
from tutor.ui.screens.stepper import StepperScreen
from tutor.ui.screens.training import TrainingScreen
from tutor.ui.widgets.code_editor import CodeEditor
from tutor.ui.widgets.console_pane import ConsolePane, console_of
from tutor.ui.widgets.input_row import InputLine
from tutor.wire import Message


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    return tmp_path


class ConsoleApp(LookApp[None]):
    """The console over an empty screen, as the app opens it."""

    def __init__(self, kernel: FakeKernel, folder: Path | None = None) -> None:
        super().__init__()
        self.session = Session(lambda options: kernel, Progress(folder))
        self.kernel_state = kernel.state
        self.session.kernel.watch(self._hear)

    def _hear(self, state: Any) -> None:
        self.kernel_state = state
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.kernel_state = state

    def on_mount(self) -> None:
        self.push_screen(ConsoleScreen(self.session))

    async def on_unmount(self) -> None:
        await self.session.close()

    @property
    def editor(self) -> CodeEditor:
        return self.screen.query_one(CodeEditor)

    @property
    def pane(self) -> ConsolePane:
        return self.screen.query_one(ConsolePane)


async def type_code(pilot: Pilot[Any], code: str) -> None:
    await pilot.press(*("enter" if each == "\n" else each for each in code))


X = Result("tensor([1., 2.])", "shape (2,) · float32 · cpu · requires_grad")
TORCH = "import torch.nn.functional as F"
FAILURE = Failure(
    "ZeroDivisionError",
    "division by zero",
    "\x1b[36mcell, line 1\x1b[0m\n    1/0\n"
    "\x1b[1;31mZeroDivisionError\x1b[0m: division by zero",
)
PLAIN: dict[str, list[Output]] = {
    "x": [X],
    "1/0": [FAILURE],
    "p": [Stream("stdout", "a\nb\n")],
}


@pytest.mark.parametrize("size", SIZES)
async def test_the_console(
    size: tuple[int, int], screen_snapshot: SnapshotAssertion
) -> None:
    app = ConsoleApp(FakeKernel(PLAIN))
    async with app.run_test(size=size) as pilot:
        await wait_for_text(pilot, TORCH)
        await type_code(pilot, "x\n1/0\ndef f(x):\nreturn x")
        await wait_for_text(pilot, "division by zero")
        await wait_until(pilot, lambda: not app.pane.console.busy)
        await wait_until(pilot, lambda: app.editor.size.height == 2)
        assert await wait_for_text(pilot, "kernel idle") == screen_snapshot


async def test_a_first_look_explains_itself(screen_snapshot: SnapshotAssertion) -> None:
    app = ConsoleApp(FakeKernel())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, TORCH)
        await wait_until(pilot, lambda: not app.pane.console.busy)
        assert await wait_for_text(pilot, "kernel idle") == screen_snapshot


async def test_what_is_typed_is_executed_and_echoed() -> None:
    kernel = FakeKernel(PLAIN)
    app = ConsoleApp(kernel)
    async with app.run_test() as pilot:
        await type_code(pilot, "x\n")
        shown = await wait_for_text(pilot, "shape (2,) · float32 · cpu · requires_grad")
        assert ">>> x\n tensor([1., 2.])\n" in shown
        assert kernel.codes[-1] == "x"
        assert app.editor.text == ""
        await pilot.press("up")
        assert app.editor.text == "x"


async def test_a_block_is_executed_after_an_empty_line() -> None:
    kernel = FakeKernel()
    app = ConsoleApp(kernel)
    async with app.run_test() as pilot:
        await type_code(pilot, "for i in x:\nprint(i)\n\n")
        shown = await wait_for_text(pilot, "...     print(i)")
        assert ">>> for i in x:" in shown
        await wait_until(pilot, lambda: len(kernel.codes) == 2)
        assert kernel.codes[-1].rstrip() == "for i in x:\n    print(i)"


async def endless() -> AsyncIterator[Output]:
    yield Stream("stdout", "begun\n")
    await asyncio.Event().wait()


async def stubborn() -> AsyncIterator[Output]:
    yield Stream("stdout", "begun\n")
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


async def test_ctrl_c_interrupts_and_typing_goes_on_meanwhile() -> None:
    app = ConsoleApp(FakeKernel({"endless": endless()}))
    async with app.run_test() as pilot:
        await type_code(pilot, "endless\n")
        shown = await wait_for_text(pilot, "begun")
        await wait_for_text(pilot, "^c stop")
        await type_code(pilot, "half")
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "KeyboardInterrupt")
        shown = await wait_for_text(pilot, "kernel idle")
        assert ">>> half" in shown
        assert "^c stop" not in shown


async def test_a_second_ctrl_c_kills_and_a_restart_is_offered() -> None:
    kernel = FakeKernel({"stubborn": stubborn()})
    app = ConsoleApp(kernel)
    async with app.run_test() as pilot:
        await type_code(pilot, "stubborn\n")
        await wait_for_text(pilot, "begun")
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "kernel interrupting")
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "The kernel died: it was killed.")
        await wait_for_text(pilot, "^n restart")
        await pilot.press("ctrl+n")
        await wait_for_text(pilot, "A new kernel: the names so far are gone.")
        await wait_until(pilot, lambda: kernel.starts == 2)
        await type_code(pilot, "1\n")
        await wait_until(pilot, lambda: kernel.codes[-1] == "1")
        assert kernel.codes[-2] == GREETING
        assert "was run again" not in screen_text(app)


async def test_ctrl_c_with_nothing_running_empties_the_line_and_keeps_it() -> None:
    app = ConsoleApp(FakeKernel())
    async with app.run_test() as pilot:
        await wait_for_text(pilot, "kernel idle")
        await type_code(pilot, "oops")
        await pilot.press("ctrl+c")
        await wait_until(pilot, lambda: app.editor.text == "")
        await pilot.press("ctrl+z")
        assert app.editor.text == "oops"


async def test_ctrl_c_copies_what_is_marked() -> None:
    app = ConsoleApp(FakeKernel(PLAIN))
    async with app.run_test() as pilot:
        await type_code(pilot, "x\n")
        await wait_for_text(pilot, "kernel idle")
        await wait_for_text(pilot, "tensor([1., 2.])")
        await type_code(pilot, "typed")
        y = screen_text(app).split("\n").index(" tensor([1., 2.])")
        await pilot.mouse_down(offset=(8, y))
        await pilot.hover(offset=(9, y))
        await pilot.mouse_up(offset=(9, y))
        await wait_until(pilot, app.screen.get_selected_text)
        await pilot.press("ctrl+c")
        assert app.clipboard == "[1"
        assert app.editor.text == "typed"
        await pilot.press("ctrl+c")
        assert app.editor.text == ""


async def test_input_is_answered_in_the_console() -> None:
    async def asking() -> AsyncIterator[Output]:
        yield InputRequest("name? ")
        yield Result(repr(await kernel.replied()))

    kernel = FakeKernel({"ask": asking()})
    app = ConsoleApp(kernel)
    async with app.run_test() as pilot:
        await type_code(pilot, "ask\n")
        await wait_until(pilot, lambda: isinstance(app.focused, InputLine))
        assert app.focused is not None
        for each in "Ada\rb":  # as fast as a line that lagged behind
            app.focused.post_message(Key("enter" if each == "\r" else each, each))
        shown = await wait_for_text(pilot, "'Ada'")
        assert "name? Ada" in shown
        await wait_for_text(pilot, ">>> b")
        await wait_until(pilot, lambda: app.focused is app.editor)


async def test_the_waiting_is_seen_below_a_full_screen_of_output() -> None:
    async def asking() -> AsyncIterator[Output]:
        yield Stream("stdout", "x\n" * 100)
        await gate.wait()
        yield InputRequest("name? ")
        await kernel.replied()

    gate = asyncio.Event()
    kernel = FakeKernel({"ask": asking()})
    app = ConsoleApp(kernel)
    async with app.run_test() as pilot:
        await type_code(pilot, "ask\n")
        await wait_for_text(pilot, "running")
        gate.set()
        await wait_for_text(pilot, "name?")
        assert "running" not in screen_text(app)


async def test_esc_at_input_interrupts_the_cell() -> None:
    async def asking() -> AsyncIterator[Output]:
        yield InputRequest("name? ")
        await asyncio.Event().wait()

    app = ConsoleApp(FakeKernel({"ask": asking()}))
    async with app.run_test() as pilot:
        await type_code(pilot, "ask\n")
        await wait_until(pilot, lambda: isinstance(app.focused, InputLine))
        await pilot.press("escape")
        await wait_for_text(pilot, "KeyboardInterrupt")
        await wait_until(pilot, lambda: app.focused is app.editor)
        assert isinstance(app.screen, ConsoleScreen)


async def test_left_and_opened_again_it_is_as_it_was() -> None:
    async def asking() -> AsyncIterator[Output]:
        yield Stream("stdout", "begun\n")
        await gate.wait()
        yield InputRequest("name? ")
        yield Result(repr(await kernel.replied()))

    gate = asyncio.Event()
    kernel = FakeKernel({"ask": asking()})
    app = ConsoleApp(kernel)
    async with app.run_test() as pilot:
        await type_code(pilot, "ask\n")
        await wait_for_text(pilot, "begun")
        await type_code(pilot, "half a li")
        await pilot.press("escape")
        await wait_until(pilot, lambda: not isinstance(app.screen, ConsoleScreen))
        gate.set()
        await wait_until(pilot, lambda: console_of(app, app.session).asked)
        app.push_screen(ConsoleScreen(app.session))
        await wait_for_text(pilot, "name?")
        await wait_until(pilot, lambda: isinstance(app.focused, InputLine))
        await type_code(pilot, "Ada\n")
        assert ">>> half a li" in await wait_for_text(pilot, "'Ada'")


async def test_two_panes_show_one_console() -> None:
    async def asking() -> AsyncIterator[Output]:
        yield InputRequest("name? ")
        await kernel.replied()
        await asyncio.Event().wait()

    kernel = FakeKernel({"ask": asking()})
    app = ConsoleApp(kernel)
    async with app.run_test() as pilot:
        below = app.screen
        await type_code(pilot, "ask\n")
        await wait_until(pilot, lambda: isinstance(app.focused, InputLine))
        app.push_screen(ConsoleScreen(app.session))
        await wait_until(pilot, lambda: app.screen is not below)
        await wait_until(pilot, lambda: isinstance(app.focused, InputLine))
        await type_code(pilot, "Ada\n")
        await wait_for_text(pilot, "name? Ada")
        await wait_until(pilot, lambda: not below.query(InputLine))


async def test_a_draft_is_there_after_a_restart_of_the_tutor(home: Path) -> None:
    app = ConsoleApp(FakeKernel(), home)
    async with app.run_test() as pilot:
        await wait_for_text(pilot, TORCH)
        await type_code(pilot, "half a li")
        console = app.pane.console
        await wait_until(pilot, lambda: app.session.console_draft == console.draft)
    again = ConsoleApp(FakeKernel(), home)
    async with again.run_test() as pilot:
        await wait_for_text(pilot, ">>> half a li")


async def test_history_is_there_after_a_restart_of_the_tutor(home: Path) -> None:
    for _ in range(2):
        app = ConsoleApp(FakeKernel())
        async with app.run_test() as pilot:
            await wait_for_text(pilot, TORCH)
            await type_code(pilot, "x = 1\n")
            await wait_for_text(pilot, ">>> x = 1")
    app = ConsoleApp(FakeKernel())
    async with app.run_test() as pilot:
        await wait_for_text(pilot, TORCH)
        await pilot.press("up", "up")
        await wait_for_text(pilot, ">>> x = 1")
        assert len((home / "console-history.jsonl").read_text().splitlines()) == 1


async def test_clear_and_scrolling_leave_the_text_alone() -> None:
    numbers = "".join(f"{n}\n" for n in range(100))
    app = ConsoleApp(FakeKernel({"p": [Stream("stdout", numbers)]}))
    async with app.run_test() as pilot:
        await type_code(pilot, "p\n")
        await wait_for_text(pilot, "99")
        await type_code(pilot, "typed")
        await pilot.press("pageup")
        await wait_until(pilot, lambda: "99" not in screen_text(app))
        await pilot.press("pagedown")
        await wait_for_text(pilot, "99")
        await pilot.press("ctrl+l")
        await wait_until(pilot, lambda: "99" not in screen_text(app))
        assert app.editor.text == "typed"


async def test_completion_asks_the_kernel() -> None:
    found = Completion(("torch.nn.functional",), 0, 11)
    app = ConsoleApp(FakeKernel(completions={"torch.nn.fu": found}))
    async with app.run_test() as pilot:
        await wait_for_text(pilot, "kernel idle")
        await type_code(pilot, "torch.nn.fu")
        await pilot.press("tab")
        await wait_until(pilot, lambda: app.editor.text == "torch.nn.functional")


async def test_the_offered_names_leave_the_footer_readable() -> None:
    found = Completion(("abc", "abd"), 0, 1)
    app = ConsoleApp(FakeKernel(completions={"a": found}))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "kernel idle")
        await type_code(pilot, "a")
        footer = screen_text(app).splitlines()[-2:]
        await pilot.press("tab")
        shown = await wait_for_text(pilot, "abd")
        assert shown.splitlines()[-2:] == footer


async def test_esc_closes_the_list_before_it_leaves() -> None:
    found = Completion(("abc", "abd"), 0, 1)
    app = ConsoleApp(FakeKernel(completions={"a": found}))
    async with app.run_test() as pilot:
        await wait_for_text(pilot, "kernel idle")
        await type_code(pilot, "a")
        await pilot.press("tab")
        await wait_for_text(pilot, "abd")
        await pilot.press("escape")
        await wait_until(pilot, lambda: "abd" not in screen_text(app))
        assert isinstance(app.screen, ConsoleScreen)


async def test_a_kernel_that_cannot_start_is_said() -> None:
    app = ConsoleApp(FakeKernel(start_error="torch is missing: install it."))
    async with app.run_test() as pilot:
        await wait_for_text(pilot, "torch is missing: install it.")


async def test_escape_codes_and_markup_are_shown_and_not_obeyed() -> None:
    hostile = (
        "\x1b]0;owned\x07\x1b[2J[/nope][@click=app.quit]x[/] \x1b]52;c;aGk=\x07end"
    )
    answers = {"p": [Stream("stdout", hostile), Result(hostile, hostile)]}
    app = ConsoleApp(FakeKernel(answers))
    async with app.run_test(size=(120, 40)) as pilot:
        await type_code(pilot, "p\n")
        shown = await wait_for_text(pilot, "[/nope][@click=app.quit]x[/] end")
        assert "owned" not in shown


WALKS: dict[str, list[Output]] = {
    "walk": [Recording(stored("seed")), Result("tensor(22.)")],
    "bad": [Recording(stored("seed")), FAILURE],
}


async def test_a_walk_that_was_asked_for_opens_and_leads_back(home: Path) -> None:
    app = make_app(FakeKernel(WALKS), home=home)
    async with running(app) as pilot:
        app.open_console()
        await wait_for_text(pilot, TORCH)
        await type_code(pilot, "walk\n")
        await wait_until(pilot, lambda: isinstance(app.screen, StepperScreen))
        await wait_for_text(pilot, "nothing is computed yet")
        await pilot.press("right", "right", "escape")
        await wait_until(pilot, lambda: isinstance(app.screen, ConsoleScreen))
        shown = screen_text(app)
        assert "recorded: 4 ops, 1 pass, 2 leaves. F2 walks through it." in shown
        assert "tensor(22.)" in shown
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, StepperScreen))
        await wait_for_text(pilot, "2 of 10")  # where it was left
        await pilot.press("f2")
        assert len(app.screen_stack) == 3


def watched_loop() -> AsyncIterator[Output]:
    """A cell that watches its loop, and goes on until it is stopped."""

    async def outputs() -> AsyncIterator[Output]:
        body = Watched("loss", 0, packed([4.0, 2.0, 1.0]))
        yield Payload(Message("watched-1-1", 0, body))
        await asyncio.Event().wait()

    return outputs()


async def test_a_watched_loop_is_said_and_shown_while_it_runs(home: Path) -> None:
    app = make_app(FakeKernel({"loop": watched_loop()}), home=home)
    async with running(app) as pilot:
        app.open_console()
        await wait_for_text(pilot, TORCH)
        await pilot.press("ctrl+t")
        await wait_for_text(pilot, "No loop was watched yet")
        await type_code(pilot, "loop\n")
        await wait_for_text(pilot, "Your loop is watched. F3 shows its curve.")
        await pilot.press("f3")
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        await pilot.press("f3")
        assert len(app.screen_stack) == 3
        await pilot.press("escape")
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "KeyboardInterrupt")


async def test_a_walk_waits_where_something_went_wrong(home: Path) -> None:
    app = make_app(FakeKernel(WALKS), home=home)
    async with running(app) as pilot:
        app.open_console()
        await wait_for_text(pilot, TORCH)
        await pilot.press("ctrl+g")
        await wait_for_text(pilot, "Nothing was recorded yet")
        await type_code(pilot, "bad\n")
        await wait_for_text(pilot, "division by zero")
        console = console_of(app, app._session_now())
        await wait_until(pilot, lambda: not console.busy)
        await pilot.pause()
        assert isinstance(app.screen, ConsoleScreen)
        await pilot.press("ctrl+g")
        await wait_until(pilot, lambda: isinstance(app.screen, StepperScreen))
