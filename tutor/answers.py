"""Answers to questions: what a learner gives, as data and as the text that is kept.

Pure. What is said of an answer is `verdicts`; how it is typed or picked is the screen's.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from tutor.lesson.schema import QuestionCell


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was typed."""

    value: float


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the choices."""

    number: int
    """Counted from 1, as on screen."""


@dataclass(frozen=True, slots=True)
class Order:
    """All items, put in an order."""

    numbers: tuple[int, ...]
    """Each is the item's place in the cell's `items`, counted from 1: the right order
    is 1, 2, 3, ..."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Members sorted into groups."""

    groups: Mapping[str, tuple[str, ...]]
    """Group name to the members put there; a member not placed yet is in none."""

    def group_of(self, member: str) -> str | None:
        """Where the member was put; None: nowhere."""
        return next(
            (name for name, members in self.groups.items() if member in members), None
        )


Answer = Number | Choice | Order | Groups


def read_answer(cell: QuestionCell, text: str) -> Answer | None:
    """The inverse of `answer_text`, and what a typed line means; None: not an answer.

    A number may be written 0.5, 1e-3, 2/3, -4, inf or nan; a choice or an order as the
    numbers shown beside `cell.choices` and `cell.items`.
    """
    if cell.number is not None:
        value = read_number(text)
        return None if value is None else Number(value)
    if cell.choices is not None:
        number = int(text) if text.strip().isdecimal() else 0
        return Choice(number) if 1 <= number <= len(cell.choices) else None
    if cell.items is not None:
        words = text.replace(",", " ").split()
        numbers = tuple(int(word) for word in words if word.isdecimal())
        whole = sorted(numbers) == list(range(1, len(cell.items) + 1))
        return Order(numbers) if whole and len(words) == len(numbers) else None
    return _read_groups(cell, text)


def read_number(text: str) -> float | None:
    """The number written; None when it is none."""
    written = text.strip().replace("\N{MINUS SIGN}", "-").removesuffix(".")
    over, slash, under = written.partition("/")
    try:
        return float(over) / float(under) if slash else float(written)
    except (ValueError, ZeroDivisionError):
        return None


def _read_groups(cell: QuestionCell, text: str) -> Groups | None:
    try:
        raw = json.loads(text)
        found = {str(name): tuple(map(str, members)) for name, members in raw.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    known = {member for each in (cell.groups or {}).values() for member in each}
    given = [member for members in found.values() for member in members]
    same_names = set(found) <= set(cell.groups or {})
    return Groups(found) if same_names and sorted(given) == sorted(known) else None


def answer_text(given: Answer) -> str:
    """The answer as one line, to keep and to show."""
    match given:
        case Number(value):
            return number_text(value)
        case Choice(number):
            return str(number)
        case Order(numbers):
            return " ".join(map(str, numbers))
        case Groups(groups):
            return json.dumps({name: list(each) for name, each in groups.items()})


def number_text(value: float) -> str:
    """4 rather than 4.0, else as Python writes it."""
    whole = math.isfinite(value) and value == int(value) and abs(value) < 1e15
    return str(int(value)) if whole else repr(value)


def right_answer(cell: QuestionCell) -> Answer:
    """What the lesson says is right."""
    if cell.number is not None:
        return Number(cell.number)
    if cell.choices is not None:
        return Choice(cell.answer or 0)
    if cell.items is not None:
        return Order(tuple(range(1, len(cell.items) + 1)))
    return Groups({name: tuple(each) for name, each in (cell.groups or {}).items()})


def shown_order(cell: QuestionCell) -> tuple[int, ...]:
    """The item numbers as first shown: shuffled, always alike, never the right order.

    For a question with groups: the members, counted through all groups from 1.
    """
    members = [each for group in (cell.groups or {}).values() for each in group]
    count = len(cell.items if cell.items is not None else members)
    numbers = sorted(range(1, count + 1), key=lambda each: _lot(cell.id, each))
    if numbers == sorted(numbers):
        numbers = numbers[1:] + numbers[:1]
    return tuple(numbers)


def _lot(cell_id: str, number: int) -> bytes:
    return hashlib.sha256(f"{cell_id} {number}".encode()).digest()
