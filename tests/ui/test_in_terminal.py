"""What reaches the terminal, byte by byte, on a walk through every kind of cell."""

import re
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]

PROGRAM = [sys.executable, "-m", "tests.ui.in_terminal"]
ROOT = Path(__file__).parents[2]
_SGR = re.compile(rb"\x1b\[([\d;:]*)m")
SIXTEEN = {*range(30, 38), 39, *range(40, 48), 49, *range(90, 98), *range(100, 108)}
ATTRIBUTES = {0, 1, 2, 3, 4, 7, 22, 23, 24, 27}
SECTION = {"SECTION": "2.8"}
ESC = "\x1b"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    return tmp_path


def walk(terminal: Terminal) -> None:
    """Every kind of cell, help, console, palette; each is waited for."""
    steps = [
        ("n", "Once"),
        ("\r", "float32"),
        ("n67\r", "close, but not it"),
        ("\x1bn\r\x0b", "never changed"),
        ("\x1bhh", "2 of 2"),
        ("h", "A solution"),
        ("n", "at x = 2.0"),
        ("n", "gd, sgd"),
        ("n1", "given back"),
        ("\x1bn\r ", "compute the loss"),
        ("\x1bn\r", "no gradient"),
        ("\x1b?", "A question to answer"),
        ("\x1b`", ">>>"),
        ("\x1b\x10", "Search for commands"),
    ]
    terminal.wait_for("idle")
    for keys, shown in steps:
        if keys.startswith(ESC):  # alone: with a key behind it, it would mean Alt
            terminal.wait_until(lambda: "sc " in footer(terminal), "a level to leave")
            terminal.send(ESC)
            terminal.wait_until(lambda: "? help" in footer(terminal), "command mode")
        terminal.send(keys.removeprefix(ESC))
        terminal.wait_for(shown)


def footer(terminal: Terminal) -> str:
    return terminal.text.split("\n")[-1]


def codes(output: bytes) -> set[int]:
    """All parameters of all SGR sequences."""
    found = set()
    for match in _SGR.finditer(output):
        found |= {int(each or 0) for each in re.split(rb"[;:]", match[1])}
    return found


def after_the_walk(*arguments: str, **env: str) -> bytes:
    with Terminal([*PROGRAM, *arguments], cwd=ROOT, env={**SECTION, **env}) as terminal:
        walk(terminal)
        terminal.send("\x11")
        assert terminal.wait_for_end() == 0
        return terminal.output


def test_sixteen_colours_and_no_other() -> None:
    found = codes(after_the_walk(TERM="xterm-256color", COLORTERM="truecolor"))
    assert found <= SIXTEEN | ATTRIBUTES
    assert {31, 32, 36} & found or {91, 92, 96} & found


def test_no_color_sends_no_colour_code() -> None:
    assert codes(after_the_walk(NO_COLOR="1")) <= ATTRIBUTES


@pytest.mark.parametrize("how", ["--ascii", "LANG"])
def test_ascii_sends_no_byte_above_0x7f(how: str) -> None:
    if how == "--ascii":
        output = after_the_walk("--ascii")
    else:
        output = after_the_walk(LANG="C", LC_ALL="C")
    assert max(output) <= 0x7F


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal(PROGRAM, cwd=ROOT, env=SECTION) as opened:
        opened.wait_for("idle")
        yield opened


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_keeps_the_draft_and_is_told_in_the_exit_code(
    terminal: Terminal, number: signal.Signals, home: Path
) -> None:
    terminal.send("nnn\r")
    terminal.wait_for("editing")
    terminal.send("zebra")
    terminal.wait_for("zebra")
    terminal.process.send_signal(number)
    assert terminal.wait_for_end() == 128 + number
    kept = "".join(path.read_text() for path in home.glob("progress/*.jsonl"))
    assert "zebra" in kept


def test_a_crash_is_one_sentence_a_private_report_and_exit_code_1(home: Path) -> None:
    with Terminal([*PROGRAM, "crash"], cwd=ROOT) as terminal:
        assert terminal.wait_for_end() == 1
        said = terminal.text
        assert "The tutor stopped on an error of its own, ValueError: [/nope]" in said
        assert "Traceback" not in said
    (report,) = home.glob("crashes/crash-*.txt")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert "ValueError" in report.read_text()
