"""The command line: which command is meant, with which options, and its exit code.

Declares every option; what a command does is in `headless` or `ui`, imported when it
is meant. The last place that sees an exception: the reader gets one sentence.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import tutor
from tutor.errors import MachineError, TutorError, UsageError

SECTIONS = tuple(f"2.{number}" for number in range(1, 19))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (None: the process's own); the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    return _bounded(lambda: _run(words))


def _bounded(work: Callable[[], int]) -> int:
    """The exit code of `work`, whatever it raises."""
    try:
        code = work()
        _flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _reader_left()
    except TutorError as error:
        return _complain(str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001 - the boundary: a sentence, no traceback
        return _unexpected(error)
    return code


def _run(words: list[str]) -> int:
    options, rest = _shared().parse_known_args(words)
    if options.version:
        sys.stdout.write(f"pytorch-tutor {tutor.__version__}\n")
        return 0
    if options.reset_terminal:
        return _reset_terminal()
    name = rest[0] if rest and rest[0] in COMMANDS else ""
    parser = _parser(name)
    try:
        arguments = parser.parse_args(rest[1:] if name else rest, options)
    except SystemExit as done:  # --help
        return int(done.code or 0)
    if not name:
        return _app(arguments)
    from tutor.headless import printing

    printing.set_up(ascii=arguments.ascii)
    _, module, _ = COMMANDS[name]
    run: Callable[[argparse.Namespace], int] = importlib.import_module(module).run
    return run(arguments)


def _reset_terminal() -> int:
    from tutor import launcher

    if not sys.stdout.isatty():
        raise UsageError("There is no terminal here to reset: stdout is not one.")
    launcher.reset_terminal()
    return 0


def _app(arguments: argparse.Namespace) -> int:
    section = arguments.section
    if section is not None and section not in SECTIONS:
        raise UsageError(_unknown(section))
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if os.environ.get("TERM") == "dumb" or not all(each.isatty() for each in streams):
        raise UsageError(
            "The tutor's screen needs a terminal with cursor control, which this is "
            f"not; without one, see `{_program()} --help` for the other commands."
        )
    from tutor import launcher, settings

    chosen = settings.load(
        ascii=arguments.ascii, theme=arguments.theme, link=arguments.link
    )

    def screen(parent_pipe: int) -> int:
        from tutor.ui import app  # heavy: only the app's own process pays for it

        return app.run(chosen, section, parent_pipe)

    return launcher.launch(lambda pipe: _bounded(lambda: screen(pipe)), _program())


# ---------------------------------------------------------------- what may be written


class _Parser(argparse.ArgumentParser):
    """Bad options are a UsageError with the nearest known one."""

    def error(self, message: str) -> NoReturn:
        words = message.removeprefix("unrecognized arguments: ").split()
        hint = ""
        if message.startswith("unrecognized arguments: ") and words:
            known = [name for each in self._actions for name in each.option_strings]
            message = f"there is no option {words[0]}"
            if not words[0].startswith("-"):
                message = f"{words[0]!r} is one word too many"
            hint = _nearest(words[0].partition("=")[0], known)
        raise UsageError(f"{self.prog}: {message}{hint}; see `{self.prog} --help`.")


def _shared() -> argparse.ArgumentParser:
    """The options that every command takes, before or after its name."""
    parser = _Parser(prog=_program(), add_help=False, allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument(
        "--ascii", action="store_true", help="use no character above 0x7F"
    )
    parser.add_argument(
        "--theme", metavar="NAME", help="the app's colours: dark, light"
    )
    parser.add_argument(
        "--link",
        choices=("slow", "fast"),
        help="how fast the line to the terminal is (default: slow under SSH)",
    )
    parser.add_argument(
        "--reset-terminal",
        action="store_true",
        help="give back a terminal that something left unusable",
    )
    return parser


def _parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command; "" is the app."""
    if name:
        add, _, purpose = COMMANDS[name]
        program, epilog = f"{_program()} {name}", None
    else:
        add, purpose = _add_app, "Learn how PyTorch works, in the terminal."
        program = _program()
        lines = [f"  {each:8} {COMMANDS[each][2]}" for each in COMMANDS]
        epilog = "commands (each has its own --help):\n" + "\n".join(lines)
    parser = _Parser(
        prog=program,
        description=purpose[0].upper() + purpose[1:],
        epilog=epilog,
        parents=[] if name else [_shared()],
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if name:
        _add_ascii(parser)
    add(parser)
    return parser


def _add_app(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "section", nargs="?", metavar="SECTION", help="the section to open, like 2.7"
    )


def _add_list(parser: argparse.ArgumentParser) -> None:
    _add_json(parser)


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="lesson files or folders of them (default: the tutor's own)",
    )
    parser.add_argument(
        "--static", action="store_true", help="read the files, run nothing"
    )
    _add_json(parser)


