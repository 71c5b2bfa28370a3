"""The cells of a script (cut at `# %%`) or of a notebook, as `exec` runs them.

Reads the file; what is wrong with it is a FileError.
"""

import io
import itertools
import json
import re
import sys
import tokenize
from pathlib import Path
from typing import Any

from tutor.errors import FileError
from tutor.safetext import safe_line

_MARK = re.compile(r"# ?%%+(?:[ \t\[].*)?$")
_NOT_CODE = re.compile(r"\[(?:markdown|md|raw)\]")


def read(name: str) -> list[str]:
    """The code cells of the file `name`, or of stdin for "-", in order."""
    where = "stdin" if name == "-" else safe_line(name)
    text = _text(name, where)
    if name.endswith(".ipynb") or (name == "-" and _looks_like_a_notebook(text)):
        return of_notebook(text, where)
    return of_script(text)


def of_script(text: str) -> list[str]:
    """Cells begin at a line `# %%`; what stands before the first is one if it is code.

    Cells marked [markdown], [md] or [raw] are left out.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line + "\n" for line in text.removesuffix("\n").split("\n")]
    marks = _marks(text)
    cells = []
    head = lines[: marks[0]] if marks else lines
    if any(line.strip() and not line.lstrip().startswith("#") for line in head):
        cells.append("".join(head))
    for begin, end in itertools.pairwise([*marks, len(lines)]):
        if not _NOT_CODE.search(lines[begin]):
            cells.append("".join(lines[begin + 1 : end]))
    return cells


def of_notebook(text: str, where: str) -> list[str]:
    """The sources of the code cells. FileError names `where` and what is wrong."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(
            f"{where} is not a notebook, its JSON cannot be read: {error}."
        ) from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise FileError(
            f"{where} is not a notebook of format 4, it has no list of cells: save it "
            "again with a present Jupyter."
        )
    sources = [_source(cell, n, where) for n, cell in enumerate(cells, start=1)]
    return [source for source in sources if source is not None]


def _source(cell: Any, number: int, where: str) -> str | None:
    """None for a cell that is no code."""
    source = cell.get("source") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise FileError(
            f"{where} is not a valid notebook: cell {number} has no source."
        )
    return source if cell.get("cell_type") == "code" else None


def _marks(text: str) -> list[int]:
    """The indices of the lines that begin a cell; not those inside a string."""
    lines = text.split("\n")
    marked = [index for index, line in enumerate(lines) if _MARK.match(line)]
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return marked  # not quite Python: its cells will say so
    comments = {
        token.start[0] - 1
        for token in tokens
        if token.type == tokenize.COMMENT and token.start[1] == 0
    }
    return [index for index in marked if index in comments]


def _looks_like_a_notebook(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        return "cells" in json.loads(text)
    except (ValueError, RecursionError):
        return False


def _text(name: str, where: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return raw.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise FileError(f"There is no file {where}: check its name.") from error
    except IsADirectoryError as error:
        raise FileError(
            f"{where} is a folder: name a script or a notebook in it."
        ) from error
    except OSError as error:
        raise FileError(f"{where} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"{where} is not UTF-8 text, see byte {error.start}: save it as UTF-8."
        ) from error
    except ValueError as error:  # a NUL in the name
        raise FileError(f"{where} is no name of a file: {error}.") from error
