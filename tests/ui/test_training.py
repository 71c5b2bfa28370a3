"""The training screen: run, pause, one, turn, reset, on a kernel that computes here."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.geometry import Region
from textual.pilot import Pilot

from tests.fake_kernel import Calls, FakeKernel
from tests.ui.conftest import SIZES, screen_text, wait_for_text, wait_until
from tutor import messages
from tutor.kernel.base import KernelOptions, KernelState
from tutor.lesson.schema import TrainCell, TrainRun
from tutor.progress import Progress
from tutor.runs.store import Runs
from tutor.session import Session
from tutor.settings import Settings
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points, RunEnd, Stopped
from tutor.training.spec import Change, RaceSpec, RunSpec, SliceRequest
from tutor.training.views import (
    BatchNoise,
    Fit,
    Layer,
    Layers,
    Noise,
    Surface,
    ViewRequest,
)
from tutor.ui.look import LookApp
from tutor.ui.races import Races
from tutor.ui.screens.training import TrainingScreen
from tutor.ui.widgets.picture_view import PictureView


class Engine:
    """Answers "train" with made-up losses; held, it computes until it is interrupted."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, str], int] = {}
        self.requests: list[SliceRequest] = []
        self.held = False
        self.by: dict[str, Any] = {}
        """What computes the points, where it is not the usual."""
        self.problem: str | None = None
        self.findings: list[Finding] = []
        """Told at the end of the next slice."""
        self.looked: list[ViewRequest] = []

    async def view(self, request: ViewRequest) -> AsyncIterator[Any]:
        self.looked.append(request)
        at = request.iteration or 0
        match request.kind:
            case "surface":
                columns, rows = request.columns, request.rows
                losses = tuple(
                    1.0 + (at % columns - 20) ** 2 + (at // columns - 20) ** 2
                    for at in range(columns * rows)
                )
                box = (0.0, 40.0, 0.0, 40.0)
                yield Surface(
                    request.run,
                    ("w", "b"),
                    box,
                    columns,
                    rows,
                    losses,
                    (20.0, 20.0),
                    1.0,
                )
            case "output":
                xs = tuple(each / 4 for each in range(-12, 13))
                yield Fit(request.run, at, xs, tuple(2 * x for x in xs), ((0.0, 0.5),))
            case "layers":
                layer = Layer("0", 8, 0.5, 0.01, dead=3)
                yield Layers(request.run, at, (layer, Layer("2", 1, 0.5, 0.1)), "relu")
            case "noise":
                spreads = tuple(
                    BatchNoise(batch, (1 / batch, 1 / batch), 20.0, 0.1, ((1.0, 1.0),))
                    for batch in (1, 4)
                )
                yield Noise(request.run, at, ("w", "b"), (1.0, 0.5), spreads)

    async def train(self, request: SliceRequest) -> AsyncIterator[Any]:
        self.requests.append(request)
        if self.problem is not None:
            yield messages.Problem(self.problem)
            return
        race = request.race
        for run in race.runs:
            self.at.setdefault((race.id, run.name), run.since - 1)
            if request.fresh:
                self.at[race.id, run.name] = -1
                yield self._points(race, run, 1)
        if self.held and request.limit is None:
            for run in race.runs:
                yield self._points(race, run, 5)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            for run in race.runs:
                yield self._points(race, run, 1)
        else:
            for run in race.runs:
                yield self._points(race, run, request.limit)
        while self.findings:
            yield self.findings.pop()
        yield Finished({run.name: self._end(race, run) for run in race.runs})

    def _points(self, race: RaceSpec, run: RunSpec, limit: int | None) -> Points:
        start = self.at[race.id, run.name] + 1
        left = run.iterations + 1 - start
        count = left if limit is None else min(limit, left)
        self.at[race.id, run.name] += count
        losses = tuple(self._loss(run, start + index) for index in range(count))
        columns = {"w": losses, "b": losses}
        return Points(run.name, start, start, 1, losses, columns, **self.by)

    def _loss(self, run: RunSpec, iteration: int) -> float:
        if run.lr > 1:
            return 31.0 * 4.0**iteration
        wobble = 1 + 0.3 * math.sin(iteration) * (run.batch is not None)
        return 1 + 30 * (1 - 2 * run.lr) ** iteration * wobble + run.seed

    def _end(self, race: RaceSpec, run: RunSpec) -> RunEnd:
        at = self.at[race.id, run.name]
        over = at == run.iterations
        stopped: Stopped = "interrupted"
        if over:
            stopped = "diverged" if run.lr > 1 else "finished"
        return RunEnd(stopped, at, self._loss(run, at))


class RaceApp(LookApp[None]):
    """The screen over an empty one, as the app opens it."""

    def __init__(
        self,
        cell: TrainCell | None = None,
        settings: Settings | None = None,
        runs: Runs | None = None,
    ) -> None:
        super().__init__(settings or Settings())
        self.engine = Engine()
        self.kernels: list[FakeKernel] = []
        self.session = Session(self._make_kernel, Progress(None), runs=runs)
        self.kernel_state = KernelState.IDLE
        self.results: list[bool | None] = []
        self._cell = cell

    def _make_kernel(self, options: KernelOptions) -> FakeKernel:
        calls: Calls = {"train": self.engine.train, "view": self.engine.view}
        self.kernels.append(FakeKernel(options=options, calls=calls))
        return self.kernels[-1]

    def on_mount(self) -> None:
        self.races = Races(self.session, lambda work: self.run_worker(work))
        self.open()

    def open(self) -> None:
        screen = TrainingScreen(self.races, self._cell, "race")
        screen.kernel_state = self.kernel_state
        self.push_screen(screen, self.results.append)

    async def on_unmount(self) -> None:
        await self.session.close()

    def was_left(self) -> bool:
        return bool(self.results)

    @property
    def training(self) -> TrainingScreen:
        screen = self.screen
        assert isinstance(screen, TrainingScreen)
        return screen

    @property
    def at(self) -> int:
        return self.training.control.race.iteration


@contextlib.asynccontextmanager
async def racing(
    cell: TrainCell | None = None,
    size: tuple[int, int] = (80, 24),
    settings: Settings | None = None,
    *,
    speed: int | None = None,
    runs: Runs | None = None,
) -> AsyncIterator[tuple[RaceApp, Pilot[Any]]]:
    """The app with its race made; `speed` None: as fast as it goes."""
    app = RaceApp(cell, settings, runs)
    async with app.run_test(size=size) as pilot:
        await wait_for_text(pilot, "ready")
        app.training.control.set_speed(speed)
        yield app, pilot
        for kernel in app.kernels:
            assert kernel.state is not KernelState.DEAD


async def settled(pilot: Pilot[Any]) -> str:
    """The screen when nothing is left to draw."""
    screen = pilot.app.screen
    assert isinstance(screen, TrainingScreen)
    await wait_until(
        pilot, lambda: screen._asked_at is None and not screen._owes_curves
    )
    await pilot.pause()
    return screen_text(pilot.app)


async def test_it_says_what_will_be_there_and_which_key_fills_it() -> None:
    async with racing() as (_, pilot):
        text = await settled(pilot)
        assert "Here the loss of gd, minibatch and sgd will be" in text
        assert "space runs the race" in text
        assert "31.000" in text


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_screens(
    size: tuple[int, int], screen_snapshot: SnapshotAssertion
) -> None:
    async with racing(size=size) as (_, pilot):
        assert await settled(pilot) == screen_snapshot(name="ready")
        await pilot.press("space")
        await wait_for_text(pilot, "finished")
        assert await settled(pilot) == screen_snapshot(name="finished")
        await pilot.press("y")
        assert await settled(pilot) == screen_snapshot(name="finished-log")


async def test_ascii_without_colour(screen_snapshot: SnapshotAssertion) -> None:
    settings = Settings(glyphs="ascii", colour=False)
    async with racing(settings=settings) as (app, pilot):
        await pilot.press("space")
        await wait_for_text(pilot, "finished")
        text = await settled(pilot)
        assert text.isascii()
        assert text == screen_snapshot
        styles = [
            segment.style
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None
        ]
        assert styles
        assert not [style for style in styles if style.color or style.bgcolor]


async def test_space_pauses_and_goes_on_where_it_was() -> None:
    async with racing() as (app, pilot):
        app.engine.held = True
        await pilot.press("space")
        await wait_for_text(pilot, "running")
        await wait_until(pilot, lambda: app.at == 5)
        await pilot.press("space")
        assert "iteration 6 of 25" in await wait_for_text(pilot, "paused")
        app.engine.held = False
        await pilot.press("space")
        text = await wait_for_text(pilot, "finished")
        assert "iteration 25 of 25" in text
        race = app.training.control.race
        assert all(len(run.losses) == 26 for run in race.runs.values())


async def test_the_title_says_what_computes_while_it_does() -> None:
    async with racing() as (app, pilot):
        app.engine.held = True
        app.engine.by = {"device": "cuda:0", "engine": "compiled"}
        await pilot.press("space")
        await wait_for_text(pilot, "running · cuda:0 · compiled")
        runs = app.training.control.race.runs
        runs["gd"].engine = runs["sgd"].engine = "compiling"
        app.training.note_change()
        await wait_for_text(pilot, "running · cuda:0 · compiling 2 of 3")


async def test_s_does_one_iteration() -> None:
    async with racing() as (app, pilot):
        await pilot.press("s", "s")
        await wait_until(pilot, lambda: app.at == 2)
        assert "iteration 2 of 25" in await wait_for_text(pilot, "paused")
        assert [request.limit for request in app.engine.requests] == [0, 1, 1]


async def test_s_pauses_a_running_race() -> None:
    async with racing() as (app, pilot):
        app.engine.held = True
        await pilot.press("space")
        await wait_until(pilot, lambda: app.at == 5)
        await pilot.press("s")
        assert "paused" in await wait_for_text(pilot, "iteration 7 of 25")


async def test_at_a_pace_it_asks_for_few_iterations_at_a_time() -> None:
    async with racing(speed=100) as (app, pilot):
        await pilot.press("space")
        await wait_for_text(pilot, "finished")
        assert [request.limit for request in app.engine.requests] == [0, 5, 5, 5, 5, 5]


async def test_reset_begins_anew_and_does_not_run() -> None:
    async with racing() as (app, pilot):
        await pilot.press("space")
        await wait_for_text(pilot, "finished")
        await pilot.press("r")
        assert "iteration 0 of 25" in await wait_for_text(pilot, "ready")
        assert app.engine.requests[-1].fresh
        assert app.engine.requests[-1].limit == 0


async def test_space_at_the_end_runs_it_again() -> None:
    async with racing() as (app, pilot):
        await pilot.press("space")
        assert "space again" in await wait_for_text(pilot, "finished")
        ids = {request.race.id for request in app.engine.requests}
        await pilot.press("space")
        await wait_until(pilot, lambda: app.at == 25)
        assert {request.race.id for request in app.engine.requests} > ids


async def test_lr_and_batch_change_in_place_while_it_runs() -> None:
    async with racing() as (app, pilot):
        app.engine.held = True
        await pilot.press("space")
        await wait_until(pilot, lambda: app.at == 5)
        app.engine.held = False
        await pilot.press("+")
        await wait_for_text(pilot, "finished")
        first, *_, last = app.engine.requests
        assert first.race.id == last.race.id
        for run in last.race.runs:
            assert run.lr == 0.05, "what was is not rewritten"
            assert run.changes == (Change(6, "lr", 0.1),), "from the next update on"
        assert not last.fresh
        assert "lr         ◂ 0.1 ▸" in screen_text(app)


async def test_before_the_first_update_a_turn_is_the_setting_itself() -> None:
    async with racing() as (app, pilot):
        await pilot.press("+", "tab", "+", "+", "-")
        await wait_for_text(pilot, "batch      ◂ 8 ▸")
        spec = app.training.control.race.spec
        assert [run.batch for run in spec.runs] == [None, 8, 1]
        assert [run.lr for run in spec.runs] == [0.1] * 3
        assert not any(run.changes for run in spec.runs)


async def test_another_seed_is_another_race_that_goes_on_running() -> None:
    async with racing() as (app, pilot):
        app.engine.held = True
        await pilot.press("space")
        await wait_until(pilot, lambda: app.at == 5)
        app.engine.held = False
        await pilot.press(*["down"] * 5, "+")
        text = await wait_for_text(pilot, "finished")
        assert {run.seed for run in app.engine.requests[-1].race.runs} == {1}
        assert len({request.race.id for request in app.engine.requests}) == 2
        assert "seed       ◂ 1 ▸" in text
        runs = app.training.control.race.runs.values()
        assert [run.losses[0] for run in runs] == [32.0] * 3
        assert all(math.isfinite(loss) for run in runs for loss in run.losses)


async def test_more_iterations_go_on_after_the_end() -> None:
    async with racing() as (app, pilot):
        await pilot.press("space")
        await wait_for_text(pilot, "finished")
        await pilot.press("down", "down", "down", "+")
        await wait_for_text(pilot, "of 50")
        await pilot.press("space")
        await wait_until(pilot, lambda: app.at == 50)
        assert not app.engine.requests[-1].fresh


async def test_the_speed_is_turned() -> None:
    async with racing(speed=10) as (app, pilot):
        await pilot.press(*["down"] * 4, "+", "+", "+")
        await wait_for_text(pilot, "speed      ◂ full ▸")
        assert app.training.control.speed is None
        await pilot.press("-", "-", "-", "-", "-")
        await wait_for_text(pilot, "speed      ◂ 1/s ▸")


async def test_divergence_is_shown_and_suggests_a_log_axis() -> None:
    async with racing() as (_, pilot):
        await pilot.press(*["+"] * 5)
        await wait_for_text(pilot, "◂ 2 ▸")
        await pilot.press("space")
        text = await wait_for_text(pilot, "diverged at 25")
        assert "loss (log)" in text
        await pilot.press("y")
        assert "loss (log)" not in await settled(pilot)


async def test_a_failure_is_a_sentence_and_space_begins_anew() -> None:
    async with racing() as (app, pilot):
        app.engine.problem = "The kernel no longer has this race."
        await pilot.press("space")
        text = await wait_for_text(pilot, "no longer has this race")
        assert "lost" in text
        app.engine.problem = None
        await pilot.press("space")
        text = await wait_for_text(pilot, "finished")
        assert "no longer" not in text


async def test_nothing_is_drawn_while_nothing_changes() -> None:
    async with racing() as (app, pilot):
        await pilot.press("s")
        await wait_for_text(pilot, "iteration 1 of 25")
        await settled(pilot)
        plot = app.screen.query_one("#curves", PictureView)
        drawn = plot.drawn
        for _ in range(20):
            await pilot.pause()
        assert plot.drawn == drawn
        assert app.training._asked_at is None


async def test_only_lines_that_changed_are_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with racing() as (app, pilot):
        await pilot.press(*"ssssssssss")
        await wait_for_text(pilot, "iteration 10 of 25")
        await settled(pilot)
        plot = app.screen.query_one("#curves", PictureView)
        regions: list[Region] = []
        monkeypatch.setattr(plot, "refresh", lambda *each: regions.extend(each))
        race = app.training.control.race
        app.training._draw()
        assert regions == []
        for run in race.runs.values():
            same = (run.last_loss,)
            run.add(Points(run.spec.name, 11, 11, 1, same, {"w": same, "b": same}))
        app.training._draw()
        assert 0 < len(regions) < plot.size.height // 2


async def test_keys_come_before_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with racing() as (app, pilot):
        await pilot.press("s")
        await settled(pilot)
        screen = app.training
        waiting = 1
        monkeypatch.setattr(RaceApp, "message_queue_size", property(lambda _: waiting))
        plot = app.screen.query_one("#curves", PictureView)
        drawn = plot.drawn
        screen._asked_at = monotonic()
        screen._draw_after_keys()
        assert plot.drawn == drawn
        waiting = 0
        await wait_until(pilot, lambda: plot.drawn > drawn)


async def test_a_stream_of_keys_does_not_starve_the_drawing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with racing() as (app, pilot):
        await pilot.press("s")
        await settled(pilot)
        monkeypatch.setattr(RaceApp, "message_queue_size", property(lambda _: 1))
        plot = app.screen.query_one("#curves", PictureView)
        drawn = plot.drawn
        await app.training.action_one_iteration()
        await wait_until(pilot, lambda: plot.drawn > drawn)


async def test_ctrl_c_pauses() -> None:
    async with racing() as (app, pilot):
        app.engine.held = True
        await pilot.press("space")
        await wait_until(pilot, lambda: app.at == 5)
        await pilot.press("ctrl+c")
        assert "iteration 6 of 25" in await wait_for_text(pilot, "paused")
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "Nothing is running")


