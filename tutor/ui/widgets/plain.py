"""Plain: the only text widget. It shows SafeText and our own words, never markup.

Foreign text must come as `SafeText`; a bare `str` is for words written in this
repository. `content_of` turns either into Textual's Content for other widgets.
"""

from collections.abc import Callable

from textual.color import Color
from textual.content import Content, Span
from textual.style import Style
from textual.widgets import Static

from tutor.safetext import SafeText
from tutor.safetext import Style as SafeStyle

_COLOURS = (
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    "bright_black", "bright_red", "bright_green", "bright_yellow",
    "bright_blue", "bright_magenta", "bright_cyan", "bright_white",
)  # fmt: skip

Words = SafeText | Content | str
"""What may be shown: foreign text made safe, or words of ours."""


def content_of(
    words: Words,
    style: str = "",
    *,
    text: Callable[[str], str] | None = None,
) -> Content:
    """The words with their colours, over `style` (a role of `look`).

    `text` is `Look.text`, where a change of length does no harm; it is applied to the
    pieces between colours.
    """
    if isinstance(words, Content):
        return words.stylize_before(style) if style else words
    if isinstance(words, str):
        return Content.styled(text(words) if text else words, style)
    if text is not None and not words.plain.isascii():
        return _pieces(words, style, text)
    spans = [Span(span.start, span.end, _style(span.style)) for span in words.spans]
    if style:
        spans.insert(0, Span(0, len(words.plain), style))
    return Content(words.plain, spans)


def _pieces(words: SafeText, style: str, text: Callable[[str], str]) -> Content:
    pieces: list[Content] = []
    position = 0
    for span in words.spans:
        pieces.append(Content(text(words.plain[position : span.start])))
        piece = text(words.plain[span.start : span.end])
        pieces.append(Content.styled(piece, _style(span.style)))
        position = span.end
    pieces.append(Content(text(words.plain[position:])))
    joined = Content.assemble(*pieces)
    return joined.stylize_before(style) if style else joined


def _style(style: SafeStyle) -> Style:
    return Style(
        foreground=_colour(style.foreground),
        background=_colour(style.background),
        bold=style.bold or None,
        dim=style.dim or None,
        italic=style.italic or None,
        underline=style.underline or None,
        reverse=style.reverse or None,
    )


def _colour(number: int | None) -> Color | None:
    return None if number is None else Color.parse("ansi_" + _COLOURS[number])


class Plain(Static):
    """Text as it is. Square brackets are square brackets."""

    def __init__(
        self,
        words: Words = "",
        *,
        style: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(content_of(words, style), markup=False, id=id, classes=classes)

    def show(self, words: Words, style: str = "") -> None:
        """Replace what is shown. The same again costs nothing."""
        content, before = content_of(words, style), self.content
        if not (isinstance(before, Content) and before.is_same(content)):
            self.update(content)
