"""Lesson 2.15 in the real app: a loop by hand, watched, torch's own, and its bugs."""

from pathlib import Path

import pytest

from tests.lessons.driver import learner
from tests.lessons.judging import exercise

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


async def test_a_learner_writes_the_loop_and_watches_it(tmp_path: Path) -> None:
    right = exercise("2.15", "step").solution
    uncleared = right.replace("    w.grad = b.grad = None\n", "")
    new_names = right.replace("w -= lr", "w = w - lr").replace("b -= lr", "b = b - lr")
    assert right not in (uncleared, new_names)

    async with learner(tmp_path, "2.15") as someone:
        assert someone.cell == "order"

        await someone.goes_to("step")
        await someone.press("h")
        await someone.sees("Which of the lines must autograd see")
        await someone.writes(uncleared)
        await someone.checks()
        await someone.sees("the gradient of step 1 is still inside")
        await someone.press("escape")
        await someone.writes(new_names)
        await someone.checks()
        await someone.sees("You bound new names inside the function")
        await someone.press("escape")
        await someone.writes(right)
        await someone.checks()
        await someone.sees("it acts like half the lr")
        assert someone.is_done()

        await someone.goes_to("watch")
        await someone.press("enter")
        await someone.sees("Your loop is watched. F3 shows its curve.")
        await someone.sees("-5.0178, 2.0297, 0.9421")
        await someone.until(someone.is_done, "the tick")
        await someone.press("f3")
        await someone.sees("Your own loop")
        await someone.sees("A 0.942 -5.018 2.030")
        await someone.press("escape")
        await someone.until_open()

        await someone.goes_to("floor")
        await someone.press("1")
        await someone.sees("It already is where least squares is")
        await someone.press("3")
        await someone.sees("the noise floor")
        assert someone.is_done()


async def test_a_learner_hands_the_loop_to_torch(tmp_path: Path) -> None:
    right = exercise("2.15", "path").solution
    late = right.replace("        optimiser.zero_grad()\n", "").replace(
        "        optimiser.step()\n",
        "        optimiser.zero_grad()\n        optimiser.step()\n",
    )
    loader = exercise("2.15", "learn").solution
    unshuffled = loader.replace("shuffle=True, generator=g", "")
    assert late != right
    assert loader != unshuffled

    async with learner(tmp_path, "2.15") as someone:
        await someone.goes_to("path")
        await someone.writes(late)
        await someone.checks()
        await someone.sees("The model never moved")
        await someone.press("escape")
        await someone.writes(right)
        await someone.checks()
        await someone.sees("nothing in these parts but your five lines")
        assert someone.is_done()

        await someone.goes_to("learn")
        await someone.writes(unshuffled)
        await someone.checks()
        await someone.sees("a loader does not shuffle unless it is told to")
        await someone.press("escape")
        await someone.writes(loader)
        await someone.checks()
        await someone.sees("This loop trains any model")
        assert someone.is_done()


async def test_a_learner_sees_the_line_move_and_each_bug(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.15") as someone:
        await someone.goes_to("line")
        await someone.press("enter")
        await someone.sees("the model at iteration 0")
        await someone.press("s")
        await someone.sees("the model at iteration 1")
        await someone.press("escape")
        await someone.until_open()

        await someone.goes_to("uncleared")
        await someone.press("enter", "space")
        await someone.sees("iteration 100 of 100")
        await someone.sees("At iteration 1 of uncleared the gradient of")
        await someone.sees("B 14.215")
        await someone.press("escape")
        await someone.until_open()

        await someone.goes_to("pairs")
        await someone.press("enter", "space")
        await someone.sees("iteration 100 of 100")
        await someone.sees("In all pairs outputs of shape (1000, 1) and their")
        await someone.press("V", "V")
        await someone.sees("0 20 40 60 80 100")  # the axis of the curves
        await someone.sees("B 27.560")
        await someone.press("escape")
        await someone.until_open()

        await someone.goes_to("summed")
        await someone.press("enter", "space")
        await someone.sees("sum diverged at iteration 2")
        await someone.sees("iteration 25 of 25")
        await someone.press("escape")
        await someone.until_open()
        await someone.until(someone.is_done, "the tick")
