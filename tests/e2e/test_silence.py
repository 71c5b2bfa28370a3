"""What stands still sends nothing: no byte reaches the terminal of a race that is paused
or over, in any view."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import DEADLINE_S, Terminal

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]

SILENT_S = 2.0
"""Without a byte; longer than anything on screen waits to be painted again."""
OWN_LOOP = "\x1bOR"
"""F3."""
LESSON = """
format = 1
section = "2.5"
title = "A loop"
minutes = 1

[[cells]]
id = "loop"
kind = "code"
code = '''
import tutor

for k in range(30):
    tutor.watch(1 / (k + 1))
'''
"""


TUTOR = [sys.executable, "-m", "tutor"]


def assert_it_falls_silent(terminal: Terminal) -> None:
    """Nothing is sent for a while, before the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < SILENT_S:
        before = len(terminal.output)
        terminal._read(SILENT_S / 10)
        if len(terminal.output) > before:
            quiet_since = time.monotonic()
        assert time.monotonic() < deadline, f"never silent:\n{terminal.text}"


@pytest.fixture
def training() -> Iterator[Terminal]:
    """Its screen, before the first iteration."""
    with Terminal(TUTOR, columns=120, rows=40) as opened:
        opened.wait_for("training")
        opened.send("t")
        opened.wait_for("ready")
        yield opened


def test_a_paused_race_sends_nothing_in_any_view(training: Terminal) -> None:
    training.send("12s")
    training.wait_for("iteration 12 of 25")
    training.wait_for("paused")
    assert_it_falls_silent(training)
    for word in ("contour", "fit", "layers", "noise", "luck"):
        training.wait_for(f"v {word}")
        training.send("v")
        assert_it_falls_silent(training)


def test_a_luck_meter_that_ended_sends_nothing(training: Terminal) -> None:
    training.send("k")
    training.wait_for("trying")
    training.wait_until(lambda: "trying" not in training.text, "its end")
    assert_it_falls_silent(training)


def test_an_own_loop_that_ended_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "02-05-loop.toml").write_text(LESSON)
    env = {"TUTOR_LESSONS": str(tmp_path)}
    with Terminal([*TUTOR, "2.5"], columns=120, rows=40, env=env) as terminal:
        terminal.wait_for("kernel idle")
        terminal.send("\r")
        terminal.wait_for("shows its curve")
        terminal.send(OWN_LOOP)
        terminal.wait_for("Your own loop")
        terminal.wait_for("iteration 29")
        assert_it_falls_silent(terminal)
