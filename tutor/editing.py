"""What the keys of a code editor mean for Python text: pure, from the text alone.

Is this statement complete? How is the next line indented? What may a paste insert?
Which part of a completion is certain?
"""

import ast
import codeop
import re
from dataclasses import dataclass

from tutor.highlight import tokens
from tutor.kernel.base import Completion
from tutor.safetext import safe

INDENT = 4
_LONG = 50_000
"""Characters above which code is sent without asking whether it is complete."""
_MAGIC_LINE = re.compile(r"^([ ]*)[%!?][^\n]*$|^([ ]*)[^\n#'\"]*\?$", re.MULTILINE)
_ENDS_BLOCK = re.compile(r"\s*(?:return|pass|break|continue|raise)\b")


def is_complete(code: str) -> bool:
    """True if Enter at the end of `code` should execute it.

    As in Python's own console: a block ends with an empty line. Code that can never
    become valid counts as complete, so that the kernel says what is wrong.
    """
    if not code.strip() or len(code) > _LONG:
        return True
    last = code.rpartition("\n")[2]
    if code.startswith("%%"):
        return "\n" in code and not last.strip()
    try:
        parsed = _compiler(_without_magic(code), "<cell>", "exec")
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
        return True
    if parsed is None:
        return False
    return not last.startswith((" ", "\t")) or not last.strip() or _closes(code)


def _make_compiler() -> codeop.CommandCompiler:
    compiler = codeop.CommandCompiler()
    compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return compiler


_compiler = _make_compiler()


def _without_magic(code: str) -> str:
    """IPython's %magic, !command and name? lines count as statements."""
    return _MAGIC_LINE.sub(lambda line: f"{line[1] or line[2] or ''}pass", code)


def _closes(code: str) -> bool:
    """Is the indented last line the end of a bracket or a string, not of a block?"""
    try:
        last = ast.parse(_without_magic(code)).body[-1]
    except (SyntaxError, ValueError, IndexError, MemoryError, RecursionError):
        return True
    return not hasattr(last, "body")


def indent_after(before: str) -> str:
    """The spaces that begin the line after `before`, the text up to the cursor."""
    skipped = [
        (token.start, token.end)
        for token in tokens(before)
        if token.kind in ("string", "comment")
    ]
    code = _blanked(before, skipped)
    line_start = statement_start = 0
    brackets: list[int] = []  # where the line of each open bracket begins
    for position, character in enumerate(code):
        if character == "\n":
            line_start = position + 1
            if not brackets:
                statement_start = line_start
        elif character in "([{":
            brackets.append(line_start)
        elif character in ")]}" and brackets:
            brackets.pop()
    line = code[line_start:]
    if brackets:
        opened_here = brackets[-1] == line_start
        return _leading(line) + " " * (INDENT if opened_here else 0)
    statement = code[statement_start:]
    indent = len(_leading(before[statement_start:]))
    if statement.rstrip().endswith(":"):
        indent += INDENT
    elif _ENDS_BLOCK.match(statement):
        indent = max(0, indent - INDENT)
    return " " * indent


def _blanked(text: str, parts: list[tuple[int, int]]) -> str:
    """`text` of the same length, with x in place of strings; comments become spaces."""
    pieces: list[str] = []
    position = 0
    for start, end in parts:
        filler = " " if text[start] == "#" else "x"
        blank = re.sub(r"[^\n]", filler, text[start:end])
        pieces += [text[position:start], blank.replace("\n", filler)]
        position = end
    return "".join([*pieces, text[position:]])


def _leading(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]


def backspace_count(before: str) -> int:
    """How many characters Backspace takes; `before` is the line up to the cursor."""
    if before and not before.strip(" "):
        return (len(before) - 1) % INDENT + 1
    return 1


def dedented(line: str) -> str:
    """The line, one level further left."""
    return line[min(INDENT, len(_leading(line))) :]


def pasted(text: str) -> str:
    """What a paste may insert: text without escape sequences and control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    text = "\n".join(line.expandtabs(INDENT) for line in text.split("\n"))
    return "".join(
        character
        for character in safe(text).plain
        if not "\u2400" <= character <= "\u2421" or character in text
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """What a completion comes to."""

    start: int
    """Each match replaces the code from here to the cursor."""
    matches: tuple[str, ...]
    """Sorted, each one harmless; empty: nothing to offer."""

    @property
    def common(self) -> str:
        """What all matches begin with."""
        first, last = min(self.matches, default=""), max(self.matches, default="")
        pairs = enumerate(zip(first, last, strict=False))
        return first[: next((i for i, (a, b) in pairs if a != b), len(first))]

    @property
    def shown_from(self) -> int:
        """Where a match's own part begins: after the last dot all of them share."""
        return self.common.rfind(".") + 1

    def narrowed(self, typed: str) -> "Offer":
        """Only the matches that go on from `typed`, the code from `start`."""
        kept = tuple(match for match in self.matches if match.startswith(typed))
        return Offer(self.start, kept)


def offer(completion: Completion, code: str, cursor: int) -> Offer:
    """What to offer for `code[:cursor]`; foreign matches that are not plain text go."""
    if not 0 <= completion.start <= cursor:
        return Offer(cursor, ())
    typed = code[completion.start : cursor]
    matches = {
        match
        for match in completion.matches
        if "\n" not in match and match.isprintable() and safe(match).plain == match
    }
    ranked = sorted(matches, key=lambda match: (_privacy(match), match.lower(), match))
    every = Offer(completion.start, tuple(ranked))
    narrowed = every.narrowed(typed)
    return narrowed if narrowed.matches else every


def _privacy(match: str) -> int:
    """Names with underscores come last."""
    name = match.rpartition(".")[2]
    return len(name) - len(name.lstrip("_"))
