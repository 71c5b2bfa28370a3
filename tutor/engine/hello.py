"""The first question to a kernel: imports torch, and says what it runs on."""

import gc
import importlib
import os
import platform
import sys

from tutor.messages import Hello, HelloRequest, Warmed, WarmRequest

_WARMING = ("sympy", "torch.distributed.fsdp", "torch._dynamo")
"""What the first optimiser of a process imports, about a second: torch wraps the step
of each with torch._dynamo, which needs the others. Each is a third of that second."""


def hello(request: HelloRequest) -> Hello:
    """Import torch and set it up."""
    python = platform.python_version()
    sys.path += [folder for folder in request.path_last if folder not in sys.path]
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - a broken build raises anything
        problem = f"{type(error).__name__}: {error}"
        return Hello(python, None, None, None, (), problem)
    if request.threads is not None:
        torch.set_num_threads(request.threads)
    # They remember the true functions and states, so no cell may run before them.
    from tutor.engine import state, truth  # noqa: F401

    state.remember()
    gc.freeze()  # collecting would go through all of torch each time: 0.2 s
    return Hello(
        python=python,
        torch=str(torch.__version__),
        torch_path=os.path.dirname(torch.__file__),  # noqa: PTH120
        cuda=torch.version.cuda,
        devices=_devices(),
    )


def _devices() -> tuple[str, ...]:
    import torch

    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return tuple(devices)


def warm(request: WarmRequest) -> Warmed:
    """Import one part of what an optimiser will need; asked for while nothing runs."""
    importlib.import_module(_WARMING[request.part])
    gc.freeze()
    return Warmed(parts_left=len(_WARMING) - 1 - request.part)
