"""Stored traces on disk: written and read; what is wrong with one is a FileError."""

from pathlib import Path

from tutor.errors import FileError
from tutor.graph import files
from tutor.graph.trace import Trace


def load(path: Path) -> tuple[Trace, bool]:
    """The trace, and whether the file is whole."""
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{path} cannot be read: {reason}.") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8 text, so it is no trace.") from error
    return files.read(content, str(path))


def save(trace: Trace, path: Path) -> None:
    """Write a trace; an existing file is replaced."""
    try:
        path.write_text(files.text(trace), encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{path} cannot be written: {reason}.") from error
