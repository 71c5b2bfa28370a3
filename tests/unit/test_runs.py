"""Races on disk: what was kept comes back, whatever was cut, full or taken over."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tutor.errors import FileError
from tutor.runs import log, pieces, store, writer
from tutor.runs.shortening import Shortening
from tutor.runs.store import Runs, StoredRun
from tutor.training import run as held
from tutor.training.curve import Curve
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, Race, RunEnd
from tutor.training.spec import Kept, RaceSpec, RunSpec

SPEC = RaceSpec(
    (RunSpec("gd", iterations=500), RunSpec("sgd", batch=1, test=10, iterations=500)),
    title="two",
    id="here",
)
ENDS = Finished(
    {"gd": RunEnd("interrupted", 99, 0.01), "sgd": RunEnd("interrupted", 99, 0.01)}
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runs(tmp_path: Path, clock: Clock) -> Runs:
    return Runs(tmp_path, clock=clock)


def points(run: str, start: int, count: int, each: int = 1) -> Points:
    at = range(start, start + count)
    return Points(
        run,
        start,
        start * each,
        each,
        tuple(1 / (1 + k) for k in at),
        {"w": tuple(float(k) for k in at), "b": tuple(-0.5 * k for k in at)},
        tuple(2.0 + k for k in at) if run == "sgd" else (),
        (start * 0.5, (start + count - 1) * 0.5),
    )


def kept(run: str, iteration: int, state: str = "c3RhdGU=") -> Kept:
    return Kept(run, iteration, state)


def fields(race: Race) -> dict[str, object]:
    """All that its runs hold."""
    return {
        name: {
            key: value.values if isinstance(value, Curve) else value
            for key, value in vars(run).items()
            if key not in ("spec", "end")
        }
        for name, run in race.runs.items()
    }


def fill(runs: Runs, race: Race, start: int, stop: int, part: int = 7) -> None:
    """Points of both runs, in parts, to the disk and to a race in memory."""
    for at in range(start, stop, part):
        for name, each in (("gd", 1000), ("sgd", 1)):
            some = points(name, at, min(part, stop - at), each)
            runs.keep(race.spec, some)
            race.add(some)


def only(runs: Runs) -> StoredRun:
    (found,) = runs.list()
    return found


def log_of(folder: Path) -> Path:
    (found,) = folder.glob("*/*.log")
    return found


def test_what_was_kept_comes_back(runs: Runs, tmp_path: Path) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 100)
    slip = Finding("sgd", "sum", 3, limit=0.1, facts={"n": 4.0})
    runs.keep(SPEC, slip)
    for name in race.runs:
        runs.keep(SPEC, kept(name, 99))
    runs.keep(SPEC, ENDS)
    race.add(ENDS)
    again = Runs(tmp_path)
    listed = only(again)
    assert (listed.title, listed.iteration, listed.stopped) == (
        "two",
        99,
        "interrupted",
    )
    stored = again.open(listed.id)
    assert fields(stored.race) == fields(race)
    assert stored.race.spec == dataclasses.replace(SPEC, id=listed.id)
    assert stored.race.runs["gd"].end == ENDS.runs["gd"]
    assert stored.kept == (kept("gd", 99), kept("sgd", 99))
    assert stored.race.findings == [slip]


@pytest.mark.parametrize("stood", [True, False])
def test_the_list_tells_how_far_the_slowest_is_that_can_go_on(
    runs: Runs, tmp_path: Path, stood: bool
) -> None:
    """`train` computes one run after the other."""
    gd, sgd = SPEC.runs
    spec = replace(SPEC, runs=(gd, sgd, replace(sgd, name="wild")))
    runs.keep(spec, points("gd", 0, 501))
    runs.keep(spec, points("wild", 0, 3))
    runs.keep(spec, Finding("wild", "diverged", 2))
    for at, said in ((None, "0 of 500"), (0, "43 of 500"), (44, "500 of 500")):
        if at is not None:
            runs.keep(spec, points("sgd", at, 457 if at else 44))
        runs.flush()
        if not stood:  # the disk lost it: the log alone tells
            for path in tmp_path.glob("*/*.standing"):
                path.unlink()
        assert only(Runs(tmp_path)).far == said


def test_nothing_is_written_of_a_race_that_did_nothing(
    runs: Runs, tmp_path: Path
) -> None:
    runs.keep(SPEC, points("gd", 0, 1))
    runs.keep(SPEC, ENDS)
    runs.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_over_in_a_moment_leaves_no_trace(tmp_path: Path, clock: Clock) -> None:
    runs = Runs(tmp_path / "data", after_s=1.0, clock=clock)
    runs.keep(SPEC, points("gd", 0, 100))
    clock.now = 0.9
    runs.keep(SPEC, ENDS)
    runs.close()
    assert not (tmp_path / "data").exists()
    runs.keep(SPEC, points("gd", 0, 100))
    clock.now = 2.0
    runs.keep(SPEC, points("gd", 100, 1))
    assert runs.open(only(runs).id).race.runs["gd"].last == 100


def test_a_race_without_an_id_or_a_folder_is_not_kept(
    runs: Runs, tmp_path: Path
) -> None:
    runs.keep(dataclasses.replace(SPEC, id=""), points("gd", 0, 9))
    memory = Runs(None)
    memory.keep(SPEC, points("gd", 0, 9))
    memory.keep(SPEC, kept("gd", 8))
    assert memory.kept(SPEC) == (kept("gd", 8),)
    assert (memory.list(), memory.notices, list(tmp_path.iterdir())) == ([], [], [])


def test_points_wait_half_a_second_at_most(
    runs: Runs, tmp_path: Path, clock: Clock
) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 10, part=10)
    clock.now = 10.0
    lost = 0
    for at in range(10, 200):
        clock.now += 0.1
        fill(runs, race, at, at + 1)
        lost = max(
            lost, race.iteration - Runs(tmp_path).open(only(runs).id).race.iteration
        )
    assert 0 < lost <= 5


def test_numbers_that_no_float32_holds_and_no_finite_ones_come_back(
    runs: Runs, tmp_path: Path
) -> None:
    spec = RaceSpec((RunSpec("gd"),), id="here")
    odd = (0.1, 1e300, float("inf"), float("-inf"), 3.5)
    runs.keep(spec, Points("gd", 0, 0, 1, odd))
    runs.keep(spec, Points("gd", 5, 5, 1, (0.5, float("nan"))))
    runs.close()
    losses = Runs(tmp_path).open(only(runs).id).race.runs["gd"].losses
    assert tuple(losses[:6]) == (*odd, 0.5)
    assert losses[6] != losses[6]


@pytest.mark.parametrize("count", [64, 65, 1000, 5003])
def test_a_long_run_is_thinned_as_it_is_in_memory(
    runs: Runs,
    tmp_path: Path,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
) -> None:
    monkeypatch.setattr(writer, "HELD_POINTS", 64)
    monkeypatch.setattr(held, "HELD_POINTS", 64)
    race = Race(SPEC)
    for at in range(0, count, 11):
        clock.now += 0.2
        fill(runs, race, at, min(at + 11, count))
    for name in race.runs:
        runs.keep(SPEC, kept(name, count - 1))
    runs.keep(SPEC, ENDS)
    runs.flush()
    stored = Runs(tmp_path).open(only(runs).id)
    assert fields(stored.race) == fields(race)
    assert len(stored.race.runs["gd"].losses) <= 64
    assert log_of(tmp_path).stat().st_size < 64 * 2 * 4 * 8 + 4096
    # It goes on where it stood, thinned as before.
    fill(runs, race, count, count + 200)
    runs.close()
    assert fields(Runs(tmp_path).open(only(runs).id).race) == fields(race)


def test_many_small_pieces_are_joined(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(writer, "PIECES", 20)
    race = Race(SPEC)
    for at in range(300):
        clock.now += 1.0
        fill(runs, race, at, at + 1)
    runs.close()
    assert fields(Runs(tmp_path).open(only(runs).id).race) == fields(race)
    assert log_of(tmp_path).stat().st_size < 300 * 50 + 22 * 400


def test_nobody_waits_for_the_joining_and_nothing_of_it_is_lost(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    may_go_on, joins = threading.Event(), []
    plain = log.shortened

    def held_up(*given: Any) -> Iterator[bytes]:
        joins.append(may_go_on.wait(60.0))
        return plain(*given)

    monkeypatch.setattr(writer, "PIECES", 20)
    monkeypatch.setattr(log, "shortened", held_up)
    race = Race(SPEC)
    for at in range(60):
        clock.now += 1.0
        fill(runs, race, at, at + 1)
    assert joins == [], "one is under way, and the points went on"
    assert Runs(tmp_path).open(only(runs).id).race.runs["gd"].last == 59
    may_go_on.set()
    runs.close()
    assert joins
    assert all(joins)
    assert fields(Runs(tmp_path).open(only(runs).id).race) == fields(race)
    assert [path.suffix for path in sorted(log_of(tmp_path).parent.iterdir())] == [
        ".log",
        ".standing",
    ]


def some(tmp_path: Path) -> tuple[Path, Race]:
    """A small log, and what is in it."""
    runs, race = Runs(tmp_path), Race(SPEC)
    for at in range(0, 12, 4):
        fill(runs, race, at, at + 4)
        runs.keep(SPEC, Finding("gd", "sum", at))
        runs._append(runs._writers["here"])
    runs.close()
    for standing in tmp_path.glob("*/*.standing"):
        standing.unlink()
    return log_of(tmp_path), race


def is_prefix(short: Race, whole: Race) -> bool:
    return all(
        run.losses == whole.runs[name].losses[: len(run.losses)]
        and run.last == len(run.losses) - 1
        for name, run in short.runs.items()
    )


def test_a_log_cut_at_any_byte_gives_what_is_before(tmp_path: Path) -> None:
    path, race = some(tmp_path)
    whole, runs = path.read_bytes(), Runs(tmp_path)
    lengths = set()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        try:
            stored = runs.open(path.parent.name)
        except FileError:
            assert runs.list() == []
        else:
            assert is_prefix(stored.race, race)
            lengths.add(stored.race.iteration)
    assert lengths == {-1, 3, 7, 11}


def test_a_log_with_any_byte_wrong_gives_what_is_before(tmp_path: Path) -> None:
    path, race = some(tmp_path)
    whole, runs = path.read_bytes(), Runs(tmp_path)
    for at in range(len(whole)):
        hurt = bytearray(whole)
        hurt[at] ^= 0x55
        path.write_bytes(hurt)
        try:
            stored = runs.open(path.parent.name)
        except FileError:
            continue
        assert is_prefix(stored.race, race)


def test_a_standing_cut_at_any_byte_is_none(runs: Runs, tmp_path: Path) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 20)
    runs.keep(SPEC, kept("gd", 19))
    runs.keep(SPEC, ENDS)
    (path,) = tmp_path.glob("*/*.standing")
    whole = path.read_bytes()
    for end in range(len(whole) - 1):
        path.write_bytes(whole[:end])
        stored = runs.open(only(runs).id)
        assert fields(stored.race) == fields(race)
        assert stored.kept == ()


def test_a_state_behind_the_points_is_kept_with_them(
    runs: Runs, tmp_path: Path, clock: Clock
) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 50)
    for name in race.runs:
        runs.keep(SPEC, kept(name, 49))
    clock.now = 2.0
    fill(runs, race, 50, 80)
    runs.close()  # cut off before the next slice ended
    again = Runs(tmp_path)
    stored = again.open(only(runs).id)
    assert stored.kept == (kept("gd", 49), kept("sgd", 49))
    assert again.kept(stored.race.spec) == stored.kept
    assert fields(stored.race) == fields(race)


def test_points_that_come_again_are_known(runs: Runs, tmp_path: Path) -> None:
    assert runs.unknown("here", points("gd", 0, 5)) == points("gd", 0, 5)
    runs.keep(SPEC, points("gd", 0, 50))
    assert runs.unknown("here", points("gd", 20, 30)) is None
    assert runs.unknown("here", points("gd", 20, 40)) == points("gd", 50, 10)
    assert runs.unknown("here", points("gd", 60, 4)) == points("gd", 60, 4)
    assert runs.unknown("here", points("sgd", 0, 5)) == points("sgd", 0, 5)
    runs.close()
    again = Runs(tmp_path)
    spec = again.open(only(runs).id).race.spec
    again.kept(spec)
    slip = Finding("gd", "sum", 3)
    assert again.unknown(spec.id, slip) == slip
    again.keep(spec, slip)
    assert again.unknown(spec.id, slip) is None
    assert again.unknown(spec.id, points("gd", 20, 40)) == points("gd", 50, 10)


def going_on(runs: Runs, stored: Race, clock: Clock) -> Iterator[None]:
    """Compute what is left, as a session does: from where it stands, and a turn of the
    caller's for each thing that arrives."""
    stood = {each.run: each.iteration for each in runs.kept(stored.spec)}
    for each in stored.spec.runs:
        first = stood.get(each.name, -1) + 1
        for at in range(first, each.iterations + 1, 7):
            count = min(7, each.iterations + 1 - at)
            some = runs.unknown(stored.spec.id, points(each.name, at, count))
            if some is not None:
                assert isinstance(some, Points)
                stored.add(some)
                runs.keep(stored.spec, some)
            if at % 5 == 0:  # a slice is over
                runs.keep(stored.spec, kept(each.name, at + count - 1))
            clock.now += 0.3
            yield


