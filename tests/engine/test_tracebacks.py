import json
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutor.engine import tracebacks
from tutor.engine.tracebacks import Shown, shown


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def raised(code: str, earlier: str = "", **names: Any) -> Shown:
    """What the code of a cell raises, as it is shown."""
    import linecache

    for name, source in (("cell-1", earlier), ("cell-2", code)):
        linecache.cache[name] = (1, None, source.splitlines(keepends=True), name)
    try:
        exec(compile(earlier, "cell-1", "exec"), names)
        exec(compile(code, "cell-2", "exec"), names)
    except BaseException as error:  # noqa: BLE001
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        return shown(error, lambda file: file.startswith("cell-"))
    raise AssertionError("nothing was raised")


def test_the_line_with_carets() -> None:
    found = raised("x = 1\ny = x + 1 / 0\n")
    assert plain(found.text) == textwrap.dedent(
        """\
        cell, line 2
            y = x + 1 / 0
                    ~~^~~
        ZeroDivisionError: division by zero"""
    )
    assert (found.ename, found.evalue, found.line) == (
        "ZeroDivisionError",
        "division by zero",
        2,
    )


def test_calls_between_cells() -> None:
    found = raised("\nf(0)", earlier="def f(x):\n    return 1 / x\n")
    assert plain(found.text).splitlines()[::2][:2] == [
        "cell, line 2",
        "an earlier cell, line 2, in f",
    ]
    assert found.line == 2


def test_libraries_are_folded() -> None:
    found = raised("import json\njson.loads('{')")
    assert "... 3 calls inside Python, the last to raw_decode()" in plain(found.text)
    assert json.__file__ not in found.text


def test_a_library_that_calls_back() -> None:
    code = "import re\ndef bad(m):\n    raise ValueError('called back')\nre.sub('a', bad, 'a')"
    lines = plain(raised(code).text).splitlines()
    assert lines[0] == "cell, line 4"
    assert any(line.startswith("  ... 1 call inside Python") for line in lines)
    assert "cell, line 3, in bad" in lines


def test_modules_of_the_learners_own(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text("def forward():\n    raise RuntimeError('no')\n")
    module: dict[str, Callable[[], None]] = {}
    exec(compile(file.read_text(), str(file), "exec"), module)
    found = raised("forward()", forward=module["forward"])
    assert "model.py, line 2, in forward" in plain(found.text)
    assert found.line == 1


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        ("x = (1,\n", 1, "'(' was never closed"),
        ("x = 1\nif x\n", 2, "expected ':'"),
        ("for x in y:\nz", 2, "expected an indented block"),
        ("exec('a b')", 1, "invalid syntax"),
    ],
)
def test_syntax_errors(code: str, line: int, message: str) -> None:
    found = raised(code)
    assert found.line == line
    assert message in found.text
    assert plain(found.text).startswith(f"cell, line {line}\n")


def test_recursion_is_counted() -> None:
    found = raised("def f(n): return f(n + 1)\nf(0)")
    text = plain(found.text)
    assert re.search(r"the same call \d+ times more", text)
    assert text.count("in f") == 3


def test_recursion_of_two_is_cut() -> None:
    code = "def f(n): return g(n)\ndef g(n): return f(n)\nf(0)"
    text = plain(raised(code).text)
    assert "calls left out" in text
    assert text.count("line ") == tracebacks.ENTRIES


def test_a_chain_is_a_line_each() -> None:
    code = (
        "try:\n    {}['key']\nexcept KeyError as error:\n"
        "    raise ValueError('bad') from error"
    )
    text = plain(raised(code).text)
    assert text.endswith("ValueError: bad\ncaused by KeyError: 'key' (cell, line 2)")
    code = code.replace(" as error", "").replace(" from error", "")
    assert "while handling KeyError: 'key' (cell, line 2)" in raised(code).text
    assert "KeyError" not in raised(code + " from None").text


def test_a_circle_of_causes_ends() -> None:
    code = "a, b = ValueError('a'), ValueError('b')\na.__cause__ = b\nb.__cause__ = a\nraise a"
    assert raised(code).text.count("caused by") == 3


def test_notes_and_groups() -> None:
    code = "e = ValueError('v')\ne.add_note('Look here.')\nraise e"
    assert raised(code).text.endswith("Look here.")
    code = "raise ExceptionGroup('g', [ValueError(n) for n in range(9)])"
    text = raised(code).text
    assert "  - ValueError: 4" in text
    assert "ValueError: 5" not in text


@pytest.mark.parametrize(
    ("code", "evalue"),
    [
        ("class E(Exception):\n def __str__(self): 1 / 0\nraise E", "cannot be shown"),
        ("raise ValueError('x' * 10_000)", "x ..."),
        ("raise ValueError(chr(0xd800))", "\\ud800"),
    ],
)
def test_any_message_can_be_sent(code: str, evalue: str) -> None:
    found = raised(code)
    assert found.evalue.endswith(evalue) or evalue in found.evalue
    assert len(found.evalue) <= tracebacks.MESSAGE_CHARACTERS + 4
    (found.text + found.evalue).encode()


def test_what_to_do_is_said() -> None:
    assert (
        "restart the kernel"
        in raised("raise RuntimeError('CUDA error: device-side assert triggered')").text
    )
    assert "keeps running" in raised("raise SystemExit(1)").text


def test_colours_are_of_the_16() -> None:
    codes = re.findall(r"\x1b\[([0-9;]*)m", raised("1 / 0").text)
    assert set(codes) <= {"0", "31", "36", "1;31"}


def test_no_frames_at_all() -> None:
    found = shown(ValueError("alone"), lambda file: False)
    assert plain(found.text) == "ValueError: alone"
    assert found.line is None
