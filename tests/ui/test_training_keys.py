"""The training screen's keys beside running: scrub, fork, hide, type, views, count."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import screen_text, type_text, wait_for_text, wait_until
from tests.ui.test_training import RaceApp, racing, settled
from tutor.errors import UsageError
from tutor.runs.store import Runs
from tutor.training.findings import Finding
from tutor.training.notches import Notch
from tutor.training.run import Finished, Points, Race, RunEnd
from tutor.training.spec import Change, RaceSpec, RunSpec
from tutor.ui import race_settings
from tutor.ui.race_settings import Row
from tutor.ui.widgets.ask_line import AskLine
from tutor.ui.widgets.plain import Plain


async def at_the_end(app: RaceApp, pilot: Pilot[Any]) -> None:
    await pilot.press("space")
    await wait_until(pilot, lambda: app.at == 25)
    await settled(pilot)


# ---------------------------------------------------------------------------- counting


async def test_a_number_before_s_does_so_many_iterations_at_once() -> None:
    async with racing() as (app, pilot):
        await pilot.press("1", "2")
        text = await wait_for_text(pilot, "12 s")
        assert "s do 12" in text
        await pilot.press("s")
        await wait_until(pilot, lambda: app.at == 12)
        text = await settled(pilot)
        assert "iteration 12 of 25" in text
        assert "s one" in text
        assert [request.limit for request in app.engine.requests] == [0, 12]


async def test_no_further_iteration_of_a_race_that_is_over_is_said() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("1", "2", "s")
        text = await wait_for_text(pilot, "The race is finished. space runs it again")
        assert "12 s" not in text
        await pilot.press("left")
        await pilot.press("s")
        await wait_for_text(pilot, "space twice runs it again")
        race = app.training.control.race
        await pilot.press("space", "space")
        await wait_until(pilot, lambda: app.training.control.race is not race)


async def test_backspace_and_other_keys_forget_the_number() -> None:
    async with racing() as (app, pilot):
        await pilot.press("1", "2", "backspace", "s")
        await wait_until(pilot, lambda: app.at == 1)
        await pilot.press("9", "y", "s")
        await wait_until(pilot, lambda: app.at == 2)
        await settled(pilot)
        assert app.at == 2


# ---------------------------------------------------------------------------- scrubbing


async def test_scrubbing_shows_everything_of_that_iteration() -> None:
    async with racing(size=(120, 40)) as (app, pilot):
        await at_the_end(app, pilot)
        control = app.training.control
        await pilot.press("left", "left")
        text = await wait_for_text(pilot, "looking at 23 of 25")
        run = control.race.runs["gd"]
        assert f"A {run.losses[23]:8.3f}" in text
        assert f"{run.params['w'][23]:.3f}" in text
        assert "at 23" in text
        await pilot.press("shift+left")
        await wait_for_text(pilot, "looking at 21 of 25")
        await pilot.press("home")
        await wait_for_text(pilot, "looking at 0 of 25")
        await pilot.press("left")
        await wait_for_text(pilot, "looking at 0 of 25")
        await pilot.press("end")
        await wait_for_text(pilot, "iteration 25 of 25")
        assert control.cursor is None


async def test_scrubbing_pauses_and_space_goes_on_from_the_newest_point() -> None:
    async with racing() as (app, pilot):
        app.engine.held = True
        await pilot.press("space")
        await wait_until(pilot, lambda: app.at == 5)
        await pilot.press("left")
        text = await wait_for_text(pilot, "looking at")
        assert "paused" in text
        assert app.training.control.cursor is not None
        app.engine.held = False
        await pilot.press("space")
        text = await wait_for_text(pilot, "finished")
        assert "iteration 25 of 25" in text


async def test_there_is_nothing_to_scrub_before_the_first_update() -> None:
    async with racing() as (app, pilot):
        assert "scrub" not in await settled(pilot)
        await pilot.press("left")
        await settled(pilot)
        assert app.training.control.cursor is None


# ------------------------------------------------------------------------------ forking


async def test_a_fork_has_one_other_setting_and_runs_to_where_the_others_are() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("left", "left", "left", "f")
        text = await wait_for_text(pilot, "Fork A at 22:")
        assert "lr 0.2" in text
        await type_text(pilot, "lr 0.2\n")
        await wait_until(pilot, lambda: len(app.training.control.race.runs) == 4)
        race = app.training.control.race
        await wait_until(pilot, lambda: race.over)
        fork = race.spec.runs[-1]
        assert (fork.of, fork.since) == ("gd", 22)
        assert fork.changes == (Change(22, "lr", 0.2),)
        assert fork.seed == race.spec.runs[0].seed
        assert race.runs[fork.name].last == 25
        text = await settled(pilot)
        assert "D gd lr 0.2" in text


async def test_a_letter_says_which_run_is_forked() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("left", "f")
        await type_text(pilot, "c batch 8\n")
        await wait_until(pilot, lambda: len(app.training.control.race.runs) == 4)
        assert app.training.control.race.spec.runs[-1].of == "sgd"


async def test_a_bad_fork_is_a_sentence_and_keeps_what_was_typed() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("f")
        for typed, said in (
            ("lr", "needs a setting and its value"),
            ("lr -1", "lr must be a number above 0"),
            ("lrr 1", "did you mean lr?"),
            ("E lr 1", "There is no curve E"),
        ):
            line = app.screen.query_one(AskLine)
            line.field.value = ""
            await type_text(pilot, typed + "\n")
            await wait_for_text(pilot, said)
            assert line.field.value == typed
        await pilot.press("escape")
        await settled(pilot)
        assert len(app.training.control.race.runs) == 3
        assert app.training.mode == "command"


async def test_tab_offers_forks() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("left", "f", "tab")
        line = app.screen.query_one(AskLine)
        assert line.field.value == "lr 0.1"
        await pilot.press("tab")
        assert line.field.value == "lr 0.02"
        await pilot.press("up")
        assert line.field.value == "lr 0.1"


async def test_six_curves_are_the_most() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        for number in range(3):
            await pilot.press("left", "f")
            await type_text(pilot, f"lr 0.0{number + 1}\n")
            runs = app.training.control.race.runs
            await wait_until(pilot, lambda runs=runs, n=number: len(runs) == 4 + n)  # type: ignore[misc]
            await settled(pilot)
        await pilot.press("left", "f")
        await wait_for_text(pilot, "6 runs at most")
        assert app.training.mode == "command", "there is nothing to type"


async def test_a_fork_is_taken_away() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("left", "f")
        await type_text(pilot, "lr 0.2\n")
        await wait_until(pilot, lambda: len(app.training.control.race.runs) == 4)
        await pilot.press("d")
        await wait_for_text(pilot, "Take away the run:")
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.training.control.race.runs) == 3)
        assert list(app.training.control.race.runs) == ["gd", "minibatch", "sgd"]


async def test_its_letter_hides_a_curve_but_not_the_last() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("A", "B")
        text = await wait_for_text(pilot, "hidden")
        assert app.training.control.hidden == {"gd", "minibatch"}
        await pilot.press("C")
        await wait_for_text(pilot, "The last curve stays.")
        await pilot.press("A")
        await settled(pilot)
        assert app.training.control.hidden == {"minibatch"}
        assert text.count("hidden") <= 2


# ------------------------------------------------------------------------------- typing


async def test_a_value_is_typed() -> None:
    async with racing() as (app, pilot):
        await pilot.press("enter")
        await wait_for_text(pilot, "Now 0.05")
        await type_text(pilot, "nan\n")
        await wait_for_text(pilot, "lr must be a number above 0")
        line = app.screen.query_one(AskLine)
        assert line.field.value == "nan"
        line.field.value = ""
        await type_text(pilot, "0.3\n")
        await wait_for_text(pilot, "◂ 0.3 ▸")
        assert [run.lr for run in app.training.control.race.spec.runs] == [0.3] * 3


async def test_other_data_is_another_race_and_that_is_said() -> None:
    async with racing() as (app, pilot):
        await pilot.press("5", "s")
        await wait_until(pilot, lambda: app.at == 5)
        await pilot.press(*["down"] * 5, "+")
        await wait_for_text(pilot, "Another seed is another race: it begins anew.")
        await wait_until(pilot, lambda: app.at == 0)


async def test_the_settings_scroll_where_there_is_no_room() -> None:
    async with racing() as (app, pilot):
        rows = len(app.training.rows())
        assert "engine " not in screen_text(app) or rows < 16
        await pilot.press("up")
        assert f"▌{app.training.rows()[-1].key}" in await settled(pilot)


async def test_the_line_that_reproduces_it_is_copied() -> None:
    async with racing() as (app, pilot):
        await pilot.press("+")
        await wait_for_text(pilot, "◂ 0.1 ▸")
        await pilot.press("c")
        text = await wait_for_text(pilot, "Copied:")
        assert "tutor train --set lr=0.1" in text
        assert "--set lr=0.1" in app.clipboard


async def test_in_a_narrow_window_no_number_is_cut() -> None:
    async with racing(size=(40, 12)) as (app, pilot):
        await pilot.press(*["+"] * 5)
        await wait_for_text(pilot, "lr ◂ 2 ▸")
        await pilot.press("space")
        await wait_until(pilot, lambda: app.training.control.race.over)
        line = (await settled(pilot)).splitlines()[-3]
        assert line.split("lr")[0].split() == ["A", "3e16", "B", "3e16", "C", "3e16"]


# ------------------------------------------------------------------------------- curves


async def test_axis_smoothing_and_zoom() -> None:
    async with racing(size=(120, 40)) as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("x")
        assert "x samples" in await settled(pilot)
        await pilot.press("x", "x", "m")
        assert "mean of 5" in await settled(pilot)
        await pilot.press("m", "m", "m", "z")
        text = await settled(pilot)
        assert "zoomed" in text
        assert "mean of" not in text
        await pilot.press("Z")
        assert "zoomed" not in await settled(pilot)


# -------------------------------------------------------------------------------- views


async def test_a_view_that_makes_no_sense_says_why_and_how_to_get_one() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("v", "v", "v")
        assert app.training.control.view == "layers"
        text = await wait_for_text(pilot, "no hidden layers")
        assert "mlp" in text
        await pilot.press("V", "V", "V")
        assert app.training.control.view == "curves"


async def test_each_view_is_drawn_of_the_cursors_iteration() -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("v")
        await wait_for_text(pilot, "optimum")
        await pilot.press("left", "left")
        await wait_for_text(pilot, "looking at 23 of 25")
        assert len(app.engine.looked) == 1, "the surface is the same for all iterations"
        await pilot.press("v")
        await wait_for_text(pilot, "the model at iteration 23")
        await pilot.press("left")
        await wait_for_text(pilot, "the model at iteration 22")
        assert "▸A gd" in screen_text(app)
        await pilot.press("n")
        await wait_for_text(pilot, "▸B minibatch")
        await wait_until(pilot, lambda: app.engine.looked[-1].run == "minibatch")
        await pilot.press("v", "v")
        await wait_for_text(pilot, "batches of 1")
        await pilot.press("u")
        await wait_for_text(pilot, "batches of 4")


async def test_a_wide_screen_keeps_the_curves_below_another_view() -> None:
    async with racing(size=(120, 40)) as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("v")
        text = await wait_for_text(pilot, "optimum")
        assert " loss\n" in text or " loss  " in text


# ----------------------------------------------------------------------------- findings


def told(app: RaceApp) -> str:
    """What is said below the picture, whole, however it is wrapped."""
    plain = app.screen.query_one("#see", Plain)
    lines = screen_text(app).splitlines()[plain.region.y : plain.region.bottom]
    return " ".join(" ".join(each[: plain.region.right] for each in lines).split())


async def test_what_went_wrong_is_said_and_its_first_proposal_forked() -> None:
    async with racing() as (app, pilot):
        app.engine.findings = [
            Finding("gd", "diverged", 9, tensor="w", lr=2.0, limit=0.935)
        ]
        await pilot.press("9", "s")
        text = await wait_for_text(pilot, "2 / λmax")
        said = told(app)
        assert (
            "a tries lr 0.5: below the limit of 0.935. a again tries decay 2:" in said
        )
        assert "a try it" in text
        await pilot.press("a")
        await wait_until(pilot, lambda: len(app.training.control.race.runs) == 4)
        fork = app.training.control.race.spec.runs[-1]
        assert app.training.proposals() is app.training.proposals(), "found once"
        assert (fork.of, fork.since) == ("gd", 0)
        assert fork.at(0).lr == 0.5
        text = await settled(pilot)
        assert "a tries decay 2" in told(app)
        assert "a tries lr" not in text
        await pilot.press("a")
        await wait_until(pilot, lambda: len(app.training.control.race.runs) == 5)
        assert app.training.control.race.spec.runs[-1].decay == 2
        text = await settled(pilot)
        assert "λmax" not in text
        assert "a try it" not in text
        await pilot.press("a")
        await settled(pilot)
        assert len(app.training.control.race.runs) == 5


async def test_both_proposals_have_room_on_a_small_screen() -> None:
    async with racing(size=(60, 20)) as (app, pilot):
        app.engine.findings = [
            Finding("gd", "diverged", 9, tensor="w", lr=2.0, limit=0.935)
        ]
        await pilot.press("9", "s")
        await wait_for_text(pilot, "decay 2")
        assert "a tries lr 0.5. a again tries decay 2." in told(app)


async def test_long_proposals_are_told_briefly_where_they_have_no_room() -> None:
    async with racing() as (app, pilot):
        facts = {"loss": 1.234e9, "size": -17406.0}
        app.engine.findings = [
            Finding("sgd", "diverged", 9, "w", lr=0.7, limit=0.935, facts=facts)
        ]
        await pilot.press("9", "s")
        await wait_for_text(pilot, "tries lr 0.1")
        assert "a tries lr 0.1. a again tries batch 64." in told(app)


async def test_what_is_said_of_several_runs_is_tried_in_each() -> None:
    async with racing() as (app, pilot):
        control = app.training.control
        wrong = Notch("slip").turn(control.race.spec, 1)
        assert {each.slip for each in wrong.runs} == {"no-zero-grad"}
        await control.renew(wrong)
        await wait_for_text(pilot, "ready")
        app.engine.findings = [
            Finding(run, "no-zero-grad", 1, tensor="w")
            for run in ("sgd", "minibatch", "gd")
        ]
        await pilot.press("3", "s")
        await wait_for_text(pilot, "of gd, minibatch and sgd")
        await pilot.press("a")
        await wait_until(pilot, lambda: len(control.race.runs) == 6)
        forks = control.race.spec.runs[3:]
        assert [(each.of, each.slip) for each in forks] == [
            ("gd", ""),
            ("minibatch", ""),
            ("sgd", ""),
        ]
        assert "zero_grad" not in await settled(pilot)
        turned = Notch("slip").turn(control.race.spec, 1)
        assert {each.slip for each in turned.runs[:3]} == {"broadcast"}
        assert {each.slip for each in turned.runs[3:]} == {""}, "as their names say"


async def test_what_was_said_of_settings_that_are_others_now_is_not_said() -> None:
    async with racing() as (app, pilot):
        control = app.training.control
        control.race.add(Finding("gd", "engine", text="there is no compiler"))
        control.race.spec = replace(control.race.spec, engine="compiled")
        control.tell()
        await wait_for_text(pilot, "The eager engine computes gd")
        control.race.spec = replace(control.race.spec, engine="eager")
        control.tell()
        assert "eager engine" not in await settled(pilot)


# -------------------------------------------------------------------------------- files


async def test_the_race_is_saved_and_the_path_copied(tmp_path: Path) -> None:
    async with racing() as (app, pilot):
        await at_the_end(app, pilot)
        await pilot.press("w")
        line = app.screen.query_one(AskLine)
        assert line.field.value == "race.svg"
        for name in ("race.csv", "race.svg", "race.txt"):
            line.field.value = str(tmp_path / name)
            await pilot.press("enter")
            await wait_for_text(pilot, "Written")
            assert app.clipboard == str(tmp_path / name)
            await pilot.press("w")
            await wait_for_text(pilot, "Save as:")
        rows = (tmp_path / "race.csv").read_text().splitlines()
        assert len(rows) == 1 + 3 * 26
        assert (tmp_path / "race.svg").read_text().startswith("<svg")
        line.field.value = str(tmp_path / "race.doc")
        await pilot.press("enter")
        await wait_for_text(pilot, "ending that tells what to write")
        assert line.field.value.endswith("race.doc")


async def test_a_race_on_disk_is_opened_and_goes_on(tmp_path: Path) -> None:
    async with racing(runs=Runs(tmp_path)) as (app, pilot):
        await pilot.press("7", "s")
        await wait_until(pilot, lambda: app.at == 7)
        await settled(pilot)
        app.session.runs.flush()
        await pilot.press("r")
        await wait_until(pilot, lambda: app.at == 0)
        await pilot.press("o")
        text = await wait_for_text(pilot, "Races on disk")
        assert "7 of 25  can go on" in text
        await pilot.press("enter")
        text = await wait_for_text(pilot, "iteration 7 of 25")
        assert "paused" in text
        app.engine.at = {
            (app.training.control.race.spec.id, name): 7
            for name in app.training.control.race.runs
        }
        await pilot.press("s")
        await wait_until(pilot, lambda: app.at == 8)
        assert app.training.control.race.spec.id == app.engine.requests[-1].race.id


async def test_the_races_on_disk_stand_in_columns(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    for at, stopped in ((3, "interrupted"), (25, "finished")):
        spec = RaceSpec((RunSpec("gd", iterations=25),), id=stopped)
        runs.keep(spec, Points("gd", 0, 0, 1, (1.0,) * (at + 1)))
        runs.keep(spec, Finished({"gd": RunEnd(stopped, at, 1.0)}))  # type: ignore[arg-type]
    own = RaceSpec((RunSpec("fit"),), "Your own loop", id="own", watched=True)
    runs.keep(own, Points("fit", 0, 0, 1, (1.0,) * 300))
    runs.close()
    async with racing(runs=runs) as (_, pilot):
        await pilot.press("o")
        text = await wait_for_text(pilot, "Races on disk")
    lines = [line for line in text.splitlines() if " of 25 " in line]
    assert len({line.index(" of 25 ") for line in lines}) == 1, lines
    (own_line,) = (line for line in text.splitlines() if "300 points" in line)
    assert own_line.count("our own loop") == 1
    assert " 299" not in text


async def test_without_races_on_disk_that_is_said() -> None:
    async with racing() as (_, pilot):
        await pilot.press("o")
        await wait_for_text(pilot, "No race is on disk yet")
        await pilot.press("enter", "down", "escape")
        await wait_for_text(pilot, "ready")


# ------------------------------------------------------------------ the learner's loop


def own_loop(points: int) -> Race:
    spec = RunSpec("loss", iterations=100)
    race = Race(RaceSpec((spec,), "Your own loop", watched=True))
    losses = tuple(1 / (1 + at) for at in range(points))
    race.add(Points("loss", 0, 0, 0, losses, {"w": losses}))
    return race


async def test_an_own_loop_is_shown_and_cannot_be_asked_for_iterations() -> None:
    async with racing() as (app, pilot):
        assert "own loop" not in await settled(pilot)
        app.session.watched = own_loop(40)
        assert app.session.on_watched is not None
        app.session.on_watched()
        await pilot.press("l")
        text = await wait_for_text(pilot, "Your own loop")
        assert "iteration 39" in text
        assert "speed" not in text
        assert "space" not in text
        assert "fork" not in text
        await pilot.press("space", "s", "f", "+", "r", "k")
        await settled(pilot)
        assert app.training.mode == "command"
        assert app.training.control.race is app.session.watched
        await pilot.press("left")
        await wait_for_text(pilot, "looking at 38 of 39")
        await pilot.press("v")
        await wait_for_text(pilot, "Of your own loop only the points are known")
        await pilot.press("l")
        text = await wait_for_text(pilot, "2.14 GD")
        assert "iteration 0 of 25" in text


async def test_an_own_loop_that_diverged_has_not_finished() -> None:
    async with racing() as (app, pilot):
        race = own_loop(40)
        race.add(Finding("loss", "diverged", 4, "w", 3.0, facts={"loss": 1e9}))
        race.add(Finished({"loss": RunEnd("diverged", 39, 1e9)}))
        app.session.watched = race
        await pilot.press("l")
        text = await wait_for_text(pilot, "diverged at 4")
        assert "Your loop diverged at iteration 4" in told(app)
        assert "Try lr 0.5: smaller steps. Or: clip the gradients" in told(app)
        assert "diverged at 39" not in text
        assert "ended" in text
        assert "finished" not in text


async def test_a_new_own_loop_is_what_the_screen_opens_with() -> None:
    async with racing() as (app, pilot):
        await pilot.press("escape")
        await wait_until(pilot, app.was_left)
        app.session.watched = own_loop(5)
        app.open()
        await wait_for_text(pilot, "Your own loop")
        await pilot.press("escape")
        await wait_until(pilot, lambda: len(app.results) == 2)
        app.open()
        await wait_for_text(pilot, "2.14 GD")


# ----------------------------------------------------------------------------- workers


async def test_workers_are_turned_and_typed_and_the_title_says_how_many() -> None:
    async with racing() as (app, pilot):
        control = app.training.control
        await race_settings.turn(control, Row("workers", "1"), 1)
        assert control.race.spec.workers == 2
        await race_settings.give(control, "engine", "compiled")
        assert (control.race.spec.workers, control.race.spec.engine) == (1, "compiled")
        await race_settings.give(control, "workers", "4")
        assert (control.race.spec.workers, control.race.spec.engine) == (4, "eager")
        with pytest.raises(UsageError, match="from 1 to 64"):
            await race_settings.give(control, "workers", "0")
        await at_the_end(app, pilot)
        ends = {
            name: replace(run.end, workers=4)
            for name, run in control.race.runs.items()
            if run.end is not None
        }
        control.race.add(Finished(ends))
        control.tell()
        assert "cpu · 4 workers" in await wait_for_text(pilot, "4 workers")
