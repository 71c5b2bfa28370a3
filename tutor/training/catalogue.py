"""What there is to choose from: data sets, models, losses, optimisers, and what goes
with what. Names and numbers only; the engine has one of each.
"""

from itertools import pairwise
from typing import Literal

Task = Literal["fit", "classify", "function"]

DATASETS = {
    "line": (1000, 1.0),
    "circle": (200, 0.05),
    "xor": (200, 0.0),
    "moons": (200, 0.1),
    "spiral": (200, 0.03),
    "sin": (200, 0.1),
    "corners": (4, 0.0),
    "outlier": (1000, 1.0),
    "shuffled": (1000, 1.0),
    "wide": (1000, 1.0),
    "standard": (1000, 1.0),
    "bowl": (1, 0.0),
    "valleys": (1, 0.0),
    "ravine": (1, 0.0),
}
"""Each data set's points and noise when not given; a function counts as one point."""
CLASSIFIED = ("circle", "xor", "moons", "spiral", "corners")
"""Two features, two classes. The others have one feature, but for the functions."""
FUNCTIONS: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "bowl": (("w",), (-1.0,)),
    "valleys": (("w",), (2.0,)),
    "ravine": (("a", "b"), (10.0, 1.0)),
}
"""No data, only parameters: their names, and where they start when not told."""

MODELS = ("constant", "linear", "parabola", "perceptron", "mlp", "point")
ACTIVATIONS = ("tanh", "relu", "sigmoid")
LOSSES = ("mse", "mae", "sse", "bce", "value")
OPTIMISERS = ("sgd", "momentum", "adam", "random", "none")
INITS = ("torch", "zero")
SLIPS = ("no-zero-grad", "broadcast", "double-sigmoid")


def task(dataset: str) -> Task:
    """What is to be done with a data set."""
    if dataset in FUNCTIONS:
        return "function"
    return "classify" if dataset in CLASSIFIED else "fit"


def loss_for(dataset: str) -> str:
    """The loss when none is given."""
    return {"fit": "mse", "classify": "bce", "function": "value"}[task(dataset)]


def parameters(model: str, dataset: str) -> tuple[str, ...]:
    """The names of a model's parameters; () for an mlp, which has many."""
    if model == "mlp":
        return ()
    if dataset in FUNCTIONS:
        return FUNCTIONS[dataset][0]
    if model == "constant":
        return ("b",)
    if model == "parabola":
        return (
            ("w1", "w2", "a1", "a2", "b") if dataset in CLASSIFIED else ("w", "a", "b")
        )
    return ("w1", "w2", "b") if dataset in CLASSIFIED else ("w", "b")


def parameter_count(model: str, dataset: str, widths: tuple[int, ...] = ()) -> int:
    """All numbers that a model learns; `widths`: of an mlp's hidden layers."""
    if model != "mlp":
        return len(parameters(model, dataset))
    features = 2 if dataset in CLASSIFIED else 1
    layers = pairwise((features, *widths, 1))
    return sum((wide + 1) * after for wide, after in layers)
