"""Where the code makes what a name stands for, and replaces it: from its text. Pure.

For names like `net.fc1.weight`, whose last parts no line binds: the class says where.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tutor.graph.code import nodes


@dataclass(frozen=True, slots=True)
class Place:
    """A line, and what it binds."""

    line: int
    text: str
    """The text of what is bound."""


def made(text: str, name: str) -> Place | None:
    """Where the code makes what a name stands for; None: it does not say."""
    found = _made(text, name.split("."))
    return None if found is None else Place(found.lineno, ast.unparse(found))


def bound(text: str, name: str) -> Place | None:
    """Where a name, or the longest part of it that a line binds, was bound last."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        found = _bindings(text, ".".join(parts[:count]))
        if found:
            return Place(found[-1].lineno, ast.unparse(found[-1]))
    return None


def replaced(text: str, name: str, after: int) -> Place | None:
    """A line after that one that binds a part of a name again, like `net.fc = ...`."""
    parts = name.split(".")
    for count in range(2, len(parts) + 1):
        for value in _bindings(text, ".".join(parts[:count])):
            if value.lineno > after:
                return Place(value.lineno, ast.unparse(value))
    return None


def calls_with(text: str, name: str, function: str) -> Iterator[Place]:
    """Calls of a function, by the end of its name, that are given a variable."""
    for node in nodes(text):
        if not isinstance(node, ast.Call) or not _is_called(node, function):
            continue
        given = [*node.args, *(each.value for each in node.keywords)]
        if any(ast.unparse(each) == name for each in given):
            yield Place(node.lineno, ast.unparse(node))


def registered(text: str, name: str) -> Place | None:
    """Where a buffer of that name is registered."""
    last = name.rpartition(".")[2]
    for node in nodes(text):
        if isinstance(node, ast.Call) and _is_called(node, "register_buffer"):
            given = node.args[0] if node.args else None
            if isinstance(given, ast.Constant) and given.value == last:
                return Place(node.lineno, ast.unparse(node))
    return None


def returns_of(text: str, owner: str, function: str) -> tuple[Place, ...]:
    """What a method of a class returns."""
    found = _class(text, owner)
    method = None if found is None else _method(found, function)
    if method is None:
        return ()
    return tuple(
        Place(node.lineno, ast.unparse(node))
        for node in ast.walk(method)
        if isinstance(node, ast.Return)
    )


def _is_called(call: ast.Call, function: str) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] == function


def bindings(text: str, name: str) -> tuple[Place, ...]:
    """Every line that binds a name or an attribute, and what it binds."""
    found = _bindings(text, name)
    return tuple(Place(value.lineno, ast.unparse(value)) for value in found)


def _bindings(text: str, name: str) -> list[ast.expr]:
    found = []
    for node in nodes(text):
        match node:
            case ast.Assign(targets=targets, value=value):
                pass
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                targets = [target]
            case ast.NamedExpr(target=target, value=value):
                targets = [target]
            case _:
                continue
        if any(_binds(target, name) for target in targets):
            found.append(value)
    return sorted(found, key=lambda value: value.lineno)


def _binds(target: ast.expr, name: str) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return any(_binds(each, name) for each in target.elts)
    return isinstance(target, (ast.Name, ast.Attribute)) and ast.unparse(target) == name


def _made(text: str, parts: list[str]) -> ast.expr | None:
    """The expression that makes it, followed into the classes of the code."""
    here: ast.expr | None = None
    for count in range(len(parts), 0, -1):
        found = _bindings(text, ".".join(parts[:count]))
        if found:
            here = found[-1]
            parts = parts[count:]
            break
    if here is None:
        return None
    for part in parts:
        inner = _part(text, here, part)
        if inner is None:
            break
        here = inner
    return here


def _part(text: str, made: ast.expr, part: str) -> ast.expr | None:
    """What a module made by an expression keeps under a name or a number."""
    if not isinstance(made, ast.Call):
        return None
    if part.isdigit():
        given: list[ast.expr] = made.args
        if len(given) == 1 and isinstance(given[0], (ast.List, ast.Tuple)):
            given = given[0].elts
        return given[int(part)] if int(part) < len(given) else None
    owner = _class(text, ast.unparse(made.func))
    method = None if owner is None else _method(owner, "__init__")
    if method is None:
        return None
    for node in ast.walk(method):
        if isinstance(node, ast.Assign) and any(
            ast.unparse(target) == f"self.{part}" for target in node.targets
        ):
            return node.value
    return None


def _class(text: str, name: str) -> ast.ClassDef | None:
    for node in nodes(text):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    return None


def _method(owner: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    for node in owner.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    return None
