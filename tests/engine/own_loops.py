"""Training loops as a learner writes them, each watched once an iteration: correct ones,
and those with the mistakes that section 2.15 names. `watch` stands for `tutor.watch`.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Watch = Callable[..., None]
Loop = Callable[[Watch], None]

N = 40
STEPS = 12
_g = torch.Generator().manual_seed(0)
x = torch.randn(N, 1, generator=_g)
y = -5 * x + 2 + torch.randn(N, 1, generator=_g)
plane = torch.rand(N, 2, generator=_g) * 2 - 1
inside = (plane.square().sum(1, keepdim=True) < 0.5).float()
classes = (plane[:, 0] > 0).long() + (plane[:, 1] > 0).long()
words = torch.randint(0, 9, (N,), generator=_g)
SGD, Adam = torch.optim.SGD, torch.optim.Adam


def leaves(*shape: int) -> tuple[Tensor, Tensor]:
    return (
        torch.zeros(*shape, requires_grad=True),
        torch.zeros(*shape, requires_grad=True),
    )


def by_hand(
    loss_of: Callable[[Tensor, Tensor], Tensor],
    *,
    lr: float = 0.05,
    clear: Callable[[Tensor], None] | None = None,
    first: bool = False,
    steps: int = STEPS,
    batch: int | None = None,
) -> Loop:
    """w and b by hand; `first`: gradients are cleared before the backward pass."""

    def none(leaf: Tensor) -> None:
        leaf.grad = None

    def run(watch: Watch) -> None:
        w, b = leaves(1)
        for step in range(steps):
            part = slice(None) if batch is None else slice(step % 4, None, N // batch)
            loss = loss_of(x[part] * w + b, y[part])
            if first:
                for leaf in (w, b):
                    (clear or none)(leaf)
            loss.backward()
            with torch.no_grad():
                for leaf in (w, b):
                    assert leaf.grad is not None
                    leaf -= lr * leaf.grad
            if not first:
                for leaf in (w, b):
                    (clear or none)(leaf)
            watch(loss, w=w, b=b)

    return run


def keep(leaf: Tensor) -> None:
    """The mistake: nothing is cleared."""


def zero(leaf: Tensor) -> None:
    if leaf.grad is not None:
        leaf.grad.zero_()


def zero_data(leaf: Tensor) -> None:
    """As it was written before there was no_grad."""
    if leaf.grad is not None:
        leaf.grad.data.zero_()


def mean(outputs: Tensor, targets: Tensor) -> Tensor:
    return ((outputs - targets) ** 2).mean()


def total(outputs: Tensor, targets: Tensor) -> Tensor:
    return ((outputs - targets) ** 2).sum()


def mlp(*widths: int, activation: type[nn.Module] = nn.Tanh) -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for wide, following in pairwise(widths):
        layers += [nn.Linear(wide, following), activation()]
    return nn.Sequential(*layers[:-1])


def with_optimiser(
    make: Callable[[], nn.Module],
    optimiser: Callable[..., Any],
    features: Tensor = plane,
    targets: Tensor = inside,
    loss_of: Callable[..., Tensor] = functional.binary_cross_entropy_with_logits,
    clear: str = "first",
    model_too: bool = True,
    **settings: Any,
) -> Loop:
    def run(watch: Watch) -> None:
        model = make()
        turned = optimiser(model.parameters(), **settings)
        for _ in range(STEPS):
            if clear in ("first", "between"):
                turned.zero_grad()
            loss = loss_of(model(features), targets)
            loss.backward()
            if clear == "between":
                watch(loss, model)
            turned.step()
            if clear == "last":
                turned.zero_grad(set_to_none=False)
            if clear != "between":
                watch(loss, *([model] if model_too else []))

    return run


def data_idiom(watch: Watch) -> None:
    w, b = leaves(1)
    for _ in range(STEPS):
        loss = mean(x * w + b, y)
        loss.backward()
        for leaf in (w, b):
            assert leaf.grad is not None
            leaf.data -= 0.05 * leaf.grad.data
            leaf.grad.data.zero_()
        watch(loss, w=w, b=b)


def new_leaves(watch: Watch) -> None:
    """w is another tensor in each iteration."""
    w, b = leaves(1)
    for _ in range(STEPS):
        loss = mean(x * w + b, y)
        slopes = torch.autograd.grad(loss, (w, b))
        w, b = (
            (leaf - 0.05 * slope).detach().requires_grad_()
            for leaf, slope in zip((w, b), slopes, strict=True)
        )
        watch(loss, w=w, b=b)


def accumulated(watch: Watch) -> None:
    """Four backward passes for each step, on purpose; watched in each."""
    model = mlp(2, 4, 1)
    optimiser = SGD(model.parameters(), lr=0.1)
    for step in range(3 * STEPS):
        part = slice(step % 4, None, 4)
        loss = functional.binary_cross_entropy_with_logits(
            model(plane[part]), inside[part]
        )
        (loss / 4).backward()
        if step % 4 == 3:
            optimiser.step()
            optimiser.zero_grad()
        watch(loss, model)


def two_players(watch: Watch) -> None:
    """The generator's loss leaves gradients in the discriminator; they are cleared."""
    generator, discriminator = mlp(2, 4, 2), mlp(2, 4, 1)
    first, second = (
        Adam(each.parameters(), 0.01) for each in (generator, discriminator)
    )
    says = functional.binary_cross_entropy_with_logits
    ones, zeros = torch.ones(N, 1), torch.zeros(N, 1)
    for _ in range(STEPS):
        second.zero_grad()
        made = generator(plane)
        loss = says(discriminator(plane), ones) + says(
            discriminator(made.detach()), zeros
        )
        loss.backward()
        second.step()
        first.zero_grad()
        fooled = says(discriminator(made), ones)
        fooled.backward()
        first.step()
        watch(loss, discriminator, name="d")
        watch(fooled, generator, name="g")


