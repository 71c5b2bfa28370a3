"""Lesson 2.12 accepts right code however it is written, and names mistakes likewise.

That the lesson's own solutions and wrong answers are judged as told is `check`'s proof;
here is also that its numbers and its races are what its texts say.
"""

from functools import partial
from typing import Any

import pytest
import torch

from tests.lessons import judging, tables
from tests.lessons.judging import function

GD = "gd(grad, w, b, lr, n)"
SCALED = "scaled(x)"

cell = partial(judging.cell, "2.12")


def loop(body: str, before: str = "", after: str = "return w, b") -> str:
    """gd with this body in its loop; lines are parted by "; "."""
    lines = [*before.split("; ")] if before else []
    lines += ["for _ in range(n):", *(f"    {line}" for line in body.split("; "))]
    return function(GD, "; ".join([*lines, after]))


test_right_code_passes_however_it_is_written = tables.right_code_passes(
    "2.12",
    [
        ("gd", loop("p, q = grad(w, b); w -= lr * p; b -= lr * q")),
        ("gd", loop("g = grad(w, b); w, b = w - lr * g[0], b - lr * g[1]")),
        ("gd", loop("w, b = w - lr * grad(w, b)[0], b - lr * grad(w, b)[1]")),
        (
            "gd",
            loop(
                "p = p - lr * torch.tensor(grad(*p), dtype=torch.float64)",
                "p = torch.tensor([w, b], dtype=torch.float64)",
                "return p.unbind()",
            ),
        ),
        (
            "gd",
            function(
                GD,
                "if n == 0: return w, b; dw, db = grad(w, b); "
                "return gd(grad, w - lr * dw, b - lr * db, lr, n - 1)",
            ),
        ),
        ("start", "start = 0.05"),
        ("start", "start = 0.1699"),
        ("start", "start = 2"),
        ("start", "start = torch.tensor(1.95)"),
        ("scaled", function(SCALED, "return (x - x.mean(0)) / x.std(0)")),
        ("scaled", function(SCALED, "return (x - x.mean(0)) / x.std(0, correction=0)")),
        (
            "scaled",
            function(
                SCALED, "s, m = torch.std_mean(x, dim=0, keepdim=True); return (x-m)/s"
            ),
        ),
        (
            "scaled",
            function(
                SCALED,
                "columns = [(c - c.mean()) / c.std() for c in x.T]; "
                "return torch.stack(columns, dim=1)",
            ),
        ),
        (
            "scaled",
            function(SCALED, "x = x.clone(); x -= x.mean(0); x /= x.std(0); return x"),
        ),
    ],
)


test_a_mistake_is_named_however_it_is_written = tables.mistakes_are_named(
    "2.12",
    [
        ("gd", loop("p, q = grad(w, b); w += lr * p; b += lr * q"), "uphill"),
        ("gd", loop("w -= lr * grad(w, b)[0]; b -= lr * grad(w, b)[1]"), "Ask once"),
        (
            "gd",
            loop("w = w - lr * grad(w, b)[0]; _, q = grad(w, b); b = b - lr * q"),
            "Ask once",
        ),
        ("gd", loop("b -= lr * grad(w, b)[1]; w -= lr * grad(w, b)[0]"), "Ask once"),
        ("gd", loop("p, q = grad(w, b); w, b = w - p, b - q"), "whole slope"),
        ("gd", loop("w -= lr * p; b -= lr * q", "p, q = grad(w, b)"), "inside the"),
        (
            "gd",
            loop("p, q = grad(w, b); w -= lr * p; b -= lr * q; return w, b"),
            "One step only",
        ),
        ("gd", loop("p, q = grad(w, b); w -= lr * p"), "b never moved"),
        ("gd", loop("p, q = grad(w, b); b -= lr * q"), "w never moved"),
        ("gd", loop("p, q = grad(w, b); w -= lr * q; b -= lr * p"), "crossed"),
        ("gd", loop("g = grad(w, b); w -= lr * g; b -= lr * g"), "as a pair"),
        ("gd", loop("pass", after="return w"), "Return two numbers"),
        ("gd", loop("pass"), "never moved"),
        (
            "gd",
            function(GD, "dw, db = grad(w, b); return w - lr * dw, b - lr * db"),
            "One step only",
        ),
        ("start", "start = 0.17", "right of the hill"),
        ("start", "start = 1.13", "right of the hill"),
        ("start", "start = 1.0", "right of the hill"),
        ("start", "start = 2.5", "happens to end right"),
        ("start", "start = 4", "beyond everything"),
        ("start", "start = 1e30", "beyond everything"),
        ("start", "start = -0.5", "began there too"),
        ("start", "start = 0.0", "Almost"),
        ("start", "start = -2.5", "above 0"),
        ("start", "start = float('nan')", "above 0"),
        ("start", "start = 'left'", "must be a number"),
        ("scaled", function(SCALED, "return F.normalize(x, dim=0)"), "not the right"),
        (
            "scaled",
            function(SCALED, "return (x - x.mean()) / x.std()"),
            "for each column",
        ),
        (
            "scaled",
            function(SCALED, "return F.layer_norm(x, x.shape[1:]) "),
            "not the right",
        ),
        ("scaled", function(SCALED, "return x.div(x.std(0))"), "the ravine stays"),
        ("scaled", function(SCALED, "return x.sub(x.mean(0))"), "as wide as before"),
        (
            "scaled",
            function(SCALED, "x.sub_(x.mean(0)); return x / x.std(0)"),
            "caller's own data",
        ),
        (
            "scaled",
            function(SCALED, "return (x.mean(0) - x) / x.std(0)"),
            "Upside down",
        ),
    ],
)


