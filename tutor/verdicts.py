"""Verdicts: what is said of an answer. Pure; from a cell and the kernel's report."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one answer to one cell."""

    cell: str
    """The cell's id."""
    passed: bool
    message: str
    """One or two sentences for the learner."""
    detail: str = ""
    """The smallest failing case: input, wanted, got. "" when there is none."""
    mistake: int | None = None
    """Which entry of the cell's `wrong` it was, from 0; None: none of them."""
    lesson_bug: bool = False
    """The check itself failed; the message says where, for the lesson's author."""
