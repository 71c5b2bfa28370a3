"""What every rule of a lesson uses: how to report, and whether text or code will do."""

import ast
import warnings
from typing import Protocol

from tutor.lesson.lines import KeyPath


class Report(Protocol):
    """Called with a key path, a sentence and the line within the string, from 1."""

    def __call__(self, where: KeyPath, sentence: str, within: int = 0) -> None:
        """`within` 0: the key itself."""


def check_code(
    code: str, path: KeyPath, report: Report, offset: int = 0, *, empty: bool = True
) -> bool:
    """Whether it is Python; `offset` is how many lines of the string precede it."""
    if not empty and not code.strip():
        report(path, "this code is empty.")
        return False
    return _parses(code, path, report, "exec", offset)


def check_expression(code: str, path: KeyPath, report: Report) -> None:
    """Report unless it is one Python expression on one line."""
    if not code.strip():
        report(path, "this expression is empty.")
    elif "\n" in code.strip():
        report(path, "this must be one expression on one line.")
    else:
        _parses(code.strip(), path, report, "eval", 0)


def _parses(code: str, path: KeyPath, report: Report, mode: str, offset: int) -> bool:
    what = "Python" if mode == "exec" else "a Python expression"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape is still Python
            compile(code, "<lesson>", mode, ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        within = offset + (error.lineno or 1)
        report(path, f"this is not {what}: {error.msg}.", within)
    except (ValueError, RecursionError, MemoryError) as error:
        why = str(error) or "it is too deep"
        report(path, f"this is not {what}: {why}.")
    else:
        return True
    return False


def check_said(text: str, path: KeyPath, report: Report) -> None:
    """Report a text that says nothing."""
    if not text.strip():
        report(path, "this text is empty.")


def check_hints(hints: list[str], path: KeyPath, report: Report) -> None:
    """Report each hint that says nothing."""
    for number, hint in enumerate(hints):
        check_said(hint, (*path, "hints", number), report)
