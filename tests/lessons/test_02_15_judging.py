"""Lesson 2.15 accepts right code however it is written, and names mistakes likewise.

That the lesson's own solutions and wrong answers are judged as told is `check`'s proof;
here is also that what it states of the loop and of its bugs is true.
"""

from functools import cache, partial
from typing import Any

import pytest
import torch

from tests.lessons import judging, tables
from tutor.answers import Choice, Number, Order
from tutor.engine.train import train
from tutor.lesson.requests import race_of
from tutor.training.findings import Finding
from tutor.training.run import Points
from tutor.training.spec import RaceSpec, RunSpec, SliceRequest

cell = partial(judging.cell, "2.15")
in_groups = partial(tables.in_groups, "2.15")

LOSS = "((x * w + b - y) ** 2).mean()"
UPDATE = "w -= lr * w.grad; b -= lr * b.grad"
CLEAR = "w.grad = b.grad = None"


def step(
    *,
    before: str = "pass",
    loss: str = LOSS,
    backward: str = "loss.backward()",
    under: str = "with torch.no_grad():",
    update: str = UPDATE,
    after: str = CLEAR,
) -> str:
    """One iteration with other lines in it."""
    return f"""
def step(w, b, x, y, lr):
    {before}
    loss = {loss}
    {backward}
    {under}
        {update}
    {after}
"""


def fit(
    *,
    lr: float = 0.02,
    iterations: int = 300,
    loss: str = "((x[chosen] * w + b - y[chosen]) ** 2).mean()",
    under: str = "with torch.no_grad():",
    update: str = UPDATE,
    after: str = CLEAR,
    back: str = "return w.detach(), b.detach()",
) -> str:
    """The exercise's solution with other lines in it."""
    return f"""
def fit(x, y, g, lr={lr}, iterations={iterations}):
    w = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for _ in range(iterations):
        chosen = torch.randint(len(x), (4,), generator=g)
        loss = {loss}
        loss.backward()
        {under}
            {update}
        {after}
    {back}
"""


ITERATION = "optimiser.zero_grad(); loss_of(model(x), y).backward(); optimiser.step()"


def path(
    iteration: str = ITERATION,
    *,
    optimiser: str = "torch.optim.SGD(model.parameters(), lr=lr)",
    loss_of: str = "nn.MSELoss()",
) -> str:
    return f"""
def path(x, y, lr, n):
    model = nn.Linear(1, 1)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    loss_of = {loss_of}
    optimiser = {optimiser}
    places = []
    for _ in range(n):
        {iteration}
        places.append((model.weight.item(), model.bias.item()))
    return places
"""


BATCH = (
    "optimiser.zero_grad(); loss_of(model(some_x), some_y).backward(); optimiser.step()"
)


def learn(
    *,
    loader: str = "DataLoader(TensorDataset(x, y), batch_size=B, shuffle=True, "
    "generator=g)",
    epochs: str = "for _ in range(epochs):",
    batches: str = "loader",
    batch: str = BATCH,
) -> str:
    return f"""
def learn(model, x, y, lr, epochs, B, g):
    loader = {loader}
    loss_of = nn.MSELoss()
    optimiser = torch.optim.SGD(model.parameters(), lr=lr)
    {epochs}
        for some_x, some_y in {batches}:
            {batch}
"""


