"""A race goes on while other screens of the app are visited, and they say so."""

from tests.fake_kernel import FakeKernel
from tests.ui.conftest import screen_text, wait_for_text, wait_until
from tests.ui.test_training import Engine
from tests.ui.tutor_app import make_app
from tutor.ui.screens.training import TrainingScreen


async def test_home_and_console_tell_of_a_race_until_it_ends() -> None:
    engine = Engine()
    engine.held = True
    app = make_app(FakeKernel(calls={"train": engine.train}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        await wait_for_text(pilot, "ready")
        control = app.races.of("")
        assert control is not None
        control.set_speed(None)
        await pilot.press("space")
        await wait_until(pilot, lambda: control.race.iteration == 5)
        await pilot.press("escape")
        assert "done" in await wait_for_text(pilot, "▸ race 5/25")
        await pilot.press("c")
        await wait_for_text(pilot, "▸ race 5/25")
        await pilot.press("escape", "escape")
        engine.held = False
        await control.pause()
        await control.run_or_pause()
        await wait_until(pilot, lambda: control.race.over)
        await wait_until(pilot, lambda: "race" not in screen_text(app))
        await pilot.press("t")
        text = await wait_for_text(pilot, "finished")
        assert "iteration 25 of 25" in text
        assert isinstance(app.screen, TrainingScreen)
        assert app.screen.control is control
