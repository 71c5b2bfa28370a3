"""The code editor: Python's keys, history, completion that never delays typing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.app import ComposeResult
from textual.events import Key, Paste
from textual.geometry import Offset, Region, Size
from textual.pilot import Pilot
from textual.widgets import Static

from tests.ui.conftest import SIZES, wait_for_text, wait_until
from tutor.kernel.base import Completion
from tutor.settings import Settings
from tutor.ui.look import LookApp
from tutor.ui.widgets.code_editor import CodeEditor
from tutor.ui.widgets.completion_list import CompletionList, placed

Complete = Callable[[str, int], Awaitable[Completion | None]]

NAMES = [
    "torch.nn.functional",
    "torch.nn.functools",
    "torch.nn.Flatten",
    "torch.nn.Linear",
    *(f"torch.nn.Layer{n}" for n in range(20)),
]


async def from_names(code: str, cursor: int) -> Completion:
    start = max(code.rfind(sign, 0, cursor) for sign in " (\n") + 1
    typed = code[start:cursor]
    found = tuple(name for name in NAMES if name.startswith(typed))
    return Completion(found, start, cursor)


class EditorApp(LookApp[None]):
    """One editor with something above and below it."""

    CSS = "Static { height: 3; } CodeEditor { max-height: 6; }"

    def __init__(
        self,
        text: str = "",
        *,
        history: list[str] | None = None,
        complete: Complete | None = None,
        console: bool = False,
        settings: Settings = Settings(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(settings)
        self.editor = CodeEditor(
            text,
            history=history or [],
            complete=complete,
            console=console,
        )
        self.submitted: list[str] = []
        self.edits = 0

    def compose(self) -> ComposeResult:
        yield Static("above\nabove\nabove")
        yield self.editor
        yield Static("below\nbelow\nbelow")

    def on_mount(self) -> None:
        self.editor.focus()
        self.editor.move_cursor(self.editor.document.end)

    def on_code_editor_submitted(self, event: CodeEditor.Submitted) -> None:
        self.submitted.append(event.code)

    def on_code_editor_edited(self, event: CodeEditor.Edited) -> None:
        self.edits += 1

    @property
    def offered(self) -> list[str]:
        """The names in the list, "" for a closed one."""
        lists = list(self.screen.query(CompletionList))
        if not lists or not lists[0].display:
            return []
        return list(lists[0].offer.matches)


async def write(pilot: Pilot[None], keys: str) -> None:
    """Type characters; \\n is Enter, \\t Tab, \\b Backspace."""
    names = {"\n": "enter", "\t": "tab", "\b": "backspace"}
    await pilot.press(*(names.get(each, each) for each in keys))
    await pilot.pause()


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("def f(x):\nreturn x", "def f(x):\n    return x"),
        ("if x:\nif y:\npass\nz", "if x:\n    if y:\n        pass\n    z"),
        ("if x:\n\b1", "if x:\n1"),
        ("if x:\n\t1", "if x:\n        1"),
        ("  \tx", "    x"),
        ("x = [\n1,\n2]\n3", "x = [\n    1,\n    2]\n3"),
        ("ab\b", "a"),
        ("a  \b", "a "),
    ],
)
async def test_keys_write_python(typed: str, text: str) -> None:
    app = EditorApp()
    async with app.run_test() as pilot:
        await write(pilot, typed)
        assert app.editor.text == text
        assert app.edits > 0
        assert not app.submitted


async def test_lines_move_left_and_right() -> None:
    app = EditorApp("if x:\n    a\n\n    b")
    async with app.run_test() as pilot:
        await pilot.press("shift+tab")
        assert app.editor.text == "if x:\n    a\n\nb"
        app.editor.select_all()
        await pilot.press("tab")
        assert app.editor.text == "    if x:\n        a\n\n    b"
        await pilot.press("shift+tab", "shift+tab")
        assert app.editor.text == "if x:\na\n\nb"


async def test_console_a_complete_statement_and_breaks_an_unfinished_one() -> None:
    app = EditorApp(console=True)
    async with app.run_test() as pilot:
        await write(pilot, "1 + 1\n")
        assert app.submitted == ["1 + 1"]
        assert app.editor.text == ""
        await write(pilot, "for i in x:\nf(i)\n")
        assert len(app.submitted) == 1
        assert app.editor.text == "for i in x:\n    f(i)\n    "
        await write(pilot, "\n")
        assert app.submitted[1] == "for i in x:\n    f(i)\n    "


async def test_keys_right_after_a_submission_are_of_the_next_statement() -> None:
    app = EditorApp(console=True)
    async with app.run_test() as pilot:
        for key, character in (("a", "a"), ("enter", "\r"), ("b", "b")):
            app.editor.post_message(Key(key, character))
        await wait_until(pilot, lambda: app.submitted)
        await pilot.pause()
        assert (app.submitted, app.editor.text) == (["a"], "b")


async def test_enter_in_the_middle_of_a_block_adds_a_line() -> None:
    app = EditorApp("if x:\n    a\n\n", console=True)
    async with app.run_test() as pilot:
        app.editor.move_cursor((0, 5))
        await write(pilot, "\nb")
        assert app.editor.text == "if x:\n    b\n    a\n\n"


@pytest.mark.parametrize("key", ["ctrl+r", "ctrl+enter", "alt+enter"])
async def test_some_keys_always_submit(key: str) -> None:
    app = EditorApp("if x:")
    async with app.run_test() as pilot:
        await pilot.press(key)
        assert app.submitted == ["if x:"]
        app.editor.clear()
        await pilot.press("space", key, "enter")
        assert app.submitted == ["if x:"]


async def test_shift_enter_never_submits() -> None:
    app = EditorApp("1", console=True)
    async with app.run_test() as pilot:
        await pilot.press("shift+enter")
        assert app.editor.text == "1\n"
        assert not app.submitted


async def test_history_by_up_and_down_and_by_prefix() -> None:
    app = EditorApp(history=["x = 1", "def f():\n    return 2", "y = 3"])
    async with app.run_test() as pilot:
        seen = []
        for key in ["up", "up", "up", "up", "down", "down", "down", "down"]:
            await pilot.press(key)
            seen.append(app.editor.text)
        back = ["y = 3", "def f():\n    return 2", "x = 1", "x = 1"]
        assert seen == [*back, *back[-3::-1], "", ""]
        await write(pilot, "x")
        await pilot.press("up")
        assert app.editor.text == "x = 1"
        await pilot.press("up")
        assert app.editor.text == "x = 1"


async def test_up_inside_several_lines_moves_the_cursor() -> None:
    app = EditorApp("a\nb", history=["old"])
    async with app.run_test() as pilot:
        await pilot.press("up")
        assert app.editor.text == "a\nb"
        await pilot.press("up")
        assert app.editor.text == "old"
        await pilot.press("down")
        assert app.editor.text == "a\nb"


async def test_a_paste_is_text_and_submits_nothing() -> None:
    app = EditorApp(console=True)
    async with app.run_test() as pilot:
        app.editor.post_message(Paste("if x:\r\n\ty\x1b[201~\x1b]52;c;x\x07\r\n"))
        await wait_until(pilot, lambda: app.editor.text)
        assert app.editor.text == "if x:\n    y\n"
        assert not app.submitted
        await pilot.press("ctrl+z")
        assert app.editor.text == ""


async def test_a_read_only_editor_takes_no_key() -> None:
    app = EditorApp("x", complete=from_names)
    async with app.run_test() as pilot:
        app.editor.read_only = True
        await write(pilot, "y\n\t\b")
        assert app.editor.text == "x"


async def test_esc_is_left_to_the_screen() -> None:
    app = EditorApp("x")
    heard: list[int] = []
    async with app.run_test() as pilot:
        app.screen._bindings.bind("escape", "app.heard")
        app.action_heard = lambda: heard.append(1)  # type: ignore[attr-defined]
        await pilot.press("escape")
        await wait_until(pilot, lambda: heard)
        assert app.focused is app.editor


# -------------------------------------------------------------------------- completion


async def test_a_single_match_is_inserted() -> None:
    app = EditorApp(complete=from_names)
    async with app.run_test() as pilot:
        await write(pilot, "x = torch.nn.Fl\t")
        await wait_until(pilot, lambda: app.editor.text == "x = torch.nn.Flatten")
        assert not app.offered


async def test_what_is_certain_is_inserted_and_the_rest_offered() -> None:
    app = EditorApp(complete=from_names)
    async with app.run_test() as pilot:
        await write(pilot, "torch.nn.fu\t")
        await wait_until(pilot, lambda: app.offered)
        assert app.editor.text == "torch.nn.funct"
        await pilot.press("down", "enter")
        assert app.editor.text == "torch.nn.functools"
        assert not app.offered
        assert not app.submitted


async def test_typing_narrows_the_list_and_deleting_widens_it() -> None:
    app = EditorApp(complete=from_names)
    async with app.run_test() as pilot:
        await write(pilot, "torch.nn.\t")
        await wait_until(pilot, lambda: len(app.offered) == 24)
        await write(pilot, "f")
        assert app.offered == ["torch.nn.functional", "torch.nn.functools"]
        await write(pilot, "\b")
        assert len(app.offered) == 24
        await write(pilot, "q")
        assert not app.offered


@pytest.mark.parametrize("key", ["escape", "left", "space", "ctrl+a", "("])
async def test_the_list_closes(key: str) -> None:
    app = EditorApp(complete=from_names)
    async with app.run_test() as pilot:
        await write(pilot, "torch.nn.\t")
        await wait_until(pilot, lambda: app.offered)
        count = 10 if key == "left" else 1
        await pilot.press(*[key] * count)
        await wait_until(pilot, lambda: not app.offered)
        assert app.focused is app.editor


async def test_the_list_closes_with_the_focus() -> None:
    app = EditorApp(complete=from_names)
    async with app.run_test() as pilot:
        await write(pilot, "torch.nn.\t")
        await wait_until(pilot, lambda: app.offered)
        app.screen.set_focus(None)
        await wait_until(pilot, lambda: not app.offered)


class Slow:
    """A kernel that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()

    async def complete(self, code: str, cursor: int) -> Completion | None:
        self.asked.append(code)
        await self.may_answer.wait()
        return await from_names(code, cursor)


