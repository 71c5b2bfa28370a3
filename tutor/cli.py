"""The command line: the app or a command without a screen, and its exit code.

What may be written is `arguments`'. The last place that sees an exception: the reader
gets one sentence. Everything heavy is imported by what needs it.
"""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import tutor
from tutor.errors import MachineError, TutorError, UsageError

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (None: the process's own); the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us
            setattr(sys, name, open(os.devnull, "r+"))  # noqa: SIM115, PTH123
    return _bounded(lambda: _run(words))


def _run(words: list[str]) -> int:
    if not words:
        return _app()  # the way in, so it need not wait for argparse
    from tutor import arguments
    from tutor.headless import printing

    try:
        chosen = arguments.parse(words, _program())
    except SystemExit as done:  # --help
        printing.flush()
        return int(done.code or 0)
    if chosen.version:
        printing.put(f"pytorch-tutor {tutor.__version__}\n", sys.stdout)
        return 0
    if chosen.reset_terminal:
        return _reset_terminal()
    if chosen.command == arguments.APP:
        return _app(
            chosen.section, chosen.ascii, chosen.theme, chosen.link, chosen.walk
        )
    return _command(arguments.COMMANDS[chosen.command].module, chosen)


def _command(module: str, chosen: "Namespace") -> int:
    from importlib import import_module

    from tutor import settings
    from tutor.headless import printing

    # A pipe gets UTF-8 whatever the locale; a terminal what it can show.
    if sys.stdout is not None and sys.stdout.isatty():
        chosen.ascii = settings.load(ascii=chosen.ascii).glyphs == "ascii"
    printing.set_up(ascii=chosen.ascii)
    run: Callable[[Namespace], int] = import_module(module).run
    code = run(chosen)
    printing.flush()
    return code


def _app(
    section: str | None = None,
    ascii: bool = False,
    theme: str | None = None,
    link: str | None = None,
    file: "Path | None" = None,
) -> int:
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if os.environ.get("TERM") == "dumb" or not all(each.isatty() for each in streams):
        raise UsageError(
            "The tutor's screen needs a terminal with cursor control, which this is "
            f"not; without one, see `{_program()} --help` for the other commands."
        )
    from tutor import launcher, settings

    trace = None
    if file is not None:
        from tutor.headless import stored

        trace, _ = stored.load(file)
    chosen = settings.load(ascii=ascii, theme=theme, link=link)

    def screen(parent_pipe: int) -> int:
        # How often Textual looks for what is to be painted: at its usual 60 a key waits
        # up to two periods, 33 ms, after any other paint. Read when it is imported.
        looks = "250" if chosen.link == "fast" else "30"
        os.environ.setdefault("TEXTUAL_FPS", looks)
        gc.disable()  # a twentieth of the time of the imports
        from tutor.ui import app

        gc.freeze()  # modules are never garbage: do not look at them again
        gc.enable()
        return app.run(chosen, section, parent_pipe, trace)

    return launcher.launch(lambda pipe: _bounded(lambda: screen(pipe)), _program())


def _reset_terminal() -> int:
    from tutor import launcher

    if not sys.stdout.isatty():
        raise UsageError("There is no terminal here to reset: stdout is not one.")
    launcher.reset_terminal()
    return 0


def _bounded(work: Callable[[], int]) -> int:
    """The exit code of `work`, whatever it raises."""
    try:
        return work()
    except KeyboardInterrupt:
        return 130
    except TutorError as error:
        return _complain(str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001 - the boundary: a sentence, no traceback
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    missing = _missing_package(error)
    if missing:
        return _complain(
            f"{missing} is not installed in {sys.executable}: install the tutor "
            "there with `python -m pip install .`, or start it with `make run`.",
            MachineError.exit_code,
        )
    from tutor import crash

    return _complain(crash.sentence(error), 1)


def _missing_package(error: Exception) -> str:
    """ "": something else went wrong, or a module of ours is missing."""
    if not isinstance(error, ModuleNotFoundError):
        return ""
    package = (error.name or "").partition(".")[0]
    return "" if package == "tutor" else package


def _complain(sentence: str, code: int) -> int:
    from tutor.headless import printing

    if code != printing.ReaderLeftError.exit_code:
        printing.complain(sentence)
    return code


def _program() -> str:
    """How the reader started us, for the sentences that name a command."""
    name = os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib is not imported yet
    return "python -m tutor" if name in ("__main__.py", "-m", "") else name
