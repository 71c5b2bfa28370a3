"""`step`: trace code forward and backward, and print the walk.

Reads the options and the file; the walk is `graph`'s, the trace the Session's.
"""

import argparse
import ast
import difflib
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tutor.errors import FileError, UsageError
from tutor.graph import export, files, questions, text
from tutor.graph.alphabet import plain
from tutor.graph.questions import Answer
from tutor.graph.requests import TraceRequest
from tutor.graph.steps import Walk, walk
from tutor.graph.trace import Fault, Trace
from tutor.headless import printing, runner, stored
from tutor.kernel.base import KernelOptions
from tutor.safetext import safe
from tutor.session import Session

DTYPES = ("float64", "float32", "bfloat16", "float16")
_WIDTH = 80
_LEAST_WIDTH = 20


def run(
    arguments: argparse.Namespace, make_kernel: runner.MakeKernel | None = None
) -> int:
    """1 when the code did not parse or raised, else 0. `make_kernel`: for tests."""
    width = _width(arguments.width)
    if arguments.replay is not None:
        return _replay(arguments, width)
    request = read_request(arguments)
    here = Path.cwd()
    folder = here if arguments.file is None else arguments.file.resolve().parent

    async def work(session: Session) -> int:
        trace = await session.trace(request)
        if arguments.save is not None:
            stored.save(trace, arguments.save)
        return _tell(trace, arguments, width)

    options = KernelOptions(cwd=here, path_last=(folder,))
    return runner.run(work, options, make_kernel=make_kernel)


def _replay(arguments: argparse.Namespace, width: int) -> int:
    """A stored trace, without torch; 2 when the file is not whole."""
    for option in ("call", "root", "grad", "save"):
        if getattr(arguments, option) is not None or arguments.at:
            name = "at" if arguments.at else option
            raise UsageError(
                f"--{name} is about running code; --replay runs none: leave it out."
            )
    trace, whole = stored.load(arguments.replay)
    code = _tell(trace, arguments, width)
    return code if whole else FileError.exit_code


def _tell(trace: Trace, arguments: argparse.Namespace, width: int) -> int:
    """Print a trace's walk, and what is to be said of it; the exit code."""
    if arguments.why is not None and arguments.replay is not None:
        _check_asked(arguments.why, trace.end.code, trace.end.names)
    walked = walk(trace, arguments.order)
    why = None if arguments.why is None else questions.ask(trace, arguments.why)
    show(walked, arguments.format, width, arguments.ascii, why)
    for said in (trace.end.truncated, trace.end.unrecorded):
        if said is not None:
            printing.talk(said)
    if trace.fault is not None:
        file = arguments.file or (Path(trace.end.file) if trace.end.file else None)
        printing.complain(_sentence(trace.fault, file))
    return 0 if trace.fault is None else 1


def show(
    walked: Walk, form: str, width: int, ascii: bool, why: Answer | None = None
) -> None:
    """Print a walk on stdout in one of the formats, then the answer."""
    match form:
        case "json":
            document = export.document(walked)
            if why is not None:
                document["why"] = asdict(why)
            printing.document(document)
            return
        case "dot":
            lines: Iterable[str] = [export.dot(walked)]
        case "mermaid":
            lines = [export.mermaid(walked)]
        case "svg":
            lines = [export.svg(walked)]
        case "trace":
            printing.data(files.text(walked.trace))
            return
        case _:
            lines = text.report(walked, width, ascii=ascii)
            if why is not None:
                lines = [*lines, "", *_answer(why, width)]
    for line in lines:
        shown = safe(line).plain
        printing.data(f"{plain(shown) if ascii else shown}\n")


def _answer(answer: Answer, width: int) -> Iterator[str]:
    """An answer as lines no longer than the width."""
    yield answer.question
    yield from textwrap.wrap(answer.verdict, width)
    for cause in answer.causes:
        yield from textwrap.wrap(
            cause.text, width, initial_indent="  - ", subsequent_indent="    "
        )
    if answer.advice:
        yield from textwrap.wrap(answer.advice, width)


def read_request(arguments: argparse.Namespace) -> TraceRequest:
    """What the options ask for; UsageError or FileError when they cannot be meant."""
    code = arguments.code if arguments.file is None else _read(arguments.file)
    at = _points(arguments.at)
    if arguments.dtype not in DTYPES:
        raise UsageError(
            f"--dtype {arguments.dtype}: a gradient needs one of {', '.join(DTYPES)}."
        )
    request = TraceRequest(
        code=code,
        at=at,
        dtype=arguments.dtype,
        root=arguments.root,
        grad=_gradient(arguments.grad),
        call=arguments.call,
        file="" if arguments.file is None else str(arguments.file),
    )
    _check_names(request)
    if arguments.why is not None:
        _check_asked(arguments.why, code, at)
    return request


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"{file} cannot be read: {reason}.") from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"{file} is not UTF-8 text, so it is no Python file."
        ) from error


