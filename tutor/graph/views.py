"""Views: which drawing belongs to a place, at each level of detail. Pure.

A drawing depends on its arguments alone; what was made once is kept for a while.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal, TypeVar

from tutor.graph import autograd, picture
from tutor.graph.autograd import Nodes, Sending
from tutor.graph.draw import Detail, Drawing, Sketch
from tutor.graph.groups import Tree
from tutor.graph.labels import Story, Values
from tutor.graph.picture import Picture, Shape
from tutor.graph.steps import WINDOW, Scene, Walk
from tutor.graph.units import Readers, Units, readers
from tutor.graph.window import Graph, Windows

Level = Literal["overview", "boxes", "compact", "autograd"]

_KEPT = 32
"""Layouts kept."""
_COLUMN = {"overview": 20, "boxes": 20, "compact": 14, "autograd": 24}
"""Columns that a box takes with its wire, about."""
_ROW = {"overview": 4, "boxes": 4, "compact": 2, "autograd": 4}
_LEAST_LAYERS, _MOST_LAYERS = 2, 6
_LEAST_BOXES, _MOST_BOXES = 16, 36

Made = TypeVar("Made")


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
        self._reads: Readers | None = None
        self._kept: OrderedDict[Hashable, object] = OrderedDict()

    def drawing(
        self,
        place: int,
        view: View,
        room: tuple[int, int],
        *,
        ascii: bool = False,
        changed: frozenset[int] = frozenset(),
        mark: bool = True,
    ) -> Drawing:
        """The picture after `place` steps, for `room` columns and rows.

        It may be larger than the room; its focus is what must be in sight. `changed`:
        values that are marked as other than they were. `mark`: with what is under way.
        """
        found = None
        for detail in self._details(place, view):
            found = self._sketch(place, view, room, detail, changed)
            if found.width <= room[0]:
                break
        assert found is not None
        return found.draw(place, ascii=ascii, mark=mark)

    def _details(self, place: int, view: View) -> tuple[Detail, ...]:
        """From the fullest on; the first that fits is drawn, else the last."""
        if view.level == "compact" and view.inside is None:
            return ("none",)
        # A window is cut for the room that short labels take.
        is_large = len(self._walk.scene(place).ops) > WINDOW
        return ("short",) if is_large and view.inside is None else ("full", "short")

    def levels(self, place: int) -> tuple[Level, ...]:
        """The levels that show something of their own here, the coarsest first."""
        scene = self._walk.scene(place)
        found: list[Level] = ["boxes", "compact"] if len(scene.ops) > 1 else ["boxes"]
        if any(group.end - group.first > 1 for group in self._tree(scene).top()):
            found.insert(0, "overview")
        if len(self._nodes(scene)):
            found.append("autograd")
        return tuple(found)

    def group_at(self, place: int, view: View) -> str | None:
        """The closed group under way, else the innermost open one; None: neither.

        Its key is put into `View.expanded` to open it, and taken out to close it.
        """
        around = self._around(place, view)
        return around[-1] if around else None

    def _around(self, place: int, view: View) -> list[str]:
        if view.level != "overview" or view.inside is not None:
            return []
        scene = self._walk.scene(place)
        if not scene.ops:
            return []
        units = Units(self._walk.trace, scene, {})
        at = self._under_way(place, units) or 0
        tree = self._tree(scene)
        return [group.key for group in tree.around(at, view.expanded)]

    # ------------------------------------------------------------------ what is drawn

    def _sketch(
        self,
        place: int,
        view: View,
        room: tuple[int, int],
        detail: Detail,
        changed: frozenset[int],
    ) -> Sketch:
        scene = self._walk.scene(place)
        if view.inside is not None and self._nodes(scene).inside(view.inside):
            return self._inside(scene, view.inside, detail)
        if view.level == "autograd":
            return self._autograd(scene, place, room, detail)
        units = self._units(scene, view)
        at = self._under_way(place, units)
        chosen = self._chosen((view, scene.number), units, at, view.level, room)
        shape: Shape = "row" if view.level == "compact" else "box"
        key = "ops", view.level, view.expanded, scene.number, chosen, detail, changed

        def make() -> Sketch:
            story = Values(self._walk, scene, detail, changed)
            return self._made(scene, story, picture.part(units, chosen, shape))

        return self._keep(key, make)

    def _autograd(
        self, scene: Scene, place: int, room: tuple[int, int], detail: Detail
    ) -> Sketch:
        nodes = self._nodes(scene)
        at = self._node_under_way(nodes, place)
        chosen = self._chosen(("nodes", scene.number), nodes, at, "autograd", room)
        key = "nodes", scene.number, chosen, detail

        def make() -> Sketch:
            whole = autograd.part(self._walk, nodes, chosen)
            return self._made(scene, Sending(self._walk, scene, nodes, detail), whole)

        return self._keep(key, make)

    def _inside(self, scene: Scene, op: int, detail: Detail) -> Sketch:
        nodes = self._nodes(scene)

        def make() -> Sketch:
            whole = autograd.part(self._walk, nodes, nodes.inside(op))
            return self._made(scene, Sending(self._walk, scene, nodes, detail), whole)

        return self._keep(("inside", scene.number, op, detail), make)

    def _made(self, scene: Scene, story: Story, whole: Picture) -> Sketch:
        return Sketch(self._walk, scene, whole=whole, story=story)

    def _chosen(
        self,
        key: Hashable,
        graph: Graph,
        at: int | None,
        level: Level,
        room: tuple[int, int],
    ) -> tuple[int, ...]:
        """All units where they are few, else those about the one under way."""
        if len(graph) <= WINDOW:
            return tuple(range(len(graph)))
        columns, rows = room[0] // _COLUMN[level], room[1] // _ROW[level]
        layers = max(_LEAST_LAYERS, min((columns - 1) // 2, _MOST_LAYERS))
        limit = max(_LEAST_BOXES, min(columns * rows, _MOST_BOXES))
        windows = self._keep(
            ("windows", key, level, layers, limit),
            lambda: Windows(graph, limit, layers),
        )
        return windows.at(at or 0).units

    # --------------------------------------------------------------- where the step is

    def _under_way(self, place: int, units: Units) -> int | None:
        """The unit of the step; before the first one of a scene the first."""
        step = self._walk.step(place)
        return None if step is None else units.of(self._walk.op_of(step))

    def _node_under_way(self, nodes: Nodes, place: int) -> int | None:
        step = self._walk.step(place)
        if step is None:
            return None
        if step.op is not None:
            return nodes.of_op(step.op)
        assert step.value is not None
        return nodes.of_leaf(self._walk.trace.values[step.value].tensor)

    # ------------------------------------------------------------- what is made once

    def _units(self, scene: Scene, view: View) -> Units:
        expanded = view.expanded if view.level == "overview" else None

        def make() -> Units:
            groups = () if expanded is None else self._tree(scene).shown(expanded)
            if self._reads is None:
                self._reads = readers(self._walk.trace)
            return Units(self._walk.trace, scene, self._reads, groups)

        return self._keep(("units", scene.number, expanded), make)

    def _tree(self, scene: Scene) -> Tree:
        return self._keep(("tree", scene.number), lambda: Tree(self._walk.trace, scene))

    def _nodes(self, scene: Scene) -> Nodes:
        return self._keep(
            ("graph", scene.number), lambda: Nodes(self._walk.trace, scene)
        )

    def _keep(self, key: Hashable, make: Callable[[], Made]) -> Made:
        if key not in self._kept:
            self._kept[key] = make()
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        found: Made = self._kept[key]  # type: ignore[assignment]
        return found
