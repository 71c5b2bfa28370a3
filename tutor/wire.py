"""The messages between our process and the kernel: declared once, versioned.

What we ask of the kernel is a `call("trace", TraceRequest(...))`: one line of Python to
execute there. What it answers is display data under `MIME`, one `Message` each. Both
sides hold frozen dataclasses; JSON dicts stop in this file. Stdlib only, because the
kernel imports it too. Non-finite floats travel as "nan", "inf" and "-inf".
"""

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from tutor.errors import WireError

VERSION = 1
MIME = "application/vnd.tutor.v1+json"
NOTE_MIME = "application/vnd.tutor.note"
"""A line about a value, beside its repr."""

Body = TypeVar("Body")

_NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_kinds: dict[str, type[Any]] = {}


@dataclass(frozen=True, slots=True)
class Message:
    """One message, either way."""

    id: str
    """The request or run it belongs to; late output of another is told apart by it."""
    seq: int
    """Counts from 0 within one id; a gap means the transport lost something."""
    body: Any
    """An instance of a dataclass made known with `message`."""


def message(kind: str) -> "typing.Callable[[type[Body]], type[Body]]":
    """Let instances of the decorated dataclass travel, under the tag `kind`.

    Fields may be str, int, float, bool, None, Literal, tuple[X, ...], dict[str, X],
    other dataclasses, and unions of those; a union of dataclasses is told apart by the
    tag `type`, the class's name.
    """

    def register(body_type: type[Body]) -> type[Body]:
        known = _kinds.setdefault(kind, body_type)
        if known is not body_type:
            raise ValueError(f"the tag {kind!r} already means {known.__name__}")
        return body_type

    return register


def encode(sent: Message) -> dict[str, Any]:
    """The JSON-able form of a message."""
    for kind, body_type in _kinds.items():
        if body_type is type(sent.body):
            body = to_json(sent.body)
            return {
                "v": VERSION,
                "kind": kind,
                "id": sent.id,
                "seq": sent.seq,
                "body": body,
            }
    raise WireError(f"a {type(sent.body).__name__} cannot travel between processes.")


def decode(raw: object) -> Message:
    """The message of a JSON-able form; WireError when it is none of ours."""
    if not isinstance(raw, Mapping) or "v" not in raw:
        raise WireError("the kernel sent something that is no message of the tutor.")
    if raw["v"] != VERSION:
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
    return json.dumps(encode(sent), allow_nan=False, separators=(",", ":"))


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


def to_json(value: object) -> Any:
    """Dataclasses to dicts, tuples to lists, non-finite floats to strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {name: to_json(getattr(value, name)) for name in _hints(type(value))}
        return {"type": type(value).__name__, **fields}
    raise WireError(f"a {type(value).__name__} cannot travel between processes.")


def from_json(wanted: Any, raw: Any) -> Any:
    """`raw` as the annotation `wanted` says; ValueError naming the field if it is not.

    Unknown keys of a dict are ignored, so that a newer kernel may say more.
    """
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        return _dataclass_from_json(wanted, raw)
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _union_from_json(get_args(wanted), raw)
    if origin is tuple:
        return _tuple_from_json(get_args(wanted), raw)
    if origin in (dict, Mapping) or wanted is dict:
        if not isinstance(raw, Mapping):
            raise ValueError(f"expected a table, got {raw!r:.40}")
        item = get_args(wanted)[1] if get_args(wanted) else Any
        return {key: from_json(item, each) for key, each in raw.items()}
    if origin is Literal:
        if raw not in get_args(wanted):
            raise ValueError(f"expected one of {get_args(wanted)}, got {raw!r:.40}")
        return raw
    return _scalar_from_json(wanted, raw)


def _scalar_from_json(wanted: Any, raw: Any) -> Any:
    if wanted is Any or wanted is object:
        return raw
    if wanted is float:
        if isinstance(raw, str) and raw in _NONFINITE:
            return _NONFINITE[raw]
        if isinstance(raw, (int, float)) and not isinstance(raw, bool):
            return float(raw)
    elif wanted in (None, types.NoneType):
        if raw is None:
            return None
    elif type(raw) is wanted:
        return raw
    raise ValueError(f"expected {getattr(wanted, '__name__', wanted)}, got {raw!r:.40}")


def _dataclass_from_json(wanted: type[Any], raw: Any) -> Any:
    if not isinstance(raw, Mapping):
        raise ValueError(f"expected a {wanted.__name__}, got {raw!r:.40}")
    found = {}
    for name, annotation in _hints(typing.cast(typing.Hashable, wanted)).items():
        if name in raw:
            try:
                found[name] = from_json(annotation, raw[name])
            except ValueError as error:
                raise ValueError(f"{wanted.__name__}.{name}: {error}") from error
    try:
        return wanted(**found)
    except TypeError as error:
        raise ValueError(f"{wanted.__name__}: {error}") from error


def _union_from_json(options: tuple[Any, ...], raw: Any) -> Any:
    if isinstance(raw, Mapping) and "type" in raw:
        for option in options:
            if getattr(option, "__name__", None) == raw["type"]:
                return from_json(option, raw)
    # The exact type first: an int must not become a float on the way to `int | float`.
    for option in sorted(options, key=lambda each: type(raw) is not each):
        try:
            return from_json(option, raw)
        except ValueError:
            continue
    raise ValueError(f"{raw!r:.40} fits none of {options}")


def _tuple_from_json(items: tuple[Any, ...], raw: Any) -> tuple[Any, ...]:
    if not isinstance(raw, (list, tuple)):
        raise ValueError(f"expected a list, got {raw!r:.40}")
    if len(items) == 2 and items[1] is Ellipsis:
        if items[0] is float:  # the long ones: points and tensor values
            return tuple(each if type(each) is float else _float(each) for each in raw)
        return tuple(from_json(items[0], each) for each in raw)
    if len(items) != len(raw):
        raise ValueError(f"expected {len(items)} items, got {len(raw)}")
    return tuple(from_json(item, each) for item, each in zip(items, raw, strict=True))


def _float(raw: Any) -> float:
    return typing.cast(float, _scalar_from_json(float, raw))


@functools.cache
def _hints(wanted: typing.Hashable) -> dict[str, Any]:
    hints = typing.get_type_hints(wanted)
    fields = dataclasses.fields(typing.cast(Any, wanted))
    return {field.name: hints[field.name] for field in fields}
