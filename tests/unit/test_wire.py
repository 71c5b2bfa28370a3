import json
import math
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor import wire
from tutor.errors import WireError
from tutor.wire import Message, decode, dumps, encode, loads


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    items: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Other:
    name: str


@dataclass(frozen=True, slots=True)
class Columns:
    maybe: tuple[float, ...] | None = None
    table: dict[str, tuple[float, ...]] | None = None
    named: dict[str, tuple[float, ...]] = field(default_factory=dict)
    word: str | tuple[float, ...] = ""
    rows: tuple[tuple[float, ...], ...] = ()
    counts: tuple[int, ...] = ()
    either: tuple[int | float, ...] = ()


@wire.message("test")
@dataclass(frozen=True, slots=True)
class Body:
    number: float = 0.0
    count: int = 0
    flag: bool = False
    text: str | None = None
    mode: Literal["a", "b"] = "a"
    points: tuple[float, ...] = ()
    pair: tuple[int, str] = (0, "")
    table: dict[str, float] | None = None
    inner: Inner | Other | None = None
    many: tuple[Inner, ...] = ()
    either: int | float = 0
    columns: Columns | None = None


def there_and_back(body: Body) -> Body:
    found = loads(dumps(Message("r1", 3, body)))
    assert (found.id, found.seq) == ("r1", 3)
    assert isinstance(found.body, Body)
    return found.body


floats = st.floats(allow_nan=False)
bodies = st.builds(
    Body,
    number=floats,
    count=st.integers(),
    flag=st.booleans(),
    text=st.none() | st.text(),
    mode=st.sampled_from(["a", "b"]),
    points=st.lists(floats).map(tuple),
    pair=st.tuples(st.integers(), st.text()),
    table=st.none() | st.dictionaries(st.text(), floats),
    inner=st.none() | st.builds(Inner, st.text()) | st.builds(Other, st.text()),
    many=st.lists(st.builds(Inner, st.text(), st.just((1, 2)))).map(tuple),
    either=st.integers() | floats,
)


@given(bodies)
def test_there_and_back(body: Body) -> None:
    found = there_and_back(body)
    assert found == body
    assert type(found.either) is type(body.either)
    assert type(found.inner) is type(body.inner)


def test_nan_is_nan_on_the_other_side() -> None:
    found = there_and_back(Body(number=math.nan, points=(1.0, math.nan, -math.inf)))
    assert math.isnan(found.number)
    assert math.isnan(found.points[1])
    assert found.points[2] == -math.inf


def test_the_text_is_strict_json() -> None:
    text = dumps(Message("r1", 0, Body(number=math.inf)))
    raw = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert raw["body"]["number"] == "inf"
    assert raw["v"] == wire.VERSION


MANY = (math.inf, math.nan, -math.inf, -0.0, 0.1, 1e300, 5e-324, *map(float, range(9)))


def test_many_numbers_are_one_text_and_the_same_bit_for_bit() -> None:
    raw = encode(Message("r1", 0, Body(points=MANY)))
    assert type(raw["body"]["points"]) is str
    found = there_and_back(Body(points=MANY)).points
    assert list(map(repr, found)) == list(map(repr, MANY))
    assert set(map(type, found)) == {float}


def test_numbers_are_packed_only_where_their_annotation_says_what_they_are() -> None:
    some, whole = MANY[3:], tuple(range(20))
    columns = Columns(
        maybe=some,
        table={"w": some},
        named={"w": some, "b": (1.0,)},
        word=some,
        rows=(some,),
        counts=whole,
        either=(*whole, *some),
    )
    raw = encode(Message("r1", 0, Body(columns=columns)))["body"]["columns"]
    assert [key for key, value in raw.items() if type(value) is str] == [
        "type",
        "maybe",
    ]
    assert type(raw["named"]["w"]) is str
    assert raw["named"]["b"] == [1.0]
    found = there_and_back(Body(columns=columns)).columns
    assert repr(found) == repr(columns)


def test_what_is_no_float_is_not_packed() -> None:
    whole: Any = (*range(9), 0.5)
    raw = encode(Message("r1", 0, Body(points=whole)))
    assert raw["body"]["points"] == [*whole]
    assert there_and_back(Body(points=whole)).points == whole


def test_files_and_printed_json_have_numbers_that_can_be_read() -> None:
    raw = wire.to_json(Body(points=MANY))
    assert raw["points"][:4] == ["inf", "nan", "-inf", -0.0]
    assert wire.from_json(Body, raw) == wire.from_json(Body, {"points": raw["points"]})


def test_what_was_written_before_numbers_were_packed_is_read() -> None:
    raw = {"v": 1, "kind": "test", "id": "r1", "seq": 0, "body": {"points": [0.5] * 9}}
    assert decode(raw).body == Body(points=(0.5,) * 9)


def test_a_newer_field_is_ignored_and_a_missing_one_has_its_default() -> None:
    raw = encode(Message("r1", 0, Body(count=3)))
    raw["body"]["newer"] = 1
    del raw["body"]["flag"]
    assert decode(raw).body == Body(count=3)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("count", "three", "Body.count"),
        ("count", True, "Body.count"),
        ("flag", 1, "Body.flag"),
        ("mode", "c", "Body.mode"),
        ("points", [1, "x"], "Body.points"),
        ("points", 3, "Body.points"),
        ("points", "no numbers", "Body.points: expected a list, got 'no numbers'"),
        ("points", "AAAA", "Body.points: expected a list"),
        ("points", "AAAAAAAA8D8=junk", "Body.points: expected a list"),
        ("pair", [1], "Body.pair"),
        ("table", [1], "Body.table"),
        ("inner", {"type": "Stranger"}, "Body.inner"),
        ("inner", {"type": "Inner"}, "Inner"),
    ],
)
def test_a_malformed_body_is_told_with_its_field(
    field: str, value: object, said: str
) -> None:
    raw = encode(Message("r1", 0, Body()))
    raw["body"][field] = value
    with pytest.raises(WireError, match=said):
        decode(raw)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        {"v": 99, "kind": "test"},
        {"v": 1},
        {"v": 1, "kind": "unheard of"},
        {"v": 1, "kind": "test", "id": "r1", "seq": 0},
        {"v": 1, "kind": "test", "id": "r1", "seq": "x", "body": {}},
    ],
)
def test_what_is_no_message(raw: object) -> None:
    with pytest.raises(WireError):
        decode(raw)


def test_no_json() -> None:
    with pytest.raises(WireError, match="not JSON"):
        loads("{")


def test_only_known_bodies_travel() -> None:
    with pytest.raises(WireError, match="Inner cannot travel"):
        dumps(Message("r1", 0, Inner("x")))
    with pytest.raises(WireError, match="object cannot travel"):
        dumps(Message("r1", 0, Body(text=object())))  # type: ignore[arg-type]


def test_a_tag_means_one_thing() -> None:
    with pytest.raises(ValueError, match="already means Body"):
        wire.message("test")(Inner)


def test_a_call_is_one_line_of_python() -> None:
    called: list[Any] = []
    text = "a \"quoted\" 'line'\n\x1b\u2028 é"
    code = wire.call("trace", "r1", Body(text=text))
    assert "\n" not in code
    module = type("bridge", (), {"call": lambda *given: called.append(given)})
    eval(code, {"__builtins__": {"__import__": lambda *a, **k: module}})
    ((function, sent),) = called
    assert function == "trace"
    assert loads(sent).body == Body(text=text)
