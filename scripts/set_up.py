"""Make .venv ready: `python3 scripts/set_up.py [--dev] [--torch cpu]`. Stdlib only.

A machine whose Python already has a fit torch keeps exactly that one: the environment
sees the outer packages, and pip is told to leave torch alone. Otherwise the tested
versions of constraints.txt are installed, and the size of the download is said first.
A stamp in .venv makes a second run return at once.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the first of our code that runs
    print(
        f"The tutor needs Python 3.11 or newer; this is {sys.version.split()[0]}. "
        "Name another: make run PYTHON=python3.12",
        file=sys.stderr,
    )
    raise SystemExit(3)

import argparse
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLOOR = (2, 4)
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
QUIET = ("--disable-pip-version-check", "--no-input")


def main() -> int:
    """Set up; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="with the test tools")
    parser.add_argument("--torch", choices=("cpu",), help="the small CPU build")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--dry-run", action="store_true", help="list, install nothing")
    options = parser.parse_args()
    outer = outer_torch()
    if outer is not None and version_of(outer) < FLOOR:
        return refuse(
            f"This Python has torch {outer}; the tutor needs 2.4 or newer. Upgrade it "
            "(pip install -U torch), or use a Python without it: "
            "make run PYTHON=/path/to/python3"
        )
    stamp = options.venv / "tutor-set-up.json"
    wanted = fingerprint(options, outer)
    if is_ready(stamp, wanted, options.dev):
        return 0
    make_environment(options.venv, outer)
    python = options.venv / "bin" / "python"
    if code := install(python, options, outer):
        return code
    if options.dry_run:
        return 0
    wanted["dev"] = options.dev
    stamp.write_text(json.dumps(wanted))
    return 0


def refuse(sentence: str) -> int:
    """Say why not; the exit code of an unfit machine."""
    print(sentence, file=sys.stderr)
    return 3


def outer_torch() -> str | None:
    """The version of the torch this Python already has; None: it has none."""
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def version_of(text: str) -> tuple[int, int]:
    """(major, minor) of "2.6.0+cu124"."""
    major, minor = [*text.split("."), "0"][:2]
    return int(major), int("".join(c for c in minor if c.isdigit()) or 0)


def fingerprint(options: argparse.Namespace, outer: str | None) -> dict[str, object]:
    """What must be unchanged for the environment to be taken as ready."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt", "scripts/set_up.py"):
        digest.update((ROOT / name).read_bytes())
    return {
        "files": digest.hexdigest(),
        "python": os.path.realpath(sys.executable),
        "root": str(ROOT),
        "outer torch": outer,
    }


def is_ready(stamp: Path, wanted: dict[str, object], dev: bool) -> bool:
    """Whether an earlier run left what is wanted; the test tools may be extra."""
    try:
        found = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return False
    had_dev = found.pop("dev", False)
    return found == wanted and (had_dev or not dev)


def make_environment(venv: Path, outer: str | None) -> None:
    """A new .venv, unless one of this Python stands there already."""
    config = venv / "pyvenv.cfg"
    inherits = f"include-system-site-packages = {str(outer is not None).lower()}"
    python = venv / "bin" / "python"
    if config.is_file() and inherits in config.read_text() and same_python(python):
        return
    shutil.rmtree(venv, ignore_errors=True)
    say(f"Making {venv} with {sys.executable}")
    command = [sys.executable, "-m", "venv", str(venv)]
    if outer is not None:
        command.append("--system-site-packages")
    subprocess.run(command, check=True)
    if outer is not None and torch_seen_by(python) != outer:
        # This Python is itself a virtual environment: its packages are no "system"
        # ones for the new environment, so they are named to it.
        folder = importlib.metadata.distribution("torch").locate_file("")
        site = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        )
        Path(site.stdout.strip(), "outer-torch.pth").write_text(f"{folder}\n")


def torch_seen_by(python: Path) -> str | None:
    """The version of torch another Python finds; None: it finds none."""
    ask = "import importlib.metadata as m; print(m.version('torch'))"
    answer = subprocess.run([python, "-c", ask], capture_output=True, text=True)
    return answer.stdout.strip() or None


def same_python(python: Path) -> bool:
    """Whether the environment's Python runs, and is this version."""
    ask = "import sys; print(sys.version)"
    try:
        answer = subprocess.run([python, "-c", ask], capture_output=True, text=True)
    except OSError:
        return False
    return answer.stdout.strip() == sys.version


def install(python: Path, options: argparse.Namespace, outer: str | None) -> int:
    """Install the tutor, editable; the exit code."""
    target = f"{ROOT}[dev]" if options.dev else str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text(constraints_for(outer))
        pip = [str(python), "-m", "pip", "install", *QUIET, "-c", str(constraints)]
        if outer is not None:
            say(f"Keeping this machine's torch {outer}.")
        elif wants_cpu(options):
            pip += ["--extra-index-url", CPU_INDEX]
        arguments = ["--editable", target]
        if outer is None and wants_cpu(options):
            arguments = [f"torch=={pinned('torch')}+cpu", *arguments]
        items = resolved([*pip, *arguments], Path(folder, "report.json"))
        say_size(items)
        if options.dry_run:
            say("\n".join(name_of(item) for item in items))
            return 0
        done = subprocess.run([*pip, "--quiet", *arguments])
    if done.returncode:
        return refuse(
            "pip could not install the tutor; its reason is above. Without a network, "
            "or behind a proxy, see the README's section on installing."
        )
    return 0


def wants_cpu(options: argparse.Namespace) -> bool:
    """Whether to take the CPU build; macOS has but one build, and needs no choice."""
    return options.torch == "cpu" and sys.platform != "darwin"


def constraints_for(outer: str | None) -> str:
    """The tested versions; with an outer torch, exactly that torch and its numpy."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    if outer is None:
        return "\n".join(lines)
    kept = [line for line in lines if not line.startswith(("torch==", "numpy=="))]
    return "\n".join([*kept, f"torch=={outer}"])


def pinned(name: str) -> str:
    """The tested version of a package."""
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line.startswith(f"{name}=="):
            return line.partition("==")[2]
    raise KeyError(name)


def resolved(command: list[str], report: Path) -> list[Any]:
    """What pip would install, as its report says; empty when it cannot tell."""
    dry = [*command, "--dry-run", "--quiet", "--report", str(report)]
    done = subprocess.run(dry, capture_output=True)
    if done.returncode or not report.is_file():
        return []  # the real run prints pip's own reason
    items: list[Any] = json.loads(report.read_text())["install"]
    return items


def name_of(item: Any) -> str:
    """One package of pip's report, "name version"."""
    return f"{item['metadata']['name']} {item['metadata']['version']}"


def say_size(items: list[Any]) -> None:
    """Print what will be downloaded, asked of the index itself before it is done."""
    sizes = [size_of(item["download_info"]["url"]) for item in items]
    known = sum(size for size in sizes if size is not None)
    unknown = sum(size is None for size in sizes)
    tail = f" and {unknown} of unknown size" if unknown else ""
    if items:
        say(f"Installing {len(items)} packages: {known / 1e6:,.0f} MB{tail}.")


def size_of(url: str) -> int | None:
    """Bytes behind a URL; 0 for a folder on this machine, None when nobody says."""
    if url.startswith("file://"):
        path = Path(urllib.request.url2pathname(url.removeprefix("file://")))
        return path.stat().st_size if path.is_file() else 0
    try:
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.headers["Content-Length"])
    except (OSError, TypeError, ValueError):
        return None


def say(sentence: str) -> None:
    """Progress, for the person who waits."""
    print(sentence, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
