"""`doctor`: what the tutor runs on, and what keeps it from working.

The kernel is started and asked; nothing here imports torch. Nothing is written.
"""

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tutor import paths, settings
from tutor.errors import MachineError, TutorError
from tutor.headless import printing
from tutor.messages import Hello

_PACKAGES = ("numpy", "textual", "plotext", "msgspec", "ipykernel", "pyzmq")


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """How starting a kernel went."""

    ok: bool
    seconds: float
    """Until it answered, torch imported, or until it failed."""
    hello: Hello | None
    """None: it could not be asked, or torch cannot be imported."""
    problem: str | None
    """Why not, as a sentence."""


def run(arguments: argparse.Namespace) -> int:
    """3 when the tutor could not work here, else 0."""
    kernel = try_kernel()
    facts = {
        "python": platform.python_version(),
        "executable": sys.executable,
        "torch": torch_facts(kernel.hello),
        "devices": list(kernel.hello.devices) if kernel.hello else [],
        "packages": {name: _version(name) for name in _PACKAGES},
        "kernel": {"ok": kernel.ok, "seconds": round(kernel.seconds, 3)},
        "terminal": terminal_facts(),
        "data": str(paths.data()),
        "writable": writable(paths.data()),
        "lessons": str(paths.lessons()),
    }
    problems = problems_of(facts, kernel)
    facts |= {"ok": not problems, "problems": problems}
    if arguments.json:
        printing.document(facts)
    else:
        printing.data("".join(f"{line}\n" for line in described(facts)))
        for sentence in problems or ["The tutor has what it needs."]:
            printing.talk(sentence)
    return MachineError.exit_code if problems else 0


def try_kernel() -> KernelFacts:
    """Start a kernel, import torch in it, and stop it."""
    began = time.monotonic()
    found: list[Hello] = []
    seconds: list[float] = []
    try:
        from tutor.headless import runner
        from tutor.session import Session

        async def work(session: Session) -> int:
            seconds.append(time.monotonic() - began)
            assert session.hello is not None
            found.append(session.hello)
            return 0

        if runner.run(work) == 130:
            raise KeyboardInterrupt
    except (TutorError, ImportError) as error:
        took = time.monotonic() - began
        return KernelFacts(False, took, None, str(error))
    return KernelFacts(True, seconds[0], found[0], None)


def torch_facts(hello: Hello | None) -> dict[str, str | None]:
    """As the kernel imported it; else what is installed, without importing it."""
    if hello is not None:
        return {
            "version": hello.torch,
            "path": hello.torch_path,
            "cuda": hello.cuda,
        }
    spec = importlib.util.find_spec("torch")
    place = spec.origin if spec else None
    return {"version": _version("torch"), "path": place, "cuda": None}


def terminal_facts() -> dict[str, object]:
    """What the environment says of the terminal, and what the tutor makes of it."""
    size = shutil.get_terminal_size()
    chosen = settings.load()
    return {
        "tty": sys.stdout.isatty(),
        "term": os.environ.get("TERM"),
        "columns": size.columns,
        "rows": size.lines,
        "colours": _colours(),
        "glyphs": chosen.glyphs,
        "encoding": _locale(),
        "link": chosen.link,
        "ssh": "SSH_CONNECTION" in os.environ,
        "tmux": "TMUX" in os.environ,
    }


def writable(folder: Path) -> bool:
    """Whether `folder` can be written, or made where it does not exist yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:  # asking for permission is not enough: root has it also where none can write
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def problems_of(facts: dict[str, object], kernel: KernelFacts) -> list[str]:
    """What keeps the tutor from working; a sentence each."""
    packages, torch = facts["packages"], facts["torch"]
    assert isinstance(packages, dict)
    assert isinstance(torch, dict)
    versions = {"torch": torch["version"], **packages}
    missing = [name for name, version in versions.items() if version is None]
    problems = []
    if missing:
        problems.append(
            f"Not installed in {sys.executable}: {', '.join(missing)}. Install the "
            "tutor there with `python -m pip install .`, or start it with `make run`."
        )
    if kernel.problem is not None and not missing:
        problems.append(kernel.problem)
    return problems


def described(facts: dict[str, object]) -> list[str]:
    """The facts as lines for the reader."""
    torch, terminal, kernel = facts["torch"], facts["terminal"], facts["kernel"]
    assert isinstance(torch, dict)
    assert isinstance(terminal, dict)
    assert isinstance(kernel, dict)
    devices = facts["devices"]
    assert isinstance(devices, list)
    version = torch["version"]
    build = f"CUDA {torch['cuda']}" if torch["cuda"] else "CPU build"
    found = f"{version}, {build}, {torch['path']}" if version else "not found"
    started = f"starts in {kernel['seconds']:.1f} s, torch imported"
    saved = "" if facts["writable"] else ", not writable: progress will not be saved"
    return [
        f"python    {facts['python']}, {facts['executable']}",
        f"torch     {found}",
        f"devices   {', '.join(devices) or 'unknown'}",
        f"kernel    {started if kernel['ok'] else 'does not start'}",
        f"terminal  {_terminal_line(terminal)}",
        f"data      {facts['data']}{saved}",
        f"lessons   {facts['lessons']}",
    ]


def _terminal_line(terminal: dict[str, object]) -> str:
    if not terminal["tty"]:
        return "none here: the app needs one, the other commands do not"
    colours = terminal["colours"]
    words = [
        str(terminal["term"]),
        f"{terminal['columns']}x{terminal['rows']}",
        f"{colours} colours" if colours else "no colours",
        f"{terminal['encoding']}, {terminal['glyphs']} signs",
        f"{terminal['link']} link",
    ]
    words += [name for name in ("ssh", "tmux") if terminal[name]]
    return ", ".join(words)


def _colours() -> int:
    """How many the terminal says it has; 0 with NO_COLOR or TERM=dumb."""
    term = os.environ.get("TERM", "")
    if os.environ.get("NO_COLOR") or term in ("", "dumb"):
        return 0
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return 1 << 24
    return 256 if "256color" in term else 16


def _locale() -> str:
    import locale

    return locale.getencoding()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
