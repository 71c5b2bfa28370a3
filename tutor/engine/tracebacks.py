"""What a learner sees of an exception: their own lines, the rest in a word.

Frames in libraries are folded into one line each time; recursion and long chains are
cut. Colours are of the terminal's 16, and nothing is said by colour alone.
"""

import sysconfig
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException

from tutor.engine.overflow import encodable

ENTRIES = 40
"""Entries shown at most, half from each end."""
MESSAGE_CHARACTERS = 4000
_REPEATS = 3
"""Of one line that calls itself, shown before the rest is counted."""
_CHAINED = 3
_IN_GROUP = 5

_BOLD_RED, _RED, _CYAN, _PLAIN = (f"\x1b[{code}m" for code in ("1;31", "31", "36", "0"))
_STDLIB = sysconfig.get_path("stdlib")
_SITE = ("site-packages", "dist-packages")
_INVISIBLE = ("ipykernel", "IPython")
"""`input`, the magics, how an interrupt comes: for a learner all that is Python, and so
is what the tutor does."""
_OURS = str(Path(__file__).parent.parent)
RUNNER = "run_traced"
"""The function of ours that calls the learner's code; see `running`."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An exception, ready for the learner."""

    ename: str
    evalue: str
    text: str
    line: int | None
    """Of the current cell: where it happened, or what led there; None: unknown."""


@dataclass(frozen=True, slots=True)
class _Frame:
    summary: FrameSummary
    library: str
    """Like "torch"; "" for the learner's own code."""


def shown(error: BaseException, is_cell: Callable[[str], bool]) -> Shown:
    """`is_cell` knows the file names that stand for cells."""
    frames = _frames(error, is_cell)
    files = [frame.summary.filename for frame in frames if not frame.library]
    files += [str(error.filename)] if isinstance(error, SyntaxError) else []
    places = _Places(is_cell, next(filter(is_cell, files), ""))
    message = _message(error)
    lines = [*_calls(frames, places), *_last(error, message, places)]
    lines += [*_group(error), *_chain(error, places)]
    if hint := _hint(error, message):
        lines.append(hint)
    text = encodable("\n".join(lines))
    return Shown(type(error).__name__, message, text, places.line(error, frames))


@dataclass(frozen=True, slots=True)
class _Places:
    """How files are called: "cell", "an earlier cell", "model.py"."""

    is_cell: Callable[[str], bool]
    current: str
    """The file name of the cell that ran; "" when it is not known."""

    def name(self, file: str, line: int | None) -> str:
        name = Path(file).name
        if self.is_cell(file):
            name = "cell" if file == self.current else "an earlier cell"
        return name if line is None else f"{name}, line {line}"

    def line(self, error: BaseException, frames: list[_Frame]) -> int | None:
        if isinstance(error, SyntaxError) and error.filename == self.current:
            return error.lineno
        for frame in reversed(frames):
            if frame.summary.filename == self.current:
                return frame.summary.lineno
        return None


def _frames(error: BaseException, is_cell: Callable[[str], bool]) -> list[_Frame]:
    """From the learner's first frame on; what called it is IPython."""
    frames: list[_Frame] = []
    for summary in traceback.extract_tb(error.__traceback__):
        file = summary.filename
        library = "" if is_cell(file) else _library(file)
        if library == "the tutor":
            if summary.name == RUNNER:
                _leave_way(frames)
        elif frames or not library:
            frames.append(_Frame(summary, library))
    _leave_way(frames)
    return frames


def _leave_way(frames: list[_Frame]) -> None:
    """Take the way into our own code away, and the line of a cell magic at its start."""
    magic = False
    while frames and frames[-1].library in _INVISIBLE:
        magic = frames.pop().summary.name == "run_cell_magic" or magic
    if magic and frames:
        frames.pop()


def _library(file: str) -> str:
    """The package that a file belongs to; "" for the learner's own."""
    if file.startswith(_OURS):
        return "the tutor"
    parts = Path(file).parts
    for folder in _SITE:
        if folder in parts[:-1]:
            return parts[parts.index(folder) + 1].removesuffix(".py")
    if file.startswith((_STDLIB, "<frozen")):
        return "Python"
    return ""


