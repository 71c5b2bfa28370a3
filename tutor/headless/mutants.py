"""Solutions made wrong on purpose: a check that passes one asks too little. Pure."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """A solution, one of whose functions does nothing but return something."""

    function: str
    returns: str
    """What it returns, as code."""
    code: str


def mutants_of(solution: str) -> Iterator[Mutant]:
    """Each function of the solution returning None, a constant, or its input.

    Methods and functions within functions stay as they are. SyntaxError when the
    solution is not Python.
    """
    tree = ast.parse(solution)
    for number, node in enumerate(tree.body):
        if not isinstance(node, ast.FunctionDef):
            continue
        for returned in _returned(node):
            fresh = ast.parse(solution)
            body: list[ast.stmt] = [
                ast.Return(value=ast.parse(returned, mode="eval").body)
            ]
            changed = fresh.body[number]
            assert isinstance(changed, ast.FunctionDef)
            changed.body = body
            code = ast.unparse(ast.fix_missing_locations(fresh))
            yield Mutant(node.name, returned, f"{code}\n")


def _returned(function: ast.FunctionDef) -> Iterator[str]:
    yield from ("None", "0", "1.0")
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if named:
        yield named[0].arg
    elif arguments.vararg is not None:
        yield arguments.vararg.arg
