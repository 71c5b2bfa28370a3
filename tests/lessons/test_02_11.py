"""Lesson 2.11 in the real app: sockets, a learning rate for a sum, losses, races."""

from pathlib import Path

import pytest

from tests.lessons.driver import learner

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

UNWATCHED = (
    "def mse(guess, y):\n    return ((guess - y) ** 2).mean()\n\n"
    "def mae(guess, y):\n    return (guess - y).abs().mean()"
)
WATCHED = (
    "def same(guess, y):\n    if guess.shape != y.shape:\n"
    "        raise ValueError('shapes differ')\n\n"
    "def mse(guess, y):\n    same(guess, y)\n    return ((guess - y) ** 2).mean()\n\n"
    "def mae(guess, y):\n    same(guess, y)\n    return (guess - y).abs().mean()"
)


async def test_a_learner_takes_the_machine_apart(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.11") as someone:
        assert someone.cell == "five"
        await someone.goes_to("machine")
        await someone.press("enter")
        await someone.sees("w -4.70 b 1.86")
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("off")
        await someone.press("1")
        await someone.sees("What would move w and b?")
        await someone.press("2")
        await someone.sees("A gradient only tells the direction.")

        await someone.goes_to("sum-lr")
        await someone.answers(*"12.5")
        await someone.sees("You multiplied.")
        await someone.answers(*["backspace"] * 4, *"0.0002")
        await someone.sees("what counts is the product")

        await someone.goes_to("shapes")
        await someone.press("enter")
        await someone.sees("torch.Size([1000, 1000])")

        await someone.goes_to("losses")
        await someone.writes(UNWATCHED)
        await someone.checks()
        await someone.sees("(4, 1) minus (4,) is (4, 4), and nobody notices.")
        await someone.press("escape", "h")
        await someone.sees("Which shapes may meet in a loss")
        await someone.writes(WATCHED)
        await someone.checks()
        await someone.sees("Two lines save an afternoon.")
        assert someone.is_done()


async def test_a_learner_watches_three_optimisers(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.11") as someone:
        await someone.goes_to("optimisers")
        await someone.press("enter")
        await someone.sees("Three optimisers, one machine")
        await someone.press("space")
        await someone.sees("iteration 25 of 25")
        await someone.press("escape")
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("sums")
        await someone.press("enter")
        await someone.sees("See it explode, and be tamed")
        await someone.press("space")
        await someone.sees("sum 0.05 diverged at iteration 2")
