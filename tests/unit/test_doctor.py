import errno
import os
import tempfile
from pathlib import Path

import pytest

from tests.fake_kernel import HELLO
from tutor.headless import doctor
from tutor.headless.doctor import KernelFacts

GOOD = KernelFacts(True, 1.25, HELLO, None)
PACKAGES = dict.fromkeys(doctor._PACKAGES, "1.0")


def facts(kernel: KernelFacts, **changed: object) -> dict[str, object]:
    terminal = doctor.terminal_facts() | {"tty": True, "term": "xterm", "colours": 16}
    return {
        "python": "3.11.7",
        "executable": "/python",
        "torch": doctor.torch_facts(kernel.hello),
        "devices": list(kernel.hello.devices) if kernel.hello else [],
        "packages": PACKAGES,
        "kernel": {"ok": kernel.ok, "seconds": kernel.seconds},
        "terminal": terminal,
        "data": "/data",
        "writable": True,
        "lessons": "/lessons",
        **changed,
    }


def test_a_machine_that_has_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    good = facts(GOOD)
    assert doctor.problems_of(good, GOOD) == []
    text = "\n".join(doctor.described(good))
    assert "torch     2.13.0, CPU build, /site-packages/torch" in text
    assert "kernel    starts in 1.2 s, torch imported" in text
    assert "devices   cpu" in text
    assert "terminal  xterm, 80x24, 16 colours" in text


def test_a_package_that_is_missing_is_named() -> None:
    lacking = facts(GOOD, packages={**PACKAGES, "textual": None, "msgspec": None})
    (problem,) = doctor.problems_of(lacking, GOOD)
    assert "Not installed in" in problem
    assert ": textual, msgspec. Install" in problem


def test_a_kernel_that_does_not_start() -> None:
    bad = KernelFacts(False, 3.0, None, "The kernel does not start: why.")
    assert doctor.problems_of(facts(bad), bad) == ["The kernel does not start: why."]
    assert "kernel    does not start" in doctor.described(facts(bad))


def test_progress_that_cannot_be_saved_is_no_reason_not_to_work() -> None:
    locked = facts(GOOD, writable=False)
    assert doctor.problems_of(locked, GOOD) == []
    assert "not writable: progress will not be saved" in "".join(
        doctor.described(locked)
    )


def test_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.writable(tmp_path / "new" / "deeper")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert not doctor.writable(tmp_path / "file" / "under")
    # What root meets in a container: every permission, and no file can be made.
    monkeypatch.setattr(os, "access", lambda path, mode: True)

    def refuse(**options: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert not doctor.writable(tmp_path)


@pytest.mark.parametrize(
    ("env", "colours"),
    [
        ({"TERM": "xterm-256color"}, 256),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, 1 << 24),
        ({"TERM": "linux"}, 16),
        ({"TERM": "dumb"}, 0),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, 0),
    ],
)
def test_colours(
    env: dict[str, str], colours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert doctor.terminal_facts()["colours"] == colours