def _add_exec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a script with cells begun by # %%%%, a notebook, or - for stdin",
    )
    parser.add_argument(
        "--keep-going", action="store_true", help="go on after a cell that fails"
    )
    _add_json(parser, "print JSON lines")


def _add_step(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("code", nargs="?", metavar="CODE", help="code, or")
    what.add_argument("--file", type=Path, metavar="FILE.py", help="a file with code")
    add("--call", metavar="NAME", help="a function of it to call, with --at as inputs")
    add(
        "--at",
        action="append",
        default=[],
        metavar="x=2",
        help="a leaf and its value, a number or nested lists; may be repeated",
    )
    add("--dtype", default="float64", metavar="float32", help="of --at (float64)")
    add("--root", metavar="NAME", help="the value to go backward from")
    add("--grad", metavar="ones", help="the gradient of a root that is no scalar")
    add("--order", choices=("engine", "slide"), default="engine")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--format", choices=("text", "json", "dot", "mermaid", "svg"), default="text"
    )
    form.add_argument(
        "--json", action="store_const", dest="format", const="json", help="as --format"
    )
    add("--width", type=int, metavar="N", help="columns to draw in")


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "spec",
        nargs="?",
        type=Path,
        metavar="SPEC.toml",
        help="what to train (default: the race of section 2.14)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="key=value",
        help="change one setting; may be repeated",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON lines")
    form.add_argument("--csv", action="store_true", help="print comma-separated values")
    form.add_argument("--plot", action="store_true", help="draw the loss curves")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    _add_json(parser)


def _add_ascii(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ascii", action="store_true", help="use no character above 0x7F"
    )


def _add_json(
    parser: argparse.ArgumentParser, text: str = "print one JSON document"
) -> None:
    parser.add_argument("--json", action="store_true", help=text)


Add = Callable[[argparse.ArgumentParser], None]
COMMANDS: dict[str, tuple[Add, str, str]] = {
    "list": (_add_list, "tutor.headless.listing", "the sections and your progress"),
    "check": (_add_check, "tutor.headless.check", "prove that lessons do as they say"),
    "exec": (_add_exec, "tutor.headless.execute", "run a script or notebook by cells"),
    "step": (_add_step, "tutor.headless.step", "trace code forward and backward"),
    "train": (_add_train, "tutor.headless.train", "train and print the loss"),
    "doctor": (_add_doctor, "tutor.headless.doctor", "what the tutor runs on"),
}
"""Name: its options, the module whose `run(arguments) -> int` does it, its purpose."""


# ------------------------------------------------------------------- when it goes wrong


def _unknown(word: str) -> str:
    program = _program()
    if word[:1].isdigit():
        return (
            f"There is no section {word}: they are 2.1 to 2.18, see `{program} list`."
        )
    hint = _nearest(word, [*COMMANDS])
    return f"There is no command or section {word!r}{hint}; see `{program} --help`."


def _nearest(word: str, known: Sequence[str]) -> str:
    import difflib

    matches = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {matches[0]}?)" if matches else ""


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

    printing.complain(sentence)
    return code


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def _reader_left() -> int:
    """The process that read our output is gone: end quietly, as by SIGPIPE."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 141


def _program() -> str:
    """How the reader started us, for the sentences that name a command."""
    name = Path(sys.argv[0]).name
    return "python -m tutor" if name in ("__main__.py", "-m", "") else name
