"""The loss over the one or two parameters of a model, or a function of so many: its
values, where it is lowest, how it curves there. Measured with autograd in float64.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from tutor.engine import broadcast
from tutor.engine.functions import FUNCTIONS
from tutor.engine.seen import Seen
from tutor.errors import TutorError
from tutor.training import catalogue, refusals

BLOCK = 1 << 16
"""Numbers that one evaluation of several places holds at most: they stay in the cache."""
_FIRST, _CLOSER = 41, 9
"""Places across in the first look, and in each closer one."""
_ROUNDS = 22
"""Of looking closer; each is a third as wide as the one before."""


@dataclass(frozen=True, slots=True)
class Lowest:
    """A minimum."""

    place: Tensor
    """(parameters,)."""
    loss: float


class Landscape:
    """The loss of a model as a function of its parameters, laid out as one row."""

    def __init__(self, seen: Seen) -> None:
        """Raises TutorError where the model has too many to be drawn."""
        spec = seen.spec
        self.names = catalogue.parameters(spec.model, spec.dataset)
        shapes = {name: value.shape for name, value in seen.model.named_parameters()}
        count = sum(shape.numel() for shape in shapes.values())
        if said := refusals.contour(spec):
            raise TutorError(said)
        start = spec.start or (0.0,) * count
        if spec.dataset in FUNCTIONS:
            start = spec.start or catalogue.FUNCTIONS[spec.dataset][1]
        self.start = torch.tensor(start, dtype=torch.float64)
        linear = spec.model in broadcast.LINEAR_IN_PARAMETERS
        self.is_quadratic = spec.loss in ("mse", "sse") and linear
        """One step of Newton's method from anywhere ends at the minimum."""
        self._spec = spec
        self._shapes = list(shapes.values())
        self._x = seen.data.x.cpu().double().unsqueeze(0)  # (1, points, features)
        self._y = seen.data.y.cpu().double().unsqueeze(0)

        def loss(place: Tensor) -> Tensor:
            named = zip(shapes, self._pieces(place.unsqueeze(0)), strict=True)
            parameters = {name: piece[0] for name, piece in named}
            outputs = functional_call(seen.model, parameters, (self._x[0],))
            return seen.loss(outputs, self._y[0])

        self.loss: Callable[[Tensor], Tensor] = loss
        """(parameters,) -> ()."""

    def _pieces(self, places: Tensor) -> list[Tensor]:
        """(places, parameters) -> each parameter of the model, (places, ...)."""
        pieces = places.split([shape.numel() for shape in self._shapes], dim=1)
        shaped = zip(pieces, self._shapes, strict=True)
        return [piece.reshape(-1, *shape) for piece, shape in shaped]

    def losses(self, places: Tensor) -> Tensor:
        """(places, parameters) -> (places,), computed with the precision of `places`."""
        block = max(1, BLOCK // max(1, self._x.shape[1]))
        if self._spec.model == "point":
            return FUNCTIONS[self._spec.dataset](places)
        if self._spec.slip == "broadcast":  # each output meets all targets
            found: Tensor = vmap(self.loss, chunk_size=block)(places.double())
            return found
        x, y = self._x.to(places.dtype), self._y.to(places.dtype)
        return torch.cat(
            [
                broadcast.losses(
                    self._spec,
                    broadcast.outputs(self._spec, self._pieces(some), x),
                    y,
                )
                for some in places.split(block)
            ]
        )

    def bent(self, place: Tensor) -> tuple[Tensor, Tensor]:
        """The gradient, (parameters,), and the Hessian, (parameters, parameters)."""
        with torch.enable_grad():
            here = place.detach().requires_grad_()
            loss = self.loss(here)
            (slope,) = torch.autograd.grad(loss, here, create_graph=True)
            rows = [
                torch.autograd.grad(
                    each, here, retain_graph=True, materialize_grads=True
                )[0]
                if slope.requires_grad  # not of a loss of straight pieces
                else torch.zeros_like(here)
                for each in slope
            ]
        bend = torch.stack(rows)
        return slope.detach(), (bend + bend.T) / 2

    def curvature(self, place: Tensor) -> Tensor:
        """The Hessian."""
        return self.bent(place)[1]

    def lowest(self, middle: Tensor, reach: Tensor) -> Lowest | None:
        """The deepest place within `reach` of `middle`; of a quadratic loss, of all.

        None: it is lower still outside.
        """
        if self.is_quadratic:
            slope, bend = self.bent(middle)
            step = torch.linalg.lstsq(bend, slope.unsqueeze(1)).solution
            place = middle - step[:, 0]
            return Lowest(place, float(self.loss(place)))
        place = self._searched(middle, reach)
        if ((place - middle).abs() > 0.98 * reach).any():
            return None
        return Lowest(place, float(self.loss(place)))

    def _searched(self, middle: Tensor, reach: Tensor) -> Tensor:
        """Look around, then closer around the best place, again and again."""
        best, around = middle, reach
        for across in (_FIRST, *[_CLOSER] * _ROUNDS):
            steps = torch.linspace(-1, 1, across, dtype=torch.float64)
            grid = torch.cartesian_prod(*[steps] * len(middle))
            places = best + around * grid.reshape(-1, len(middle))
            losses = self.losses(places).nan_to_num(nan=torch.inf)
            best = places[losses.argmin()]
            around = around * (2 / across if across == _FIRST else 1 / 3)
        return best
