"""Errors meant for the reader: each is one sentence saying what, where, what to do.

TutorError                 exit 1  the work ran and something in it failed
├── UsageError             exit 2  the command line is wrong
├── FileError              exit 2  a file cannot be read or is not valid
├── MachineError     exit 3  no torch, a kernel that cannot start
├── StoppedError           exit 130  the learner interrupted it
├── KernelDiedError             exit 1  the kernel ended while something was asked of it
└── WireError              exit 1  a message between the processes was not understood

A learner's cell that raises is an output (`kernel.outputs.Failure`), not an error.
"""

from typing import ClassVar

__all__ = [
    "FileError",
    "KernelDiedError",
    "MachineError",
    "StoppedError",
    "TutorError",
    "UsageError",
    "WireError",
]


class TutorError(Exception):
    """Something the reader must hear about; `str(error)` is the sentence."""

    exit_code: ClassVar[int] = 1


class UsageError(TutorError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class FileError(TutorError):
    """A file cannot be read, or is not what it should be."""

    exit_code = 2


class MachineError(TutorError):
    """This machine lacks something the tutor needs."""

    exit_code = 3


class KernelDiedError(TutorError):
    """The kernel is not running; nothing can be asked of it until a restart."""


class StoppedError(TutorError):
    """The learner interrupted it."""

    exit_code = 130


class WireError(TutorError):
    """A message of another version, or not one of ours."""
