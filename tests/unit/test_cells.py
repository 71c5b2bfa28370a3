import io
import json
import os
import sys
from pathlib import Path

import pytest

from tutor.errors import FileError
from tutor.headless import cells


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("", []),
        ("\n# only a comment\n\n", []),
        ("x = 1\n", ["x = 1\n"]),
        ("x = 1", ["x = 1\n"]),
        ("# %%\nx\n# %%\ny\n", ["x\n", "y\n"]),
        ("#!/usr/bin/python\n# %% a title\nx\n", ["x\n"]),
        ("'''docs'''\n# %%\nx\n", ["'''docs'''\n", "x\n"]),
        ("# %% [markdown]\n# words\n# %%\nx\n", ["x\n"]),
        ("# %% words [md] tag=1\n# words\n#%%\nx\n", ["x\n"]),
        ("# %%\n# %%\nx\n", ["", "x\n"]),
        ("s = '''\n# %%\n'''\n# %%\ns\n", ["s = '''\n# %%\n'''\n", "s\n"]),
        ("if x:\n    # %% no mark\n    y\n", ["if x:\n    # %% no mark\n    y\n"]),
        ("# %%timeit\nx\n", ["# %%timeit\nx\n"]),
        ("# %%\r\nx\r\n# %%\r\ny\r\n", ["x\n", "y\n"]),
        ("# %%\na = (\n# %%\nb\n", ["a = (\n", "b\n"]),  # the first does not parse
        ("# %%\ns = '\x0c\u2028'\n# %%\ns\n", ["s = '\x0c\u2028'\n", "s\n"]),
    ],
)
def test_cells_of_a_script(script: str, wanted: list[str]) -> None:
    assert cells.of_script(script) == wanted


def notebook(*made: object) -> str:
    return json.dumps({"cells": made, "nbformat": 4})


def test_cells_of_a_notebook() -> None:
    text = notebook(
        {"cell_type": "markdown", "source": ["# words"]},
        {"cell_type": "code", "source": ["x = 1\n", "x"]},
        {"cell_type": "raw", "source": "raw"},
        {"cell_type": "code", "source": ""},
    )
    assert cells.of_notebook(text, "n.ipynb") == ["x = 1\nx", ""]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "its JSON cannot be read: Expecting property name"),
        ("[]", "no list of cells"),
        ('{"worksheets": []}', "no list of cells"),
        (notebook(5), "cell 1 has no source"),
        (notebook({"cell_type": "code", "source": [1]}), "cell 1 has no source"),
        ("[" * 100_000, "its JSON cannot be read"),
    ],
)
def test_a_notebook_that_is_none(text: str, part: str) -> None:
    with pytest.raises(FileError, match=r"^n\.ipynb is not a .*") as error:
        cells.of_notebook(text, "n.ipynb")
    assert part in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "binary.py"
    binary.write_bytes(b"x = '\xff'")
    sentences = {
        str(tmp_path / "none.py"): "There is no file",
        str(tmp_path): "is a folder: name a script or a notebook in it.",
        str(binary): "is not UTF-8 text, see byte 5: save it as UTF-8.",
        "\0": "is no name of a file",
    }
    for name, sentence in sentences.items():
        with pytest.raises(FileError) as error:
            cells.read(name)
        assert sentence in str(error.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.touch(mode=0o000)
    with pytest.raises(FileError, match="cannot be read: Permission denied"):
        cells.read(str(script))


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("# %%\nx", ["x\n"]),
        (notebook({"cell_type": "code", "source": "x"}), ["x"]),
        ("{1, 2}", ["{1, 2}\n"]),
        ("\ufeffx", ["x\n"]),
    ],
)
def test_stdin(typed: str, wanted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO(typed.encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
    assert cells.read("-") == wanted
