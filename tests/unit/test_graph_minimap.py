"""The row that shows the whole walk."""

from dataclasses import replace

import pytest

from tests.stored_traces import REQUESTS, stored
from tutor.graph.draw import Line
from tutor.graph.minimap import minimap
from tutor.graph.steps import Walk, walk
from tutor.graph.trace import Summary


def row(lines: tuple[Line, ...]) -> str:
    return "".join(run.text for line in lines for run in line)


def seed() -> Walk:
    return walk(stored("seed"))


def test_a_cell_for_each_stop_where_there_is_room() -> None:
    # Gradients: 1 1 2 1 3 12, on a logarithmic scale.
    assert row(minimap(seed(), 0, 80)) == "◆───▁▁▃▁▄█"
    assert row(minimap(seed(), 3, 80)) == "━━◆─▁▁▃▁▄█"
    assert row(minimap(seed(), 19, 80)) == "━━━━▁▁▃▁▄◆"


def test_in_ascii_a_height_is_a_digit() -> None:
    assert row(minimap(seed(), 3, 80, ascii=True)) == "==@-113148"


def test_marks_stand_at_their_stops() -> None:
    assert row(minimap(seed(), 1, 80, marks=[3, 18])) == "◆─●─▁▁▃▁●█"
    assert row(minimap(seed(), 3, 80, marks=[3])) == "━━◆─▁▁▃▁▄█"


def test_what_is_not_finite_has_a_sign() -> None:
    trace = stored("seed")
    values = tuple(
        replace(value, summary=Summary((), "float64", (float("nan"),)))
        if value.name == "u"
        else value
        for value in trace.values
    )
    broken = walk(replace(trace, values=values))
    assert row(minimap(broken, 1, 80)) == "◆!──▁▁▃▁▄█"


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("width", [1, 7, 40])
def test_it_is_as_wide_as_allowed_and_ascii_where_asked(name: str, width: int) -> None:
    walked = walk(stored(name))
    for place in range(len(walked.steps) + 1):
        fancy = row(minimap(walked, place, width, marks=[2]))
        plain = row(minimap(walked, place, width, marks=[2], ascii=True))
        assert len(fancy) == len(plain) == min(width, len(walked.stops))
        assert plain.isascii()
        assert fancy.count("◆") == plain.count("@") == 1


def test_a_walk_without_steps_has_none() -> None:
    empty = replace(stored("seed"), ops=(), passes=(), nodes=(), leaves=())
    values = tuple(replace(value, op=None) for value in empty.values)
    assert minimap(walk(replace(empty, values=values)), 0, 80) == ()
