"""Several updates of a run as one function that torch.compile's compiler can make fast: the
same sums as the eager loop's, up to float rounding, without a Python call for each op.

`maker` gets it compiled; uncompiled it computes the same, for tests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import torch
from torch import Generator, Tensor
from torch.nn import functional

from tutor.training.spec import RunSpec

UPDATES = 8
"""In one call. More are faster and take longer to compile, in proportion."""

FUSED = 2
"""Features up to which a single unit is written out, so that it becomes part of its
neighbours' loops and no call of a matrix library."""

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
}
MEMORY = {"sgd": 0, "momentum": 1, "adam": 2}
"""How many tensors an optimiser remembers of each parameter."""
_ADAM = 0.9, 0.999, 1e-8
"""beta1, beta2 and eps: torch.optim.Adam's defaults."""


@dataclass(frozen=True, slots=True)
class Kind:
    """All that decides which function is compiled."""

    sizes: tuple[int, ...]
    """Features, units of the hidden layers, outputs."""
    activation: str
    sigmoid: bool
    """One after the last layer: a perceptron."""
    loss: str
    optimiser: str
    batch: int
    points: int
    test: int


@dataclass(frozen=True, slots=True)
class Rates:
    """What the updates of one call are scaled with, a value for each of them."""

    lr: Tensor
    """(UPDATES,), float32; of Adam divided by 1 - beta1^t."""
    root: Tensor
    """(UPDATES,), the root of 1 - beta2^t of Adam; ones of the others."""
    momentum: Tensor
    """A number."""

    def part(self, rows: slice) -> "Rates":
        """Those of some of the updates."""
        return Rates(self.lr[rows], self.root[rows], self.momentum)


@dataclass(frozen=True, slots=True)
class Block:
    """What one call computed."""

    params: list[Tensor]
    memory: list[Tensor]
    """Of the optimiser: buffers of momentum, or first and second moments."""
    losses: Tensor
    """(UPDATES,), on all the data, after each update."""
    tests: Tensor
    """(UPDATES,), on the test data; (0,) without any."""
    history: list[Tensor]
    """Of each parameter (UPDATES, ...), after each update."""


def kind_of(spec: RunSpec, features: int) -> Kind | None:
    """None: runs like this are computed eagerly alone."""
    plain = (
        spec.model in ("linear", "perceptron", "mlp")
        and spec.optimiser in ("sgd", "momentum", "adam")
        and spec.loss in ("mse", "mae", "sse", "bce")
        and not spec.slip
    )
    if not plain:
        return None
    return Kind(
        sizes=(features, *spec.widths, 1),
        activation=spec.activation if spec.widths else "",
        sigmoid=spec.model == "perceptron",
        loss=spec.loss,
        optimiser=spec.optimiser,
        batch=spec.points if spec.batch is None else spec.batch,
        points=spec.points,
        test=spec.test,
    )


# ---------------------------------------------------------------------- what is compiled


def _outputs(kind: Kind, params: Sequence[Tensor], x: Tensor) -> Tensor:
    """(..., n, features) -> (..., n, 1), for parameters that may have a leading axis."""
    last = len(params) - 2
    for at in range(0, len(params), 2):
        weight, bias = params[at], params[at + 1]
        if weight.shape[-2] == 1 and weight.shape[-1] <= FUSED:
            products = x[..., :, None, :] * weight[..., None, :, :]
            x = products.sum(-1) + bias[..., None, :]
        elif weight.dim() == 2:
            x = functional.linear(x, weight, bias)
        else:
            x = torch.baddbmm(bias[:, None, :], x, weight.transpose(1, 2))
        if at < last:
            x = _ACTIVATIONS[kind.activation](x)
    return torch.sigmoid(x) if kind.sigmoid else x


def _losses(kind: Kind, outputs: Tensor, y: Tensor) -> Tensor:
    """The loss over the last two axes."""
    y = y.expand_as(outputs)
    if kind.loss in ("mse", "sse"):
        each = (outputs - y) ** 2
    elif kind.loss == "mae":
        each = (outputs - y).abs()
    elif kind.sigmoid:
        each = functional.binary_cross_entropy(outputs, y, reduction="none")
    else:
        each = functional.binary_cross_entropy_with_logits(outputs, y, reduction="none")
    return each.sum((-2, -1)) if kind.loss == "sse" else each.mean((-2, -1))


def _gradients(
    kind: Kind, params: list[Tensor], x: Tensor, y: Tensor
) -> tuple[Tensor, ...]:
    def loss(*inner: Tensor) -> Tensor:
        return _losses(kind, _outputs(kind, inner, x), y)

    found: tuple[Tensor, ...] = torch.func.grad(loss, tuple(range(len(params))))(
        *params
    )
    return found


def _updated(
    kind: Kind,
    params: list[Tensor],
    memory: list[Tensor],
    gradients: Sequence[Tensor],
    rates: tuple[Tensor, Tensor, Tensor],
) -> tuple[list[Tensor], list[Tensor]]:
    """As torch.optim.SGD and torch.optim.Adam do it."""
    lr, root, momentum = rates
    if kind.optimiser == "sgd":
        return [p - lr * g for p, g in zip(params, gradients, strict=True)], memory
    if kind.optimiser == "momentum":
        memory = [momentum * m + g for m, g in zip(memory, gradients, strict=True)]
        return [p - lr * m for p, m in zip(params, memory, strict=True)], memory
    first, second, eps = _ADAM
    count = len(params)
    means = [
        m + (1 - first) * (g - m)
        for m, g in zip(memory[:count], gradients, strict=True)
    ]
    squares = [
        second * v + (1 - second) * g * g
        for v, g in zip(memory[count:], gradients, strict=True)
    ]
    params = [
        p - lr * m / (v.sqrt() / root + eps)
        for p, m, v in zip(params, means, squares, strict=True)
    ]
    return params, means + squares


