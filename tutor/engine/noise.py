"""How gradients of batches scatter about that of all the data, at the same parameters.
The draws come from a generator of their own, the same at each iteration.
"""

import functools

import torch
from torch import Generator, Tensor
from torch.nn import functional

from tutor.engine import broadcast
from tutor.engine.seen import Seen
from tutor.errors import TutorError
from tutor.training import catalogue, refusals
from tutor.training.views import BatchNoise, Noise

BATCHES = (1, 4, 16, 64, 256)
DRAWS = 2000
"""Batches of each size: the share that goes uphill is right to a hundredth or so."""
ARROWS = 200
NOISE_SEED = 40_000
"""What is added to a run's seed for these draws."""


def noise(seen: Seen) -> Noise:
    """Raises TutorError for other models than those of two parameters over data."""
    spec = seen.spec
    if said := refusals.noise(spec):
        raise TutorError(said)
    names = catalogue.parameters(spec.model, spec.dataset)
    of_each, full = _of_each(seen), _full(seen)
    drawn = _drawn(len(seen.data.x), NOISE_SEED + spec.seed)
    return Noise(
        run=spec.name,
        iteration=seen.iteration,
        names=(names[0], names[1]),
        gradient=_pair(full),
        batches=tuple(
            _scatter(seen, of_each, full, chosen.to(full.device)) for chosen in drawn
        ),
    )


def _scatter(seen: Seen, of_each: Tensor, full: Tensor, chosen: Tensor) -> BatchNoise:
    mode = "sum" if seen.spec.loss == "sse" else "mean"
    each = functional.embedding_bag(chosen, of_each, mode=mode)  # (draws, 2)
    along = each @ full
    lengths = each.norm(dim=1) * full.norm()
    cosines = (along / lengths.clamp_min(1e-30)).clamp(-1, 1)
    return BatchNoise(
        batch=chosen.shape[1],
        spread=_pair(each.std(0)),
        angle=float(cosines.acos().rad2deg().median()),
        uphill=float((along < 0).float().mean()),
        arrows=tuple(_pair(arrow) for arrow in each[:ARROWS]),
    )


@functools.lru_cache(maxsize=4)
def _drawn(points: int, seed: int) -> tuple[Tensor, ...]:
    """(draws, batch) for each size of batch: indices, none twice in a batch. Whole
    permutations, cut up."""
    draws = Generator().manual_seed(seed)
    found = []
    for batch in BATCHES:
        if batch > points:
            break
        of_each = points // batch
        orders = [
            torch.randperm(points, generator=draws)[: of_each * batch].view(-1, batch)
            for _ in range(-(-DRAWS // of_each))
        ]
        found.append(torch.cat(orders)[:DRAWS])
    return tuple(found)


def _of_each(seen: Seen) -> Tensor:
    """The gradient of each data point's loss: (points, 2)."""
    points = len(seen.data.x)
    stack = [
        value.detach().expand(points, *value.shape).clone().requires_grad_()
        for value in seen.model.parameters()
    ]
    with torch.enable_grad():
        said = broadcast.outputs(seen.spec, stack, seen.data.x.unsqueeze(1))
        losses = broadcast.losses(seen.spec, said, seen.data.y.unsqueeze(1))
        found = torch.autograd.grad(losses.sum(), stack)
    return torch.cat([each.flatten(1) for each in found], dim=1)


def _full(seen: Seen) -> Tensor:
    """The gradient of the loss on all the data: (2,)."""
    stack = list(seen.model.parameters())
    with torch.enable_grad():
        loss = seen.loss(seen.model(seen.data.x), seen.data.y)
        return torch.cat([each.flatten() for each in torch.autograd.grad(loss, stack)])


def _pair(numbers: Tensor) -> tuple[float, float]:
    first, second = numbers.tolist()
    return first, second
