"""What may be written on the command line: every command, every option.

What a command does is in `headless` or `ui`; that it is run, in `cli`.
"""

import argparse
import difflib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from tutor.errors import UsageError

SECTIONS = tuple(f"2.{number}" for number in range(1, 19))
APP = ""
"""The command of a line that names none."""
FORMS = ("text", "json", "dot", "mermaid", "svg", "trace")
"""Of `step`."""


def _whole(text: str) -> int:
    """Also written 1e3, as a setting may be."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not number.is_integer():
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}")
    return int(number)


def parse(words: Sequence[str], program: str) -> argparse.Namespace:
    """The options, and the command's name as `command`.

    `program` is how the reader started the tutor. Raises UsageError with a sentence,
    and SystemExit after the help was printed.
    """
    options, rest = _shared(program).parse_known_args(words)
    name = rest[0] if rest and rest[0] in COMMANDS else APP
    options.command = name
    arguments = _parser(name, program).parse_args(rest[1:] if name else rest, options)
    if name == APP and arguments.section not in (None, *SECTIONS):
        raise UsageError(_unknown(arguments.section, program))
    return arguments


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


def _shared(program: str) -> argparse.ArgumentParser:
    """The options that every command takes, before or after its name."""
    parser = _Parser(prog=program, add_help=False, allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print the version")
    _add_ascii(parser)
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


def _parser(name: str, program: str) -> argparse.ArgumentParser:
    epilog = None
    if name == APP:
        command = Command(_add_app, "", "learn how PyTorch works, in the terminal")
        lines = [f"  {each:8} {COMMANDS[each].purpose}" for each in COMMANDS]
        epilog = "commands (each has its own --help):\n" + "\n".join(lines)
    else:
        command = COMMANDS[name]
    parser = _Parser(
        prog=f"{program} {name}".rstrip(),
        description=f"{command.purpose[0].upper()}{command.purpose[1:]}.",
        epilog=epilog,
        parents=[_shared(program)] if name == APP else [],
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if name != APP:
        _add_ascii(parser)
    command.add(parser)
    return parser


def _add_app(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "section", nargs="?", metavar="SECTION", help="the section to open, like 2.7"
    )
    parser.add_argument(
        "--walk", type=Path, metavar="FILE", help="a stored trace to walk through"
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
    what.add_argument(
        "--replay", type=Path, metavar="FILE", help="a stored trace; needs no torch"
    )
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
    add("--why", metavar="NAME", help="ask why the gradient of a name is what it is")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--format", choices=FORMS, default="text")
    form.add_argument(
        "--json", action="store_const", dest="format", const="json", help="as --format"
    )
    add("--save", type=Path, metavar="FILE", help="store the trace, for --replay")
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
    parser.add_argument(
        "--view",
        choices=("curves", "contour", "output", "layers", "noise"),
        default="curves",
        help="what --plot and the files show",
    )
    parser.add_argument(
        "--seeds",
        type=_whole,
        metavar="N",
        help="run it with N seeds at once: the spread of the losses",
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="compute it with N processes, each a part of every batch",
    )
    stored = parser.add_argument_group(
        "stored runs", "one that takes over a second is kept until 20 newer ones are"
    )
    stored.add_argument("--runs", action="store_true", help="list them")
    stored.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="ID",
        help="go on with one that was cut off (default: the newest)",
    )
    files = parser.add_argument_group("files written when it ends")
    files.add_argument("--svg", type=Path, metavar="FILE", help="what is drawn")
    files.add_argument(
        "--png", type=Path, metavar="FILE", help="the same (needs the extra png)"
    )
    files.add_argument(
        "--tensorboard",
        type=Path,
        metavar="FOLDER",
        help="event files (needs the extra tensorboard)",
    )


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


class Command(NamedTuple):
    """A command without a screen."""

    add: Callable[[argparse.ArgumentParser], None]
    """Declares its options."""
    module: str
    """Its `run(arguments) -> int` does it."""
    purpose: str


COMMANDS = {
    "list": Command(
        _add_list, "tutor.headless.listing", "the sections and your progress"
    ),
    "check": Command(
        _add_check, "tutor.headless.check", "prove that lessons do as they say"
    ),
    "exec": Command(
        _add_exec, "tutor.headless.execute", "run a script or notebook by cells"
    ),
    "step": Command(
        _add_step, "tutor.headless.step", "trace code forward and backward"
    ),
    "train": Command(_add_train, "tutor.headless.train", "train and print the loss"),
    "doctor": Command(_add_doctor, "tutor.headless.doctor", "what the tutor runs on"),
}


def _unknown(word: str, program: str) -> str:
    if word[:1].isdigit():
        return (
            f"There is no section {word}: they are 2.1 to 2.18, see `{program} list`."
        )
    hint = _nearest(word, [*COMMANDS])
    return f"There is no command or section {word!r}{hint}; see `{program} --help`."


def _nearest(word: str, known: Sequence[str]) -> str:
    matches = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {matches[0]}?)" if matches else ""
