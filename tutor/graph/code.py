"""What the learner's code says beyond what was recorded: blocks, bindings, calls. Pure.

Read from the syntax tree of the text in the trace; code that does not parse says nothing.
"""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass

_SWITCHES = ("no_grad", "inference_mode", "set_grad_enabled")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that run with the recording of the graph switched off."""

    switch: str
    """Like "no_grad"."""
    head: int
    """The line that says so."""
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class MethodCall:
    """A call like `loss.backward(inputs=[w])`."""

    receiver: str
    """The text before the dot."""
    text: str
    line: int
    keywords: tuple[str, ...]


@functools.lru_cache(maxsize=8)
def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def nodes(text: str) -> Iterator[ast.AST]:
    """Every node of the syntax tree; none where the text does not parse."""
    tree = _tree(text)
    return iter(()) if tree is None else ast.walk(tree)


@functools.lru_cache(maxsize=8)
def blocks(text: str) -> tuple[Block, ...]:
    """Where no_grad, inference_mode or set_grad_enabled stand, innermost last."""
    found = []
    for node in nodes(text):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            heads = [item.context_expr for item in node.items]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            heads = node.decorator_list
        else:
            continue
        last = node.end_lineno or node.lineno
        for head in heads:
            switch = _switch(head)
            if switch is not None:
                found.append(Block(switch, head.lineno, node.body[0].lineno, last))
    return tuple(sorted(found, key=lambda block: block.first))


def _switch(head: ast.expr) -> str | None:
    called = head.func if isinstance(head, ast.Call) else head
    name = called.attr if isinstance(called, ast.Attribute) else ""
    if isinstance(called, ast.Name):
        name = called.id
    return name if name in _SWITCHES else None


def block(text: str, line: int | None) -> Block | None:
    """The innermost such block around a line."""
    around = [each for each in blocks(text) if line and each.first <= line <= each.last]
    return around[-1] if around else None


@functools.lru_cache(maxsize=32)
def method_calls(text: str, method: str) -> tuple[MethodCall, ...]:
    """Every call of a method of that name, in the order of their lines."""
    found = []
    for node in nodes(text):
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if (
                name == method
            ):
                keywords = tuple(each.arg for each in node.keywords if each.arg)
                found.append(
                    MethodCall(
                        ast.unparse(receiver), ast.unparse(node), node.lineno, keywords
                    )
                )
    return tuple(sorted(found, key=lambda call: call.line))


def in_one_loop(text: str, first: int, second: int) -> bool:
    """Whether a loop holds both lines."""
    return any(
        isinstance(node, (ast.For, ast.While))
        and node.lineno <= min(first, second)
        and max(first, second) <= (node.end_lineno or node.lineno)
        for node in nodes(text)
    )


def readers(text: str, line: int | None, expression: str) -> frozenset[int]:
    """The lines that read what an expression of a line was bound to, also by others."""
    flat = "".join(expression.split())
    bound: dict[str, int] = {}
    lines: set[int] = set()
    statements = [each for each in nodes(text) if isinstance(each, _PLAIN)]
    for node in sorted(statements, key=lambda each: each.lineno):
        last = node.end_lineno or node.lineno
        if line is None or last < line:
            continue
        used = {
            each.id
            for each in ast.walk(node)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
        }
        tells = bool(used & set(bound))
        if tells:
            lines.update(range(node.lineno, last + 1))
        begins = node.lineno <= line <= last and flat in _flat(node)
        if (tells or begins) and isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for each in ast.walk(target):
                    if isinstance(each, ast.Name):
                        bound[each.id] = node.lineno
    return frozenset(lines)


_PLAIN = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return)


def _flat(node: ast.AST) -> str:
    return "".join(ast.unparse(node).split())
