"""A race's log: an append-only file of records, each of them whole or not there.

A record is its length, its checksum and its content. A file that was cut anywhere, or
is damaged, is read up to the first record that is not whole.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from struct import Struct
from typing import Any

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
    whole: int = 0
    """Bytes up to the end of the last whole record."""


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


def _records(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Each whole record, and where it ends."""
    at = 0
    while len(content) - at > _LEAD.size:
        length, checksum = _LEAD.unpack_from(content, at)
        start, at = at + _LEAD.size, at + _LEAD.size + length
        record = content[start:at]
        if not length or len(record) < length or zlib.crc32(record) != checksum:
            return
        yield record, at


def read(path: Path, size: int = -1) -> Log:
    """The log, as far as it is whole; of its first `size` bytes, or all. Raises FileError
    with a sentence."""
    try:
        with path.open("rb") as file:
            content = file.read(size)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from error
    records = _records(content)
    first, whole = next(records, (b"", 0))
    log = _begun(first, path)
    log.whole = whole
    try:
        for record, end in records:
            _take(log, record)
            log.whole = end
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        pass  # as if it were cut there
    return log


def _begun(first: bytes, path: Path) -> Log:
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


def _take(log: Log, record: bytes) -> None:
    if record[:1] == b"P":
        piece = pieces.from_bytes(record[1:])
        log.pieces.setdefault(piece.run, []).append(piece)
        log.finished = None
        return
    kind, raw = json.loads(record[1:])
    said = wire.from_json(_NOTES[kind], raw)
    if isinstance(said, RaceSpec):
        log.spec = said
        names = {run.name for run in said.runs}
        log.pieces = {name: log.pieces[name] for name in log.pieces if name in names}
    elif isinstance(said, Finding):
        log.findings.append(said)
    else:
        log.finished = said


def shortened(log: Log, strides: Mapping[str, int]) -> Log:
    """The same in fewer pieces; of each run only multiples of its stride are kept."""
    short = {}
    for name, held in log.pieces.items():
        stride = max([strides.get(name, 1), *(each.stride for each in held)])
        short[name] = [*pieces.joined(pieces.thinned(each, stride) for each in held)]
    return replace(log, pieces=short)


def written(log: Log) -> Iterable[bytes]:
    """Its records."""
    yield head(log.spec, log.started)
    for held in log.pieces.values():
        yield from map(points, held)
    for finding in log.findings:
        yield note(finding)
    if log.finished is not None:
        yield note(log.finished)
