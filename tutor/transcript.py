"""What an output log shows: lines, made of a kernel's outputs, and bounded.

Streams are merged as a terminal would (a carriage return overwrites, also across two
chunks), long cells lose their middle, long lines their end. Pure; drawing is the log's.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tutor.highlight import Token, tokens_of_lines
from tutor.kernel.outputs import (
    Clear,
    Display,
    Done,
    Failure,
    Notice,
    Output,
    Result,
    Stream,
)
from tutor.safetext import PLAIN, SafeText, Span, Style, safe

Tone = Literal["echo", "stdout", "stderr", "result", "note", "failure", "notice"]

LINES = 10_000
"""Lines kept of one cell: the first half and the last half."""
CHARACTERS = 1_000_000
"""Characters kept of one cell, likewise."""
LINE = 4_000
"""Characters shown of one line."""
ECHO_LINES = 200
"""Lines shown of the code itself."""
TOTAL_LINES = 2 * LINES
"""Lines kept of all cells; whole cells go, the oldest first."""
TOTAL_CHARACTERS = 2 * CHARACTERS
_HALF_LINES = LINES // 2
_HALF_CHARACTERS = CHARACTERS // 2
_RAW_LINE = 4 * LINE
"""Characters read of one line, its colours included."""


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
        self._first: list[Line] = []
        self._last: deque[Line] = deque()
        self._first_characters = self._last_characters = 0
        self._open = _OpenLine("stdout")
        self._failed = False

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Line]:
        yield from self._echo
        yield from self._first
        if self.folded:
            yield _notice(f"… {_counted(self.folded)} lines folded")
        yield from self._last
        if self._open.raw:
            yield self._open.line()

    @property
    def size(self) -> tuple[int, int]:
        """Lines and characters, nearly."""
        lines = len(self._echo) + len(self._first) + len(self._last)
        return lines, self._first_characters + self._last_characters

    def feed(self, output: Output) -> None:
        """Take one output of the cell."""
        self.version += 1
        match output:
            case Stream(name, text):
                if name != self._open.tone:
                    self._end_line()
                    self._open = _OpenLine(name)
                self._extend(self._open.feed(text), name)
            case Result(text, note):
                self._block(text, "result")
                self._block(note or "", "note")
            case Display(text):
                self._block(text, "result")
            case Failure():
                self._failed = True
                self._block(output.traceback or _headline(output), "failure")
            case Notice(text):
                self._block(text, "notice")
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
        lines, _ = _split(text.removesuffix("\n"), PLAIN)
        self._extend(lines, tone)

    def _end_line(self) -> None:
        if self._open.raw:
            self._extend([self._open.line().text], self._open.tone)
        self._open = _OpenLine(self._open.tone)

    def _clear(self) -> None:
        self._first.clear()
        self._last.clear()
        self._first_characters = self._last_characters = self.folded = 0
        self._open = _OpenLine(self._open.tone)

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


class _OpenLine:
    """The line a stream is writing: raw, since what follows may still change it."""

    def __init__(self, tone: Literal["stdout", "stderr"], style: Style = PLAIN) -> None:
        self.tone: Literal["stdout", "stderr"] = tone
        self.raw = ""
        self._style = style
        """In force where the line begins."""
        self._cut = 0

    def feed(self, text: str) -> list[SafeText]:
        """The lines that `text` completes."""
        whole, newline, rest = (self.raw + text).rpartition("\n")
        lines: list[SafeText] = []
        if newline:
            lines, self._style = _split(whole, self._style, self._cut)
            self._cut = 0
        self.raw = rest
        if len(rest) > _RAW_LINE:
            self._shorten()
        return lines

    def line(self) -> Line:
        """As it looks now."""
        lines, _ = _split(self.raw, self._style, self._cut)
        return Line(lines[0], self.tone)

    def _shorten(self) -> None:
        """Forget what the last carriage return overwrites, then what is too long."""
        start = self.raw.rstrip("\r").rfind("\r")
        if start > 0:
            self._style = safe(self.raw[:start], self._style).style
            self.raw = self.raw[start:]
            self._cut = 0
        self._cut += max(0, len(self.raw) - _RAW_LINE)
        self.raw = self.raw[:_RAW_LINE]


def _split(raw: str, style: Style, cut: int = 0) -> tuple[list[SafeText], Style]:
    """The lines of a raw text; `cut` characters are missing from the first."""
    cuts: dict[int, int] = {0: cut} if cut else {}
    if len(raw) > _RAW_LINE:
        raw_lines = raw.split("\n")
        for index, line in enumerate(raw_lines):
            if len(line) > _RAW_LINE:
                cuts[index] = cuts.get(index, 0) + len(line) - _RAW_LINE
                raw_lines[index] = line[:_RAW_LINE]
        if cuts:
            raw = "\n".join(raw_lines)
    text = safe(raw, style)
    lines = list(_lines(text))
    for index, each in enumerate(lines):
        missing = cuts.get(index, 0)
        if missing or len(each.plain) > LINE:
            lines[index] = _shortened(each, missing)
    return lines, text.style


def _lines(text: SafeText) -> Iterator[SafeText]:
    if not text.spans:
        yield from map(SafeText, text.plain.split("\n"))
        return
    start = index = 0
    for plain in text.plain.split("\n"):
        end = start + len(plain)
        spans: list[Span] = []
        while index < len(text.spans) and text.spans[index].start < end:
            span = text.spans[index]
            low, high = max(span.start, start), min(span.end, end)
            if low < high:
                spans.append(Span(low - start, high - start, span.style))
            if span.end > end:
                break
            index += 1
        yield SafeText(plain, tuple(spans))
        start = end + 1


def _shortened(line: SafeText, missing: int) -> SafeText:
    missing += max(0, len(line.plain) - LINE)
    kept = line.plain[:LINE]
    end = f" … {_counted(missing)} characters cut"
    spans = [
        replace(span, end=min(span.end, LINE))
        for span in line.spans
        if span.start < LINE
    ]
    spans.append(Span(len(kept), len(kept) + len(end), Style(dim=True)))
    return SafeText(kept + end, tuple(spans))


def _echo(code: str) -> list[Line]:
    texts, _ = _split(code.rstrip(), PLAIN)
    coloured = tokens_of_lines("\n".join(text.plain for text in texts))
    lines = [
        Line(SafeText(text.plain), "echo", index > 0, tuple(tokens))
        for index, (text, tokens) in enumerate(zip(texts, coloured, strict=True))
    ]
    if len(lines) > ECHO_LINES:
        folded = len(lines) - ECHO_LINES
        lines[ECHO_LINES:] = [_notice(f"… {_counted(folded)} lines folded")]
    return lines


def _notice(text: str) -> Line:
    return Line(SafeText(text), "notice")


def _headline(failure: Failure) -> str:
    return f"{failure.ename}: {failure.evalue}" if failure.evalue else failure.ename


def _counted(number: int) -> str:
    """9800 as "9 800"."""
    return f"{number:,}".replace(",", " ")
