"""Lesson 2.11 accepts right code however it is written, and names mistakes likewise.

That the lesson's own solutions and wrong answers are judged as told is `check`'s proof;
here is also that its races show what its texts and questions say.
"""

from functools import partial
from typing import Any

import pytest
import torch

from tests.lessons import judging, tables
from tests.lessons.judging import function
from tutor.training.run import RunEnd

SAME = "if guess.shape != y.shape: raise ValueError('shapes')"
MSE = "return ((guess - y) ** 2).mean()"
MAE = "return (guess - y).abs().mean()"
BASELINE = "baseline(y)"

cell = partial(judging.cell, "2.11")


def ends(name: str) -> dict[str, RunEnd]:
    """Where the runs of a train cell end."""
    return judging.raced("2.11", name)


def two(mse: str = f"{SAME}; {MSE}", mae: str = f"{SAME}; {MAE}") -> str:
    """The two losses, right but for what is given."""
    return function("mse(guess, y)", mse) + "\n" + function("mae(guess, y)", mae)


test_right_code_passes_however_it_is_written = tables.right_code_passes(
    "2.11",
    [
        ("losses", two()),
        (
            "losses",
            two(
                f"assert guess.shape == y.shape; {MSE}",
                f"assert guess.shape == y.shape; {MAE}",
            ),
        ),
        (
            "losses",
            two(
                f"{SAME}; return F.mse_loss(guess, y)",
                f"{SAME}; return F.l1_loss(guess, y)",
            ),
        ),
        (
            "losses",
            two(
                f"{SAME}; d = guess - y; return (d * d).sum() / d.numel()",
                f"{SAME}; return torch.mean(torch.abs(y - guess))",
            ),
        ),
        (
            "losses",
            "def watched(guess, y):\n    if guess.size() != y.size():\n"
            "        raise ValueError(guess.size())\n    return guess - y\n"
            + function("mse(guess, y)", "return watched(guess, y).square().mean()")
            + function("mae(guess, y)", "return watched(guess, y).abs().mean()"),
        ),
        ("constant", function(BASELINE, "return y.mean(), y.var(correction=0)")),
        ("constant", function(BASELINE, "return y.mean(), y.var(unbiased=False)")),
        (
            "constant",
            function(BASELINE, "c = y.mean(); return c, F.mse_loss(y, c.expand_as(y))"),
        ),
        (
            "constant",
            function(BASELINE, "c = y.sum() / len(y); return [c, (y*y).mean() - c*c]"),
        ),
        (
            "constant",
            function(
                BASELINE, "c = y.mean().item(); return c, ((y - c)**2).mean().item()"
            ),
        ),
    ],
)