def _calls(frames: list[_Frame], places: _Places) -> list[str]:
    entries: list[str] = []
    for library, run in groupby(frames, lambda frame: bool(frame.library)):
        if library:
            entries.append(_folded(list(run)))
        else:
            entries += _own([frame.summary for frame in run], places)
    if len(entries) > ENTRIES:
        half = ENTRIES // 2
        left_out = f"  ... {len(entries) - 2 * half} calls left out ..."
        entries = [*entries[:half], left_out, *entries[-half:]]
    return entries


def _folded(frames: list[_Frame]) -> str:
    calls = "1 call" if len(frames) == 1 else f"{len(frames)} calls"
    last = frames[-1].summary.name
    return f"  ... {calls} inside {frames[0].library}, the last to {last}()"


def _own(summaries: list[FrameSummary], places: _Places) -> Iterator[str]:
    def place(summary: FrameSummary) -> tuple[object, ...]:
        return summary.filename, summary.lineno, summary.name

    for _, run in groupby(summaries, place):
        same = list(run)
        for summary in same[:_REPEATS]:
            yield _call(summary, places)
        if len(same) > _REPEATS:
            yield f"  ... the same call {len(same) - _REPEATS} times more"


def _call(summary: FrameSummary, places: _Places) -> str:
    where = places.name(summary.filename, summary.lineno)
    name = summary.name
    if name != "<module>" and not name.startswith("<cell line"):
        where += f", in {name}"
    _, *source = StackSummary.from_list([summary]).format()[0].splitlines()
    return "\n".join([f"{_CYAN}{where}{_PLAIN}", *map(_coloured, source)])


def _coloured(line: str) -> str:
    """Carets in red."""
    return f"{_RED}{line}{_PLAIN}" if line.strip(" ^~") == "" else line


def _message(error: BaseException) -> str:
    if type(error).__name__ == "StdinNotImplementedError":
        return "input() cannot ask anything here: write the value into the code."
    try:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
    except (Exception, KeyboardInterrupt):  # noqa: BLE001
        # The learner's __str__ may raise anything, or never come back.
        return "(its message cannot be shown: __str__ raised)"
    if len(message) > MESSAGE_CHARACTERS:
        message = message[:MESSAGE_CHARACTERS] + " ..."
    return encodable(message)


def _headline(error: BaseException, message: str) -> str:
    name = f"{_BOLD_RED}{type(error).__name__}{_PLAIN}"
    return f"{name}: {message}" if message else name


def _last(error: BaseException, message: str, places: _Places) -> Iterator[str]:
    if isinstance(error, SyntaxError):
        if error.filename is not None:
            where = places.name(error.filename, error.lineno)
            yield f"{_CYAN}{where}{_PLAIN}"
        for line in TracebackException.from_exception(error).format_exception_only():
            if line.startswith("    "):
                yield _coloured(line.rstrip())
    yield _headline(error, message)
    yield from map(str, getattr(error, "__notes__", ()))


def _group(error: BaseException) -> Iterator[str]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions[:_IN_GROUP]:
            yield f"  - {type(each).__name__}: {_message(each)}"


def _chain(error: BaseException, places: _Places) -> Iterator[str]:
    """One line for each exception behind this one that the learner's code raised."""
    for _ in range(_CHAINED):
        cause = error.__cause__
        behind = cause or (None if error.__suppress_context__ else error.__context__)
        if behind is None:
            return
        own = [each for each in _frames(behind, places.is_cell) if not each.library]
        if cause is not None or own:
            how = "caused by" if cause is not None else "while handling"
            line = f"{how} {type(behind).__name__}: {_message(behind)}"
            if own:
                last = own[-1].summary
                line += f" ({places.name(last.filename, last.lineno)})"
            yield line
        error = behind


def _hint(error: BaseException, message: str) -> str:
    if "device-side assert" in message:
        return "The GPU context is lost: restart the kernel to use the GPU again."
    if isinstance(error, SystemExit):
        return "The kernel keeps running."
    return ""
