"""The lesson format as JSON Schema, for editors: `python -m tutor.lesson.editors`.

Writes `lessons/schema.json` from `lesson.schema`, its only source.
"""

import ast
import inspect
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from tutor import paths
from tutor.lesson import schema as schema_source
from tutor.lesson.schema import FORMAT, Lesson

FILE = "schema.json"


def json_schema() -> str:
    """The text of the schema file."""
    generated: dict[str, Any] = msgspec.json.schema(Lesson)
    for table, said in _said_of_keys().items():
        properties = generated["$defs"].get(table, {}).get("properties", {})
        for key in properties.keys() & said.keys():
            properties[key].setdefault("description", said[key])
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A lesson of the PyTorch tutor, format {FORMAT}",
        **generated,
    }
    return json.dumps(schema, indent=2, ensure_ascii=True) + "\n"


def _said_of_keys() -> dict[str, dict[str, str]]:
    """What stands under each field in `schema`, by class and key; inherited too."""
    said: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(schema_source)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        own = said[node.name] = {}
        for base in node.bases:
            if isinstance(base, ast.Name):
                own.update(said.get(base.id, {}))
        for field, below in itertools.pairwise(node.body):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=key)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    own[key] = " ".join(text.split())
    return said


def write(folder: Path) -> Path:
    """Write the schema into the folder; the file's path."""
    file = folder / FILE
    file.write_text(json_schema(), encoding="utf-8")
    return file


if __name__ == "__main__":
    sys.stdout.write(f"{write(paths.lessons())}\n")
