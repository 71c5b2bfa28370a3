"""What is said of a cell in a line: its title, how it stands, what Enter does. Pure."""

from dataclasses import dataclass

from tutor.answers import Choice, Groups, Number, Order, number_text, read_answer
from tutor.lesson.schema import (
    AnyCell,
    CodeCell,
    ExerciseCell,
    GraphCell,
    QuestionCell,
    TextCell,
    TrainCell,
)
from tutor.progress import CellProgress
from tutor.safetext import safe_line
from tutor.ui.look import Glyph
from tutor.ui.markdown import Heading, Item, Paragraph, blocks

TITLE_AT_MOST = 120
SAID_AT_MOST = 24


@dataclass(frozen=True, slots=True)
class Standing:
    """How a cell stands: a sign and a few words."""

    glyph: Glyph
    words: str
    """ "" when the sign says it all."""


def title_of(cell: AnyCell) -> str:
    """The cell's title, or the first words of what it says; harmless, one line."""
    return safe_line(cell.title or _first_words(cell), TITLE_AT_MOST)


def _first_words(cell: AnyCell) -> str:
    match cell:
        case ExerciseCell():
            told = cell.task
        case QuestionCell():
            told = cell.ask
        case CodeCell() | GraphCell():
            told = cell.text or f"`{cell.code.strip().partition(chr(10))[0]}`"
        case TrainCell():
            told = cell.text or cell.ask or "Watch a race"
        case _:
            told = cell.text or cell.math
    for block in blocks(told):
        if isinstance(block, (Paragraph, Heading, Item)):
            return "".join(run.text for run in block.runs)
    return told.strip().partition("\n")[0]


def standing(cell: AnyCell, done: CellProgress) -> Standing:
    """How the cell stands."""
    if done.done:
        return Standing(Glyph.RIGHT, _done_words(cell, done))
    if done.skipped:
        return Standing(Glyph.SKIPPED, "skipped")
    if done.solution_shown:
        return Standing(Glyph.TODO, "solution shown")
    tries = f"{done.tries} {'try' if done.tries == 1 else 'tries'}"
    return Standing(Glyph.TODO, tries if done.tries else "")


def _done_words(cell: AnyCell, done: CellProgress) -> str:
    match cell:
        case QuestionCell():
            return f"you said {said(cell, done.accepted or '')}"
        case ExerciseCell():
            return "solution shown" if done.solution_shown else "done"
        case CodeCell():
            return "ran"
    return ""


def said(cell: QuestionCell, accepted: str) -> str:
    """An accepted answer in a few words."""
    match read_answer(cell, accepted):
        case Number(value):
            return number_text(value)
        case Choice(number) if cell.choices:
            return safe_line(cell.choices[number - 1], SAID_AT_MOST)
        case Order():
            return "the right order"
        case Groups():
            return "the right groups"
    return safe_line(accepted, SAID_AT_MOST)


def enter_word(cell: AnyCell, done: bool) -> str:
    """What Enter does in that cell, for the footer."""
    match cell:
        case TextCell():
            return "read on"
        case GraphCell() if not done:
            return "walk it"
        case TrainCell() if not done:
            return "watch"
        case CodeCell() if not done:
            return "run"
        case ExerciseCell() if not done:
            return "write"
        case QuestionCell() if not done:
            return "answer"
    return "go on"


def about(cell: AnyCell) -> str:
    """What this kind of cell is, for `?`."""
    return _ABOUT[type(cell).__name__]


_ABOUT = {
    "TextCell": "Something to read. Enter reads on; nothing is asked of you here.",
    "CodeCell": "Code to run as it is, or to change and run again: Enter runs it, e edits "
    "it. The names it makes stay in the kernel for the cells below and the console.",
    "ExerciseCell": "Code for you to write: Enter begins, Esc ends the typing, ^k runs and "
    "judges it. A wrong try costs nothing. h shows a hint when you want one.",
    "QuestionCell": "A question to answer before anything is run. A wrong answer costs "
    "nothing; it is only there to make you guess first.",
    "GraphCell": "A computation to walk through, forward and backward, in the stepper.",
    "TrainCell": "A race between ways to train, to watch on the training screen.",
}
