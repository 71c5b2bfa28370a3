"""A race as a file: a table, a picture, a report, TensorBoard's events.

`write` is what the training screen's key and the command line call. What another
package is needed for is an extra of ours, imported when it is asked for.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tutor.errors import FileError, MachineError, UsageError
from tutor.picture import Picture
from tutor.training.run import Race

KINDS = {
    ".csv": "csv",
    ".txt": "text",
    ".svg": "svg",
    ".png": "png",
    "": "tensorboard",
}
"""By the ending of a file's name; tensorboard's is a folder."""


class Extra(NamedTuple):
    """What a kind needs that the tutor does not bring."""

    what: str
    name: str
    package: str
    module: str


EXTRAS = {
    "png": Extra("A PNG", "png", "resvg-py", "resvg_py"),
    "tensorboard": Extra(
        "TensorBoard's event file", "tensorboard", "tensorboard", "tensorboard"
    ),
}
"""By kind."""


def kind_of(path: Path) -> str:
    """What a file of this name holds. Raises UsageError for another ending."""
    try:
        return KINDS[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{path} has no ending that tells what to write: use .csv (all points), .txt, "
            ".svg or .png, or none for a folder of TensorBoard's events."
        ) from None


def check(kind: str, path: Path) -> None:
    """Whether `write` could write there, before hours are spent on the race.

    Raises MachineError when a package is missing, FileError for a path that is none.
    """
    extra = EXTRAS.get(kind)
    if extra is not None and find_spec(extra.module) is None:
        raise MachineError(
            f"{extra.what} needs the tutor's extra {extra.name}, which is not installed: "
            f"`{sys.executable} -m pip install {extra.package}` brings it."
        )
    try:
        if kind == "tensorboard":
            path.mkdir(parents=True, exist_ok=True)
            return
        exists = path.exists()
        with path.open("ab"):
            pass
        if not exists:
            path.unlink()
    except OSError as error:
        raise _cannot(path, error) from error


def write(race: Race, kind: str, path: Path, picture: Picture | None = None) -> Path:
    """Write one of `KINDS`; an existing file is replaced. Returns what was written.

    `picture` is what svg, png and text show; None: the loss curves. csv has all the
    points that are held. Raises TutorError with a sentence.
    """
    check(kind, path)
    try:
        return _writer(kind)(race, path, picture)
    except OSError as error:
        raise _cannot(path, error) from error


def _writer(kind: str) -> Callable[[Race, Path, Picture | None], Path]:
    from tutor.exports import events, figures, table

    match kind:
        case "csv":
            return table.write
        case "text":
            return figures.write_text
        case "svg":
            return figures.write_svg
        case "png":
            return figures.write_png
        case "tensorboard":
            return events.write
    raise UsageError(f"There is no export {kind!r}: use {', '.join(KINDS.values())}.")


def _cannot(path: Path, error: OSError) -> FileError:
    return FileError(f"{path} cannot be written: {error.strerror or error}.")
