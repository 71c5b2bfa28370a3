"""SafeText: nothing foreign commands the terminal, whatever it is made of."""

import random
import unicodedata

import pytest

from tutor.safetext import PLAIN, SafeText, Span, Style, safe, safe_line

RED = Style(foreground=1)

# What is sent, and what is left to be seen of it.
CORPUS = [
    ("plain", "plain"),
    ("", ""),
    ("a\nb\n", "a\nb\n"),
    ("\x1b]0;title\x07text", "text"),  # set the window's title
    ("\x1b]0;title\x1b\\text", "text"),
    ("\x1b]52;c;cm0gLXJm\x07text", "text"),  # write the clipboard
    ("\x9d52;c;cm0gLXJm\x9ctext", "text"),  # the same with 8-bit controls
    ("\x9d52;c;cm0gLXJm\x07text", "text"),
    ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),  # a link
    ("\x1b]unterminated\nnext", "\nnext"),
    ("\x1b]unterminated", ""),
    ("\x1bPq#0;2;0;0;0\x1b\\text", "text"),  # a sixel picture
    ("\x90q\x9ctext", "text"),
    ("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\text", "text"),
    ("\x9fapc\x9c\x9epm\x9c\x98sos\x9ctext", "text"),
    ("\x1b[2J\x1b[H\x1b[3Jtext", "text"),  # clear the screen
    ("\x9b2Jtext", "text"),
    ("\x1b[?1049ltext", "text"),  # leave the alternate screen
    ("\x1b[?1000l\x1b[?25htext", "text"),  # mouse off, cursor on
    ("\x1b[>1u\x1b[<utext", "text"),  # the kitty keyboard
    ("\x1b[?1mtext", "text"),
    ("\x1b[6n\x1b[c\x1b[>0qtext", "text"),  # ask the terminal something
    ("\x1b[!ptext", "text"),
    ("\x1bctext", "text"),  # reset
    ("\x1b7\x1b8\x1b=\x1b>text", "text"),
    ("\x1b(0lqk\x1b(Btext", "lqktext"),  # the line-drawing characters
    ("\x1b#8text", "text"),
    ("\x1b%Gtext", "text"),
    ("\x1b[12;34", ""),
    ("\x1b[", ""),
    ("\x1b", ""),
    ("\x9b", ""),
    ("a\x1b\x1b[31mb", "ab"),
    ("\x1b[31\x1b[32mtext", "text"),
    ("\x1b[201~paste end", "paste end"),
    ("bell\x07 back\x08 null\x00", "bell␇ back␈ null␀"),
    ("\x7f\x0b\x0c\x0e\x0f", "␡␋␌␎␏"),
    ("next\x85line", "next\ufffdline"),
    ("\x80\x84\x88\x8d", "\ufffd" * 4),
    ("50%\r60%", "60%"),
    ("long line\rhi", "hing line"),
    ("a\r\nb", "a\nb"),
    ("a\tb\tc", "a       b       c"),
    ("x\n\ty", "x\n        y"),
    ("ab\u202edc\u202c", "ab\ufffddc\ufffd"),  # reversed writing
    ("\u2066a\u2069\u200eb\u061cc", "\ufffda\ufffd\ufffdb\ufffdc"),
    ("zero\u200bwidth\ufeff", "zero\ufffdwidth\ufffd"),
    ("line\u2028sep\u2029par", "line\ufffdsep\ufffdpar"),
    ("tag\U000e0041\U000e007f", "tag\ufffd\ufffd"),
    ("surrogate\ud800", "surrogate\ufffd"),
    ("hieroglyph\U00013430", "hieroglyph\ufffd"),
    ("soft\xadhyphen", "soft\ufffdhyphen"),
    ("e" + "\u0301" * 50, "e" + "\u0301" * 2),
    ("o" + "\u20dd" * 50, "o" + "\u20dd" * 2),  # enclosing marks have no class
    ("x" + "\u0488" * 50 + "y\u0488", "x" + "\u0488" * 2 + "y\u0488"),
    ("e" + "\u0301\x1b[m" * 50, "e" + "\u0301" * 2),
    ("👩\u200d🔬 ❤\ufe0f", "👩🔬 ❤"),
    ("[/nope] [bold]x[/bold] [link=http://evil]A[/link]",) * 2,
    ("[@click=app.quit]x[/]",) * 2,
    ("漢字 ∂f/∂x é ✓",) * 2,
]


def forbidden(plain: str) -> str:
    """The characters of `plain` that a terminal may obey or hide. By Unicode alone."""
    shown_formats = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
    return "".join(
        each
        for each in plain
        if each != "\n"
        and unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and each not in shown_formats + "\U000110bd\U000110cd"
    )


def assert_sound(text: SafeText) -> None:
    assert not forbidden(text.plain)
    end = 0
    for span in text.spans:
        assert end <= span.start < span.end <= len(text.plain)
        assert span.style != PLAIN
        end = span.end
    for span in text.spans:
        for colour in (span.style.foreground, span.style.background):
            assert colour is None or 0 <= colour <= 15


