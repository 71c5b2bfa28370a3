"""A learner's source read without running it: what it says, binds, and leaves blank.

Pure and stdlib only: both the kernel and our process read with it.
"""

import ast
import io
import re
import tokenize

_BLANK = re.compile(r"_{3,}\Z")
_LOOPS = (
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


def same_code(one: str, other: str) -> bool:
    """Do both say the same, whatever their spaces, comments and quotes?"""
    tree, other_tree = parsed(one), parsed(other)
    if tree is None or other_tree is None:
        return one.split() == other.split()
    return ast.dump(tree) == ast.dump(other_tree)


def parsed(code: str) -> ast.Module | None:
    """The syntax tree; None for what is not Python (or is IPython's own: `!`, `%`)."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def first_blank(code: str) -> int | None:
    """The line, from 1, of the first `____` outside strings and comments."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.NAME and _BLANK.match(token.string):
                return token.start[0]
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass  # cut off inside a bracket or a string: no blank up to there
    return None


def bound_names(code: str) -> frozenset[str]:
    """The names that the code binds, at any depth."""
    tree = parsed(code)
    if tree is None:
        return frozenset()
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                names.add(name)
            case ast.ClassDef(name):
                names.add(name)
            case ast.Name(name, ast.Store()):
                names.add(name)
            case ast.alias(name, asname):
                names.add(asname or name.partition(".")[0])
    return frozenset(names)


def first_loop(code: str) -> int | None:
    """The line, from 1, of the first Python loop or comprehension."""
    tree = parsed(code)
    lines = [
        node.lineno
        for node in ast.walk(tree or ast.Module([], []))
        if isinstance(node, _LOOPS)
    ]
    return min(lines, default=None)
