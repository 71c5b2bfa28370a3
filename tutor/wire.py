"""The messages between our process and the kernel: declared once, versioned.

What we ask of the kernel is a `call("trace", TraceRequest(...))`: one line of Python to
execute there. What it answers is display data under `MIME`, one `Message` each. Both
sides hold frozen dataclasses; JSON dicts stop in this file and in `jsonable`. Stdlib only,
because the kernel imports it too.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tutor.errors import WireError
from tutor.jsonable import from_json as from_json
from tutor.jsonable import to_json as to_json
from tutor.jsonable import to_packed_json

VERSION = 2
_READ = 1, 2
"""In version 1 nothing was packed."""
MIME = "application/vnd.tutor.v1+json"
NOTE_MIME = "application/vnd.tutor.note"
"""A line about a value, beside its repr."""

Body = TypeVar("Body")

_to_text = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_kinds: dict[str, type[Any]] = {}
_tags: dict[type[Any], str] = {}


@dataclass(frozen=True, slots=True)
class Message:
    """One message, either way."""

    id: str
    """The request or run it belongs to; late output of another is told apart by it."""
    seq: int
    """Counts from 0 within one id; a gap means the transport lost something."""
    body: Any
    """An instance of a dataclass made known with `message`."""


def message(kind: str) -> Callable[[type[Body]], type[Body]]:
    """Let instances of the decorated dataclass travel, under the tag `kind`.

    Fields may be str, int, float, bool, None, Literal, tuple[X, ...], dict[str, X],
    other dataclasses, and unions of those; a union of dataclasses is told apart by the
    tag `type`, the class's name.
    """

    def register(body_type: type[Body]) -> type[Body]:
        known = _kinds.setdefault(kind, body_type)
        if known is not body_type:
            raise ValueError(f"the tag {kind!r} already means {known.__name__}")
        _tags[body_type] = kind
        return body_type

    return register


def encode(sent: Message) -> dict[str, Any]:
    """The JSON-able form of a message."""
    kind = _tags.get(type(sent.body))
    if kind is None:
        name = type(sent.body).__name__
        raise WireError(f"a {name} cannot travel between processes.")
    body = to_packed_json(sent.body)
    return {"v": VERSION, "kind": kind, "id": sent.id, "seq": sent.seq, "body": body}


def decode(raw: object) -> Message:
    """The message of a JSON-able form; WireError when it is none of ours."""
    if not isinstance(raw, Mapping) or "v" not in raw:
        raise WireError("the kernel sent something that is no message of the tutor.")
    if raw["v"] not in _READ:
        raise WireError(
            f"the message has version {raw['v']}, this tutor speaks {VERSION}: "
            "install the same version on both sides."
        )
    body_type = _kinds.get(str(raw.get("kind")))
    if body_type is None:
        raise WireError(f"the kernel sent an unknown message {raw.get('kind')!r}.")
    try:
        body = from_json(body_type, raw["body"])
        return Message(id=str(raw["id"]), seq=int(raw["seq"]), body=body)
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"a {raw['kind']} message is malformed: {error}.") from error


def dumps(sent: Message) -> str:
    """A message as strict JSON text."""
    return _to_text(encode(sent))


def loads(text: str) -> Message:
    """The inverse of `dumps`."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise WireError(f"not JSON: {error}.") from error
    return decode(raw)


def call(function: str, request_id: str, body: object) -> str:
    """The Python line that calls one of the engine's functions in the kernel.

    It binds no name in the learner's namespace.
    """
    text = dumps(Message(request_id, 0, body))
    return (
        "__import__('tutor.engine.bridge', fromlist=['call'])"
        f".call({function!r}, {text!r})"
    )
