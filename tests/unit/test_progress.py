import os
from pathlib import Path

import pytest

from tutor.progress import Progress


def files(home: Path) -> list[Path]:
    return sorted((home / "progress").glob("*.jsonl"))


def test_an_event_is_on_disk_when_record_returns(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    progress.record("passed", "2.5", "shape", "x.shape")
    # Not closed: what another process would find after this one was killed.
    again = Progress(tmp_path)
    cell = again.lesson("2.5").cell("shape")
    assert cell.done
    assert cell.accepted == "x.shape"
    assert again.done_count("2.5") == 1
    progress.close()


def test_nothing_is_written_before_something_happens(tmp_path: Path) -> None:
    Progress(tmp_path / "home").close()
    assert not (tmp_path / "home").exists()


def test_the_union_of_two_writers_is_the_state(tmp_path: Path) -> None:
    one, two = Progress(tmp_path), Progress(tmp_path)
    for number in range(300):
        one.record("passed", "2.5", f"a{number}")
        two.record("passed", "2.5", f"b{number}")
    one.close()
    two.close()
    assert len(files(tmp_path)) == 2
    assert Progress(tmp_path).done_count("2.5") == 600


def test_drafts_places_hints_and_resets_are_replayed_in_order(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    progress.record("draft", "2.5", "sum", "x.su")
    progress.record("hint", "2.5", "sum")
    progress.record("failed", "2.5", "sum", "x.sun()")
    progress.record("draft", "2.5", "sum", "x.sum()")
    progress.record("place", "2.5", "sum")
    progress.record("passed", "2.5", "old", "1")
    progress.record("reset", "2.5", "old")
    progress.close()
    lesson = Progress(tmp_path).lesson("2.5")
    cell = lesson.cell("sum")
    assert (cell.draft, cell.hints, cell.tries, cell.done) == ("x.sum()", 1, 1, False)
    assert lesson.place == "sum"
    assert not lesson.cell("old").done


def test_progress_under_a_former_id_counts(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    progress.record("passed", "2.5", "old-name", "1")
    assert progress.lesson("2.5").cell("new-name", ("old-name",)).done
    progress.close()


def test_a_torn_last_line_is_no_damage(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    progress.record("passed", "2.5", "a")
    progress.record("passed", "2.5", "b")
    progress.close()
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    line = whole.index(b"\n") + 1
    for kept in range(len(whole)):
        path.write_bytes(whole[:kept])
        again = Progress(tmp_path)
        assert again.notices == [], kept
        assert again.done_count("2.5") == (kept >= line), kept


@pytest.mark.parametrize(
    "damage",
    [
        b'{"v": 1, "kind": "passed"\n',
        b"\x00\xff\xfe\n",
        b'{"v": 1, "kind": "explode", "section": "2.5", "cell": "x"}\n',
        b'{"v": 1, "kind": "passed", "section": 5, "cell": []}\n',
        b"[]\n",
        b"[" * 100_000 + b"\n",
    ],
)
def test_a_damaged_file_is_set_aside_and_its_good_lines_count(
    tmp_path: Path, damage: bytes
) -> None:
    progress = Progress(tmp_path)
    progress.record("passed", "2.5", "a")
    progress.record("passed", "2.5", "b")
    progress.close()
    (path,) = files(tmp_path)
    first, second = path.read_bytes().splitlines(keepends=True)
    hurt = first + damage + second
    path.write_bytes(hurt)
    again = Progress(tmp_path)
    assert again.done_count("2.5") == 2
    assert len(again.notices) == 1
    assert "damaged" in again.notices[0]
    (aside,) = (tmp_path / "progress").glob("*.corrupt-*")
    assert aside.read_bytes() == hurt
    assert Progress(tmp_path).notices == []
    assert Progress(tmp_path).done_count("2.5") == 2


def test_lines_of_a_newer_tutor_are_left_alone(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    progress.record("passed", "2.5", "a")
    progress.close()
    (path,) = files(tmp_path)
    with path.open("ab") as file:
        file.write(b'{"v": 2, "what": "ever"}\n')
    again = Progress(tmp_path)
    assert again.notices == []
    assert again.done_count("2.5") == 1


def test_without_a_writable_folder_it_runs_and_says_so_once(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    progress = Progress(blocked)
    progress.record("passed", "2.5", "a")
    progress.record("passed", "2.5", "b")
    assert progress.done_count("2.5") == 2
    assert len(progress.notices) == 1
    assert "not being saved" in progress.notices[0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_once_and_costs_nothing_in_memory(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    progress.record("passed", "2.5", "a")
    assert progress._file is not None
    os.dup2(os.open("/dev/full", os.O_WRONLY), progress._file.fileno())
    progress.record("passed", "2.5", "b")
    progress.record("passed", "2.5", "c")
    assert progress.done_count("2.5") == 3
    assert len(progress.notices) == 1
    assert "No space left" in progress.notices[0]
    progress.close()


def test_other_people_cannot_read_it(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "home")
    progress.record("passed", "2.5", "a")
    progress.close()
    (path,) = files(tmp_path / "home")
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_without_a_folder_nothing_is_kept() -> None:
    progress = Progress(None)
    progress.record("passed", "2.5", "a")
    assert progress.done_count("2.5") == 1
    assert progress.notices == []
