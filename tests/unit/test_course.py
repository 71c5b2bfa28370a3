"""The course: 18 sections whatever the folder holds, and a cache that only saves time."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tutor.lesson import course, summary
from tutor.lesson.course import Course, Section

SAMPLE = Path(__file__).parents[1] / "samples" / "02-08-every-kind.toml"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("TUTOR_HOME", str(home))
    return home


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    folder = tmp_path / "lessons"
    folder.mkdir()
    return folder


def put(folder: Path, number: int, *, needs: str = "[]", more: str = "") -> Path:
    """A small lesson of section 2.number."""
    file = folder / f"02-{number:02}-lesson.toml"
    file.write_text(
        f'format = 1\nsection = "2.{number}"\ntitle = "Lesson {number}"\nminutes = 7\n'
        f"needs = {needs}\n{more}\n"
        '[[cells]]\nid = "a"\nkind = "text"\ntext = "Hello."\n'
    )
    return file


def section(found: Course, number: str) -> Section:
    it = found.section(number)
    assert it is not None
    return it


def said(found: Course) -> list[str]:
    """All sentences, of the folder and of the sections."""
    problems = [*found.problems]
    for each in found.sections:
        problems += each.problems
    return [problem.message for problem in problems]


def test_the_eighteen_sections_in_order(lessons: Path) -> None:
    put(lessons, 5)
    found = course.index(lessons)
    numbers = [each.number for each in found.sections]
    assert numbers == [f"2.{number}" for number in range(1, 19)]
    groups = list(dict.fromkeys(each.group for each in found.sections))
    assert groups == [
        "IDEAS",
        "TENSORS",
        "GRAPHS AND GRADIENTS",
        "DEVICES",
        "LEARNING",
        "NETWORKS",
    ]
    assert all(each.title and 0 < len(each.short) <= 24 for each in found.sections)
    assert found.section("2.19") is None


def test_a_written_section_and_an_unwritten_one(lessons: Path) -> None:
    shutil.copy(SAMPLE, lessons)
    found = course.index(lessons)
    written, unwritten = section(found, "2.8"), section(found, "2.9")
    assert written.file == lessons / SAMPLE.name
    assert written.ready
    assert (written.minutes, written.cells, written.exercises) == (9, 9, 1)
    assert written.needs == ("2.5", "2.7")
    assert unwritten.file is None
    assert not unwritten.ready
    assert unwritten.title == "PyTorch's Device Abstraction"
    assert said(found) == []


def test_a_malformed_lesson_still_appears_with_its_problems(lessons: Path) -> None:
    (lessons / "02-05-tensors.toml").write_text("format = = 1")
    (lessons / "02-06-graphs.toml").write_text('section = "2.6"\nformat = 1')
    (lessons / "02-07-backprop.toml").mkdir()
    found = course.index(lessons)
    for number, name in (
        ("2.5", "02-05-tensors.toml"),
        ("2.6", "02-06-graphs.toml"),
        ("2.7", "02-07-backprop.toml"),
    ):
        it = section(found, number)
        assert it.file == lessons / name
        assert len(it.problems) == 1
        assert it.problems[0].file == str(it.file)
        assert not it.ready
        assert it.title == section(course.index(lessons / "none"), number).title
    assert section(found, "2.5").problems[0].line == 1


def test_a_folder_that_cannot_be_read_is_a_sentence(
    lessons: Path, tmp_path: Path
) -> None:
    assert said(course.index(lessons)) == ["there are no lessons in this folder."]
    assert said(course.index(tmp_path / "none")) == [
        "the lesson folder cannot be read: No such file or directory."
    ]
    (tmp_path / "file").touch()
    assert said(course.index(tmp_path / "file")) == [
        "the lesson folder cannot be read: Not a directory."
    ]
    assert len(course.index(Path("a\0b")).sections) == 18


def test_two_files_of_one_section(lessons: Path) -> None:
    put(lessons, 5)
    shutil.copy(lessons / "02-05-lesson.toml", lessons / "02-05-zweite.toml")
    found = course.index(lessons)
    assert section(found, "2.5").file == lessons / "02-05-lesson.toml"
    assert said(found) == [
        "section 2.5 is already in 02-05-lesson.toml; one of them must go."
    ]
    assert found.problems[0].file == str(lessons / "02-05-zweite.toml")


def test_a_file_of_no_section_is_told(lessons: Path) -> None:
    put(lessons, 5)
    (lessons / "notes.toml").write_text("a = 1")
    (lessons / "02-19-more.toml").write_text("= 1")
    (lessons / ".hidden.toml").write_text("a = 1")
    (lessons / "schema.json").write_text("{}")
    found = course.index(lessons)
    assert {Path(each.file).name for each in found.problems} == {
        "notes.toml",
        "02-19-more.toml",
    }


def test_lessons_that_need_each_other(lessons: Path) -> None:
    put(lessons, 5, needs='["2.7"]')
    put(lessons, 6, needs='["2.5"]')
    put(lessons, 7, needs='["2.6"]')
    put(lessons, 8, needs='["2.7", "2.9"]')
    found = course.index(lessons)
    trail = section(found, "2.5").problems[0].message
    assert trail == "these lessons need each other: 2.5 → 2.7 → 2.6 → 2.5."
    assert [bool(section(found, f"2.{n}").problems) for n in (5, 6, 7, 8)] == [
        True,
        True,
        True,
        False,
    ]


# -- the cache

READ_AND_REPORT = """
import sys
from pathlib import Path
from tutor.lesson import course
found = course.index(Path(sys.argv[1]))
heavy = [name for name in ("msgspec", "tomllib", "torch") if name in sys.modules]
sys.stdout.write(repr((found.section("2.8").cells, heavy)))
"""


def test_a_warm_cache_needs_no_parser(lessons: Path) -> None:
    shutil.copy(SAMPLE, lessons)

    def told() -> str:
        command = [sys.executable, "-c", READ_AND_REPORT, str(lessons)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout

    assert told() == "(9, ['msgspec', 'tomllib'])"
    assert told() == "(9, [])"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are parsed from now on."""
    names: list[str] = []

    def noted(path: Path) -> summary.Summary:
        names.append(path.name)
        return summary.summary_of(path)

    monkeypatch.setattr(course, "summary_of", noted)
    return names


