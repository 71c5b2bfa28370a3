"""The schema for editors is the format's, and every example of the format loads."""

import json

import pytest

from tutor import paths
from tutor.lesson.editors import FILE, json_schema


def test_the_schema_file_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUTOR_LESSONS", raising=False)
    written = (paths.lessons() / FILE).read_text(encoding="utf-8")
    assert written == json_schema(), "run: python -m tutor.lesson.editors"


def test_editors_can_explain_every_kind() -> None:
    schema = json.loads(json_schema())
    tables = schema["$defs"]
    kinds = tables["Lesson"]["properties"]["cells"]["items"]["discriminator"]["mapping"]
    assert list(kinds) == ["text", "code", "question", "exercise", "graph", "train"]
    # A sentence under a field of the schema arrives, also from the parent class.
    assert "Markdown" in tables["GraphCell"]["properties"]["text"]["description"]
    assert (
        "right choice" in tables["QuestionCell"]["properties"]["answer"]["description"]
    )
    assert all(table["additionalProperties"] is False for table in tables.values())