test_right_code_passes_however_it_is_written = tables.right_code_passes(
    "2.15",
    [
        ("step", step()),
        ("step", step(loss="F.mse_loss(x * w + b, y)")),
        ("step", step(loss="((y - (w * x + b)) ** 2).sum() / len(x)")),
        ("step", step(loss=LOSS + " / 2")),
        ("step", step(before=CLEAR, after="pass")),
        (
            "step",
            step(under="if True:", update="w.data -= lr * w.grad; b.data -= lr*b.grad"),
        ),
        ("step", step(update="w.sub_(lr * w.grad); b.sub_(lr * b.grad)")),
        (
            "step",
            step(update="w.copy_(w - lr * w.grad); b.copy_(b - lr * b.grad)"),
        ),
        ("step", step(after="w.grad.zero_(); b.grad.zero_()")),
        (
            "step",
            step(
                backward="dw, db = torch.autograd.grad(loss, [w, b])",
                update="w -= lr * dw; b -= lr * db",
            ),
        ),
        ("fit", fit()),
        ("fit", fit(lr=0.01, iterations=400)),
        ("fit", fit(lr=0.05, iterations=250)),
        ("fit", fit(lr=0.02, iterations=1000, loss="0.5 * " + LOSS.replace(
            "x *", "x[chosen] *").replace("- y", "- y[chosen]"))),
        ("fit", fit(after="w.grad.zero_(); b.grad.zero_()", back="return w, b")),
        ("fit", fit(back="return w.item(), b.item()")),
        ("path", path()),
        (
            "path",
            path("loss_of(model(x), y).backward(); optimiser.step(); "
                 "optimiser.zero_grad()"),
        ),
        ("path", path(loss_of="lambda guess, y: ((guess - y) ** 2).mean()")),
        ("learn", learn()),
        (
            "learn",
            learn(loader="list(zip([0], [0]))", batches="DataLoader("
                  "list(zip(x, y)), batch_size=B, shuffle=True, generator=g)"),
        ),
        (
            "learn",
            learn(batches="[(x[i], y[i]) for i in "
                  "torch.randperm(len(x), generator=g).split(B)]"),
        ),
    ],
)  # fmt: skip


