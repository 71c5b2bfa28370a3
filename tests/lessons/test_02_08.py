"""Lesson 2.8 in the real app: the ledger, a list of leaves, an update, and its errors."""

from pathlib import Path

import pytest

from tests.lessons.driver import learner

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

REBOUND = "def step(w, lr):\n    w = w - lr * w.grad\n    w.grad = None"
RIGHT = (
    "def step(w, lr):\n    with torch.no_grad():\n        w -= lr * w.grad\n"
    "    w.grad = None"
)


async def test_a_learner_finds_a_slope_and_takes_a_step(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.8") as someone:
        assert someone.cell == "slope"
        await someone.press("enter")
        await someone.sees("tensor(33.8000)")
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("again")
        await someone.answers(*"33.8")
        await someone.sees("That is the new slope alone.")
        await someone.answers(*["backspace"] * 4, *"67.6")
        await someone.sees("33.8 + 33.8.")

        await someone.goes_to("vector")
        await someone.press("enter")
        await someone.sees("grad can be implicitly created only for scalar outputs")
        await someone.sees("backward() starts from one number")
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("step")
        await someone.checks()
        await someone.sees("a leaf Variable that requires grad is being used")
        await someone.press("h")
        await someone.sees("Who should not watch the update?")
        await someone.writes(REBOUND)
        await someone.checks()
        await someone.sees("The caller's w has not moved")
        await someone.press("escape")
        await someone.writes(RIGHT)
        await someone.checks()
        await someone.sees("That is torch.optim.SGD")
        assert someone.is_done()


async def test_each_kind_of_mistake_is_told(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.8", size=(120, 40)) as someone:
        await someone.goes_to("leaves")
        await someone.press("enter")
        await someone.answers(*"11111")
        await someone.sees("b.double() computes a new tensor")

        await someone.press("escape")
        await someone.goes_to("missing")
        await someone.checks()
        await someone.sees("✗ cut still gives None")

        await someone.goes_to("inference")
        await someone.press("enter")
        await someone.sees("Inference tensors cannot be saved for backward")
        await someone.sees("take no_grad() where training goes on")

        await someone.goes_to("second")
        await someone.checks()
        await someone.sees("element 0 of tensors does not require grad")
        await someone.sees("case 1 of 5: f = cube, x = ")


async def test_the_walk_asks_before_it_shows_and_ends_in_torchs_error(
    tmp_path: Path,
) -> None:
    async with learner(tmp_path, "2.8") as someone:
        await someone.goes_to("fork")
        await someone.press("enter")
        await someone.sees("x is used twice: in q and in v.")
        while "Predict x.grad" not in someone.screen:
            await someone.press("right")
        await someone.press(*"31.8", "enter")
        await someone.sees("31.8 is one path's share; add them all.")
        await someone.press(*["backspace"] * 4, *"33.8", "enter")
        await someone.sees("2 + 31.8 = 33.8")
        await someone.press("escape")

        await someone.goes_to("freed")
        await someone.press("enter")
        await someone.sees("One product, and two passes back through it.")
        await someone.press("end")
        await someone.sees("Trying to backward through the graph a second time")
        await someone.sees("The cure: compute z again.")
