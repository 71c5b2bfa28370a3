"""The output log: what comes is seen, in order, aligned, bounded; input() is answered."""

from collections.abc import Iterator
from typing import Any

import pytest
from rich.segment import Segment
from textual.app import ComposeResult
from textual.widgets import Input

from tests.ui.conftest import SIZES, screen_text, wait_for_text, wait_until
from tutor.kernel.outputs import (
    Clear,
    Done,
    Failure,
    InputRequest,
    Notice,
    Output,
    Result,
    Stream,
)
from tutor.settings import Settings
from tutor.ui.look import LookApp
from tutor.ui.widgets.cells import fitted, height, wrapped
from tutor.ui.widgets.input_row import InputLine
from tutor.ui.widgets.output_lines import OutputLines
from tutor.ui.widgets.output_log import OutputLog

OUTPUTS: list[Output] = [
    Stream("stdout", "epoch 1\nepoch 2\n\x1b[32mgreen\x1b[0m [/nope] [bold]x[/]\n"),
    Stream("stderr", "UserWarning: something is deprecated and goes on for a while\n"),
    Result(
        "tensor([[1., 2.],\n        [3., 4.]], requires_grad=True)",
        "shape (2, 2) · float32 · cpu · requires_grad",
    ),
    Notice("More than 10 000 lines: the rest is in a file."),
    Failure("ValueError", "no", "  line 2\n    f(x)\n\x1b[1;31mValueError\x1b[0m: no"),
    Done("error"),
]


class LogApp(LookApp[None]):
    """One log, and what it posts."""

    CSS = "OutputLog { height: 1fr; & OutputLines { max-height: 100%; } }"

    def __init__(self, settings: Settings = Settings()) -> None:  # noqa: B008 - frozen
        super().__init__(settings)
        self.posted: list[object] = []

    def compose(self) -> ComposeResult:
        yield OutputLog()
        yield Input(id="other", compact=True)

    def on_output_log_replied(self, event: OutputLog.Replied) -> None:
        self.posted.append(event.text)

    def on_output_log_input_cancelled(self, event: OutputLog.InputCancelled) -> None:
        self.posted.append("cancelled")

    @property
    def log_view(self) -> OutputLog:
        return self.query_one(OutputLog)

    def feed(self, *outputs: Output) -> None:
        for output in outputs:
            self.log_view.feed(output)


@pytest.mark.parametrize("size", SIZES)
async def test_all_kinds(size: tuple[int, int], screen_snapshot: Any) -> None:
    app = LogApp()
    async with app.run_test(size=size) as pilot:
        app.log_view.begin("for epoch in range(2):\n    train()")
        app.feed(*OUTPUTS)
        await wait_for_text(pilot, "ValueError: no")
        assert screen_text(app) == screen_snapshot


async def test_in_ascii_no_other_character_is_drawn() -> None:
    app = LogApp(Settings(glyphs="ascii"))
    async with app.run_test() as pilot:
        app.feed(*OUTPUTS, Result("漢字 π …", "shape () · cpu"))
        await wait_for_text(pilot, "shape () - cpu")
        assert screen_text(app).isascii()


def segments(app: LogApp) -> Iterator[Segment]:
    for strip in app.screen._compositor.render_strips():
        yield from strip


async def test_a_colour_of_the_cell_is_one_of_the_terminals() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        app.feed(Stream("stdout", "\x1b[38;2;255;0;0mred\x1b[0m plain"))
        await wait_for_text(pilot, "red plain")
        styles = {each.text: each.style for each in segments(app) if each.style}
        colour = styles["red"].color
        assert colour is not None
        assert colour.number == 9
        assert styles[" plain"].color is None or styles[" plain"].color.is_default


async def test_an_echo_is_coloured_as_code() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        app.log_view.begin("def f(x):\n    return 'a'")
        await wait_for_text(pilot, "return 'a'")
        styles = {each.text: each.style for each in segments(app) if each.style}
        assert styles["f"].bold
        assert styles["def"].color != styles["(x):"].color
        assert styles["'a'"].color != styles["(x):"].color


