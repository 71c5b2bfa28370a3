"""Prose: the Markdown subset and formulas as lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.settings import Settings
from tutor.ui.look import Look
from tutor.ui.markdown import (
    Fence,
    Heading,
    Item,
    Paragraph,
    Run,
    Table,
    blocks,
    inline,
)
from tutor.ui.maths import stacked
from tutor.ui.widgets.prose import inline_content, math_lines, prose_lines

LOOK = Look()
PLAIN = Look(Settings(glyphs="ascii", colour=False))


def drawn(text: str, width: int = 40, look: Look = LOOK) -> list[str]:
    return [line.plain.rstrip() for line in prose_lines(text, width, look)]


# ----------------------------------------------------------------------- parsing


def test_inline_runs() -> None:
    assert inline("a `b*c` **d** *e* f") == (
        Run("a "),
        Run("b*c", "code"),
        Run(" "),
        Run("d", "strong"),
        Run(" "),
        Run("e", "emphasis"),
        Run(" f"),
    )


@pytest.mark.parametrize(
    "text",
    ["3*x*y", "a * b * c", "x**2 + y**2", "2 ** 3 ** 4", "`open", "**open", "[/x]"],
)
def test_what_is_no_mark_is_text(text: str) -> None:
    assert inline(text) == (Run(text),)


def test_escapes_and_long_ticks() -> None:
    assert inline(r"\*a\* \`b\`") == (Run("*a* `b`"),)
    assert inline("``a ` b``") == (Run("a ` b", "code"),)


def test_blocks() -> None:
    found = blocks(
        "# Head\none\ntwo\n\n- a\n  more\n  - b\n1. c\n```python\n  x = 1\n```\n"
        "|a|b|\n|-|-|\n|1|\n"
    )
    assert found == (
        Heading((Run("Head"),)),
        Paragraph((Run("one two"),)),
        Item("", 0, (Run("a more"),)),
        Item("", 1, (Run("b"),)),
        Item("1.", 0, (Run("c"),)),
        Fence("python", "x = 1"),
        Table((((Run("a"),), (Run("b"),)), ((Run("1"),), ()))),
    )


def test_an_open_fence_ends_with_the_text() -> None:
    assert blocks("```\nx = 1") == (Fence("", "x = 1"),)


# ----------------------------------------------------------------------- drawing


def test_lists_hang() -> None:
    assert drawn("- one two three four five six seven eight nine\n- ten", 30) == [
        "• one two three four five six",
        "  seven eight nine",
        "• ten",
    ]


def test_code_is_set_in_and_not_wrapped() -> None:
    assert drawn("see\n```python\nfor x in y:\n    print(x)\n```", 20) == [
        "see",
        "",
        "  for x in y:",
        "      print(x)",
    ]


def test_a_table_has_a_head_and_its_widest_column_gives_way() -> None:
    table = "|op|rule|\n|--|--|\n|`x*y`|one two three four five six|\n"
    assert drawn(table, 24) == [
        "op    rule",
        "───   ──────────────────",
        "x*y   one two three four",
        "      five six",
    ]


def test_without_colour_code_keeps_its_ticks_and_ascii_is_ascii() -> None:
    assert drawn("`x²` → *∂f*", look=PLAIN) == ["`x^2` -> df"]
    assert inline_content("`a`\n b", PLAIN).plain == "`a` b"


def test_foreign_text_is_no_markup_and_commands_nothing() -> None:
    lines = prose_lines("[red]x[/red] [/nope] \x1b]0;t\x07\x9b2J é", 40, LOOK)
    assert [line.plain for line in lines] == ["[red]x[/red] [/nope]  é"]


@given(st.text(max_size=300), st.integers(1, 90))
def test_no_text_is_an_error_and_prose_keeps_the_width(text: str, width: int) -> None:
    lines = prose_lines(text, width, LOOK)
    if "```" not in text and "|" not in text:
        assert all(line.cell_length <= max(8, width) for line in lines)


# ---------------------------------------------------------------------- formulas


def test_the_chain_rule_is_stacked_without_its_parentheses() -> None:
    assert stacked("∂f/∂x = (∂f/∂q) · (∂q/∂x)") == [
        "∂f   ∂f   ∂q",
        "── = ── · ──",
        "∂x   ∂q   ∂x",
    ]


@pytest.mark.parametrize(
    ("formula", "over", "under"),
    [
        ("(a + b)/c", "a + b", "  c"),
        ("1/n", "1", "n"),
        ("f(x)/g(x)", "f(x)", "g(x)"),
        ("x²/2", "x²", "2"),
    ],
)
def test_what_belongs_to_a_fraction(formula: str, over: str, under: str) -> None:
    lines = stacked(formula)
    assert (lines[0].rstrip(), lines[2].rstrip()) == (over.rstrip(), under.rstrip())


@pytest.mark.parametrize("formula", ["a / b", "y = 3x² + 2y", "/x", "x/", "", "a/("])
def test_what_is_no_fraction_stays_a_line(formula: str) -> None:
    assert stacked(formula) == [formula]


@given(st.text("ab12()/ ∂·[]²", max_size=40))
def test_a_drawn_formula_is_one_or_three_lines_with_all_its_names(formula: str) -> None:
    lines = stacked(formula)
    assert len(lines) in (1, 3)
    assert sorted(c for c in "".join(lines) if c in "ab12∂²") == sorted(
        c for c in formula if c in "ab12∂²"
    )


def test_formulas_fall_back_to_lines_where_they_do_not_fit() -> None:
    formula = "∂f/∂x = (∂f/∂q) · (∂q/∂x)"
    assert len(math_lines(formula, 40, LOOK)) == 3
    assert math_lines(formula, 9, LOOK)[0].plain.startswith("∂f/∂x")
    assert [line.plain for line in math_lines(formula, 40, PLAIN)] == [
        "df/dx = (df/dq) * (dq/dx)"
    ]
    assert len(math_lines("a/b\nc", 40, LOOK)) == 4
