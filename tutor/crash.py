"""A report of an error of our own: kept in a private file, told in one sentence.

Stdlib only: whatever failed, this still works.
"""

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

import tutor
from tutor import paths


def sentence(error: BaseException, what: str = "The tutor") -> str:
    """Save a report of `error`, which stopped `what`; what to tell the reader."""
    report = save(error)
    whose = "its own" if what == "The tutor" else "the tutor's own"
    where = f"the report is in {report}" if report else "no report could be saved"
    return (
        f"{what} stopped on an error of {whose}, {type(error).__name__}: "
        f"{' '.join(str(error).split()) or 'without a message'}; {where}."
    )


def save(error: BaseException) -> Path | None:
    """Write the traceback to a new file that only its owner can read.

    None when neither the state folder nor the temporary one can be written.
    """
    lines = [
        f"pytorch-tutor {tutor.__version__}, Python {platform.python_version()}, "
        f"{platform.platform()}\n",
        f"{sys.executable} {' '.join(sys.argv)}\n\n",
        *traceback.format_exception(error),
    ]
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-"
    for folder in (paths.state() / "crashes", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, path = tempfile.mkstemp(".txt", name, folder)
            with os.fdopen(descriptor, "w", errors="replace") as file:
                file.writelines(lines)
        except OSError:
            continue
        return Path(path)
    return None
