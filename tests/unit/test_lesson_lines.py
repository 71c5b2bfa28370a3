"""The scanner: every key path's line, in any TOML layout; limits before parsing."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tutor.lesson.lines import KeyPath, Place, key_text, scan
from tutor.lesson.tokens import DEPTH_LIMIT, DOTS_LIMIT

SAMPLES = Path(__file__).parents[1] / "samples"

# Each value is the line it stands on, so that the text is its own expectation.
OWN_LINES = '''\
one = 1
"quoted # key" = 2 # "not a key" = 9
'literal = key' = 3
a.b."c.d".e = 4   # dotted
"esc\\"aped\\u0041" = 5
list = [ # a comment with ] and "
  7, 7,
  # [8]
  9 , [
    10, [ 10 ]
  ],
  { in = 12, also.deep = 12, more = [12, {x = 12}] },
]
[table]
  indented = 15
[table.sub."x.y"]
k = 17
[[many]]
k = 19
[[many]]
k = 21
[many.inner]
k = 23
[[many.deep]]
k = 25
[[many.deep]]
k = 27
[[many]]
[[many.deep]]
k = 30
text = """ # not a comment
[[many]]
k = 9999
"quotes" ""inside"" and \\""" escaped
ends with two""\\
"""
after = 37
raw = \'\'\'\'one quote
[x] \\\'\'\'\'\'
last = 40
'''


def leaves(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """Every path that holds no list or table."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, (*path, number))
    else:
        yield path, value


def test_every_path_has_the_line_it_stands_on() -> None:
    raw = tomllib.loads(OWN_LINES)
    lines = scan(OWN_LINES)
    numbers = [(path, value) for path, value in leaves(raw, ()) if type(value) is int]
    assert len(numbers) == 24
    for path, line in numbers:
        assert lines.places[path].line == line, key_text(path)


def test_every_path_of_a_lesson_is_known() -> None:
    text = (SAMPLES / "02-08-every-kind.toml").read_text(encoding="utf-8")
    lines = scan(text)
    source = text.split("\n")
    for path, value in leaves(tomllib.loads(text), ()):
        place = lines.places[path]
        found = "\n".join(source[place.line - 1 : place.last])
        assert str(value).split("\n")[0][:12] in found or type(value) is bool


def test_a_table_has_the_line_of_its_header() -> None:
    lines = scan(OWN_LINES)
    assert lines.line(("many", 0)) == 18
    assert lines.line(("many", 1)) == 20
    assert lines.line(("many", 1, "deep", 1)) == 26
    assert lines.line(("many", 2, "deep", 0)) == 29
    assert lines.line(("table", "sub", "x.y")) == 16


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    lines = scan(OWN_LINES)
    assert lines.line(("many", 1, "nothing", 3)) == 20
    assert lines.line(("nothing",)) == 1
    assert scan("").line(("x",)) == 1


def test_lines_within_a_string() -> None:
    text = 'a = """\nfirst\nsecond\n"""\nb = """first\nsecond"""\nc = "x\\ny"\n'
    lines = scan(text)
    assert lines.places["a",] == Place(1, 2, 4)
    assert [lines.line_within(("a",), number) for number in (1, 2, 99)] == [2, 3, 4]
    assert [lines.line_within(("b",), number) for number in (1, 2)] == [5, 6]
    assert [lines.line_within(("c",), number) for number in (1, 2)] == [7, 7]


def test_an_unclosed_string_is_found_where_it_begins() -> None:
    assert scan('a = 1\nb = """\n[[cells]]\n').unclosed == 2
    assert scan("a = '''it's'''\n").unclosed is None
    assert scan('a = """\\"""\n').unclosed == 1


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("x = 1\ny = " + "[" * 5000 + "]" * 5000, 2, "deep"),
        ("x = " + "{a = " * 100 + "1" + "}" * 100, 1, "deep"),
        ("\n\nx" + ".a" * 50_000 + " = 1", 3, "dots"),
        ("[" + "a." * 50 + "b]", 1, "dots"),
        ("x = " + "9" * 5000, 1, "digits"),
        ("x = [0x" + "f" * 50 + "]", 1, "digits"),
    ],
)
def test_refused_before_parsing(text: str, line: int, word: str) -> None:
    (first, sentence), *_ = scan(text).refused
    assert first == line
    assert word in sentence


def test_within_the_limits_nothing_is_refused() -> None:
    deep = "x = " + "[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT
    dots = "x" + ".a" * DOTS_LIMIT + " = 1"
    floats = "y = [" + ", ".join(["1.5"] * 200) + "]"
    prose = 'z = "' + "." * 500 + "[" * 500 + '"'
    assert scan("\n".join((deep, dots, floats, prose))).refused == []


@pytest.mark.parametrize(
    "text",
    ["[", "[[", "= 1", "a", "a =", "a = [", "a = {b", '"', "a.", "]", "a = [,=]", "{"],
)
def test_what_is_not_toml_is_no_error(text: str) -> None:
    scan(f"first = 1\n{text}")
    assert scan(f"first = 1\n{text}").line(("first",)) == 1


def test_key_text() -> None:
    path = ("cells", 3, "wrong", 0, "code")
    assert key_text(path) == "cells[3].wrong[0].code"
    assert key_text(("at", "a b")) == "at.'a b'"
