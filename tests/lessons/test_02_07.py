"""Lesson 2.7 in the real app: predictions, a walk, an engine that fails and then runs."""

from pathlib import Path

import pytest

from tests.lessons.driver import learner
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
