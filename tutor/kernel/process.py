"""A kernel's process under its guard: how it is started, interrupted, ended.

Knows the command line, environment and folders of an ipykernel, and nothing of what is
said to it. Ends with everything it started when we end, in whatever way.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from tutor import guard, paths
from tutor.kernel.base import KernelOptions

_SOCKET_PATH_BYTES = 100
"""Operating systems end a socket's path at 104 or 108 bytes."""
MODULE = "ipykernel_launcher"
_LOG_BYTES = 1_000_000
_SIGNALS: Mapping[int, str] = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "abort",
    signal.SIGBUS: "bus error",
    signal.SIGKILL: "killed",
}
_PERHAPS: Mapping[int, str] = {signal.SIGKILL: ", perhaps because memory ran out"}
_NOT_PASSED_ON = (
    "JPY_PARENT_PID",  # the guard watches better than ipykernel's own thread
    "JPY_INTERRUPT_EVENT",
    "PYTEST_CURRENT_TEST",  # with it ipykernel does not capture what C code prints
    "PYTHONSTARTUP",
    "PYTHONINSPECT",
)
_FLAGS = (
    "--IPKernelApp.ignore_cwd=True",
    "--IPKernelApp.log_level=ERROR",
    "--HistoryManager.enabled=False",
    "--IPCompleter.use_jedi=False",
)


class KernelProcess:
    """One life of a kernel. Use on a running event loop."""

    def __init__(self, options: KernelOptions) -> None:
        self.folder = _private_folder()
        """Of its sockets, for us alone; gone when `gone` is set."""
        self.cwd = options.cwd or Path(tempfile.mkdtemp(prefix="tutor-scratch-"))
        self.log = paths.state() / "kernel.log"
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = loop.create_future()
        """Resolves to the exit code, or minus the signal, that ended the kernel."""
        self.gone: asyncio.Future[None] = loop.create_future()
        """Resolves when nothing of it is left, folders included."""
        self._folders = [self.folder] + ([] if options.cwd else [self.cwd])
        self._guard: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._interrupts: deque[asyncio.Future[None]] = deque()
        """Those the guard has not answered."""
        self._started = 0
        """The kernel's pid; 0: not known."""
        self._killed = False
        self._log_begins = 0

    def start(self, connection_file: Path) -> None:
        """Let it begin; OSError when there is no process to be had."""
        log = _open_log(self.log)
        self._log_begins = os.fstat(log).st_size
        try:
            self._guard = subprocess.Popen(
                self._command(connection_file),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                cwd=self.cwd,
                env=_environment(self.folder, self.cwd),
                start_new_session=True,
            )
        finally:
            os.close(log)
        assert self._guard.stdout is not None
        loop = asyncio.get_running_loop()
        loop.add_reader(self._guard.stdout.fileno(), self._read)

    def interrupt(self) -> asyncio.Future[None]:
        """Signal the kernel and what runs in its process group.

        Done when the signal is there: it cannot hit what begins afterwards.
        """
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._interrupts.append(sent)
        self._tell(b"interrupt\n")
        return sent

    def kill(self) -> None:
        """End the kernel and everything it started; `exited` resolves soon after."""
        self._killed = self._killed or not self.exited.done()
        self._tell(b"kill\n")

    async def let_go(self) -> None:
        """End it and wait until nothing is left of it, whether it has started or not."""
        if self._guard is None:
            self._remove_folders()
        else:
            self.kill()
            await self.gone

    def cause(self) -> str:
        """Of its end, as a phrase: "segmentation fault (signal 11)"."""
        status = self.exited.result()
        if self._killed:
            return "it was killed"
        if status >= 0:
            return f"exit code {status}: the code called os._exit, or something it uses"
        name = _SIGNALS.get(-status) or signal.strsignal(-status) or "a signal"
        return f"{name} (signal {-status})" + _PERHAPS.get(-status, "")

    def last_words(self) -> str:
        """Why it ended at its start: the last line of its log, or how it ended."""
        try:
            with self.log.open(encoding="utf-8", errors="replace") as log:
                log.seek(self._log_begins)
                lines = [line.strip() for line in log if line.strip()]
        except OSError:
            lines = []
        return f"{lines[-1]} (the log is {self.log})" if lines else self.cause()

    def _command(self, connection_file: Path) -> list[str]:
        kernel = [sys.executable, "-P", "-m", MODULE]
        kernel += ["-f", str(connection_file), *_FLAGS]
        alone = [sys.executable, "-I", "-S", guard.__file__]
        return [*alone, *map(str, self._folders), "--", *kernel]

    def _tell(self, line: bytes) -> None:
        assert self._guard is not None
        assert self._guard.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it has ended
            self._guard.stdin.write(line)

    def _read(self) -> None:
        assert self._guard is not None
        assert self._guard.stdout is not None
        heard = self._guard.stdout.read(4096) or b""
        *lines, self._unread = (self._unread + heard).split(b"\n")
        for line in lines:
            word, _, number = line.partition(b" ")
            if word == b"started":
                self._started = int(number)
            elif word == b"interrupted":
                self._interrupts.popleft().set_result(None)
            elif word == b"exited":
                self.exited.set_result(int(number))
        if not heard:
            self._close()

    def _remove_folders(self) -> None:
        """The guard does, unless it was killed or never started."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _close(self) -> None:
        """The guard has ended: by itself, or somebody killed it."""
        assert self._guard is not None
        assert self._guard.stdout is not None
        assert self._guard.stdin is not None
        asyncio.get_running_loop().remove_reader(self._guard.stdout.fileno())
        self._guard.stdout.close()
        self._guard.stdin.close()
        self._guard.wait()
        self._remove_folders()
        if not self.exited.done():
            with contextlib.suppress(OSError):
                os.killpg(self._started or self._guard.pid, signal.SIGKILL)
            self.exited.set_result(-signal.SIGKILL)
        self.gone.set_result(None)


def _private_folder() -> Path:
    """For sockets: mkdtemp makes it 0700. A path too long for sockets is avoided."""
    parent = paths.runtime()
    if len(os.fsencode(parent)) > _SOCKET_PATH_BYTES - len("/tutor-12345678/socket-1"):
        parent = Path("/tmp")
    return Path(tempfile.mkdtemp(prefix="tutor-", dir=parent))


def _open_log(path: Path) -> int:
    """At its end, or at the beginning of one grown too long; nowhere on a full disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(path, flags, 0o600)
        if os.fstat(log).st_size > _LOG_BYTES:
            os.ftruncate(log, 0)
        return log
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _environment(folder: Path, cwd: Path) -> dict[str, str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON
    }
    environment["IPYTHONDIR"] = str(folder / "ipython")
    environment["TUTOR_KERNEL_FOLDER"] = str(folder)  # what is put there ends with it
    environment["PYDEVD_DISABLE_FILE_VALIDATION"] = (
        "1"  # its advice is not for learners
    )
    if "PYTHONPATH" in environment:
        environment["PYTHONPATH"] = _without_cwd(environment["PYTHONPATH"], cwd)
    return environment


def _without_cwd(path: str, cwd: Path) -> str:
    """PYTHONPATH without the entries that mean the current folder.

    They come first on sys.path: a torch.py lying there would be imported for torch.
    """
    kept = [
        entry
        for entry in path.split(os.pathsep)
        if Path(entry).is_absolute() and Path(entry) != cwd
    ]
    return os.pathsep.join(kept)
