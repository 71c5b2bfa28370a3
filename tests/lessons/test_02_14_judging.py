"""Lesson 2.14 accepts right code however it is written, and names mistakes likewise.

That the lesson's own solutions and wrong answers are judged as told is `check`'s proof;
here is also that what it states of the race is true, over 500 seeds.
"""

from dataclasses import replace
from functools import cache, partial
from itertools import pairwise

import pytest
import torch

from tests.lessons import judging, tables
from tests.lessons.judging import function
from tutor.answers import Choice, Number
from tutor.engine.train import train
from tutor.lesson.requests import race_of
from tutor.lesson.schema import TrainCell
from tutor.training.run import Points
from tutor.training.spec import SliceRequest

WILD = "wildness(losses)"
LEFT = "left = [b / a for a, b in zip(losses, losses[1:])]; "

cell = partial(judging.cell, "2.14")
in_groups = partial(tables.in_groups, "2.14")


def trajectories(
    *,
    before: str = "pass",
    g: str = "torch.Generator().manual_seed(seed)",
    start: str = "w, b = 0.0, 0.0",
    chosen: str = "torch.randperm(len(x), generator=g)[:B]",
    gradient: str = "gradient(w, b, x[chosen], y[chosen])",
    update: str = "w, b = w - lr * gw.item(), b - lr * gb.item()",
) -> str:
    """The exercise's solution with other lines in it."""
    return f"""
def trajectories(x, y, lr, iterations, seed):
    paths = {{}}
    {before}
    for B in (len(x), 4, 1):
        g = {g}
        {start}
        path = [(w, b)]
        for _ in range(iterations):
            chosen = {chosen}
            gw, gb = {gradient}
            {update}
            path.append((w, b))
        paths[B] = path
    return paths
"""


def plan(lr: float, batch: int, iterations: int) -> str:
    return f"lr = {lr}\nB = {batch}\niterations = {iterations}\n"


test_right_code_passes_however_it_is_written = tables.right_code_passes(
    "2.14",
    [
        ("trajectories", trajectories()),
        (
            "trajectories",
            trajectories(
                start="w = b = torch.tensor(0.0)",
                update="w, b = w - lr * gw, b - lr * gb",
            ),
        ),
        (
            "trajectories",
            trajectories(
                start="w, b = torch.zeros(2).unbind()",
                update="w = w - lr * gw; b = b - lr * gb",
            ),
        ),
        (
            "trajectories",
            trajectories(update="w -= lr * float(gw); b -= lr * float(gb)"),
        ),
        ("wild", function(WILD, LEFT + "return torch.tensor(left).std().item()")),
        ("wild", function(WILD, LEFT + "return torch.tensor(left).var()")),
        (
            "wild",
            function(
                WILD,
                LEFT + "m = sum(left) / 25; return sum((s - m) ** 2 for s in left)",
            ),
        ),
        (
            "wild",
            function(WILD, "return torch.tensor(losses).log().diff(n=2).abs().sum()"),
        ),
        ("plan", plan(0.05, 4, 500)),
        ("plan", plan(0.2, 64, 31)),
        ("plan", plan(0.3, 100, 20)),
        ("plan", plan(0.02, 2, 900)),
    ],
)


