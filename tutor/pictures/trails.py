"""Trails: the line of each run's way over a picture. A way grows at its end: what was drawn
of it is kept, and only what is new is drawn. However it grew, it looks as if drawn at once.
"""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from tutor.pictures.frame import Frame
from tutor.pictures.paths import MOST, Way
from tutor.pictures.sheet import Sheet
from tutor.training.run import Run


def trail(frame: Frame, way: Way, *, fine: bool) -> Sheet:
    """The line through the places of a way; `fine` needs braille."""
    kept = _newest.get(way.run)
    if kept is None or not kept.goes_on(frame, way, fine):
        kept = _newest[way.run] = _Trail(frame, way, fine)
    return kept.sheet(way)


class _Trail:
    """Of one run in one frame.

    Drawn in pieces, to each of which a longer way only adds: its opening, its middle for
    as long as the step of that stays, and blocks of what is late.
    """

    def __init__(self, frame: Frame, way: Way, fine: bool) -> None:
        self._frame, self._fine = frame, fine
        self._look = way.names, way.start, way.run.stride
        self._step = 0
        self._stop = way.start
        """Up to this held point it is drawn."""
        self._opening, self._middle = self._piece(), self._piece()
        self._blocks: dict[int, _Piece] = {}
        """By the held point that they begin with."""

    def goes_on(self, frame: Frame, way: Way, fine: bool) -> bool:
        """Whether it is the beginning of that way."""
        look = way.names, way.start, way.run.stride
        same = (look, fine, frame) == (self._look, self._fine, self._frame)
        return same and way.stop >= self._stop

    def sheet(self, way: Way) -> Sheet:
        """As far as the way goes."""
        middle, late = way.middle, way.late
        if middle.step != self._step:
            self._step, self._middle = middle.step, self._piece()
        self._opening.reach(way, way.opening)
        self._middle.reach(way, middle)
        blocks = {}
        for first in range(late, way.stop, MOST):
            piece = blocks[first] = self._blocks.get(first) or self._piece()
            before = max(first - 1, way.start)
            piece.reach(way, range(before, min(first + MOST, way.stop)))
        self._blocks = blocks
        self._stop = way.stop
        drawn = Sheet(self._frame.columns, self._frame.rows, self._fine)
        for each in (self._opening, self._middle, *blocks.values()):
            drawn.add(each.sheet)
        gap = [middle[-1], late - 1] if middle else []
        drawn.path(self._frame.dots(way.among(gap), fine=self._fine))
        drawn.path(self._frame.dots(way.last(2) if way.newest else [], fine=self._fine))
        return drawn

    def _piece(self) -> "_Piece":
        return _Piece(self._frame, self._fine)


class _Piece:
    """A line through some places of a way."""

    def __init__(self, frame: Frame, fine: bool) -> None:
        self.sheet = Sheet(frame.columns, frame.rows, fine)
        self._frame, self._fine = frame, fine
        self._drawn = 0

    def reach(self, way: Way, held: Sequence[int]) -> None:
        """Draw on to the last of these held points, the first of which are drawn."""
        new = way.among(held[self._drawn :])
        self.sheet.go_on(self._frame.dots(new, fine=self._fine))
        self._drawn = len(held)


_newest: WeakKeyDictionary[Run, _Trail] = WeakKeyDictionary()
"""The trail of each run that was drawn last."""
