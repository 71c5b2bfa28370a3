"""Trainers to compare with, in a process of their own: reads lines `NAME SECONDS`, trains
for so long, and answers each with iterations a second of the clock, and of the
processor's time.

`net`: a 2-16-16-1 tanh net on the 200 points of the circle, batch 32; `line`: linear
regression on 1000 points, batch 4; `race`: the three runs of 2.14, where an iteration is
one of each. All with SGD, one thread.

- `bare-...`: as a learner would write it in plain torch, keeping what the screen shows:
  the loss on all the data of each iteration, and a line's parameters.
- `unwatched-net`: the same without the loss on all the data.
- `eager-...`, `compiled-...`: the tutor's engines, without a screen.
- `lightning-net`, `keras-net`: with their own bars.
"""

import contextlib
import importlib
import os
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

Step = Callable[[], int]
"""Does some iterations and says how many."""
Counted = tuple[int, float, float]
"""Iterations, seconds of the clock, seconds of the processor."""
BATCH = 32
POINTS = 1000
SETTINGS = {
    "net": ["model=mlp", "widths=16,16", "batch=32", "optimiser=sgd", "lr=0.05"],
    "line": ["runs=minibatch"],
    "race": [],
}


# ---------------------------------------------------------------------- in plain torch


def net() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Linear(2, 16), nn.Tanh()),
        *(nn.Linear(16, 16), nn.Tanh()),
        nn.Linear(16, 1),
    )


def circle() -> tuple[Tensor, Tensor]:
    from tutor.engine import datasets

    data = datasets.data("circle", 200, 0.05, 0)
    return data.x, data.y


def bare_net(*, watched: bool = True) -> Step:
    x, y = circle()
    model, losses = net(), []
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
    loss_of = nn.functional.binary_cross_entropy_with_logits
    generator = torch.Generator().manual_seed(0)

    def step() -> int:
        rows = torch.randperm(len(x), generator=generator)[:BATCH]
        loss = loss_of(model(x[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if watched:
            with torch.no_grad():
                losses.append(loss_of(model(x), y).item())
        return 1

    return step


def bare_lines(batches: Sequence[int]) -> Step:
    """One update of each, their losses on all the data and parameters kept."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(POINTS, 1, generator=generator)
    y = -5 * x + 2 + torch.randn(POINTS, 1, generator=generator)
    models = [nn.Linear(1, 1) for _ in batches]
    optimisers = [torch.optim.SGD(model.parameters(), lr=0.05) for model in models]
    points: list[list[tuple[float, ...]]] = [[] for _ in batches]
    loss_of = nn.functional.mse_loss

    def step() -> int:
        for batch, model, optimiser, seen in zip(
            batches, models, optimisers, points, strict=True
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
        return 1

    return step


# ------------------------------------------------------------------ the tutor's engines


def engine(name: str, settings: list[str]) -> Step:
    """Slices, as the kernel computes them; a compiled one waits for its compiler."""
    from tutor.engine import leaps, train
    from tutor.training import options
    from tutor.training.run import Finished
    from tutor.training.spec import SliceRequest

    race = options.race(None, [*settings, "iterations=1e9", f"engine={name}"])
    race = replace(race, id=f"bench {name} {settings}")
    reached = 0
    engines: set[str] = set()

    def step(length: float = 0.25) -> int:
        nonlocal reached
        request = SliceRequest(race, fresh=not reached, seconds=length)
        *_, end = train.train(request)
        assert isinstance(end, Finished)
        before, reached = reached, max(run.iteration for run in end.runs.values())
        engines.update(run.engine for run in end.runs.values())
        return reached - before

    while name == "compiled":
        engines.clear()
        step(0.01)
        if engines == {"compiled"}:
            break
        if leaps.problem_here():
            raise SystemExit(leaps.problem_here())
        while leaps.busy():
            threading.Event().wait(0.1)
    return step


# ------------------------------------------------------------------------------- others


def lightning(seconds: float) -> Counted:
    """With the bar and the CSV logger of its defaults, logging each step's loss."""
    made = importlib.import_module("pytorch_lightning")
    loggers = importlib.import_module("pytorch_lightning.loggers")
    x, y = circle()

    class Net(made.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = net()

        def training_step(self, batch: tuple[Tensor, Tensor], at: int) -> Tensor:
            outputs = self.net(batch[0])
            loss = nn.functional.binary_cross_entropy_with_logits(outputs, batch[1])
            self.log("loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.05)

    class Clock(made.Callback):  # type: ignore[misc, name-defined]
        began = cpu = 0.0
        first = count = 0

        def on_train_batch_end(self, trainer: object, *_: object) -> None:
            self.count += 1
            if self.count == 50:
                self.first = 50
                self.began, self.cpu = time.perf_counter(), time.process_time()
            if self.first and time.perf_counter() - self.began > seconds:
                trainer.should_stop = True  # type: ignore[attr-defined]

    clock, folder = Clock(), tempfile.mkdtemp()
    data = torch.utils.data.TensorDataset(x, y)
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True)
    trainer = made.Trainer(
        max_epochs=-1,
        accelerator="cpu",
        logger=loggers.CSVLogger(folder),
        callbacks=[clock],
        default_root_dir=folder,
        enable_model_summary=False,
    )
    trainer.fit(Net(), loader)
    return (
        clock.count - clock.first,
        time.perf_counter() - clock.began,
        time.process_time() - clock.cpu,
    )


def keras() -> Step:
    """`model.fit` on the torch backend, with its default bar."""
    os.environ["KERAS_BACKEND"] = "torch"
    made = importlib.import_module("keras")
    x, y = circle()
    layers = made.layers
    model = made.Sequential(
        [
            layers.Dense(16, "tanh"),
            layers.Dense(16, "tanh"),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(made.optimizers.SGD(0.05), "binary_crossentropy")
    inputs, targets = x.numpy(), y.numpy()
    per_epoch = -(-len(x) // BATCH)

    def step() -> int:
        model.fit(inputs, targets, batch_size=BATCH, epochs=20)
        return 20 * per_epoch

    return step


# ----------------------------------------------------------------------------- measuring


@cache
def trainer(name: str) -> Step:
    """Warm, and made once."""
    step = _trainer(name)
    step()
    return step


def _trainer(name: str) -> Step:
    kind, _, what = name.partition("-")
    match kind, what:
        case "bare", "net":
            return bare_net()
        case "unwatched", "net":
            return bare_net(watched=False)
        case "bare", "line":
            return bare_lines([4])
        case "bare", "race":
            return bare_lines([POINTS, 4, 1])
        case (("eager" | "compiled"), ("net" | "line" | "race")):
            return engine(kind, SETTINGS[what])
        case "keras", "net":
            return keras()
    raise SystemExit(f"there is no trainer {name}")


def counted(name: str, seconds: float) -> Counted:
    """Train for so long, or a little longer."""
    if name == "lightning-net":
        return lightning(seconds)
    step = trainer(name)
    count, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        count += step()
    return count, time.perf_counter() - began, time.process_time() - cpu


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        name, seconds = line.split()
        with Path(os.devnull).open("w") as bars, contextlib.redirect_stdout(bars):
            count, clock, cpu = counted(name, float(seconds))
        print(count / clock, count / cpu, flush=True)


if __name__ == "__main__":
    main()