def test_killed_at_any_moment_it_goes_on_to_the_same_end(
    tmp_path: Path, clock: Clock
) -> None:
    whole = Race(RaceSpec(tuple(replace(r, iterations=200) for r in SPEC.runs), id="x"))
    ahead = 0
    moments = enumerate(going_on(Runs(tmp_path / "a", clock=clock), whole, clock))
    for moment, _ in moments:
        if not (tmp_path / "a").exists():
            continue
        there = tmp_path / str(moment)  # what a kill leaves now
        shutil.copytree(tmp_path / "a", there)
        runs = Runs(there, clock=clock)
        stored = runs.open(only(runs).id)
        stood = {each.run: each.iteration for each in stored.kept}
        ahead += any(
            run.last > stood.get(name, -1) for name, run in stored.race.runs.items()
        )
        for turn, _ in enumerate(going_on(runs, stored.race, clock)):
            if turn == moment % 9:  # killed a second time
                runs = Runs(there, clock=clock)
                stored = runs.open(stored.id)
                break
        for _ in going_on(runs, stored.race, clock):
            pass
        runs.close()
        again = Runs(there).open(stored.id).race
        for run in again.runs.values():
            assert list(run.losses) == [1 / (1 + at) for at in range(201)]
        assert fields(again) == fields(stored.race)
    assert ahead > 20


