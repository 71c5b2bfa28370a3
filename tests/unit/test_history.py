"""What was executed: remembered, walked through, kept on disk without complaint."""

import json
import stat
from pathlib import Path

from tutor.history import KEPT, History, Walk


def walked(walk: Walk, ways: str) -> list[str]:
    shown = []
    for way in ways:
        moved = walk.older() if way == "<" else walk.newer()
        shown.append(walk.shown if moved else "stays")
    return shown


def test_back_and_forth_and_to_what_was_being_typed() -> None:
    walk = Walk(["a", "b"], "typed")
    assert walked(walk, "<<<>>>") == ["b", "a", "stays", "b", "typed", "stays"]


def test_only_what_begins_like_the_typed_text() -> None:
    walk = Walk(["x = 1", "y = 2", "x = 3"], "x", prefix="x")
    assert walked(walk, "<<<") == ["x = 3", "x = 1", "stays"]


def test_what_is_shown_already_is_no_stop() -> None:
    assert walked(Walk(["a", "b"], "b"), "<") == ["a"]
    assert walked(Walk(["a", "b", "b"], ""), "<<") == ["b", "a"]


def test_history_survives_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.jsonl"
    first = History(path)
    for code in ("x = 1", "x = 1", "  ", "def f():\n    return '漢'\n"):
        first.add(code)
    assert first.entries == ["x = 1", "def f():\n    return '漢'"]
    assert History(path).entries == first.entries
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_writers_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    one, two = History(path), History(path)
    one.add("1")
    two.add("2")
    one.add("3")
    assert History(path).entries == ["1", "2", "3"]


def test_only_the_last_entries_are_read_and_a_long_file_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("".join(f'"{n}"\n' for n in range(6 * KEPT)))
    assert History(path).entries == [str(n) for n in range(5 * KEPT, 6 * KEPT)]
    assert len(path.read_text().splitlines()) == KEPT
    assert list(tmp_path.iterdir()) == [path]


def test_damage_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'"good"\n{"a": 1}\n\xff\xfe\n' + b"[" * 9999 + b'\n"last"\n"torn')
    assert History(path).entries == ["good", "last"]


def test_a_folder_in_the_way_is_no_reason_to_complain(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.add("x")
    assert history.entries == ["x"]


def test_what_is_too_long_for_the_file_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    history = History(path)
    history.add("x" * 30_000)
    history.add("y")
    assert len(history.entries) == 2
    assert [json.loads(line) for line in path.read_text().splitlines()] == ["y"]
