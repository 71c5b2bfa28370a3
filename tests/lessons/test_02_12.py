"""Lesson 2.12 in the real app: a ball, its learning rate, two parameters, scaling."""

from pathlib import Path

import pytest

from tests.lessons.driver import learner

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

IN_TURN = (
    "def gd(grad, w, b, lr, n):\n    for _ in range(n):\n"
    "        w = w - lr * grad(w, b)[0]\n        b = b - lr * grad(w, b)[1]\n"
    "    return w, b"
)
AT_ONCE = (
    "def gd(grad, w, b, lr, n):\n    for _ in range(n):\n"
    "        dw, db = grad(w, b)\n        w, b = w - lr * dw, b - lr * db\n"
    "    return w, b"
)
WHOLE_TABLE = "def scaled(x):\n    return (x - x.mean()) / x.std()"


async def test_a_learner_goes_down(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.12") as someone:
        assert someone.cell == "step"
        await someone.answers(*"-1.8")
        await someone.sees("That is uphill")
        await someone.answers(*["backspace"] * 4, *"-0.2")
        await someone.sees("Minus a negative slope goes right")

        await someone.goes_to("five")
        await someone.press("enter")
        await someone.sees("-0.2000 0.4400 0.9520")
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("regimes")
        await someone.answers(*"111111")
        await someone.sees("the minus means it lands on the other side")

        await someone.press("escape")
        await someone.goes_to("gd")
        await someone.writes(IN_TURN)
        await someone.checks()
        await someone.sees("Ask once, then move both.")
        await someone.press("escape")
        await someone.writes(AT_ONCE)
        await someone.checks()
        await someone.sees("so both parameters move at once")
        assert someone.is_done()


async def test_a_start_and_a_scale_are_chosen(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.12") as someone:
        await someone.goes_to("start")
        await someone.writes("start = 0.2\nends(start)")
        await someone.checks()
        await someone.sees("right of the hill, so it rolls right")
        await someone.press("escape")
        await someone.writes("start = 2\nends(start)")
        await someone.checks()
        await someone.sees("1.91 to 2.07 leaps over the hill")

        await someone.goes_to("scaled")
        await someone.writes(WHOLE_TABLE)
        await someone.checks()
        await someone.sees("One mean and one spread for the whole table")


async def test_a_learner_watches_the_ball(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.12") as someone:
        await someone.goes_to("ball")
        await someone.press("enter")
        await someone.sees("Turn the learning rate")
        await someone.press("s")
        await someone.sees("w = -0.2, slope -6.4")
        await someone.sees("minimum at 3")
        await someone.press("escape")
        await someone.goes_to("six")
        await someone.press("enter")
        await someone.sees("Six balls")
        await someone.press("space")
        await someone.sees("iteration 20 of 20")
        await someone.press("escape")
        await someone.until(someone.is_done, "the tick")
