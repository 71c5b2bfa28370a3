"""The course: 18 sections in order, and what is known of each lesson's file.

The home screen asks this, so it must cost nothing: with a warm cache (`summary`) no
lesson is parsed.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tutor.lesson.problem import LessonProblem, shown
from tutor.lesson.summary import Cache, Summary, summary_of

_SECTIONS = (
    # group, title, short title
    ("IDEAS", "What Is PyTorch?", "What is PyTorch?"),
    ("IDEAS", "The PyTorch Layer Cake", "The layer cake"),
    ("IDEAS", "The Deep Learning Software Trilemma", "The trilemma"),
    ("TENSORS", "What Are Tensors Really?", "What tensors really are"),
    ("TENSORS", "Tensors in PyTorch", "Tensors in PyTorch"),
    (
        "GRAPHS AND GRADIENTS",
        "Introduction to Computational Graphs",
        "Computational graphs",
    ),
    (
        "GRAPHS AND GRADIENTS",
        "Backpropagation Is Just the Chain Rule",
        "Backprop: the chain rule",
    ),
    (
        "GRAPHS AND GRADIENTS",
        "Effortless Backpropagation with torch.autograd",
        "torch.autograd",
    ),
    ("DEVICES", "PyTorch's Device Abstraction", "The device abstraction"),
    ("DEVICES", "Working with Devices", "Working with devices"),
    ("LEARNING", "Components of a Learning Algorithm", "Components of learning"),
    ("LEARNING", "Introduction to Gradient Descent", "Gradient descent"),
    ("LEARNING", "Getting to SGD", "Getting to SGD"),
    (
        "LEARNING",
        "Comparing Gradient Descent and SGD",
        "Comparing GD and SGD",
    ),
    ("LEARNING", "Linear Regression with PyTorch", "Linear regression"),
    ("NETWORKS", "Perceptrons and Neurons", "Perceptrons and neurons"),
    ("NETWORKS", "Layers and Activations with torch.nn", "Layers and activations"),
    (
        "NETWORKS",
        "Multi-layer Feedforward Networks (MLP)",
        "Multi-layer networks",
    ),
)


@dataclass(frozen=True, slots=True)
class Section:
    """One of the 18, written or not."""

    number: str
    """Like "2.5"."""
    title: str
    short: str
    """The title in at most 24 columns, for the home screen."""
    group: str
    """Like "GRAPHS AND GRADIENTS"."""
    file: Path | None = None
    """None: not written yet."""
    minutes: int = 0
    """0: unknown."""
    cells: int = 0
    """All cells, exercises among them; 0: unknown."""
    exercises: int = 0
    summary: str = ""
    needs: tuple[str, ...] = ()
    problems: tuple[LessonProblem, ...] = ()
    """Not empty: the lesson cannot be opened; each is a sentence."""

    @property
    def ready(self) -> bool:
        """The lesson exists and can be opened."""
        return self.file is not None and not self.problems


@dataclass(frozen=True, slots=True)
class Course:
    """What a folder of lessons holds."""

    folder: Path
    sections: tuple[Section, ...]
    """Always all 18, in order."""
    problems: tuple[LessonProblem, ...] = ()
    """Of the folder, and of files that belong to no section."""
    complete: bool = True
    """False: some file was not read yet; see `index`."""

    def section(self, number: str) -> Section | None:
        """The section of that number; None: there is none."""
        return next((each for each in self.sections if each.number == number), None)


def index(folder: Path, *, parse: bool = True) -> Course:
    """The course of a folder. Nothing is raised, whatever the folder holds.

    With `parse` False, files that the cache does not know appear under the section
    their name tells, their counts unknown, and the course is not `complete`.
    """
    problems: list[LessonProblem] = []
    cache = Cache(folder)
    read: list[tuple[Path, Summary | None]] = []
    for path in lesson_paths(folder, problems):
        summary = cache.get(path)
        if summary is None and parse:
            summary = summary_of(path)
            cache.put(path, summary)
        read.append((path, summary))
    cache.save([path for path, _ in read])
    sections = {each.number: each for each in _unwritten()}
    for path, summary in read:
        told = summary.section if summary else None
        place = sections.get(told or "") or sections.get(_named(path) or "")
        if place is None:
            problems += _homeless(path, summary)
        elif place.file is not None:
            problems.append(_second(path, place))
        else:
            sections[place.number] = _written(place, path, summary)
    _find_cycles(sections)
    complete = all(summary is not None for _, summary in read)
    return Course(folder, tuple(sections.values()), tuple(problems), complete)


def _unwritten() -> Iterator[Section]:
    for number, (group, title, short) in enumerate(_SECTIONS, 1):
        yield Section(f"2.{number}", title, short, group)


def lesson_paths(folder: Path, problems: list[LessonProblem]) -> list[Path]:
    """The folder's lesson files by name; what keeps it from having any is added."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names are all we need
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no folder name"
        sentence = f"the lesson folder cannot be read: {why}."
        problems.append(LessonProblem(shown(folder), None, "", sentence))
        return []
    found = [name for name in names if name.endswith(".toml") and name[0] != "."]
    if not found:
        sentence = "there are no lessons in this folder."
        problems.append(LessonProblem(shown(folder), None, "", sentence))
    return [folder / name for name in found]


def _named(path: Path) -> str | None:
    """The section that a file's name tells: "2.5" of 02-05-tensors.toml."""
    match = re.match(r"(\d\d)-(\d\d)-", path.name)
    return f"{int(match[1])}.{int(match[2])}" if match else None


def _homeless(path: Path, summary: "Summary | None") -> list[LessonProblem]:
    if summary and summary.problems:
        return list(summary.problems)
    sentence = 'the file belongs to no section: name it like "02-05-tensors.toml".'
    return [LessonProblem(shown(path), None, "", sentence)]


def _second(path: Path, place: Section) -> LessonProblem:
    assert place.file is not None
    first = shown(Path(place.file.name))
    sentence = f"section {place.number} is already in {first}; one of them must go."
    return LessonProblem(shown(path), None, "section", sentence)


def _written(place: Section, path: Path, summary: "Summary | None") -> Section:
    if summary is None:
        return replace(place, file=path)
    return replace(
        place,
        title=summary.title or place.title,
        file=path,
        minutes=summary.minutes,
        cells=summary.cells,
        exercises=summary.exercises,
        summary=summary.summary,
        needs=summary.needs,
        problems=summary.problems,
    )


def _find_cycles(sections: dict[str, Section]) -> None:
    """A section that needs itself through others gets a problem."""
    for number, section in sections.items():
        if trail := _trail_back(number, sections):
            sentence = f"these lessons need each other: {' → '.join(trail)}."
            problem = LessonProblem(
                shown(section.file or Path()), None, "needs", sentence
            )
            sections[number] = replace(section, problems=(*section.problems, problem))


def _trail_back(start: str, sections: dict[str, Section]) -> tuple[str, ...]:
    """The shortest way from a section over its needs back to it; () when none."""
    trails: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while trails:
        trail = trails.pop(0)
        for need in sections[trail[-1]].needs if trail[-1] in sections else ():
            if need == start:
                return (*trail, need)
            if need not in seen:
                seen.add(need)
                trails.append((*trail, need))
    return ()
