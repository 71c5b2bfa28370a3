"""The TOML blocks of docs/writing-lessons.md, one after another, are a lesson."""

import re
from pathlib import Path

from tutor.lesson.load import read_lesson_file
from tutor.lesson.structure import CELL_KINDS

DOCS = Path(__file__).parents[2] / "docs" / "writing-lessons.md"


def lesson_of_the_docs() -> str:
    """All its TOML blocks."""
    text = DOCS.read_text(encoding="utf-8")
    return "\n".join(
        re.findall(r"^```toml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    )


def test_the_blocks_are_a_lesson_with_a_cell_of_every_kind(tmp_path: Path) -> None:
    file = tmp_path / "02-07-backprop.toml"
    file.write_text(lesson_of_the_docs(), encoding="utf-8")
    read = read_lesson_file(file)
    assert read.problems == ()
    assert read.notes == ()
    assert read.lesson is not None
    kinds = {str(type(cell).__struct_config__.tag) for cell in read.lesson.cells}
    assert kinds == set(CELL_KINDS)
