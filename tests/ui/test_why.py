"""The questions to a trace on the screen: which can be asked, and what is answered."""

from dataclasses import replace

from tests.stored_traces import stored
from tests.ui.conftest import screen_text, wait_until
from tests.ui.test_stepper import press, walking
from tutor.graph.steps import walk
from tutor.settings import Settings
from tutor.ui.look import LookApp
from tutor.ui.screens.stepper import StepperScreen
from tutor.ui.screens.why import WhyScreen


async def test_w_asks_about_the_tensor_in_front() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "end")  # x's leaf
        shown = await press(pilot, "w")
        assert "▌x.grad" in shown
        assert "12" in shown
        await press(pilot, "escape")
        assert isinstance(app.screen, StepperScreen)


async def test_the_arrows_choose_what_is_asked() -> None:
    async with walking() as (_, pilot):
        first = await press(pilot, "w")
        second = await press(pilot, "right")
        assert "▌y.grad" in second
        assert first != second
        assert await press(pilot, "left") == first
        assert await press(pilot, "left") == first  # the ends hold


async def test_enter_goes_to_the_cause() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "w", "enter")
        assert isinstance(app.screen, StepperScreen)
        assert app.stepper.where.place > 0


async def test_a_trace_without_leaves_has_nothing_to_ask() -> None:
    class App(LookApp[None]):
        def on_mount(self) -> None:
            trace = stored("seed")
            bare = replace(trace, values=(), ops=(), passes=(), graph=(), nodes=(),
                           leaves=(), rules=(),
                           end=replace(trace.end, root=None, names={}))  # fmt: skip
            self.push_screen(WhyScreen(walk(bare), None))

    app = App(Settings(link="slow"))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, WhyScreen))
        assert "There is no leaf to ask about." in screen_text(app)
        await press(pilot, "right", "left", "enter")


async def test_very_many_questions_take_one_row() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "w")
        screen = app.screen
        assert isinstance(screen, WhyScreen)
        screen._values *= 60
        screen.asked = 70
        await pilot.pause()
        assert f"71 of {len(screen.titles)}" in screen_text(app)
