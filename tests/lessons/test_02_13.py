"""Lesson 2.13 in the real app: a noisy gradient, batches of an epoch, a falling lr."""

from pathlib import Path

import pytest

from tests.lessons.driver import learner
from tests.lessons.judging import exercise

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


async def test_a_learner_meets_the_noise_and_writes_minibatches(tmp_path: Path) -> None:
    right = exercise("2.13", "minibatches").solution
    apart = right.replace("y[chosen]", "y[torch.randperm(len(y))[: len(chosen)]]")
    assert apart != right

    async with learner(tmp_path, "2.13") as someone:
        assert someone.cell == "four"
        await someone.press("enter")
        await someone.sees("tensor([10.5004, -3.7693])")
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("average")
        await someone.answers("8")
        await someone.sees("That is the average sum of a batch.")
        await someone.answers("backspace", "4")
        await someone.sees("plus noise: unbiased.")

        await someone.goes_to("minibatches")
        await someone.press("h")
        await someone.sees("What must stay paired, however you shuffle?")
        await someone.writes(apart)
        await someone.checks()
        await someone.sees("Each x gets a stranger's y")
        await someone.press("escape")
        await someone.writes(right)
        await someone.checks()
        await someone.sees("An epoch draws without putting back.")
        assert someone.is_done()


async def test_a_learner_lets_the_rate_fall(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.13", size=(120, 40)) as someone:
        await someone.goes_to("hover")
        await someone.answers(*"0.2")
        await someone.sees("That is 2 · lr, for a batch of one.")

        await someone.press("escape")
        await someone.goes_to("rate")
        await someone.checks()
        await someone.sees("it hovers for ever")
        await someone.sees("the middle of 40 runs ends 0.")
        await someone.writes("def rate(k):\n    return 0.1 * 0.5 ** k")
        await someone.checks()
        await someone.sees("it stands still long before it arrives")
        await someone.writes("def rate(k):\n    return 0.05 if k < 250 else 0.005")
        await someone.checks()
        await someone.sees("Any way down will do")
        assert someone.is_done()


async def test_the_arrows_of_batches_and_three_rates_are_seen(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.13") as someone:
        await someone.goes_to("wind")
        await someone.press("enter")
        await someone.sees("batches of 1")
        await someone.sees("σ w σ b angle uphill")
        await someone.press("u")
        await someone.sees("batches of 4")
        await someone.press("space")
        await someone.sees("iteration 25 of 25")
        await someone.press("escape")
        await someone.until_open()
        await someone.until(someone.is_done, "the tick")
