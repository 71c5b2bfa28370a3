"""One program under one way of watching, in a process of its own.

    python -m bench.recorder_one PROGRAM VARIANT REPEATS     prints JSON, seconds

A repeat is forward and backward; for the recorder also its opening and closing. What is
done later, when the trace is asked for, is timed beside it.
"""

import contextlib
import gc
import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from bench.models import MAKERS, Forward


class FunctionMode(TorchFunctionMode):
    """Looks at nothing: what being called for every function costs by itself."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return function(*args, **(kwargs or {}))


class DispatchLog(TorchDispatchMode):
    """Notes the name of every call below autograd."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


def recorder() -> AbstractContextManager[Any]:
    from tutor.engine.recorder import Recorder

    return Recorder()


class Drawn:
    """A tool that is called with the net's forward pass, once a step, by itself."""

    def __init__(self, draw: Callable[[torch.Tensor], object]) -> None:
        self.draw = draw

    def __enter__(self) -> "Drawn":
        return self

    def __exit__(self, *raised: object) -> None:
        return None


def torchviz() -> AbstractContextManager[Any]:
    """Draws the graph behind the loss, with the names of no variable."""
    from torchviz import make_dot

    return Drawn(make_dot)


WAYS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "plain": contextlib.nullcontext,
    "function mode": FunctionMode,
    "dispatch log": DispatchLog,
    "recorder": recorder,
    "torchviz": torchviz,
}
PEERS = ("torchviz",)
"""Only where they are installed; torchlens and torchview take an nn.Module and run its
forward pass alone, so they stand beside no row here."""


def step(forward: Forward, way: Callable[[], AbstractContextManager[Any]]) -> Any:
    with way() as watching:
        loss = forward()
        if isinstance(watching, Drawn):
            watching.draw(loss)
        loss.backward()
    return watching


def main(program: str, variant: str, repeats: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    forward, leaves = MAKERS[program]()
    way = WAYS[variant]
    took, later = [], []
    for number in range(repeats):
        if number % 50 == 0:
            gc.collect()
        began = time.perf_counter()
        watching = step(forward, way)
        took.append(time.perf_counter() - began)
        if variant == "recorder":
            began = time.perf_counter()
            count = len(list(watching.drafts.events()))
            later.append(time.perf_counter() - began)
            assert count
            assert watching.drafts.truncated is None
        del watching
        for leaf in leaves:
            leaf.grad = None
    return {"seconds": took, "events": later}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