async def test_a_cells_race_is_its_own_and_leaving_says_whether_it_was_seen() -> None:
    cell = TrainCell(
        id="race",
        title="Two of them",
        runs=[TrainRun(name="gd", batch=1000), TrainRun(name="eight", batch=8)],
        iterations=12,
        ask="Which is first?",
    )
    for keys, result in (["space"], True), ([], False):
        async with racing(cell) as (app, pilot):
            text = await settled(pilot)
            assert "Two of them" in text
            assert "Which is first?" in text
            assert "Here the loss of gd and eight will be" in text
            assert " batch   " not in text
            await pilot.press(*keys)
            if keys:
                await wait_for_text(pilot, "finished")
            await pilot.press("escape")
            await wait_until(pilot, app.was_left)
            assert app.results == [result]


async def test_a_cell_with_bad_settings_says_so() -> None:
    cell = TrainCell(id="race", dataset="mnist", optimiser="magic")
    async with racing(cell) as (_, pilot):
        text = await settled(pilot)
        assert "optimiser must be" in text or "dataset must be" in text


async def test_the_race_goes_on_while_other_screens_are_visited() -> None:
    async with racing() as (app, pilot):
        app.engine.held = True
        await pilot.press("space")
        await wait_until(pilot, lambda: app.at == 5)
        control = app.training.control
        await pilot.press("escape")
        await wait_until(pilot, app.was_left)
        assert control.running
        assert app.kernels[1].state is KernelState.BUSY
        assert app.races.under_way is control
        assert control.words == "race 5/25"
        app.open()
        text = await wait_for_text(pilot, "running")
        assert "iteration 5 of 25" in text
        assert app.training.control is control


