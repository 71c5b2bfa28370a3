"""What holds while something long is computed for a reader: an interrupt is noticed, not
raised, and small tensors have one torch thread.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType

import torch

from tutor.training import catalogue
from tutor.training.spec import RaceSpec

SMALL_MODEL = 100_000
"""Parameters up to which one thread is faster than several."""


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """SIGINT only sets what the yielded function tells, so that it never comes in the
    middle of an iteration. Who cannot wait for its end ends the kernel.
    """
    told = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told = True

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: nobody can interrupt us here
        yield lambda: False
        return
    try:
        yield lambda: told
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Several would wait for each other; how many there were is put back."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def few_threads(race: RaceSpec) -> AbstractContextManager[None]:
    """One torch thread while only small models are trained."""
    small = all(
        catalogue.parameter_count(run.model, run.dataset, run.widths) <= SMALL_MODEL
        for run in race.runs
    )
    return one_thread() if small else nullcontext()