def low_rank(watch: Watch) -> None:
    """One factor begins at zero, so do many layers that are added to others."""
    torch.manual_seed(0)
    base = torch.randn(4, 4)
    down = nn.Parameter(torch.randn(2, 4))
    up = nn.Parameter(torch.zeros(4, 2))
    optimiser = Adam([down, up], 0.01)
    inputs, wanted = torch.randn(N, 4), torch.randn(N, 4)
    for _ in range(STEPS):
        loss = functional.mse_loss(inputs @ (base + up @ down).T, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        watch(loss, up=up, down=down)


def zero_head() -> nn.Module:
    model = mlp(2, 8, 1)
    nn.init.zeros_(model[-1].weight)  # type: ignore[arg-type]
    return model


def softmax_regression(watch: Watch) -> None:
    """Zeros are the usual beginning here: the classes differ."""
    w, b = torch.zeros(2, 3, requires_grad=True), torch.zeros(3, requires_grad=True)
    for _ in range(STEPS):
        loss = functional.cross_entropy(plane @ w + b, classes)
        loss.backward()
        with torch.no_grad():
            for leaf in (w, b):
                assert leaf.grad is not None
                leaf -= 0.5 * leaf.grad
                leaf.grad = None
        watch(loss, w=w, b=b)


def clipped(watch: Watch) -> None:
    model = mlp(2, 8, 1)
    optimiser = SGD(model.parameters(), 0.5, momentum=0.9, weight_decay=0.01)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(model(plane), inside)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimiser.step()
        watch(loss, model, test=loss.item() + 0.1)


def lbfgs(watch: Watch) -> None:
    model = nn.Linear(1, 1)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=4)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    for _ in range(STEPS):
        watch(optimiser.step(closure), model)


def penalised(watch: Watch) -> None:
    """The gradient's own gradient, and a penalty on the weights that is a sum."""
    model = mlp(1, 8, 1)
    optimiser = Adam(model.parameters(), 0.01)
    inputs = x.clone().requires_grad_()
    for _ in range(STEPS):
        optimiser.zero_grad()
        outputs = model(inputs)
        (slope,) = torch.autograd.grad(outputs.sum(), inputs, create_graph=True)
        weights = sum(each.square().sum() for each in model.parameters())
        loss = mean(outputs, y) + 0.1 * slope.square().mean() + weights
        loss.backward()
        optimiser.step()
        watch(loss, model)


