"""The launcher with a stand-in for the app: the terminal is sane whatever ends it."""

import os
import shlex
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.modes import left_on
from tests.e2e.terminal import Terminal, state

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="finds processes in /proc"
)

APP = [sys.executable, "-m", "tests.e2e.stand_in"]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal(APP) as terminal:
        yield terminal


def pids(terminal: Terminal) -> tuple[int, int]:
    """The launcher's and the app's."""
    terminal.wait_for("READY")
    launcher = terminal.process.pid
    (app,) = terminal.children(launcher)
    return launcher, app


def assert_sane(terminal: Terminal) -> None:
    assert left_on(terminal.output) == set()
    assert terminal.attributes() == terminal.attributes_before
    terminal.wait_until_none_alive()


def test_the_apps_exit_code_is_ours(terminal: Terminal) -> None:
    terminal.wait_for("READY")
    assert left_on(terminal.output)  # the counter sees what the app switched on
    assert terminal.attributes() != terminal.attributes_before
    terminal.send("q")
    assert terminal.wait_for_end() == 7
    assert_sane(terminal)


@pytest.mark.parametrize("name", ["KILL", "SEGV", "ABRT", "QUIT", "BUS", "USR1"])
def test_a_signal_that_the_app_cannot_handle(terminal: Terminal, name: str) -> None:
    number = signal.Signals[f"SIG{name}"]
    _, app = pids(terminal)
    os.kill(app, number)
    assert terminal.wait_for_end() == 128 + number
    assert_sane(terminal)
    assert f"(SIG{name}).\nWhat you finished is saved: `tutor`" in terminal.text


def test_a_crash_in_native_code(terminal: Terminal) -> None:
    terminal.wait_for("READY")
    terminal.send("c")
    assert terminal.wait_for_end() == 128 + signal.SIGSEGV
    assert_sane(terminal)
    assert "a segmentation fault" in terminal.text


@pytest.mark.parametrize("name", ["TERM", "HUP"])
@pytest.mark.parametrize("whom", ["launcher", "app"])
def test_a_request_to_end(terminal: Terminal, name: str, whom: str) -> None:
    number = signal.Signals[f"SIG{name}"]
    launcher, app = pids(terminal)
    os.kill(launcher if whom == "launcher" else app, number)
    assert terminal.wait_for_end() == 128 + number
    assert_sane(terminal)
    assert "saved" not in terminal.text  # nobody needs to be told


@pytest.mark.parametrize("name", ["INT", "QUIT"])
def test_the_launcher_ignores_what_is_the_apps(terminal: Terminal, name: str) -> None:
    launcher, _ = pids(terminal)
    os.kill(launcher, signal.Signals[f"SIG{name}"])
    terminal.send("q")
    assert terminal.wait_for_end() == 7


@pytest.mark.slow
def test_an_app_that_does_not_end_is_killed() -> None:
    with Terminal([*APP, "deaf"]) as terminal:
        terminal.wait_for("READY")
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.wait_for_end() == 128 + signal.SIGTERM
        assert_sane(terminal)


def test_an_app_that_is_stopped_can_be_ended(terminal: Terminal) -> None:
    launcher, app = pids(terminal)
    os.kill(app, signal.SIGSTOP)
    terminal.wait_until(lambda: state(launcher) == "T")
    os.kill(launcher, signal.SIGTERM)  # as a shell does: TERM, then CONT
    os.kill(launcher, signal.SIGCONT)
    assert terminal.wait_for_end() == 128 + signal.SIGTERM
    assert_sane(terminal)


@pytest.mark.slow
def test_a_terminal_that_stopped_reading(terminal: Terminal) -> None:
    launcher, app = pids(terminal)
    terminal.send("f")
    terminal.wait_for("flood flood")
    terminal.wait_until(lambda: state(app) == "S")
    os.kill(launcher, signal.SIGTERM)
    assert terminal.wait_for_end(reading=False) == 128 + signal.SIGTERM
    assert terminal.attributes() == terminal.attributes_before
    terminal.wait_until_none_alive()


def test_a_terminal_that_is_gone(terminal: Terminal) -> None:
    terminal.wait_for("READY")
    terminal.hang_up()
    assert terminal.wait_for_end() == 128 + signal.SIGHUP
    terminal.wait_until_none_alive()


