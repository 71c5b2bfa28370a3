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
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from bench.models import MAKERS, NETS, Forward


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


def torchlens(net: nn.Module, inputs: tuple[torch.Tensor, ...]) -> object:
    import torchlens

    return torchlens.trace(net, list(inputs))


def torchview(net: nn.Module, inputs: tuple[torch.Tensor, ...]) -> object:
    from torchview import draw_graph

    return draw_graph(net, input_data=inputs, device="cpu", mode="train")


WAYS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "plain": contextlib.nullcontext,
    "function mode": FunctionMode,
    "dispatch log": DispatchLog,
    "recorder": recorder,
    "torchviz": torchviz,
}
ALONE: dict[str, Callable[[nn.Module, tuple[torch.Tensor, ...]], object]] = {
    "torchlens": torchlens,
    "torchview": torchview,
}
"""Tools that take a module and run its forward pass themselves; nothing goes backward."""
PEERS = ("torchviz", *ALONE)
"""Only where they are installed."""


def step(forward: Forward, way: Callable[[], AbstractContextManager[Any]]) -> Any:
    with way() as watching:
        loss = forward()
        if isinstance(watching, Drawn):
            watching.draw(loss)
        loss.backward()
    return watching


def alone(program: str, variant: str, repeats: int) -> dict[str, Any]:
    net, inputs = NETS[program]()
    took = []
    for _ in range(repeats):
        gc.collect()
        began = time.perf_counter()
        seen = ALONE[variant](net, inputs)
        took.append(time.perf_counter() - began)
        del seen
    return {"seconds": took, "events": []}


def main(program: str, variant: str, repeats: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    if variant in ALONE:
        return alone(program, variant, repeats)
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
