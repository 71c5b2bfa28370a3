"""What an output log shows: lines, made of a kernel's outputs, and bounded.

A long cell loses its middle, a long session its oldest cells. How raw text becomes
lines is `stream_lines`', how lines are drawn the output log's.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tutor import actions
from tutor.graph import recorded
from tutor.highlight import Token, tokens_of_lines
from tutor.kernel.outputs import (
    Clear,
    Display,
    Done,
    Failure,
    Notice,
    Output,
    Recording,
    Result,
    Stream,
    Watching,
)
from tutor.safetext import PLAIN, SafeText
from tutor.stream_lines import OpenLine, counted, split

Tone = Literal["echo", "stdout", "stderr", "result", "note", "failure", "notice"]

LINES = 10_000
"""Lines kept of one cell: the first half and the last half."""
CHARACTERS = 1_000_000
"""Characters kept of one cell, likewise."""
ECHO_LINES = 200
"""Lines shown of the code itself."""
TOTAL_LINES = 2 * LINES
"""Lines kept of all cells; whole cells go, the oldest first."""
TOTAL_CHARACTERS = 2 * CHARACTERS
_HALF_LINES = LINES // 2
_HALF_CHARACTERS = CHARACTERS // 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is shown, before it is wrapped."""

    text: SafeText
    """Without a newline."""
    tone: Tone
    continues: bool = False
    """An echo's second and later lines: another prompt stands before them."""
    tokens: tuple[Token, ...] = ()
    """Of an echo: which parts of the code to colour."""


class CellLines:
    """The lines of one cell: its echo, if any, the beginning and the end."""

    def __init__(self, echo: str | None = None) -> None:
        self.version = 0
        """Grows with every change."""
        self.folded = 0
        """Lines left out between the beginning and the end."""
        self._echo = [] if echo is None else _echo(echo)
        self._echo_characters = sum(len(line.text.plain) for line in self._echo)
        self._first: list[Line] = []
        self._last: deque[Line] = deque()
        self._first_characters = self._last_characters = 0
        self._open = OpenLine()
        self._stream: Literal["stdout", "stderr"] = "stdout"
        """Which stream the open line is of."""
        self._failed = False

    def __iter__(self) -> Iterator[Line]:
        yield from self._echo
        yield from self._first
        if self.folded:
            yield _notice(f"… {counted(self.folded)} lines folded")
        yield from self._last
        if self._open.raw:
            yield Line(self._open.text(), self._stream)

    @property
    def size(self) -> tuple[int, int]:
        """Lines and characters, nearly."""
        lines = len(self._echo) + len(self._first) + len(self._last)
        characters = self._first_characters + self._last_characters
        return lines, self._echo_characters + characters

    def feed(self, output: Output) -> None:
        """Take one output of the cell."""
        self.version += 1
        match output:
            case Stream(name, text):
                if name != self._stream:
                    self._end_line()
                    self._stream = name
                self._extend(self._open.feed(text), name)
            case Result(text, note):
                self._block(text, "result")
                self._block(note or "", "note")
            case Display(text):
                self._block(text, "result")
            case Failure():
                self._failed = True
                self._block(output.traceback or _headline(output), "failure")
            case Recording() | Watching() | Notice():
                self._block(_said(output), "notice")
            case Done(status, cause):
                self._finish(status, cause)
            case Clear():
                self._clear()
            case _:
                pass

    @property
    def is_empty(self) -> bool:
        """Nothing was echoed and nothing came."""
        return not self._echo and not self._first and not self._open.raw

    def _finish(self, status: str, cause: str | None) -> None:
        self._end_line()
        if status == "died":
            self._block(f"The kernel died: {cause or 'no cause is known'}.", "notice")
        elif status == "interrupted" and not self._failed:
            self._block("Interrupted.", "notice")

    def _block(self, text: str, tone: Tone) -> None:
        """Whole lines of their own; none for ""."""
        self._end_line()
        if not text:
            return
        lines, _ = split(text.removesuffix("\n"), PLAIN)
        self._extend(lines, tone)

    def _end_line(self) -> None:
        if self._open.raw:
            self._extend([self._open.text()], self._stream)
        self._open = OpenLine()

    def _clear(self) -> None:
        self._first.clear()
        self._last.clear()
        self._first_characters = self._last_characters = self.folded = 0
        self._open = OpenLine()

    def _extend(self, texts: list[SafeText], tone: Tone) -> None:
        room = _HALF_LINES - len(self._first) if not self._last else 0
        for index, text in enumerate(texts):
            if index >= room or self._first_characters > _HALF_CHARACTERS:
                self._extend_last(texts[index:], tone)
                break
            self._first.append(Line(text, tone))
            self._first_characters += len(text.plain) + 1

    def _extend_last(self, texts: list[SafeText], tone: Tone) -> None:
        hopeless = max(0, len(texts) - _HALF_LINES)
        self.folded += hopeless
        for text in texts[hopeless:]:
            self._last.append(Line(text, tone))
            self._last_characters += len(text.plain) + 1
        while len(self._last) > 1 and (
            len(self._last) > _HALF_LINES or self._last_characters > _HALF_CHARACTERS
        ):
            gone = self._last.popleft()
            self._last_characters -= len(gone.text.plain) + 1
            self.folded += 1


class Transcript:
    """The cells of one log, the newest last."""

    def __init__(self) -> None:
        self.cells: list[CellLines] = [CellLines()]

    @property
    def is_empty(self) -> bool:
        """There is nothing to show."""
        return all(cell.is_empty for cell in self.cells)

    def begin(self, code: str | None = None) -> None:
        """A new cell; `code` is shown before its outputs."""
        if self.cells[-1].is_empty:
            del self.cells[-1]
        self.cells.append(CellLines(code))

    def feed(self, output: Output) -> None:
        """Take one output of the newest cell."""
        self.cells[-1].feed(output)
        sizes = [cell.size for cell in self.cells]
        lines = sum(each for each, _ in sizes)
        characters = sum(each for _, each in sizes)
        while len(sizes) > 1 and (lines > TOTAL_LINES or characters > TOTAL_CHARACTERS):
            lines, characters = lines - sizes[0][0], characters - sizes[0][1]
            del sizes[0], self.cells[0]
            self.dropped = True

    def clear(self) -> None:
        """Forget everything."""
        self.cells = [CellLines()]


def _said(output: Recording | Watching | Notice) -> str:
    """Our own words, and the key that leads on."""
    match output:
        case Recording(trace):
            key = actions.named("open_walk").keys[0].upper()
            return f"{recorded.sentence(trace)}. {key} walks through it."
        case Watching():
            key = actions.named("open_watched").keys[0].upper()
            return f"Your loop is watched. {key} shows its curve."
        case Notice(text):
            return text


def _echo(code: str) -> list[Line]:
    texts, _ = split(code.rstrip(), PLAIN)
    coloured = tokens_of_lines("\n".join(text.plain for text in texts))
    lines = [
        Line(SafeText(text.plain), "echo", index > 0, tuple(tokens))
        for index, (text, tokens) in enumerate(zip(texts, coloured, strict=True))
    ]
    if len(lines) > ECHO_LINES:
        folded = len(lines) - ECHO_LINES
        lines[ECHO_LINES:] = [_notice(f"… {counted(folded)} lines folded")]
    return lines


def _notice(text: str) -> Line:
    return Line(SafeText(text), "notice")


def _headline(failure: Failure) -> str:
    return f"{failure.ename}: {failure.evalue}" if failure.evalue else failure.ename
