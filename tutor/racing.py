"""Races in a kernel, asked for slice by slice; `training.spec` says why. No screen, no
torch: `Session.train` and `Session.stop_training` are this.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from tutor.errors import StoppedError, TutorError, WireError
from tutor.kernel.asking import ask
from tutor.kernel.base import Kernel
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points
from tutor.training.spec import Kept, RaceSpec, SliceRequest

Arrived = Points | Finding | Kept | Finished

SLICE_S = 1.0
"""Long enough that the gap between two slices costs nothing; an interrupt ends one at
once, and without an answer to that a pause takes so long at most."""


class Racing:
    """The races of one session; one of them computes at a time."""

    def __init__(self, kernel: Callable[[], Awaitable[Kernel]]) -> None:
        """`kernel` starts the one to race in at its first use."""
        self._start = kernel
        self._kernel: Kernel | None = None
        self._reached: dict[str, int] = {}
        """By the race's id: its last iteration. A race that is not here is fresh."""
        self._stopping = False
        self._interrupted = False
        """The slice that is computed; once is enough."""

    async def train(
        self,
        spec: RaceSpec,
        limit: int | None = None,
        kept: tuple[Kept, ...] = (),
        reached: int = 0,
    ) -> AsyncGenerator[Arrived]:
        """Compute `limit` iterations (None: all that are left; 0: only the start).

        A race with an id that was trained before goes on from there, with the lr, batch
        size, optimiser and number of iterations that `spec` has now; one that the kernel
        does not know, from `kept`, to `limit` iterations behind `reached`. Points as
        they come; `Finished` is always the last, and no later than its points. Raises
        TutorError with a sentence.
        """
        self._stopping = False
        kernel = await self._start()
        begun = self._reached.get(spec.id)
        fresh = begun is None and not kept
        if begun is None:
            begun = max((each.iteration for each in kept), default=0)
        else:
            kept, reached = (), begun
        goal = None if limit is None else limit + reached
        left = None if goal is None else goal - begun
        while True:
            finished = None
            left = 0 if self._stopping else left
            seconds = SLICE_S if spec.id else None  # nobody can go on without an id
            request = SliceRequest(spec, fresh, left, seconds, kept)
            async for answer in self._slice(kernel, request):
                fresh, kept = False, ()
                if isinstance(answer, Finished):
                    finished = answer
                else:
                    yield answer
            if finished is None:  # it was stopped before it began
                continue
            reached = _reached(finished)
            if spec.id:
                self._reached[spec.id] = reached
            left = None if goal is None else goal - reached
            if finished.over or self._stopping or left == 0:
                yield finished
                return

    async def _slice(
        self, kernel: Kernel, request: SliceRequest
    ) -> AsyncIterator[Arrived]:
        """One slice; nothing at all, and `_stopping` set, when it was stopped early."""
        ended = False
        self._kernel, self._interrupted = kernel, False
        try:
            async for answer in ask(kernel, "train", request):
                ended = isinstance(answer, Finished)
                yield answer
        except StoppedError:
            if not ended and request.limit == 0:
                raise
            self._stopping = True
        except TutorError:
            self._reached.pop(request.race.id, None)
            raise
        finally:
            self._kernel = None
        if not ended and not self._stopping:
            raise WireError("the end of the race was lost: start it anew.")

    async def stop(self) -> None:
        """End the slice at its next iteration; nothing is lost, `train` still ends with
        its points and `Finished`. Nothing happens when no race computes.
        """
        self._stopping = True
        if self._kernel is not None and not self._interrupted:
            self._interrupted = True
            await self._kernel.interrupt()


def _reached(finished: Finished) -> int:
    """The iteration of the runs that can go on, else of the longest."""
    ends = finished.runs.values()
    going = [end.iteration for end in ends if end.stopped == "interrupted"]
    return max(going or [end.iteration for end in ends])