def test_points_that_came_twice_are_read_once(runs: Runs, tmp_path: Path) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 50)
    runs.keep(SPEC, points("gd", 40, 30, 1000))
    runs.keep(SPEC, points("gd", 45, 5, 1000))
    race.add(points("gd", 50, 20, 1000))
    runs.close()
    again = Runs(tmp_path).open(only(runs).id).race
    assert fields(again) == fields(race)


def test_a_standing_ahead_of_a_log_that_lost_its_end_is_left_out(
    runs: Runs, tmp_path: Path, clock: Clock
) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 50)
    clock.now = 1.0
    size = log_of(tmp_path).stat().st_size
    fill(runs, race, 50, 100)
    for name in race.runs:
        runs.keep(SPEC, kept(name, 99))
    runs.close()
    os.truncate(log_of(tmp_path), size)
    again = Runs(tmp_path)
    stored = again.open(only(runs).id)
    assert stored.kept == ()
    assert again.kept(stored.race.spec) == ()
    last = stored.race.runs["gd"].last
    assert last < 99
    assert again.unknown(stored.id, points("gd", 0, 99)) == points(
        "gd", last + 1, 98 - last
    )


def test_a_state_that_is_too_large_is_not_kept(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "STATE_BYTES", 10)
    race = Race(SPEC)
    fill(runs, race, 0, 20)
    runs.keep(SPEC, kept("gd", 19, "x" * 11))
    runs.keep(SPEC, ENDS)
    stored = Runs(tmp_path).open(only(runs).id)
    assert stored.kept == ()
    assert fields(stored.race) == fields(race)


