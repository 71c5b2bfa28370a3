"""What is typed in the stepper: predictions, search, breakpoints, a leaf, a file."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.fake_kernel import FakeKernel
from tests.stored_traces import REQUESTS, stored
from tests.ui.conftest import screen_text, type_text, wait_for_text, wait_until
from tests.ui.test_stepper import StepperApp, press, walking
from tests.unit.test_graph_predict import at_three as moved
from tutor.graph.requests import ArgumentCheck, Checked, Looked, TraceLook
from tutor.graph.steps import walk
from tutor.graph.trace import Summary, Trace, parts
from tutor.kernel.outputs import Failure
from tutor.lesson.schema import GraphCell

WALK = GraphCell(
    id="walk",
    title="The chain",
    code=REQUESTS["seed"].code,
    at={"x": 2.0, "y": 5.0},
    order="slide",
    predict=["q", "dq/dx", "x.grad"],
    captions={"start": "Nothing is computed yet: step.", "value q": "q is x squared."},
)


def at_three() -> Trace:
    return moved(walk(stored("seed"), "slide")).trace


async def answer(pilot: Pilot[None], text: str) -> str:
    await type_text(pilot, text)
    await pilot.press("enter")
    await pilot.pause()
    return screen_text(pilot.app)


def place(app: StepperApp) -> int:
    return app.stepper.where.place


# ------------------------------------------------------------------------- predictions


async def test_a_number_is_asked_for_before_it_is_shown() -> None:
    async with walking(cell=WALK) as (app, pilot):
        shown = screen_text(app)
        assert "Predict q before you step:" in shown
        assert "2² = 4" not in await press(pilot, "right")
        assert place(app) == 0
        shown = await answer(pilot, "5")
        assert "Not 5." in shown
        assert place(app) == 0
        shown = await answer(pilot, "4")
        assert "✓ q = 4" in shown
        assert "2² = 4" in shown
        assert place(app) == 1


async def test_no_key_goes_past_a_number_that_is_asked_for() -> None:
    async with walking(cell=WALK) as (app, pilot):
        for keys in (["end"], ["shift+right"], ["9", "g"], ["G"]):
            await press(pilot, *keys)
            assert place(app) == 0, keys
            await press(pilot, "escape")
            app.stepper.line.field.value = ""
        assert "∂f/∂x" not in await press(pilot, "t")
        await press(pilot, "escape")
        assert app.closed == [False]


async def test_a_walk_by_itself_waits_for_an_answer() -> None:
    async with walking(cell=WALK) as (app, pilot):
        await press(pilot, *["+"] * 4, "a")
        await wait_until(pilot, lambda: app.stepper.line.is_typing)
        assert not app.stepper.walks_by_itself
        assert place(app) == 0


async def test_digits_begin_the_answer() -> None:
    async with walking(cell=WALK) as (app, pilot):
        await press(pilot, "4", "enter")
        assert place(app) == 1


async def test_the_whole_walk_with_every_answer_right_ends_in_a_score() -> None:
    async with walking(cell=WALK) as (app, pilot):
        await press(pilot, "right")
        await answer(pilot, "4")
        shown = await press(pilot, "end")
        assert "Predict ∂q/∂x before you step:" in shown
        shown = await answer(pilot, "12")
        assert "has the upstream gradient in it" in shown
        shown = await answer(pilot, "4")
        await press(pilot, "end")
        shown = await answer(pilot, "12")
        assert "✓ x.grad = 12" in shown
        shown = await press(pilot, "end")
        assert "predicted       3 of 3 right" in shown
        await press(pilot, "escape")
        assert app.closed == [True]


async def test_an_empty_answer_twice_shows_the_number_and_is_not_counted_right() -> (
    None
):
    async with walking(cell=WALK) as (app, pilot):
        await press(pilot, "right")
        assert "once more shows it" in await press(pilot, "enter")
        assert place(app) == 0
        await press(pilot, "enter")
        assert place(app) == 1
        assert list(app.stepper.predicted.values()) == [False]


async def test_after_a_wrong_answer_an_empty_one_shows_it() -> None:
    async with walking(cell=WALK) as (app, pilot):
        await press(pilot, "right")
        await answer(pilot, "5")
        await press(pilot, "enter")
        assert place(app) == 1


async def test_what_cannot_be_read_is_no_wrong_answer() -> None:
    async with walking(cell=WALK) as (app, pilot):
        await press(pilot, "right")
        shown = await answer(pilot, "2 +")
        assert "✗" not in shown
        assert "2 +" in shown  # it stays to be mended
        app.stepper.line.field.value = ""
        assert "once more shows it" in await press(pilot, "enter")


async def test_going_back_over_an_answer_does_not_ask_again() -> None:
    async with walking(cell=WALK) as (app, pilot):
        await press(pilot, "right")
        await answer(pilot, "4")
        await press(pilot, "left", "right")
        assert place(app) == 1


async def test_p_asks_for_everything_and_p_ends_it() -> None:
    async with walking() as (app, pilot):
        shown = await press(pilot, "p")
        assert "Predict q before you step:" in shown
        await press(pilot, "end")
        assert place(app) == 0
        await press(pilot, "escape", "p", "end")
        assert place(app) == len(app.stepper.walked.steps)  # type: ignore[union-attr]


async def test_the_lessons_own_questions_cannot_be_switched_off() -> None:
    async with walking(cell=WALK) as (app, pilot):
        await press(pilot, "p", "p", "end")
        assert place(app) == 0


async def test_the_picture_stands_still_while_a_question_comes_and_goes() -> None:
    async with walking(cell=WALK) as (app, pilot):

        def box_row() -> int:
            rows = screen_text(app).splitlines()
            return next(number for number, row in enumerate(rows) if "sqr" in row)

        before = box_row()
        await press(pilot, "right")
        assert box_row() == before
        await answer(pilot, "5")
        assert box_row() == before
        await answer(pilot, "4")
        assert box_row() == before


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_question_fits_the_screen(size: tuple[int, int]) -> None:
    async with walking(size=size, cell=WALK) as (_, pilot):
        shown = await press(pilot, "right")
        rows = shown.splitlines()
        assert any("Predict q" in row for row in rows)
        assert all(len(row) <= size[0] for row in rows)


async def test_captions_are_said_at_their_step() -> None:
    async with walking(cell=WALK) as (_, pilot):
        assert "Nothing is computed yet: step." in screen_text(pilot.app)
        await press(pilot, "right")
        assert "q is x squared." in await answer(pilot, "4")


# ------------------------------------------------------------------- search and stops


async def test_search_goes_to_what_it_finds_and_on() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "/")
        shown = await answer(pilot, "z")
        first = place(app)
        assert "z = 2 * y" in shown
        await press(pilot, "n")
        assert place(app) != first
        await press(pilot, "N")
        assert place(app) == first


async def test_a_search_in_vain_says_so_and_stays_open() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "/")
        shown = await answer(pilot, "conv9")
        assert "No step has to do with 'conv9'." in shown
        await press(pilot, "escape")
        assert app.stepper.line.ask is None
        assert place(app) == 0


async def test_letters_are_text_while_something_is_typed() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "/", "o", "t", "q")
        assert app.stepper.line.field.value == "otq"
        assert app.stepper.where.order == "engine"


@pytest.mark.slow
async def test_a_breakpoint_stops_the_walk_that_goes_by_itself() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "b")
        assert "c goes to the next" in await answer(pilot, "leaf x")
        await press(pilot, "c")
        stopped = place(app)
        assert app.stepper.walked is not None
        step = app.stepper.walked.step(stopped)
        assert step is not None
        assert step.kind == "leaf"
        await press(pilot, "home", *["+"] * 4, "a")
        await wait_until(pilot, lambda: not app.stepper.walks_by_itself)
        assert place(app) == stopped


async def test_a_breakpoint_that_means_nothing_says_what_would() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "b")
        await answer(pilot, "opp relu")
        assert app.stepper.line.ask is not None
        assert app.stepper.breaks == ()


@pytest.mark.slow
async def test_a_walk_by_itself_comes_to_its_end() -> None:
    async with walking() as (app, pilot):
        await press(pilot, *["+"] * 4, "a")
        await wait_until(pilot, lambda: not app.stepper.walks_by_itself)
        assert place(app) == len(app.stepper.walked.steps)  # type: ignore[union-attr]


# ------------------------------------------------------------------------------- save


@pytest.mark.parametrize(
    ("name", "begins"),
    [("walk.svg", "<svg"), ("walk.dot", "digraph"), ("walk.mmd", "flowchart"),
     ("walk.json", "{"), ("walk.txt", "forward")],
)  # fmt: skip
async def test_a_walk_is_saved(tmp_path: Path, name: str, begins: str) -> None:
    async with walking() as (app, pilot):
        await press(pilot, "x")
        app.stepper.line.field.value = str(tmp_path / name)
        await pilot.press("enter")
        await wait_for_text(pilot, "Saved in")
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)


def written(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_enter_alone_saves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """x and Enter may be the rest of an answer that was judged already."""
    monkeypatch.chdir(tmp_path)
    async with walking() as (app, pilot):
        await press(pilot, "x", "enter")
        assert app.stepper.line.ask is None
        assert written(tmp_path) == []


async def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    async with walking() as (app, pilot):
        await press(pilot, "x")
        app.stepper.line.field.value = str(tmp_path / "nowhere" / "walk.svg")
        await pilot.press("enter")
        await wait_for_text(pilot, "No such file or directory")
        app.stepper.line.field.value = "walk.pdf"
        await pilot.press("enter")
        await wait_for_text(pilot, "walk.pdf: end it in one of")


# ----------------------------------------------------------------------- another leaf


async def test_a_leaf_is_changed_and_the_code_run_again() -> None:
    async with walking() as (app, pilot):
        kernel = app.session.kernel
        assert isinstance(kernel, FakeKernel)
        kernel.calls["trace"] = lambda request: parts(
            at_three() if request.at["x"] == 3 else stored("seed")
        )
        shown = await press(pilot, "e")
        assert "Change a leaf:  x = 2.0" in shown
        await press(pilot, *["backspace"] * 3, "3", "enter")
        shown = await wait_for_text(pilot, "changed and marked; d says how.")
        assert kernel.requests[-1][1].at == {"x": 3, "y": 5.0}  # type: ignore[attr-defined]
        shown = await press(pilot, "d")
        assert "What changed" in shown
        assert "First difference: x is 3, and was 2." in shown
        await press(pilot, "escape", "end")
        assert "37" in screen_text(pilot.app)


@pytest.mark.parametrize("typed", ["x", "x =", "= 3", "x = three", "x = []", "(("])
async def test_what_is_no_value_for_a_leaf_says_how_to_write_one(typed: str) -> None:
    async with walking() as (app, pilot):
        await press(pilot, "e")
        app.stepper.line.field.value = typed
        shown = await press(pilot, "enter")
        assert "Write a leaf and its value, like x = 3 or w = [1, 2]." in shown


async def test_a_leaf_that_the_code_cannot_take_leaves_the_walk_as_it_is() -> None:
    async with walking() as (app, pilot):
        kernel = app.session.kernel
        assert isinstance(kernel, FakeKernel)

        def refuse(request: object) -> list[object]:
            return [Failure("ValueError", "no such leaf", "")]

        kernel.calls["trace"] = refuse
        await press(pilot, "right", "e", "enter")
        await wait_for_text(pilot, "no such leaf")
        assert place(app) == 1
        await press(pilot, "escape", "right")
        assert place(app) == 2


async def test_the_gradient_flow_has_a_bar_for_every_leaf() -> None:
    async with walking() as (_, pilot):
        shown = await press(pilot, "f")
        assert "Gradient flow" in shown
        bars = {row.split()[0]: row.count("█") for row in shown.splitlines()
                if "█" in row}  # fmt: skip
        assert set(bars) == {"x", "y"}
        assert bars["x"] > bars["y"]  # 12 and 2
        assert "█" not in await press(pilot, "escape")


async def test_an_op_is_tried_by_finite_differences() -> None:
    async with walking() as (app, pilot):
        kernel = app.session.kernel
        assert isinstance(kernel, FakeKernel)
        agrees = ArgumentCheck(0, 1, 1, 1e-5, 2e-10, True, 0, 0.0, True)
        kernel.calls["check_node"] = lambda request: [Checked((agrees,))]
        seed = stored("seed")
        app.stepper.take_trace(replace(seed, end=replace(seed.end, id="kept")))
        assert "There is no op here" in await press(pilot, "m")
        await press(pilot, "right", "m")
        shown = await wait_for_text(pilot, "agrees with torch's gradient of the op")
        assert "q = x ** 2, run alone in float64:" in shown
        await press(pilot, "escape")
        assert place(app) == 1


# ------------------------------------------------------------------ inside a tensor


def large(problem: str | None) -> tuple[Trace, Looked]:
    """The seed with a large tensor for x, and what the kernel tells of it."""
    seed = stored("seed")
    summary = Summary((100, 50), "float32", None, -2.0, 3.0, None, 0, (0.5, 0.25))
    values = tuple(
        replace(each, summary=summary) if each.name == "q" else each
        for each in seed.values
    )
    found = replace(summary, mean=0.125)
    told = Looked(
        None if problem else found, problem, 1.5, (1, 2, 3), ((0.5, 0.25), (1.0, 0.0))
    )
    return replace(seed, values=values, end=replace(seed.end, id="kept")), told


async def test_a_large_tensor_is_asked_of_the_kernel_once() -> None:
    async with walking() as (app, pilot):
        trace, told = large(None)
        kernel = app.session.kernel
        assert isinstance(kernel, FakeKernel)
        kernel.calls["look"] = lambda request: [told]
        app.stepper.take_trace(trace)
        await press(pilot, "v", "right")
        shown = await wait_for_text(pilot, "0.125  std 1.5")
        assert "(100, 50)  float32" in shown
        assert "-2 … 3" in shown
        await press(pilot, "left", "right")
        asked = [request for name, request in kernel.requests if name == "look"]
        assert asked == [TraceLook("kept", 2)]


async def test_of_a_tensor_that_is_gone_the_trace_still_tells() -> None:
    async with walking() as (app, pilot):
        trace, told = large("The tensor is no longer there.")
        kernel = app.session.kernel
        assert isinstance(kernel, FakeKernel)
        kernel.calls["look"] = lambda request: [told]
        app.stepper.take_trace(trace)
        await press(pilot, "v", "right")
        shown = await wait_for_text(pilot, "The tensor is no longer there.")
        assert "-2 … 3" in shown
        assert "0.5  0.25 …" in shown


# ------------------------------------------------------- found by a learner's hands


async def test_a_second_change_keeps_the_first() -> None:
    async with walking() as (app, pilot):
        kernel = app.session.kernel
        assert isinstance(kernel, FakeKernel)
        kernel.calls["trace"] = lambda request: parts(stored("seed"))
        for typed in ("y = 1", "x = 3"):
            await press(pilot, "e")
            app.stepper.line.field.value = typed
            await pilot.press("enter")
            await wait_for_text(pilot, "marked; d says how.")
        assert kernel.requests[-1][1].at == {"x": 3, "y": 1}  # type: ignore[attr-defined]


async def test_a_name_that_is_no_leaf_is_not_invented_as_one() -> None:
    async with walking() as (app, pilot):
        await press(pilot, "e")
        app.stepper.line.field.value = "q = 7"
        shown = await press(pilot, "enter")
        assert "q is no leaf of this walk; there is x, y." in shown


async def test_nothing_tells_a_number_that_is_to_be_predicted() -> None:
    async with walking(cell=WALK) as (app, pilot):
        for key in ("w", "f"):
            shown = await press(pilot, key)
            assert "would tell numbers that you are to predict" in shown, key
            assert app.screen is app.stepper


async def test_esc_goes_from_the_inside_of_a_tensor_to_the_picture() -> None:
    async with walking() as (app, pilot):
        assert "esc leave" in screen_text(app)
        shown = await press(pilot, "right", "v")
        assert "esc picture" in shown
        assert "║ sqr ║" in await press(pilot, "escape")
        assert app.closed == []
        await press(pilot, "escape")
        assert app.closed == [False]


async def test_the_order_is_said_and_answers_hold_in_both() -> None:
    async with walking(cell=WALK) as (app, pilot):
        await press(pilot, "right")
        await answer(pilot, "4")
        await press(pilot, "end")
        await answer(pilot, "4")
        await press(pilot, "end")
        await answer(pilot, "12")
        await press(pilot, "end")
        assert "Backward in torch's own order." in await press(pilot, "o")
        await press(pilot, "end")
        assert place(app) == len(app.stepper.walked.steps)  # type: ignore[union-attr]


async def test_brackets_follow_the_gradient_on_the_way_back() -> None:
    async with walking() as (app, pilot):

        def here() -> tuple[str, int | None]:
            assert app.stepper.walked is not None
            step = app.stepper.walked.step(place(app))
            assert step is not None
            return step.kind, step.op

        await press(pilot, "end")  # x's leaf
        await press(pilot, "[")
        assert here() == ("contribute", 0)  # sqr sent it
        await press(pilot, "[")
        assert here() == ("contribute", 1)  # u's * sent to q
        await press(pilot, "]")
        assert here() == ("arrive", 0)
        await press(pilot, "]")
        assert here() == ("leaf", None)
        assert "Nothing uses it." in await press(pilot, "]")
