"""What one picture of a trace holds: boxes, edges and constants beside their op. Pure.

Where they stand is `layout`'s, how they look at a step is `draw`'s.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tutor.graph import names, numbers
from tutor.graph.steps import Scene, is_input
from tutor.graph.trace import Const, Items, Op, Ref, Trace, Value
from tutor.graph.units import Units, readers

_ARITHMETIC = frozenset(["add", "sub", "rsub", "mul", "div", "rdiv", "rpow", "pow"])
_SATELLITE_LIMIT = 24
_INPUTS_AT_MOST = 6
"""Wires into one box; of more inputs the rest is one wire."""
_OUTPUTS_AT_MOST = 4

Shape = Literal["box", "row", "bare"]
"""A border of three rows or more, brackets on one row, or text alone."""


@dataclass(frozen=True, slots=True)
class Box:
    """An op, a tensor that was there before, a group of ops, or what is cut off."""

    key: str
    """"op 3", "value 0", "group net.0", "more ..."; op and value give the number."""
    text: str
    op: int | None
    value: int | None
    inputs: int
    """How many edges lead to it."""
    outputs: tuple[int, ...]
    """The values it gives, one place for each on its right side."""
    beside: str
    """The constants and parameters it takes, like "(3)"; "": none."""
    shape: Shape = "box"
    ops: tuple[int, ...] = ()
    """Of a group: what it stands for; of what is cut off: who reads it first."""
    node: int | None = None
    """Of torch's own graph."""
    ports: int = 0
    """Places on its right side with one label each, where these are no outputs."""

    @property
    def exits(self) -> int:
        return self.ports or len(self.outputs)


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
    """All boxes and edges of a scene, an op a box."""
    units = Units(trace, scene, readers(trace))
    return part(units, range(len(units)))


def part(units: Units, chosen: Sequence[int], shape: Shape = "box") -> Picture:
    """The chosen units, and where their wires are cut off."""
    return _Drafting(units, chosen, shape).picture()


