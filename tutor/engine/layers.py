"""How the layers of a model do on all the data: their gradients, units that say the same
to everything, units near a limit."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tutor.engine.seen import Seen
from tutor.errors import TutorError
from tutor.training.views import Layer, Layers

_SPANS: dict[type[nn.Module], tuple[float, float]] = {
    nn.Sigmoid: (0.0, 1.0),
    nn.Tanh: (-1.0, 1.0),
}
"""The limits of activations that have two."""
NEAR = 0.05
"""So near a limit, in widths of the span between the two, a unit is saturated."""


@dataclass(slots=True)
class _Told:
    """What passing the data through told of the units after one layer."""

    dead: int = 0
    saturated: int = 0


def layers(seen: Seen) -> Layers:
    """Each layer with weights, first to last. Raises TutorError where there is none."""
    parts = list(seen.model.named_modules())
    linear = [(name, part) for name, part in parts if isinstance(part, nn.Linear)]
    if not linear:
        raise TutorError(
            f"The model {seen.spec.model} has no layers: choose linear, perceptron or mlp."
        )
    told = {name: _Told() for name, _ in linear}
    hooks, before = [], ""
    for name, part in parts:
        if isinstance(part, nn.Linear):
            before = name
        elif before and not list(part.children()):
            hooks.append(part.register_forward_hook(_telling(told[before])))
    try:
        gradients = _gradients(seen, [part.weight for _, part in linear])
    finally:
        for hook in hooks:
            hook.remove()
    return Layers(
        run=seen.spec.name,
        iteration=seen.iteration,
        layers=tuple(
            Layer(
                name=name,
                units=part.out_features,
                weight=float(part.weight.detach().abs().mean()),
                gradient=float(gradient.abs().mean()),
                dead=told[name].dead,
                saturated=told[name].saturated,
            )
            for (name, part), gradient in zip(linear, gradients, strict=True)
        ),
        activation=seen.spec.activation if seen.spec.model == "mlp" else "",
    )


def _gradients(seen: Seen, weights: list[Tensor]) -> tuple[Tensor, ...]:
    """Of the loss on all the data; `.grad` stays as it was."""
    with torch.enable_grad():
        loss = seen.loss(seen.model(seen.data.x), seen.data.y)
        return torch.autograd.grad(loss, weights)


def _telling(told: _Told):  # type: ignore[no-untyped-def]
    """A hook that notes what comes out of an activation: (points, units)."""

    def note(part: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
        units = out.detach()
        told.dead = int((units.amax(0) == units.amin(0)).sum())
        if (span := _SPANS.get(type(part))) is not None:
            low, high = span
            near = NEAR * (high - low)
            at_limit = (units < low + near) | (units > high - near)
            told.saturated = int((at_limit.float().mean(0) > 0.5).sum())

    return note
