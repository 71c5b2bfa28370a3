"""Which units of a large graph are in the picture: those about the one under way. Pure.

A window stays until the unit under way leaves its inner half. It depends on that unit
alone and on a fixed number of units before it, never on how the learner got there.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_BLOCK = 16
"""Units whose windows are chosen together."""
_KEPT = 64


class Graph(Protocol):
    """Units numbered so that what feeds one has a smaller number."""

    def __len__(self) -> int: ...
    def before(self, unit: int) -> Sequence[int]: ...
    def after(self, unit: int) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Window:
    """Units in their order, and those from which it need not move."""

    units: tuple[int, ...]
    inner: frozenset[int]


class Windows:
    """The windows of one graph, of at most `limit` units and so many `layers` away."""

    def __init__(self, graph: Graph, limit: int, layers: int) -> None:
        self._graph = graph
        self._limit = limit
        self._layers = layers
        self._blocks: OrderedDict[int, tuple[tuple[Window, ...], dict[int, int]]]
        self._blocks = OrderedDict()

    def at(self, unit: int) -> Window:
        """The window while that unit is under way."""
        block = unit // _BLOCK
        if block not in self._blocks:
            self._blocks[block] = self._chosen(block)
            if len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(block)
        windows, place = self._blocks[block]
        return windows[place[unit]]

    def _chosen(self, block: int) -> tuple[tuple[Window, ...], dict[int, int]]:
        windows: list[Window] = []
        place: dict[int, int] = {}
        first = block * _BLOCK
        for unit in range(first, min(first + _BLOCK, len(self._graph))):
            found = next(
                (
                    number
                    for number in reversed(range(len(windows)))
                    if unit in windows[number].inner
                ),
                None,
            )
            if found is None:
                found = len(windows)
                windows.append(self._about(unit))
            place[unit] = found
        return tuple(windows), place

    def _about(self, unit: int) -> Window:
        """A window that the unit enters at the edge of the inner half."""
        centre = unit
        for _ in range(self._layers // 2):
            following = self._graph.after(centre)
            if not following:
                break
            centre = following[0]
        window = self._around(centre)
        return window if unit in window.inner else self._around(unit)

    def _around(self, centre: int) -> Window:
        """By distance from the centre, feeders and readers in turn."""
        distance = {centre: 0}
        waiting = [centre]
        for unit in waiting:
            if distance[unit] == self._layers or len(distance) >= self._limit:
                break
            for other in [*self._graph.before(unit), *self._graph.after(unit)]:
                if other not in distance and len(distance) < self._limit:
                    distance[other] = distance[unit] + 1
                    waiting.append(other)
        inner = (unit for unit, far in distance.items() if far <= self._layers // 2)
        return Window(tuple(sorted(distance)), frozenset(inner))
