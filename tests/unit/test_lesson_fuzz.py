"""Any bytes give a lesson or problems, never an exception, and never slowly.

Seeded: the same mutants every time. A mutant that once failed is kept in CASES.
"""

import random
import tomllib
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from tutor.lesson.lines import scan
from tutor.lesson.load import read_lesson_file

SAMPLE = Path(__file__).parents[1] / "samples" / "02-08-every-kind.toml"
DEADLINE_S = 10.0
"""For one file; usual are 10 ms. What it must catch takes minutes."""

VALUES = (
    "true", "-1", "0", "1e400", "nan", "-inf", "9" * 39, "''", "'x'", "[]", "[[]]",
    "{}", "{ a = 1 }", "1979-05-27", "07:32:00", "[1, 'a', {}]", '"\\u0000"',
    '"\\u001b["', "'''\n'''", "{ kind = 'text' }", "'____'", "'2.18'", "[true]",
    "'" + "(" * 300 + "'", "'" + "-" * 5000 + "1'", "'" + "a." * 5000 + "a'",
)  # fmt: skip


def byte_mutants(source: bytes, count: int, seed: int) -> Iterator[bytes]:
    """The source with bytes changed, cut out, doubled or moved."""
    lot = random.Random(seed)
    for _ in range(count):
        mutant = bytearray(source)
        for _ in range(lot.randint(1, 4)):
            start = lot.randrange(len(mutant))
            end = start + lot.choice((1, 1, 2, 9, 40))
            match lot.randrange(4):
                case 0:
                    mutant[start : start + 1] = bytes([lot.randrange(256)])
                case 1:
                    del mutant[start:end]
                case 2:
                    mutant[start:start] = mutant[start:end]
                case _:
                    mutant[start:start] = lot.choice(b"[]{}\"'=.,\\\n#\r").to_bytes()
        yield bytes(mutant)


def structured_mutants(source: str, count: int, seed: int) -> Iterator[str]:
    """The source with values, keys and lines changed, so that it mostly parses."""
    lot = random.Random(seed)
    lines = source.split("\n")
    keyed = [number for number, line in enumerate(lines) if " = " in line]
    for _ in range(count):
        mutant = list(lines)
        for _ in range(lot.randint(1, 3)):
            number = lot.choice(keyed)
            key, _, value = mutant[number].partition(" = ")
            match lot.randrange(5):
                case 0 | 1:
                    mutant[number] = f"{key} = {lot.choice(VALUES)}"
                case 2:
                    mutant[number] = f"{key}{lot.choice(('s', 'x', '.y'))} = {value}"
                case 3:
                    mutant[number] = ""
                case _:
                    mutant.insert(number, mutant[lot.choice(keyed)])
        yield "\n".join(mutant)


def survives(file: Path, content: bytes) -> int:
    """Load it; how many problems it has."""
    file.write_bytes(content)
    started = perf_counter()
    read = read_lesson_file(file)
    assert perf_counter() - started < DEADLINE_S
    assert (read.lesson is None) == bool(read.problems)
    last = content.count(b"\n") + 1
    for problem in (*read.problems, *read.notes):
        assert problem.line is None or 1 <= problem.line <= last
        assert problem.message.endswith((".", "?"))
        assert "\n" not in str(problem)
        str(problem).encode()
    return len(read.problems)


def test_byte_mutants(tmp_path: Path) -> None:
    file = tmp_path / "lesson.toml"
    mutants = byte_mutants(SAMPLE.read_bytes(), 250, seed=0)
    found = [survives(file, mutant) for mutant in mutants]
    assert sum(map(bool, found)) > 50


@pytest.mark.slow
def test_structured_mutants(tmp_path: Path) -> None:
    file = tmp_path / "lesson.toml"
    source = SAMPLE.read_text(encoding="utf-8")
    mutants = structured_mutants(source, 250, seed=1)
    found = [survives(file, mutant.encode()) for mutant in mutants]
    assert sum(map(bool, found)) > 150
    assert any(count > 1 for count in found)


@pytest.mark.parametrize("value", VALUES)
def test_keys_with_values_of_another_kind(tmp_path: Path, value: str) -> None:
    file = tmp_path / "lesson.toml"
    lines = SAMPLE.read_text(encoding="utf-8").split("\n")
    every_third = range(VALUES.index(value) % 3, len(lines), 3)
    for number, line in ((number, lines[number]) for number in every_third):
        key, equals, _ = line.partition(" = ")
        if equals and " " not in key:
            changed = [*lines[:number], f"{key} = {value}", *lines[number + 1 :]]
            survives(file, "\n".join(changed).encode())


@pytest.mark.parametrize("seed", range(3))
def test_the_scanner_follows_whatever_is_toml(seed: int) -> None:
    """Every path of a mutant that still parses has a place."""
    source = SAMPLE.read_text(encoding="utf-8")
    parsed = 0
    for mutant in structured_mutants(source, 100, seed):
        try:
            raw = tomllib.loads(mutant)
        except (tomllib.TOMLDecodeError, ValueError):
            continue
        parsed += 1
        places = scan(mutant).places
        for path in _paths(raw, ()):
            assert path in places
    assert parsed > 30


def _paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _paths(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _paths(each, (*path, number))


CASES: tuple[bytes, ...] = (
    b"",
    b"\n",
    b"\x00",
    b"\xef\xbb\xbf",
    b"[" * 262_144,
    b"a" * 262_144,
    b"'" * 262_144,
    b'"\\' * 100_000,
    b'"""' + b'\\"""' * 60_000,
    b"x = " + b"{a=" * 40_000,
    b"x = '''" + b"(" * 200_000 + b"'''",
    b"[[a]]\n" * 40_000,
    b"a.b.c.d = 1\n" * 20_000,
    b"\r" * 100_000,
    b"x = [" + b"1," * 100_000 + b"]",
    "é = 1".encode(),
    b"x = 0x" + b"f" * 100_000,
    b"x = 1." + b"1" * 100_000,
    b"[a]\n[a.b]\n[a]\n",
    b"cells = { a = 1 }\n[[cells]]\n",
    b'"" = 1\n[""]\n',
)


@pytest.mark.slow
@pytest.mark.parametrize("content", CASES)
def test_hand_made(tmp_path: Path, content: bytes) -> None:
    assert survives(tmp_path / "lesson.toml", content) > 0


def test_deep_code(tmp_path: Path) -> None:
    """Python's own parser gives up in several ways; each is a sentence."""
    for code in ("(" * 9000, "-" * 60_000 + "1", "a" + "+a" * 60_000, "[" * 99 + "]"):
        lesson = SAMPLE.read_text(encoding="utf-8") + (
            f"[[cells]]\nid = 'deep'\nkind = 'code'\ncode = '{code}'\n"
        )
        survives(tmp_path / "lesson.toml", lesson.encode())