def test_going_on_stays_in_its_place(runs: Runs, tmp_path: Path) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 50)
    for name in race.runs:
        runs.keep(SPEC, kept(name, 49))
    runs.close()
    again = Runs(tmp_path)
    stored = again.open(only(again).id)
    longer = dataclasses.replace(
        stored.race.spec,
        runs=tuple(dataclasses.replace(each, lr=0.5) for each in SPEC.runs),
    )
    race, stored.race.spec = stored.race, longer
    fill(again, race, 50, 90)
    again.close()
    assert len(list(tmp_path.glob("*/*.log"))) == 1
    last = Runs(tmp_path).open(only(runs).id)
    assert last.race.spec == longer
    assert last.started == stored.started
    assert fields(last.race) == fields(race)


def test_a_race_opened_where_it_was_computed_has_one_writer(
    runs: Runs, tmp_path: Path
) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 20)
    runs.flush()
    stored = runs.open(only(runs).id)
    runs.kept(stored.race.spec)
    fill(runs, stored.race, 20, 40)
    runs.close()
    assert runs.notices == []
    assert len(list(log_of(tmp_path).parent.iterdir())) == 2
    assert runs.open(only(runs).id).race.runs["gd"].last == 39


def test_two_tutors_on_one_race_do_no_harm(tmp_path: Path, clock: Clock) -> None:
    one, race = Runs(tmp_path, clock=clock), Race(SPEC)
    fill(one, race, 0, 50)
    one.close()
    id = one.list()[0].id
    one, two = Runs(tmp_path, clock=clock), Runs(tmp_path, clock=clock)
    there = [runs.open(id).race for runs in (one, two)]
    clock.now += 1
    fill(one, there[0], 50, 60)
    fill(two, there[1], 50, 70)
    clock.now += 1
    fill(one, there[0], 60, 70)
    fill(two, there[1], 70, 80)
    one.close()
    two.close()
    assert len(one.notices) == 1
    assert "another tutor went on with it" in one.notices[0]
    assert fields(Runs(tmp_path).open(id).race) == fields(there[1])


