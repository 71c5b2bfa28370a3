"""Colours for Python code that is still being typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.highlight import tokens, tokens_of_lines


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f(x): return x", "def:keyword f:defined return:keyword"),
        ("class A(B): pass", "class:keyword A:defined pass:keyword"),
        ("@torch.no_grad()\ndef g(): 0", "@torch.no_grad:defined def:keyword g:defined 0:number"),
        ("print(None, x.sum, sum)", "print:builtin None:keyword sum:builtin"),
        ("1e-3 + 0x1F + 1_000j + .5 + a1", "1e-3:number 0x1F:number 1_000j:number .5:number"),
        ("x = 'a' # 'b'", "'a':string # 'b':comment"),
        ('f"{a!r} # no"', 'f"{a!r} # no":string'),
        (r"'a\'b' 1", r"'a\'b':string 1:number"),
        ("'open\nif", "'open:string if:keyword"),
        ('"""doc\n# "x"\n""" or', '"""doc\n# "x"\n""":string or:keyword'),
        ('"""open\nif', '"""open\nif:string'),
        ("rb'\\' x'", "rb'\\' x':string"),
        ("iff = notx", ""),
    ],
)  # fmt: skip
def test_the_parts_of_code(code: str, found: str) -> None:
    shown = [f"{code[each.start : each.end]}:{each.kind}" for each in tokens(code)]
    assert " ".join(shown) == found


def test_each_line_has_its_own_parts() -> None:
    code = 'def f(x):\n    """two\n\n    lines"""\n    return x  # why\n'
    lines = [
        [(token.start, token.end, token.kind) for token in line]
        for line in tokens_of_lines(code)
    ]
    assert lines == [
        [(0, 3, "keyword"), (4, 5, "defined")],
        [(4, 10, "string")],
        [],
        [(0, 12, "string")],
        [(4, 10, "keyword"), (14, 19, "comment")],
        [],
    ]
    assert tokens_of_lines("") == [[]]


@given(st.text(alphabet="ab1.'\"\\#\n @_ rfdef=é\x00", max_size=60))
def test_any_text_has_parts_in_order(code: str) -> None:
    end = 0
    for token in tokens(code):
        assert end <= token.start < token.end <= len(code)
        end = token.end
    lines = tokens_of_lines(code)
    for plain, line in zip(code.split("\n"), lines, strict=True):
        assert all(0 <= token.start < token.end <= len(plain) for token in line)
