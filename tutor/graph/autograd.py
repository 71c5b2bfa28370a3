"""torch's own graph as a picture: AddBackward0 -> MulBackward0 -> AccumulateGrad. Pure.

It is drawn as the gradient runs, from the output on the left to the leaves on the right.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tutor.graph import names, numbers
from tutor.graph.canvas import Style
from tutor.graph.labels import Detail, State, Told
from tutor.graph.picture import Box, Edge, Picture
from tutor.graph.steps import Scene, Walk
from tutor.graph.trace import BackwardNode, Const, GraphNode, Items, Ref, Summary, Trace

NOWHERE = "no node"
"""Where the gradient of a constant would go."""
_SAVED_ROOM = 24
_NUMBER_ROOM = {"full": 16, "short": 8, "none": 0}


class Nodes:
    """The nodes of one scene, numbered from the output on."""

    def __init__(self, trace: Trace, scene: Scene) -> None:
        self._graph = trace.graph
        self._order = _ordered(trace, scene)
        self._place = {node: place for place, node in enumerate(self._order)}
        self._from: dict[int, list[int]] = {}
        for place, node in enumerate(self._order):
            for other in self._graph[node].next:
                if other in self._place:
                    self._from.setdefault(self._place[other], []).append(place)
        self._of_op: dict[int, list[int]] = {}
        self._of_leaf: dict[int, int] = {}
        self._runs = {
            run.node_id: run for run in trace.nodes if run.number == scene.number
        }
        for place, node in enumerate(self._order):
            found = self._graph[node]
            if found.op is not None:
                self._of_op.setdefault(found.op, []).append(place)
            elif found.leaf is not None:
                self._of_leaf[trace.values[found.leaf].tensor] = place

    def __len__(self) -> int:
        return len(self._order)

    def node(self, place: int) -> GraphNode:
        """The node with that number in the scene."""
        return self._graph[self._order[place]]

    def place(self, node: int) -> int | None:
        """The number of a node of the graph; None: the scene has it not."""
        return self._place.get(node)

    def before(self, place: int) -> Sequence[int]:
        """The nodes that send to it."""
        return self._from.get(place, [])

    def after(self, place: int) -> Sequence[int]:
        """The nodes it sends to."""
        found = (self._place.get(each) for each in self.node(place).next)
        return [each for each in found if each is not None]

    def of_op(self, op: int) -> int | None:
        """The first node of an op."""
        found = self._of_op.get(op)
        return found[0] if found else None

    def run(self, node: int) -> BackwardNode | None:
        """What torch's engine did at a node in the scene's pass; None: nothing."""
        return self._runs.get(node)

    def of_leaf(self, tensor: int) -> int | None:
        """The node that accumulates into a tensor's gradient."""
        return self._of_leaf.get(tensor)

    def inside(self, op: int) -> Sequence[int]:
        """All nodes of an op."""
        return self._of_op.get(op, [])


def _ordered(trace: Trace, scene: Scene) -> list[int]:
    """The nodes of the scene's ops and what they send to: senders first."""
    ops = set(scene.ops)
    starts = [node.id for node in trace.graph if node.op in ops]
    done: set[int] = set()
    found: list[int] = []
    for start in reversed(starts):
        stack: list[tuple[int, Iterator[int]]] = []
        if start not in done:
            done.add(start)
            stack.append((start, iter(trace.graph[start].next)))
        while stack:
            node, following = stack[-1]
            other = next((n for n in following if n >= 0 and n not in done), None)
            if other is None:
                found.append(node)
                stack.pop()
            else:
                done.add(other)
                stack.append((other, iter(trace.graph[other].next)))
    found.reverse()
    return found


def title(node: GraphNode) -> str:
    """torch's name without its namespace."""
    return node.name.rpartition("::")[2]


def part(
    walk: Walk, nodes: Nodes, chosen: Sequence[int], *, saved: bool = True
) -> Picture:
    """The chosen nodes, and by name what they send to and get from outside of them."""
    shown = set(chosen)
    boxes: dict[str, Box] = {}
    edges: list[Edge] = []
    slots: dict[str, int] = {}

    def connect(source: str, port: int, target: str, node: GraphNode) -> None:
        slot = slots.get(target, 0)
        slots[target] = slot + 1
        op = -1 if node.op is None else node.op
        edges.append(Edge(source, port, target, slot, op, port, node.id))

    for place in chosen:
        node = nodes.node(place)
        outside = [each for each in nodes.before(place) if each not in shown]
        if outside:
            other = nodes.node(outside[0])
            text = title(other) if len(outside) == 1 else f"+{len(outside)} more"
            key = f"from {node.id}"
            boxes[key] = Box(
                key, text, None, None, 0, (), "", "bare", node=other.id, ports=1
            )
            connect(key, 0, f"node {node.id}", other)
    for place in chosen:
        node = nodes.node(place)
        key = f"node {node.id}"
        boxes[key] = _box(walk.trace, node, saved)
        for port, following in enumerate(node.next):
            at = nodes.place(following)
            target = f"node {following}"
            if at is None or at not in shown:
                target = f"to {node.id} {port}"
                text = NOWHERE if following < 0 else _called(walk.trace, following)
                boxes[target] = Box(target, text, None, None, 1, (), "", "bare")
            connect(key, port, target, node)
    found = [replace(box, inputs=slots.get(box.key, 0)) for box in boxes.values()]
    return Picture(tuple(found), tuple(edges))


