"""The look: one glyph table, words and cells in ASCII, the sixteen colours."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.widgets import Static

from tutor.settings import Settings
from tutor.ui.look import Glyph, Look, LookApp, look_of
from tutor.ui.transliterate import ascii_cells, ascii_text

UNICODE, ASCII = Look(), Look(Settings(glyphs="ascii"))


def test_every_glyph_is_one_cell_in_both_columns() -> None:
    for glyph in Glyph:
        assert cell_len(UNICODE[glyph]) == 1
        assert ASCII[glyph].isascii()
        assert len(ASCII[glyph]) == 1


def test_signs_that_may_stand_at_one_place_differ_in_ascii_too() -> None:
    standings = [Glyph.DONE, Glyph.NOW, Glyph.TODO, Glyph.SKIPPED, Glyph.PARTLY]
    assert len({ASCII[each] for each in standings}) == len(standings)
    assert ASCII[Glyph.RIGHT] != ASCII[Glyph.WRONG]
    assert ASCII[Glyph.FULL] != ASCII[Glyph.EMPTY]


def test_formulas_read_well_in_ascii() -> None:
    assert ascii_text("∂f/∂x = 2·x² + x₁ → ŷ") == "df/dx = 2*x^2 + x_1 -> y_hat"
    assert ascii_text("x⁻¹⁰ ≤ Σᵢ wᵢ") == "x^-10 <= sum_i w_i"
    assert ascii_text("√x, ∇f, café") == "sqrt x, grad f, cafe"
    assert ascii_text("already") == "already"


@given(st.text())
def test_ascii_text_is_ascii(text: str) -> None:
    assert ascii_text(text).isascii()


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_ascii_cells_keeps_the_width(text: str) -> None:
    drawn = ascii_cells(text)
    assert drawn.isascii()
    assert len(drawn) == sum(map(cell_len, text))


def test_keys_are_drawn_as_terminals_can() -> None:
    assert [UNICODE.key(key) for key in ("enter", "ctrl+r", "?")] == ["↵", "^r", "?"]
    assert [ASCII.key(key) for key in ("enter", "up", "ctrl+r")] == [
        "Enter",
        "Up",
        "^r",
    ]


def _through(settings: Settings, style: Style) -> Style:
    app = LookApp[None](settings)
    segments = [Segment("x", style)]
    for line_filter in app.get_line_filters():
        segments = line_filter.apply(segments, TextualColor.parse("black"))
    assert segments[0].style is not None
    return segments[0].style


def test_only_the_sixteen_colours_pass() -> None:
    red = Style(color="red", bold=True)
    assert _through(Settings(), red) == red
    rich = Style(color="#ffa62b", bgcolor="color(200)", underline=True)
    passed = _through(Settings(), rich)
    assert passed.color == passed.bgcolor == Color.default()
    assert passed.underline


def test_no_colour_passes_under_no_color_but_attributes_do() -> None:
    style = Style(color="red", bgcolor="default", bold=True, meta={"a": 1})
    passed = _through(dataclasses.replace(Settings(), colour=False), style)
    assert (passed.color, passed.bgcolor) == (None, None)
    assert passed.bold
    assert passed.meta == {"a": 1}


async def test_a_widget_finds_the_look_of_its_app() -> None:
    app = LookApp[None](Settings(glyphs="ascii", link="slow"))
    async with app.run_test() as pilot:
        widget = Static("x", markup=False)
        await app.mount(widget)
        assert look_of(widget) is app.look
        assert look_of(widget).ascii
        assert app.animation_level == "none"
        await pilot.pause()
