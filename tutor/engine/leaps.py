"""Takes a run many updates further at once, by a compiled function, where that is
possible: its parameters, optimiser and generators are then what the eager loop would have
made them, up to float rounding, so that either can go on after the other.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from tutor.engine import compiled
from tutor.engine.compiled import UPDATES, Block, Kind
from tutor.engine.maker import Maker
from tutor.engine.run import Run
from tutor.training.findings import Finding

MOST = 8 * UPDATES
"""Iterations at once; several calls have one reckoning."""

_maker = Maker()
_MEMORY = {
    "sgd": (),
    "momentum": ("momentum_buffer",),
    "adam": ("exp_avg", "exp_avg_sq"),
}
"""What torch's optimisers call what they remember of a parameter."""


def leap(run: Run, most: int) -> int:
    """Up to `most` iterations, and no more than MOST; says how many. 0: nothing was done,
    iterate eagerly: the function for them is not at hand, or something is due before it
    would be through."""
    kind = compiled.kind_of(run.now, run.data.x.shape[1])
    if kind is None or run.device.type != "cpu":
        return 0
    count = min(most, MOST, run.steady_for()) // UPDATES * UPDATES
    function = _maker.get(kind) if count else None
    if function is None:
        return 0
    params = [each.detach() for each in run.parameters]
    memory, done = _remembered(kind, run.optimiser, run)
    lr, decay, at = run.now.lr, run.now.decay, run.iteration
    lrs = [lr / (1 + decay * k) for k in range(at, at + count)]
    rates = compiled.rates(kind, lrs, run.now.momentum, done + 1)
    test = None if run.test is None else (run.test.x, run.test.y)
    drawn, data = run.drawn(count), (run.data.x, run.data.y)
    blocks: list[Block] = []
    for first in range(0, count, UPDATES):
        rows = slice(first, first + UPDATES)
        some = None if drawn is None else drawn[rows]
        block = compiled.block(
            kind, params, memory, rates.part(rows), some, data, test, function
        )
        params, memory = block.params, block.memory
        blocks.append(block)
    losses = torch.cat([each.losses for each in blocks]).tolist()
    tests = torch.cat([each.tests for each in blocks]).tolist()
    columns = zip(*(each.history for each in blocks), strict=True)
    _remember(kind, run.optimiser, run, memory, done + count)
    return run.take_block(losses, tests, [torch.cat(column) for column in columns])


def standing(run: Run) -> Literal["eager", "compiling", "compiled"]:
    """Which engine computes a run of a race that is to be compiled."""
    kind = compiled.kind_of(run.now, run.data.x.shape[1])
    if kind is None or run.device.type != "cpu":
        return "eager"
    if _maker.has(kind):
        return "compiled"
    return "compiling" if _maker.busy else "eager"


def problem(run: Run) -> Finding | None:
    """Why a run is computed eagerly although the race is to be compiled."""
    text = _maker.problem
    if compiled.kind_of(run.now, run.data.x.shape[1]) is None:
        text = "a run with these settings is not compiled"
    elif run.device.type != "cpu":
        text = f"on {run.device.type} nothing is compiled"
    return Finding(run.spec.name, "engine", run.iteration, text=text) if text else None


def _remembered(
    kind: Kind, optimiser: Optimizer | None, run: Run
) -> tuple[list[Tensor], int]:
    """What the optimiser remembers, and how many updates it has done (Adam's count)."""
    assert optimiser is not None
    states = [optimiser.state.get(each, {}) for each in run.parameters]
    if not all(states):
        return compiled.blank_memory(kind, list(run.parameters)), 0
    memory = [state[name] for name in _MEMORY[kind.optimiser] for state in states]
    return memory, int(states[0].get("step", 0))


def _remember(
    kind: Kind, optimiser: Optimizer | None, run: Run, memory: list[Tensor], done: int
) -> None:
    names = _MEMORY[kind.optimiser]
    if not names:
        return
    assert optimiser is not None
    parameters = list(run.parameters)
    count = len(parameters)
    for at, each in enumerate(parameters):
        state = optimiser.state[each]
        for number, name in enumerate(names):
            state[name] = memory[number * count + at]
        if kind.optimiser == "adam":
            state["step"] = torch.tensor(float(done))


def problem_here() -> str:
    """Why nothing can be compiled on this machine; "": it can, as far as is known."""
    return _maker.problem


def busy() -> bool:
    """Something is being compiled."""
    return _maker.busy