def _box(trace: Trace, node: GraphNode, saved: bool) -> Box:
    beside = ""
    if node.leaf is not None:
        beside = names.name(trace, node.leaf)
    elif saved:
        beside = ", ".join(_saved(trace, node.saved))
    if len(beside) > _SAVED_ROOM:
        beside = beside[: _SAVED_ROOM - 1] + "…"
    return Box(
        f"node {node.id}", title(node), node.op, None, 0, (),
        f"({beside})" if beside else "", node=node.id, ports=len(node.next),
    )  # fmt: skip


def _called(trace: Trace, node: int) -> str:
    found = trace.graph[node]
    if found.leaf is None:
        return title(found)
    return f"{title(found)} {names.name(trace, found.leaf)}"


def _saved(trace: Trace, saved: Mapping[str, Ref | Const | Items]) -> Iterable[str]:
    """Like "self=x", "exponent=2": what is short enough to be told."""
    for name, kept in saved.items():
        if isinstance(kept, Ref):
            yield f"{name}={names.name(trace, kept.value)}"
        elif isinstance(kept, Const) and kept.value is not None:
            value = kept.value
            if isinstance(value, float):
                value = numbers.number(value)
            yield f"{name}={value}"


class Sending:
    """The story of torch's nodes in one pass."""

    def __init__(
        self, walk: Walk, scene: Scene, nodes: Nodes, detail: Detail = "full"
    ) -> None:
        self._walk = walk
        self._scene = scene
        self._nodes = nodes
        self._detail: Detail = detail

    def state(self, box: Box, place: int) -> State:
        if box.node is None or box.shape == "bare":
            return "done"
        step = self._walk.step(place)
        node = self._walk.trace.graph[box.node]
        if step is not None and step.number in (0, self._scene.number):
            if step.op is not None and step.op == node.op:
                return "now"
            if step.kind == "leaf" and self._is_leaf(node, step.value):
                return "now"
        return "done" if self._is_done(node, place) else "todo"

    def _is_leaf(self, node: GraphNode, value: int | None) -> bool:
        values = self._walk.trace.values
        if node.leaf is None or value is None:
            return False
        return values[node.leaf].tensor == values[value].tensor

    def _is_done(self, node: GraphNode, place: int) -> bool:
        number = self._scene.number
        if node.leaf is not None:
            at = self._walk.sum_place.get((number, node.leaf))
            return at is not None and place >= at
        if node.op is None:
            return False
        merged = self._walk.passes.get((number, node.op))
        if merged is None:
            return False
        places = (
            self._walk.edge_place.get((number, node.op, sent.position))
            for sent in merged.sent
        )
        last = max((each for each in places if each is not None), default=None)
        arrived = self._walk.sum_place.get((number, merged.of))
        end = last if last is not None else arrived
        return end is not None and place >= end

    def wire(self, edge: Edge, place: int) -> Style | None:
        node = self._walk.trace.graph[edge.value]
        # Its head is where the gradient goes, so it is no arrow turned round.
        return "wire" if self._is_done(node, place) else "todo"

    def end(self, box: Box, port: int, place: int) -> Style | None:
        return None

    def beside(self, box: Box, place: int) -> Style:
        return "const"

    def told(self, box: Box, port: int, place: int) -> Told:
        if box.node is None or box.shape == "bare" or self._detail == "none":
            return Told()
        node = self._walk.trace.graph[box.node]
        if not self._is_done(node, place):
            return Told()
        return Told(self._number(node, port), "", "grad")

    def room(self, box: Box) -> int:
        if box.node is None or box.shape == "bare" or self._detail == "none":
            return 0
        node = self._walk.trace.graph[box.node]
        ports = range(len(node.next))
        return max((len(self._number(node, port)) for port in ports), default=0)

    def _number(self, node: GraphNode, port: int) -> str:
        found = self._sent(node, port)
        if found is None:
            return ""
        return numbers.tensor(found, _NUMBER_ROOM[self._detail], 4)

    def _sent(self, node: GraphNode, port: int) -> Summary | None:
        run = self._nodes.run(node.id)
        if run is None:
            return None
        return next(
            (sent.gradient for sent in run.contributions if sent.port == port), None
        )
