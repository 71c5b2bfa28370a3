"""What a key means for Python text: completeness, indentation, pastes, offers."""

import pytest

from tutor.editing import (
    backspace_count,
    dedented,
    indent_after,
    is_complete,
    offer,
    pasted,
)
from tutor.kernel.base import Completion

COMPLETE = [
    "1 + 1",
    "x = (1,\n  2)",
    "f(\n    1)",
    "for i in x: print(i)",
    "def f(x):\n    return 1\n",
    "def f(x):\n    return 1\n    ",
    "try:\n    x\nexcept E:\n    y\n",
    "with torch.no_grad():\n    w -= 1\nprint(w)",
    "await f()",
    "async def f():\n    pass\n",
    "%timeit f(x)",
    "!ls",
    "torch.add?",
    "??f",
    "if x:\n    %time f()\n",
    "%%time\nf()\n",
    "lambda: (\n   1)",
    "",
    "   ",
]
NEVER_VALID = [
    "a b c",
    "x = = 1",
    "  x",
    "return)",
    "(" * 300,
    "-" * 100_000 + "1",
    "x\0y",
    "1_000_000" * 60_000,
]
UNFINISHED = [
    "def f(x):",
    "def f(x):\n    return 1",
    "x = (1,\n  2",
    "'''a",
    "@decorator",
    "%%time\nf()",
    "x = \\",
    "for i in x:\n    f(\n        2)",
    "try:\n    x\n",
    "x = {",
    "if 1:\n    x\nelse:\n    y",
]


@pytest.mark.parametrize("code", COMPLETE)
def test_enter_executes_what_is_complete(code: str) -> None:
    assert is_complete(code)


@pytest.mark.parametrize("code", NEVER_VALID, ids=lambda code: code[:12])
def test_enter_executes_what_can_never_be_valid(code: str) -> None:
    assert is_complete(code)


@pytest.mark.parametrize("code", UNFINISHED)
def test_enter_adds_a_line_to_what_is_unfinished(code: str) -> None:
    assert not is_complete(code)


@pytest.mark.parametrize(
    ("before", "spaces"),
    [
        ("def f(x):", 4),
        ("    if x:  # why: this", 8),
        ("else:", 4),
        ("    x = 1", 4),
        ("x = [", 4),
        ("x = [1,", 4),
        ("x = f(\n    a,", 4),
        ("x = f(\n    a)", 0),
        ("for i in f(a,\n           b):", 4),
        ("    return x", 0),
        ("        return f(\n            x)", 4),
        ("        raise", 4),
        ("    returned = 1", 4),
        ("print(':')", 0),
        ("x = ':'  # :", 0),
        ("y = x[1:]", 0),
        ("d = {'a': [", 4),
        ("def f():\n    x = '''\n a:'''", 4),
        ("", 0),
    ],
)
def test_the_next_line_is_indented(before: str, spaces: int) -> None:
    assert indent_after(before) == " " * spaces


@pytest.mark.parametrize(
    ("before", "count"),
    [
        ("", 1),
        ("x", 1),
        ("    x", 1),
        ("    ", 4),
        ("      ", 2),
        (" ", 1),
        ("  x ", 1),
    ],
)
def test_backspace_takes_a_level_of_indentation(before: str, count: int) -> None:
    assert backspace_count(before) == count


def test_a_line_is_dedented_by_one_level_at_most() -> None:
    assert dedented("      x") == "  x"
    assert dedented("  x") == "x"
    assert dedented("x") == "x"


def test_a_paste_brings_text_and_nothing_else() -> None:
    assert pasted("a\r\nb\rc") == "a\nb\nc"
    assert pasted("if x:\n\ty\n\t\tz") == "if x:\n    y\n        z"
    assert pasted("a\x1b[201~b\x1b]52;c;x\x07c\x00\x08d") == "abcd"
    assert pasted("x\xa0= 1") == "x = 1"
    assert pasted("\x9b31mré 漢 ␀") == "ré 漢 ␀"


def names(*matches: str, code: str, start: int = 0) -> tuple[str, ...]:
    return offer(Completion(matches, start, len(code)), code, len(code)).matches


def test_an_offer_is_sorted_with_private_names_last() -> None:
    matches = names("x.b", "x.__a__", "x._c", "x.A", code="x.")
    assert matches == ("x.A", "x.b", "x._c", "x.__a__")


def test_an_offer_has_no_match_that_commands_the_terminal() -> None:
    hostile = ("a\x1b[2J", "a\nb", "a\u202eb", "a\x9bb", "a\ud800", "a\u3164b")
    assert names("abc", *hostile, code="a") == ("abc",)


def test_an_offer_prefers_what_goes_on_from_what_is_typed() -> None:
    assert names("torch", "Torch", code="to") == ("torch",)
    assert names("Torch", code="to") == ("Torch",)


def test_an_offer_knows_what_is_certain_and_what_to_show() -> None:
    code = "y = torch.nn.f"
    matches = ("torch.nn.functional", "torch.nn.function", "torch.nn.fun_x")
    made = offer(Completion(matches, 4, len(code)), code, len(code))
    assert made.common == "torch.nn.fun"
    assert [match[made.shown_from :] for match in made.matches] == [
        "fun_x",
        "function",
        "functional",
    ]
    assert made.narrowed("torch.nn.func").common == "torch.nn.function"
    assert made.narrowed("torch.nn.q").matches == ()


def test_an_offer_for_another_place_is_none() -> None:
    assert offer(Completion(("abc",), 9, 12), "ab", 2).matches == ()
    assert offer(Completion((), 0, 2), "ab", 2).common == ""