def policy(watch: Watch) -> None:
    """A sum over an episode, as reinforcement learning has it, that does no harm."""
    model = mlp(2, 8, 3)
    optimiser = Adam(model.parameters(), 0.001)
    for _ in range(STEPS):
        chances = torch.log_softmax(model(plane), 1)
        loss = -(chances[torch.arange(N), classes] * inside[:, 0]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        watch(loss, model)


def differences(watch: Watch) -> None:
    """All differences, on purpose."""
    model = mlp(1, 4, 1)
    optimiser = Adam(model.parameters(), 0.01)
    for _ in range(STEPS):
        outputs = model(x)[:, 0]
        far = (outputs[:, None] - y[:, 0]).abs().mean()
        near = (outputs[:, None] - outputs).abs().mean()
        loss = far - 0.5 * near
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        watch(loss, model)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.cell = nn.GRU(1, 4, batch_first=True)
        self.head = nn.Linear(4, 1)

    def forward(self, given: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.cell(given[:, :, None])[0][:, -1])
        return outputs


def _torch(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    def made() -> nn.Module:
        torch.manual_seed(0)
        return make()

    return made


_line = _torch(lambda: nn.Linear(1, 1))
_fit: dict[str, Any] = {"features": x, "targets": y, "loss_of": functional.mse_loss}

CORRECT: dict[str, Loop] = {
    "by hand": by_hand(mean),
    "cleared first": by_hand(mean, first=True),
    "zeroed": by_hand(mean, clear=zero),
    "zeroed first": by_hand(mean, clear=zero, first=True),
    "zeroed data first": by_hand(mean, clear=zero_data, first=True),
    "data": data_idiom,
    "new leaves": new_leaves,
    "half": by_hand(lambda o, t: mean(o, t) / 2),
    "absolute": by_hand(lambda o, t: (o - t).abs().mean()),
    "divided sum": by_hand(lambda o, t: total(o, t) / N),
    "sum and a fitting rate": by_hand(total, lr=0.05 / N),
    "minibatches": by_hand(mean, batch=4),
    "batches of one": by_hand(mean, batch=1),
    "huber": with_optimiser(
        _line, SGD, lr=0.1, **{**_fit, "loss_of": functional.huber_loss}
    ),
    "linear": with_optimiser(_line, SGD, lr=0.1, **_fit),
    "linear, momentum": with_optimiser(_line, SGD, lr=0.02, momentum=0.9, **_fit),
    "linear, adam": with_optimiser(_line, Adam, lr=0.05, **_fit),
    "cleared last": with_optimiser(_line, SGD, lr=0.1, clear="last", **_fit),
    "watched before the step": with_optimiser(
        _line, SGD, lr=0.1, clear="between", **_fit
    ),
    "only the loss": with_optimiser(_line, SGD, lr=0.1, model_too=False, **_fit),
    "mlp": with_optimiser(lambda: mlp(2, 8, 1), SGD, lr=0.5),
    "deep": with_optimiser(lambda: mlp(2, 8, 8, 8, 1), Adam, lr=0.01),
    "relu": with_optimiser(lambda: mlp(2, 16, 1, activation=nn.ReLU), Adam, lr=0.01),
    "sigmoid": with_optimiser(lambda: mlp(2, 8, 1, activation=nn.Sigmoid), SGD, lr=1.0),
    "adamw": with_optimiser(lambda: mlp(2, 8, 1), torch.optim.AdamW, lr=0.01),
    "rmsprop": with_optimiser(lambda: mlp(2, 8, 1), torch.optim.RMSprop, lr=0.01),
    "adagrad": with_optimiser(lambda: mlp(2, 8, 1), torch.optim.Adagrad, lr=0.1),
    "probabilities": with_optimiser(
        lambda: nn.Sequential(*mlp(2, 8, 1), nn.Sigmoid()),
        Adam,
        loss_of=functional.binary_cross_entropy,
        lr=0.01,
    ),
    "three classes": with_optimiser(
        lambda: mlp(2, 8, 3),
        Adam,
        targets=classes,
        loss_of=functional.cross_entropy,
        lr=0.01,
    ),
    "embedding": with_optimiser(
        _torch(lambda: nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3))),
        Adam,
        features=words,
        targets=classes,
        loss_of=functional.cross_entropy,
        lr=0.01,
    ),
    "normalised": with_optimiser(
        _torch(
            lambda: nn.Sequential(
                nn.Linear(2, 8),
                nn.BatchNorm1d(8),
                nn.ReLU(),
                nn.Dropout(0.2),
                nn.Linear(8, 1),
            )
        ),
        Adam,
        lr=0.01,
    ),
    "recurrent": with_optimiser(Recurrent, Adam, lr=0.01),
    "zero head": with_optimiser(zero_head, SGD, lr=0.5),
    "softmax regression": softmax_regression,
    "low rank": low_rank,
    "accumulated": accumulated,
    "two players": two_players,
    "clipped": clipped,
    "lbfgs": lbfgs,
    "penalised": penalised,
    "policy": policy,
    "all pairs on purpose": differences,
}


# -------------------------------------------------------------- the mistakes of 2.15


