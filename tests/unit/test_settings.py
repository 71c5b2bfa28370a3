"""How the tutor looks: from flags and environment."""

import pytest

from tutor.errors import UsageError
from tutor.settings import Settings, load


def test_nothing_said_is_a_dark_unicode_terminal_near_by() -> None:
    assert load({}) == Settings("dark", "unicode", True, "fast")


@pytest.mark.parametrize(
    ("environ", "glyphs"),
    [
        ({"LANG": "C"}, "ascii"),
        ({"LANG": "POSIX"}, "ascii"),
        ({"LANG": "de_DE.ISO-8859-1"}, "ascii"),
        ({"LANG": "en_US.UTF-8"}, "unicode"),
        ({"LANG": "C.utf8"}, "unicode"),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, "ascii"),
        ({"LC_ALL": "", "LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, "unicode"),
    ],
)
def test_the_locale_says_which_glyphs(environ: dict[str, str], glyphs: str) -> None:
    assert load(environ).glyphs == glyphs
    assert load(environ, ascii=True).glyphs == "ascii"


def test_colour_background_and_line() -> None:
    assert not load({"NO_COLOR": ""}).colour
    assert load({"COLORFGBG": "0;15"}).theme == "light"
    assert load({"COLORFGBG": "15;default;0"}).theme == "dark"
    assert load({"COLORFGBG": "0;15"}, theme="dark").theme == "dark"
    assert load({"SSH_CONNECTION": "a 1 b 22"}).link == "slow"
    assert load({"SSH_TTY": "/dev/pts/1"}, link="fast").link == "fast"


def test_an_unknown_theme_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="no theme 'neon' for --theme: choose dark or"):
        load({}, theme="neon")
