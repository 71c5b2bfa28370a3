"""What one picture of a trace holds: boxes, edges and constants beside their op. Pure.

Where they stand is `layout`'s, how they look at a step is `draw`'s.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tutor.graph import names, numbers
from tutor.graph.steps import Scene, is_input
from tutor.graph.trace import Const, Items, Op, Ref, Trace, Value

_ARITHMETIC = frozenset(["add", "sub", "rsub", "mul", "div", "rdiv", "rpow", "pow"])
_SATELLITE_LIMIT = 24


@dataclass(frozen=True, slots=True)
class Box:
    """An op, or a tensor that was there before."""

    key: str
    """"op 3" or "value 0"; op and value give the number."""
    text: str
    op: int | None
    value: int | None
    inputs: int
    """How many edges lead to it."""
    outputs: tuple[int, ...]
    """The values it gives, one place for each on its right side."""
    beside: str
    """The constants and parameters it takes, like "(3)"; "": none."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A value on its way to one input of an op."""

    source: str
    port: int
    """Which of the source's outputs."""
    target: str
    slot: int
    """Which of the target's drawn inputs."""
    op: int
    position: int
    """Which of the op's tensor arguments."""
    value: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The graph of a scene, in the order in which it came to be."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def picture(trace: Trace, scene: Scene) -> Picture:
    """The boxes and edges of a scene."""
    shown = set(scene.ops)
    boxes: dict[str, Box] = {}
    edges: list[Edge] = []
    for number in scene.ops:
        op = trace.ops[number]
        slots = 0
        beside: list[str] = []
        for position, argument in _arguments(op):
            if isinstance(argument, Const):
                beside.append(_constant(argument))
                continue
            value = trace.values[argument.value]
            source = _source(trace, value, shown)
            if source is None:
                beside.append(_outside(trace, value))
                continue
            if source.key not in boxes:
                boxes[source.key] = source
            port = value.port if source.op is not None else 0
            target = f"op {number}"
            edge = Edge(source.key, port, target, slots, number, position, value.id)
            edges.append(edge)
            slots += 1
        boxes[f"op {number}"] = _op_box(op, slots, beside)
    if not boxes and scene.root is not None:
        leaf = _source(trace, trace.values[scene.root], shown)
        if leaf is not None:
            boxes[leaf.key] = leaf
    return Picture(tuple(boxes.values()), tuple(edges))


def _arguments(op: Op) -> Iterable[tuple[int, Ref | Const]]:
    """The tensor arguments with their positions, and the constants worth drawing."""
    arithmetic = op.function.rstrip("_") in _ARITHMETIC
    folded = op.function.rstrip("_") == "pow"  # x**2 is "sqr"
    position = 0
    waiting = [*op.arguments, *op.keywords.values()]
    while waiting:
        argument = waiting.pop(0)
        if isinstance(argument, Items):
            waiting = [*argument.items, *waiting]
        elif isinstance(argument, Ref):
            yield position, argument
            position += 1
        elif arithmetic and not folded and _is_number(argument):
            yield -1, argument


def _is_number(argument: Const) -> bool:
    value = argument.value
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _source(trace: Trace, value: Value, shown: set[int]) -> Box | None:
    """The box a value comes from; None for what stands beside its op."""
    if value.op in shown and value.op is not None:
        op = trace.ops[value.op]
        return Box(f"op {op.id}", "", op.id, None, 0, op.outputs, "")
    if not is_input(trace, value.id):
        return None
    text = names.name(trace, value.id)
    return Box(f"value {value.id}", text, None, value.id, 0, (value.id,), "")


def _op_box(op: Op, inputs: int, beside: list[str]) -> Box:
    text = ", ".join(beside)
    if text and not (len(beside) == 1 and text.startswith("(")):
        text = f"({text})"
    if len(text) > _SATELLITE_LIMIT:
        text = f"({beside[0]}, …)" if len(beside) > 1 else text[: _SATELLITE_LIMIT - 1]
    return Box(f"op {op.id}", op.symbol, op.id, None, inputs, op.outputs, text)


def _constant(argument: Const) -> str:
    assert isinstance(argument.value, (int, float))
    return numbers.number(argument.value)


def _outside(trace: Trace, value: Value) -> str:
    if value.name is not None:
        return value.name
    return numbers.tensor(value.summary, 12)
