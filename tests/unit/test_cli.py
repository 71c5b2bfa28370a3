"""The command line in this process: what it understands, what it says, its exit code."""

import argparse
import stat
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from tutor import cli
from tutor.arguments import COMMANDS
from tutor.errors import FileError, MachineError, StoppedError, TutorError

Run = Callable[[argparse.Namespace], int]


@pytest.fixture(autouse=True)
def home(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],  # its streams, not pytest's own, are set up
) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["pytorch-tutor"])
    return tmp_path


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Run], None]:
    """Let a command do something else."""

    def plug(name: str, run: Run) -> None:
        module = types.ModuleType("stand_in")
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "stand_in", module)
        command = COMMANDS[name]._replace(module="stand_in")
        monkeypatch.setitem(COMMANDS, name, command)

    return plug


def parsed(plug: Callable[[str, Run], None], *words: str) -> argparse.Namespace:
    """The arguments that a command gets."""
    got: list[argparse.Namespace] = []
    name = next(word for word in words if word in COMMANDS)

    def run(arguments: argparse.Namespace) -> int:
        got.append(arguments)
        return 0

    plug(name, run)
    assert cli.main(words) == 0
    return got[0]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["lst"], "'lst' (did you mean list?)"),
        (["wibble"], "no command or section 'wibble'; see"),
        (["2.19"], "no section 2.19: they are 2.1 to 2.18"),
        (["3"], "no section 3:"),
        (["2.5", "2.6"], "'2.6' is one word too many"),
        (["list", "--jsn"], "no option --jsn (did you mean --json?)"),
        (["--versio"], "no option --versio (did you mean --version?)"),
        (["--link", "fst"], "choose from 'slow', 'fast'"),
        (["--link"], "--link: expected one argument"),
        (["exec"], "required: FILE; see `pytorch-tutor exec --help`"),
        (["step"], "CODE --file --replay is required"),
        (["step", "x", "--file", "f.py"], "not allowed with"),
        (["step", "x", "--json", "--format", "svg"], "not allowed with"),
        (["step", "x", "--width", "wide"], "invalid int value: 'wide'"),
        (["step", "x", "--order", "random"], "invalid choice: 'random'"),
        (["train", "--csv", "--plot"], "not allowed with"),
        (["--reset-terminal"], "no terminal here to reset"),
        ([], "needs a terminal"),
        (["2.5"], "needs a terminal"),
        (["--theme", "pink", "list", "extra"], "'extra' is one word too many"),
    ],
)
def test_a_wrong_line_is_one_sentence(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert part in err
    assert err.count("\n") == 1
    assert err.endswith(".\n")
    assert out == ""


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*name.split(), "--help"]) == 0
    out, err = capsys.readouterr()
    assert f"usage: pytorch-tutor {name}".rstrip() in out
    assert err == ""
    if not name:
        assert all(f"\n  {command} " in out for command in COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == "pytorch-tutor 0.1.0\n"


def test_the_options_of_step(plug: Callable[[str, Run], None]) -> None:
    line = (
        "step --file f.py --call g --at x=2 --at y=-1 --dtype float32 --root q "
        "--grad ones --order slide --format svg --ascii --width 40"
    )
    got = vars(parsed(plug, *line.split()))
    wanted = {
        "code": None,
        "file": Path("f.py"),
        "call": "g",
        "at": ["x=2", "y=-1"],
        "dtype": "float32",
        "root": "q",
        "grad": "ones",
        "order": "slide",
        "format": "svg",
        "ascii": True,
        "width": 40,
    }
    assert wanted.items() <= got.items()


def test_what_the_options_are_when_not_given(plug: Callable[[str, Run], None]) -> None:
    step = parsed(plug, "step", "x * 2")
    assert (step.code, step.file, step.at, step.format) == ("x * 2", None, [], "text")
    assert (step.dtype, step.order, step.width) == ("float64", "engine", None)
    assert parsed(plug, "train", "--seeds", "1e3").seeds == 1000
    train = parsed(plug, "train")
    assert (train.spec, train.set, train.json, train.csv) == (None, [], False, False)
    check = parsed(plug, "check")
    assert (check.paths, check.static, check.json) == ([], False, False)


def test_shared_options_stand_anywhere(plug: Callable[[str, Run], None]) -> None:
    assert parsed(plug, "--ascii", "list").ascii
    assert parsed(plug, "list", "--ascii").ascii
    assert not parsed(plug, "list").ascii


def test_code_that_looks_like_an_option(plug: Callable[[str, Run], None]) -> None:
    assert parsed(plug, "step", "--", "-x").code == "-x"
    assert parsed(plug, "step", "-x ** 2").code == "-x ** 2"
    assert parsed(plug, "exec", "-").file == "-"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TutorError("A cell failed."), 1),
        (FileError("There is no file x."), 2),
        (MachineError("There is no torch."), 3),
        (StoppedError("Interrupted."), 130),
    ],
)
def test_an_error_for_the_reader_is_its_sentence(
    error: TutorError,
    code: int,
    plug: Callable[[str, Run], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    plug("list", raising(error))
    assert cli.main(["list"]) == code
    assert capsys.readouterr().err == f"{error}\n"


def test_an_error_of_ours_is_a_sentence_and_a_private_report(
    plug: Callable[[str, Run], None], capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    plug("list", raising(ZeroDivisionError("division\nby \x1b[31mzero")))
    assert cli.main(["list"]) == 1
    err = capsys.readouterr().err
    (report,) = (home / "crashes").iterdir()
    assert f"ZeroDivisionError: division by zero; the report is in {report}." in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert "Traceback" in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_the_report_goes_elsewhere_when_the_state_folder_cannot_be_made(
    plug: Callable[[str, Run], None],
    capsys: pytest.CaptureFixture[str],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("TUTOR_HOME", str(home / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(home))
    plug("list", raising(ZeroDivisionError()))
    assert cli.main(["list"]) == 1
    assert f"the report is in {home / 'crash-'}" in capsys.readouterr().err


def test_a_missing_dependency(
    plug: Callable[[str, Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    plug("list", raising(ModuleNotFoundError("No module", name="textual.app")))
    assert cli.main(["list"]) == 3
    err = capsys.readouterr().err
    assert f"textual is not installed in {sys.executable}" in err


def test_ctrl_c(plug: Callable[[str, Run], None]) -> None:
    plug("list", raising(KeyboardInterrupt()))
    assert cli.main(["list"]) == 130


def raising(error: BaseException) -> Run:
    def run(arguments: argparse.Namespace) -> int:
        raise error

    return run
