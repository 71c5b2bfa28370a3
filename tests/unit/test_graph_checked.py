"""Finite differences in sentences."""

from tests.stored_traces import stored
from tutor.graph.checked import sentences
from tutor.graph.requests import ArgumentCheck, Checked


def said(found: Checked) -> str:
    return "\n".join(sentences(stored("seed"), 0, found))


def test_an_argument_that_agrees() -> None:
    text = said(Checked((ArgumentCheck(0, 1, 1, 1e-5, 2e-10, True, 0, 0.0, True),)))
    assert text.startswith("q = x ** 2, run alone in float64:")
    assert "x: it was moved by ±1e-05, one at a time." in text
    assert "agrees with torch's gradient of the op (largest difference 2e-10)" in text
    assert "That is what torch's engine sent" in text


def test_an_argument_that_does_not_and_corners() -> None:
    text = said(Checked((ArgumentCheck(0, 3, 9, 1e-5, 0.5, False, 2, 0.25, False),)))
    assert "3 of 9 elements were moved" in text
    assert "differs from torch's gradient" in text
    assert "2 of them lie at a corner" in text
    assert "That is not what torch's engine sent" in text


def test_what_cannot_be_checked_says_why() -> None:
    assert "dropout draws" in said(Checked(problem="dropout draws random numbers."))


def test_an_engine_that_was_not_kept_is_not_spoken_of() -> None:
    text = said(Checked((ArgumentCheck(0, 1, 1, 1e-5, 0.0, True, 0),)))
    assert "engine sent" not in text
