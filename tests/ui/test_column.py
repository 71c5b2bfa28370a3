"""Lines in a room of fixed size, of which any may be another one many times a second."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tests.ui.conftest import screen_text
from tutor.ui.look import LookApp
from tutor.ui.widgets.lines import Column


class ColumnApp(LookApp[None]):
    """A column with a border, as beside the picture."""

    CSS = "Column { width: 30; height: 5; border-left: solid white; padding: 0 0 0 1; }"

    def compose(self) -> ComposeResult:
        yield Column(id="column")

    @property
    def column(self) -> Column:
        return self.query_one(Column)


@contextlib.asynccontextmanager
async def showing(*lines: Content) -> AsyncIterator[tuple[ColumnApp, Pilot[Any]]]:
    app = ColumnApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.column.show(Content("\n").join(lines))
        await pilot.pause()
        yield app, pilot


def at_once(column: Column) -> list[Strip]:
    """All lines as Textual draws a widget."""
    column._render_content()
    return [Widget.render_line(column, y) for y in range(5)]


ONE, OTHER = Content.styled("one", "bold"), Content.assemble("two ", ("red", "red"))


async def test_it_looks_as_if_drawn_at_once() -> None:
    async with showing(ONE, OTHER, Content(), Content("x" * 28)) as (app, pilot):
        column = app.column
        for lines in (
            (ONE, Content("two red"), Content(), Content("last")),
            (OTHER, OTHER),
            (ONE, OTHER, ONE, ONE, ONE),
        ):
            column.show(Content("\n").join(lines))
            drawn = [column.render_line(y) for y in range(5)]
            assert drawn == at_once(column)
            await pilot.pause()
            shown = screen_text(app).splitlines()[: len(lines)]
            assert [line[2:].rstrip() for line in shown] == [str(x) for x in lines]


async def test_a_line_that_did_not_change_is_not_made_anew() -> None:
    async with showing(ONE, ONE) as (app, _):
        before = [app.column.render_line(y) for y in range(2)]
        app.column.show(Content("\n").join((ONE, OTHER)))
        after = [app.column.render_line(y) for y in range(2)]
        assert after[0] is before[0]
        assert after[1].text == "two red"


async def test_another_theme_has_other_colours() -> None:
    async with showing(Content.styled("x", "$accent")) as (app, pilot):
        before = app.column.render_line(0)
        app.switch_theme()
        await pilot.pause()
        assert app.column.render_line(0) != before
        assert app.column.render_line(0) == at_once(app.column)[0]


async def test_what_is_selected_with_the_mouse_is_lit() -> None:
    async with showing(ONE, OTHER) as (app, pilot):
        before = app.column.render_line(1)
        chosen = Selection(Offset(0, 1), Offset(3, 1))
        app.screen.selections = {app.column: chosen}
        await pilot.pause()
        assert app.column.render_line(1) != before
        assert app.column.render_line(1) == at_once(app.column)[1]
        app.screen.selections = {}
        await pilot.pause()
        assert app.column.render_line(1) == before
        selected = app.column.get_selection(chosen)
        assert selected is not None
        assert selected[0] == "two"
