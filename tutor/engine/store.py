"""What the kernel keeps of the last traces, to be looked at more closely or run again.

Values of up to 4096 elements are copies. A larger tensor is only referred to: it can be
looked at while it is alive and was not written to.
"""

import itertools
from collections import OrderedDict

import torch

from tutor.engine import resolve
from tutor.engine.drafts import Drafts, Replay
from tutor.engine.reading import alive, readable, real, version_of
from tutor.engine.taken import Taken
from tutor.graph.requests import Looked, TraceLook
from tutor.graph.trace import INLINE, Summary

KEPT = 4
"""So many traces; an older one is forgotten."""
PARTS = 20
"""Of a histogram."""
ROWS_AT_MOST = 200

_numbers = itertools.count(1)
_kept: OrderedDict[str, Drafts] = OrderedDict()


def keep(drafts: Drafts) -> str:
    """Keep what a recording holds; the id to ask for it by."""
    name = f"trace {next(_numbers)}"
    _kept[name] = drafts
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return name


def replay(trace: str, op: int) -> Replay | None:
    """An op with copies of its arguments; None: it cannot be run again."""
    drafts = _kept.get(trace)
    if drafts is None or drafts.without_replays or not 0 <= op < len(drafts.ops):
        return None
    return resolve.replay(drafts.ops[op])


def look(asked: TraceLook) -> Looked:
    """All statistics of one tensor and some of its rows, or why that cannot be."""
    drafts = _kept.get(asked.trace)
    if drafts is None:
        return Looked(None, "The kernel keeps this trace no more: record it again.")
    if not 0 <= asked.value < len(drafts.values):
        return Looked(None, f"The trace has no value {asked.value}.")
    with torch._C.DisableTorchFunction(), torch.no_grad():
        if asked.number:
            taken = _gradient(drafts, asked.value, asked.number)
            if taken is None:
                return Looked(None, f"No gradient reached it in pass {asked.number}.")
            return _looked(taken, None, 0, asked)
        note = drafts.values[asked.value]
        return _looked(note.taken, alive(note.holder), note.version, asked)


def _gradient(drafts: Drafts, value: int, number: int) -> Taken | None:
    for passed, _, leaf, _, added, _ in drafts.leaves:
        if passed == number and leaf.id == value:
            return added
    found = None
    for _, passed, node, arrived, _ in drafts.ran:
        if passed == number:
            for port, taken in enumerate(arrived):
                output = drafts.nodes[node].outputs.get(port)
                if output is not None and output.id == value and taken is not None:
                    found = taken
    return found


def _looked(
    taken: Taken, tensor: torch.Tensor | None, version: int, asked: TraceLook
) -> Looked:
    copy = taken.tensor_again()
    if copy is None:
        if tensor is None and taken.numbers is not None:
            tensor, version = alive(taken.numbers.origin), taken.numbers.version
        if tensor is None:
            return Looked(taken.summary, "The tensor is no longer there.")
        if version_of(tensor) != version:
            return Looked(
                taken.summary, "The tensor was overwritten since it was recorded."
            )
        copy = tensor.detach()
    if not readable(copy):
        return Looked(taken.summary, "Its elements cannot be read.")
    return _told(taken, copy, asked)


def _told(taken: Taken, tensor: torch.Tensor, asked: TraceLook) -> Looked:
    numbers = real(tensor).reshape(-1)
    if numbers.dtype not in (torch.float32, torch.float64):
        numbers = numbers.double()
    finite = numbers[torch.isfinite(numbers)]
    shape = tuple(taken.shape)
    dtype = str(taken.dtype).removeprefix("torch.")
    values = None
    if tensor.numel() <= INLINE:
        values = tuple(map(float, numbers.tolist()))
    low = high = mean = std = None
    histogram: tuple[int, ...] = ()
    if len(finite):
        low, high = (float(each) for each in torch.aminmax(finite))
        mean = float(finite.mean(dtype=torch.float64))
        std = float(finite.double().std(correction=0))
        histogram = _histogram(finite, low, high)
    head = tuple(map(float, numbers[:6].tolist()))
    summary = Summary(
        shape, dtype, values, low, high, mean, len(numbers) - len(finite), head
    )
    return Looked(summary, None, std, histogram, _rows(tensor, asked))


def _histogram(finite: torch.Tensor, low: float, high: float) -> tuple[int, ...]:
    if low == high:
        return (len(finite), *(0,) * (PARTS - 1))
    counts = torch.histc(finite.double().cpu(), PARTS, low, high)
    return tuple(int(each) for each in counts.tolist())


def _rows(tensor: torch.Tensor, asked: TraceLook) -> tuple[tuple[float, ...], ...]:
    """From `start`, along the last two dimensions."""
    if tensor.dim() == 0:
        tensor = tensor.reshape(1)
    start = [*asked.start, *(0,) * tensor.dim()][: tensor.dim()]
    for index in start[:-2] if tensor.dim() > 2 else ():
        tensor = tensor[min(max(index, 0), len(tensor) - 1)]
    if tensor.dim() == 1:
        tensor, start = tensor.reshape(1, -1), [0, start[-1]]
    top, left = (max(each, 0) for each in start[-2:])
    rows = min(asked.rows, ROWS_AT_MOST)
    part = tensor[top : top + rows, left : left + min(asked.columns, ROWS_AT_MOST)]
    if part.is_complex():
        part = part.abs()
    return tuple(tuple(map(float, row)) for row in part.tolist())
