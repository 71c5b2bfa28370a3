"""What the screen has shown is kept, however the app ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal, environment

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]

TUTOR = [sys.executable, "-m", "tutor"]
DONE = "go on"
"""What Enter is called at a cell that is done."""
LESSON = """
format = 1
section = "2.5"
title = "Kept"
minutes = 1

[[cells]]
id = "sum"
kind = "code"
code = "1 + 1"
expect = { equal = "2" }

[[cells]]
id = "free"
kind = "code"
code = "40 + 2"
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """With a lesson of our own."""
    (tmp_path / "02-05-kept.toml").write_text(LESSON)
    return {"TUTOR_LESSONS": str(tmp_path)}


def kill(terminal: Terminal) -> None:
    (app,) = terminal.children(terminal.process.pid)
    os.kill(app, signal.SIGKILL)
    assert terminal.wait_for_end() == 128 + signal.SIGKILL
    terminal.wait_until_none_alive()


def done(env: dict[str, str]) -> int:
    """How many cells of the lesson `list` says are done."""
    listed = subprocess.check_output(
        [*TUTOR, "list", "--json"], env={**environment(), **env}
    )
    return int(next(s["done"] for s in json.loads(listed) if s["id"] == "2.5"))


def test_a_tick_is_on_disk_before_it_is_drawn(env: dict[str, str]) -> None:
    with Terminal([*TUTOR, "2.5"], env=env) as terminal:
        terminal.wait_for("kernel idle")
        assert DONE not in terminal.text
        terminal.send("\r")
        terminal.wait_for(DONE)
        kill(terminal)
    assert done(env) == 1
    with Terminal([*TUTOR, "2.5"], env=env) as terminal:
        terminal.wait_for(DONE)


def test_what_is_typed_comes_back(env: dict[str, str], home: Path) -> None:
    with Terminal([*TUTOR, "2.5"], env=env) as terminal:
        terminal.wait_for("kernel idle")
        terminal.send("e")
        terminal.wait_for("editing")
        terminal.send("7 * ")

        def kept() -> bool:
            files = (home / "progress").glob("*.jsonl")
            return any("7 * " in file.read_text() for file in files)

        terminal.wait_until(kept)
        kill(terminal)
    assert done(env) == 0
    with Terminal([*TUTOR, "2.5"], env=env) as terminal:
        terminal.wait_for("7 * ")


def test_a_closed_window_keeps_what_was_typed_last(env: dict[str, str]) -> None:
    with Terminal([*TUTOR, "2.5"], env=env) as terminal:
        terminal.wait_for("kernel idle")
        terminal.send("e")
        terminal.wait_for("editing")
        terminal.send("7 * ")
        terminal.wait_for("7 * ")
        terminal.hang_up()
        terminal.wait_for_end()
        terminal.wait_until_none_alive()
    with Terminal([*TUTOR, "2.5"], env=env) as terminal:
        terminal.wait_for("7 * ")
