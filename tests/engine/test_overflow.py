import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.engine import overflow
from tutor.engine.overflow import Overflow, encodable

Limited = tuple[Overflow, io.StringIO, list[Path | None]]


@pytest.fixture
def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Limited]:
    """Three lines or twenty characters are shown."""
    monkeypatch.setattr(overflow, "SHOWN_LINES", 3)
    monkeypatch.setattr(overflow, "SHOWN_CHARACTERS", 20)
    told: list[Path | None] = []
    made = Overflow(tmp_path / "output", told.append)
    stream = io.StringIO()
    made.limit(stream)
    yield made, stream, told
    made.end()


def rest(limited: Limited) -> str:
    limited[0].end()
    (path,) = limited[2]
    assert path is not None
    return path.read_text(encoding="utf-8")


def test_what_fits_is_shown(limited: Limited) -> None:
    _, stream, told = limited
    assert stream.write("a\nb\nc\n") == 6
    assert (stream.getvalue(), told) == ("a\nb\nc\n", [])


@pytest.mark.parametrize(
    ("writes", "shown"),
    [
        (["a\nb\nc\nd\n"], "a\nb\nc\n"),
        (["a\n", "b\n", "c\n", "d\n", "e"], "a\nb\nc\n"),
        (["a\nb\nc\n", "d"], "a\nb\nc\n"),
        (["x" * 21], "x" * 20),
        (["x" * 15, "y" * 15], "x" * 15 + "y" * 5),
        (["x" * 19 + "\n\n\n\n"], "x" * 19 + "\n"),
    ],
)
def test_the_rest_goes_to_a_file(
    limited: Limited, writes: list[str], shown: str
) -> None:
    for text in writes:
        assert limited[1].write(text) == len(text)
    assert limited[1].getvalue() == shown
    assert rest(limited) == "".join(writes)[len(shown) :]


@given(st.lists(st.text(alphabet="ab\n", max_size=12), max_size=12))
def test_nothing_is_lost_or_doubled(writes: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overflow, "SHOWN_LINES", 3)
        patch.setattr(overflow, "SHOWN_CHARACTERS", 20)
        kept = io.StringIO()
        made = Overflow(Path(), lambda path: None)
        patch.setattr(made, "_open", lambda: setattr(made, "_file", kept))
        stream = io.StringIO()
        made.limit(stream)
        for text in writes:
            stream.write(text)
        everything = "".join(writes)
        shown = stream.getvalue()
        assert shown + kept.getvalue() == everything
        assert shown.count("\n") <= 3
        assert len(shown) <= 20
        if everything.count("\n") < 3 and len(everything) <= 20:
            assert shown == everything


def test_each_cell_has_its_own_limit(limited: Limited) -> None:
    made, stream, told = limited
    stream.write("x" * 30)
    made.begin()
    stream.write("y" * 10)
    assert stream.getvalue() == "x" * 20 + "y" * 10
    stream.write("y" * 30)
    assert len(told) == 2
    assert told[0] != told[1]


def test_no_place_for_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    told: list[Path | None] = []
    made = Overflow(tmp_path / "file", told.append)
    stream = io.StringIO()
    made.limit(stream)
    stream.write("x" * 2_000_000)
    stream.write("more")
    assert len(stream.getvalue()) == overflow.SHOWN_CHARACTERS
    assert told == [None]


def test_an_endless_loop_does_not_fill_the_disk(
    limited: Limited, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overflow, "KEPT_CHARACTERS", 100)
    for _ in range(100):
        limited[1].write("x" * 20)
    assert len(rest(limited)) <= 100


def test_only_old_files_are_swept(limited: Limited, tmp_path: Path) -> None:
    for _ in range(overflow.FILES + 5):
        limited[0].begin()
        limited[1].write("x" * 30)
    newest = limited[2][-1]
    left = list((tmp_path / "output").iterdir())
    assert newest in left
    assert len(left) == overflow.FILES


def test_only_text_is_written(limited: Limited) -> None:
    write: Callable[[object], int] = limited[1].write  # type: ignore[assignment]
    with pytest.raises(TypeError, match="bytes"):
        write(b"bytes")


@given(st.text(st.characters(exclude_categories=[])))
def test_all_text_can_be_sent(text: str) -> None:
    encodable(text).encode()
