"""Is a parsed lesson of the right shape? Every difference from `schema`, in words.

msgspec stops at its first error, so the tables are walked here, field by field, and it
judges each value on its own.
"""

import difflib
import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tutor.lesson.lines import KeyPath
from tutor.lesson.schema import AnyCell, Lesson

Report = Callable[[KeyPath, str], None]
"""Called with a key path and a sentence."""

CELL_KINDS: dict[str, type[msgspec.Struct]] = {
    str(each.__struct_config__.tag): each for each in typing.get_args(AnyCell)
}

_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "date": "a date",
    "datetime": "a date and time",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "text",
    "time": "a time",
}


def read_lesson(raw: dict[str, Any], report: Report) -> Lesson | None:
    """The lesson, or None after reporting everything that is not of its shape."""
    found: list[KeyPath] = []

    def noted(path: KeyPath, sentence: str) -> None:
        found.append(path)
        report(path, sentence)

    _table(Lesson, raw, (), noted)
    return None if found else msgspec.convert(raw, Lesson)


def read_cells(raw: dict[str, Any]) -> Iterator[tuple[int, AnyCell]]:
    """The cells that are of the right shape, with their number from 0."""
    cells = raw.get("cells")
    for number, cell in enumerate(cells if isinstance(cells, list) else []):
        try:
            yield number, msgspec.convert(cell, AnyCell)
        except msgspec.ValidationError:
            continue


def nearest(name: object, known: typing.Iterable[str]) -> str:
    """ "; do you mean `tolerance`?", or "" when nothing known is near."""
    close = difflib.get_close_matches(str(name)[:60], list(known), n=1, cutoff=0.6)
    return f"; do you mean `{close[0]}`?" if close else "."


def _table(
    shape: type[msgspec.Struct], raw: object, path: KeyPath, report: Report
) -> None:
    if not isinstance(raw, dict):
        report(path, f"must be a table, not {_kind_of(raw)}.")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    tag = shape.__struct_config__.tag_field
    what = f"a {shape.__struct_config__.tag} cell" if tag else "this table"
    for name in raw:
        if name not in fields and name != tag:
            sentence = f"{what} has no key `{name}`{nearest(name, fields)}"
            report((*path, name), sentence)
    missing = [
        field.encode_name
        for field in fields.values()
        if field.required and field.encode_name not in raw
    ]
    if missing:
        keys = ", ".join(f"`{name}`" for name in missing)
        subject = "the lesson" if shape is Lesson else what
        report(path, f"{subject} needs {keys}.")
    for name, field in fields.items():
        if name in raw:
            _value(field.type, raw[name], (*path, name), report)


def _value(wanted: Any, raw: object, path: KeyPath, report: Report) -> None:
    if wanted == AnyCell:
        _cell(raw, path, report)
        return
    inner = _without_none(wanted)
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        _table(inner, raw, path, report)
    elif typing.get_origin(inner) is list and isinstance(raw, list):
        (item,) = typing.get_args(inner)
        for number, each in enumerate(raw):
            _value(item, each, (*path, number), report)
    elif typing.get_origin(inner) is dict and isinstance(raw, dict):
        _, item = typing.get_args(inner)
        for name, each in raw.items():
            _value(item, each, (*path, name), report)
    else:
        try:
            msgspec.convert(raw, inner)
        except msgspec.ValidationError as error:
            report(path, _sentence(str(error), raw, inner))


def _cell(raw: object, path: KeyPath, report: Report) -> None:
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if not isinstance(raw, dict):
        report(path, f"a cell must be a table, not {_kind_of(raw)}.")
    elif kind is None:
        report(path, f"a cell needs `kind`: {_either(CELL_KINDS)}.")
    elif not isinstance(kind, str) or kind not in CELL_KINDS:
        near = nearest(kind, CELL_KINDS)
        report((*path, "kind"), f"must be {_either(CELL_KINDS)}{near}")
    else:
        _table(CELL_KINDS[kind], raw, path, report)


def _without_none(wanted: Any) -> Any:
    """`X` of `X | None`; anything else as it is."""
    if isinstance(wanted, types.UnionType):
        given = [each for each in typing.get_args(wanted) if each is not type(None)]
        if len(given) == 1:
            return given[0]
    return wanted


_EXPECTED = re.compile(r"Expected `([^`]+)`(?: (.+?))?(?:, got `(\w+)`)?(?: - at .*)?$")


def _sentence(message: str, raw: object, wanted: Any) -> str:
    """What msgspec says, in the words of a lesson's author."""
    if words := _meta_words(wanted):
        return f"{_short(raw)} is not {words}."
    if message.startswith("Invalid enum value"):
        allowed = [str(each) for each in typing.get_args(wanted)]
        near = nearest(raw, allowed)
        return f"must be {_either(allowed)}, not {_short(raw)}{near}"
    match = _EXPECTED.match(message)
    if match is None:
        return f"{_short(raw)} cannot be used here: {message}."
    names = [each.strip() for each in match[1].split("|")]
    expected = " or ".join(_WORDS.get(each, each) for each in names if each != "null")
    limit = f" {match[2]}" if match[2] else ""
    got = _short(raw) if limit else _kind_of(raw)
    return f"must be {expected}{limit}, not {got}."


def _meta_words(wanted: Any) -> str | None:
    """The words an annotated type gives for what it accepts."""
    for meta in getattr(wanted, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.extra:
            return str(meta.extra.get("words"))
    return None


def _either(words: typing.Iterable[str]) -> str:
    *most, last = [f'"{word}"' for word in words]
    return f"{', '.join(most)} or {last}" if most else last


def _kind_of(raw: object) -> str:
    names = {bool: "bool", int: "int", float: "float", str: "str", list: "array"}
    fallback = "object" if isinstance(raw, dict) else type(raw).__name__
    name = names.get(type(raw), fallback)
    return _WORDS.get(name, name)


def _short(raw: object) -> str:
    """The value itself when it is short, else what kind of value it is."""
    text = f'"{raw}"' if isinstance(raw, str) else str(raw)
    simple = isinstance(raw, (str, int, float))
    return text if simple and len(text) <= 42 else _kind_of(raw)
