"""`scripts/set_up.py` on a box that has a torch of its own (a fake distribution)."""

import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def box_with_torch(folder: Path, version: str) -> Path:
    """A Python whose only package is a torch of `version`, in name."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    info = site / f"torch-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n"
    )
    (info / "RECORD").write_text("")
    return folder / "bin" / "python"


def set_up(python: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(python), str(ROOT / "scripts" / "set_up.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_an_older_torch_is_refused_with_a_sentence(tmp_path: Path) -> None:
    python = box_with_torch(tmp_path / "box", "2.1.0")
    done = set_up(python, "--venv", str(tmp_path / "venv"))
    assert done.returncode == 3
    assert "has torch 2.1.0; the tutor needs 2.4 or newer" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.slow
def test_a_fit_torch_is_kept_and_nothing_of_it_is_downloaded(tmp_path: Path) -> None:
    python = box_with_torch(tmp_path / "box", "2.6.0+cu124")
    done = set_up(python, "--venv", str(tmp_path / "venv"), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "Keeping this machine's torch 2.6.0+cu124." in done.stdout
    names = [line.split()[0].lower() for line in done.stdout.splitlines()]
    assert "textual" in names
    assert "torch" not in names
    assert not [name for name in names if name.startswith(("nvidia", "cuda", "triton"))]
