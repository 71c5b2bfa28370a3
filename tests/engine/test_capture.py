import io
import os
import threading
from collections.abc import Iterator

import pytest

from tutor.engine import capture
from tutor.engine.capture import Capture

Watched = tuple[int, io.StringIO, Capture]


@pytest.fixture
def descriptor() -> Iterator[int]:
    end = os.open(os.devnull, os.O_WRONLY)
    yield end
    os.close(end)


def test_all_that_was_printed_is_there(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the thread had no time for it."""
    monkeypatch.setattr(threading.Thread, "start", lambda self: None)
    stream = io.StringIO()
    captured = Capture(descriptor, stream)
    assert captured.take()
    os.write(descriptor, b"printed")
    assert captured.take()
    assert stream.getvalue() == "printed"
    os.close(captured._end)


def test_characters_cut_in_two(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda self: None)
    monkeypatch.setattr(capture, "_AT_ONCE", 1)
    stream = io.StringIO()
    captured = Capture(descriptor, stream)
    os.write(descriptor, "é€😀".encode())
    captured.take()
    assert stream.getvalue() == "é€😀"
    os.close(captured._end)


def test_the_thread_takes_it_meanwhile_and_ends_with_the_descriptor() -> None:
    descriptor = os.open(os.devnull, os.O_WRONLY)
    written = threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            written.set()
            return super().write(text)

    before = set(threading.enumerate())
    captured = Capture(descriptor, stream := Stream())
    (thread,) = set(threading.enumerate()) - before
    os.write(descriptor, b"printed")
    assert written.wait(30)
    os.close(descriptor)
    thread.join(30)
    assert not thread.is_alive()
    captured.take()
    assert stream.getvalue() == "printed"
    os.close(captured._end)
