"""The lines of the frame: title, rules, keys. What they say is the screen's.

How parts share a line is decided in `fit_title` and `fit_keys`, which are pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor.ui import look
from tutor.ui.look import Glyph, look_of

KEYS_AT_MOST = 7


@dataclass(frozen=True, slots=True)
class TitleParts:
    """What a title line says."""

    left: Content
    """Where this is; cut when nothing else helps."""
    middle: tuple[Content, ...] = ()
    """How far: the same said ever shorter. The first that fits is drawn."""
    right: tuple[Content, ...] = ()
    """The state, ever shorter; may end in an empty one."""


def fit_title(parts: TitleParts, width: int, ellipsis: str) -> Content:
    """One line of `width` cells: left part, then the others at the right."""
    middle = parts.middle or (Content(),)
    right = parts.right or (Content(),)
    tails = [_tail(middle[0], each) for each in right]
    tails += [_tail(each, right[-1]) for each in middle[1:]]
    tail = next(
        (each for each in tails if parts.left.cell_length + each.cell_length <= width),
        tails[-1],
    )
    left = parts.left
    room = max(0, width - tail.cell_length)
    if left.cell_length > room:
        left = Content.assemble(left.truncate(max(0, room - 1)), ellipsis)
    return Content.assemble(left.pad_right(room - left.cell_length), tail)


def _tail(*pieces: Content) -> Content:
    said = [piece for piece in pieces if piece.cell_length]
    return Content("").join([Content.assemble("   ", piece) for piece in said])


@dataclass(frozen=True, slots=True)
class KeyItem:
    """A key of the footer."""

    key: str
    """As it is drawn."""
    word: str
    stays: bool = False
    """True: the others give way to it (help)."""


def fit_keys(items: Sequence[KeyItem], width: int) -> Content:
    """Key and word, key and word: as many as fit, seven at most."""
    kept = list(items)
    gap = 3
    while len(kept) > KEYS_AT_MOST or _keys_width(kept, gap) > width:
        if len(kept) <= KEYS_AT_MOST and gap > 2:
            gap = 2
            continue
        may_go = [each for each in kept if not each.stays]
        if not may_go:
            break
        kept.remove(may_go[-1])
    pieces = [
        Content.assemble((item.key, f"{look.STRONG} {look.HERE}"), " ", item.word)
        for item in kept
    ]
    return Content(" " * gap).join(pieces)


def _keys_width(items: Sequence[KeyItem], gap: int) -> int:
    words = sum(len(item.key) + 1 + len(item.word) for item in items)
    return words + gap * (len(items) - 1)


class TitleLine(Widget):
    """Where this is, how far, and in which state."""

    DEFAULT_CSS = "TitleLine { height: 1; padding: 0 1; }"

    parts: reactive[TitleParts] = reactive(TitleParts(Content()))
    """What it says."""

    def render(self) -> RenderResult:
        """One line."""
        return fit_title(self.parts, self.size.width, look_of(self)[Glyph.ELLIPSIS])


class RuleLine(Widget):
    """A line across."""

    DEFAULT_CSS = "RuleLine { height: 1; }"

    def render(self) -> RenderResult:
        """As wide as the screen."""
        return Content.styled(look_of(self)[Glyph.RULE] * self.size.width, look.QUIET)


class KeysLine(Widget):
    """The next keys, at most seven."""

    DEFAULT_CSS = "KeysLine { height: 1; padding: 0 1; }"

    items: reactive[Sequence[KeyItem]] = reactive[Sequence[KeyItem]](())
    """The most wanted first."""

    def render(self) -> RenderResult:
        """One line."""
        return fit_keys(self.items, self.size.width)
