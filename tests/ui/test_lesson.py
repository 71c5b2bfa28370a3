"""A lesson's screen: how each kind of cell looks, and what the keys do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.fake_kernel import FakeKernel
from tests.ui.conftest import SIZES, screen_text, wait_for_text, wait_until
from tests.ui.tutor_app import ONCE, RIGHT, fake_kernel, go_to, in_lesson, make_app
from tutor.kernel.base import KernelState
from tutor.kernel.outputs import Failure, InputRequest, Stream
from tutor.progress import Progress
from tutor.session import Session
from tutor.ui.screens.home import HomeScreen
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.widgets.code_cell_view import CodeCellView
from tutor.ui.widgets.console_pane import ConsolePane


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    return tmp_path


def code_view(screen: LessonScreen) -> CodeCellView:
    view = screen.view
    assert isinstance(view, CodeCellView)
    return view


async def write(pilot: Pilot[None], screen: LessonScreen, code: str) -> None:
    """Put code into the current cell's editor, as if it was typed."""
    await pilot.press("e")
    code_view(screen).editor.text = code
    await pilot.pause()


async def settled(pilot: Pilot[None], screen: LessonScreen) -> None:
    """No cell runs, and what it said is drawn."""
    await wait_until(pilot, lambda: not code_view(screen).busy)
    await pilot.pause()


# ------------------------------------------------------------------- how it looks


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_first_cell(
    size: tuple[int, int], screen_snapshot: SnapshotAssertion
) -> None:
    async with in_lesson(size=size) as (pilot, _):
        await wait_for_text(pilot, "idle")
        assert screen_text(pilot.app) == screen_snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_failing_check_while_editing(
    size: tuple[int, int], screen_snapshot: SnapshotAssertion
) -> None:
    async with in_lesson("step", size=size) as (pilot, screen):
        await pilot.press("enter", "ctrl+k")
        await settled(pilot, screen)
        await wait_for_text(pilot, "a hint (1 of")
        assert screen_text(pilot.app) == screen_snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_passing_check_with_hints_and_a_console(
    size: tuple[int, int], screen_snapshot: SnapshotAssertion
) -> None:
    async with in_lesson("step", size=size) as (pilot, screen):
        await pilot.press("h", "h")
        await write(pilot, screen, RIGHT)
        await pilot.press("ctrl+k")
        await settled(pilot, screen)
        assert screen.mode == "command"
        if size[0] == 120:
            await pilot.press("grave_accent")
            await wait_for_text(pilot, ">>>")
            await wait_until(pilot, lambda: screen.mode == "edit")
        await pilot.pause()
        assert screen_text(pilot.app) == screen_snapshot


@pytest.mark.parametrize("cell", ["twice", "guess", "walk", "race", "which", "loop"])
async def test_each_kind_of_cell(cell: str, screen_snapshot: SnapshotAssertion) -> None:
    async with in_lesson(cell) as (pilot, _):
        await wait_for_text(pilot, "idle")
        assert screen_text(pilot.app) == screen_snapshot


async def test_everything_done_folds_to_what_was_answered(
    home: Path, screen_snapshot: SnapshotAssertion
) -> None:
    before = Progress(home)
    for cell, text in {
        "adds": "",
        "twice": ONCE,
        "guess": "67.6",
        "step": RIGHT,
        "walk": "",
        "which": "2",
        "loop": "1 2 3",
    }.items():
        before.record("passed", "2.8", cell, text)
    before.record("skipped", "2.8", "race")
    before.record("place", "2.8", "sort")
    before.close()
    async with in_lesson(home=home) as (pilot, screen):
        assert screen.view.cell.id == "sort"
        await pilot.press("enter", "2")
        assert screen_text(pilot.app) == screen_snapshot


# -------------------------------------------------------------------- what it does


async def test_code_runs_and_enter_goes_on(home: Path) -> None:
    async with in_lesson("twice", home=home) as (pilot, screen):
        await pilot.press("enter")
        await wait_for_text(pilot, "shape (1,) · float32 · cpu")
        await wait_until(pilot, lambda: screen.view.progress.done)
        assert "✓ ran" in screen_text(pilot.app)
        await pilot.press("enter")
        assert screen.view.cell.id == "guess"


async def test_a_race_that_was_seen_is_opened_again(home: Path) -> None:
    before = Progress(home)
    before.record("passed", "2.8", "race")
    before.record("place", "2.8", "race")
    before.close()
    async with in_lesson(home=home) as (pilot, screen):
        text = await wait_for_text(pilot, "s opens the training screen again")
        assert "s watch" in text
        assert "gd, sgd · lr 0.05" in text
        assert "↵ go on" in text
        await pilot.press("s")
        await wait_for_text(pilot, "iteration 0 of")
        await pilot.press("escape", "enter")
        assert screen.view.cell.id == "which"


