"""The surroundings of a check: what it must leave as it was, and its time limit."""

import contextlib
import io
import os
import random
import signal
import sys
import threading
import types
import warnings
from collections.abc import Iterator
from typing import Any

import torch

_AGAIN_S = 0.1
"""A learner's bare `except:` may swallow the first alarm; the next comes after this."""


class TimeIsUpError(BaseException):
    """The time limit passed. Not an Exception, so that `except Exception` lets it go."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """TimeIsUpError in the main thread after `seconds`; without limit in another.

    An operation of torch that is under way ends first. The alarm and the handler that
    were set before are put back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def ring(number: int, frame: types.FrameType | None) -> None:
        if armed:
            raise TimeIsUpError

    handler = signal.signal(signal.SIGALRM, ring)
    before = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_S)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, handler)


@contextlib.contextmanager
def untouched(namespace: dict[str, Any], seed: int = 0) -> Iterator[None]:
    """Within: torch as it is at its start, seeded, silent. After: all as it was.

    Kept are the namespace's bindings, the random states (torch, CUDA once initialised,
    random, numpy if imported), grad mode, default dtype and device, the working folder,
    the warning filters. What the body prints is dropped.
    """
    names = dict(namespace)
    folder = _folder()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_kept_random_state())
        stack.enter_context(_kept_defaults())
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(contextlib.redirect_stdout(_Nowhere()))
        stack.enter_context(contextlib.redirect_stderr(_Nowhere()))
        warnings.simplefilter("ignore")
        _seed(seed)
        try:
            yield
        finally:
            if namespace.keys() != names.keys() or any(
                namespace[name] is not value for name, value in names.items()
            ):
                namespace.clear()
                namespace.update(names)
            if folder is not None and _folder() != folder:
                os.chdir(folder)


def altered_defaults() -> list[str]:
    """What code inside `untouched` left changed and checks cannot go on with."""
    altered = []
    if not torch.is_grad_enabled():
        altered.append("gradients switched off")
    if torch.get_default_dtype() != torch.float32:
        altered.append(f"the default dtype at {torch.get_default_dtype()}")
    if (device := _default_device()) is not None:
        altered.append(f"the default device at {device}")
    return altered


def _seed(seed: int) -> None:
    """As torch.manual_seed, which would also seed a CUDA that starts later."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    random.seed(seed)


class _Nowhere(io.TextIOBase):
    """A stream that forgets what is written to it."""

    def write(self, text: str) -> int:
        return len(text)


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a str to compare, and to go back to
    except OSError:
        return None


@contextlib.contextmanager
def _kept_random_state() -> Iterator[None]:
    python = random.getstate()
    numpy: Any = sys.modules.get("numpy")
    numpy_state = numpy.random.get_state() if numpy is not None else None
    cuda = torch.cuda.is_initialized()
    devices = range(torch.cuda.device_count()) if cuda else ()
    with torch.random.fork_rng(devices, enabled=True):
        try:
            yield
        finally:
            random.setstate(python)
            if numpy_state is not None:
                numpy.random.set_state(numpy_state)


@contextlib.contextmanager
def _kept_defaults() -> Iterator[None]:
    dtype = torch.get_default_dtype()
    device = _default_device()
    with torch.inference_mode(False), torch.enable_grad():
        torch.set_default_dtype(torch.float32)
        if device is not None:
            torch.set_default_device(None)
        try:
            yield
        finally:
            if device is not None or _default_device() is not None:
                torch.set_default_device(device)
            torch.set_default_dtype(dtype)


def _default_device() -> Any:
    """What set_default_device was given; None: nothing.

    torch.get_default_device() raises where the default is a device that torch was not
    built for, and cannot tell "cpu" from nothing.
    """
    context = getattr(torch, "_GLOBAL_DEVICE_CONTEXT", None)
    mode = getattr(context, "device_context", None)
    return getattr(mode, "device", None)
