"""The race of 2.14 as a learner would write it in plain torch: nothing sent or drawn.

    python -m bench.bare_race SECONDS      prints iterations a second

An iteration updates GD, minibatch and SGD once each and computes their losses on all
the data, since that is what the screen shows.
"""

import sys
import time

import torch
from torch import nn

POINTS = 1000
BATCHES = (POINTS, 4, 1)


def main(seconds: float) -> float:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(POINTS, 1, generator=generator)
    y = -5 * x + 2 + torch.randn(POINTS, 1, generator=generator)
    models = [nn.Linear(1, 1) for _ in BATCHES]
    optimisers = [torch.optim.SGD(model.parameters(), lr=0.05) for model in models]
    losses: list[list[float]] = [[] for _ in BATCHES]
    loss_of = nn.functional.mse_loss
    iterations, end = 0, time.perf_counter() + seconds
    began = time.perf_counter()
    while time.perf_counter() < end:
        for batch, model, optimiser, seen in zip(
            BATCHES, models, optimisers, losses, strict=True
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
                seen.append(loss_of(model(x), y).item())
        iterations += 1
    return iterations / (time.perf_counter() - began)


if __name__ == "__main__":
    print(main(float(sys.argv[1])))
