"""Lesson 2.6 in the real app: the graph grows key by key, is foreseen, built and read."""

from pathlib import Path

import pytest

from tests.lessons.driver import learner
from tests.lessons.judging import lesson
from tutor.lesson.schema import GraphCell

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

BACK = """
def first(x, y):
    return {first}

def second(x, y):
    return {second}
"""


def captions(cell_id: str) -> list[str]:
    cell = next(each for each in lesson("2.6").cells if each.id == cell_id)
    assert isinstance(cell, GraphCell)
    return list(cell.captions.values())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_graph_grows_a_piece_at_each_key(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with learner(tmp_path, "2.6", size=size) as someone:
        await someone.press("4")
        await someone.sees("so it waits for both.")
        await someone.goes_to("grow")
        await someone.press("enter")
        said = captions("grow")
        await someone.sees(said[0])
        seen = []
        for words in said[1:]:
            await someone.press("right")
            await someone.sees(words)
            seen.append(someone.screen)
        assert "sqr ║" not in seen[0]
        assert "║ sqr ║" in seen[1]
        assert "f = 22" in seen[-1]
        await someone.press("right")
        assert "∂" not in someone.screen, "the walk ends with the forward pass"
        await someone.press("escape")
        await someone.until_open()
        await someone.until(someone.is_done, "the tick")


async def test_the_forward_pass_is_foreseen_number_by_number(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.6") as someone:
        await someone.goes_to("numbers")
        await someone.press("enter")
        await someone.sees("Predict q before you step")
        await someone.press("right", "minus", "9", "enter")
        await someone.sees("-9 has the wrong sign.")
        await someone.press("backspace", "backspace", "9", "enter")
        await someone.sees("(-3)² = 9")
        for name, number in (("u", "27"), ("z", "8"), ("f", "35")):
            await someone.sees(f"Predict {name} before you step")
            assert f"= {number}" not in someone.screen
            await someone.press("right", *number, "enter")
        await someone.sees(captions("numbers")[-1])
        await someone.press("escape")
        await someone.until_open()
        await someone.until(someone.is_done, "the tick")


async def test_a_graph_is_built_and_counted(tmp_path: Path) -> None:
    async with learner(tmp_path, "2.6") as someone:
        await someone.goes_to("back")
        wrong = BACK.format(first="x + y * 2", second="(2 * x) ** 2 - y")
        await someone.writes(wrong)
        await someone.checks()
        await someone.sees("In the picture it is *.")
        await someone.writes(BACK.format(first="(y + x) * 2", second="(2 * x)**2 - y"))
        await someone.checks()
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("ask-torch")
        await someone.press("enter")
        await someone.sees("<AddBackward0 object at")
        await someone.until(someone.is_done, "the tick")

        await someone.goes_to("count")
        await someone.answers("7")
        await someone.sees("You counted the 1.")
        await someone.answers("backspace", "6")
        await someone.until(someone.is_done, "the tick")
