"""Gets the functions of `compiled` compiled, ahead of time, by torch.compile's compiler.

The first compilation of a kind takes a quarter of a minute. It is done by a process of its
own while the run goes on eagerly, and leaves a library in the cache folder; that is loaded
in a millisecond, in this kernel and in later ones.
"""

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tutor import paths
from tutor.engine import compiled
from tutor.engine.compiled import Function, Kind

MOST = 50
"""Libraries that are kept, of one or two megabytes each."""

_UNKEPT = 3
"""How the process ends that has no room for what it made."""


class Maker:
    """Gets functions compiled while something else computes."""

    def __init__(self) -> None:
        self._working: dict[Kind, subprocess.Popen[bytes]] = {}
        self._ready: dict[Kind, Function] = {}
        self.problem = "" if compiler() else "there is no C++ compiler here"
        """Why nothing can be compiled; "": it can."""

    def get(self, kind: Kind) -> Function | None:
        """The function, when it is at hand; None: it is being made, or cannot be."""
        if kind in self._ready:
            return self._ready[kind]
        if self.problem:
            return None
        if kind in self._working:
            code = self._working[kind].poll()
            if code is None:
                return None
            del self._working[kind]
            if code != 0:
                self.problem = (
                    f"the disk does not take what torch.compile makes ({paths.cache()})"
                    if code == _UNKEPT
                    else f"torch.compile does not work here (it ended with {code})"
                )
                return None
            return self._loaded(kind)
        if place(kind).exists():
            return self._loaded(kind)
        if not self._working:  # one at a time: they are not to slow the run down
            self._working[kind] = _process(kind)
        return None

    def _loaded(self, kind: Kind) -> Function | None:
        try:
            self._ready[kind] = loaded(place(kind))
        except (OSError, RuntimeError, AttributeError) as error:
            reason = str(error).partition("\n")[0]
            self.problem = f"what torch.compile made cannot be loaded ({reason})"
            return None
        return self._ready[kind]

    def has(self, kind: Kind) -> bool:
        """It is at hand."""
        return kind in self._ready

    @property
    def busy(self) -> bool:
        """Something is being compiled."""
        return any(process.poll() is None for process in self._working.values())


def compiler() -> str | None:
    """The C++ compiler that torch.compile would call."""
    return shutil.which(os.environ.get("CXX", "g++")) or shutil.which("clang++")


# ---------------------------------------------------------------------- what is on disk


def place(kind: Kind) -> Path:
    """The library of a kind: for this torch, this processor and what is computed here."""
    told = json.dumps([asdict(kind), compiled.UPDATES, *_made_for()])
    key = hashlib.sha256(told.encode()).hexdigest()[:24]
    return paths.cache() / "compiled" / f"{key}.so"


@cache
def _made_for() -> tuple[str, ...]:
    source = Path(compiled.__file__).read_bytes()
    return torch.__version__, _processor(), hashlib.sha256(source).hexdigest()


def _processor() -> str:
    """Its instructions: a home folder may be shared by machines that differ in them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    known = (each for each in lines if each.startswith(("flags", "Features")))
    return f"{platform.machine()} {next(known, '')}"


def loaded(path: Path) -> Function:
    """The function of a library.

    Raises OSError when the library is somebody else's, RuntimeError when it is none.
    """
    if path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to somebody else")
    runner = torch._C._aoti.AOTIModelContainerRunnerCpu(str(path), 1)
    run: Function = runner.run
    return run


# -------------------------------------------------------- made in a process of its own


def _process(kind: Kind) -> "subprocess.Popen[bytes]":
    """Deaf to the interrupts that pause a race: they reach all that a kernel started."""
    told = json.dumps(asdict(kind))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "tutor.engine.maker", told],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def make(kind: Kind) -> None:
    """Compile it, see that it computes what it is to compute, and put it in its place.

    Raises what the compiler raises, ValueError when the numbers are others.
    """
    from torch.fx.experimental.proxy_tensor import make_fx

    given = compiled.example(kind)
    with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        # torch.export does not follow torch.func.grad; make_fx does
        traced = make_fx(lambda *each: compiled.computed(kind, [*each]))(*given)
        program = torch.export.export(traced, tuple(given))
        library = Path(folder, "function.so")
        torch._inductor.aot_compile(
            program.module(),
            tuple(given),
            options={"aot_inductor.output_path": str(library)},
        )
        _compare(loaded(library)(given), compiled.computed(kind, given))
        target = place(kind)
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_suffix(f".{os.getpid()}")
        shutil.copy(library, half)
        half.replace(target)
    kept = sorted(target.parent.glob("*.so"), key=lambda each: each.stat().st_mtime)
    for old in kept[:-MOST]:
        old.unlink(missing_ok=True)


def _compare(made: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
    pairs: Any = zip(made, wanted, strict=True)
    if not all(torch.allclose(a, b, rtol=1e-3, atol=1e-5) for a, b in pairs):
        raise ValueError("the compiled function computes other numbers")


def main(told: str) -> None:
    """In the process of its own."""
    values = json.loads(told)
    torch.set_num_threads(1)
    os.nice(5)  # the run that is under way comes first
    try:
        make(Kind(**{**values, "sizes": tuple(values["sizes"])}))
    except OSError:
        os._exit(_UNKEPT)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
