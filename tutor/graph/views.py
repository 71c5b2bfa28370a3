"""Views: which drawing belongs to a place, at each level of detail. Pure.

A drawing depends on its arguments alone; what was made once is kept for a while.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from tutor.graph.draw import Detail, Drawing, Sketch
from tutor.graph.steps import Scene, Walk

Level = Literal["overview", "boxes", "compact", "autograd"]

_KEPT = 24
"""Layouts kept."""


@dataclass(frozen=True, slots=True)
class View:
    """How a learner looks at the graph."""

    level: Level = "boxes"
    expanded: frozenset[str] = frozenset()
    """Keys of groups that are opened in place."""
    inside: int | None = None
    """An op shown from within: its nodes in torch's own graph."""


class Views:
    """The drawings of one walk."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._sketches: OrderedDict[tuple[object, ...], Sketch] = OrderedDict()

    def drawing(
        self,
        place: int,
        view: View,
        room: tuple[int, int],
        *,
        ascii: bool = False,
        changed: frozenset[int] = frozenset(),
    ) -> Drawing:
        """The picture after `place` steps, for `room` columns and rows.

        It may be larger than the room; its focus is what must be in sight. `changed`:
        values that are marked as other than they were.
        """
        return self._sketch(place, room[0], changed).draw(place, ascii=ascii)

    def group_at(self, place: int, view: View) -> str | None:
        """The closed group under way, else the innermost open one; None: neither."""
        return None

    def levels(self, place: int) -> tuple[Level, ...]:
        """The levels that show something of their own here."""
        return ("boxes",)

    def _sketch(self, place: int, width: int, changed: frozenset[int]) -> Sketch:
        """The scene's layout, in full where it fits."""
        scene = self._walk.view(place)
        details: tuple[Detail, ...] = ("full", "short")
        found = None
        for detail in details:
            found = self._made(scene, detail, changed)
            if found.width <= width:
                break
        assert found is not None
        return found

    def _made(self, scene: Scene, detail: Detail, changed: frozenset[int]) -> Sketch:
        key = scene, detail, changed
        found = self._sketches.get(key)
        if found is None:
            found = Sketch(self._walk, scene, detail, changed)
            self._sketches[key] = found
            if len(self._sketches) > _KEPT:
                self._sketches.popitem(last=False)
        self._sketches.move_to_end(key)
        return found
