"""The last gates before the terminal: which colours and which characters may pass.

What is drawn should be right already; these hold whatever Textual's own widgets draw.
"""

import functools
from collections.abc import Mapping

from rich.color import Color as RichColor
from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.filter import LineFilter

from tutor.ui.transliterate import ascii_cells


class Colours(LineFilter):
    """The last gate: the terminal's sixteen colours, or none at all.

    Textual's own widgets know others; they become the terminal's usual colour. Bold,
    dim, underline and reverse stay.
    """

    def __init__(self, keep: bool) -> None:
        super().__init__()
        self._style = functools.lru_cache(1024)(_ansi_only if keep else _colourless)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        change = self._style
        return [
            Segment(text, style and change(style), control)
            for text, style, control in segments
        ]


def _colourless(style: RichStyle) -> RichStyle:
    if style.color is None and style.bgcolor is None:
        return style
    return style.without_color + RichStyle(meta=style.meta)


def _ansi_only(style: RichStyle) -> RichStyle:
    known = (None, ColorType.DEFAULT, ColorType.STANDARD)
    front = style.color and style.color.type
    back = style.bgcolor and style.bgcolor.type
    if front in known and back in known:
        return style
    usual = RichColor.default()
    return style + RichStyle(
        color=None if front in known else usual,
        bgcolor=None if back in known else usual,
    )


class Ascii(LineFilter):
    """The last gate: what is not ASCII becomes something of the same width."""

    def __init__(self, table: Mapping[str, str]) -> None:
        """`table`: signs of ours and what they are here, one cell wide each."""
        super().__init__()
        self._table = {ord(fancy): plain for fancy, plain in table.items()}

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.text.isascii()
            else Segment(
                ascii_cells(segment.text.translate(self._table)),
                segment.style,
                segment.control,
            )
            for segment in segments
        ]