async def test_the_tick_is_drawn_after_the_record(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown_at_record: list[str] = []
    record = Progress.record

    async with in_lesson("step", home=home) as (pilot, screen):

        def watched(progress: Progress, kind: Any, *rest: str) -> None:
            if kind == "passed":
                shown_at_record.append(screen_text(pilot.app))
            record(progress, kind, *rest)

        monkeypatch.setattr(Progress, "record", watched)
        await write(pilot, screen, RIGHT)
        await pilot.press("ctrl+k")
        await wait_for_text(pilot, "✓ The update is no part")
        assert len(shown_at_record) == 1
        assert "✓ The update" not in shown_at_record[0]


async def test_a_wrong_try_then_hints_then_the_solution_then_right() -> None:
    async with in_lesson("step") as (pilot, screen):
        await pilot.press("ctrl+k")
        await wait_for_text(pilot, "✗ You bound a new w")
        shown = await wait_for_text(pilot, "h for a hint (1 of 2)")
        assert "wanted [0.08]" in shown
        await pilot.press("h")
        await wait_for_text(pilot, "1 of 2  Who should not watch")
        await pilot.press("h", "h")
        shown = await wait_for_text(pilot, "A solution")
        assert "w -= lr * w.grad" in shown
        assert screen.view.progress.solution_shown
        await write(pilot, screen, RIGHT)
        await pilot.press("ctrl+k")
        await wait_for_text(pilot, "✓ The update is no part of the function.")
        assert screen.mode == "command"


async def test_running_an_exercise_judges_nothing() -> None:
    kernel = fake_kernel()
    async with in_lesson("step", kernel=kernel) as (pilot, screen):
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: kernel.codes)
        await settled(pilot, screen)
        assert screen.view.progress.tries == 0
        assert "✗" not in screen_text(pilot.app)


async def test_a_number_is_begun_by_its_first_digit() -> None:
    async with in_lesson("guess") as (pilot, screen):
        await pilot.press("3", "3", ".", "8", "enter")
        await wait_for_text(pilot, "✗ It is added to what was there.")
        await pilot.press("ctrl+u", *"two", "enter")
        await wait_for_text(pilot, "Write a number")
        await pilot.press("ctrl+u", *"67.6", "enter")
        await wait_for_text(pilot, "✓ Right.")
        assert screen.focused is None
        await pilot.press("enter")
        await wait_for_text(pilot, "✓ you said 67.6")


async def test_a_choice_is_its_digit_or_the_cursor() -> None:
    async with in_lesson("which") as (pilot, screen):
        await pilot.press("1")
        await wait_for_text(pilot, "✗ The ones between were given back.")
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: screen.view.progress.done)
        await pilot.press("enter")
        await wait_for_text(pilot, "✓ you said the leaves that req")


async def test_an_order_is_made_by_carrying() -> None:
    async with in_lesson("loop") as (pilot, screen):
        await pilot.press("enter")
        for word in ITEMS:
            await carry(pilot, word)
        await pilot.press("enter")
        await wait_until(pilot, lambda: screen.view.progress.done)


ITEMS = ["compute", "call", "update"]


async def carry(pilot: Pilot[None], word: str) -> None:
    """Bring an item up to where it belongs, with the keys."""

    def now() -> int:
        rows = [row for row in screen_text(pilot.app).split("\n") if "▌" in row]
        items = [row for row in rows if any(f"  {each}" in row for each in ITEMS)]
        return next(at for at, row in enumerate(items) if f"  {word}" in row)

    await pilot.press(*["up"] * 3, *["down"] * now())
    await pilot.press("space", *["up"] * (now() - ITEMS.index(word)), "space")


async def test_groups_ask_for_every_member_first() -> None:
    async with in_lesson("sort") as (pilot, screen):
        await pilot.press("enter", "enter")
        await wait_for_text(pilot, "Give each a group first: press 1 or 2.")
        for _ in range(3):
            rows = screen_text(pilot.app).split("\n")
            row = next(each for each in rows if "▸ " in each)
            await pilot.press("1" if "a leaf" in row else "2")
        await pilot.press("enter")
        await wait_until(pilot, lambda: screen.view.progress.done)


async def test_skip_leaves_a_mark_and_goes_on() -> None:
    async with in_lesson("step") as (pilot, screen):
        await pilot.press("x")
        assert screen.view.cell.id == "walk"
        assert "◌ skipped" in screen_text(pilot.app)


