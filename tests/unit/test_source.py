"""Learner source, read without running it."""

import pytest

from tutor.source import bound_names, first_blank, first_loop, same_code


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a=1", "a = 1  # one", True),
        ("f('x')", 'f("x")', True),
        ("def f():\n  return 1", "def f():\n    return 1\n", True),
        ("a = 1", "a = 2", False),
        ("w ____ lr", "w  ____  lr", True),
        ("w ____ lr", "w = lr", False),
        ("", "# nothing", True),
    ],
)
def test_same_code(one: str, other: str, same: bool) -> None:
    assert same_code(one, other) is same


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("x = ____", 1),
        ("x = 1\nw ____ lr", 2),
        ("# ____\ns = '____'", None),
        ("a[:, ____] * b[____, :]", 1),
        ("__init__ = my____name", None),
        ("_ = __", None),
        ("f(1,\n  ____", 2),
        ("s = '''unclosed ____", None),
    ],
)
def test_first_blank(code: str, line: int | None) -> None:
    assert first_blank(code) == line


def test_bound_names_are_found_at_any_depth() -> None:
    code = """
import torch.nn as nn, os.path
a, (b, *c) = 1, (2, 3)
def f(x):
    global d
    d = 1
class G: pass
for e in a: pass
with a as h: pass
if (i := 1): j += 1
"""
    assert bound_names(code) >= set("abcdefhijG") | {"nn", "os"}
    assert "torch" not in bound_names(code)
    assert bound_names("not python (") == frozenset()


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("a = 1\nfor x in y:\n    pass", 2),
        ("while True: pass", 1),
        ("a = [\n  x for x in y]", 1),
        ("sum(x for x in y)", 1),
        ("{x: 1 for x in y}", 1),
        ("a = b @ c", None),
        ("not python (", None),
    ],
)
def test_first_loop(code: str, line: int | None) -> None:
    assert first_loop(code) == line