def test_only_a_changed_file_is_parsed_again(lessons: Path, parsed: list[str]) -> None:
    put(lessons, 5)
    six = put(lessons, 6)
    first = course.index(lessons)
    assert sorted(parsed) == ["02-05-lesson.toml", "02-06-lesson.toml"]
    parsed.clear()
    assert course.index(lessons) == first
    assert parsed == []
    put(lessons, 6, more='summary = "new"')
    os.utime(six, ns=(1, 1))
    assert section(course.index(lessons), "2.6").summary == "new"
    assert parsed == ["02-06-lesson.toml"]


def test_problems_are_cached_too(lessons: Path, parsed: list[str]) -> None:
    (lessons / "02-05-tensors.toml").write_text("format = = 1")
    first = course.index(lessons)
    put(lessons, 6)  # so that the cache is written anew
    course.index(lessons)
    parsed.clear()
    again = course.index(lessons)
    assert parsed == []
    assert section(again, "2.5") == section(first, "2.5")


def test_the_cache_alone(lessons: Path, parsed: list[str]) -> None:
    put(lessons, 5)
    before = course.index(lessons, parse=False)
    assert not before.complete
    assert section(before, "2.5").file == lessons / "02-05-lesson.toml"
    assert section(before, "2.5").cells == 0
    assert parsed == []
    course.index(lessons)
    after = course.index(lessons, parse=False)
    assert after.complete
    assert section(after, "2.5").cells == 1


@pytest.mark.parametrize(
    "spoil",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"files": 3}',
        b"[" * 100_000,
        b'{"reader": 1, "files": {}}',
    ],
)
def test_a_spoilt_cache_only_costs_time(
    lessons: Path, home: Path, spoil: bytes
) -> None:
    put(lessons, 5)
    first = course.index(lessons)
    cache = home / "cache" / "course.json"
    assert cache.exists()
    cache.write_bytes(spoil)
    assert course.index(lessons) == first
    assert json.loads(cache.read_bytes())["files"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cells", "9"),
        ("title", 4),
        ("needs", 3),
        ("needs", [3]),
        ("problems", [{}]),
        ("problems", None),
        ("unknown", 1),
    ],
)
def test_a_spoilt_entry_only_costs_time(
    lessons: Path, home: Path, key: str, value: object
) -> None:
    put(lessons, 5)
    first = course.index(lessons)
    cache = home / "cache" / "course.json"
    raw = json.loads(cache.read_text())
    for entry in raw["files"].values():
        entry["summary"][key] = value
    cache.write_text(json.dumps(raw))
    assert course.index(lessons) == first


def test_an_unwritable_cache_only_costs_time(
    lessons: Path, home: Path, parsed: list[str]
) -> None:
    home.write_text("a file where the data folder should be")
    put(lessons, 5)
    assert course.index(lessons) == course.index(lessons)
    assert len(parsed) == 2


def test_another_reader_reads_anew(
    lessons: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lessons, 5)
    course.index(lessons)
    parsed.clear()
    monkeypatch.setattr(summary, "_stamp_of_reader", lambda: [0, 0])
    course.index(lessons)
    assert parsed == ["02-05-lesson.toml"]


def test_lost_files_leave_the_cache_and_other_folders_stay(
    lessons: Path, home: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    put(other, 7)
    gone = put(lessons, 5)
    course.index(other)
    course.index(lessons)
    gone.unlink()
    put(lessons, 6)
    course.index(lessons)
    files = json.loads((home / "cache" / "course.json").read_text())["files"]
    assert sorted(Path(name).name for name in files) == [
        "02-06-lesson.toml",
        "02-07-lesson.toml",
    ]
