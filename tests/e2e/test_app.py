"""The real app with a real kernel in a pseudo-terminal: the ends it may come to."""

import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.modes import left_on
from tests.e2e.terminal import Terminal, state

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]

TUTOR = [sys.executable, "-m", "tutor"]
QUIT = "\x11"
STOP = "\x03"
SUSPEND = "\x1a"

_COLOUR = re.compile(rb"\x1b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9\d|10[0-7])[\d;]*m")

ESCAPEES = (
    "import os, subprocess; "
    "subprocess.Popen(['sleep', '1000'], start_new_session=True); "
    "os.fork(); input()"
)


@pytest.fixture
def app() -> Iterator[Terminal]:
    """With the home screen painted."""
    with Terminal(TUTOR) as terminal:
        terminal.wait_for("2.18")
        yield terminal


def pids(terminal: Terminal) -> tuple[int, int]:
    """The launcher's and the app's."""
    launcher = terminal.process.pid
    (app,) = terminal.children(launcher)
    return launcher, app


def open_console(terminal: Terminal) -> None:
    """Until it answers."""
    terminal.send("c")
    terminal.wait_for(">>>")
    terminal.send("6 * 7\r")
    terminal.wait_for("\n 42")


def assert_over(terminal: Terminal, code: int) -> None:
    assert terminal.wait_for_end() == code
    assert left_on(terminal.output) == set()
    assert terminal.attributes() == terminal.attributes_before
    terminal.wait_until_none_alive()


@pytest.mark.parametrize("key", ["q", QUIT])
def test_quit_before_the_kernel_is_ready(app: Terminal, key: str) -> None:
    app.send(key)
    assert_over(app, 0)


def test_quit_from_the_console(app: Terminal) -> None:
    open_console(app)
    app.send(QUIT)
    assert_over(app, 0)


@pytest.mark.parametrize("whom", ["launcher", "app"])
@pytest.mark.parametrize("name", ["TERM", "HUP"])
def test_asked_to_end(app: Terminal, whom: str, name: str) -> None:
    open_console(app)
    number = signal.Signals[f"SIG{name}"]
    os.kill(pids(app)[whom == "app"], number)
    assert_over(app, 128 + number)


@pytest.mark.parametrize("name", ["KILL", "SEGV", "QUIT", "ABRT"])
def test_ended_by_a_signal(app: Terminal, name: str) -> None:
    open_console(app)
    number = signal.Signals[f"SIG{name}"]
    os.kill(pids(app)[1], number)
    assert_over(app, 128 + number)
    assert f"(SIG{name}).\nWhat you finished is saved: `python -m tutor`" in app.text


@pytest.mark.parametrize(
    ("busy", "more"),
    [
        ("while True: pass", 0),
        ("sum(range(10**11))", 0),
        ("import os; os.kill(os.getpid(), 19)", 0),
        (ESCAPEES, 2),
    ],
    ids=["loop", "c-code", "stopped", "children"],
)
def test_killed_while_the_kernel_is_busy(app: Terminal, busy: str, more: int) -> None:
    open_console(app)
    before = len(app.alive())
    app.send(f"{busy}\r")
    app.wait_for("kernel busy")
    app.wait_until(lambda: len(app.alive()) == before + more)
    os.kill(pids(app)[1], signal.SIGKILL)
    assert_over(app, 128 + signal.SIGKILL)


def test_the_window_is_closed(app: Terminal) -> None:
    open_console(app)
    app.hang_up()
    assert app.wait_for_end() == 128 + signal.SIGHUP
    app.wait_until_none_alive()


def test_the_launcher_is_killed() -> None:
    # Under a shell: as session leader, the launcher's death would hang up on the app.
    line = f"set -m; {shlex.join(TUTOR)}; echo WAS $?; read line"
    with Terminal(["bash", "--norc", "--noprofile", "-c", line]) as terminal:
        terminal.wait_for("2.18")
        open_console(terminal)
        (launcher,) = terminal.children(terminal.process.pid)
        os.kill(launcher, signal.SIGKILL)
        only_bash = {terminal.process.pid}
        terminal.wait_until(lambda: terminal.alive().keys() == only_bash)


@pytest.mark.slow
def test_a_line_that_is_frozen(app: Terminal) -> None:
    open_console(app)
    _, ui = pids(app)
    for columns in range(40, 140):  # each size is painted, and nobody reads it
        app.resize(columns, 24)
        os.kill(ui, signal.SIGWINCH)
    app.wait_until_full()
    os.kill(app.process.pid, signal.SIGTERM)
    assert app.wait_for_end(reading=False) == 128 + signal.SIGTERM
    assert app.attributes() == app.attributes_before
    app.wait_until_none_alive()


def test_suspend_and_foreground() -> None:
    command = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
    with Terminal(command, env={"PS1": "$ "}) as terminal:
        terminal.wait_for("$")
        terminal.send(f"{shlex.join(TUTOR)}\n")
        for times in (1, 2):
            terminal.wait_for("2.18")
            terminal.send(SUSPEND)
            terminal.wait_for_bytes(rb"(?s)(Stopped.*){%d}\$ $" % times)
            assert left_on(terminal.output) == set()
            assert terminal.attributes() == terminal.attributes_before
            (launcher,) = terminal.children(terminal.process.pid)
            (app,) = terminal.children(launcher)
            assert (state(launcher), state(app)) == ("T", "T")
            terminal.send("clear; fg\n")
        terminal.wait_for("2.18")  # painted again
        terminal.send("q")
        terminal.wait_for_bytes(rb"1049l[^$]*\$ $")
        terminal.send("echo WAS $?\n")
        terminal.wait_for("WAS 0")
        assert left_on(terminal.output) == set()


def walk(terminal: Terminal) -> None:
    """Home, its help, the console, a value, an error, back home, and out."""
    terminal.wait_for("2.18")
    terminal.send("?")
    terminal.wait_until(lambda: help_shows(terminal) and "2.18" not in terminal.text)
    terminal.send("\x1b")
    terminal.wait_until(
        lambda: not help_shows(terminal)
    )  # else the next key joins the escape
    open_console(terminal)
    terminal.send("1 / 0\r")
    terminal.wait_for("ZeroDivisionError")
    terminal.send(QUIT)
    assert_over(terminal, 0)


def help_shows(terminal: Terminal) -> bool:
    return "Help: home" in terminal.text


@pytest.mark.parametrize(
    ("options", "env"),
    [
        (["--ascii"], {}),
        ([], {"LANG": "C"}),
        ([], {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    ],
    ids=["flag", "lang", "posix"],
)
def test_ascii(options: list[str], env: dict[str, str]) -> None:
    with Terminal([*TUTOR, *options], env=env) as terminal:
        walk(terminal)
        above = sorted({byte for byte in terminal.output if byte > 0x7F})
        assert above == []


def test_no_colour() -> None:
    with Terminal(TUTOR) as terminal:
        walk(terminal)
        assert _COLOUR.search(terminal.output)  # the pattern finds what there is
    with Terminal(TUTOR, env={"NO_COLOR": "1"}) as terminal:
        walk(terminal)
        assert _COLOUR.findall(terminal.output) == []


def test_an_unwritable_data_folder_is_said_once() -> None:
    with Terminal(TUTOR, env={"TUTOR_HOME": "/proc/none"}) as terminal:
        terminal.wait_for("2.18")
        terminal.send(QUIT)
        assert_over(terminal, 0)
