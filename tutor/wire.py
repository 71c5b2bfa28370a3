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
    return _reader(wanted)(raw)


# -------------------------------------------- readers: made once for each annotation
#
# A trace of 10 000 ops is more than a million values, for which a learner waits.

Reader = typing.Callable[[Any], Any]


@functools.cache
def _reader(wanted: Any) -> Reader:
    """What turns JSON into a value of this annotation."""
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        return _dataclass_reader(wanted)
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _union_reader(get_args(wanted))
    if origin is tuple:
        return _tuple_reader(get_args(wanted))
    if origin in (dict, Mapping) or wanted is dict:
        return _dict_reader(_reader(get_args(wanted)[1] if get_args(wanted) else Any))
    if origin is Literal:
        return _literal_reader(get_args(wanted))
    return _scalar_reader(wanted)


def _scalar_reader(wanted: Any) -> Reader:
    if wanted is Any or wanted is object:
        return _as_it_is
    if wanted is float:
        return _float
    if wanted in (None, types.NoneType):
        wanted = types.NoneType

    def read(raw: Any) -> Any:
        if type(raw) is wanted:
            return raw
        raise _unexpected(wanted, raw)

    return read


def _as_it_is(raw: Any) -> Any:
    return raw


def _float(raw: Any) -> float:
    if type(raw) is float:
        return raw
    if isinstance(raw, str) and raw in _NONFINITE:
        return _NONFINITE[raw]
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return float(raw)
    raise _unexpected(float, raw)


def _unexpected(wanted: Any, raw: Any) -> ValueError:
    name = "None" if wanted is types.NoneType else getattr(wanted, "__name__", wanted)
    return ValueError(f"expected {name}, got {raw!r:.40}")


def _literal_reader(options: tuple[Any, ...]) -> Reader:
    def read(raw: Any) -> Any:
        if raw in options:
            return raw
        raise ValueError(f"expected one of {options}, got {raw!r:.40}")

    return read


def _dict_reader(item: Reader) -> Reader:
    def read(raw: Any) -> dict[str, Any]:
        if not isinstance(raw, Mapping):
            raise ValueError(f"expected a table, got {raw!r:.40}")
        return {key: item(each) for key, each in raw.items()}

    return read


def _dataclass_reader(wanted: type[Any]) -> Reader:
    """A function written for the class; what does not fit it is read with more care."""
    quick: list[Reader] = []

    def read(raw: Any) -> Any:
        if not quick:  # only now: a dataclass may have fields of its own kind
            quick.append(_written_for(wanted))
        try:
            return quick[0](raw)
        except (TypeError, ValueError, KeyError):
            return _with_care(wanted, raw)

    return read


def _with_care(wanted: type[Any], raw: Any) -> Any:
    """Fields may be missing; ValueError says which one does not fit."""
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


def _written_for(wanted: type[Any]) -> Reader:
    """`wanted(raw["a"], raw["b"], ...)`, each checked on the way, as one function."""
    known: dict[str, Any] = {"wanted": wanted}
    fields = []
    hints = _hints(typing.cast(typing.Hashable, wanted))
    for number, (name, annotation) in enumerate(hints.items()):
        reader, kinds = f"r{number}", f"k{number}"
        known[reader] = _reader(annotation)
        known[kinds] = _exact_kinds(annotation)
        value = f"v if type(v := raw[{name!r}]) in {kinds} else {reader}(v)"
        fields.append(
            f"{name}=({value})" if known[kinds] else f"{name}={reader}(raw[{name!r}])"
        )
    exec(f"def read(raw): return wanted({', '.join(fields)})", known)
    return typing.cast(Reader, known["read"])


def _exact_kinds(wanted: Any) -> frozenset[type]:
    """The types of JSON that are the value already, so that nothing is to be read."""
    if get_origin(wanted) in (Union, types.UnionType):
        return frozenset().union(*map(_exact_kinds, get_args(wanted)))
    if wanted in (int, str, bool, float, types.NoneType):
        return frozenset([wanted])
    return frozenset()


def _union_reader(options: tuple[Any, ...]) -> Reader:
    tagged = {getattr(option, "__name__", ""): _reader(option) for option in options}
    by_type: dict[type, list[Reader]] = {}

    def read(raw: Any) -> Any:
        kind = type(raw)
        if kind is dict and (reader := tagged.get(raw.get("type"))) is not None:
            return reader(raw)
        if kind not in by_type:
            # The exact type first: an int must not become a float on the way to
            # `int | float`.
            order = sorted(options, key=lambda each: each is not kind)
            by_type[kind] = [_reader(each) for each in order]
        for reader in by_type[kind]:
            try:
                return reader(raw)
            except ValueError:
                continue
        raise ValueError(f"{raw!r:.40} fits none of {options}")

    return read


def _tuple_reader(items: tuple[Any, ...]) -> Reader:
    readers = [_reader(item) for item in items if item is not Ellipsis]
    item = readers[0] if readers else _as_it_is
    is_long = len(items) == 2 and items[1] is Ellipsis
    kinds = _exact_kinds(items[0]) if is_long else frozenset()

    def read(raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, (list, tuple)):
            raise ValueError(f"expected a list, got {raw!r:.40}")
        if is_long and kinds:
            return tuple([each if type(each) in kinds else item(each) for each in raw])
        if is_long:
            return tuple([item(each) for each in raw])
        if len(items) != len(raw):
            raise ValueError(f"expected {len(items)} items, got {len(raw)}")
        return tuple([reader(each) for reader, each in zip(readers, raw, strict=True)])

    return read


@functools.cache
def _hints(wanted: typing.Hashable) -> dict[str, Any]:
    hints = typing.get_type_hints(wanted)
    fields = dataclasses.fields(typing.cast(Any, wanted))
    return {field.name: hints[field.name] for field in fields}