async def test_typing_goes_on_while_the_kernel_thinks_and_a_late_answer_is_dropped() -> (
    None
):
    kernel = Slow()
    app = EditorApp(complete=kernel.complete)
    async with app.run_test() as pilot:
        await write(pilot, "torch.nn.fu\t")
        await wait_until(pilot, lambda: kernel.asked == ["torch.nn.fu"])
        await write(pilot, "nction(1)")
        assert app.editor.text == "torch.nn.function(1)"
        kernel.may_answer.set()
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert app.editor.text == "torch.nn.function(1)"
        assert not app.offered


async def test_no_answer_changes_nothing() -> None:
    async def busy(code: str, cursor: int) -> Completion | None:
        return None

    app = EditorApp(complete=busy)
    async with app.run_test() as pilot:
        await write(pilot, "torch.\t")
        await pilot.app.workers.wait_for_complete()
        assert app.editor.text == "torch."
        assert not app.offered


async def test_a_dot_after_an_offered_name_asks_anew() -> None:
    async def layers(code: str, cursor: int) -> Completion:
        names = (
            ("torch", "torchvision") if "." not in code else ("torch.nn", "torch.no")
        )
        return Completion(names, 0, cursor)

    app = EditorApp(complete=layers)
    async with app.run_test() as pilot:
        await write(pilot, "torch\t")
        await wait_until(pilot, lambda: app.offered)
        await write(pilot, ".")
        await wait_until(pilot, lambda: app.offered == ["torch.nn", "torch.no"])
        assert app.editor.text == "torch."


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_beside_the_cursor(
    size: tuple[int, int], screen_snapshot: SnapshotAssertion
) -> None:
    app = EditorApp("def f(x):\n    return ", complete=from_names)
    async with app.run_test(size=size) as pilot:
        await write(pilot, "torch.nn.\t")
        await wait_until(pilot, lambda: app.offered)
        await pilot.press(*["down"] * 9)
        shown = await wait_for_text(pilot, "Layer14")
        assert "    return torch.nn." in shown
        assert shown == screen_snapshot


