"""The race of section 2.14 as a bare torch loop, for so many seconds.

The same work as ours, and nothing else: three runs, the loss on all the data and both
parameters kept after every iteration, one thread.
"""

import sys
import time
from typing import Any

import torch
from torch.nn import functional


def iterations_per_second(seconds: float) -> tuple[float, float]:
    """Iterations of the whole race, by the clock and by processor time."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1000, 1, generator=generator)
    y = -5 * x + 2 + torch.randn(1000, 1, generator=generator)
    batches = torch.Generator().manual_seed(10_000)
    runs: list[Any] = []
    for batch in (None, 4, 1):
        model = torch.nn.Linear(1, 1)
        torch.nn.init.zeros_(model.weight)
        torch.nn.init.zeros_(model.bias)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
        runs.append((batch, model, optimiser, []))
    began, busy = time.perf_counter(), time.process_time()
    done = 0
    while time.perf_counter() - began < seconds:
        for batch, model, optimiser, points in runs:
            xs, ys = x, y
            if batch is not None:
                chosen = torch.randperm(1000, generator=batches)[:batch]
                xs, ys = x[chosen], y[chosen]
            loss = functional.mse_loss(model(xs), ys)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                whole = functional.mse_loss(model(x), y).item()
            points.append((whole, model.weight.item(), model.bias.item()))
        done += 1
    clock, processor = time.perf_counter() - began, time.process_time() - busy
    return done / clock, done / processor


if __name__ == "__main__":
    print(*iterations_per_second(float(sys.argv[1])))
