"""The course as rows of text: standing, suggestion, search, layout. Pure.

`widgets.course_list` draws what is decided here; opening a section is the screen's.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.lesson.course import Course, Section
from tutor.progress import Progress


class Standing(enum.Enum):
    """How far the learner is in a section; the value is how it is said."""

    DONE = "done"
    BEGUN = "begun"
    NEW = "not begun"
    UNWRITTEN = "not written yet"
    BROKEN = "cannot be opened"


@dataclass(frozen=True, slots=True)
class Entry:
    """A section with its standing."""

    section: Section
    standing: Standing
    done: int = 0
    """Cells done; 0 when not begun."""

    @property
    def count(self) -> str:
        """ "4/11" while it is begun, else ""."""
        if self.standing is not Standing.BEGUN or not self.section.cells:
            return ""
        return f"{self.done}/{self.section.cells}"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the top line offers."""

    word: str
    """ "Continue" or "Begin"."""
    section: Section
    note: str
    """How far it is; "" when there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a column: a group's name, a section, or nothing."""

    group: str = ""
    entry: Entry | None = None


def entries(course: Course, progress: Progress) -> tuple[Entry, ...]:
    """All sections with their standing, in order."""
    return tuple(_entry(section, progress) for section in course.sections)


def _entry(section: Section, progress: Progress) -> Entry:
    if section.problems:
        return Entry(section, Standing.BROKEN)
    if section.file is None:
        return Entry(section, Standing.UNWRITTEN)
    lesson = progress.lessons.get(section.number)
    done = progress.done_count(section.number)
    if section.cells and done >= section.cells:
        return Entry(section, Standing.DONE, section.cells)
    if lesson is not None and (done or lesson.place):
        return Entry(section, Standing.BEGUN, done)
    return Entry(section, Standing.NEW)


def suggestion(found: Sequence[Entry], progress: Progress) -> Suggestion | None:
    """The lesson left last, else the first that can be begun; None: none can."""
    begun = [each for each in found if each.standing is Standing.BEGUN]
    if begun:
        last = max(begun, key=lambda each: progress.lesson(each.section.number).last)
        note = f"{last.done} of {last.section.cells} done" if last.count else ""
        return Suggestion("Continue", last.section, note)
    for each in found:
        if each.standing is Standing.NEW:
            minutes = each.section.minutes
            return Suggestion(
                "Begin", each.section, f"{minutes} min" if minutes else ""
            )
    return None


def matching(found: Sequence[Entry], words: str) -> tuple[Entry, ...]:
    """The sections that hold every one of the words, in number, title or topic."""
    wanted = words.casefold().split()
    return tuple(
        each for each in found if all(word in _topics(each.section) for word in wanted)
    )


def _topics(section: Section) -> str:
    told = (
        section.number,
        section.title,
        section.short,
        section.group,
        section.summary,
    )
    return " ".join(told).casefold()


def columns(found: Sequence[Entry], count: int) -> tuple[tuple[Row, ...], ...]:
    """The sections by group, in `count` columns of about the same height."""
    groups = [tuple(_group_rows(name, found)) for name in _groups(found)]
    total = sum(map(len, groups))
    made: list[list[Row]] = [[]]
    for rows in groups:
        full = len(made[-1]) + len(rows) / 2 > total / count
        if full and len(made) < count:
            made.append([])
        if made[-1]:
            made[-1].append(Row())
        made[-1].extend(rows)
    return tuple(map(tuple, made))


def _groups(found: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys(each.section.group for each in found))


def _group_rows(group: str, found: Sequence[Entry]) -> Iterator[Row]:
    yield Row(group=group)
    yield from (Row(entry=each) for each in found if each.section.group == group)


def place_of(
    layout: Sequence[Sequence[Row]], entry: Entry | None
) -> tuple[int, int] | None:
    """Column and line of a section; None: it is not there."""
    for column, rows in enumerate(layout):
        for line, row in enumerate(rows):
            if entry is not None and row.entry == entry:
                return column, line
    return None


def beside(layout: Sequence[Sequence[Row]], entry: Entry | None) -> Entry | None:
    """The section nearest in the next column, round and round."""
    place = place_of(layout, entry)
    if place is None or len(layout) < 2:
        return entry
    column, line = place
    rows = layout[(column + 1) % len(layout)]
    near = [(abs(at - line), row.entry) for at, row in enumerate(rows) if row.entry]
    return min(near, key=lambda each: each[0])[1] if near else entry
