"""What can be seen of a run besides its points: what is asked, and what is answered.
Plain data. The engine computes an answer of any iteration that was computed (call
"view"), and while it trains (`SliceRequest.views`); `plotting` and `pictures` draw it.

Grids are rows from the bottom one up, each from left to right, flattened: the value of
column c and row r is `values[r * columns + c]`, at the middle of its cell.
"""

from dataclasses import dataclass, field
from typing import Literal

from tutor.wire import message

Box = tuple[float, float, float, float]
"""Left, right, bottom, top."""

ViewKind = Literal["output", "surface", "layers", "noise"]
KIND_OF: dict[str, ViewKind] = {
    "contour": "surface",
    "output": "output",
    "layers": "layers",
    "noise": "noise",
}
"""By a view's name: what the engine is asked for. Curves and luck need no answer."""


@message("view?")
@dataclass(frozen=True, slots=True)
class ViewRequest:
    """Show one thing of one run."""

    kind: ViewKind
    """output: `Fit` or `Regions` by the number of features. surface: `Surface` or `Slope`
    by the number of parameters. layers: `Layers`. noise: `Noise`."""
    run: str
    race: str = ""
    """The race's id; nothing to a slice, which has its own."""
    iteration: int | None = None
    """None: the newest. An earlier one is computed again from a snapshot."""
    columns: int = 48
    rows: int = 24
    box: Box | None = None
    """What a surface or an output shows; None: what fits the data, or the optimum."""


@message("fit")
@dataclass(frozen=True, slots=True)
class Fit:
    """A model of one feature over its data."""

    run: str
    iteration: int
    x: tuple[float, ...]
    """`columns` values across, ascending."""
    y: tuple[float, ...]
    """The model's outputs there."""
    data: tuple[tuple[float, float], ...]
    """At most 400 of the data points, (x, y)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the first hidden layer: the line w1·x1 + w2·x2 + b = 0."""

    w1: float
    w2: float
    b: float


@message("regions")
@dataclass(frozen=True, slots=True)
class Regions:
    """What a classifier of two features says over a plane."""

    run: str
    iteration: int
    box: Box
    columns: int
    rows: int
    outputs: tuple[float, ...]
    """Probability of class 1, 0 to 1, as a grid."""
    data: tuple[tuple[float, float, int], ...]
    """At most 400 of the data points, (x1, x2, class)."""
    units: tuple[Unit, ...] = ()
    """Of the first hidden layer, in order; of a model without one its own line."""
    accuracy: float = 0.0
    """Share of all the data that is classified right."""
    test_accuracy: float | None = None


@message("surface")
@dataclass(frozen=True, slots=True)
class Surface:
    """The loss over the two parameters of a model, or a function of two."""

    run: str
    names: tuple[str, str]
    """Of the horizontal and the vertical parameter: ("w", "b")."""
    box: Box
    columns: int
    rows: int
    losses: tuple[float, ...]
    """As a grid."""
    optimum: tuple[float, float] | None = None
    """Where the loss is lowest (of several minima the deepest)."""
    least: float | None = None
    """The loss there."""
    curvatures: tuple[float, ...] = ()
    """Eigenvalues of the Hessian at the optimum, ascending."""
    truth: tuple[float, float] | None = None
    """The parameters that made the data."""

    @property
    def lr_limit(self) -> float | None:
        """2 / λmax: a larger learning rate makes gradient descent on a quadratic diverge
        (Nocedal and Wright, Numerical Optimization, 2nd ed., ch. 3)."""
        if not self.curvatures or self.curvatures[-1] <= 0:
            return None
        return 2 / self.curvatures[-1]


@message("slope")
@dataclass(frozen=True, slots=True)
class Slope:
    """A function of one parameter, or the loss over one."""

    run: str
    name: str
    """Of the parameter."""
    x: tuple[float, ...]
    """`columns` values, ascending."""
    y: tuple[float, ...]
    minima: tuple[tuple[float, float], ...] = ()
    """(place, value), from left to right."""
    curvature: float | None = None
    """The second derivative at the deepest minimum."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer with parameters."""

    name: str
    """As in the model: "0", "2"."""
    units: int
    weight: float
    """Mean absolute weight."""
    gradient: float
    """Mean absolute gradient of its weights, on all the data."""
    dead: int = 0
    """Units whose output is the same for all data points (a ReLU that never fires)."""
    saturated: int = 0
    """Units of a sigmoid or tanh that are within 5 % of a limit for most data points."""


@message("layers")
@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a model, first to last."""

    run: str
    iteration: int
    layers: tuple[Layer, ...]
    activation: str = ""


@dataclass(frozen=True, slots=True)
class BatchNoise:
    """Gradients of many batches of one size, at the same parameters."""

    batch: int
    spread: tuple[float, float]
    """Standard deviation of each component."""
    angle: float
    """Median angle to the full gradient, degrees."""
    uphill: float
    """Share of batches whose step goes up: a negative product with the full gradient."""
    arrows: tuple[tuple[float, float], ...] = ()
    """Gradients of up to 200 batches."""


@message("noise")
@dataclass(frozen=True, slots=True)
class Noise:
    """How batches of several sizes scatter about the full gradient."""

    run: str
    iteration: int
    names: tuple[str, str]
    gradient: tuple[float, float]
    """On all the data."""
    batches: tuple[BatchNoise, ...] = field(default=())


View = Fit | Regions | Surface | Slope | Layers | Noise