class _Drafting:
    """Collects the boxes and edges of one picture."""

    def __init__(self, units: Units, chosen: Sequence[int], shape: Shape) -> None:
        self._units = units
        self._trace = units.trace
        self._chosen = chosen
        self._shape: Shape = shape
        self._shown = set(chosen)
        self._boxes: dict[str, Box] = {}
        self._edges: list[Edge] = []
        self._outputs: dict[int, tuple[int, ...]] = {}
        """By unit."""

    def picture(self) -> Picture:
        for unit in self._chosen:
            self._add(unit)
        for unit in self._chosen:
            if len(self._chosen) < len(self._units):
                self._cut_after(unit)
        root = self._units.scene.root
        if not self._boxes and root is not None:
            self._leaf(self._trace.values[root])
        return Picture(tuple(self._boxes.values()), tuple(self._edges))

    def _add(self, unit: int) -> None:
        key = self._units.key(unit)
        beside: list[str] = []
        taken: list[tuple[int, int, int]] = []
        """Op, position and value of what comes by wire."""
        for op, position, argument in self._arguments(unit):
            if isinstance(argument, Const):
                beside.append(_constant(argument))
            elif self._has_wire(argument.value):
                taken.append((op, position, argument.value))
            else:
                beside.append(_outside(self._trace, op, argument.value))
        slots = self._wires(key, taken)
        self._boxes[key] = self._unit_box(unit, key, slots, beside)

    def _arguments(self, unit: int) -> Iterable[tuple[int, int, Ref | Const]]:
        """What a unit takes: of an op all there is, of a group each value once."""
        members = self._units.members(unit)
        if self._units.group(unit) is None:
            op = self._trace.ops[members[0]]
            for position, argument in _arguments(op):
                yield op.id, position, argument
            return
        wanted = {value for value in self._units.inputs(unit) if self._has_wire(value)}
        for member in members:
            for position, value in enumerate(names.tensors(self._trace.ops[member])):
                if value in wanted:
                    wanted.remove(value)
                    yield member, position, Ref(value)

    def _has_wire(self, value: int) -> bool:
        return self._units.maker(value) is not None or is_input(self._trace, value)

    def _wires(self, key: str, taken: Sequence[tuple[int, int, int]]) -> int:
        """Draw what comes; how many wires that makes. What is cut off shares one."""
        is_cut = [self._is_cut(value) for _, _, value in taken]
        if len(taken) - sum(is_cut) + any(is_cut) > _INPUTS_AT_MOST:
            place = 0
            for number, cut in enumerate(is_cut):
                place += not cut
                is_cut[number] = cut or place >= _INPUTS_AT_MOST
        slot, more = 0, None
        for cut, (op, position, value) in zip(is_cut, taken, strict=True):
            if cut and more is not None:
                continue
            if cut:
                more = self._cut_before(key, taken, is_cut)
                source, port = more, 0
            else:
                source, port = self._source(value)
            self._edges.append(Edge(source, port, key, slot, op, position, value))
            slot += 1
        return slot

    def _is_cut(self, value: int) -> bool:
        maker = self._units.maker(value)
        return maker is not None and maker not in self._shown

    def _source(self, value: int) -> tuple[str, int]:
        """The box and the place on it where a value comes from."""
        found = self._trace.values[value]
        maker = self._units.maker(value)
        if maker is None:
            return self._leaf(found), 0
        return self._units.key(maker), self._port(maker, value)

    def _port(self, unit: int, value: int) -> int:
        outputs = self._outputs_of(unit)
        place = outputs.index(value) if value in outputs else len(outputs) - 1
        return min(place, _OUTPUTS_AT_MOST - 1)

    def _outputs_of(self, unit: int) -> tuple[int, ...]:
        if unit not in self._outputs:
            self._outputs[unit] = self._units.outputs(unit)
        return self._outputs[unit]

    def _leaf(self, value: Value) -> str:
        key = f"value {value.id}"
        if key not in self._boxes:
            text = names.name(self._trace, value.id)
            self._boxes[key] = Box(
                key, text, None, value.id, 0, (value.id,), "", self._shape
            )
        return key

    def _cut_before(
        self,
        target: str,
        taken: Sequence[tuple[int, int, int]],
        is_cut: Sequence[bool],
    ) -> str:
        values = [each[2] for each, cut in zip(taken, is_cut, strict=True) if cut]
        key = f"more before {target}"
        text = _more(len(values))
        self._boxes[key] = Box(key, text, None, None, 0, tuple(values[:1]), "", "bare")
        return key

    def _cut_after(self, unit: int) -> None:
        """What leads on to units that are not in the picture: one wire for a value."""
        key = self._units.key(unit)
        for value in self._outputs_of(unit):
            away = {
                self._units.of(op): op
                for op in reversed(self._units.readers(unit, value))
                if self._units.of(op) not in self._shown
            }
            if not away:
                continue
            port = self._port(unit, value)
            more = f"more after {key} {port}"
            if more in self._boxes:
                continue
            reader = away[min(at for at in away if at is not None)]
            position = names.tensors(self._trace.ops[reader]).index(value)
            text = _more(len(away))
            self._boxes[more] = Box(
                more, text, None, None, 1, (), "", "bare", (reader,)
            )
            self._edges.append(Edge(key, port, more, 0, reader, position, value))

    def _unit_box(self, unit: int, key: str, slots: int, beside: Sequence[str]) -> Box:
        outputs = self._outputs_of(unit)[:_OUTPUTS_AT_MOST]
        members = tuple(self._units.members(unit))
        group = self._units.group(unit)
        if group is not None:
            return Box(
                key, group.name, None, None, slots, outputs, "", self._shape, members
            )
        op = self._trace.ops[members[0]]
        text = _satellite(beside) if self._shape == "box" else ""
        return Box(key, op.symbol, op.id, None, slots, outputs, text, self._shape)


def _more(count: int) -> str:
    return f"+{count} more"


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


def _satellite(beside: Sequence[str]) -> str:
    text = ", ".join(beside)
    if text and not (len(beside) == 1 and text.startswith("(")):
        text = f"({text})"
    if len(text) > _SATELLITE_LIMIT:
        text = f"({beside[0]}, …)" if len(beside) > 1 else text[: _SATELLITE_LIMIT - 1]
    return text


def _constant(argument: Const) -> str:
    assert isinstance(argument.value, (int, float))
    return numbers.number(argument.value)


def _outside(trace: Trace, op: int, value: int) -> str:
    """A name without the module that the op runs in, or the numbers."""
    found = trace.values[value]
    if found.name is not None:
        return found.name.removeprefix(f"{trace.ops[op].module}.")
    return numbers.tensor(found.summary, 12)
