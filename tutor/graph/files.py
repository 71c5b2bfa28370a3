"""A stored trace: JSON, one message a line, read back as far as it goes. Pure.

The first line says what the file is, the second how the trace ended, the others hold
the events. Each op stands behind the values it uses, so what is left of a file that
breaks off can be walked.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tutor.errors import FileError, WireError
from tutor.graph import names
from tutor.graph.trace import (
    VERSION,
    BackwardNode,
    Event,
    GraphNode,
    Op,
    Pass,
    Trace,
    TraceEnd,
    TracePart,
    Value,
    assemble,
)
from tutor.wire import Message, dumps, loads

FORMAT = "pytorch-tutor trace"
_EVENTS_A_LINE = 20
"""So many are lost at most where a file breaks off."""


class BrokenTraceError(FileError):
    """The file is no trace that can be read; `str(error)` is the sentence."""


def text(trace: Trace) -> str:
    """A trace as the whole text of a file."""
    events = list(_in_order(trace))
    parts = [TracePart(VERSION, (), trace.end)]
    parts += [
        TracePart(VERSION, tuple(events[start : start + _EVENTS_A_LINE]))
        for start in range(0, len(events), _EVENTS_A_LINE)
    ]
    head = {"format": FORMAT, "version": VERSION, "lines": len(parts)}
    lines = [json.dumps(head)]
    lines += [dumps(Message("stored", at, part)) for at, part in enumerate(parts)]
    return "".join(f"{line}\n" for line in lines)


def _in_order(trace: Trace) -> Iterator[Event]:
    said = 0
    for op in trace.ops:
        needed = max([*names.tensors(op), *op.outputs], default=-1) + 1
        yield from trace.values[said:needed]
        said = max(said, needed)
        yield op
    yield from trace.values[said:]
    # Rules before passes: what is left of a broken pass still has its derivatives.
    for group in (trace.rules, trace.passes, trace.graph, trace.nodes, trace.leaves):
        yield from group


def read(content: str, name: str) -> tuple[Trace, bool]:
    """The trace of a file's text, and whether it is whole.

    `name` is the file's, for sentences. Of one that breaks off, what can be walked is
    given, and `Trace.end.truncated` says where. Raises BrokenTraceError.
    """
    if not content.strip():
        raise BrokenTraceError(f"{name} is empty: it is no stored trace.")
    first, *rest = content.splitlines()
    expected = _expected(first, name)
    parts: list[TracePart] = []
    for line in rest:
        try:
            body = loads(line).body
        except WireError:
            break
        if not isinstance(body, TracePart):
            break
        parts.append(body)
    if not parts or parts[0].end is None:
        raise BrokenTraceError(
            f"{name}, line 2: the trace breaks off before it begins; record it again."
        )
    end, events = parts[0].end, [each for part in parts for each in part.events]
    if len(parts) == expected:
        try:
            return assemble([TracePart(VERSION, tuple(events), end)]), True
        except WireError as error:
            raise BrokenTraceError(f"{name}: {error}") from error
    left = "this is what can be walked"
    if not any(isinstance(each, Op) for each in events):
        left = "and nothing before it can be walked"
    said = (
        f"{name} breaks off after line {len(parts) + 1} of {expected + 1}: what follows "
        f"is lost, {left}."
    )
    return _whole_as_far(events, replace(end, truncated=said)), False


def _expected(first: str, name: str) -> int:
    """How many lines follow."""
    try:
        head = json.loads(first)
    except ValueError:
        head = None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise BrokenTraceError(
            f"{name}, line 1: this is no stored trace; `python -m tutor step CODE --save "
            "FILE` writes one."
        )
    if head.get("version") != VERSION:
        raise BrokenTraceError(
            f"{name}, line 1: the trace has version {head.get('version')}, this tutor "
            f"reads {VERSION}; record it again."
        )
    lines = head.get("lines")
    return lines if isinstance(lines, int) else -1


def _whole_as_far(events: Iterable[Event], end: TraceEnd) -> Trace:
    """What is left, without anything that leads to what is lost."""
    left = list(events)
    values = [each for each in left if isinstance(each, Value)]
    count = len(values)
    ops = [each for each in left if isinstance(each, Op)]
    nodes = [each for each in left if isinstance(each, BackwardNode)]
    ran = {node.number for node in nodes}
    kept: list[Event] = [
        each if each.op is None or each.op < len(ops) else replace(each, op=None)
        for each in values
    ]
    kept += ops
    for each in left:
        if isinstance(each, (Value, Op)):
            continue
        if isinstance(each, Pass) and each.number not in ran:
            continue  # nothing of it is left
        if isinstance(each, GraphNode) and not nodes:
            continue  # what it leads to may be lost
        kept.append(each)
    root = end.root if end.root is not None and end.root < count else None
    known = {name: value for name, value in end.names.items() if value < count}
    end = replace(end, root=root, names=known)
    return assemble([TracePart(VERSION, tuple(kept), end)])
