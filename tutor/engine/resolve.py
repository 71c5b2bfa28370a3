"""The recorder's notes made into the trace's events: texts, names, the written order."""

from collections.abc import Iterator
from typing import Any

from tutor.engine import naming
from tutor.engine.calls import as_written, output_name
from tutor.engine.drafts import (
    Drafts,
    LeafNote,
    NodeNote,
    OpNote,
    PassNote,
    Ran,
    Replay,
    ValueNote,
)
from tutor.engine.source import Site
from tutor.engine.taken import Taken
from tutor.graph.trace import (
    Argument,
    BackwardNode,
    Const,
    Contribution,
    Event,
    GraphNode,
    Items,
    LeafGradient,
    Op,
    Pass,
    Ref,
    Summary,
    Value,
)

REPLAY_LIMIT = 4096
"""An op with up to this many elements can be run again for its rule."""
REPLAYS_AT_MOST = 1000
"""So many are; a longer trace has rules for its first ops."""
_ITEMS_SHOWN = 32
_TEXT_SHOWN = 60
_NOT_AGAIN = frozenset(["inplace", "random", "creation", "unseen", "opaque"])


def events(drafts: Drafts) -> Iterator[Event]:
    """All but the rules. Values come first, then ops, passes, the graph, its runs."""
    _name(drafts)
    for note in drafts.values:
        yield value(note)
    for op in drafts.ops:
        yield _op(drafts, op)
    for begun in drafts.passes:
        yield _pass(drafts, begun)
    for node in drafts.nodes:
        yield _graph_node(node)
    for ran in drafts.ran:
        yield _ran(drafts, ran)
    for leaf in drafts.leaves:
        yield _leaf(leaf)


def replays(drafts: Drafts) -> Iterator[Replay]:
    """The ops that can be run again, with copies of their arguments."""
    count = 0
    for op in drafts.ops:
        found = replay(op)
        if found is not None:
            yield found
            count += 1
            if count >= REPLAYS_AT_MOST:
                return


def replay(op: OpNote) -> Replay | None:
    """None: it cannot be run again."""
    if op.function is None or _NOT_AGAIN & set(op.flags):
        return None
    held = [*_notes(op.arguments), *_notes(list(op.keywords.values()))]
    if not any(each.requires_grad for each in op.outputs) or _has_text(
        (op.arguments, list(op.keywords.values()))
    ):
        return None
    if sum(_count(each.taken) for each in (*op.outputs, *held)) > REPLAY_LIMIT:
        return None
    try:
        args = [_again(each) for each in op.arguments]
        keywords = {name: _again(each) for name, each in op.keywords.items()}
    except _GoneError:
        return None
    return Replay(op.id, op.function, op.kind.name, args, keywords)


class _GoneError(Exception):
    """A tensor's values were not kept."""


def _again(noted: Any) -> Any:
    if isinstance(noted, ValueNote):
        tensor = noted.taken.tensor_again()
        if tensor is None:
            raise _GoneError
        return tensor.requires_grad_(noted.requires_grad)
    if isinstance(noted, list):
        return [_again(each) for each in noted]
    return noted


def _notes(held: Any) -> Iterator[ValueNote]:
    if isinstance(held, ValueNote):
        yield held
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from _notes(each)


def _has_text(held: Any) -> bool:
    """Whether something is there only as a text."""
    if isinstance(held, (list, tuple)):
        return any(_has_text(each) for each in held)
    return isinstance(held, Const)


def _count(taken: Taken) -> int:
    shape = taken.shape if taken.tensor is None else taken.tensor.shape
    count = 1
    for each in shape:
        count *= each
    return count


# -------------------------------------------------------------------------------- names


def _name(drafts: Drafts) -> None:
    """Values are called what the code binds them to."""
    for op in drafts.ops:
        if op.place is None or op.place[1]:
            continue
        if "unseen" in op.flags or op.kind.name in naming.SET:
            continue
        site = drafts.sources.site(op.place)
        for port, value in enumerate(op.outputs):
            name = output_name(site, port)
            value.name = name if name is not None else value.name
    for value, port, place in drafts.returned:
        if value.name is None:
            value.name = output_name(drafts.sources.site(place), port)
    _keep_names(drafts.values)
    for value in drafts.values:
        owner = value.gradient_of
        if value.name is None and owner is not None and owner.name is not None:
            value.name = f"{owner.name}.grad"