def _points(given: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in given:
        name, equals, value = (part.strip() for part in each.partition("="))
        if not equals or not name.isidentifier():
            raise UsageError(f"--at {each}: write a name and its value, like --at x=2.")
        if name in found:
            raise UsageError(f"--at {name} is given twice: keep one of them.")
        found[name] = _number(each, value)
    return found


def _number(option: str, value: str) -> Any:
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        found = None
    if not _is_numeric(found):
        raise UsageError(
            f"--at {option}: the value must be a number or nested lists of numbers, "
            "like 2, 0.5 or [[1, 2], [3, 4]]."
        )
    if _shape(found) is None:
        raise UsageError(
            f"--at {option}: its rows must be equally long, like [[1, 2], [3, 4]]."
        )
    return found


def _is_numeric(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_numeric, value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shape(value: Any) -> tuple[int, ...] | None:
    """Of nested lists of numbers; None: they have no one shape."""
    if not isinstance(value, (list, tuple)):
        return ()
    shapes = {_shape(each) for each in value} or {()}
    first = shapes.pop()
    return None if shapes or first is None else (len(value), *first)


def _gradient(given: str | None) -> str | None:
    if given is None or given == "ones":
        return given
    try:
        numeric = _is_numeric(ast.literal_eval(given))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        numeric = False
    if not numeric:
        raise UsageError(
            f"--grad {given}: write ones, or numbers in the shape of the root."
        )
    return given


def _check_names(request: TraceRequest) -> None:
    """Every --at must be used and --root bound; code that does not parse says so later."""
    try:
        tree = ast.parse(request.code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    nodes = list(ast.walk(tree))
    known = {each.id for each in nodes if isinstance(each, ast.Name)}
    used = {
        each.id
        for each in nodes
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    }
    used |= {
        each.target.id
        for each in nodes
        if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name)
    }
    if request.call is not None:
        parameters = _parameters(nodes, request.call)
        if parameters is None:
            return
        used = parameters
    for name in request.at:
        if name not in used:
            where = f"{request.call}()" if request.call else "the code"
            hint = _nearest(name, used)
            raise UsageError(f"--at {name}: {where} has no use for that name{hint}.")
    root = request.root
    if root is not None and root not in known | set(request.at):
        hint = _nearest(root, known)
        raise UsageError(f"--root {root}: the code binds no such name{hint}.")


def _check_asked(asked: str, code: str, given: Iterable[str]) -> None:
    """--why must be a name of the code, or a part of one like `net.fc1.weight`.

    UsageError where it is none; code that does not parse says so later.
    """
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    if any(isinstance(each, ast.alias) and each.name == "*" for each in nodes):
        return
    known = {each.id for each in nodes if isinstance(each, ast.Name)} | set(given)
    known |= {each.arg for each in nodes if isinstance(each, ast.arg)}
    if asked not in known and asked.partition(".")[0] not in known:
        hint = _nearest(asked, known)
        raise UsageError(f"--why {asked}: the code has no such name{hint}.")


def _parameters(nodes: Iterable[ast.AST], call: str) -> set[str] | None:
    """The parameters of a function of the code; None: it takes any, or is not seen."""
    for each in nodes:
        if isinstance(each, ast.FunctionDef) and each.name == call:
            if each.args.kwarg is not None:
                return None
            given = [*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs]
            return {argument.arg for argument in given}
    return None


def _nearest(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, sorted(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def _width(given: int | None) -> int:
    if given is not None and given < _LEAST_WIDTH:
        raise UsageError(f"--width {given}: {_LEAST_WIDTH} columns are the least.")
    if given is not None:
        return given
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH


def _sentence(fault: Fault, file: Path | None) -> str:
    """What stopped the code, where, and what to do about it where that is known."""
    place = "" if fault.line is None else f"line {fault.line}: "
    if file is not None and fault.line is not None:
        place = f"{file}:{fault.line}: "
    advice = ""
    missing = fault.text.removeprefix("NameError: name '").partition("'")
    if fault.text.startswith("NameError: name '") and missing[1]:
        advice = f" Give it a value with --at {missing[0]}=2."
    if "only for scalar outputs" in fault.text:
        advice = " Say what to start from, with --grad ones."
    if "does not require grad" in fault.text:
        advice = " --why NAME tells where the way back to a leaf is cut."
    end = "" if fault.text.endswith((".", "!", "?")) or not advice else "."
    return f"{place}{fault.text}{end}{advice}"
