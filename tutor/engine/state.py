"""A kernel as good as new without a new process: between lessons.

`remember` what there is before any cell runs; `reset` puts it back. What it cannot undo:
threads that still run, libraries changed from within (but see `truth`), files on disk.
"""

import contextlib
import gc
import linecache
import os
import random
import sys
import threading
import warnings
from dataclasses import dataclass
from typing import Any

import torch

import tutor
from tutor.engine import bridge, truth
from tutor.messages import ResetDone, ResetRequest

_SETUP_FILE = "<setup>"
_TABLES = ("_hooks", "_hooks_always_called", "_hooks_with_kwargs")


@dataclass(frozen=True)
class _Defaults:
    folder: str
    path: list[str]
    environment: dict[str, str]
    filters: list[Any]
    threads: int
    recursion: int
    matmul_precision: str


_defaults: _Defaults | None = None


def remember() -> None:
    """Call once, before any code of the learner runs."""
    global _defaults
    _defaults = _Defaults(
        folder=os.getcwd(),  # noqa: PTH109 - a str, as chdir takes it
        path=list(sys.path),
        environment=dict(os.environ),
        filters=list(warnings.filters),
        threads=torch.get_num_threads(),
        recursion=sys.getrecursionlimit(),
        matmul_precision=torch.get_float32_matmul_precision(),
    )


def reset(request: ResetRequest) -> ResetDone:
    """Forget the learner's names, restore the defaults, run the lesson's setup."""
    assert _defaults is not None, "`hello` remembers the defaults"
    truth.restore()
    _reset_process(_defaults)
    _reset_torch(_defaults)
    _reset_names()
    _seed(request.seed)
    return ResetDone(_run_setup(request.setup))


def _reset_process(defaults: _Defaults) -> None:
    sys.settrace(None)
    threading.settrace(None)
    sys.setprofile(None)
    sys.setrecursionlimit(defaults.recursion)
    gc.enable()
    sys.path[:] = defaults.path
    if os.environ != defaults.environment:
        os.environ.clear()
        os.environ.update(defaults.environment)
    warnings.resetwarnings()
    warnings.filters[:] = defaults.filters  # type: ignore[index]
    with contextlib.suppress(OSError):
        os.chdir(defaults.folder)


def _reset_torch(defaults: _Defaults) -> None:
    _pop_modes()  # first: what follows would go through them
    torch.set_default_device(None)
    _pop_modes()  # of `with torch.device(...)` that was not left
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    torch.autograd.set_detect_anomaly(False)
    torch.autograd.set_multithreading_enabled(True)
    torch.use_deterministic_algorithms(False)
    torch.set_warn_always(False)
    torch.set_printoptions(profile="default", sci_mode=None)
    torch.set_num_threads(defaults.threads)
    torch.set_float32_matmul_precision(defaults.matmul_precision)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = False
    _reset_hooks()
    if torch.cuda.is_initialized():
        torch.cuda.set_device(0)
        torch.cuda.empty_cache()


def _reset_hooks() -> None:
    """Those for all modules, optimisers, operations and saved tensors."""
    # torch.optim deletes the name of its own submodule.
    optimizer = sys.modules["torch.optim.optimizer"]
    for owner in (torch.nn.modules.module, optimizer):
        for name, table in vars(owner).items():
            if name.startswith("_global_") and name.endswith(_TABLES):
                table.clear()
    torch.nn.modules.module._global_is_full_backward_hook = None
    with contextlib.suppress(AttributeError):  # private, and no public way is there
        while torch._C._autograd._top_saved_tensors_default_hooks(True) is not None:
            torch._C._autograd._pop_saved_tensors_default_hooks()


def _pop_modes() -> None:
    with contextlib.suppress(AttributeError):  # private as well
        while torch._C._len_torch_function_stack():
            torch._C._pop_torch_function_stack()


def _reset_names() -> None:
    """As IPython's own reset, but modules stay imported and aliases stay defined."""
    shell = bridge.shell()
    shell.reset(new_session=True)
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)
    gc.collect()


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    random.seed(seed)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
        numpy.set_printoptions()


def _run_setup(setup: str) -> str | None:
    """What it raised, as "Type: message". torch, nn, F and tutor are at hand in a lesson."""
    names = bridge.namespace()
    names.update(torch=torch, nn=torch.nn, F=torch.nn.functional, tutor=tutor)
    lines = setup.splitlines(keepends=True)
    linecache.cache[_SETUP_FILE] = (len(setup), None, lines, _SETUP_FILE)
    try:
        exec(compile(setup, _SETUP_FILE, "exec"), names)
    except Exception as error:  # noqa: BLE001 - told to the learner
        return f"{type(error).__name__}: {error}"
    return None
