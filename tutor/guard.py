"""A tiny process between us and a kernel: nothing it started outlives us.

    python -I -S guard.py [FOLDER ...] -- PROGRAM [ARGUMENT ...]

Starts the program in a session of its own. Reads the lines `interrupt` and `kill` from
stdin, writes `started PID`, `interrupted` and `exited STATUS` (an exit code, or minus a
signal) to stdout. At the end of stdin, at TERM, HUP or INT, and when the program ends, it kills
every descendant and removes the folders. The program writes to our stderr.

Stdlib only, and run as a script: it must start in a blink and take little memory.
"""

import contextlib
import os
import select
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_OOM_SCORE = 1000
"""The kernel's memory killer takes the learner's process before ours."""
_KILLING_S = 5.0
"""After that a descendant is stuck in the operating system, and we let go."""
_NOT_FOUND = 127
_LINUX = sys.platform == "linux"
_CHILDREN = f"/proc/self/task/{os.getpid()}/children"


def main() -> int:
    """Run until the program or the other end of stdin is gone; its exit code or 1."""
    split = sys.argv.index("--")
    folders, command = sys.argv[1:split], sys.argv[split + 1 :]
    guard = Guard()
    status = guard.run(command)
    import shutil  # not before the program runs

    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if status == 0 else 1


class Guard:
    """One program and what it started; made once in a process."""

    def __init__(self) -> None:
        if _LINUX:
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._ended, waker = os.pipe()
        for end in (self._ended, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, lambda number, frame: None)
        self._status: int | None = None

    def run(self, command: list[str]) -> int:
        """The program's exit code or minus its signal, when nothing of it is left."""
        self._program = _start(command)
        _say(f"started {self._program}")
        self._obey()
        self._kill_everything()
        status = -signal.SIGKILL if self._status is None else self._status
        _say(f"exited {status}")
        return status

    def _obey(self) -> None:
        """Do as told until the program has ended or nobody tells any more."""
        unread = b""
        while self._status is None:
            for end in select.select([0, self._ended], [], [])[0]:
                heard = os.read(end, 4096)
                if end == self._ended:
                    if set(heard) - {signal.SIGCHLD}:
                        return
                    self._reap()
                elif not heard:
                    return
                else:
                    *lines, unread = (unread + heard).split(b"\n")
                    for line in lines:
                        self._signal(line)

    def _signal(self, line: bytes) -> None:
        with contextlib.suppress(ProcessLookupError):
            if line == b"interrupt":
                os.killpg(self._program, signal.SIGINT)
                _say("interrupted")
            elif line == b"kill":
                os.kill(self._program, signal.SIGKILL)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._program:
                    self._status = os.waitstatus_to_exitcode(status)

    def _kill_everything(self) -> None:
        """Until nothing is left: a killed child hands its own children to us."""
        deadline = time.monotonic() + _KILLING_S
        if not os.path.exists(_CHILDREN):  # the group may hold orphans `ps` hides
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._program, signal.SIGKILL)
        while (left := _descendants()) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            select.select([self._ended], [], [], 0.01)
            with contextlib.suppress(BlockingIOError):
                os.read(self._ended, 4096)
            self._reap()


def _start(command: list[str]) -> int:
    guard = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        _become(command, guard)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_NOT_FOUND)


def _become(command: list[str], guard: int) -> None:
    os.setsid()
    if _LINUX:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # it died before we could ask
            os._exit(_NOT_FOUND)
        with (
            contextlib.suppress(OSError),
            open("/proc/self/oom_score_adj", "w") as file,
        ):
            file.write(str(_OOM_SCORE))
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.execv(command[0], command)


def _descendants() -> list[int]:
    """Children, their children, and so on."""
    children = _children if os.path.exists(_CHILDREN) else _Table().children
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        more = children(waiting.pop())
        found += more
        waiting += more
    return found


def _children(pid: int) -> list[int]:
    """Linux: the children of each thread, without a look at any other process."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with (
                contextlib.suppress(OSError),
                open(f"/proc/{pid}/task/{thread}/children") as file,
            ):
                found += map(int, file.read().split())
    return found


class _Table:
    """All processes at one moment, as `ps` lists them. An orphan is not found in it."""

    def __init__(self) -> None:
        import subprocess

        command = ["ps", "-axo", "pid=,ppid="]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as ps:
            table, _ = ps.communicate()
        rows = [line.split() for line in table.splitlines()]
        self._rows = [(int(pid), int(parent)) for pid, parent in rows]
        self._rows.remove((ps.pid, os.getpid()))

    def children(self, parent: int) -> list[int]:
        return [pid for pid, of in self._rows if of == parent]


def _prctl(option: int, value: int) -> None:
    import ctypes  # only Linux pays for it

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody is there to hear it
        os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
