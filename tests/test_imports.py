"""What an import or a command never brings, each in a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["torch", "numpy", "IPython", "ipykernel", "jupyter_client", "zmq", "plotext"]
SCREEN = ["textual", "rich"]

_LOADED = """
import sys
{code}
never = {never}
print(*(name for name in never if name in sys.modules))
"""


def loaded(code: str, never: list[str]) -> list[str]:
    """Those of `never` that running `code` in a fresh interpreter imports."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED.format(code=code, never=never)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("tutor", ["argparse", "json", "dataclasses"]),
        ("tutor.launcher", ["argparse", "json", "msgspec", *SCREEN, *HEAVY]),
        ("tutor.cli", ["json", "asyncio", "msgspec", "dataclasses", *SCREEN, *HEAVY]),
        ("tutor.ui.app", ["msgspec", "tutor.session", "tomllib", *HEAVY]),
        ("tutor.session", [*SCREEN, *HEAVY]),
        ("tutor.headless.runner", [*SCREEN, *HEAVY]),
        ("tutor.headless.doctor", ["msgspec", "tutor.session", *SCREEN, *HEAVY]),
        ("tutor.kernel.jupyter", ["torch", "numpy", "IPython", "plotext", *SCREEN]),
        ("tutor.plotting", ["torch", "numpy", "zmq", "msgspec", *SCREEN]),
        ("tutor.graph.trace", ["msgspec", *SCREEN, *HEAVY]),
        ("tutor.training.run", ["msgspec", *SCREEN, *HEAVY]),
        ("tutor.wire", ["msgspec", *SCREEN, *HEAVY]),
        ("tutor.engine.bridge", ["msgspec", "jupyter_client", "zmq", *SCREEN]),
    ],
)
def test_an_import_never_brings(module: str, never: list[str]) -> None:
    assert loaded(f"import {module}", never) == []


@pytest.mark.parametrize(
    ("words", "never"),
    [
        ("--help", ["asyncio", "msgspec", *SCREEN, *HEAVY]),
        ("--version", ["asyncio", "msgspec", *SCREEN, *HEAVY]),
        ("list", ["asyncio", "tutor.session", *SCREEN, *HEAVY]),
        ("check --static", [*SCREEN, *HEAVY]),
    ],
)
def test_a_command_never_brings(
    words: str, never: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    code = f"from tutor import cli; assert cli.main({words.split()}) == 0"
    assert loaded(code, never) == []
