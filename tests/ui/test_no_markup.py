"""No foreign text is ever parsed as markup: the ways in are closed, file by file."""

import ast
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "tutor" / "ui"
FORBIDDEN = {
    "Static", "Label", "Markdown", "RichLog", "Log", "DataTable", "notify",
    "Content.from_markup", "Text.from_markup", "Text.from_ansi", "print",
}  # fmt: skip
OWNER = UI / "widgets" / "plain.py"


def _calls(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            found += [(node.lineno, called), (node.lineno, called.rpartition(".")[2])]
        if isinstance(node, ast.ClassDef):
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            found += [(node.lineno, base) for base in bases]
    return found


@pytest.mark.parametrize(
    "path", sorted(UI.rglob("*.py")), ids=lambda path: str(path.relative_to(UI))
)
def test_only_plain_shows_text(path: Path) -> None:
    if path == OWNER:
        return
    assert [each for each in _calls(path) if each[1] in FORBIDDEN] == []


def test_plain_switches_markup_off() -> None:
    assert "markup=False" in OWNER.read_text()