async def test_drawing_needs_no_timer_that_a_busy_machine_may_lose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with racing() as (_, pilot):
        monkeypatch.setattr(TrainingScreen, "set_timer", lambda *args, **more: None)
        await pilot.press("s", "s")
        await wait_for_text(pilot, "iteration 2 of 25")
        await settled(pilot)


async def test_two_screens_of_one_race_each_draw_it_when_in_front() -> None:
    async with racing() as (app, pilot):
        below = app.training
        app.open()
        await wait_until(pilot, lambda: app.screen is not below)
        await pilot.press("s")
        await wait_for_text(pilot, "iteration 1 of 25")
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is below)
        await pilot.press("s")
        await wait_for_text(pilot, "iteration 2 of 25")
        await settled(pilot)
        await wait_for_text(pilot, "at 2")


async def test_the_theme_changes_the_curves_colours() -> None:
    async with racing() as (app, pilot):
        await pilot.press("space")
        await wait_for_text(pilot, "finished")

        def colours() -> set[str]:
            plot = app.screen.query_one("#curves", PictureView)
            strips = [plot.render_line(y) for y in range(plot.size.height)]
            return {
                segment.style.color.name
                for strip in strips
                for segment in strip
                if segment.style and segment.style.color
            }

        before = colours()
        app.theme = "tutor-light"
        await pilot.pause()
        assert colours() != before
