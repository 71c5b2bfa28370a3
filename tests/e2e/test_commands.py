"""Commands as processes: streams that fail, folders that mislead, real kernels."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import DEADLINE_S, Terminal, environment

TUTOR = [sys.executable, "-m", "tutor"]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")


def tutor(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    options.setdefault("env", environment())
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run(
        [*TUTOR, *words],
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        timeout=DEADLINE_S,
        **options,
    )


@pytest.mark.parametrize(
    "words", ["--version", "--help", "list", "list --json", "check --static"]
)
def test_a_full_disk_is_a_sentence(words: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = tutor(*words.split(), stdout=full)
    wanted = "The output cannot be written: No space left on device.\n"
    assert (done.returncode, done.stderr) == (1, wanted)


@pytest.mark.parametrize("words", ["--version", "list --json"])
def test_a_reader_that_left_is_no_error(words: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = tutor(*words.split(), stdout=pipe)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_streams_that_are_closed(closed: str) -> None:
    line = f'exec "$0" -m tutor list --json {closed}'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable],
        env=environment(),
        capture_output=True,
        timeout=DEADLINE_S,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_callers_folder_shadows_nothing(tmp_path: Path) -> None:
    for name in ("argparse", "json", "textual", "numpy", "select"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    done = tutor("list", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)) == 18


def test_utf8_in_a_locale_without_it() -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = tutor("list", "--json", env={**environment(), **plain})
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)


@LINUX
@pytest.mark.kernel
def test_a_terminal_in_the_c_locale_gets_ascii() -> None:
    words = ["step", "x * x", "--at", "x=2"]
    with Terminal([*TUTOR, *words], env={"LC_ALL": "C"}) as terminal:
        assert terminal.wait_for_end() == 0
        assert "x.grad = 4" in terminal.text
        assert bytes(terminal.output).isascii()


@pytest.mark.parametrize(
    ("env", "words"),
    [({"TERM": "dumb"}, ""), ({"TERM": "dumb"}, "2.5"), ({}, "> /dev/null")],
)
def test_the_app_without_a_screen(env: dict[str, str], words: str) -> None:
    command = ["sh", "-c", f'exec "$0" -m tutor {words}', sys.executable]
    with Terminal(command, env=env) as terminal:
        assert terminal.wait_for_end() == 2
        assert "needs a terminal with cursor control" in terminal.text
        assert b"\x1b" not in terminal.output


SCRIPT = """import os, sys
print("here")
# %%
import torch
torch.__version__ != "stray"
# %%
import mine
os.getcwd() == sys.path[-1]
# %%
input("?")
# %%
1 / 0
# %%
print("é", file=sys.stderr)
# %%
sys.stdout.write("a"); sys.stdout.flush(); sys.stdout.write("b")
2
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """In a folder with a module of its own and one that should shadow nothing."""
    (tmp_path / "torch.py").write_text("__version__ = 'stray'")
    (tmp_path / "mine.py").write_text("")
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


@pytest.mark.kernel
def test_exec(script: Path) -> None:
    done = tutor("exec", "script.py", "--json", "--keep-going", cwd=script.parent)
    assert (done.returncode, done.stderr) == (1, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    told = [
        (
            each["cell"],
            each["kind"],
            *(each.get(k) for k in ("text", "ename", "status")),
        )
        for each in lines
        if each["kind"] != "error"
    ]
    assert told == [
        (1, "stream", "here\n", None, None),
        (1, "done", None, None, "ok"),
        (2, "result", "True", None, None),
        (2, "done", None, None, "ok"),
        (3, "result", "True", None, None),
        (3, "done", None, None, "ok"),
        (4, "done", None, None, "error"),
        (5, "done", None, None, "error"),
        (6, "stream", "é\n", None, None),
        (6, "done", None, None, "ok"),
        (7, "stream", "ab", None, None),
        (7, "result", "2", None, None),
        (7, "done", None, None, "ok"),
    ]
    errors = [each for each in lines if each["kind"] == "error"]
    assert [each["ename"] for each in errors] == [
        "StdinNotImplementedError",
        "ZeroDivisionError",
    ]
    assert all("\x1b" not in each["text"] for each in errors)


@pytest.mark.kernel
def test_exec_stops_at_the_first_failure_and_reads_stdin(tmp_path: Path) -> None:
    done = tutor("exec", "-", input="# %%\n1 / 0\n# %%\n2\n", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "ZeroDivisionError: division by zero\nCell 1 of 2 failed.\n" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.kernel
def test_exec_of_a_cell_that_kills_its_kernel(tmp_path: Path) -> None:
    code = "import os\nos.kill(os.getpid(), 9)"
    done = tutor("exec", "-", "--json", input=code, cwd=tmp_path)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["status"] == "died"


@LINUX
@pytest.mark.kernel
@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "KILL"])
def test_exec_ended_by_a_signal_leaves_nothing(name: str, tmp_path: Path) -> None:
    number = signal.Signals[f"SIG{name}"]
    looping = tmp_path / "loop.py"
    looping.write_text(
        "import os, subprocess\n"
        "child = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "print('begun', flush=True)\n1 / 0\n# %%\nwhile True: pass\n"
    )
    with Terminal([*TUTOR, "exec", str(looping), "--keep-going"]) as terminal:
        terminal.wait_for("Cell 1 of 2 failed.")
        assert len(terminal.alive()) >= 4  # us, the guard, the kernel, its child
        os.kill(terminal.process.pid, number)
        code = terminal.wait_for_end()
        assert code == (130 if name == "INT" else -number)
        terminal.wait_until_none_alive()


@pytest.mark.kernel
def test_doctor(home: Path) -> None:
    done = tutor("doctor", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(done.stdout)
    assert facts["python"].count(".") == 2
    assert facts["torch"].keys() == {"version", "path", "cuda"}
    assert facts["torch"]["version"] is not None
    assert "cpu" in facts["devices"]
    assert facts["kernel"]["ok"] is True
    assert 0 < facts["kernel"]["seconds"] < DEADLINE_S
    assert facts["terminal"]["term"] == "xterm-256color"
    assert facts["data"] == str(home)


def broken(folder: Path, package: str) -> dict[str, str]:
    """An environment in which `package` cannot be imported."""
    (folder / package).mkdir()
    text = f"raise ModuleNotFoundError('no {package}', name={package!r})"
    (folder / package / "__init__.py").write_text(text)
    return {**environment(), "PYTHONPATH": str(folder)}


@pytest.mark.kernel
def test_no_torch(tmp_path: Path) -> None:
    env = broken(tmp_path, "torch")
    done = tutor("doctor", env=env)
    assert done.returncode == 3
    assert "torch cannot be imported" in done.stderr
    assert "Traceback" not in done.stderr
    done = tutor("exec", "-", env=env, input="1")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "torch cannot be imported" in done.stderr


@LINUX
def test_no_textual(tmp_path: Path) -> None:
    with Terminal(TUTOR, env=broken(tmp_path, "textual")) as terminal:
        assert terminal.wait_for_end() == 3
        assert "textual is not installed in" in terminal.text
