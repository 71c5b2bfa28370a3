"""One trainer in a process of its own: iterations a second of the clock, and of the
processor's time.

    python -m bench.trainer_one bare|unwatched|eager|compiled|lightning|keras SECONDS

A 2-16-16-1 tanh net on the 200 points of the circle, batch 32, SGD, one thread. `bare`
keeps the loss on all the data of each iteration, as the tutor shows it; `unwatched` none.
`eager` and `compiled` are the engine's, without a screen; `race` before them: the three
runs of 2.14 (`bare-race`, `eager-race`, `compiled-race`).
"""

import importlib
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

BATCH = 32
SETTINGS = ["model=mlp", "widths=16,16", "batch=32", "optimiser=sgd", "lr=0.05"]
Counted = tuple[int, float, float]
"""Iterations, seconds of the clock, seconds of the processor."""


def net() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Linear(2, 16), nn.Tanh()),
        *(nn.Linear(16, 16), nn.Tanh()),
        nn.Linear(16, 1),
    )


def circle() -> tuple[torch.Tensor, torch.Tensor]:
    from tutor.engine import datasets

    data = datasets.data("circle", 200, 0.05, 0)
    return data.x, data.y


def timed(step: Callable[[], int], seconds: float) -> Counted:
    """`step` does some iterations and says how many."""
    step()
    count, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        count += step()
    return count, time.perf_counter() - began, time.process_time() - cpu


def bare(seconds: float, *, watched: bool = True) -> Counted:
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

    return timed(step, seconds)


def unwatched(seconds: float) -> Counted:
    return bare(seconds, watched=False)


def engine(seconds: float, name: str, settings: list[str]) -> Counted:
    """The engine's slices, as the kernel computes them."""
    from tutor.engine import leaps, train
    from tutor.training import options
    from tutor.training.run import Finished
    from tutor.training.spec import SliceRequest

    race = options.race(None, [*settings, "iterations=1e9", f"engine={name}"])
    race = replace(race, id="bench")
    reached = 0

    def step(length: float = 0.5) -> int:
        nonlocal reached
        request = SliceRequest(race, fresh=not reached, seconds=length)
        *_, end = train.train(request)
        assert isinstance(end, Finished)
        before, reached = reached, max(run.iteration for run in end.runs.values())
        engines.update(run.engine for run in end.runs.values())
        return reached - before

    engines: set[str] = set()
    while name == "compiled":
        engines.clear()
        step(0.01)
        if engines == {"compiled"}:
            break
        if leaps.problem_here():
            raise SystemExit(leaps.problem_here())
        while leaps.busy():
            os.sched_yield()
    return timed(step, seconds)


def eager(seconds: float) -> Counted:
    return engine(seconds, "eager", SETTINGS)


def compiled(seconds: float) -> Counted:
    return engine(seconds, "compiled", SETTINGS)


def eager_race(seconds: float) -> Counted:
    return engine(seconds, "eager", [])


def compiled_race(seconds: float) -> Counted:
    return engine(seconds, "compiled", [])


def bare_race(seconds: float) -> Counted:
    from bench import bare_race as race

    race.main(0.1)
    per_second, per_cpu = race.main(seconds)
    count = round(per_second * seconds)
    return count, seconds, count / per_cpu


def lightning(seconds: float) -> Counted:
    """With the bar and the CSV logger of its defaults, logging each step's loss."""
    made = importlib.import_module("pytorch_lightning")
    loggers = importlib.import_module("pytorch_lightning.loggers")
    x, y = circle()

    class Net(made.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = net()

        def training_step(
            self, batch: tuple[torch.Tensor, torch.Tensor], at: int
        ) -> torch.Tensor:
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


def keras(seconds: float) -> Counted:
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

    return timed(step, seconds)


VARIANTS: dict[str, Callable[[float], Counted]] = {
    "bare": bare,
    "unwatched": unwatched,
    "eager": eager,
    "compiled": compiled,
    "bare-race": bare_race,
    "eager-race": eager_race,
    "compiled-race": compiled_race,
    "lightning": lightning,
    "keras": keras,
}


def main(variant: str, seconds: float) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    count, clock, cpu = VARIANTS[variant](seconds)
    print(f"\nRESULT {count / clock} {count / cpu}", flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