async def test_the_end_of_the_lesson_names_what_is_open() -> None:
    async with in_lesson("sort") as (pilot, _):
        await pilot.press("n")
        await wait_for_text(
            pilot, "That was the last cell. Still open: 2, 3, 4, 5, 6, 7"
        )


# ------------------------------------------------------------------ modes and drafts


async def test_letters_are_keys_in_command_mode_only() -> None:
    async with in_lesson("step") as (pilot, screen):
        await pilot.press("e", "x", "h", "n", "question_mark")
        assert screen.view.cell.id == "step"
        assert code_view(screen).code.startswith("xhn?")
        assert "editing" in screen_text(pilot.app)
        await pilot.press("escape")
        assert screen.mode == "command"
        assert "editing" not in screen_text(pilot.app)
        await pilot.press("n")
        assert screen.view.cell.id == "walk"


async def test_esc_goes_up_level_by_level_and_loses_nothing(home: Path) -> None:
    async with in_lesson("step", home=home) as (pilot, screen):
        await pilot.press("e", "z", "escape", "escape")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        assert screen.session.progress.lesson("2.8").cell("step").draft is not None
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, LessonScreen))
        again = pilot.app.screen
        assert isinstance(again, LessonScreen)
        assert again.view.cell.id == "step"
        assert code_view(again).code.startswith("z")


async def test_starting_over_is_undone_by_the_same_key() -> None:
    async with in_lesson("step") as (pilot, screen):
        await pilot.press("e", "z", "escape", "u")
        await wait_for_text(pilot, "u once more brings yours")
        assert code_view(screen).code == "def step(w, lr):\n    ____"
        await pilot.press("u")
        await wait_for_text(pilot, "Your text is back.")
        assert code_view(screen).code.startswith("z")


async def test_what_is_typed_is_kept_while_typing_goes_on(home: Path) -> None:
    async with in_lesson("step", home=home) as (pilot, screen):
        await pilot.press("e", "z")
        kept = screen.session.progress.lesson("2.8").cell("step")
        await wait_until(pilot, lambda: (kept.draft or "").startswith("z"))
        assert screen.mode == "edit"


async def test_a_resumed_lesson_replays_what_was_done(home: Path) -> None:
    async with in_lesson("twice", home=home) as (pilot, screen):
        await pilot.press("enter")
        await wait_until(pilot, lambda: screen.view.progress.done)
    kernel = fake_kernel()
    async with in_lesson(home=home, kernel=kernel) as (_, screen):
        assert screen.view.cell.id == "twice"
        assert kernel.codes == [ONCE]


async def test_a_full_disk_is_told_of_once(home: Path) -> None:
    async with in_lesson("guess", home=home) as (pilot, screen):
        screen.session.progress.notices.append(
            "Progress is not being saved: [/x] full."
        )
        await pilot.press("1", "enter")
        await wait_for_text(pilot, "Progress is not being saved: [/x] full.")
        await pilot.press("2")
        assert "Progress is not" not in screen_text(pilot.app)


# ------------------------------------------------------------------------ the kernel


async def endless() -> AsyncIterator[Any]:
    yield Stream("stdout", "working\n")
    await asyncio.Event().wait()