async def test_another_theme_colours_what_was_drawn() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        app.feed(Stream("stderr", "careful"))
        await wait_for_text(pilot, "careful")

        def colours() -> list[object]:
            found = [each.style for each in segments(app) if each.text == "careful"]
            return [style and style.color for style in found]

        before = colours()
        app.theme = "tutor-light"
        await wait_until(pilot, lambda: colours() != before)


async def test_no_colour_code_without_colour() -> None:
    app = LogApp(Settings(colour=False))
    async with app.run_test() as pilot:
        app.feed(*OUTPUTS)
        await wait_for_text(pilot, "ValueError: no")
        for each in segments(app):
            assert each.style is None or each.style.color is None, each


async def test_the_end_is_followed_until_the_learner_looks_back() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        lines = app.query_one(OutputLines)
        app.feed(Stream("stdout", "".join(f"{n}\n" for n in range(100))))
        await wait_for_text(pilot, "99")
        lines.scroll_home(animate=False)
        await wait_for_text(pilot, "0\n1\n2")
        app.feed(Stream("stdout", "more\n"))
        await wait_until(pilot, lambda: lines.virtual_size.height == 101)
        assert screen_text(app).startswith("0")
        lines.scroll_end(animate=False)
        await wait_for_text(pilot, "more")
        app.feed(Stream("stdout", "and more\n"))
        await wait_for_text(pilot, "and more")


async def test_a_flood_is_bounded_and_its_end_is_seen() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        for start in range(0, 200_000, 2000):
            text = "".join(f"line {n}\n" for n in range(start, start + 2000))
            app.feed(Stream("stdout", text))
        app.feed(Done("ok"))
        await wait_for_text(pilot, "line 199999")
        assert app.query_one(OutputLines).virtual_size.height == 10_001


async def test_lines_wrap_again_when_the_width_changes() -> None:
    app = LogApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.feed(Stream("stdout", "x" * 100 + "\n" + "漢" * 30))
        await wait_for_text(pilot, "漢")
        assert app.query_one(OutputLines).virtual_size.height == 3 + 2
        await pilot.resize_terminal(120, 40)
        await wait_until(
            pilot, lambda: app.query_one(OutputLines).virtual_size.height == 2
        )
        assert "x" * 100 in screen_text(app)


async def test_clear_by_the_cell_and_by_the_screen() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        app.feed(Stream("stdout", "first"), Clear(), Stream("stdout", "second"))
        assert "first" not in await wait_for_text(pilot, "second")
        app.log_view.clear()
        await wait_until(pilot, lambda: "second" not in screen_text(app))


async def test_input_is_asked_and_answered_and_the_focus_comes_back() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        other = app.query_one("#other", Input)
        other.focus()
        await pilot.pause()
        app.feed(InputRequest("[b]name?[/b] \x1b[2J"))
        await wait_for_text(pilot, "[b]name?[/b]")
        await wait_until(pilot, lambda: isinstance(app.focused, InputLine))
        await pilot.press(*"Ada", "enter")
        await wait_for_text(pilot, "[b]name?[/b] Ada")
        await wait_until(pilot, lambda: app.focused is other)
        assert app.posted == ["Ada"]


async def test_a_long_prompt_stands_above_and_a_password_is_not_shown() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        app.feed(InputRequest("first line\nsecret: ", password=True))
        await wait_for_text(pilot, "secret:")
        await wait_until(pilot, lambda: isinstance(app.focused, InputLine))
        await pilot.press(*"hush")
        assert "hush" not in screen_text(app)
        await pilot.press("enter")
        await wait_for_text(pilot, "secret: ****")
        assert app.posted == ["hush"]