@pytest.mark.parametrize(
    ("cursor", "screen", "region"),
    [
        ((10, 2), (80, 24), (7, 3, 20, 8)),  # below
        ((10, 20), (80, 24), (7, 12, 20, 8)),  # above, touching the line
        ((10, 5), (40, 12), (7, 6, 20, 6)),  # no room for all: the larger side
        ((10, 7), (40, 12), (7, 0, 20, 7)),
        ((79, 2), (80, 24), (60, 3, 20, 8)),  # kept on the screen
        ((0, 0), (80, 24), (0, 1, 20, 8)),
        ((5, 0), (10, 1), (0, 1, 10, 0)),  # no room at all
    ],
)
def test_the_list_never_covers_the_line(
    cursor: tuple[int, int], screen: tuple[int, int], region: tuple[int, int, int, int]
) -> None:
    found = placed(Offset(*cursor), 2, Size(20, 8), Size(*screen))
    assert found == Region(*region)
    assert not found.y <= cursor[1] < found.bottom


# ----------------------------------------------------------------------------- looks


async def test_code_is_coloured_line_by_line() -> None:
    app = EditorApp('def f(x):\n    """two\n    lines"""\n    return x  # why')
    async with app.run_test() as pilot:
        await wait_for_text(pilot, "# why")
        strips = app.screen._compositor.render_strips()
        bold = [each.text for each in strips[3] if each.style and each.style.bold]
        assert bold == ["f"]


@pytest.mark.parametrize("link", ["slow", "fast"])
async def test_the_cursor_blinks_on_a_fast_link_only(link: str) -> None:
    settings = Settings(link="slow" if link == "slow" else "fast")
    app = EditorApp(settings=settings)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.editor.cursor_blink is (link == "fast")