test_a_mistake_is_named_however_it_is_written = tables.mistakes_are_named(
    "2.15",
    [
        ("step", step(after="pass"), "the gradient of step 1 is still inside"),
        ("step", step(after="w.grad = None"), "the gradient of step 1 is still"),
        ("step", step(after="b.grad = None"), "the gradient of step 1 is still"),
        (
            "step",
            step(loss=LOSS + " / 2", after="pass"),
            "the gradient of step 1 is still inside",
        ),
        ("step", step(under="if True:"), "refuses to change a leaf in place"),
        (
            "step",
            step(update="w = w - lr * w.grad; b = b - lr * b.grad"),
            "You bound new names",
        ),
        (
            "step",
            step(
                update="w = w - lr * w.grad; b = b - lr * b.grad",
                after="return w, b",
            ),
            "You return new tensors",
        ),
        (
            "step",
            step(
                under="if True:",
                update="w = w - lr * w.grad; b = b - lr * b.grad",
                after="return w, b",
            ),
            "You return new tensors",
        ),
        ("step", step(update=UPDATE.replace("-=", "+=")), "uphill"),
        ("step", step(update=UPDATE.replace("b -=", "b +=")), "uphill"),
        ("step", step(update="w -= w.grad; b -= b.grad"), "1/lr times too long"),
        (
            "step",
            step(update="w -= lr * lr * w.grad; b -= lr * lr * b.grad"),
            "`lr` is in it twice",
        ),
        ("step", step(loss=LOSS.replace("mean", "sum")), "n times too long"),
        ("step", step(loss="F.mse_loss(x * w + b, y.flatten())"), "n × n pairs"),
        ("step", step(loss="((w * x).flatten() + b - y).pow(2).mean()"), "n × n"),
        ("step", step(loss="F.l1_loss(x * w + b, y)"), "the absolute ones"),
        ("step", step(loss="(x * w + b - y) ** 2"), "starts from one number"),
        ("step", step(loss=LOSS + ".item()"), "how it was computed"),
        ("step", step(loss=LOSS + ".detach()"), "how it was computed"),
        ("step", step(backward="pass"), "A `.grad` is None"),
        ("step", step(backward=f"loss.backward(); {CLEAR}"), "A `.grad` is None"),
        ("step", step(before="w.grad.zero_()"), "A `.grad` is None"),
        (
            "step",
            step(
                backward="loss.backward(); w.grad.zero_(); b.grad.zero_()",
                after="pass",
            ),
            "cleared before the update",
        ),
        ("step", step(update="pass"), "There must be an update"),
        (
            "step",
            step(backward="loss.backward(); w.grad.zero_(); b.grad.zero_()"),
            "before they are cleared",
        ),
        ("step", step(update="w -= lr * w.grad"), "b never moved"),
        ("step", step(update="b -= lr * b.grad"), "b moved, and w never did"),
        ("step", step(update="w -= lr * b.grad; b -= lr * w.grad"), "after step 1"),
        ("step", step(update=UPDATE.replace("lr", "2 * lr")), "after step 1"),
        ("fit", fit(lr=0.01, iterations=100), "stops too early"),
        ("fit", fit(lr=0.001, iterations=500), "stops too early"),
        ("fit", fit(lr=0.9), "flies apart"),
        ("fit", fit(lr=0.2), "hovers"),
        ("fit", fit(lr=0.3, iterations=40), "hovers"),
        ("fit", fit(lr=-0.02), "flies apart"),
        ("fit", fit(after="pass"), "the gradients of all earlier ones"),
        ("fit", fit(update=UPDATE.replace("-=", "+=")), "uphill"),
        ("fit", fit(loss="F.mse_loss(x * w + b, y)"), "The four points were drawn"),
        (
            "fit",
            fit(loss="((x[chosen] * w + b - y[chosen].flatten()) ** 2).mean()"),
            "gives 16 errors",
        ),
        (
            "fit",
            fit(loss="((x[chosen] * w + b - y[chosen]) ** 2).sum()"),
            "four times too long",
        ),
        (
            "fit",
            fit(update="w = w - lr * w.grad; b = b - lr * b.grad"),
            "makes a new tensor",
        ),
        (
            "fit",
            fit(update="w = w - lr * w.grad; b = b - lr * b.grad", after="pass"),
            "makes a new tensor",
        ),
        ("fit", fit(under="if True:"), "a leaf Variable"),
        (
            "fit",
            fit(loss="(x[chosen] * w + b - y[chosen]).abs().mean()"),
            "(w, b)",
        ),
        ("fit", fit(back="return w"), "must return w and b"),
        ("fit", fit(back="pass"), "must return w and b"),
        ("path", path(ITERATION.replace("optimiser.zero_grad(); ", "")), "old grad"),
        ("path", path("loss_of(model(x), y).backward()"), "never moved"),
        ("path", path("optimiser.step()"), "never moved"),
        (
            "path",
            path("loss_of(model(x), y).backward(); optimiser.zero_grad(); "
                 "optimiser.step()"),
            "never moved",
        ),
        (
            "path",
            path("optimiser.zero_grad(); optimiser.step(); "
                 "loss_of(model(x), y).backward()"),
            "never moved",
        ),
        ("path", path(ITERATION.replace(", y)", ", y.flatten())")), "each guess meets"),
        ("path", path(loss_of="nn.MSELoss(reduction='sum')"), "n times too long"),
        ("path", path(ITERATION.replace("y).", "y).neg().")), "uphill"),
        (
            "path",
            path(optimiser="torch.optim.Adam(model.parameters(), lr=lr)"),
            "plain SGD",
        ),
        (
            "path",
            path(optimiser="torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)"),
            "The path",
        ),
        ("path", path().replace("return places", "return places[:1]"), "places; here"),
        ("path", path().replace("    return places", ""), "must return the list"),
        ("learn", learn(loader="DataLoader(TensorDataset(x, y), B)"), "as they are"),
        (
            "learn",
            learn(loader="DataLoader(TensorDataset(x, y), B, shuffle=True)"),
            "not by `g`",
        ),
        (
            "learn",
            learn(loader="DataLoader(TensorDataset(x, y), B, shuffle=True, "
                  "generator=torch.Generator())"),
            "not by `g`",
        ),
        (
            "learn",
            learn(loader="DataLoader(TensorDataset(x, y), shuffle=True, generator=g)"),
            "one point",
        ),
        (
            "learn",
            learn(loader="DataLoader(TensorDataset(x, y), B, shuffle=True, "
                  "generator=g, drop_last=True)"),
            "last, shorter batch",
        ),
        ("learn", learn(epochs="if True:"), "That was one epoch"),
        ("learn", learn(batch=BATCH.replace("some_x", "x").replace("some_y", "y")),
         "all of x"),
        (
            "learn",
            learn(batch=BATCH.replace("optimiser.zero_grad(); ", "")),
            "earlier ones are still inside",
        ),
        ("learn", learn(batch=BATCH.replace("optimiser.step()", "pass")), "never mov"),
        ("learn", learn(batch=BATCH.replace("some_y)", "some_y[:, 0])")), "each y"),
        (
            "learn",
            learn(loader="DataLoader(x, batch_size=B, shuffle=True, generator=g)"),
            "x alone",
        ),
        ("learn", learn(epochs="for _ in range(epochs + 1):"), "the model saw"),
        ("learn", learn(batch="pass"), "never asked"),
        ("learn", learn(batch="loss_of(model(some_x), some_x).backward(); "
                        "optimiser.step(); optimiser.zero_grad()"), "(w, b)"),
    ],
)  # fmt: skip


