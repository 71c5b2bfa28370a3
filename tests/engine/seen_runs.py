"""Runs to look at, as `engine.train` hands them over."""

from dataclasses import replace
from typing import Any

import torch

from tutor.engine import datasets, losses, models
from tutor.engine.seen import Seen
from tutor.training import options
from tutor.training.spec import RunSpec


def spec(**settings: Any) -> RunSpec:
    """The one run of a race, "gd", with the settings that go with its model."""
    return options.race({**settings, "runs": [{"name": "gd"}]}).runs[0]


def seen(run: RunSpec, at: tuple[float, ...] = (), test: int = 0) -> Seen:
    """The start of a run; `at`: other parameters, as one row."""
    data = datasets.data(run.dataset, run.points, run.noise, run.seed)
    model = models.model(run, data.x.shape[1])
    if at:
        row = torch.tensor(at)
        torch.nn.utils.vector_to_parameters(row, model.parameters())
    tested = datasets.test_data(replace(run, test=test))
    return Seen(run, model, data, tested, losses.loss(run), 0)
