"""`exec`: run a script or a notebook cell by cell in a kernel, and print what it says.

Which cells there are is `cells`'; the JSON is command-line.md's promise.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TextIO

from tutor.errors import FileError
from tutor.graph import recorded
from tutor.headless import cells, printing, runner
from tutor.kernel.base import KernelOptions
from tutor.kernel.outputs import (
    Display,
    Done,
    Failure,
    Notice,
    Recording,
    Result,
    Status,
    Stream,
    Watching,
)
from tutor.safetext import PLAIN, safe
from tutor.session import Event, Session
from tutor.training.run import Race
from tutor.training.watched import sentence


def run(arguments: argparse.Namespace) -> int:
    """1 when a cell failed or the kernel died in it, else 0."""
    sources = cells.read(arguments.file)
    here = _here()
    report: Report = JsonReport() if arguments.json else TextReport(len(sources))

    async def work(session: Session) -> int:
        return await execute(session, sources, report, arguments.keep_going)

    return runner.run(work, KernelOptions(cwd=here, path_last=(here,)))


async def execute(
    session: Session, sources: Sequence[str], report: "Report", keep_going: bool
) -> int:
    """Execute each source in turn and report; the exit code."""
    code = 0
    for number, source in enumerate(sources, start=1):
        status: Status = "died"
        watched: Race | None = None
        async for event in session.execute(source):
            report.take(number, event)
            if isinstance(event, Done):
                status = event.status
            elif isinstance(event, Watching):
                watched = event.race
        if watched is not None:
            printing.talk(f"tutor.watch saw {sentence(watched)}.")
        if status == "interrupted":
            return 130
        if status != "ok":
            code = 1
            if not keep_going:
                break
    return code


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise FileError(
            "The current folder does not exist any more: change to another."
        ) from error


class Report(Protocol):
    """Where the outputs of cell `number`, counted from 1, go."""

    def take(self, number: int, event: Event) -> None: ...


class JsonReport:
    """JSON lines on stdout, each as soon as it is complete."""

    def __init__(self) -> None:
        self._held: list[Stream] = []
        """Adjacent pieces of one stream: they are one output."""

    def take(self, number: int, event: Event) -> None:
        if isinstance(event, Stream):
            if self._held and self._held[0].name != event.name:
                self._release(number)
            self._held.append(event)
            return
        self._release(number)
        match event:
            case Result(text, note):
                more = {} if note is None else {"note": note}
                self._line(number, "result", text=text, **more)
            case Display(text):
                self._line(number, "display", text=text)
            case Recording(trace):
                self._line(number, "display", text=recorded.sentence(trace))
            case Failure(ename, evalue, traceback, line):
                self._line(
                    number,
                    "error",
                    ename=ename,
                    evalue=evalue,
                    text=safe(traceback).plain,
                    line=line,
                )
            case Notice(text):
                printing.talk(text)
            case Done(status, cause):
                more = {} if cause is None else {"cause": cause}
                self._line(number, "done", status=status, **more)

    def _release(self, number: int) -> None:
        if self._held:
            text = "".join(piece.text for piece in self._held)
            self._line(number, "stream", name=self._held[0].name, text=text)
            self._held.clear()

    def _line(self, number: int, kind: str, **fields: object) -> None:
        printing.document({"cell": number, "kind": kind, **fields})


class TextReport:
    """What the cells print as they print it, values as Jupyter shows them."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._died = False
        self._streams = {"stdout": _Lines(sys.stdout), "stderr": _Lines(sys.stderr)}

    def take(self, number: int, event: Event) -> None:
        if not isinstance(event, Stream):
            self._end_lines()
        match event:
            case Stream(name, text):
                self._streams[name].feed(text)
            case Result(text) | Display(text):
                self._streams["stdout"].feed(text + "\n")
            case Recording(trace):
                self._streams["stdout"].feed(recorded.sentence(trace) + "\n")
            case Failure(ename, evalue, traceback):
                text = traceback or f"{ename}: {evalue}"
                self._streams["stderr"].feed(text.rstrip("\n") + "\n")
            case Notice(text):
                printing.talk(text)
            case Done(status, cause):
                self._end(number, status, cause)

    def _end(self, number: int, status: Status, cause: str | None) -> None:
        which = f"cell {number} of {self._total}"
        if status == "died" and self._died:
            printing.complain(f"{which.capitalize()} did not run.")
        elif status == "died":
            self._died = True
            printing.complain(
                f"The kernel died in {which}: {cause or 'no cause known'}."
            )
        elif status == "interrupted":
            printing.complain(f"Interrupted in {which}.")
        elif status == "error":
            printing.complain(f"{which.capitalize()} failed.")

    def _end_lines(self) -> None:
        for lines in self._streams.values():
            lines.end()


class _Lines:
    """A stream of a cell on its way to ours, made safe, line by line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._colours = printing.coloured(stream)
        self._rest = ""
        self._style = PLAIN

    def feed(self, text: str) -> None:
        whole, newline, self._rest = (self._rest + text).rpartition("\n")
        if newline:
            lines = safe(whole + newline, self._style)
            self._style = lines.style
            painted = printing.painted(lines, colours=self._colours)
            printing.put(painted, self._stream)

    def end(self) -> None:
        """The cell printed something else: its line ends here."""
        if self._rest:
            self.feed("\n")
        self._style = PLAIN