test_a_mistake_is_named_however_it_is_written = tables.mistakes_are_named(
    "2.14",
    [
        (
            "trajectories",
            trajectories(
                before="shared = torch.Generator().manual_seed(seed)", g="shared"
            ),
            "how many draws the others made",
        ),
        (
            "trajectories",
            trajectories(before="w = b = 0.0", start="pass"),
            "where the first one ended",
        ),
        (
            "trajectories",
            trajectories(
                chosen="torch.randperm(len(x), "
                "generator=torch.Generator().manual_seed(seed))[:B]"
            ),
            "a single point",
        ),
        (
            "trajectories",
            trajectories(update="w, b = w + lr * gw.item(), b + lr * gb.item()"),
            "uphill",
        ),
        (
            "trajectories",
            trajectories(update="w, b = w - gw.item(), b - gb.item()"),
            "`lr` times as much",
        ),
        (
            "trajectories",
            trajectories(gradient="gradient(w, b, x, y)"),
            "All three paths are gd's",
        ),
        (
            "trajectories",
            trajectories(g="torch.Generator().manual_seed(seed + 1)"),
            "other points than `seed` gives",
        ),
        (
            "trajectories",
            trajectories(start="w, b = 1.0, 0.0"),
            "must begin at w = b = 0",
        ),
        (
            "trajectories",
            trajectories(update="w = w - lr * gw.item()"),
            "The path of gd",
        ),
        (
            "trajectories",
            trajectories(g="None"),
            "One generator for all",
        ),
        ("trajectories", trajectories().replace("return paths", "return path"), "keys"),
        (
            "trajectories",
            trajectories().replace("    return paths", ""),
            "Return a dict",
        ),
        ("wild", function(WILD, "return losses[-1] / losses[0]"), "Too few"),
        ("wild", function(WILD, "return max(losses)"), "Too few"),
        ("wild", function(WILD, "return -losses[-1]"), "Too few"),
        (
            "wild",
            function(WILD, "return sum(b > a for a, b in pairs(losses))").replace(
                "pairs(losses)", "zip(losses, losses[1:])"
            ),
            "Counting the rises",
        ),
        (
            "wild",
            function(WILD, "return -torch.tensor(losses).log().diff().std()"),
            "turned round",
        ),
        (
            "wild",
            function(WILD, "return torch.tensor(losses).diff().std().item()"),
            "Shares stay alike",
        ),
        ("wild", function(WILD, "return torch.tensor(losses).std().item()"), "`left`"),
        ("wild", function(WILD, LEFT + "return left"), "one number"),
        ("plan", plan(0.05, 1000, 25), "Over budget"),
        ("plan", plan(0.1, 16, 126), "Over budget"),
        ("plan", plan(5.0, 1000, 2), "flies apart"),
        ("plan", plan(1.5, 4, 500), "flies apart"),
        ("plan", plan(0.4, 1000, 1), "Few steps"),
        ("plan", plan(0.0005, 1, 2000), "Not there yet"),
        ("plan", plan(0.02, 64, 31), "Not there yet"),
        ("plan", plan(0.1, 1, 2000), "hovers"),
        ("plan", plan(0.3, 4, 500), "hovers"),
        ("plan", plan(-0.1, 4, 500), "above 0"),
        ("plan", plan(0.1, 0, 500), "from 1 to 1000"),
        ("plan", "lr = 0.1\nB = 16\niterations = 2000 / 16\n", "a whole number"),
        ("plan", "lr = 0.1\nB = 16\n", "There is no `iterations` yet."),
    ],
)


test_wrong_answers_to_questions_are_told = tables.wrong_answers_are_told(
    "2.14",
    [
        ("predict", Choice(3), "In some races it does"),
        ("left", Number(0.54), "length of the first step"),
        ("left", Number(0.0), "what is *left*"),
        ("budget", Choice(1), "one iteration of gd"),
        ("budget", Choice(3), "only hovers"),
        ("off", Number(0.28), "the distance"),
        ("luck", Choice(4), "more often it harms"),
        ("band", Number(1.3), "widest band"),
        ("which", in_groups("which", A="gd", B="minibatch"), "3 % in the first"),
        ("which", in_groups("which", A="sgd", C="minibatch"), "C's steps differ more"),
    ],
)


# -- what the lesson says of the race


SEEDS = 500
BATCHES = {"gd": 1000, "minibatch": 4, "sgd": 1}


def raced(seed: int) -> dict[str, list[float]]:
    """The losses of the cell's race, from the tutor's own engine."""
    race = race_of(cell("race"))
    runs = tuple(replace(run, seed=seed) for run in race.runs)
    losses: dict[str, list[float]] = {run.name: [] for run in runs}
    for each in train(SliceRequest(replace(race, runs=runs))):
        if isinstance(each, Points):
            losses[each.run].extend(each.losses)
    return losses


@cache
def last_losses() -> dict[str, torch.Tensor]:
    """(SEEDS,) each: the 2.14 race over seeds 0, 1, ..., batches by randperm."""
    x, y = torch.empty(2, SEEDS, 1000, dtype=torch.float64)
    orders = []
    for seed in range(SEEDS):
        g = torch.Generator().manual_seed(seed)
        x[seed] = torch.randn(1000, generator=g)
        y[seed] = -5 * x[seed] + 2 + torch.randn(1000, generator=g)
        g = torch.Generator().manual_seed(10_000 + seed)
        orders.append([torch.randperm(1000, generator=g)[:4] for _ in range(25)])
    chosen = torch.stack([torch.stack(each) for each in orders])  # (SEEDS, 25, 4)
    ends = {}
    for name, batch in BATCHES.items():
        w = b = torch.zeros(SEEDS, 1, dtype=torch.float64)
        for k in range(25):
            place = chosen[:, k, :batch]
            some = (x, y) if batch == 1000 else (x.gather(1, place), y.gather(1, place))
            miss = w * some[0] + b - some[1]
            w, b = (
                w - 0.05 * (2 * miss * some[0]).mean(1, keepdim=True),
                b - 0.05 * (2 * miss).mean(1, keepdim=True),
            )
        ends[name] = ((w * x + b - y) ** 2).mean(dim=1)
    return ends


