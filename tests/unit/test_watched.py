"""A watched loop: from its messages to the race, the disk and the cell's outputs."""

import math
from pathlib import Path
from typing import Any

import pytest

from tests.fake_kernel import FakeKernel
from tutor import wire
from tutor.kernel.base import KernelOptions
from tutor.kernel.outputs import (
    Done,
    Failure,
    Notice,
    Output,
    Payload,
    Stream,
    Watching,
)
from tutor.kernel.watching import OwnLoops
from tutor.packing import packed, unpacked
from tutor.progress import Progress
from tutor.runs.store import Runs
from tutor.session import Session
from tutor.training import watched, words
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Race
from tutor.training.watched import Watched, WatchedRace
from tutor.wire import Message

NUMBERS = (0.1, -5.0, 1e300, math.inf, -math.inf, 0.0)


def piece(start: int, *losses: float, curve: str = "loss", **more: Any) -> Watched:
    columns = {"w": packed([loss / 2 for loss in losses])}
    return Watched(curve, start, packed(losses), params=columns, **more)


def payload(seq: int, body: Watched, id: str = "watched-1-1") -> Payload:
    """As it arrives, text and back."""
    return Payload(wire.loads(wire.dumps(Message(id, seq, body))))


def test_numbers_travel_as_they_are() -> None:
    assert unpacked(packed(NUMBERS)) == NUMBERS
    assert math.isnan(unpacked(packed([math.nan]))[0])
    assert unpacked("") == ()
    for text in ("no base64!", "AAAA"):
        with pytest.raises(ValueError, match=r".+"):
            unpacked(text)


def test_a_race_is_put_together() -> None:
    so_far = WatchedRace("watched-1-1")
    so_far.take(piece(0, 4.0, 2.0))
    so_far.take(piece(0, 9.0, curve="sgd"))
    so_far.take(piece(2, 1.0, test=packed([8.0])))
    race = so_far.race
    assert race.spec.watched
    assert race.spec.id == "watched-1-1"
    assert [run.name for run in race.spec.runs] == ["loss", "sgd"]
    assert list(race.runs["loss"].losses) == [4, 2, 1]
    assert list(race.runs["loss"].params["w"]) == [2, 1, 0.5]
    assert race.spec.iterations == 10
    assert watched.sentence(race) == (
        "loss: 3 iterations, from 4 to 1; sgd: 1 iteration, from 9 to 9"
    )
    finished = so_far.end("finished")
    assert race.over
    assert race.spec.iterations == 2
    assert finished.runs["loss"].loss == 1
    assert finished.runs["loss"].params == {"w": 0.5}


def test_a_curve_that_left_all_bounds_ends_as_diverged() -> None:
    so_far = WatchedRace("watched-1-1")
    so_far.take(piece(0, 4.0, 1e9, findings=(Finding("loss", "diverged", 1),)))
    so_far.take(piece(0, 4.0, curve="other"))
    so_far.take(piece(2, 1e12, math.inf))
    ends = so_far.end("interrupted").runs
    assert [each.stopped for each in ends.values()] == ["diverged", "interrupted"]
    assert so_far.race.diverged_at("loss") == 1  # the loop itself went on to 3
    assert so_far.race.diverged_at("other") is None
    assert words.standing(so_far.race, so_far.race.runs["loss"]) == "diverged at 1"


@pytest.mark.parametrize(
    ("last", "room"), [(0, 10), (10, 10), (11, 20), (21, 50), (99, 100), (10**9, 10**9)]
)
def test_there_is_room_for_more_iterations(last: int, room: int) -> None:
    assert watched.room(last) == room


# ----------------------------------------------------------------- among the outputs


def loops() -> tuple[OwnLoops, list[Any], list[Race]]:
    kept: list[Any] = []
    told: list[Race] = []
    return OwnLoops(lambda spec, each: kept.append(each), told.append), kept, told


