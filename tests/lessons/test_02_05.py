"""Lesson 2.5 in the real app: a mistake, its message, a hint, a tick, and back again."""

from pathlib import Path

import pytest

from tests.lessons.driver import learner

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

WRONG = "y = x.reshape(3, 4, 5, 10)\nrank = y.shape"
RIGHT = "y = x.reshape(3, 4, 5, 10)\nrank = y.ndim"


async def test_a_learner_errs_is_helped_and_resumes(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.5") as someone:
        assert someone.cell == "make"
        await someone.press("enter")
        await someone.sees("(torch.Size([600]), torch.int64, 1)")
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("fold")
        await someone.writes(WRONG)
        await someone.checks()
        await someone.sees(".shape lists the sizes. The rank is how many there are.")
        assert not someone.is_done()

        await someone.press("escape", "h")
        await someone.sees("How many numbers does (3, 4, 5, 10) hold?")

        await someone.writes(RIGHT)
        await someone.checks()
        await someone.sees("3 · 4 · 5 · 10 = 600")
        assert someone.is_done()

        await someone.goes_to("share")
        await someone.answers("0")
        await someone.sees("reshape copies only when it must.")
        await someone.answers("backspace", "7")
        await someone.sees("another shape over the memory")

        await someone.goes_to("copies")
        await someone.quits()

    async with learner(tmp_path, "2.5") as someone:
        assert someone.cell == "copies"
        assert not someone.is_done()
        await someone.goes_to("fold", key="p")
        assert someone.is_done()
        assert (someone.progress.accepted, someone.progress.hints) == (RIGHT, 1)
        await someone.sees("rank = y.ndim")


async def test_each_kind_of_cell_says_what_was_wrong(
    tmp_path: Path,
) -> None:
    async with learner(tmp_path, "2.5", size=(120, 40)) as someone:
        await someone.goes_to("copies")
        await someone.press("enter")
        await someone.answers(*"1111111")
        await someone.sees("No even step through memory gives that")

        await someone.press("escape")
        await someone.goes_to("channels")
        await someone.checks()
        await someone.sees("✗ reshape keeps the numbers in reading order")
        await someone.sees("case 1 of 4: img = [[[0., 1., 2.]], [[3., 4., 5.]]]")

        await someone.goes_to("track")
        await someone.press("enter")
        await someone.answers()
        assert not someone.is_done()

        await someone.press("escape")
        await someone.goes_to("numpy")
        await someone.press("3")
        await someone.sees("numpy's decimals are float64.")
        await someone.press("1")
        await someone.until(someone.is_done, "the tick")