test_wrong_answers_to_questions_are_told = tables.wrong_answers_are_told(
    "2.15",
    [
        ("order", Order((1, 2, 5, 3, 4)), "Many clear there"),
        ("order", Order((1, 2, 3, 5, 4)), "cleared before it was used"),
        ("floor", Choice(1), "where least squares is"),
        ("floor", Choice(4), "a little *more*"),
        ("ahead", Number(-5.0), "still left"),
        ("ahead", Number(-3.17), "The slope of a square"),
        ("inside", Number(2.0), "Nearly"),
        ("flat", Choice(4), "w must go"),
        ("parts", in_groups("parts", **{"loss.backward()": "optimiser"}), "never sees"),
        ("curves", in_groups("curves", A="lr / 10", C="all pairs"), "only slowly"),
        ("curves", in_groups("curves", D="sum", E="uncleared"), "stays below"),
    ],
)


test_each_member_in_a_wrong_group_is_told = tables.each_misplaced_member_is_told(
    "2.15", "parts", "curves"
)


# -- what the lesson says of the loop and of its bugs


def raced(race: RaceSpec) -> tuple[dict[str, list[float]], dict[str, Points], set[str]]:
    """Losses and the last points of each run, and the kinds of what was found."""
    losses: dict[str, list[float]] = {run.name: [] for run in race.runs}
    last, found = {}, set()
    for each in train(SliceRequest(race)):
        if isinstance(each, Points):
            losses[each.run].extend(each.losses)
            last[each.run] = each
        elif isinstance(each, Finding):
            found.add(f"{each.run}: {each.kind}")
    return losses, last, found