def test_runs_that_left_the_race_are_gone(runs: Runs, tmp_path: Path) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 20)
    alone = dataclasses.replace(SPEC, runs=SPEC.runs[:1])
    runs.keep(alone, points("gd", 20, 5, 1000))
    runs.close()
    stored = Runs(tmp_path).open(only(runs).id)
    assert list(stored.race.runs) == ["gd"]
    assert stored.race.iteration == 24


def test_the_brief_and_the_oldest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "RUNS", 4)
    runs = Runs(tmp_path)
    ids: list[str] = []
    for number in range(6):
        spec = dataclasses.replace(SPEC, id=f"race-{number}")
        runs.keep(spec, points("gd", 0, 5))
        runs.close()
        new = {each.id for each in runs.list()} - set(ids)
        ids += new
        (folder,) = (tmp_path / id for id in new)
        began = 1_700_000_000 + 1000 * number
        os.utime(folder, (began, began))
        if number in (0, 3):  # long ones
            os.utime(folder, (2_000_000_000 + number, 2_000_000_000 + number))
    assert {each.id for each in runs.list()} == {ids[0], ids[3], ids[4], ids[5]}


def test_one_that_another_tutor_computes_now_does_not_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "RUNS", 1)
    other = Runs(tmp_path)
    other.keep(SPEC, points("gd", 0, 5))
    ids = {only(other).id}
    ours = Runs(tmp_path)
    ours.keep(dataclasses.replace(SPEC, id="ours"), points("gd", 0, 5))
    assert {each.id for each in ours.list()} > ids
    assert other.notices == ours.notices == []


@pytest.mark.parametrize("id", ["", "..", "20261127-000000-abcd", "/etc", "x" * 300])
def test_a_run_that_is_not_there_is_a_sentence(runs: Runs, id: str) -> None:
    with pytest.raises(FileError, match="There is no stored run"):
        runs.open(id)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x00" * 100])