test_every_misplaced_claim_and_rate_has_a_sentence_of_its_own = (
    tables.each_misplaced_member_is_told("2.12", "regimes", "true")
)


def test_each_rate_does_what_its_group_says() -> None:
    question = cell("regimes")
    for group, members in question.groups.items():
        for member in members:
            lr = float(member.removeprefix("lr "))
            away = [-4.0]  # from 3
            for _ in range(20):
                away.append(away[-1] - lr * 2 * away[-1])
            swings = away[0] * away[1] < 0
            ratio = abs(away[-1] / away[0])
            assert swings == (group != "one side")
            if group == "flies off":
                assert ratio > 2
            elif group == "bounces for ever":
                assert ratio == pytest.approx(1)
            else:
                assert ratio < 0.7


def test_the_starts_above_zero_that_end_left() -> None:
    names: dict[str, Any] = {}
    exec(judging.lesson("2.12").setup, names)

    def left(start: float) -> bool:
        try:
            return bool(abs(names["ends"](start) + 1.3008) < 0.01)
        except OverflowError:
            return False

    def share(low: float, high: float) -> float:
        starts = torch.linspace(low, high, 20, dtype=torch.float64).tolist()
        return sum(map(left, starts)) / len(starts)

    assert share(0.002, 0.169) == 1  # rolls left
    assert share(0.172, 1.9) == 0
    assert share(1.912, 2.07) == 1  # leaps over the hill
    assert 0.05 < share(2.08, 2.6) < 0.95  # a lottery


def test_the_six_balls_end_where_their_factors_say() -> None:
    end = judging.raced("2.12", "six")
    for name, run in end.items():
        lr = float(name.removeprefix("lr "))
        assert run.params["w"] == pytest.approx(3 - 4 * (1 - 2 * lr) ** 20, rel=1e-3)
    assert end["lr 0.1"].params["w"] == pytest.approx(2.9539, abs=1e-4)
    assert end["lr 0.1"].loss == pytest.approx(end["lr 0.9"].loss, rel=1e-3)
    assert end["lr 1"].params["w"] == pytest.approx(-1)


def test_the_ravine_diverges_beyond_two_over_its_curvature() -> None:
    end = judging.raced("2.12", "ravine")
    assert end["lr 0.03"].params["a"] == pytest.approx(0.476, abs=0.001)
    assert end["lr 0.075"].loss < 1e-4
    assert abs(end["lr 0.079"].params["b"]) == pytest.approx(0.0795, abs=0.001)
    assert abs(end["lr 0.081"].params["b"]) == pytest.approx(11.8, abs=0.1)


def test_the_line_is_at_its_limit_between_the_last_two_rates() -> None:
    end = judging.raced("2.12", "edge")
    assert end["lr 0.05"].loss == pytest.approx(1.076, abs=0.01)
    assert end["lr 0.5"].loss == pytest.approx(0.942, abs=0.001)
    assert end["lr 0.9"].loss == pytest.approx(1.28, abs=0.02)
    assert end["lr 0.95"].loss == pytest.approx(81, abs=2)


def test_the_start_and_the_rate_choose_the_valley() -> None:
    end = judging.raced("2.12", "valleys")
    assert {name: round(run.params["w"], 2) for name, run in end.items()} == {
        "from 0.1": -1.30,
        "from 0.2": 1.13,
        "from 2": -1.30,
        "2 lr 0.05": 1.13,
    }


def test_a_scaled_feature_is_done_when_the_wide_one_has_hardly_begun() -> None:
    end = judging.raced("2.12", "as-it-came")
    assert end["wide"].loss > 1.8
    assert abs(end["wide"].params["b"]) < 0.1
    assert end["scaled"].loss == pytest.approx(0.949, abs=0.001)


test_cells_keep_to_the_lesson_rules_of_length = tables.cells_keep_to_length(
    "2.12", prose=9
)
