"""The stepper screen over stored traces: what it shows, and how keys move it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.fake_kernel import FakeKernel
from tests.stored_traces import REQUESTS, stored
from tests.ui.conftest import SIZES, screen_text, wait_for_text, wait_until
from tests.ui.tutor_app import make_app
from tutor.graph.requests import TraceRequest
from tutor.graph.trace import parts
from tutor.kernel.base import KernelState
from tutor.kernel.outputs import Failure
from tutor.lesson.schema import GraphCell
from tutor.progress import Progress
from tutor.session import Session
from tutor.settings import Settings
from tutor.ui.look import LookApp
from tutor.ui.screens.home import HomeScreen
from tutor.ui.screens.step_moves import Where
from tutor.ui.screens.stepper import SEED, StepperScreen
from tutor.ui.widgets.graph_view import GraphView


class StepperApp(LookApp[None]):
    """A host that opens the stepper at once."""

    def __init__(self, kernel: FakeKernel, cell: GraphCell | None, look: Settings):
        super().__init__(look)
        self.session = Session(lambda options: kernel, Progress(None))
        self.kernel_state = KernelState.IDLE
        self.closed: list[bool | None] = []
        self._cell = cell

    def on_mount(self) -> None:
        self.push_screen(StepperScreen(self.session, self._cell), self.closed.append)

    @property
    def stepper(self) -> StepperScreen:
        assert isinstance(self.screen, StepperScreen)
        return self.screen


def kernel_with(name: str) -> FakeKernel:
    return FakeKernel(calls={"trace": lambda request: parts(stored(name))})


@asynccontextmanager
async def walking(
    name: str = "seed",
    size: tuple[int, int] = (80, 24),
    cell: GraphCell | None = None,
    *,
    ascii: bool = False,
) -> AsyncIterator[tuple[StepperApp, Pilot[None]]]:
    look = Settings(link="slow", glyphs="ascii" if ascii else "unicode")
    app = StepperApp(kernel_with(name), cell, look)
    async with app.run_test(size=size) as pilot:
        await wait_until(
            pilot,
            lambda: (
                isinstance(app.screen, StepperScreen)
                and not app.stepper.has_class("-waiting")
            ),
        )
        await pilot.pause()
        yield app, pilot
    await app.session.close()


async def press(pilot: Pilot[None], *keys: str) -> str:
    await pilot.press(*keys)
    await pilot.pause()
    return screen_text(pilot.app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_seed_forward_and_backward(
    size: tuple[int, int], screen_snapshot: SnapshotAssertion
) -> None:
    async with walking(size=size) as (_, pilot):
        assert await press(pilot, "right", "right") == screen_snapshot(name="forward")
        backward = await press(pilot, "9", "g", "left")  # sqr, about to send
        assert backward == screen_snapshot(name="backward")
        assert await press(pilot, "end") == screen_snapshot(name="end")


async def test_the_picture_fits_the_room_that_its_layout_got() -> None:
    """Which is known later than the screen's size: no step must then move it."""
    async with walking() as (app, pilot):
        view = app.stepper.query_one(GraphView)
        full = view.drawing
        assert full is not None
        view.styles.width = full.width - 1
        await wait_until(pilot, lambda: view.drawing != full)
        assert view.drawing is not None
        assert view.drawing.width < full.width


async def test_the_seed_in_ascii_has_no_other_byte(
    screen_snapshot: SnapshotAssertion,
) -> None:
    async with walking(ascii=True) as (_, pilot):
        shown = await press(pilot, "9", "g")
        assert shown.isascii()
        assert shown == screen_snapshot


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_going_back_shows_the_very_same_screens(size: tuple[int, int]) -> None:
    async with walking("fan-out", size) as (app, pilot):
        there = [screen_text(app)]
        steps = len(app.stepper.walked.steps)  # type: ignore[union-attr]
        there += [await press(pilot, "right") for _ in range(steps)]
        assert len(set(there)) == steps + 1
        back = [await press(pilot, "left") for _ in range(steps)]
        assert back == there[-2::-1]


async def test_stepping_runs_nothing_again() -> None:
    async with walking() as (app, pilot):
        kernel = app.session.kernel
        assert isinstance(kernel, FakeKernel)
        before = len(kernel.requests)
        await press(pilot, "end", "home", "shift+right", "o", "left", "t")
        assert len(kernel.requests) == before
        assert kernel.requests[-1] == ("trace", SEED)


async def test_node_keys_go_by_whole_nodes() -> None:
    async with walking() as (app, pilot):
        places = []
        for key in ["shift+right"] * 6 + ["shift+left"] * 2:
            await press(pilot, key)
            places.append(app.stepper.where.place)
        assert places == [1, 2, 3, 4, 8, 11, 8, 4]


