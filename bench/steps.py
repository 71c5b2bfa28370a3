"""A step in the stepper: move, window, layout, drawing and card, as graphs grow.

Milliseconds of the processor, so that other work on the machine counts little.

The peer is the same walk with the whole graph laid out at every step, as long as that
takes less than a few seconds; and networkx's layout of columns, where it is installed.
"""

import contextlib
import functools
import random
import time
from collections.abc import Callable, Iterator, Sequence

from bench.figure import Figure, quantile
from tutor import wire
from tutor.graph import explain
from tutor.graph.draw import Sketch
from tutor.graph.minimap import minimap
from tutor.graph.requests import TraceRequest
from tutor.graph.steps import Walk, walk
from tutor.graph.trace import Trace, assemble, parts
from tutor.graph.views import View, Views

SIZES = (10, 1000, 10_000, 20_000)
ROOM = (80, 14)
STEP_LIMIT_MS = 16.0
FIRST_LIMIT_MS = 300.0
_STEPS = 400
_WHOLE_AT_MOST = 100
"""Ops of a graph that the peer lays out as a whole."""


def run() -> list[Figure]:
    """Every size: steps in a row and jumps; then what comes before the first screen."""
    figures = []
    for size in SIZES:
        trace = traced(size)
        figures += steps(trace)
        if size == 10_000:
            figures += first(trace)
    return figures


def traced(size: int) -> Trace:
    """About so many ops with values read again later, recorded from real code."""
    from tutor.engine.trace import record

    code = "\n".join(_program(size))
    return record(TraceRequest(code, {"x": 0.5, "w": 0.25}))


def _program(size: int) -> Iterator[str]:
    yield "import random"
    yield "rng = random.Random(0)"
    yield "h = [x, w]"
    yield f"while len(h) < {max(4, int(size / 1.125))}:"
    yield "    a = h[-1] if rng.random() < 0.8 else h[-min(len(h), rng.randint(1, 5))]"
    yield "    h.append(torch.sin(a + rng.choice(h[-4:])) if len(h) % 8 == 0 else a * 0.9)"
    yield "f = h[-1] + x"


def steps(trace: Trace) -> list[Figure]:
    """Steps in a row from some places, and jumps to any; a peer alternates with them."""
    walked = walk(trace)
    places = list(_places(len(walked.steps)))
    ours = _Ours(walked)
    others = _Whole(walked) if len(trace.ops) <= _WHOLE_AT_MOST else None
    mine: list[float] = []
    theirs: list[float] = []
    for place in places:
        mine.append(_milliseconds(lambda place=place: ours.show(place)))
        if others is not None:
            theirs.append(_milliseconds(lambda place=place: others.show(place)))
    p50, p99 = quantile(mine, 0.5), quantile(mine, 0.99)
    other = quantile(theirs, 0.99) if theirs else _columns(trace)
    named = "the whole graph laid out" if theirs else _PEER
    return [
        Figure(
            f"step p99, {len(trace.ops)} ops",
            p99,
            other,
            "ms",
            f"{STEP_LIMIT_MS:.0f} ms",
            p99 < STEP_LIMIT_MS,
            f"p50 {p50:.1f} ms of {len(mine)}; other: {named}",
        )
    ]


_PEER = "networkx's columns of the whole graph, no rows, no wires, not drawn"


class _Ours:
    """What the screen does at a step."""

    def __init__(self, walked: Walk) -> None:
        self._walk = walked
        self._views = Views(walked)

    def show(self, place: int) -> None:
        self._views.drawing(place, View(), ROOM)
        explain.card(self._walk, place)
        minimap(self._walk, place, ROOM[0])


class _Whole:
    """The same without windows, and nothing kept."""

    def __init__(self, walked: Walk) -> None:
        self._walk = walked

    def show(self, place: int) -> None:
        Sketch(self._walk, self._walk.scene(place)).draw(place)
        explain.card(self._walk, place)


def _places(last: int) -> Iterator[int]:
    rng = random.Random(1)
    for begin in (0, last // 3, last // 2, 3 * last // 4):
        yield from range(begin, min(begin + _STEPS // 4, last) + 1)
    for _ in range(_STEPS // 4):
        yield rng.randint(0, last)


def _columns(trace: Trace) -> float | None:
    """networkx's multipartite layout, once; None where it is not installed."""
    with contextlib.suppress(ImportError):
        import networkx

        graph = networkx.DiGraph()
        for op in trace.ops:
            graph.add_node(op.id)
        made = {output: op.id for op in trace.ops for output in op.outputs}
        from tutor.graph import names

        for op in trace.ops:
            graph.add_edges_from(
                (made[value], op.id) for value in names.tensors(op) if value in made
            )
        for column, nodes in enumerate(networkx.topological_generations(graph)):
            for node in nodes:
                graph.nodes[node]["subset"] = column
        return _milliseconds(lambda: networkx.multipartite_layout(graph))
    return None


def first(trace: Trace) -> list[Figure]:
    """From JSON to the trace, and from the trace to its first screen; medians of 5."""
    texts = [wire.dumps(wire.Message("1", 0, part)) for part in parts(trace)]
    json_ms, decode_ms, screen_ms = [], [], []
    for _ in range(5):
        raws = []
        json_ms.append(_milliseconds(functools.partial(_parse, texts, raws)))
        decode_ms.append(_milliseconds(lambda raws=raws: _decode(raws)))
        screen_ms.append(_milliseconds(lambda: _Ours(walk(trace)).show(0)))
    screen, decode, bare = (
        quantile(times, 0.5) for times in (screen_ms, decode_ms, json_ms)
    )
    return [
        Figure(
            f"first screen, {len(trace.ops)} ops",
            screen,
            None,
            "ms",
            f"{FIRST_LIMIT_MS:.0f} ms",
            screen < FIRST_LIMIT_MS,
            "from a decoded trace: walk, window, drawing, card, minimap",
        ),
        Figure(
            f"reading a trace, {len(trace.ops)} ops",
            decode,
            bare,
            "ms",
            "4x",
            decode <= 4 * bare,
            f"{sum(map(len, texts)) / 1e6:.0f} MB; other: json.loads of the same text",
        ),
    ]


def _parse(texts: Sequence[str], into: list[object]) -> None:
    import json

    into += [json.loads(text) for text in texts]


def _decode(raws: Sequence[object]) -> None:
    assemble(wire.decode(raw).body for raw in raws)


def _milliseconds(work: Callable[[], object]) -> float:
    """Of the processor: what others do on the machine meanwhile does not count."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    from bench.figure import table

    print(table(run()))
