"""The app with a fake kernel and the small lesson, as a program for a pseudo-terminal.

With the argument `crash` an exception comes out of a timer as soon as it is painted.
"""

import asyncio
import os
import sys

from tests.ui.tutor_app import LESSONS, fake_kernel
from tutor import paths, settings
from tutor.lesson.course import index
from tutor.progress import Progress
from tutor.session import Session
from tutor.ui import app as ui

MARK = "[/nope] \x1b]0;a\x07"


class CrashingApp(ui.TutorApp):
    def on_mount(self) -> None:
        self.set_timer(0.01, self._crash)

    def _crash(self) -> None:
        raise ValueError(MARK)


def main() -> int:
    kind = CrashingApp if "crash" in sys.argv else ui.TutorApp
    kernel = fake_kernel()
    app = kind(
        lambda progress: Session(lambda options: kernel, progress),
        index(LESSONS),
        Progress(paths.data()),
        settings.load(ascii="--ascii" in sys.argv, link="slow"),
        os.environ.get("SECTION"),
    )
    return asyncio.run(ui._run(app))


if __name__ == "__main__":
    raise SystemExit(main())
