"""Is a parsed lesson of the right shape? Every difference from `schema`, in words.

msgspec stops at its first error, so the tables are walked here, field by field, and it
judges each value on its own.
"""

import difflib
import re
import types
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from tutor.lesson.lines import KeyPath
from tutor.lesson.schema import AnyCell, Lesson

Report = Callable[[KeyPath, str], None]
"""Called with a key path and a sentence."""

CELL_KINDS: dict[str, type[AnyCell]] = {
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


def read_cell(raw: object) -> tuple[AnyCell, list[KeyPath]] | None:
    """A cell as far as it is of the right shape, and which of its keys are made up.

    So the rules of the good keys can be applied beside a broken one. None: it is of no
    known kind.
    """
    kind = raw.get("kind") if isinstance(raw, dict) else None
    shape = CELL_KINDS.get(kind) if isinstance(kind, str) else None
    if shape is None:
        return None
    made_up: list[KeyPath] = []
    mended = _mended(shape, raw, (), made_up)
    return msgspec.convert(mended, shape), made_up


def _mended(
    shape: type[msgspec.Struct], raw: object, path: KeyPath, made_up: list[KeyPath]
) -> dict[str, Any]:
    """The table without its faults: they are left out, or replaced where needed."""
    given = raw if isinstance(raw, dict) else {}
    mended: dict[str, Any] = {}
    if tag := shape.__struct_config__.tag_field:
        mended[tag] = shape.__struct_config__.tag
    for field in msgspec.structs.fields(shape):
        name, wanted = field.name, _without_none(field.type)
        here = (*path, name)
        if name not in given and not field.required:
            continue
        value = given.get(name)
        if _is_table(wanted):
            mended[name] = _mended(wanted, value, here, made_up)
        elif isinstance(value, list) and _is_table(item := _item(wanted)):
            mended[name] = [
                _mended(item, each, (*here, number), made_up)
                for number, each in enumerate(value)
            ]
        elif _converts(value, wanted):
            mended[name] = value
        else:
            made_up.append(here)
            if field.required:
                mended[name] = ["x"] if _item(wanted) is str else "x"
    return mended


def _is_table(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _item(wanted: Any) -> Any:
    """`X` of `list[X]`, else None."""
    is_list = typing.get_origin(wanted) is list
    return typing.get_args(wanted)[0] if is_list else None


def _converts(value: object, wanted: Any) -> bool:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return False
    return True


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
    if _is_table(inner):
        _table(inner, raw, path, report)
    elif (item := _item(inner)) is not None and isinstance(raw, list):
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
    if typing.get_origin(wanted) in (types.UnionType, typing.Union):
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
    limit = f" {_limit(match[2])}" if match[2] else ""
    got = _short(raw) if limit else _kind_of(raw)
    return f"must be {expected}{limit}, not {got}."


_SIGNS = {">=": "from", ">": "above", "<=": "up to", "<": "below"}


def _limit(condition: str) -> str:
    """ "above 0" of "> 0.0"; other conditions as they are."""
    sign, _, number = condition.partition(" ")
    return f"{_SIGNS.get(sign, sign)} {number.removesuffix('.0')}"


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
    if isinstance(raw, bool):
        text = text.lower()
    simple = isinstance(raw, (str, int, float))
    return text if simple and len(text) <= 42 else _kind_of(raw)