async def deaf() -> AsyncIterator[Any]:
    """Swallows an interrupt."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    yield Stream("stdout", "no\n")
    await asyncio.Event().wait()


def kernel_running(cell: Callable[[], AsyncIterator[Any]]) -> FakeKernel:
    return fake_kernel(lambda code: cell() if code == ONCE else [])


async def test_ctrl_c_stops_a_running_cell_also_while_editing() -> None:
    async with in_lesson("twice", kernel=kernel_running(endless)) as (pilot, screen):
        await pilot.press("e", "ctrl+r")
        shown = await wait_for_text(pilot, "working")
        await wait_for_text(pilot, "^c stop")
        assert "kernel busy" in shown
        await pilot.press("ctrl+c")
        await settled(pilot, screen)
        await wait_for_text(pilot, "kernel idle")
        assert not screen.view.progress.done


async def test_leaving_stops_a_running_cell_but_not_unasked() -> None:
    kernel = kernel_running(endless)
    async with in_lesson("twice", kernel=kernel) as (pilot, screen):
        progress = screen.view.progress
        await pilot.press("enter")
        await wait_for_text(pilot, "working")
        await pilot.press("escape")
        await wait_for_text(pilot, "Cell 2 still runs. Esc once more stops it")
        assert kernel.state is KernelState.BUSY
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        await wait_until(pilot, lambda: kernel.state is KernelState.IDLE)
        assert not progress.done


async def test_a_deaf_cell_is_offered_a_restart_and_killed_by_a_second_ctrl_c(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tutor.ui.screens.kernel_care.PATIENCE_S", 0.01)
    kernel = kernel_running(deaf)
    async with in_lesson("twice", kernel=kernel) as (pilot, screen):
        await pilot.press("enter")
        await wait_until(pilot, lambda: kernel.state is KernelState.BUSY)
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "^n restart and replay   ^c stop")
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "The kernel is gone: it was killed.")
        await settled(pilot, screen)
        await pilot.press("ctrl+n")
        await wait_for_text(pilot, "A new kernel; what you had finished")
        assert kernel.state is KernelState.IDLE


async def test_a_dead_kernel_is_told_of_and_restarted() -> None:
    kernel = fake_kernel()
    async with in_lesson("twice", kernel=kernel) as (pilot, _):
        kernel.die("segmentation fault (signal 11)")
        shown = await wait_for_text(pilot, "segmentation fault (signal 11)")
        assert "^n restart and replay" in shown
        assert "kernel dead" in shown
        await pilot.press("ctrl+n")
        await wait_for_text(pilot, "kernel idle")


async def test_a_kernel_that_cannot_start_leaves_the_text_readable() -> None:
    kernel = FakeKernel(start_error="torch cannot be imported: no module [/torch]")
    app = make_app(kernel, section="2.8")
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LessonScreen))
        shown = await wait_for_text(pilot, "torch cannot be imported")
        assert "[/torch]" in shown
        assert "Each call of backward()" in shown
        await pilot.press("n", "enter")
        await wait_for_text(pilot, "torch cannot be imported")
    assert app.session is not None
    await app.session.close()


async def test_input_is_asked_for_below_the_cell() -> None:
    kernel = FakeKernel()

    async def asking() -> AsyncIterator[Any]:
        yield InputRequest("your name? ")
        yield Stream("stdout", f"hello {await kernel.replied()}\n")

    kernel.answers = lambda code: asking() if code == ONCE else []
    kernel.calls.update(fake_kernel().calls)
    async with in_lesson("twice", kernel=kernel) as (pilot, screen):
        await pilot.press("enter")
        await wait_for_text(pilot, "your name?")
        await wait_until(pilot, lambda: screen.mode == "edit")
        await pilot.press(*"ada", "enter")
        await wait_for_text(pilot, "hello ada")
        await settled(pilot, screen)


async def test_an_error_is_shown_under_the_cell_with_its_colours_not_its_codes() -> (
    None
):
    failure = Failure(
        "ZeroDivisionError",
        "division by zero",
        "line 1\n\x1b[31mZeroDivisionError\x1b[0m: division [/by] zero",
        1,
    )
    async with in_lesson("twice", kernel=fake_kernel({ONCE: [failure]})) as (pilot, _):
        await pilot.press("enter")
        shown = await wait_for_text(pilot, "ZeroDivisionError: division [/by] zero")
        assert "\x1b" not in shown


# ----------------------------------------------------------------------- the console


async def test_the_console_comes_and_goes_and_the_lesson_stays() -> None:
    async with in_lesson("twice") as (pilot, screen):
        await pilot.press("grave_accent")
        await wait_until(pilot, lambda: screen.query(ConsolePane))
        await wait_until(pilot, lambda: screen.mode == "edit")
        await pilot.press("n", "escape")
        assert screen.view.cell.id == "twice"
        await pilot.press("grave_accent")
        assert not screen.has_class("-console")
        await pilot.press("n")
        assert screen.view.cell.id == "guess"


async def test_the_session_is_one_for_lesson_and_console() -> None:
    async with in_lesson() as (pilot, screen):
        await pilot.press("grave_accent")
        await wait_until(pilot, lambda: screen.query(ConsolePane))
        pane = screen.query_one(ConsolePane)
        session: Session | None = pilot.app.session  # type: ignore[attr-defined]
        assert pane._session is screen.session is session
        await go_to_first(pilot, screen)


async def go_to_first(pilot: Pilot[None], screen: LessonScreen) -> None:
    await pilot.press("escape", "g")
    await go_to(pilot, screen, "adds")


async def test_a_long_line_loses_nothing_when_the_scrollbar_comes() -> None:
    line = ",".join(f"{number:03}" for number in range(60))
    kernel = fake_kernel({"x": [Stream("stdout", f"{line}\n" * 40)]})
    async with in_lesson(kernel=kernel, size=(120, 40)) as (pilot, screen):
        await pilot.press("grave_accent")
        await wait_until(pilot, lambda: screen.query(ConsolePane))
        await pilot.press("x", "enter")
        await wait_for_text(pilot, "057,058,059")
        rows = [row.rpartition("│")[2] for row in screen_text(pilot.app).split("\n")]
        assert line in "".join(row[1:44].rstrip(" ▁▂▃▄▅▆▇") for row in rows)
