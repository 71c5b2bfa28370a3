"""The learner's code made ready, run where the recorder looks, and why it stopped."""

import ast
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tutor.graph.trace import Fault

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Code:
    """The code, ready to run."""

    body: types.CodeType
    last: types.CodeType | None
    """The last statement, where it is an expression."""
    assigned: str | None
    """The name bound last."""
    file: str


def parse(text: str, file: str) -> Code:
    """Raises SyntaxError, ValueError, RecursionError or MemoryError, as Python does."""
    return prepared(ast.parse(text, file), file)


def prepared(tree: ast.Module, file: str) -> Code:
    """The same of a syntax tree, which is used up."""
    last = tree.body[-1] if tree.body else None
    expression = None
    if isinstance(last, ast.Expr):
        tree.body.pop()
        wrapped = ast.Expression(last.value)
        expression = compile(wrapped, file, "eval", dont_inherit=True)
    body = compile(tree, file, "exec", dont_inherit=True)
    return Code(body, expression, _last_assigned(tree.body), file)


def _last_assigned(body: Sequence[ast.stmt]) -> str | None:
    for statement in reversed(body):
        match statement:
            case ast.Assign(targets=[*_, ast.Name(id=name)]):
                return name
            case ast.AugAssign(target=ast.Name(id=name)):
                return name
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                return name
    return None


def run_traced(work: Callable[[], Result]) -> Result:
    """Run the learner's code.

    The recorder knows this function by its name as where the learner's frames end.
    """
    return work()


def execute(code: Code, namespace: dict[str, Any]) -> Any:
    """The value of its last expression; None: it ends in another statement."""
    exec(code.body, namespace)
    return None if code.last is None else eval(code.last, namespace)


class MissingError(Exception):
    """There is nothing to run, or to go back from; `str(error)` is the sentence."""


def fault(error: BaseException, file: str, *, backward: bool = False) -> Fault:
    """What stopped the code; the line is of `file`."""
    if isinstance(error, MissingError):
        return Fault(str(error), None, "backward")
    line = _line(error, file)
    if isinstance(error, KeyboardInterrupt):
        return Fault("Interrupted.", line, "interrupt")
    if isinstance(error, SyntaxError) and error.filename == file:
        text = f"{type(error).__name__}: {error.msg}"
        return Fault(text, error.lineno, "run")
    try:
        text = f"{type(error).__name__}: {error}".rstrip(": ")
    except Exception:  # noqa: BLE001 - a learner's __str__ may raise anything
        text = type(error).__name__
    return Fault(text, line, "backward" if backward else "run")


def parse_fault(error: Exception) -> Fault:
    """Why the code could not be made ready."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    reason = error.msg if isinstance(error, SyntaxError) else str(error)
    return Fault(f"{type(error).__name__}: {reason}", line, "parse")


def _line(error: BaseException, file: str) -> int | None:
    """The line of the code that an exception came from."""
    line = None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == file:
            line = step.tb_lineno
        step = step.tb_next
    return line
