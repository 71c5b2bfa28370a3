"""Mistakes of our own runs, recognised from what they compute and never changing it.

`engine.train` asks `found` before the backward pass of the first iterations, and `ended`
when a run has left all bounds. Each kind is answered at one iteration only. What is
recognised in a loop of the learner's own is `watched_slips`'.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from tutor.engine import loss_graph
from tutor.engine.datasets import Data
from tutor.training.findings import Finding
from tutor.training.spec import RunSpec

LossOf = Callable[[Tensor, Tensor], Tensor]
"""(outputs, targets) -> a single number, as `Seen.loss`."""

LOOKED = 4
"""`found` has something to say at iterations below this."""
_QUADRATIC = 64
"""Parameters up to which the second derivatives are worth computing."""
_ALIKE = 1e-4
"""Second derivatives that differ less, relatively, are the same everywhere."""


def found(
    spec: RunSpec,
    model: nn.Module,
    data: Data,
    loss_of: LossOf,
    loss: Tensor,
    iteration: int,
) -> tuple[Finding, ...]:
    """What is wrong at an iteration, from 0. Ask with gradients cleared, or not, as the
    run does it, right before `loss.backward()`. `loss` is that of the batch."""
    if iteration == 0:
        return _of_graph(spec, model, data, loss_of, loss)
    if iteration == 1 and (name := held_gradient(named(model))):
        return (Finding(spec.name, "no-zero-grad", iteration, name),)
    if iteration == LOOKED - 1 and (layer := alike_units(model)):
        facts = {"units": float(layer[1])}
        return (Finding(spec.name, "zero-init", iteration, layer[0], facts=facts),)
    return ()


def ended(
    spec: RunSpec,
    model: nn.Module,
    data: Data,
    loss_of: LossOf,
    iteration: int,
    value: float,
) -> tuple[Finding, ...]:
    """Why a run ended whose loss on all the data is `value`, beyond all bounds or not
    finite, after the update that led to `iteration`."""
    now = spec.at(max(iteration - 1, 0))
    lr = now.lr / (1 + now.decay * max(iteration - 1, 0))
    name = first_not_finite(named(model))
    finite = not name and torch.isfinite(torch.tensor(value)).item()
    facts = {"loss": value}
    if finite:
        name, facts["size"] = largest(named(model))
    if condition := _condition(model, data, loss_of):
        facts["condition"] = condition
    told = Finding(
        spec.name,
        "diverged" if finite else "not-finite",
        iteration,
        name or "loss",
        lr,
        lr_limit(now, model, data, loss_of),
        facts=facts,
    )
    limit = lr_limit(spec, model, data, loss_of)
    told_first = spec.loss == "sse" and limit is not None and spec.lr > limit
    if now.loss != "sse" or told_first:
        return (told,)
    facts = {**facts, "n": now.samples_per_iteration}
    return (replace(told, kind="sum", facts=facts), told)


def lr_limit(
    spec: RunSpec, model: nn.Module, data: Data, loss_of: LossOf
) -> float | None:
    """The learning rate beyond which gradient descent diverges, where the loss on all
    the data is quadratic in the parameters: 2 / λmax of its second derivatives, and
    2 (1 + m) / λmax with momentum m (Polyak, Some methods of speeding up the convergence
    of iteration methods, 1964). A batch's sum of errors is a part of the whole sum only.
    None: it is not, or the optimiser is another one.
    """
    if spec.optimiser not in ("sgd", "momentum"):
        return None
    momentum = spec.momentum if spec.optimiser == "momentum" else 0.0
    hessian = constant_hessian(model, data, loss_of)
    if hessian is None:
        return None
    steepest = torch.linalg.eigvalsh(hessian)[-1].item()
    if spec.loss == "sse":
        steepest *= spec.samples_per_iteration / spec.points
    return 2 * (1 + momentum) / steepest if steepest > 0 else None


def _condition(model: nn.Module, data: Data, loss_of: LossOf) -> float | None:
    """How much steeper the steepest direction is than the flattest one."""
    hessian = constant_hessian(model, data, loss_of)
    if hessian is None:
        return None
    curvatures = torch.linalg.eigvalsh(hessian)
    flattest, steepest = curvatures[0].item(), curvatures[-1].item()
    return steepest / flattest if flattest > 0 else None


def constant_hessian(model: nn.Module, data: Data, loss_of: LossOf) -> Tensor | None:
    """(parameters, parameters), float64: of the loss on all the data; None where it is
    not the same everywhere, or there are too many parameters."""
    asked = {
        name: each.detach()
        for name, each in model.named_parameters()
        if each.requires_grad
    }
    sizes = [each.numel() for each in asked.values()]
    if not asked or sum(sizes) > _QUADRATIC:
        return None

    def loss(flat: Tensor) -> Tensor:
        parts = {
            name: piece.view_as(each).to(each)
            for (name, each), piece in zip(
                asked.items(), flat.split(sizes), strict=True
            )
        }
        outputs = torch.func.functional_call(model, parts, (data.x,))
        return loss_of(outputs, data.y).double()

    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        places = torch.zeros(sum(sizes), dtype=torch.float64), _elsewhere(sum(sizes))
        here, there = (
            torch.autograd.functional.hessian(loss, place) for place in places
        )
    assert isinstance(here, Tensor)
    size = here.abs().max()
    same = bool(torch.isfinite(size)) and (here - there).abs().max() <= _ALIKE * size
    return here if same and size > 0 else None


def _elsewhere(count: int) -> Tensor:
    """A place that is like no other: neither 0 nor the same in all directions."""
    return 0.3 + 0.7 * torch.cos(torch.arange(1, count + 1, dtype=torch.float64))


def _of_graph(
    spec: RunSpec, model: nn.Module, data: Data, loss_of: LossOf, loss: Tensor
) -> tuple[Finding, ...]:
    seen = loss_graph.read(loss)
    told: list[Finding] = []
    if seen.broadcast is not None:
        told.append(broadcast(spec.name, seen.broadcast))
    if seen.doubled:
        told.append(Finding(spec.name, "double-sigmoid", text=seen.doubled))
    if seen.summed is not None:
        limit = lr_limit(spec, model, data, loss_of)
        if limit is not None and spec.lr > limit:  # else it does no harm
            facts = {"n": float(seen.summed)}
            told.append(Finding(spec.name, "sum", lr=spec.lr, limit=limit, facts=facts))
    return tuple(told)


def broadcast(run: str, seen: loss_graph.Broadcast) -> Finding:
    """Outputs and targets of one number each became all pairs."""
    shapes = tuple(str(each) for each in (seen.outputs, seen.errors))
    count = float(seen.errors[0])
    return Finding(run, "broadcast", facts={"n": count}, shapes=shapes)


def named(model: nn.Module) -> dict[str, Tensor]:
    """Its parameters; those of a single layer are w and b, as its points have them."""
    short = {"weight": "w", "bias": "b"}
    return {short.get(name, name): each for name, each in model.named_parameters()}


def held_gradient(parameters: Mapping[str, Tensor]) -> str:
    """The first with a gradient that is not zero; "": none."""
    for name, each in parameters.items():
        if each.grad is not None and bool(each.grad.any()):
            return name
    return ""


def alike_units(model: nn.Module) -> tuple[str, int] | None:
    """The first hidden layer whose units have all the same parameters, and how many
    units it has; None: there is none."""
    layers = [
        (name, list(each.parameters()))
        for name, each in model.named_modules()
        if isinstance(each, nn.Linear) and each.weight.requires_grad
    ]
    for name, parameters in layers[:-1]:
        if len(parameters[0]) > 1 and all(alike(each) for each in parameters):
            return name, len(parameters[0])
    return None


def alike(rows: Tensor) -> bool:
    """Whether all of axis 0 are the same."""
    return bool((rows == rows[:1]).all())


def first_not_finite(parameters: Mapping[str, Tensor]) -> str:
    """The first that the last update made so: a gradient, as "w.grad", in the order in
    which the backward pass comes to them, else a parameter; "": none."""
    for name, each in reversed(list(parameters.items())):
        if each.grad is not None and not bool(torch.isfinite(each.grad).all()):
            return f"{name}.grad"
    for name, each in parameters.items():
        if not bool(torch.isfinite(each).all()):
            return name
    return ""


def largest(tensors: Mapping[str, Tensor]) -> tuple[str, float]:
    """The tensor with the number farthest from 0, and that number with its sign."""
    numbers = {
        name: each.detach().reshape(-1)[each.detach().abs().argmax()].item()
        for name, each in tensors.items()
        if each.numel()
    }
    name = max(numbers, key=lambda each: abs(numbers[each]), default="")
    return name, numbers.get(name, 0.0)
