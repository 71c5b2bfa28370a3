"""Raw text to harmless lines, as a terminal would show them, each of bounded length.

A carriage return overwrites its line and a colour goes on, also across chunks.
"""

from collections.abc import Iterator
from dataclasses import replace

from tutor.safetext import PLAIN, SafeText, Span, Style, safe

LINE = 4_000
"""Characters shown of one line."""
_RAW_LINE = 4 * LINE
"""Characters read of one line, its colours included."""


class OpenLine:
    """The line a stream is writing: raw, since what follows may still change it."""

    def __init__(self) -> None:
        self.raw = ""
        self._style = PLAIN
        """In force where the line begins."""
        self._cut = 0

    def feed(self, text: str) -> list[SafeText]:
        """The lines that `text` completes."""
        whole, newline, rest = (self.raw + text).rpartition("\n")
        lines: list[SafeText] = []
        if newline:
            lines, self._style = split(whole, self._style, self._cut)
            self._cut = 0
        self.raw = rest
        if len(rest) > _RAW_LINE:
            self._shorten()
        return lines

    def text(self) -> SafeText:
        """As it looks now."""
        return split(self.raw, self._style, self._cut)[0][0]

    def _shorten(self) -> None:
        """Forget what the last carriage return overwrites, then what is too long."""
        start = self.raw.rstrip("\r").rfind("\r")
        if start > 0:
            self._style = safe(self.raw[:start], self._style).style
            self.raw = self.raw[start:]
            self._cut = 0
        self._cut += max(0, len(self.raw) - _RAW_LINE)
        self.raw = self.raw[:_RAW_LINE]


def split(raw: str, style: Style, cut: int = 0) -> tuple[list[SafeText], Style]:
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
    end = f" … {counted(missing)} characters cut"
    spans = [
        replace(span, end=min(span.end, LINE))
        for span in line.spans
        if span.start < LINE
    ]
    spans.append(Span(len(kept), len(kept) + len(end), Style(dim=True)))
    return SafeText(kept + end, tuple(spans))


def counted(number: int) -> str:
    """9800 as "9 800"."""
    return f"{number:,}".replace(",", " ")
