"""Lesson 2.14 in the real app: a fair race, a figure with faults, a budget to spend."""

from pathlib import Path

import pytest

from tests.lessons.driver import learner
from tests.lessons.judging import exercise

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


async def test_a_learner_predicts_and_makes_the_race_fair(tmp_path: Path) -> None:
    right = exercise("2.14", "trajectories").solution
    seeded = "        g = torch.Generator().manual_seed(seed)\n"
    shared = right.replace(seeded, "").replace("    for B", seeded[4:] + "    for B", 1)
    assert shared != right

    async with learner(tmp_path, "2.14") as someone:
        assert someone.cell == "predict"
        await someone.press("3")
        await someone.sees("In some races it does.")
        await someone.press("4")
        await someone.sees("With seed 0 gd ends lowest")
        assert someone.is_done()

        await someone.goes_to("trajectories")
        await someone.press("h")
        await someone.sees("What must be identical for a fair race?")
        await someone.writes(shared)
        await someone.checks()
        await someone.sees("One generator for all three")
        await someone.press("escape")
        await someone.writes(right)
        await someone.checks()
        await someone.sees("With a generator each, a run's batches do not change")
        assert someone.is_done()


async def test_a_learner_finds_the_faults_and_keeps_to_the_budget(
    tmp_path: Path,
) -> None:
    async with learner(tmp_path, "2.14", size=(120, 40)) as someone:
        await someone.goes_to("plan")
        await someone.checks()
        await someone.sees("Few steps, free of noise")
        await someone.writes("lr = 0.05\nB = 4\niterations = 1000")
        await someone.checks()
        await someone.sees("Over budget")
        await someone.writes("lr = 0.05\nB = 1\niterations = 2000")
        await someone.checks()
        await someone.sees("It arrived long ago, and hovers")
        await someone.sees("the middle of 40 runs ends 0.")
        await someone.writes("lr = 0.05\nB = 4\niterations = 500")
        await someone.checks()
        await someone.sees("Many ways lead there")
        assert someone.is_done()

        await someone.goes_to("off")
        await someone.answers(*"280")
        await someone.sees("It is the root")
        await someone.answers(*["backspace"] * 3, *"8.85")
        await someone.sees("with 20 or 30 points it does")
        assert someone.is_done()


async def test_three_paths_over_the_loss_and_then_500_seeds(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.14") as someone:
        await someone.goes_to("race")
        await someone.press("enter", "space")
        await someone.sees("iteration 25 of 25")
        await someone.sees("true parameters")
        for end in ("A 1.076", "B 1.213", "C 1.548"):
            await someone.sees(end)
        await someone.press("escape")
        await someone.until_open()
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("many")
        await someone.press("enter")
        await someone.sees("k runs it")
        await someone.press("k")
        await someone.sees("A gd the one to beat 1.15 (1.06 to 1.25)")
        await someone.sees("C sgd 37.4 % below gd 1.24 (0.989 to 2.63)")
        await someone.press("escape")
        await someone.until_open()
        await someone.until(someone.is_done, "the tick")