def shell(command: str) -> list[str]:
    """A shell with job control that runs `command`."""
    return ["bash", "--norc", "--noprofile", "-c", f"set -m; {command}"]


def test_the_app_ends_with_the_launcher() -> None:
    # Under a shell: as session leader, the launcher's death would hang up on the app.
    with Terminal(shell(f"{shlex.join(APP)}; echo WAS $?; read line")) as terminal:
        terminal.wait_for("READY")
        (launcher,) = terminal.children(terminal.process.pid)
        (app,) = terminal.children(launcher)
        os.kill(launcher, signal.SIGKILL)
        terminal.wait_until(lambda: state(app) in ("", "Z"), "the app's end")
        terminal.wait_for("WAS 137")


@pytest.fixture
def prompt() -> Iterator[Terminal]:
    """An interactive shell."""
    command = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
    with Terminal(command, env={"PS1": "$ "}) as terminal:
        terminal.wait_for("$")
        yield terminal


def test_suspend_and_foreground(prompt: Terminal) -> None:
    prompt.send(f"{shlex.join(APP)}\n")
    prompt.wait_for("READY")
    for times in (1, 2):
        prompt.send("s")
        prompt.wait_for_bytes(rb"(?s)(Stopped.*){%d}\$ $" % times)
        assert left_on(prompt.output) == set()
        assert prompt.attributes() == prompt.attributes_before
        prompt.send("fg\n")
        prompt.wait_for_bytes(rb"(?s)(AGAIN.*){%d}" % times)
        assert left_on(prompt.output)
    prompt.send("q")
    prompt.wait_for_bytes(rb"1049l[^$]*\$ $")
    prompt.send("echo WAS $?\n")
    prompt.wait_for("WAS 7")
    assert left_on(prompt.output) == set()
    assert prompt.output.count(b"AGAIN") == 2  # each waking took the terminal once


def test_a_wake_up_of_the_launcher_alone_wakes_the_app(terminal: Terminal) -> None:
    launcher, app = pids(terminal)
    terminal.send("s")
    terminal.wait_until(lambda: state(launcher) == state(app) == "T")
    os.kill(launcher, signal.SIGCONT)
    terminal.wait_for("AGAIN")
    terminal.send("q")
    assert terminal.wait_for_end() == 7


def test_a_stop_sent_to_the_launcher_stops_both(prompt: Terminal) -> None:
    prompt.send(f"{shlex.join(APP)}\n")
    prompt.wait_for("READY")
    (launcher,) = prompt.children(prompt.process.pid)
    (app,) = prompt.children(launcher)
    os.kill(launcher, signal.SIGTSTP)
    prompt.wait_until(lambda: state(launcher) == state(app) == "T")
    prompt.wait_until(lambda: not left_on(prompt.output))
    prompt.send("fg\n")
    prompt.wait_for("AGAIN")
    prompt.send("q")
    prompt.wait_until(lambda: state(launcher) == "")


def test_killed_while_suspended_the_shells_terminal_is_left_alone(
    prompt: Terminal,
) -> None:
    prompt.send(f"{shlex.join(APP)}\n")
    prompt.wait_for("READY")
    (launcher,) = prompt.children(prompt.process.pid)
    (app,) = prompt.children(launcher)
    prompt.send("s")
    prompt.wait_until(lambda: state(launcher) == state(app) == "T")
    prompt.wait_for_bytes(rb"(?s)Stopped.*\$ $")
    said = len(prompt.output)
    os.kill(app, signal.SIGKILL)
    prompt.send("bg\n")
    prompt.wait_until(lambda: state(launcher) == "")
    assert b"\x1b[?1049l" not in prompt.output[said:]


def test_reset_terminal() -> None:
    script = "stty -echo -icanon; printf '\\033[?1049h\\033[?1000h\\033[?25l'; "
    program = shlex.join([sys.executable, "-m", "tutor", "--reset-terminal"])
    with Terminal(shell(script + program)) as terminal:
        assert terminal.wait_for_end() == 0
        assert left_on(terminal.output) == set()
        assert terminal.attributes()[3] == terminal.attributes_before[3]