@cache
def data(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(1000, 1, generator=g)
    return x, -5 * x + 2 + torch.randn(1000, 1, generator=g)


def least_squares(x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """w and b of the line with the lowest loss."""
    columns = torch.cat([x, torch.ones_like(x)], dim=1)
    w, b = torch.linalg.lstsq(columns, y).solution.flatten().tolist()
    return w, b


def test_the_second_step_has_two_gradients_inside() -> None:
    x, y = data()
    parts = []
    w = b = torch.zeros(1)
    for _ in range(2):
        miss = w * x + b - y
        dw, db = (2 * miss * x).mean(), (2 * miss).mean()
        parts.append(dw.item())
        w, b = w - 0.05 * dw, b - 0.05 * db

    assert parts == pytest.approx([10.50, 9.40], abs=0.005)
    assert cell("inside").number == pytest.approx(sum(parts) / parts[1], abs=0.005)


def test_where_a_hundred_iterations_end() -> None:
    ends = []
    for seed in range(100):
        run = RunSpec("sgd", batch=4, lr=0.01, iterations=100, seed=seed)
        _, last, _ = raced(RaceSpec((run,)))
        ends.append(last["sgd"].params["w"][-1])
    w = torch.tensor(ends)

    asked = cell("ahead")
    assert w.median().item() == pytest.approx(asked.number, abs=asked.tolerance)
    assert w.quantile(0.05).item() == pytest.approx(-4.56, abs=0.08)
    assert w.quantile(0.95).item() == pytest.approx(-4.12, abs=0.08)


def test_each_bug_of_the_gallery_has_its_signature() -> None:
    losses, last, found = raced(race_of(cell("uncleared")))
    right, swings = losses["right"], losses["uncleared"]
    assert found == {"uncleared: no-zero-grad"}
    assert swings[2] < right[2]
    assert swings[3] < right[3]
    assert swings[4] < right[4]
    assert right[100] == pytest.approx(0.942, abs=0.001)
    assert swings[100] > 10
    assert max(swings[50:]) > 20

    losses, last, found = raced(race_of(cell("pairs")))
    assert found == {"all pairs: broadcast"}
    assert last["all pairs"].params["w"][-1] == pytest.approx(0, abs=1e-3)
    assert last["all pairs"].params["b"][-1] == pytest.approx(1.88, abs=0.01)
    assert losses["all pairs"][-1] == pytest.approx(27.56, abs=0.01)
    assert all(after < before + 1e-4 for before, after in zip(
        losses["all pairs"], losses["all pairs"][1:], strict=False))  # fmt: skip
    _, y = data()
    assert y.mean().item() == pytest.approx(1.88, abs=0.005)
    assert y.var().item() == pytest.approx(27.56, abs=0.05)

    losses, _, found = raced(race_of(cell("summed")))
    assert len(losses["sum"]) == 3
    assert {"sum: sum", "sum: diverged"} <= found


def test_the_curves_without_names_are_those_of_seed_3() -> None:
    question = cell("curves")
    settings: dict[str, dict[str, Any]] = {
        "right": {},
        "uncleared": {"slip": "no-zero-grad"},
        "all pairs": {"slip": "broadcast"},
        "sum": {"loss": "sse"},
        "lr / 10": {"lr": 0.005},
    }
    assert set(settings) == set(question.groups)
    runs = tuple(
        RunSpec(name, iterations=100, seed=3, **given)
        for name, given in settings.items()
    )
    losses, _, _ = raced(RaceSpec(runs))
    rows = [
        [part.strip() for part in line.strip("|").split("|")]
        for line in question.text.split("\n")
        if line.startswith("|")
    ]
    iterations = [int(each) for each in rows[0][1:]]
    names = {members[0]: group for group, members in question.groups.items()}
    for letter, *shown in rows[2:]:
        for at, text in zip(iterations, shown, strict=True):
            curve = losses[names[letter]]
            if text:
                assert curve[at] == pytest.approx(float(text), rel=0.06), (letter, at)
            else:
                assert len(curve) <= at
    assert data(3)[1].var(correction=0).item() == pytest.approx(26.19, abs=0.01)


def test_no_line_is_below_least_squares() -> None:
    x, y = data()
    w, b = least_squares(x, y)

    def loss(w: float, b: float) -> float:
        return ((w * x + b - y) ** 2).mean().item()

    least = loss(w, b)
    assert least == pytest.approx(0.9421, abs=5e-5)
    assert loss(-5, 2) == pytest.approx(0.9433, abs=5e-5)
    for other_w, other_b in ((-5.1, 2.0), (-4.9, 2.1), (-5.018, 1.9), (-5.0, 2.05)):
        assert loss(other_w, other_b) > least


def test_one_epoch_at_005_is_enough() -> None:
    """What `learn` says of 250 iterations, within the 0.15 of `fit`."""
    off = []
    for seed in range(15):
        run = RunSpec("sgd", batch=4, lr=0.05, iterations=250, seed=seed)
        _, last, _ = raced(RaceSpec((run,)))
        w, b = least_squares(*data(seed))
        ends = last["sgd"].params
        off.append(max(abs(ends["w"][-1] - w), abs(ends["b"][-1] - b)))

    assert torch.tensor(off).median().item() < 0.15


test_cells_keep_to_the_lesson_rules_of_length = tables.cells_keep_to_length(
    "2.15", prose=9
)
