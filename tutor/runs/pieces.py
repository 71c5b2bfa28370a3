"""Points as they are kept: columns of one run, thinned by powers of two, joined and cut.
Exact and compact: a column is four bytes a value where float32 holds all of it. Pure.
"""

import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from struct import pack, unpack

from tutor.packing import doubles
from tutor.training.run import Points

LONGEST = 1 << 16
"""Points of one piece; what follows begins another."""
_LOSS, _TEST = "loss", "test loss"


@dataclass(frozen=True, slots=True)
class Piece:
    """Points of one run, `stride` iterations from one to the next."""

    run: str
    start: int
    """Iteration of the first one, a multiple of the stride but for stride 1."""
    stride: int
    samples: int
    per_iteration: int
    """Samples of one iteration, not of one stride."""
    columns: dict[str, "array[float]"]
    """loss; the test loss, if there is one; then "." and a parameter's name, each. Of
    float64 as they came, of float32 where they were read and it holds them."""
    seconds: tuple[float, float]
    """Computed by the first point and by the last."""

    @property
    def count(self) -> int:
        """How many points these are."""
        return len(self.columns[_LOSS])

    @property
    def last(self) -> int:
        """Iteration of the last one; below `start` when there are none."""
        return self.start + (self.count - 1) * self.stride


def piece(points: Points) -> Piece:
    """Points as they came."""
    columns = {_LOSS: _column(points.losses)}
    if points.test_losses:
        columns[_TEST] = _column(points.test_losses)
    for name, column in points.params.items():
        columns[f".{name}"] = _column(column)
    return Piece(
        points.run,
        points.start,
        1,
        points.samples,
        points.per_iteration,
        columns,
        points.seconds,
    )


def _column(numbers: Sequence[float]) -> "array[float]":
    return array("d", doubles(numbers))


def thinned(held: Piece, stride: int) -> Piece:
    """Its points at multiples of `stride`, which is a multiple of its own."""
    first = -held.start % stride // held.stride
    return _part(held, first, held.count, stride // held.stride)


def _part(held: Piece, first: int, stop: int, step: int) -> Piece:
    if first == 0 and step == 1 and stop >= held.count:
        return held
    columns = {name: column[first:stop:step] for name, column in held.columns.items()}
    start = held.start + first * held.stride
    last = first + max(0, len(columns[_LOSS]) - 1) * step
    begun, ended = held.seconds
    each = (ended - begun) / max(1, held.count - 1)
    return Piece(
        held.run,
        start,
        held.stride * step,
        held.samples + (start - held.start) * held.per_iteration,
        held.per_iteration,
        columns,
        (begun + first * each, begun + last * each),
    )


def joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same points of one run in fewer pieces; empty ones are left out."""
    waiting: list[Piece] = []
    count = 0
    for each in pieces:
        if not each.count:
            continue
        count += each.count
        if waiting and (count > LONGEST or not _continues(waiting[-1], each)):
            yield _one(waiting)
            waiting, count = [], each.count
        waiting.append(each)
    if waiting:
        yield _one(waiting)


def _continues(before: Piece, after: Piece) -> bool:
    looked_at = (after.start - before.start) * before.per_iteration
    return (
        after.start == before.last + before.stride
        and after.stride == before.stride
        and after.per_iteration == before.per_iteration
        and after.samples == before.samples + looked_at
        and after.columns.keys() == before.columns.keys()
    )


def _one(pieces: list[Piece]) -> Piece:
    first, last = pieces[0], pieces[-1]
    if first is last:
        return first
    columns: dict[str, array[float]] = {}
    for name in first.columns:
        parts = [each.columns[name] for each in pieces]
        kinds = {part.typecode for part in parts}
        columns[name] = array(kinds.pop() if len(kinds) == 1 else "d")
        for part in parts:
            columns[name].extend(
                part if part.typecode == columns[name].typecode else array("d", part)
            )
    return Piece(
        first.run,
        first.start,
        first.stride,
        first.samples,
        first.per_iteration,
        columns,
        (first.seconds[0], last.seconds[1]),
    )


def points(held: Piece) -> Points:
    """The points with their indices (iteration / stride) in place of the iterations:
    what a run that holds every `stride`-th takes.
    """
    columns = held.columns
    return Points(
        run=held.run,
        start=held.start // held.stride,
        samples=held.samples,
        per_iteration=held.per_iteration * held.stride,
        losses=tuple(columns[_LOSS]),
        params={
            name[1:]: tuple(column)
            for name, column in columns.items()
            if name.startswith(".")
        },
        test_losses=tuple(columns.get(_TEST, ())),
        seconds=held.seconds,
    )


def last_point(held: Piece) -> Points:
    """The last one alone, with its iteration. There must be one."""
    part = _part(held, held.count - 1, held.count, 1)
    return replace(points(part), start=part.start, per_iteration=held.per_iteration)


# ------------------------------------------------------------------------- as bytes


def to_bytes(held: Piece) -> bytes:
    """A line of JSON, then the columns, little-endian."""
    blocks, kinds = [], ""
    for column in map(_short, held.columns.values()):
        kinds += column.typecode
        blocks.append(_turned(column).tobytes())
    head = [
        held.run,
        held.start,
        held.stride,
        held.samples,
        held.per_iteration,
        held.count,
        kinds,
        list(held.columns),
        held.seconds,
    ]
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + b"".join(blocks)


def from_bytes(content: bytes) -> Piece:
    """The inverse. Raises ValueError when it is none."""
    line, _, blocks = content.partition(b"\n")
    try:
        run, start, stride, samples, each, count, kinds, names, seconds = json.loads(
            line
        )
        columns, at = {}, 0
        for name, kind in zip(names, kinds, strict=True):
            column = array(kind)
            size = count * column.itemsize
            column.frombytes(blocks[at : at + size])
            columns[name] = _turned(column)
            at += size
        begun, ended = seconds
        held = Piece(run, start, stride, samples, each, columns, (begun, ended))
        sound = at == len(blocks) and held.count == count and stride > 0
    except (TypeError, KeyError) as error:
        raise ValueError("no points") from error
    if not sound:
        raise ValueError("points are missing")
    return held


def _short(column: "array[float]") -> "array[float]":
    """As float32, if those hold the same numbers."""
    if column.typecode == "f":
        return column
    kind = f"{len(column)}f"
    try:
        short = pack(kind, *column)
    except OverflowError:  # of a run that diverges
        return column
    same = doubles(unpack(kind, short)) == column.tobytes()
    return array("f", short) if same else column


def _turned(column: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column
