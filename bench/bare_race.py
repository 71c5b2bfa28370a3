"""The race of 2.14 as a learner would write it in plain torch: nothing sent or drawn.

    python -m bench.bare_race SECONDS      prints iterations a second: of the clock, of
                                           the processor's time

An iteration updates GD, minibatch and SGD once each, computes their losses on all the
data and keeps those with the parameters, since that is what the screen shows.
"""

import sys
import time

import torch
from torch import nn

POINTS = 1000
BATCHES = (POINTS, 4, 1)


def main(seconds: float) -> tuple[float, float]:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(POINTS, 1, generator=generator)
    y = -5 * x + 2 + torch.randn(POINTS, 1, generator=generator)
    models = [nn.Linear(1, 1) for _ in BATCHES]
    optimisers = [torch.optim.SGD(model.parameters(), lr=0.05) for model in models]
    points: list[list[tuple[float, ...]]] = [[] for _ in BATCHES]
    loss_of = nn.functional.mse_loss
    iterations, end = 0, time.perf_counter() + seconds
    began, began_cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() < end:
        for batch, model, optimiser, seen in zip(
            BATCHES, models, optimisers, points, strict=True
        ):
            inputs, targets = x, y
            if batch < POINTS:
                rows = torch.randperm(POINTS, generator=generator)[:batch]
                inputs, targets = x[rows], y[rows]
            loss = loss_of(model(inputs), targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                whole = loss_of(model(x), y).item()
            seen.append((whole, model.weight.item(), model.bias.item()))
        iterations += 1
    took, took_cpu = time.perf_counter() - began, time.process_time() - began_cpu
    return iterations / took, iterations / took_cpu


if __name__ == "__main__":
    print(*main(float(sys.argv[1])))
