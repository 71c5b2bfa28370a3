"""VerdictView: hints that were asked for, the solution, and the verdict, in lines.

What they say comes from the lesson and the engine and is made safe here.
"""

from collections.abc import Iterator, Sequence

from textual.content import Content
from textual.reactive import reactive

from tutor.safetext import safe
from tutor.ui import look
from tutor.ui.look import Glyph, Look
from tutor.ui.widgets.lines import Lines, hanging
from tutor.ui.widgets.prose import MEASURE, code_content, inline_content
from tutor.verdicts import Verdict

DETAIL_LINES = 8


class VerdictView(Lines):
    """Nothing is drawn until there is something to say."""

    DEFAULT_CSS = "VerdictView { display: none; }"

    verdict: reactive[Verdict | None] = reactive[Verdict | None](None, init=False)
    """The last one; None: not judged, or being judged."""

    why: reactive[str] = reactive("", init=False)
    """Said below the solution; a verdict that passed says it itself."""

    offer: reactive[str] = reactive("", init=False)
    """A quiet line below what did not pass: which key helps."""

    hints: reactive[Sequence[str]] = reactive[Sequence[str]]((), init=False)
    """The rungs shown so far."""

    rungs: reactive[int] = reactive(0, init=False)
    """How many rungs the ladder has."""

    solution: reactive[str] = reactive("", init=False)
    """Code; "": not shown."""

    def _changed(self) -> None:
        self.display = bool(self.verdict or self.hints or self.solution)
        self.redraw()

    watch_verdict = watch_why = watch_offer = _changed
    watch_hints = watch_rungs = watch_solution = _changed

    def draw(self, width: int, table: Look) -> list[Content]:
        """Hints, solution, verdict, with a blank line between them."""
        width = min(width, MEASURE)
        lines: list[Content] = []
        for part in (self._hints, self._solution, self._verdict):
            drawn = list(part(width, table))
            if drawn and lines:
                lines.append(Content())
            lines += drawn
        return lines

    def _hints(self, width: int, table: Look) -> Iterator[Content]:
        for number, hint in enumerate(self.hints, start=1):
            lead = f"{table[Glyph.HINT]} {number} of {self.rungs}  "
            words = inline_content(hint, table)
            yield from hanging((lead, look.HERE), words, width)

    def _solution(self, width: int, table: Look) -> Iterator[Content]:
        if not self.solution:
            return
        yield Content.styled("A solution", look.QUIET)
        code = code_content(self.solution.strip("\n"), table)
        for line in code.split("\n", allow_blank=True):
            yield Content.assemble("  ", line)
        if self.why and not (self.verdict and self.verdict.passed):
            yield from inline_content(self.why, table).wrap(width)

    def _verdict(self, width: int, table: Look) -> Iterator[Content]:
        verdict = self.verdict
        if verdict is None:
            return
        glyph = Glyph.RIGHT if verdict.passed else Glyph.WRONG
        style = look.GOOD if verdict.passed else look.BAD
        message = verdict.message or ("Right." if verdict.passed else "Not yet.")
        lead = (f"{table[glyph]} ", f"{style} {look.STRONG}")
        yield from hanging(lead, inline_content(message, table), width)
        details = [each for each in safe(verdict.detail).plain.split("\n") if each]
        for detail in details[:DETAIL_LINES]:
            yield from hanging(("  ", ""), Content(table.text(detail)), width)
        if not verdict.passed and self.offer:
            yield Content.styled(f"  {self.offer}", look.QUIET)
