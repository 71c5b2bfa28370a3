"""Stored traces: written, read, broken off, and walked where no torch is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stored_traces import REQUESTS, stored
from tutor.errors import FileError
from tutor.graph import export, files, text
from tutor.graph.steps import walk

SEED = files.text(stored("seed"))


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_a_stored_trace_is_the_trace(name: str) -> None:
    assert files.read(files.text(stored(name)), "w") == (stored(name), True)


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_what_is_left_of_a_file_can_be_walked(name: str) -> None:
    """Wherever it breaks off behind its second line, also within a line."""
    whole = files.text(stored(name))
    begin = whole.index("\n", whole.index("\n") + 1) + 1
    for size in range(begin, len(whole) - 1, max(1, len(whole) // 40)):
        trace, is_whole = files.read(whole[:size], "w.trace")
        assert not is_whole
        walked = walk(trace)
        assert bool(list(text.report(walked))) == bool(walked.steps)
        can_be_walked = "this is what can be walked" in (trace.end.truncated or "")
        assert can_be_walked == bool(trace.ops)
        for form in export.ENDINGS.values():
            assert export.write(walked, form)
        assert trace.end.truncated is not None
        assert trace.end.truncated.startswith("w.trace breaks off after line ")
        assert trace.end.code == stored(name).end.code


def test_ops_are_left_where_a_long_file_breaks_off() -> None:
    whole = files.text(stored("seed"))
    lines = whole.splitlines(keepends=True)
    trace, _ = files.read("".join(lines[:-1]), "w")
    assert [op.function for op in trace.ops] == ["pow", "mul", "mul", "add"]
    assert trace.rules == stored("seed").rules


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "w is empty"),
        ("\n\n", "w is empty"),
        ("def f(x):\n", "w, line 1: this is no stored trace"),
        ('{"version": 1}\n', "w, line 1: this is no stored trace"),
        ("[1]\n", "w, line 1: this is no stored trace"),
        (SEED.replace('"version": 2', '"version": 99', 1), "has version 99"),
        (SEED.splitlines()[0] + "\n", "w, line 2: the trace breaks off"),
        (SEED.splitlines()[0] + "\nfoo\n", "w, line 2: the trace breaks off"),
    ],
)
def test_what_is_no_trace_is_a_sentence(content: str, said: str) -> None:
    with pytest.raises(FileError, match=said):
        files.read(content, "w")


def test_a_message_of_another_version_ends_it() -> None:
    lines = SEED.splitlines()
    raw = json.loads(lines[-1])
    raw["v"] = 77
    trace, is_whole = files.read("\n".join([*lines[:-1], json.dumps(raw)]), "w")
    assert not is_whole
    assert trace.end.truncated is not None


NO_TORCH = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "IPython", "ipykernel", "zmq"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Nothing())
from tutor import cli
sys.exit(cli.main(sys.argv[1:]))
"""


def replay(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = ["step", "--replay", str(path), *options]
    command = [sys.executable, "-c", NO_TORCH, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_stored_trace_is_replayed_without_torch(tmp_path: Path) -> None:
    path = tmp_path / "w.trace"
    path.write_text(SEED)
    done = replay(path, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["leaves"]["x"]["grad"] == 12
    done = replay(path, "--format", "trace")
    assert done.stdout == SEED
    path.write_text(SEED[:-200])
    done = replay(path)
    assert done.returncode == 2
    assert "breaks off after line" in done.stderr
    assert "q = x**2" in done.stdout or "q = x ** 2" in done.stdout
    path.write_text("")
    done = replay(path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("w.trace is empty: it is no stored trace.")
    assert replay(tmp_path / "none").returncode == 2
    done = replay(path, "--at", "x=2")
    assert done.returncode == 2
    assert "--at is about running code" in done.stderr
