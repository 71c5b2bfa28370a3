import io
import json
import math
import sys

import pytest

from tutor.headless import printing
from tutor.safetext import safe

Capture = pytest.CaptureFixture[bytes]


def test_utf8_whatever_the_locale(capsysbinary: Capture) -> None:
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(encoding="ascii")
    printing.set_up(ascii=False)
    printing.data("∂f/∂x ")
    printing.document({"text": "∂ \ud800"})
    raw = capsysbinary.readouterr().out.decode()
    assert raw.startswith("∂f/∂x ")
    assert json.loads(raw.removeprefix("∂f/∂x ")) == {"text": "∂ \ud800"}


def test_ascii_sends_nothing_above_0x7f(capsysbinary: Capture) -> None:
    printing.set_up(ascii=True)
    printing.data("2 × 3 → 6 … ∇\n")
    printing.document({"text": "é ∂ 😀"})
    printing.complain("No file “x” – none.")
    out, err = capsysbinary.readouterr()
    lines = out.decode("ascii").splitlines()
    assert lines[0] == "2 x 3 -> 6 ... \\u2207"
    assert json.loads(lines[1]) == {"text": "é ∂ 😀"}
    assert err == b'No file "x" - none.\n'


def test_json_is_strict_and_exact() -> None:
    values = [math.nan, math.inf, -math.inf, 0.1 + 0.2, -0.0, 1e-320, 2**70]
    text = printing.dumps({"values": values, "pair": (1, None)})
    again = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert again["values"][:3] == ["nan", "inf", "-inf"]
    assert [repr(value) for value in again["values"][3:]] == list(map(repr, values[3:]))
    assert again["pair"] == [1, None]


def test_json_cannot_command_a_terminal() -> None:
    hostile = "".join(
        map(chr, [*range(32), *range(0x7F, 0xA0), 0x202E, 0x2028, 0xFEFF])
    )
    text = printing.dumps(hostile)
    assert text.isprintable()
    assert json.loads(text) == hostile


def test_complaints_are_one_harmless_line(capsysbinary: Capture) -> None:
    printing.set_up(ascii=False)
    printing.complain("No\nfile \x1b]0;title\x07x\x9b2J.")
    assert capsysbinary.readouterr().err == b"No file x.\n"


def test_painted() -> None:
    text = safe("a \x1b[1;31mred\x1b[0m b \x1b[94;42mc\x1b[0m")
    assert printing.painted(text, colours=False) == "a red b c"
    painted = printing.painted(text, colours=True)
    assert painted == "a \x1b[1;31mred\x1b[0m b \x1b[94;42mc\x1b[0m"


@pytest.mark.parametrize("name", ["NO_COLOR", "TERM"])
def test_no_colours_where_they_are_not_wanted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert printing.coloured(stream)
    monkeypatch.setenv(name, "dumb")
    assert not printing.coloured(stream)