def test_a_file_that_is_no_run_is_a_sentence(
    runs: Runs, tmp_path: Path, content: bytes
) -> None:
    folder = tmp_path / "20261127-000000-abcd"
    folder.mkdir()
    assert runs.list() == []
    with pytest.raises(FileError, match="no log"):
        runs.open(folder.name)
    (folder / "a.log").write_bytes(content)
    assert runs.list() == []
    with pytest.raises(FileError, match="no run that the tutor stored"):
        runs.open(folder.name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_one_notice(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    runs = Runs(tmp_path / "runs")
    for start in range(1, 100, 10):
        runs.keep(SPEC, points("gd", start, 10))
    tmp_path.chmod(0o700)
    assert len(runs.notices) == 1
    assert "Permission denied" in runs.notices[0]


def test_a_folder_that_is_a_file_is_one_notice(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    runs = Runs(tmp_path / "runs")
    for start in range(1, 100, 10):
        runs.keep(SPEC, points("gd", start, 10))
    runs.keep(SPEC, kept("gd", 100))
    assert len(runs.notices) == 1
    assert "The race is not being kept: File exists" in runs.notices[0]
    assert runs.list() == []
    assert runs.kept(SPEC) == (kept("gd", 100),)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_notice_and_what_was_written_stays(
    runs: Runs, tmp_path: Path, clock: Clock
) -> None:
    race = Race(SPEC)
    fill(runs, race, 0, 50)
    clock.now = 1.0
    fill(runs, race, 50, 51)
    path = log_of(tmp_path)
    whole = path.read_bytes()
    path.unlink()
    path.symlink_to("/dev/full")
    for at in range(51, 90):
        clock.now += 1.0
        fill(runs, race, at, at + 1)
    assert len(runs.notices) == 1
    assert "No space left on device" in runs.notices[0]
    path.unlink()
    path.write_bytes(whole)
    assert Runs(tmp_path).open(only(runs).id).race.iteration >= 49


KEEPING = """
import sys, time
from pathlib import Path
from tutor.runs.store import Runs
from tutor.training.run import Points
from tutor.training.spec import Kept, RaceSpec, RunSpec
runs = Runs(Path(sys.argv[1]))
spec = RaceSpec((RunSpec("gd", iterations=10**9),), id="here")
at = 0
while True:
    runs.keep(spec, Points("gd", at, at, 1, tuple(float(k) for k in range(at, at + 100))))
    at += 100
    if at % 5000 == 0:
        runs.keep(spec, Kept("gd", at - 1, "x" * 1000))
    print(at - 1, time.monotonic(), flush=True)
"""


def test_killed_in_the_middle_it_loses_a_second_at_most(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KEEPING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            told.append((int(line.split()[0]), float(line.split()[1])))
            if told[-1][1] - told[0][1] > 2.5:
                break
        os.kill(process.pid, signal.SIGKILL)
        told += [
            (int(line.split()[0]), float(line.split()[1]))
            for line in process.stdout
            if line.endswith("\n") and len(line.split()) == 2
        ]
    runs = Runs(tmp_path)
    stored = runs.open(only(runs).id)
    run = stored.race.runs["gd"]
    assert all(loss == index * run.stride for index, loss in enumerate(run.losses))
    before = max(at for at, when in told if when <= told[-1][1] - 2.0)
    assert run.last >= before  # an append, then a standing once a second
    assert stored.kept[0].iteration >= before


def test_a_log_is_shortened_in_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the race that it is about: its memory is to stay what it was."""
    monkeypatch.setattr(pieces, "LONGEST", 2000)
    path = tmp_path / "a.log"
    with path.open("wb") as file:
        file.write(log.head(SPEC, 0.0))
        for at in range(0, 40_000, 500):
            for name in ("gd", "sgd"):
                file.write(log.points(pieces.piece(points(name, at, 500))))
        file.write(b"\xf0\xff\xff\xff" + bytes(4))  # cut off; it would be 4 GB
    size, before = path.stat().st_size, log.read(path)
    tracemalloc.start()
    try:
        Shortening(path, {"gd": 2, "sgd": 1}).finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 4
    after = log.read(path)
    counts = {
        name: sum(each.count for each in after.pieces[name]) for name in ("gd", "sgd")
    }
    assert counts == {"gd": 20_000, "sgd": 40_000}
    assert len(after.pieces["sgd"]) < len(before.pieces["sgd"]) / 3


@pytest.mark.parametrize(
    "odd", [0.1, 1e300, -1e300, 5e-324, float("inf"), float("nan")]
)
def test_a_number_that_four_bytes_do_not_hold_has_eight(odd: float) -> None:
    column = (*(k / 4 for k in range(20)), odd)
    piece = pieces.piece(Points("gd", 0, 0, 1, column, {"w": column[:1] * 21}))
    content = pieces.to_bytes(piece)
    again = pieces.from_bytes(content)
    assert [repr(each) for each in again.columns["loss"]] == list(map(repr, column))
    assert list(again.columns[".w"]) == [0.0] * 21
    small = odd in (float("inf"),) or odd != odd
    sizes = len(content.partition(b"\n")[2])
    assert sizes == 21 * (4 if small else 8) + 21 * 4
