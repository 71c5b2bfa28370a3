"""What the training screen paints: what has changed, where somebody sees it, and over a
slow link no more than that carries."""

from time import monotonic

import pytest
from textual.content import Content
from textual.geometry import Region

from tests.ui.conftest import wait_for_text, wait_until
from tests.ui.test_training import racing, settled
from tutor.settings import Link, Settings
from tutor.ui import race_pictures
from tutor.ui.screens import training
from tutor.ui.screens.help import HelpScreen
from tutor.ui.widgets.frame_lines import TitleLine
from tutor.ui.widgets.lines import Column
from tutor.ui.widgets.picture_view import PictureView
from tutor.ui.widgets.plain import Plain


async def test_of_the_panel_only_lines_that_changed_are_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with racing() as (app, pilot):
        await pilot.press("s")
        await settled(pilot)
        panel = app.screen.query_one("#panel", Column)
        regions: list[Region] = []
        monkeypatch.setattr(panel, "refresh", lambda *each: regions.extend(each))
        app.training.draw_beside()
        assert regions == []
        app.training.action_next_setting()
        assert [region.height for region in regions] == [1, 1]


async def test_the_same_words_are_not_laid_out_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with racing() as (app, _):
        plain = app.screen.query_one("#see", Plain)
        plain.show(Content("the same"))
        laid_out: list[Content] = []
        monkeypatch.setattr(plain, "update", laid_out.append)
        plain.show(Content("the same"))
        assert laid_out == []
        plain.show(Content.styled("the same", "bold"))
        assert len(laid_out) == 1


async def test_the_curves_below_a_view_are_drawn_after_the_keys_that_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with racing(size=(120, 40)) as (app, pilot):
        await pilot.press("s", "v")
        await settled(pilot)
        screen, control = app.training, app.training.control
        above, below = (
            screen.query_one(name, PictureView) for name in ("#picture", "#curves")
        )
        drawn = above.drawn, below.drawn
        with monkeypatch.context() as waiting:
            waiting.setattr(screen, "_keys_first", lambda since: above.drawn > drawn[0])
            await control.do(3)
            await wait_until(pilot, lambda: screen._owes_curves)
            await pilot.pause()
            assert above.drawn > drawn[0]
            assert below.drawn == drawn[1]
        await settled(pilot)
        assert below.drawn > drawn[1]
        picture = race_pictures.curves(control, *below.size, below.marks_for(3))
        assert [line for line, _ in below._lines] == list(picture.lines)
        await pilot.press("left")
        await settled(pilot)
        picture = race_pictures.curves(control, *below.size, below.marks_for(3))
        assert [line for line, _ in below._lines] == list(picture.lines)


async def test_curves_that_were_owed_when_another_screen_came_are_drawn_after_it() -> (
    None
):
    async with racing(size=(120, 40)) as (app, pilot):
        await pilot.press("s", "v")
        await settled(pilot)
        screen = app.training
        below = screen.query_one("#curves", PictureView)
        app.push_screen(HelpScreen("training", ""))
        await wait_until(pilot, lambda: app.screen is not screen)
        screen._owes_curves = True
        drawn = below.drawn
        app.pop_screen()
        await wait_until(pilot, lambda: below.drawn > drawn)


async def test_a_screen_behind_another_paints_nothing() -> None:
    async with racing() as (app, pilot):
        await pilot.press("s")
        await settled(pilot)
        screen = app.training
        plot, title = (
            screen.query_one("#curves", PictureView),
            screen.query_one(TitleLine),
        )
        app.push_screen(HelpScreen("training", ""))
        await wait_until(pilot, lambda: app.screen is not screen)
        drawn, parts = plot.drawn, title.parts
        await screen.control.do(3)
        await wait_until(pilot, lambda: screen.control.race.iteration == 4)
        screen.tell_race("race 4/25")
        await pilot.pause()
        assert plot.drawn == drawn
        assert title.parts is parts
        assert screen._asked_at is None
        app.pop_screen()
        await wait_for_text(pilot, "iteration 4 of 25")
        assert plot.drawn > drawn


@pytest.mark.parametrize("link", ["slow", "fast"])
async def test_over_a_slow_link_what_was_sent_goes_through_first(link: Link) -> None:
    settings = Settings(link=link)
    async with racing(settings=settings) as (app, pilot):
        await pilot.press("s")
        await settled(pilot)
        screen = app.training
        screen._drawn_at = monotonic()
        app.sent = screen._sent + training.LINE_BYTES_S
        # what a key asks for does not wait
        assert screen._line_is_free_at() <= monotonic()
        screen.control.running = True
        waits = screen._line_is_free_at() == pytest.approx(screen._drawn_at + 1)
        assert waits == (link == "slow")
        app.sent += 1_000_000
        assert screen._line_is_free_at() <= screen._drawn_at + training.LONGEST_S
