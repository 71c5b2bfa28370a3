"""One run at one iteration, as a scratch copy to look at: what `engine.train` hands to
whoever answers a question about it. Nothing of it belongs to the run that goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from tutor.engine.datasets import Data
from tutor.training.spec import RunSpec


@dataclass(frozen=True, slots=True)
class Seen:
    """A run at an iteration. Its tensors may be shared with the run: read only."""

    spec: RunSpec
    """With the settings at that iteration."""
    model: nn.Module
    """(batch, features) -> (batch, 1), with the parameters at that iteration."""
    data: Data
    test: Data | None
    """None: the run has no test data."""
    loss: Callable[[Tensor, Tensor], Tensor]
    """(outputs, targets) -> a single number."""
    iteration: int
