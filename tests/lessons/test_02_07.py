"""Lesson 2.7 in the real app: predictions, a walk, an engine that fails and then runs."""

from pathlib import Path

import pytest

from tests.lessons.driver import Learner, learner
from tests.lessons.judging import exercise

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


async def test_a_learner_predicts_errs_and_writes_an_engine(tmp_path: Path) -> None:
    engine = exercise("2.7", "engine").solution

    async with learner(tmp_path, "2.7", size=(120, 40)) as someone:
        assert someone.cell == "push"
        await someone.answers(*"0.01")
        await someone.sees("moves twice as far.")
        await someone.answers("backspace", "2")
        await someone.sees("∂f/∂y = 2.")
        assert someone.is_done()

        await someone.goes_to("engine")
        await someone.writes(engine.replace("each.grad +=", "each.grad ="))
        await someone.checks()
        await someone.sees("a fork adds: +=.")
        await someone.sees("f = a + a, at a = 2, b = -0.5")
        assert not someone.is_done()

        await someone.writes(engine)
        await someone.checks()
        await someone.until(someone.is_done, "the tick")
        await someone.quits()


async def test_the_walk_asks_for_six_gradients_and_ends_in_the_one_sentence(
    tmp_path: Path,
) -> None:
    answers = {"∂f/∂f": "1", "∂f/∂u": "1", "∂f/∂z": "1", "∂f/∂q": "3"}
    answers |= {"x.grad": "6*x", "y.grad": "2"}

    async with learner(tmp_path, "2.7") as someone:
        await someone.goes_to("walk")
        await someone.press("enter")
        await someone.sees("Forward first: each node computes its output")
        for asked, answer in answers.items():
            await _walks_to(someone, f"Predict {asked} before")
            if asked == "x.grad":
                await someone.press("7", "enter")
                await someone.sees("7 is a sum; an edge multiplies")
                await someone.press("backspace")
            await someone.press(*answer, "enter")
            await someone.sees(f"✓ {asked} =")
        await _walks_to(someone, "predicted 6 of 6 right")
        await someone.sees("Each node only needed its output and its derivative.")
        await someone.press("escape")
        await someone.until(someone.is_done, "the tick")


async def _walks_to(someone: Learner, words: str) -> None:
    """Step until the words are seen; the walk has fewer steps than this."""
    for _ in range(40):
        if words in someone.screen:
            return
        await someone.press("right")
    raise AssertionError(f"no {words!r} on the way; in the end:\n{someone.screen}")
