"""The inside of a tensor as text: facts, statistics, spread, numbers in columns."""

import math

import pytest

from tests.stored_traces import stored
from tutor.graph import values
from tutor.graph.requests import Looked
from tutor.graph.trace import Summary


def told(found: tuple[values.Fact, ...]) -> dict[str, str]:
    return {fact.label: fact.text for fact in found}


def small(*numbers: float, shape: tuple[int, ...] | None = None) -> Looked:
    return values.looked(Summary(shape or (len(numbers),), "float64", numbers))


def test_facts_of_a_value() -> None:
    trace = stored("neuron")
    said = told(values.facts(trace, 0, ("leaf", "saved")))
    assert said["value"] == "w"
    assert said["shape"] == "(2,)  float64  cpu"
    assert said["it is"] == "leaf, saved"
    assert "version" not in said
    assert "gradient of" in told(values.facts(trace, 0, number=1))


def test_statistics_are_torchs() -> None:
    said = told(values.statistics(small(1.0, 2.0, 6.0)))
    assert said["from … to"] == "1 … 6"
    assert said["mean"] == "3  std 2.646"  # tensor([1., 2., 6.]).std()


def test_one_number_needs_no_statistics() -> None:
    assert values.statistics(small(4.0, shape=())) == ()


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    said = told(values.statistics(small(1.0, math.nan, math.inf, 3.0)))
    assert said["from … to"] == "1 … 3"
    assert said["not finite"] == "2 nan or inf"


@pytest.mark.parametrize(
    ("shape", "width", "height", "lines"),
    [
        ((2, 2), 40, 5, ["  1  2", "  3  4"]),
        ((2, 2), 40, 1, ["  1  2 …"]),
        ((4,), 8, 5, ["  1  2 …"]),
        ((4, 1), 40, 9, ["  1", "  2", "  3", "  4"]),
        ((), 40, 5, ["  1"]),
        ((2, 2), 40, 0, []),
    ],
)
def test_numbers_in_columns(
    shape: tuple[int, ...], width: int, height: int, lines: list[str]
) -> None:
    count = math.prod(shape)
    found = small(*map(float, range(1, count + 1)), shape=shape)
    assert list(values.table(found, width, height)) == lines


def test_a_part_of_a_large_tensor_says_that_there_is_more() -> None:
    summary = Summary((100, 50), "float32", None, 0.0, 1.0)
    found = Looked(summary, rows=((0.5, 0.25), (1.0, 0.0)))
    assert [line[-1] for line in values.table(found, 40, 5)] == ["…", "…"]
    assert values.needs_look(summary)
    assert not values.needs_look(Summary((2,), "float32", (1.0, 2.0)))


def test_the_spread_is_never_taller_than_its_alphabet_and_shows_single_counts() -> None:
    found = Looked(None, histogram=(0, 1, 1000))
    assert values.histogram(found) == " ▁█"
    assert values.histogram(found, ascii=True) == " .@"
    assert values.histogram(Looked(None)) == ""


def test_nothing_is_said_of_an_empty_or_complex_tensor() -> None:
    empty = values.looked(Summary((0, 3), "float32", ()))
    assert values.statistics(empty) == ()
    assert list(values.table(empty, 40, 5)) == []
    complex_one = values.looked(Summary((1,), "complex64", (1.0, 2.0)))
    assert list(values.table(complex_one, 40, 5)) == []
