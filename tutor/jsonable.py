"""Dataclasses as JSON and back, each value as its annotation says. Stdlib only.

Non-finite floats are "nan", "inf" and "-inf"; many numbers can be packed into one text
(`packing`), which is read like a list.
"""

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from tutor.errors import WireError
from tutor.packing import packed, unpacked

_NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_PACKED_FROM = 8
"""Numbers of a tuple; fewer stay readable."""
_PLAIN = frozenset([str, int, bool, types.NoneType])
"""What is its own JSON, whatever its value."""
_ONLY_FLOATS = {float}


def to_json(value: object) -> Any:
    """Dataclasses to dicts, tuples to lists, non-finite floats to strings."""
    return _json(value, _plain)


def to_packed_json(value: object) -> Any:
    """The same with many numbers packed, where an annotation tells that they are numbers."""
    return _json(value, _packing)


def from_json(wanted: Any, raw: Any) -> Any:
    """`raw` as the annotation `wanted` says, whether its numbers are packed or not;
    ValueError naming the field if it is not.

    Unknown keys of a dict are ignored, so that a newer kernel may say more.
    """
    return _reader(wanted)(raw)


# ------------------------------------------------- writers: made once for each dataclass

Writer = typing.Callable[[Any], Any]


class _Writers(dict[type[Any], tuple[tuple[str, Writer], ...]]):
    """Of each dataclass: its fields, and what writes them."""

    def __init__(self, writer: typing.Callable[[Any], Writer]) -> None:
        super().__init__()
        self._writer = writer
        """Of an annotation."""

    def __missing__(self, kind: type[Any]) -> tuple[tuple[str, Writer], ...]:
        hints = _hints(typing.cast(typing.Hashable, kind)).items()
        self[kind] = tuple((name, self._writer(each)) for name, each in hints)
        return self[kind]


def _json(value: Any, fields: _Writers) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return _list(value, fields)
    if isinstance(value, Mapping):
        return {str(key): _json(item, fields) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {name: write(getattr(value, name)) for name, write in fields[kind]}
        return {"type": kind.__name__, **found}
    if isinstance(value, (str, int)):
        return value
    raise WireError(f"a {kind.__name__} cannot travel between processes.")


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _list(value: Sequence[Any], fields: _Writers) -> list[Any]:
    """Numbers one by one only where some are not finite."""
    kinds = set(map(type, value))
    if kinds <= _PLAIN or (kinds == _ONLY_FLOATS and math.isfinite(sum(value))):
        return list(value)
    return [_json(item, fields) for item in value]


def _packed_writer(wanted: Any) -> Writer:
    origin, options = get_origin(wanted), get_args(wanted)
    if wanted == tuple[float, ...]:
        return _numbers
    if origin in (Union, types.UnionType) and str not in options:
        return _numbers if tuple[float, ...] in options else to_packed_json
    if origin in (dict, Mapping) and tuple[float, ...] in options:
        return _tables
    return to_packed_json


def _numbers(value: Any) -> Any:
    is_long = type(value) is tuple and len(value) >= _PACKED_FROM
    if is_long and set(map(type, value)) == _ONLY_FLOATS:
        return packed(value)
    return to_packed_json(value)


def _tables(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return to_packed_json(value)
    return {str(key): _numbers(item) for key, item in value.items()}


_plain = _Writers(lambda annotation: to_json)
_packing = _Writers(_packed_writer)


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
    may_be_packed = is_long and items[0] is float

    def read(raw: Any) -> tuple[Any, ...]:
        if may_be_packed and type(raw) is str:
            return _unpacked(raw)
        if not isinstance(raw, (list, tuple)):
            raise ValueError(f"expected a list, got {raw!r:.40}")
        if is_long and kinds:
            if kinds.issuperset(map(type, raw)):
                return tuple(raw)
            return tuple([each if type(each) in kinds else item(each) for each in raw])
        if is_long:
            return tuple([item(each) for each in raw])
        if len(items) != len(raw):
            raise ValueError(f"expected {len(items)} items, got {len(raw)}")
        return tuple([reader(each) for reader, each in zip(readers, raw, strict=True)])

    return read


def _unpacked(raw: str) -> tuple[float, ...]:
    try:
        return unpacked(raw)
    except ValueError as error:
        raise ValueError(f"expected a list, got {raw!r:.40}") from error


@functools.cache
def _hints(wanted: typing.Hashable) -> dict[str, Any]:
    hints = typing.get_type_hints(wanted)
    fields = dataclasses.fields(typing.cast(Any, wanted))
    return {field.name: hints[field.name] for field in fields}
