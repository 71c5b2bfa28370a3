"""The training screen where something is in the way: full, over, or turned meanwhile."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import type_text, wait_for_text, wait_until
from tests.ui.test_training import racing, settled
from tests.ui.test_training_keys import at_the_end, own_loop
from tutor import exports, messages
from tutor.lesson.schema import TrainCell, TrainRun
from tutor.runs.store import Runs
from tutor.training.findings import Finding
from tutor.training.luck import LuckEnd, LuckRequest
from tutor.training.run import Finished, Race, RunEnd, Stopped
from tutor.training.spec import SliceRequest
from tutor.ui.widgets.ask_line import AskLine


async def test_a_proposal_for_a_full_race_is_a_sentence() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        control = app.training.control
        for number in range(3):
            await pilot.press("left", "f")
            await type_text(pilot, f"lr 0.0{number + 1}\n")
            await wait_until(pilot, lambda n=number: len(control.race.runs) == 4 + n)  # type: ignore[misc]
            await settled(pilot)
        control.race.add(Finding("gd", "diverged", 9, tensor="w", lr=2.0, limit=0.935))
        control.tell()
        await wait_for_text(pilot, "a tries lr 0.5")
        await pilot.press("a")
        await wait_for_text(pilot, "6 runs at most")
        assert len(control.race.runs) == 6


async def test_what_is_turned_at_the_end_holds_when_it_runs_again() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("+")
        await wait_for_text(pilot, "◂ 0.1 ▸")
        await pilot.press("space")
        await wait_until(pilot, lambda: app.engine.requests[-1].race.id != "screen-1")
        await wait_for_text(pilot, "finished")
        for run in app.training.control.race.spec.runs:
            assert run.at(24).lr == 0.1


async def test_nothing_is_forked_where_nothing_would_follow() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("f")
        text = await wait_for_text(pilot, "Fork A from 0:")
        assert "A ends at 25: for lr and the like Esc and ← first." in text
        assert "Others begin at 0: " in text
        await type_text(pilot, "lr 0.2\n")
        await wait_for_text(pilot, "gd ends at 25, so nothing would follow")
        assert len(app.training.control.race.runs) == 3
        app.screen.query_one(AskLine).field.value = ""
        await pilot.press("tab", "enter")
        await wait_until(pilot, lambda: len(app.training.control.race.runs) == 4)
        fork = app.training.control.race.spec.runs[-1]
        assert (fork.of, fork.since, fork.changes) == ("gd", 0, ())


async def test_where_nothing_at_all_would_follow_nothing_is_typed() -> None:
    runs = [TrainRun(name="ball")]
    cell = TrainCell(id="a", dataset="valleys", iterations=3, runs=runs)
    async with racing(cell) as (app, pilot):
        await pilot.press("3", "s")
        await wait_until(pilot, lambda: app.at == 3)
        await settled(pilot)
        await pilot.press("f")
        await wait_for_text(pilot, "A ends at 3: go back with ←, then fork it.")
        assert app.training.mode == "command"


async def test_a_picture_that_waits_for_the_luck_meter_says_so() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        began = asyncio.Event()

        async def forever(request: LuckRequest) -> AsyncIterator[Any]:
            began.set()
            await asyncio.Event().wait()
            yield LuckEnd(500, 0.0, {}, interrupted=True)

        app.kernels[-1].calls["luck"] = forever
        await pilot.press("k")
        await wait_until(pilot, began.is_set)
        app.training.control.view = "noise"
        app.training.note_change()
        await wait_for_text(pilot, "comes after the luck meter: space")
        await pilot.press("space")
        await wait_for_text(pilot, "batches of 1")


async def test_a_race_from_disk_is_said_to_wait_for_the_kernel(tmp_path: Path) -> None:
    async with racing(runs=Runs(tmp_path)) as (app, pilot):
        await pilot.press("7", "s")
        await wait_until(pilot, lambda: app.at == 7)
        await settled(pilot)
        app.session.runs.flush()
        go_on = asyncio.Event()
        racer = app.kernels[-1]
        plain = racer.calls["train"]

        async def later(request: SliceRequest) -> AsyncIterator[Any]:
            await go_on.wait()
            async for each in plain(request):  # type: ignore[union-attr]
                yield each

        racer.calls["train"] = later
        await pilot.press("r")
        await wait_for_text(pilot, "starting")
        await pilot.press("+")
        await wait_for_text(pilot, "taken as soon as the kernel is there")
        await pilot.press("o")
        await wait_for_text(pilot, "Races on disk")
        await pilot.press("enter")
        await wait_for_text(pilot, "opened as soon as the kernel is there")
        go_on.set()
        text = await wait_for_text(pilot, "iteration 7 of 25")
        assert "as soon as" not in text


async def test_what_has_no_luck_says_so_and_loses_nothing() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        racer = app.kernels[-1]
        racer.calls["luck"] = lambda request: [messages.Problem("Nothing of luck.")]
        await pilot.press("k")
        await wait_for_text(pilot, "Nothing of luck.")
        assert app.training.control.state == "finished"
        assert app.training.control.problem is None


async def test_the_race_that_runs_is_opened_with_all_its_points(tmp_path: Path) -> None:
    async with racing(runs=Runs(tmp_path)) as (app, pilot):
        app.engine.held = True
        await pilot.press("space")
        await wait_until(pilot, lambda: app.at == 5)
        app.session.runs.flush()
        await pilot.press("o")
        await wait_for_text(pilot, "Races on disk")
        await pilot.press("enter")
        await wait_for_text(pilot, "iteration 6 of 25")  # the pause brings one more
        assert app.training.control.state == "paused"
        assert app.training.control.race.spec.id == app.session.runs.list()[0].id


async def test_a_file_is_written_beside_a_race_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, may_go_on = [], threading.Event()
    plain = exports.write

    def held_up(race: Race, *rest: Any) -> Path:
        assert may_go_on.wait(20), "nothing went on"
        written.append(race.iteration)
        return plain(race, *rest)

    monkeypatch.setattr(exports, "write", held_up)
    async with racing() as (app, pilot):
        await pilot.press("3", "s")
        await wait_until(pilot, lambda: app.at == 3)
        await pilot.press("w")
        app.screen.query_one(AskLine).field.value = str(tmp_path / "race.csv")
        await pilot.press("enter")
        await app.training.control.run()
        await wait_until(pilot, lambda: app.at == 25)
        may_go_on.set()
        await wait_for_text(pilot, "Written, and its path copied")
    assert written == [3], "as it was when the key was pressed"


async def test_of_what_nobody_looks_at_nothing_is_computed() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        control = app.training.control
        await pilot.press("v", "v")
        await wait_until(pilot, lambda: "output" in control.looking.answers)
        await pilot.press("V", "V")
        await settled(pilot)
        looked = len(app.engine.looked)
        await pilot.press("r")
        await wait_until(pilot, lambda: app.at == 0)
        await settled(pilot)
        await pilot.press("s")
        await wait_until(pilot, lambda: app.at == 1)
        await settled(pilot)
        assert app.engine.requests[-1].views == ()
        assert len(app.engine.looked) == looked


async def test_at_the_end_a_key_says_where_it_leads() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        assert "space again" in await settled(pilot)
        await pilot.press("left")
        text = await wait_for_text(pilot, "looking at 24 of 25")
        assert "space newest" in text
        assert "s one" not in text
        await pilot.press("space")
        await wait_for_text(pilot, "iteration 25 of 25")


async def test_what_stands_in_a_line_gives_way_to_what_is_typed() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        for key, written in (("w", "/tmp/r1"), ("d", "B")):
            await pilot.press(key)
            await wait_until(pilot, lambda: app.training.line.is_typing)
            await type_text(pilot, written)
            assert app.training.line.field.value == written
            await pilot.press("escape")
            await wait_until(pilot, lambda: not app.training.line.is_typing)


@pytest.mark.parametrize(
    ("stopped", "word"), [("interrupted", "ended"), ("finished", "finished")]
)
async def test_an_own_loop_that_was_stopped_does_not_run(
    stopped: Stopped, word: str
) -> None:
    async with racing() as (app, pilot):
        race = app.session.watched = own_loop(20)
        assert app.session.on_watched is not None
        app.session.on_watched()
        await pilot.press("l")
        await wait_for_text(pilot, "running")
        race.add(Finished({"loss": RunEnd(stopped, 19, 0.05)}))
        app.session.on_watched()
        text = await wait_for_text(pilot, word)
        assert "iteration 19" in text
        assert "running" not in text
        assert "what your loop gave to tutor.watch" in text


async def test_the_same_of_several_runs_is_said_of_all() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        for run in app.training.control.race.runs:
            finding = Finding(run, "no-zero-grad", 1, tensor="w")
            app.training.control.race.add(finding)
        app.training.control.tell()
        text = await wait_for_text(pilot, "is still in w.grad")
        assert "of gd, minibatch and sgd" in text


async def test_what_is_given_before_there_is_a_kernel_is_said_to_wait() -> None:
    async with racing() as (app, pilot):
        go_on = asyncio.Event()
        racer = app.kernels[-1]
        plain = racer.calls["train"]

        async def later(request: SliceRequest) -> AsyncIterator[Any]:
            await go_on.wait()
            async for each in plain(request):  # type: ignore[union-attr]
                yield each

        racer.calls["train"] = later
        await pilot.press("r")
        await wait_for_text(pilot, "starting")
        await pilot.press("enter")
        await type_text(pilot, "0.2\n")
        await wait_for_text(pilot, "taken as soon as the kernel is there")
        assert app.training.mode == "command"
        go_on.set()
        await wait_until(pilot, lambda: app.training.control.race.iteration == 0)
        text = await wait_for_text(pilot, "◂ 0.2 ▸")
        assert "as soon as" not in text


async def test_a_kernel_that_does_not_answer_is_ended_by_the_second_ctrl_c(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tutor.ui.screens.kernel_care.PATIENCE_S", 0.01)
    async with racing() as (app, pilot):
        racer, control = app.kernels[-1], app.training.control
        plain = racer.calls["train"]

        async def hanging(request: SliceRequest) -> AsyncIterator[Any]:
            while racer.calls["train"] != plain:  # it swallows every interrupt
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
            yield messages.Problem("It was stopped.")

        racer.calls["train"] = hanging
        await pilot.press("space")
        await wait_for_text(pilot, "running")
        await wait_until(pilot, lambda: app.races.asks)
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "The race's kernel does not answer")
        racer.calls["train"] = plain
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "The race's kernel was ended")
        await wait_until(pilot, lambda: control.state == "ready")
        await pilot.press("space")
        await wait_for_text(pilot, "iteration 25 of 25")
        assert control.problem is None