test_a_mistake_is_named_however_it_is_written = tables.mistakes_are_named(
    "2.11",
    [
        ("losses", two(mse=MSE), "nobody notices"),
        ("losses", two(mae=MAE), "nobody notices"),
        ("losses", two("return F.mse_loss(guess, y)"), "nobody notices"),
        (
            "losses",
            two(f"if guess.shape != y.shape: print('no'); {MSE}"),
            "nobody notices",
        ),
        (
            "losses",
            two(f"if len(guess) != len(y): raise ValueError; {MSE}"),
            "equally many elements",
        ),
        (
            "losses",
            two(f"if guess.ndim != y.ndim: raise ValueError; {MSE}"),
            "as many axes",
        ),
        (
            "losses",
            two("y = y.view_as(guess); " + MSE),
            "You made them fit",
        ),
        (
            "losses",
            two("return ((guess.flatten() - y.flatten()) ** 2).mean()"),
            "You made them fit",
        ),
        (
            "losses",
            two(f"{SAME}; return torch.sum((guess - y) ** 2)"),
            "That is the sum",
        ),
        (
            "losses",
            two(mae=f"{SAME}; return (guess - y).abs().sum()"),
            "That is the sum",
        ),
        (
            "losses",
            two(mae=f"{SAME}; return (guess - y).mean().abs()"),
            "too early",
        ),
        ("losses", two(mae=f"{SAME}; return (y - guess).mean()"), "cancel"),
        ("losses", two(f"{SAME}; {MAE}"), "swapped"),
        (
            "losses",
            two(f"{SAME}; return ((guess - y)**2).mean().detach()"),
            "stay in the graph",
        ),
        ("losses", two(f"{SAME}; return float(((guess-y)**2).mean())"), "no `backward"),
        ("losses", two(f"{SAME}; ((guess - y) ** 2).mean()"), "must return a tensor"),
        ("losses", two(f"{SAME}; return (guess - y) ** 2"), "shape"),
        ("losses", two(f"if guess.shape != y.shape: raise Shapes; {MSE}"), "Shapes"),
        ("constant", function(BASELINE, "return 0, (y ** 2).mean()"), "0 is one"),
        (
            "constant",
            function(BASELINE, "c = y.quantile(.5); return c, ((y - c)**2).mean()"),
            "median",
        ),
        ("constant", function(BASELINE, "return y.mean(), y.std()"), "not the right"),
        ("constant", function(BASELINE, "return y.mean(), torch.var(y)"), "n - 1"),
        ("constant", function(BASELINE, "return y.mean()"), "Return two numbers"),
        (
            "constant",
            function(BASELINE, "return y.mean(), (y ** 2).mean()"),
            "not the right number",
        ),
        (
            "constant",
            function(BASELINE, "c = y.mean(); return c, (y - c).pow(2).sum()"),
            "take the mean",
        ),
    ],
)


test_every_misplaced_part_has_a_sentence_of_its_own = (
    tables.each_misplaced_member_is_told("2.11", "map", "symptoms")
)


def test_only_knowing_the_slope_gets_down() -> None:
    end = ends("optimisers")
    assert end["none"].loss == pytest.approx(31.11, abs=0.01)
    assert end["none"].params == {"w": 0, "b": 0}
    assert end["slope"].loss == pytest.approx(1.076, abs=0.01)
    assert end["slope"].loss + 1 < end["random"].loss < 31


def test_a_sum_explodes_unless_lr_makes_up_for_it() -> None:
    end = ends("sums")
    assert end["sum 0.05"].stopped == "diverged"
    assert end["sum 5e-5"].loss / 1000 == pytest.approx(end["mean 0.05"].loss)
    assert end["sum 5e-5"].params == pytest.approx(end["mean 0.05"].params)


def test_one_bad_point_moves_the_squared_loss_alone() -> None:
    end = ends("bad-point")
    assert end["squared"].params == pytest.approx({"w": -1.10, "b": 2.93}, abs=0.01)
    assert end["absolute"].params == pytest.approx({"w": -5.01, "b": 2.00}, abs=0.01)


def test_shuffled_answers_are_worth_a_constant() -> None:
    end = ends("model-and-data")
    assert end["constant"].loss == pytest.approx(27.56, abs=0.01)
    assert end["shuffled"].loss == pytest.approx(27.5, abs=0.1)
    assert end["line"].loss < 1
    assert end["parabola"].loss == pytest.approx(end["line"].loss, abs=0.001)
    assert abs(end["parabola"].params["a"]) < 0.01


def test_a_target_without_its_axis_trains_the_line_to_the_mean() -> None:
    names: dict[str, Any] = {}
    exec(judging.lesson("2.11").setup, names)
    x, y = names["x"], names["y"]
    w, b = (torch.zeros(1, requires_grad=True) for _ in range(2))
    for _ in range(100):
        ((w * x + b - y.squeeze()) ** 2).mean().backward()
        with torch.no_grad():
            for each in (w, b):
                assert each.grad is not None
                each -= 0.05 * each.grad
                each.grad = None

    assert abs(w.item()) < 0.001
    assert b.item() == pytest.approx(y.mean().item(), abs=0.001)
    assert y.mean().item() == pytest.approx(1.88, abs=0.01)
    assert y.var(correction=0).item() == pytest.approx(27.56, abs=0.01)


test_cells_keep_to_the_lesson_rules_of_length = tables.cells_keep_to_length(
    "2.11", prose=10
)