def _block(
    kind: Kind,
    params: list[Tensor],
    memory: list[Tensor],
    rates: tuple[Tensor, Tensor, Tensor],
    drawn: Tensor | None,
    data: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor] | None,
) -> tuple[list[Tensor], list[Tensor], Tensor, Tensor, list[Tensor]]:
    lr, root, momentum = rates
    passed: list[list[Tensor]] = []
    for at in range(UPDATES):
        x, y = data if drawn is None else (data[0][drawn[at]], data[1][drawn[at]])
        gradients = _gradients(kind, params, x, y)
        now = lr[at], root[at], momentum
        params, memory = _updated(kind, params, memory, gradients, now)
        passed.append(params)
    history = [torch.stack(column) for column in zip(*passed, strict=True)]
    losses = _along(kind, history, *data)
    tests = losses[:0] if test is None else _along(kind, history, *test)
    return params, memory, losses, tests, history


def _along(kind: Kind, history: list[Tensor], x: Tensor, y: Tensor) -> Tensor:
    """(UPDATES,) losses of all parameters of a block at once."""
    return _losses(kind, _outputs(kind, history, x.expand(UPDATES, *x.shape)), y)


# ------------------------------------------------------------------------------- running

Function = Callable[[list[Tensor]], Sequence[Tensor]]
"""The updates of one kind: what `_flat` puts in a row, to what `block` takes apart."""


def block(
    kind: Kind,
    params: list[Tensor],
    memory: list[Tensor],
    rates: Rates,
    drawn: Tensor | None,
    data: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor] | None,
    function: Function | None = None,
) -> Block:
    """UPDATES updates. `drawn`: (UPDATES, batch) numbers of data points; None: all of them.
    `function` None: computed as it stands, uncompiled."""
    given = _flat(params, memory, rates, drawn, data, test)
    with torch.no_grad():
        made = list((function or partial(computed, kind))(given))
    count, known = len(params), len(memory)
    losses = made[2 * count + known]
    return Block(
        params=made[:count],
        memory=made[count : count + known],
        history=made[count + known : 2 * count + known],
        losses=losses,
        tests=losses[:0] if test is None else made[-1],
    )


def _flat(
    params: list[Tensor],
    memory: list[Tensor],
    rates: Rates,
    drawn: Tensor | None,
    data: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor] | None,
) -> list[Tensor]:
    given = [*params, *memory, rates.lr, rates.root, rates.momentum, *data]
    if drawn is not None:
        given.append(drawn)
    if test is not None:
        given += test
    return given


def computed(kind: Kind, given: list[Tensor]) -> list[Tensor]:
    """The updates, uncompiled: what is compiled is a trace of this."""
    rest = iter(given)
    count = 2 * (len(kind.sizes) - 1)
    params = list(islice(rest, count))
    memory = list(islice(rest, MEMORY[kind.optimiser] * count))
    rates = next(rest), next(rest), next(rest)
    data = next(rest), next(rest)
    drawn = next(rest) if kind.batch < kind.points else None
    test = (next(rest), next(rest)) if kind.test else None
    params, memory, losses, tests, history = _block(
        kind, params, memory, rates, drawn, data, test
    )
    told = [losses] if test is None else [losses, tests]
    return [*params, *memory, *history, *told]


def example(kind: Kind) -> list[Tensor]:
    """Made-up tensors to call the function of a kind with."""
    made = Generator().manual_seed(0)

    def some(*shape: int) -> Tensor:
        return torch.rand(shape, generator=made)

    pairs = zip(kind.sizes, kind.sizes[1:], strict=False)
    params = [each for i, o in pairs for each in (some(o, i), some(o))]
    drawn = None
    if kind.batch < kind.points:
        drawn = torch.randint(kind.points, (UPDATES, kind.batch), generator=made)
    data, test = (
        (some(points, kind.sizes[0]), some(points, 1).round())
        for points in (kind.points, kind.test)
    )
    return _flat(
        params,
        blank_memory(kind, params),
        rates(kind, [0.01] * UPDATES, 0.9, 1),
        drawn,
        data,
        test if kind.test else None,
    )


def blank_memory(kind: Kind, params: Sequence[Tensor]) -> list[Tensor]:
    """What the optimiser remembers before its first update."""
    count = MEMORY[kind.optimiser]
    return [torch.zeros_like(each) for _ in range(count) for each in params]


def rates(kind: Kind, lrs: Sequence[float], momentum: float, first: int) -> Rates:
    """For updates with these learning rates; `first`: which update of the optimiser's,
    counted from 1, is the first of them."""
    root = [1.0] * len(lrs)
    scaled = list(lrs)
    if kind.optimiser == "adam":
        beta1, beta2, _ = _ADAM
        times = range(first, first + len(lrs))
        scaled = [lr / (1 - beta1**t) for lr, t in zip(lrs, times, strict=True)]
        root = [(1 - beta2**t) ** 0.5 for t in times]
    return Rates(torch.tensor(scaled), torch.tensor(root), torch.tensor(momentum))
