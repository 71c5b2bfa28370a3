"""`step` on a scripted kernel: what it asks for, prints and refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fake_kernel import FakeKernel
from tests.stored_traces import REQUESTS, stored
from tutor.arguments import parse
from tutor.errors import FileError, UsageError
from tutor.graph.requests import TraceRequest
from tutor.graph.trace import parts
from tutor.headless import step

Capture = pytest.CaptureFixture[str]
SEED = "q = x**2; u = 3*q; z = 2*y; f = u + z"


def arguments(*words: str) -> Any:
    return parse(["step", *words], "tutor")


def asked(*words: str) -> TraceRequest:
    return step.read_request(arguments(*words))


def run(name: str, *words: str) -> int:
    """`step` answered with a stored trace, whatever it asked for."""
    request = REQUESTS[name]
    at = [
        word for each in request.at.items() for word in ("--at", f"{each[0]}={each[1]}")
    ]
    kernel = FakeKernel(calls={"trace": lambda request: parts(stored(name))})
    return step.run(arguments(request.code, *at, *words), lambda options: kernel)


def test_what_is_asked_for() -> None:
    request = asked(SEED, "--at", "x=2", "--at", "y = [[1], [2.5]]", "--root", "u")
    assert request == TraceRequest(SEED, {"x": 2, "y": [[1], [2.5]]}, root="u")


def test_a_file_and_a_function(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text("def f(x, *, y):\n    return x * y\n")
    words = ("--file", str(file), "--call", "f", "--at", "x=2", "--at", "y=-3")
    request = asked(*words, "--dtype", "float32", "--grad", "[1, 2]")
    assert request.code == file.read_text()
    assert (request.file, request.call, request.at) == (
        str(file),
        "f",
        {"x": 2, "y": -3},
    )
    assert (request.dtype, request.grad) == ("float32", "[1, 2]")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["x*2", "--at", "x"], "write a name and its value"),
        (["x*2", "--at", "2=x"], "write a name and its value"),
        (["x*2", "--at", "x=two"], "must be a number or nested lists"),
        (["x*2", "--at", "x='2'"], "must be a number or nested lists"),
        (["x*2", "--at", "x=True"], "must be a number or nested lists"),
        (["x*2", "--at", "x=[1, [2, 3]]"], "rows must be equally long"),
        (["x*2", "--at", "x=[[1], [2, 3]]"], "rows must be equally long"),
        (["x*2", "--at", "x=1", "--at", "x=2"], "given twice"),
        (["x*2", "--at", "x=1", "--at", "z=2"], "no use for that name"),
        (["width*2", "--at", "widht=1"], "did you mean width"),
        (["x = y", "--at", "x=1", "--at", "y=1"], "no use for that name"),
        (["def f(a): pass", "--call", "f", "--at", "b=1"], "f() has no use"),
        (["x*2", "--at", "x=1", "--root", "q"], "binds no such name"),
        (["x*2", "--at", "x=1", "--dtype", "int64"], "float64, float32"),
        (["x*2", "--at", "x=1", "--grad", "twos"], "write ones, or numbers"),
    ],
)
def test_what_cannot_be_meant(words: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        asked(*words)
    assert sentence in str(raised.value)
    assert raised.value.exit_code == 2


def test_what_is_used_in_other_ways() -> None:
    asked("x += 1", "--at", "x=1")
    asked("def f(**at): pass", "--call", "f", "--at", "b=1")
    asked("x = (", "--at", "z=1")  # does not parse: the engine says so
    asked("from there import *\ng(x)", "--at", "x=1", "--call", "g")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        asked("--file", str(tmp_path / "none.py"))
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="UTF-8"):
        asked("--file", str(tmp_path / "bytes.py"))


def test_a_width_too_small() -> None:
    with pytest.raises(UsageError, match="20 columns"):
        run("seed", "--width", "5")


def test_text(capsys: Capture) -> None:
    assert run("seed") == 0
    out, err = capsys.readouterr()
    assert "║" not in out  # no step is under way
    assert "╰───╯ ∂f/∂x=12  ╰─────╯ ∂f/∂q=3" in out
    assert "   x.grad = 12" in out
    assert err == ""


def test_ascii(capsys: Capture) -> None:
    assert run("fan-out", "--ascii") == 0
    assert capsys.readouterr().out.isascii()


def test_json_follows_the_order(capsys: Capture) -> None:
    assert run("seed", "--json", "--order", "slide") == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["backward"]] == ["f", "u", "q", "z"]


@pytest.mark.parametrize(
    ("form", "begins"), [("dot", "digraph"), ("mermaid", "flowchart"), ("svg", "<svg")]
)
def test_other_formats(form: str, begins: str, capsys: Capture) -> None:
    assert run("seed", "--format", form) == 0
    assert capsys.readouterr().out.startswith(begins)


def test_code_that_stopped_exits_1_with_the_trace_so_far(capsys: Capture) -> None:
    assert run("stopped") == 1
    out, err = capsys.readouterr()
    assert "F2  u = 3 * q" in out
    assert err == (
        "line 3: NameError: name 'missing' is not defined. "
        "Give it a value with --at missing=2.\n"
    )
    assert run("stopped", "--json") == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_why_follows_the_report(capsys: Capture) -> None:
    assert run("seed", "--why", "x") == 0
    printed = capsys.readouterr().out
    assert printed.endswith(
        "\nWhere does x.grad come from?\nx.grad is 12.\n"
        "  - Line 1: `x ** 2` sends 12 back to x.\n"
    )


def test_why_is_a_field_of_the_document(capsys: Capture) -> None:
    assert run("seed", "--json", "--why", "x") == 0
    why = json.loads(capsys.readouterr().out)["why"]
    assert why["verdict"] == "x.grad is 12."
    assert [each["line"] for each in why["causes"]] == [1]


def test_why_of_a_name_that_the_code_lacks() -> None:
    with pytest.raises(
        UsageError, match=r"--why width: the code has no such name\."
    ) as raised:
        run("seed", "--why", "width")
    assert raised.value.exit_code == 2
    code = "weight = x * 2\nnet = [weight]"
    with pytest.raises(UsageError, match="did you mean weight"):
        asked(code, "--at", "x=2", "--why", "wieght")
    asked(code, "--at", "x=2", "--why", "net.fc.bias")
    asked("from shapes import *", "--why", "square")