async def test_esc_refuses_and_the_end_of_the_cell_takes_the_row_away() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        app.feed(InputRequest("name? "))
        await wait_until(pilot, lambda: isinstance(app.focused, InputLine))
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.posted == ["cancelled"])
        app.feed(InputRequest("again? "))
        await wait_for_text(pilot, "again?")
        app.feed(Done("died", "killed (signal 9)"))
        await wait_until(pilot, lambda: "again?" not in screen_text(app))
        await wait_for_text(pilot, "The kernel died: killed (signal 9).")


@pytest.mark.slow
async def test_a_long_wait_says_how_to_stop_it() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        app.log_view.busy = True
        await wait_for_text(pilot, "running")
        await wait_for_text(pilot, "^c stops it")
        app.feed(Done("ok"))
        await wait_until(pilot, lambda: "running" not in screen_text(app))
        assert not app.log_view.busy


async def test_what_a_wait_is_for_is_said() -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        app.log_view.waits_for = "the kernel is starting"
        app.log_view.busy = True
        await wait_for_text(pilot, "the kernel is starting")
        app.log_view.waits_for = ""
        await wait_for_text(pilot, "running")


async def test_many_outputs_are_painted_few_times_and_the_end_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = LogApp()
    async with app.run_test() as pilot:
        await pilot.pause()
        paints = []
        update = OutputLines.update

        def counted(lines: OutputLines) -> None:
            paints.append(lines)
            update(lines)

        monkeypatch.setattr(OutputLines, "update", counted)
        monkeypatch.setattr("tutor.ui.widgets.output_log.monotonic", lambda: 1e9)
        for n in range(500):
            app.feed(Stream("stdout", f"{n}\n"))
        assert 1 <= len(paints) <= 4
        app.feed(Done("ok"))
        assert len(paints) <= 5
        await wait_for_text(pilot, "499")


async def test_outputs_can_be_selected_and_copied() -> None:
    app = LogApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.feed(Stream("stdout", "x" * 50 + "y\nlast"))
        await wait_for_text(pilot, "last")
        await pilot.mouse_down(OutputLines, offset=(2, 0))
        await pilot.hover(OutputLines, offset=(2, 2))
        await pilot.mouse_up(OutputLines, offset=(2, 2))
        await wait_until(pilot, app.screen.get_selected_text)
        assert app.screen.get_selected_text() == "x" * 48 + "y\nlas"
        marked = app.screen.get_component_rich_style("screen--selection").bgcolor
        found = [
            each.text
            for each in segments(app)
            if each.style and each.style.bgcolor == marked
        ]
        assert "".join(found).rstrip() == "x" * 48 + "ylas"


@pytest.mark.parametrize(
    ("text", "width", "parts"),
    [
        ("", 5, [""]),
        ("abcdef", 3, ["abc", "def"]),
        ("漢字漢", 4, ["漢字", "漢"]),
        ("a漢字", 4, ["a漢", "字"]),
        ("e\u0301e\u0301e\u0301", 2, ["e\u0301e\u0301", "e\u0301"]),
    ],
)
def test_a_line_is_cut_by_cells(text: str, width: int, parts: list[str]) -> None:
    assert [text[a:b] for a, b in wrapped(text, width)] == parts
    assert height(text, width) == len(parts)


def test_a_sentence_is_cut_at_spaces() -> None:
    text = "shape (2,) · float32 · requires_grad"
    cuts = list(wrapped(text, 12, words=True))
    assert [text[a:b] for a, b in cuts] == [
        "shape (2,) ·",
        "float32 ·",
        "requires_gra",
        "d",
    ]
    assert height(text, 12, words=True) == 4


def test_a_label_fills_its_width() -> None:
    assert fitted("ab", 4, "…") == "ab  "
    assert fitted("abcdef", 4, "…") == "abc…"
    assert fitted("漢字漢", 4, "~") == "漢 ~"
    assert fitted("abc", 0, "…") == ""
