"""Home: sections, standing, marks, search, what to go on with."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.ui.conftest import SIZES, screen_text, type_text, wait_for_text, wait_until
from tests.ui.tutor_app import LESSONS, make_app, running
from tutor.lesson.course import index
from tutor.lesson.load import load_lesson
from tutor.progress import Progress
from tutor.ui.course_rows import (
    Standing,
    beside,
    columns,
    entries,
    matching,
    place_of,
    suggestion,
)
from tutor.ui.screens.home import HomeScreen
from tutor.ui.screens.lesson import LessonScreen


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_first_start(
    size: tuple[int, int], screen_snapshot: SnapshotAssertion
) -> None:
    async with running(make_app(), size) as pilot:
        await pilot.press("down")
        await pilot.press("up")
        assert screen_text(pilot.app) == screen_snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_lesson_was_begun(
    size: tuple[int, int], home: Path, screen_snapshot: SnapshotAssertion
) -> None:
    before = Progress(home)
    for cell in ("adds", "twice", "guess"):
        before.record("passed", "2.8", cell)
    before.record("place", "2.8", "step")
    before.close()
    async with running(make_app(home=home), size) as pilot:
        await pilot.press("end", "up", "left")
        if size[0] == 120:
            await wait_for_text(pilot, "You will be able to")
        assert screen_text(pilot.app) == screen_snapshot


async def test_search_leaves_what_fits_and_enter_opens_it() -> None:
    async with running(make_app()) as pilot:
        await pilot.press("slash")
        await type_text(pilot, "gradients auto")
        shown = await wait_for_text(pilot, "torch.autograd")
        assert "2.6" not in shown
        assert "esc leave the search" in shown
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, LessonScreen))
        await pilot.press("escape")
        await wait_for_text(pilot, "2.6")


async def test_a_search_without_a_match_says_so_and_esc_shows_all() -> None:
    async with running(make_app()) as pilot:
        await pilot.press("slash", *"xyzzy", "enter")
        await wait_for_text(pilot, "No section speaks of that.")
        await pilot.press("escape")
        await wait_for_text(pilot, "2.18")


async def test_an_unwritten_section_is_not_opened_but_told_of() -> None:
    async with running(make_app()) as pilot:
        await pilot.press("down", "enter")
        await wait_for_text(pilot, "2.1 is not written yet.")
        assert isinstance(pilot.app.screen, HomeScreen)
        await pilot.press("down")
        assert "is not written yet." not in screen_text(pilot.app)


async def test_a_broken_lesson_is_told_of_and_not_opened(tmp_path: Path) -> None:
    (tmp_path / "02-05-broken.toml").write_text('format = 1\nsection = "2.5"\n')
    async with running(make_app(lessons=tmp_path)) as pilot:
        assert "✗ 2.5" in screen_text(pilot.app)
        await pilot.press("down", "down", "down", "down", "down", "enter")
        await wait_for_text(pilot, "02-05-broken.toml:1: the lesson needs")
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_an_empty_lesson_folder_is_told_of(tmp_path: Path) -> None:
    empty = tmp_path / "none"
    empty.mkdir()
    async with running(make_app(lessons=empty)) as pilot:
        await wait_for_text(pilot, "no lessons in this folder")


async def test_the_marks_keys_reach_every_section() -> None:
    async with running(make_app()) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, HomeScreen)

        def marked() -> str:
            entry = screen._list.marked
            return entry.section.number if entry else ""

        seen = []
        for _ in range(18):
            await pilot.press("j")
            seen.append(marked())
        assert seen == [f"2.{number}" for number in range(1, 19)]
        await pilot.press("j")
        assert marked() == "2.18"
        await pilot.press("g")
        assert marked() == ""
        await pilot.press("j", "l")
        assert marked() == "2.9"


async def test_progress_made_in_a_lesson_shows_on_coming_back(home: Path) -> None:
    async with running(make_app(home=home)) as pilot:
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, LessonScreen))
        lesson = pilot.app.screen
        assert isinstance(lesson, LessonScreen)
        await wait_until(pilot, lesson._opened.is_set)
        await pilot.press("n", "escape")
        shown = await wait_for_text(pilot, "Continue")
        assert "1/9" in shown


# -------------------------------------------------------------------- rows, pure


def test_standing_and_suggestion_follow_the_progress(home: Path) -> None:
    course = index(LESSONS)
    progress = Progress(home)
    found = entries(course, progress)
    assert [each.standing for each in found].count(Standing.UNWRITTEN) == 17
    offer = suggestion(found, progress)
    assert offer is not None
    assert (offer.word, offer.section.number) == ("Begin", "2.8")

    progress.record("passed", "2.8", "adds")
    found = entries(course, progress)
    offer = suggestion(found, progress)
    assert offer is not None
    assert (offer.word, offer.note) == ("Continue", "1 of 9 done")

    cells = [cell.id for cell in load_lesson(LESSONS / "02-08-small.toml").cells]
    for cell in cells:
        progress.record("passed", "2.8", cell)
    found = entries(course, progress)
    assert found[7].standing is Standing.DONE
    assert suggestion(found, progress) is None
    progress.close()


def test_columns_keep_groups_whole_and_lose_nothing() -> None:
    found = entries(index(LESSONS), Progress(None))
    for count in (1, 2):
        layout = columns(found, count)
        assert len(layout) == count
        listed = [row.entry for rows in layout for row in rows if row.entry]
        assert listed == list(found)
    left, right = columns(found, 2)
    assert abs(len(left) - len(right)) <= 3
    assert place_of((left, right), found[8]) == (1, 1)
    assert beside((left, right), found[0]) == found[8]
    assert columns((), 2) == ((),)


def test_search_needs_every_word() -> None:
    found = entries(index(LESSONS), Progress(None))
    assert [each.section.number for each in matching(found, "DEVICE abstr")] == ["2.9"]
    assert matching(found, "") == found
    assert matching(found, "device zebra") == ()
