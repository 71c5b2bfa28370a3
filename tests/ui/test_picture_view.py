"""Any picture on the screen: what is painted, in which colours, and when."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from textual.app import ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from tests.ui.conftest import screen_text, wait_until
from tutor.picture import HEATS, INKS, Patch, Picture
from tutor.pictures import inks
from tutor.settings import Settings
from tutor.ui.look import LookApp
from tutor.ui.widgets.picture_view import PictureView

ALL = (*INKS, *(f"{ink}-" for ink in INKS), "quiet", "strong", "bad", "here", *HEATS)


class PictureApp(LookApp[None]):
    """A picture, and how often it was asked to be made anew."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings or Settings())
        self.resized: list[PictureView] = []

    def compose(self) -> ComposeResult:
        yield PictureView(id="picture")

    def on_picture_view_resized(self, event: PictureView.Resized) -> None:
        self.resized.append(event.control)

    @property
    def view(self) -> PictureView:
        return self.query_one(PictureView)


@contextlib.asynccontextmanager
async def viewing(
    settings: Settings | None = None,
) -> AsyncIterator[tuple[PictureApp, Pilot[Any]]]:
    app = PictureApp(settings)
    async with app.run_test(size=(40, 10)) as pilot:
        await wait_until(pilot, lambda: app.resized)
        yield app, pilot


def picture(*lines: str, **patches: tuple[Patch, ...]) -> Picture:
    """`line0=(Patch(...),)` colours the first line."""
    return Picture(
        lines, tuple(patches.get(f"line{at}", ()) for at in range(len(lines)))
    )


def refreshed(app: PictureApp, monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    regions: list[Region] = []
    monkeypatch.setattr(app.view, "refresh", lambda *each: regions.extend(each))
    return regions


async def test_it_shows_the_lines() -> None:
    async with viewing() as (app, pilot):
        app.view.show(picture("one", "two"))
        await pilot.pause()
        assert screen_text(app).splitlines()[:3] == ["one", "two", ""]


async def test_only_the_columns_that_changed_are_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with viewing() as (app, _):
        app.view.show(picture("one more", "two"))
        regions = refreshed(app, monkeypatch)
        app.view.show(picture("one more", "two"))
        assert regions == []
        app.view.show(picture("one MoRe", "two"))
        assert regions == [Region(4, 0, 3, 1)]


async def test_another_colour_is_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    async with viewing() as (app, _):
        app.view.show(picture("one", "two", line1=(Patch(0, 2, "a"),)))
        regions = refreshed(app, monkeypatch)
        app.view.show(picture("one", "two", line1=(Patch(0, 3, "a"),)))
        assert regions == [Region(2, 1, 1, 1)]
        app.view.show(picture("one", "two", line1=(Patch(0, 3, "a", "heat1"),)))
        assert regions[1:] == [Region(0, 1, 3, 1)]


async def test_a_smaller_picture_leaves_nothing_of_the_larger() -> None:
    async with viewing() as (app, pilot):
        app.view.show(picture("one more", "two", "three"))
        await pilot.pause()
        app.view.show(picture("one"))
        await pilot.pause()
        assert screen_text(app).split() == ["one"]


async def test_a_larger_one_is_cut() -> None:
    async with viewing() as (app, _):
        app.view.show(picture("x" * 99))
        assert app.view.render_line(0).cell_length == 40


async def test_another_size_asks_for_another_picture() -> None:
    async with viewing() as (app, pilot):
        app.resized.clear()
        await pilot.resize_terminal(30, 8)
        await wait_until(pilot, lambda: app.resized == [app.view])


@pytest.mark.parametrize(("theme", "table"), [("dark", inks.DARK), ("light", inks.LIGHT)])  # fmt: skip
async def test_each_role_has_its_colour(theme: Any, table: dict[str, str]) -> None:
    async with viewing(Settings(theme=theme)) as (app, _):
        for role in ALL:
            app.view.show(
                picture("xx", line0=(Patch(0, 1, role), Patch(1, 2, "", role)))
            )
            (front, back, *_) = app.view.render_line(0)
            assert front.style is not None
            assert back.style is not None
            ink, ground = front.style.color, back.style.bgcolor
            if role in table:
                number = inks.COLOURS.index(table[role])
                assert (ink and ink.number) == (ground and ground.number) == number
            assert bool(front.style.dim) == (role in inks.DIM)
            assert bool(front.style.bold) == (role in inks.BOLD)


async def test_the_marks_are_what_the_terminal_can_tell_apart() -> None:
    for settings, marks in (
        (Settings(), ["braille", "braille"]),
        (Settings(colour=False), ["braille", "letters"]),
        (Settings(glyphs="ascii"), ["ascii", "ascii"]),
    ):
        async with viewing(settings) as (app, _):
            assert [app.view.marks_for(curves) for curves in (1, 2)] == marks
