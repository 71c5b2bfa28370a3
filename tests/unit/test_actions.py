"""The action table: no key means two things, every row is complete."""

import itertools
import re

import pytest

from tutor import actions
from tutor.actions import ACTIONS, Action, Place

PLACES: tuple[Place, ...] = (
    "home", "lesson", "answer", "console", "stepper", "training"
)  # fmt: skip


def _meet(one: Action, other: Action) -> bool:
    """Both may be meant in one mode of one screen."""
    modes = "" in (one.mode, other.mode) or one.mode == other.mode
    return modes and one.where == other.where


def test_no_key_means_two_things_in_one_place_and_mode() -> None:
    clashes = [
        (one.id, other.id, set(one.keys) & set(other.keys))
        for one, other in itertools.combinations(ACTIONS, 2)
        if _meet(one, other) and set(one.keys) & set(other.keys)
    ]
    assert clashes == []


@pytest.mark.parametrize("row", ACTIONS, ids=lambda row: row.id)
def test_a_row_says_what_is_needed(row: Action) -> None:
    assert row.id.isidentifier()
    assert row.word
    assert row.help[0].isupper()
    assert row.help.endswith(".")
    assert len(row.word) <= 20
    assert row.keys or row.shown or row.title


@pytest.mark.parametrize("row", ACTIONS, ids=lambda row: row.id)
def test_a_row_needs_no_key_that_terminals_lack(row: Action) -> None:
    """Alt and ctrl+shift are lost in many, function keys in some."""
    lost = re.compile(r"alt\+.*|ctrl\+shift\+.*|super\+.*|f\d+|ctrl\+[himj]")
    usable = [key for key in row.keys if not lost.fullmatch(key)]
    by_another_way = row.id.startswith("explain") or not row.keys
    assert usable or by_another_way


@pytest.mark.parametrize("place", PLACES)
def test_letters_with_priority_would_be_lost_to_typing(place: Place) -> None:
    for row in actions.of(place):
        if row.priority:
            assert all(len(key) > 1 for key in row.keys)


@pytest.mark.parametrize("place", PLACES)
def test_help_is_the_last_of_a_footer(place: Place) -> None:
    if place == "answer":
        return
    rows = actions.footer(place, "command")
    ranks = [row.rank for row in rows]
    assert ranks == sorted(ranks)
    assert "explain" in [row.id for row in rows]
    assert all(row.where in (place, "anywhere") for row in rows)


def test_named_finds_rows() -> None:
    assert actions.named("quit").keys == ("ctrl+q",)
    with pytest.raises(KeyError):
        actions.named("fly")
