"""Where things live: lessons, progress, settings, logs, the kernel's sockets.

Nothing here creates a folder or reads a file; the owner of each thing does.
"""

import os
import sys
import tempfile
from pathlib import Path

_PACKAGE = Path(__file__).parent


def lessons() -> Path:
    """The folder of lesson files: TUTOR_LESSONS, the packaged one, the checkout's."""
    if chosen := os.environ.get("TUTOR_LESSONS"):
        return Path(chosen)
    packaged = _PACKAGE / "_lessons"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "lessons"


def data() -> Path:
    """The learner's data: TUTOR_HOME, else the XDG data folder (macOS: Library)."""
    return _home("XDG_DATA_HOME", ".local/share")


def state() -> Path:
    """Logs and crash reports: under TUTOR_HOME, else the XDG state folder."""
    return _home("XDG_STATE_HOME", ".local/state")


def cache() -> Path:
    """What can be made again: under TUTOR_HOME, else the XDG cache folder."""
    return _home("XDG_CACHE_HOME", ".cache")


def _home(variable: str, default: str) -> Path:
    if chosen := os.environ.get("TUTOR_HOME"):
        return Path(chosen)
    if base := os.environ.get(variable):
        return Path(base) / "pytorch-tutor"
    try:
        home = Path.home()
    except RuntimeError:  # no HOME and no passwd entry: run, and forget afterwards
        return Path(tempfile.gettempdir()) / f"pytorch-tutor-{os.getuid()}"
    if sys.platform == "darwin":
        default = "Library/Application Support"
    return home / default / "pytorch-tutor"


def runtime() -> Path:
    """A parent for private socket folders; short, since socket paths end at ~100."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and len(base) < 60 and os.access(base, os.W_OK):
        return Path(base)
    return Path(tempfile.gettempdir())
