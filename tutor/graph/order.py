"""In which order a backward pass is walked: the engine's, or the slides'. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import attrgetter

from tutor.graph.backward import OpBackward
from tutor.graph.trace import LeafGradient, Trace

Event = OpBackward | LeafGradient


def engine(ops: Sequence[OpBackward], leaves: Sequence[LeafGradient]) -> list[Event]:
    """As torch ran them."""
    return sorted([*ops, *leaves], key=attrgetter("at"))


def slide(
    trace: Trace, ops: Sequence[OpBackward], leaves: Sequence[LeafGradient]
) -> list[Event]:
    """Depth first, the operand written first before the second; sums are waited for."""
    makers = {each.op: each for each in ops}
    targets: dict[int, list[int | str]] = {}
    keys: dict[int | str, Event] = {}
    for leaf in leaves:
        keys[f"leaf {trace.values[leaf.value].tensor}"] = leaf
    for op in ops:
        keys[op.op] = op
        targets[op.op] = list(dict.fromkeys(_keys(trace, op, makers)))
    waiting = Counter(key for found in targets.values() for key in found)
    stack: list[int | str] = [op.op for op in reversed(ops) if not waiting[op.op]]
    ordered = []
    while stack:
        key = stack.pop()
        if key in keys:
            ordered.append(keys.pop(key))
        ready = []
        for target in targets.get(key, []) if isinstance(key, int) else []:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
        stack += reversed(ready)
    return ordered + engine(
        [each for each in keys.values() if isinstance(each, OpBackward)],
        [each for each in keys.values() if isinstance(each, LeafGradient)],
    )


def _keys(
    trace: Trace, op: OpBackward, makers: dict[int, OpBackward]
) -> Iterator[int | str]:
    for sent in op.sent:
        value = trace.values[sent.to]
        if value.op is not None and value.op in makers:
            yield value.op
        else:
            yield f"leaf {value.tensor}"
