"""What the recorder notes while code runs, and how it becomes the trace's events.

Notes are cheap and may still lack their numbers; `events` is called once, at the end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from tutor.engine.source import Site
from tutor.engine.summary import Taken
from tutor.graph.trace import (
    Argument,
    BackwardNode,
    Contribution,
    Event,
    Flag,
    GraphNode,
    LeafGradient,
    Op,
    Pass,
    Role,
    Source,
    Summary,
    Value,
)


@dataclass(slots=True)
class Call:
    """One call of a torch function, while it lasts."""

    function: Callable[..., Any]
    name: str
    args: Sequence[Any]
    keywords: Mapping[str, Any]
    site: Site | None = None
    arguments: list[Argument] | None = None
    """None: not looked at yet, which must not be late for an in-place op."""
    versions: list[tuple[torch.Tensor, int]] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    microseconds: float = 0.0


@dataclass(slots=True)
class ValueDraft:
    """A `Value` to be."""

    id: int
    tensor: int
    version: int
    name: str | None
    op: int | None
    port: int
    taken: Taken
    device: str
    requires_grad: bool = False
    is_leaf: bool = True
    role: Role = "temporary"


@dataclass(slots=True)
class OpDraft:
    """An `Op` to be."""

    id: int
    at: int
    function: str
    symbol: str
    label: str
    source: Source | None
    module: str
    calls: tuple[str, ...]
    arguments: list[Argument] = field(default_factory=list)
    keywords: dict[str, Argument] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    microseconds: float = 0.0
    error: str | None = None


@dataclass(slots=True)
class Edge:
    """Where a node of torch's graph sends one of its gradients."""

    node: int
    value: int | None
    """None: to another node of the same op."""
    is_leaf: bool = False


@dataclass(slots=True)
class NodeDraft:
    """A node of torch's graph, whether it runs or not."""

    id: int
    op: int | None
    """None: it accumulates into a leaf."""
    name: str
    edges: list[Edge | None] = field(default_factory=list)
    leaf: int | None = None
    """The leaf's value, as last used; None for other nodes."""
    outputs: dict[int, int] = field(default_factory=dict)
    """Output number to the value it carries."""


@dataclass(slots=True)
class PassDraft:
    """A `Pass` to be."""

    number: int
    at: int
    root: int | None


@dataclass(slots=True)
class LeafDraft:
    """A `LeafGradient` to be."""

    number: int
    at: int
    node: int
    before: Taken | None
    add: Taken
    after: Taken


@dataclass(slots=True)
class Replay:
    """An op with copies of its arguments, to be run again for its rule."""

    op: int
    function: Callable[..., Any]
    name: str
    args: list[Any]
    keywords: dict[str, Any]


Ran = tuple[int, int, int, list[Taken | None], list[Taken | None]]
"""When, in which pass, which node, what arrived, what it sent."""


@dataclass(slots=True)
class Drafts:
    """All notes of one recording."""

    values: list[ValueDraft] = field(default_factory=list)
    ops: list[OpDraft] = field(default_factory=list)
    nodes: list[NodeDraft] = field(default_factory=list)
    passes: list[PassDraft] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)
    before: dict[tuple[int, int], Taken | None] = field(default_factory=dict)
    """By pass and node: a leaf's `.grad` while its node runs."""
    leaves: list[LeafDraft] = field(default_factory=list)
    replays: list[Replay] = field(default_factory=list)
    truncated: str | None = None

    def events(self) -> Iterator[Event]:
        """The trace's events but for its rules; the summaries must be fetched."""
        for value in self.values:
            yield self._value(value)
        for op in self.ops:
            yield _op(op)
        for begun in self.passes:
            yield Pass(begun.number, begun.at, begun.root)
        for node in self.nodes:
            yield _graph_node(node)
        for ran in self.ran:
            yield self._node(*ran)
        for leaf in self.leaves:
            to = self.nodes[leaf.node].leaf
            if to is not None:
                before = _summary(leaf.before)
                add, after = leaf.add.summary, leaf.after.summary
                yield LeafGradient(leaf.number, leaf.at, to, before, add, after)

    def _value(self, draft: ValueDraft) -> Value:
        return Value(
            id=draft.id,
            tensor=draft.tensor,
            version=draft.version,
            name=draft.name,
            role=draft.role,
            op=draft.op,
            port=draft.port,
            summary=draft.taken.summary,
            device=draft.device,
            requires_grad=draft.requires_grad,
            is_leaf=draft.is_leaf,
        )

    def _node(
        self,
        at: int,
        number: int,
        node_id: int,
        arrived: list[Taken | None],
        sent: list[Taken | None],
    ) -> BackwardNode:
        draft = self.nodes[node_id]
        contributions = [
            Contribution(
                port, edge.value, None if edge.is_leaf else edge.node, _summary(taken)
            )
            for port, (edge, taken) in enumerate(zip(draft.edges, sent, strict=True))
            if edge is not None
        ]
        return BackwardNode(
            number=number,
            at=at,
            op=draft.op,
            node=draft.name,
            node_id=node_id,
            of=tuple(draft.outputs.get(port) for port in range(len(arrived))),
            upstream=tuple(_summary(taken) for taken in arrived),
            contributions=tuple(contributions),
        )


def _graph_node(draft: NodeDraft) -> GraphNode:
    ahead = tuple(-1 if edge is None else edge.node for edge in draft.edges)
    return GraphNode(draft.id, draft.op, draft.name, draft.leaf, ahead)


def _op(draft: OpDraft) -> Op:
    return Op(
        id=draft.id,
        at=draft.at,
        function=draft.function,
        symbol=draft.symbol,
        label=draft.label,
        arguments=tuple(draft.arguments),
        keywords=draft.keywords,
        outputs=tuple(draft.outputs),
        source=draft.source,
        module=draft.module,
        calls=draft.calls,
        flags=tuple(draft.flags),
        microseconds=draft.microseconds,
        error=draft.error,
    )


def _summary(taken: Taken | None) -> Summary | None:
    return None if taken is None else taken.summary
