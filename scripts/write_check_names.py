"""Write docs/check-names.md from the names' own docstrings."""

from pathlib import Path

from tutor.engine.check_names import reference

if __name__ == "__main__":
    target = Path(__file__).parents[1] / "docs" / "check-names.md"
    target.write_text(reference(), encoding="utf-8")