async def test_a_number_and_g_jump_to_that_node() -> None:
    async with walking() as (app, pilot):
        shown = await press(pilot, "1", "0")
        assert "10g" in shown
        shown = await press(pilot, "g")
        assert "10 of 10" in shown
        assert app.stepper.where.place == 19
        shown = await press(pilot, "4", "2", "g")
        assert "There are 10 nodes, so 42 is none of them." in shown
        assert app.stepper.where.place == 19
        await press(pilot, "7", "left", "g")  # another key forgets the number
        assert app.stepper.where.place == 0


async def test_the_ends_hold() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "left")
        assert app.stepper.where.place == 0
        await press(pilot, "end", "right", "shift+right")
        assert app.stepper.where.place == 19


async def test_slide_order_goes_to_u_before_z() -> None:
    async with walking() as (app, pilot):
        engine = await press(pilot, "6", "g")
        assert "z = 2 * y" in engine
        slide = await press(pilot, "o")
        assert app.stepper.where == Where(11, "slide")
        assert "u = 3 * q" in slide
        assert "6 of 10" in slide


async def test_the_card_says_upstream_local_contribution() -> None:
    async with walking() as (_, pilot):
        shown = await press(pilot, "9", "g")
        assert "sqr   q = x ** 2" in shown
        assert "∂f/∂q = 3" in shown
        assert "∂q/∂x = 2x = 4" in shown
        assert "3 × 4 = 12 → x" in shown
        shown = await press(pilot, "right")
        assert "None + 12 → 12" in shown


async def test_several_passes_accumulate() -> None:
    async with walking("twice") as (_, pilot):
        shown = await press(pilot, "end")
        assert "67.6 + 33.8 → 101.4" in shown
        assert "backward 3" in shown


async def test_text_view_shows_the_same_steps() -> None:
    async with walking() as (_, pilot):
        await press(pilot, "9", "g")
        shown = await press(pilot, "t")
        assert "contribution 3 × 4 = 12 → x" in shown
        assert "║" not in shown
        assert "║ sqr ║" in await press(pilot, "t")


async def test_code_that_stops_is_walked_until_there() -> None:
    async with walking("stopped") as (_, pilot):
        shown = screen_text(pilot.app)
        assert "The code stopped (line 3): NameError: name 'missing'" in shown
        shown = await press(pilot, "end")
        assert "u = 3 * q" in shown
        assert "stopped         NameError: name 'missing'" in shown
        assert "2 of 2" in shown


async def test_a_wide_picture_follows_the_step() -> None:
    async with walking("neuron", (74, 24)) as (_, pilot):
        shown = await press(pilot, "5", "g")  # neg, the last op
        assert "║ neg ║" in shown
        shown = await press(pilot, "1", "g")
        assert "║ @ ║" in shown


async def test_a_cell_is_done_when_its_end_was_seen() -> None:
    cell = GraphCell(
        id="walk", title="The chain", code=REQUESTS["seed"].code,
        at={"x": 2.0, "y": 5.0}, order="slide",
    )  # fmt: skip
    async with walking(cell=cell) as (app, pilot):
        assert "The chain" in screen_text(app)
        assert app.stepper.where.order == "slide"
        await press(pilot, "right", "escape")
        assert app.closed == [False]
        app.push_screen(StepperScreen(app.session, cell), app.closed.append)
        await wait_for_text(pilot, "nothing is computed yet")
        await press(pilot, "end", "home", "escape")
        assert app.closed == [False, True]
        kernel = app.session.kernel
        assert isinstance(kernel, FakeKernel)
        request = kernel.requests[-1][1]
        assert isinstance(request, TraceRequest)
        assert request.from_namespace


async def test_what_the_engine_cannot_do_is_said() -> None:
    def refuse(request: object) -> list[object]:
        return [Failure("ValueError", "no [/such] thing", "")]

    app = StepperApp(FakeKernel(calls={"trace": refuse}), None, Settings(link="slow"))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "no [/such] thing")
        await press(pilot, "right", "g", "o", "end")  # nothing to walk, no harm
    await app.session.close()


async def test_a_given_trace_is_walked_and_nothing_is_recorded() -> None:
    kernel = FakeKernel()
    app = StepperApp(kernel, None, Settings(link="slow"))
    async with app.run_test(size=(80, 24)) as pilot:
        given = StepperScreen(app.session, trace=stored("seed"), title="net(x)")
        app.push_screen(given)
        shown = await wait_for_text(pilot, "nothing is computed yet")
        assert "net(x)" in shown
        await pilot.press("right")
        assert given.where.place == 1


async def test_the_app_opens_a_stored_walk_and_esc_leads_home() -> None:
    app = make_app(trace=stored("seed"))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, StepperScreen))
        await pilot.press("right")
        await wait_for_text(pilot, "2² = 4")
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, StepperScreen))
    if app.session is not None:
        await app.session.close()
