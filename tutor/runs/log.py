"""A race's log: an append-only file of records, each of them whole or not there.

A record is its length, its checksum and its content. A file that was cut anywhere, or
is damaged, is read up to the first record that is not whole.
"""

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

from tutor import wire
from tutor.errors import FileError
from tutor.runs import pieces
from tutor.runs.pieces import Piece
from tutor.training.findings import Finding
from tutor.training.run import Finished
from tutor.training.spec import RaceSpec

FORMAT = "pytorch-tutor run"
VERSION = 1
_LEAD = Struct("<II")
_NOTES: dict[str, type[Any]] = {
    "spec": RaceSpec,
    "finding": Finding,
    "finished": Finished,
}
Note = RaceSpec | Finding | Finished


@dataclass(slots=True)
class Log:
    """What a log says."""

    started: float
    """Seconds since the epoch."""
    spec: RaceSpec
    """The newest one."""
    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    """By run, as they were written."""
    findings: list[Finding] = field(default_factory=list)
    finished: Finished | None = None
    """Where the runs stood when they were computed last; None: they were cut off."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the record of a piece is in a log."""

    at: int
    size: int
    stride: int


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a run a record holds."""

    run: str
    count: int
    stride: int


def head(spec: RaceSpec, started: float) -> bytes:
    """The first record of a file."""
    body = {
        "format": FORMAT,
        "version": VERSION,
        "started": started,
        "spec": wire.to_json(spec),
    }
    return _record(b"H", _json(body))


def points(piece: Piece) -> bytes:
    """A record of points."""
    return _record(b"P", pieces.to_bytes(piece))


def note(said: Note) -> bytes:
    """A record of something else."""
    kind = next(kind for kind, known in _NOTES.items() if type(said) is known)
    return _record(b"N", _json([kind, wire.to_json(said)]))


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _record(kind: bytes, content: bytes) -> bytes:
    content = kind + content
    return _LEAD.pack(len(content), zlib.crc32(content)) + content


def _records(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Each whole record of the first `size` bytes, and where its content begins. Asks
    for no more memory than one of them takes."""
    at = 0
    while size - at > _LEAD.size:
        file.seek(at)
        length, checksum = _LEAD.unpack(file.read(_LEAD.size).ljust(_LEAD.size))
        start, at = at + _LEAD.size, at + _LEAD.size + length
        record = file.read(length) if 0 < length <= size - start else b""
        if not record or len(record) < length or zlib.crc32(record) != checksum:
            return
        yield record, start


def read(path: Path) -> Log:
    """The log, as far as it is whole. Raises FileError with a sentence."""
    try:
        with path.open("rb") as file:
            told, places = _read(file, os.fstat(file.fileno()).st_size)
            for name, held in places.items():
                told.pieces[name] = [_piece(file, each) for each in held]
            return told
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from error


def shortened(
    file: BinaryIO, size: int, strides: Mapping[str, int], written: list[Extent]
) -> Iterator[bytes]:
    """The records of a shorter log with what the first `size` bytes of a file say; of
    each run only multiples of its stride are kept. What was made is told in `written`.

    It holds a record or two at a time: a race of hours has none to spare for this.
    Raises FileError.
    """
    told, places = _read(file, size)
    held = (
        short((_piece(file, each) for each in there), there, strides.get(name, 1))
        for name, there in places.items()
    )
    return records(told, chain.from_iterable(held), written)


def short(
    held: Iterable[Piece], strides: Iterable[Piece | Place], stride: int = 1
) -> Iterator[Piece]:
    """The same points of one run in fewer pieces, all with the widest of its strides."""
    widest = max([stride, *(each.stride for each in strides)])
    return pieces.joined(pieces.thinned(each, widest) for each in held)


def records(told: Log, held: Iterable[Piece], written: list[Extent]) -> Iterator[bytes]:
    """Of a log with those pieces instead of its own; `written` gets what was made."""
    yield head(told.spec, told.started)
    for each in held:
        written.append(Extent(each.run, each.count, each.stride))
        yield points(each)
    for finding in told.findings:
        yield note(finding)
    if told.finished is not None:
        yield note(told.finished)


def _read(file: BinaryIO, size: int) -> tuple[Log, dict[str, list[Place]]]:
    """What is said, with the points left where they are."""
    found = _records(file, size)
    told = _begun(next(found, (b"", 0))[0], file.name)
    places: dict[str, list[Place]] = {}
    try:
        for record, at in found:
            _take(told, places, record, at)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        pass  # as if it were cut there
    return told, places


def _piece(file: BinaryIO, place: Place) -> Piece:
    file.seek(place.at)
    return pieces.from_bytes(file.read(place.size)[1:])


def _begun(first: bytes, path: str) -> Log:
    try:
        body = json.loads(first[1:]) if first[:1] == b"H" else None
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            raise FileError(f"{path} is no run that the tutor stored.")
        if body.get("version") != VERSION:
            raise FileError(
                f"{path} has version {body.get('version')}, this tutor reads {VERSION}: "
                "open it with the tutor that wrote it."
            )
        return Log(float(body["started"]), wire.from_json(RaceSpec, body["spec"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileError(f"{path} is damaged from its beginning.") from error


def _take(told: Log, places: dict[str, list[Place]], record: bytes, at: int) -> None:
    if record[:1] == b"P":
        piece = pieces.from_bytes(record[1:])
        place = Place(at, len(record), piece.stride)
        places.setdefault(piece.run, []).append(place)
        told.finished = None
        return
    kind, raw = json.loads(record[1:])
    said = wire.from_json(_NOTES[kind], raw)
    if isinstance(said, RaceSpec):
        told.spec = said
        for name in places.keys() - {run.name for run in said.runs}:
            del places[name]
    elif isinstance(said, Finding):
        told.findings.append(said)
    else:
        told.finished = said