@pytest.mark.parametrize(("foreign", "shown"), CORPUS)
def test_hostile_text_is_shown_harmless(foreign: str, shown: str) -> None:
    text = safe(foreign)
    assert text.plain == shown
    assert_sound(text)


def test_no_character_of_unicode_gets_through_that_must_not() -> None:
    every = "".join(map(chr, range(0x110000)))
    assert not forbidden(safe(every).plain)
    for each in forbidden(every):
        assert not forbidden(safe(f"a{each}b").plain)


ATOMS = [
    "\x1b", "\x1b[", "\x9b", "\x1b]", "\x9d", "\x1bP", "\x90", "\x1b_", "\x9f", "\x1b^",
    "\x9e", "\x1bX", "\x98", "\x1b\\", "\x9c", "\x07", "\x1b(", "\x1b#", "\x1bN",
    "0", "1", "31", "38;5;200", "48:2::1:2:3", ";", ":", "?", ">", "<", "=", "!", " ",
    "m", "H", "J", "h", "l", "n", "q", "u", "~", "@", "$", '"', "52;c;aGk=", "8;;x",
    "\n", "\r", "\t", "\x00", "\x08", "\x0b", "\x0c", "\x18", "\x1a", "\x7f", "\x85",
    "\u202e", "\u2066", "\u200b", "\u200d", "\ufe0f", "\ufeff", "\u2028", "\U000e0001",
    "\ud800", "\u0301", "\u0301", "\u20dd", "é", "漢", "👩", "text", "[bold]", "[/]",
    "[/nope]", "[link=x]", "\\[", "999999999999", "\x1b[0m", "\x1b[1;31m", "\x1b[m", "٣",
]  # fmt: skip


def test_random_sequences_never_get_through() -> None:
    source = random.Random(20250712)
    for number in range(5000):
        atoms = source.choices(ATOMS, k=source.randrange(1, 40))
        foreign = "".join(atoms)
        text = safe(foreign)
        try:
            assert_sound(text)
            assert safe(text.plain).plain == text.plain
            assert not forbidden(safe_line(foreign))
            assert "\n" not in safe_line(foreign)
        except AssertionError as error:
            pytest.fail(f"string {number}, {foreign!r}: {error}")


def test_lines_one_by_one_are_the_same_as_at_once() -> None:
    source = random.Random(42)
    for _ in range(500):
        foreign = "".join(source.choices(ATOMS, k=source.randrange(1, 60)))
        whole = safe(foreign)
        style, plains = PLAIN, []
        for line in foreign.split("\n"):
            text = safe(line, style)
            style = text.style
            plains.append(text.plain)
        assert "\n".join(plains) == whole.plain
        assert style == whole.style


def test_a_long_unterminated_sequence_takes_no_time_to_speak_of() -> None:
    for start in ("\x1b]", "\x1b[", "\x9b", "\x1bP", "\x1b[31;", "e\u0301", "\r"):
        assert_sound(safe(start + "1" * 200_000))
        assert_sound(safe(start * 50_000))


def test_colours_become_spans() -> None:
    text = safe("a\x1b[31mb\x1b[1mc\x1b[22;39md\x1b[0me")
    assert text.plain == "abcde"
    assert text.spans == (Span(1, 2, RED), Span(2, 3, Style(foreground=1, bold=True)))
    assert text.style == PLAIN


def test_neighbours_of_one_style_are_one_span() -> None:
    assert safe("\x1b[31ma\x1b[31mb").spans == (Span(0, 2, RED),)


def test_the_style_in_force_goes_in_and_out() -> None:
    first = safe("\x1b[31ma")
    assert first.style == RED
    assert safe("b", first.style).spans == (Span(0, 1, RED),)
    assert safe("\x1b[0mb", first.style).spans == ()


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        ("1;2;3;4;7", Style(None, None, True, True, True, True, True)),
        ("91;104", Style(9, 12)),
        ("38;5;9", Style(9)),
        ("38;5;196", Style(9)),
        ("38;5;244", Style(8)),
        ("48;2;0;0;255", Style(None, 12)),
        ("38;5", PLAIN),
        ("38", PLAIN),
        ("", PLAIN),
        ("5;8;9;53;200", PLAIN),
        ("38;5;1;4", Style(1, underline=True)),
    ],
)
def test_every_colour_is_one_of_sixteen(codes: str, style: Style) -> None:
    assert safe(f"\x1b[{codes}mx").style == style


def test_a_coloured_carriage_return_keeps_each_characters_colour() -> None:
    text = safe("\x1b[31mabc\r\x1b[32mx")
    assert text.plain == "xbc"
    assert text.spans == (Span(0, 1, Style(2)), Span(1, 3, RED))


def test_a_label_is_one_short_line() -> None:
    assert safe_line("  a\n\tb\x1b[31m c  ") == "a b c"
    assert safe_line("x" * 500) == "x" * 199 + "…"
    assert len(safe_line("word " * 500, limit=20)) == 20