def _keep_names(values: list[ValueNote]) -> None:
    """What is written into a tensor later leaves it its name."""
    last: dict[int, str] = {}
    for value in values:
        if value.name is None:
            value.name = last.get(value.tensor)
        else:
            last[value.tensor] = value.name


# ------------------------------------------------------------------------------- events


def value(note: ValueNote) -> Value:
    """The event of a note whose tensor's summary can be read."""
    taken = note.taken
    return Value(
        id=note.id,
        tensor=note.tensor,
        version=note.version,
        name=note.name,
        role=note.role,
        op=note.op,
        port=note.port,
        summary=taken.summary,
        device=str(taken.device),
        requires_grad=note.requires_grad,
        is_leaf=note.is_leaf,
        output_of=note.output_of,
    )


def _op(drafts: Drafts, note: OpNote) -> Op:
    place = note.place
    site: Site | None = None if place is None else drafts.sources.site(place)
    inside = place is not None and place[1]
    arguments = [_argument(each) for each in note.arguments]
    own = "unseen" in note.flags
    return Op(
        id=note.id,
        at=note.at,
        function=note.kind.name,
        symbol=naming.symbol(note.kind.name, note.arguments),
        label="" if site is None or inside or own else site.label,
        arguments=as_written(note, arguments, site),
        keywords={name: _argument(each) for name, each in note.keywords.items()},
        outputs=tuple(each.id for each in note.outputs),
        source=None if site is None else site.source,
        module=note.module if isinstance(note.module, str) else "",
        calls=() if site is None else site.calls,
        flags=tuple(note.flags),
        microseconds=note.nanoseconds / 1000,
        error=note.error,
    )


def _argument(noted: Any) -> Argument:
    if isinstance(noted, ValueNote):
        return Ref(noted.id)
    if noted is None or isinstance(noted, (bool, int, float, str)):
        return Const(noted)
    if isinstance(noted, Const):
        return noted
    if isinstance(noted, (list, tuple)):
        items = [_argument(each) for each in noted[:_ITEMS_SHOWN]]
        if len(noted) > _ITEMS_SHOWN:
            items.append(Const("…"))
        return Items(tuple(items))
    return Const(repr(noted)[:_TEXT_SHOWN])


def _pass(drafts: Drafts, note: PassNote) -> Pass:
    source = None if note.place is None else drafts.sources.site(note.place).source
    kind = "grad" if note.kind == "grad" else "backward"
    return Pass(note.number, note.at, note.root, kind, note.retains, source, note.error)  # type: ignore[arg-type]


def _graph_node(note: NodeNote) -> GraphNode:
    ahead = tuple(-1 if edge is None else edge[0] for edge in note.edges)
    saved = {name: _argument(each) for name, each in note.saved.items()}
    leaf = None if note.leaf is None else note.leaf.id
    return GraphNode(note.id, note.op, note.name, leaf, ahead, saved)


def _ran(drafts: Drafts, ran: Ran) -> BackwardNode:
    at, number, node, arrived, sent = ran
    note = drafts.nodes[node]
    contributions = []
    for port, (edge, taken) in enumerate(zip(note.edges, sent, strict=False)):
        if edge is None:
            continue
        is_leaf = drafts.nodes[edge[0]].leaf is not None
        to = None if edge[1] is None else edge[1].id
        contributions.append(
            Contribution(port, to, None if is_leaf else edge[0], _summary(taken))
        )
    outputs = [note.outputs.get(port) for port in range(len(arrived))]
    return BackwardNode(
        number=number,
        at=at,
        op=note.op,
        node=note.name,
        node_id=node,
        of=tuple(None if each is None else each.id for each in outputs),
        upstream=tuple(_summary(taken) for taken in arrived),
        contributions=tuple(contributions),
    )


def _leaf(note: LeafNote) -> LeafGradient:
    number, at, leaf, before, add, after = note
    return LeafGradient(
        number, at, leaf.id, _summary(before), add.summary, after.summary
    )


def _summary(taken: Taken | None) -> Summary | None:
    return None if taken is None else taken.summary