def test_a_loop_is_said_once_and_kept_whole() -> None:
    taking, kept, told = loops()
    said = [
        *taking.take(Stream("stdout", "hi")),
        *taking.take(payload(0, piece(0, 4.0, 2.0))),
        *taking.take(payload(1, piece(2, 1.0))),
        *taking.take(Done("ok")),
    ]
    assert said == [Stream("stdout", "hi"), Watching(told[0]), Done("ok")]
    assert [type(each) for each in kept] == [Points, Points, Finished]
    assert len(told) == 3
    assert kept[-1].over


@pytest.mark.parametrize("status", ["error", "interrupted", "died"])
def test_however_the_cell_ends_its_points_are_there(status: Any) -> None:
    taking, kept, told = loops()
    taking.take(payload(0, piece(0, 4.0, 2.0)))
    taking.take(Done(status, "killed"))
    assert list(told[0].runs["loss"].losses) == [4, 2]
    assert kept[-1].runs["loss"].stopped == "interrupted"


def test_a_finding_is_said_with_what_to_try() -> None:
    taking, kept, told = loops()
    found = Finding("loss", "no-zero-grad", 1, "w")
    _, notice = taking.take(payload(0, piece(0, 4.0, findings=(found,))))
    assert isinstance(notice, Notice)
    assert notice.text.startswith("At iteration 1 of your loop the gradient")
    assert "\n  try: clear the gradients" in notice.text
    assert told[0].findings == [found]
    assert found in kept


def test_what_cannot_be_read_is_said_once() -> None:
    taking, _, told = loops()
    bad = Watched("loss", 0, "no base64!")
    twice = piece(0, 4.0)
    said = [each for body in (bad, bad) for each in taking.take(payload(0, body))]
    assert [type(each) for each in said] == [Notice]
    assert told == []
    taking.take(payload(1, twice))
    assert taking.take(payload(2, twice)) == []
    assert list(told[0].runs["loss"].losses) == [4]


def test_cells_without_a_loop_are_as_before() -> None:
    taking, kept, told = loops()
    other = Payload(Message("x", 0, Finding("a", "sum")))
    outputs: list[Output] = [other, Failure("E", "", ""), Done("error")]
    assert [each for output in outputs for each in taking.take(output)] == outputs
    assert (kept, told) == ([], [])


async def test_the_session_shows_the_newest_loop() -> None:
    first = [payload(0, piece(0, 4.0, 2.0), "watched-1-1")]
    second = [payload(0, piece(0, 3.0), "watched-1-2")]
    kernel = FakeKernel({"one": first, "two": second}, options=KernelOptions())
    session = Session(lambda options: kernel, Progress(None))
    changes: list[int] = []

    def note() -> None:
        assert session.watched is not None
        changes.append(session.watched.iteration)

    session.on_watched = note
    events = [each async for each in session.execute("one")]
    assert events == [Watching(session.watched), Done("ok")]  # type: ignore[arg-type]
    assert changes == [1, 1]
    async for _ in session.execute("two"):
        pass
    assert session.watched is not None
    assert session.watched.spec.id == "watched-1-2"
    async for _ in session.execute("nothing"):
        pass
    assert session.watched.spec.id == "watched-1-2"


async def test_a_watched_loop_is_on_disk(tmp_path: Path) -> None:
    found = Finding("loss", "no-zero-grad", 1, "w")
    sent = [
        payload(0, piece(0, 4.0, 2.0)),
        payload(1, piece(2, 1.0, findings=(found,))),
    ]
    kernel = FakeKernel({"loop": sent})
    session = Session(lambda options: kernel, Progress(None), runs=Runs(tmp_path))
    async for _ in session.execute("loop"):
        pass
    await session.close()
    runs = Runs(tmp_path)
    (stored,) = runs.list()
    assert stored.spec.watched
    assert (stored.iteration, stored.stopped) == (2, "finished")
    race = runs.open(stored.id).race
    assert list(race.runs["loss"].losses) == [4, 2, 1]
    assert race.findings == [found]