def no_no_grad(watch: Watch) -> None:
    w, b = leaves(1)
    for _ in range(STEPS):
        loss = mean(x * w + b, y)
        loss.backward()
        watch(loss, w=w, b=b)
        w -= 0.05 * w.grad  # type: ignore[operator]


def rebound_inside(watch: Watch) -> None:
    """The caller's w never changes."""
    w, b = leaves(1)

    def step(w: Tensor, b: Tensor) -> None:
        with torch.no_grad():
            w = w - 0.05 * w.grad  # type: ignore[operator]
            b = b - 0.05 * b.grad  # type: ignore[operator]

    for _ in range(STEPS):
        loss = mean(x * w + b, y)
        w.grad = b.grad = None
        loss.backward()
        step(w, b)
        watch(loss, w=w, b=b)


def rebound(watch: Watch) -> None:
    """It is no leaf any more: the second backward pass leaves no gradient in it."""
    w, b = leaves(1)
    for _ in range(STEPS):
        loss = mean(x * w + b, y)
        loss.backward()
        watch(loss, w=w, b=b)
        w = w - 0.05 * w.grad  # type: ignore[operator]


def in_a_function(watch: Watch) -> None:
    """Nothing of an iteration is alive in the next one but the parameters."""
    w, b = leaves(1)

    def iterate() -> None:
        loss = mean(x * w + b, y)
        loss.backward()
        with torch.no_grad():
            w.sub_(0.05 * w.grad)  # type: ignore[operator]
            b.sub_(0.05 * b.grad)  # type: ignore[operator]
        watch(loss, w=w, b=b)

    for _ in range(STEPS):
        iterate()


def all_zero(watch: Watch) -> None:
    model = mlp(2, 8, 1)
    for each in model.parameters():
        nn.init.zeros_(each)
    with_optimiser(lambda: model, SGD, lr=0.5)(watch)


def all_zero_by_hand(watch: Watch) -> None:
    w1, w2 = (
        torch.zeros(2, 5, requires_grad=True),
        torch.zeros(5, 1, requires_grad=True),
    )
    for _ in range(STEPS):
        loss = mean(torch.tanh(plane @ w1) @ w2, inside)
        for leaf in (w1, w2):
            leaf.grad = None
        loss.backward()
        with torch.no_grad():
            for leaf in (w1, w2):
                assert leaf.grad is not None
                leaf -= 0.5 * leaf.grad
        watch(loss, w1=w1, w2=w2)


MISTAKES: dict[str, tuple[Loop, list[str], type[Exception] | None]] = {
    "no zero_grad": (by_hand(mean, clear=keep), ["no-zero-grad"], None),
    "no zero_grad, slower": (
        by_hand(mean, clear=keep, lr=0.01, batch=4),
        ["no-zero-grad"],
        None,
    ),
    "no zero_grad, adam": (
        with_optimiser(lambda: mlp(2, 8, 1), Adam, clear="never", lr=0.01),
        ["no-zero-grad"],
        None,
    ),
    "no zero_grad, sgd": (
        with_optimiser(_line, SGD, clear="never", lr=0.05, **_fit),
        ["no-zero-grad"],
        None,
    ),
    "no zero_grad, in a function": (in_a_function, ["no-zero-grad"], None),
    "no no_grad": (no_no_grad, [], RuntimeError),
    "rebound inside a function": (rebound_inside, [], None),
    "rebound": (rebound, [], TypeError),
    "plus": (by_hand(mean, lr=-0.05, steps=200), ["diverged"], None),
    "lr missing": (by_hand(mean, lr=1.0, steps=200), ["diverged"], None),
    "lr twice": (by_hand(mean, lr=0.05**2), [], None),
    "sum": (by_hand(total), ["sum", "diverged"], None),
    "broadcast": (by_hand(lambda o, t: mean(o, t[:, 0])), ["broadcast"], None),
    "vector loss": (by_hand(lambda o, t: (o - t) ** 2), [], RuntimeError),
    "item": (by_hand(lambda o, t: torch.tensor(mean(o, t).item())), [], RuntimeError),
    "double sigmoid": (
        with_optimiser(lambda: nn.Sequential(*mlp(2, 8, 1), nn.Sigmoid()), SGD, lr=0.5),
        ["double-sigmoid"],
        None,
    ),
    "all zero": (all_zero, ["zero-init"], None),
    "all zero, by hand": (all_zero_by_hand, ["zero-init"], None),
}
"""With what is to be found, and what the loop itself raises."""
