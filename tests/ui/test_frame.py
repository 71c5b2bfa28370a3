"""The frame: what gives way in a narrow line, what is said, and a window too small."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.app import ComposeResult
from textual.content import Content

from tests.ui.conftest import SIZES, screen_text, wait_for_text, wait_until
from tests.ui.tutor_app import fake_kernel, in_lesson, make_app, running
from tutor import actions
from tutor.actions import Place
from tutor.kernel.base import KernelState
from tutor.safetext import safe
from tutor.ui.commands import TutorPalette
from tutor.ui.look import LookApp
from tutor.ui.screens.frame import FrameScreen, bindings
from tutor.ui.screens.help import HelpScreen
from tutor.ui.screens.home import HomeScreen
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.screens.stepper import StepperScreen
from tutor.ui.screens.why import WhyScreen
from tutor.ui.widgets.answer_lists import OrderList
from tutor.ui.widgets.frame_lines import KeyItem, TitleParts, fit_keys, fit_title
from tutor.ui.widgets.plain import Plain


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    return tmp_path


# ------------------------------------------------------------------- pure fitting


def title(width: int) -> str:
    parts = TitleParts(
        Content("2.7 Backpropagation"),
        (Content("●●◉○"), Content("3/4")),
        (Content("kernel idle · cpu"), Content("idle")),
    )
    return fit_title(parts, width, "…").plain


def test_a_title_line_gives_way_from_the_right() -> None:
    assert title(60) == "2.7 Backpropagation" + " " * 17 + "●●◉○   kernel idle · cpu"
    assert title(40).endswith("   ●●◉○   idle")
    assert title(32) == "2.7 Backpropagation   3/4   idle"
    assert title(24) == "2.7 Backpr…   3/4   idle"
    assert len(title(24)) == 24


def keys(width: int, count: int = 4) -> str:
    items = [KeyItem(str(number), "word") for number in range(count)]
    return fit_keys([*items, KeyItem("?", "help", stays=True)], width).plain


def test_a_footer_keeps_help_and_the_most_wanted() -> None:
    assert keys(60) == "0 word   1 word   2 word   3 word   ? help"
    assert keys(40) == "0 word  1 word  2 word  3 word  ? help"
    assert keys(30) == "0 word  1 word  2 word  ? help"
    assert keys(3) == "? help"


def test_a_footer_names_seven_keys_at_most() -> None:
    assert len(keys(200, count=12).split("   ")) == 7
    assert keys(200, count=12).endswith("? help")


# ------------------------------------------------------------------------- a screen


class SmallScreen(FrameScreen[None]):
    PLACE = "home"
    BINDINGS = bindings("home")

    def compose_content(self) -> ComposeResult:
        yield Plain("content [/b]")

    def about(self) -> str:
        return "This is a small thing."


class SmallApp(LookApp[None]):
    session = None
    kernel_state = KernelState.OFF

    def on_mount(self) -> None:
        self.push_screen(SmallScreen())


@pytest.mark.parametrize("size", [(39, 24), (80, 11), (10, 3), (1, 1)])
async def test_a_small_window_asks_for_room_and_keeps_the_screen(
    size: tuple[int, int],
) -> None:
    async with SmallApp().run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "content [/b]")
        await pilot.resize_terminal(*size)
        await wait_until(pilot, lambda: "content" not in screen_text(pilot.app))
        if size[0] >= 10:
            assert "make" in screen_text(pilot.app)
        await pilot.resize_terminal(40, 12)
        await wait_for_text(pilot, "content [/b]")


async def test_a_storm_of_sizes_ends_as_it_began() -> None:
    sizes = [(40, 12), (120, 40), (1, 1), (79, 19), (39, 50), (200, 60), (71, 12)] * 3
    async with in_lesson("step") as (pilot, screen):
        await pilot.press("e", "z", "escape")
        before = screen_text(pilot.app)
        for size in [*sizes, (80, 24)]:
            await pilot.resize_terminal(*size)
        await pilot.pause()
        screen._cells.bring_into_view()
        await wait_until(pilot, lambda: screen_text(pilot.app) == before)


async def test_a_sentence_goes_with_the_next_key() -> None:
    async with SmallApp().run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, SmallScreen)
        screen.say(safe("a file called [/red] is missing"))
        await wait_for_text(pilot, "[/red]")
        await pilot.press("z")
        await wait_until(pilot, lambda: "[/red]" not in screen_text(pilot.app))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_help_of_a_lesson(
    size: tuple[int, int], screen_snapshot: SnapshotAssertion
) -> None:
    async with in_lesson("guess", size=size) as (pilot, _):
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        await wait_for_text(pilot, "A question to answer")
        assert screen_text(pilot.app) == screen_snapshot
        await pilot.press("down", "pagedown", "question_mark")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, LessonScreen))


@pytest.mark.parametrize("place", ["home", "lesson", "stepper", "why"])
async def test_help_lists_every_key_of_the_screen(place: Place) -> None:
    async with SmallApp().run_test(size=(120, 80)) as pilot:
        pilot.app.push_screen(HelpScreen(place, "About this."))
        shown = " ".join((await wait_for_text(pilot, "About this.")).split())
        for row in (*actions.of(place), *actions.of("anywhere")):
            if row.keys:
                assert row.help in shown


@pytest.mark.parametrize(
    ("place", "owner"),
    [
        ("home", HomeScreen),
        ("lesson", LessonScreen),
        ("answer", OrderList),
        ("stepper", StepperScreen),
        ("why", WhyScreen),
        ("anywhere", FrameScreen),
    ],
)
def test_every_row_has_its_method(place: Place, owner: type) -> None:
    for row in actions.of(place):
        if row.keys or row.title:
            assert hasattr(owner, f"action_{row.id}"), row.id


@pytest.mark.slow
async def test_the_palette_runs_an_action_and_opens_a_section() -> None:
    async with running(make_app()) as pilot:
        await pilot.press("ctrl+p")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, TutorPalette))
        await pilot.press(*"light")
        await wait_for_text(pilot, "Colours: dark or light background")
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: pilot.app.theme == "tutor-light")
        await pilot.press("ctrl+p", *"effortless")
        await wait_for_text(pilot, "Section 2.8")
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, LessonScreen))


async def test_the_app_has_no_other_keys_than_the_table() -> None:
    async with running(make_app()) as pilot:
        known = {row.id for row in actions.ACTIONS}
        bound = {
            binding.action
            for _, bindings_map in pilot.app.screen._binding_chain
            for each in bindings_map.key_to_bindings.values()
            for binding in each
        }
        textuals_own = {action for action in bound if action not in known}
        assert textuals_own <= {
            "app.focus_next",
            "app.focus_previous",
            "screen.copy_text",
            "help_quit",
            "command_palette",
        }


async def test_a_death_is_no_longer_told_once_the_kernel_was_mended() -> None:
    kernel = fake_kernel()
    app = make_app(kernel)
    async with running(app) as pilot:
        home = screen_text(pilot.app)
        await pilot.press("c")
        await wait_for_text(pilot, "Console")
        kernel.die("segmentation fault (signal 11)")
        await wait_for_text(pilot, "The kernel is gone")
        await pilot.press("ctrl+n")
        await wait_for_text(pilot, "A new kernel")
        await pilot.press("escape")
        await wait_for_text(pilot, "PyTorch for the Impatient")
        assert "is gone" not in screen_text(pilot.app)
        assert screen_text(pilot.app) == home