def test_seed_decides_who_ends_lowest() -> None:
    wanted = {
        0: {"gd": 1.08, "minibatch": 1.21, "sgd": 1.55},
        1: {"gd": 1.07, "sgd": 1.02},
    }
    for seed, ends in wanted.items():
        losses = raced(seed)
        for name, end in ends.items():
            assert losses[name][25] == pytest.approx(end, abs=0.006), (seed, name)
            assert float(last_losses()[name][seed]) == pytest.approx(end, abs=0.006)


def test_the_curves_without_names_are_those_of_seed_3() -> None:
    question = cell("which")
    losses = raced(3)
    rows = [line.strip("| ").split(" | ") for line in question.text.split("\n")[2:]]
    iterations = [int(each) for each in rows[0][1:]]
    names = {members[0]: group for group, members in question.groups.items()}
    for letter, *shown in rows[2:5]:
        for at, text in zip(iterations, shown, strict=True):
            off = abs(losses[names[letter]][at] - float(text))
            assert off <= 0.5001 * 10 ** -len(text.partition(".")[2]), (letter, at)


def test_what_500_races_bear_out() -> None:
    ends = last_losses()
    middle = {name: losses.median().item() for name, losses in ends.items()}
    low = {name: losses.quantile(0.05).item() for name, losses in ends.items()}
    high = {name: losses.quantile(0.95).item() for name, losses in ends.items()}

    assert middle == pytest.approx(
        {"gd": 1.15, "minibatch": 1.16, "sgd": 1.24}, abs=0.01
    )
    assert low["sgd"] == pytest.approx(0.99, abs=0.01)
    assert low["gd"] == pytest.approx(1.06, abs=0.01)
    assert high == pytest.approx({"gd": 1.25, "minibatch": 1.6, "sgd": 2.6}, abs=0.05)
    assert cell("band").number == pytest.approx(high["sgd"], abs=0.1)
    beats = {
        name: (losses < ends["gd"]).double().mean().item()
        for name, losses in ends.items()
    }
    assert beats["sgd"] == pytest.approx(0.37, abs=0.01)
    assert beats["minibatch"] == pytest.approx(0.48, abs=0.01)
    luck = cell("luck")
    assert luck.choices[luck.answer - 1] == f"in about {100 * beats['sgd']:.0f} %"
    spread = {name: high[name] - low[name] for name in ends}
    true = {
        "in the middle, gd ends lowest": min(middle, key=lambda n: middle[n]) == "gd",
        "the best of sgd end below gd's": low["sgd"] < low["gd"],
        "sgd scatters most": max(spread, key=lambda n: spread[n]) == "sgd",
        "sgd is better than gd": beats["sgd"] > 0.5,
        "gd wins every time": beats["sgd"] == beats["minibatch"] == 0,
    }
    for group, members in cell("verdict").groups.items():
        assert all(true[member] == (group == "holds") for member in members), group


def test_gd_falls_evenly_and_alone_never_rises() -> None:
    for seed in (0, 3, 7):
        losses = raced(seed)
        assert all(after < before for before, after in pairwise(losses["gd"]))
        assert any(after > before for before, after in pairwise(losses["sgd"]))


def test_at_a_thousand_looks_gd_has_made_one_step() -> None:
    budget = cell("equal")
    assert isinstance(budget, TrainCell)
    race = race_of(budget)
    assert all(run.iterations * run.samples_per_iteration == 1000 for run in race.runs)
    ends = {}
    for each in train(SliceRequest(race)):
        if isinstance(each, Points):
            ends[each.run] = each.losses[-1]

    assert ends["gd"] == pytest.approx(25.2, abs=0.1)
    assert ends["minibatch"] < 1.1
    assert ends["sgd"] < 1.2


def test_the_figure_cannot_be_of_1000_points() -> None:
    ws = []
    for seed in range(200):
        g = torch.Generator().manual_seed(seed)
        x = torch.randn(1000, generator=g)
        y = -5 * x + 2 + torch.randn(1000, generator=g)
        x, y = x - x.mean(), y - y.mean()
        ws.append((x @ y / (x @ x)).item())
    found = torch.tensor(ws)

    assert found.std().item() == pytest.approx(1000**-0.5, rel=0.15)
    assert (found + 5).abs().max().item() < 0.12


test_cells_keep_to_the_lesson_rules_of_length = tables.cells_keep_to_length(
    "2.14", prose=9
)
