"""Races in a kernel, asked for slice by slice; `training.spec` says why. No screen, no
torch: `Session.train` and `Session.stop_training` are this.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from tutor.errors import KernelDiedError, StoppedError, TutorError, WireError
from tutor.kernel.asking import ask
from tutor.kernel.base import Kernel
from tutor.training.findings import Finding
from tutor.training.run import Finished, Points
from tutor.training.spec import Kept, RaceSpec, SliceRequest
from tutor.training.views import View, ViewRequest

Arrived = Points | Finding | Kept | View | Finished
Views = tuple[ViewRequest, ...] | Callable[[], tuple[ViewRequest, ...]]
"""What is to be seen on the way; a function is asked again for each slice."""

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
        views: Views = (),
    ) -> AsyncGenerator[Arrived]:
        """Compute `limit` iterations (None: all that are left; 0: only the start).

        A race with an id that was trained before goes on from there, with what `spec`
        says of the iterations to come; one that the kernel does not know, from `kept`,
        to `limit` iterations behind `reached`. A kernel that ends by itself is started
        again: a `Finding` says so, and the race goes on from what was kept last, so that
        some points come twice; one that ends at once again is an error. Points as they
        come; `Finished` is always the last, and no later than its points. Raises
        TutorError with a sentence.
        """
        self._stopping = False
        await self._start()
        way = _Way(spec, limit, kept, reached, self._reached.get(spec.id))
        while True:
            async for answer in self._leg(way, views):
                yield answer
            if way.finished is None:  # it was stopped before it began, or begins again
                continue
            if spec.id:
                self._reached[spec.id] = way.reached
            if way.finished.over or self._stopping or way.is_there:
                yield way.finished
                return

    async def _leg(self, way: "_Way", views: Views) -> AsyncIterator[Arrived]:
        """One slice, whose end is in `way`; where there is none, what to do about it."""
        kernel = await self._start()
        request = way.request(views, stopping=self._stopping)
        try:
            async for answer in self._slice(kernel, request):
                way.take(answer)
                if not isinstance(answer, Finished):
                    yield answer
        except KernelDiedError as error:
            if self._stopping or not way.survives():
                raise
            yield Finding(request.race.runs[0].name, "restarted", text=str(error))
        except TutorError:
            if not way.remembers():
                raise

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

    def give_up(self) -> None:
        """Its kernel is about to be ended: do not go on in another one."""
        self._stopping = True


class _Way:
    """One call of `train`: how far it is to go, and what the kernel knows of it."""

    def __init__(
        self,
        spec: RaceSpec,
        limit: int | None,
        kept: tuple[Kept, ...],
        reached: int,
        begun: int | None,
    ) -> None:
        """`begun`: where the race stands in the kernel, if that should know it."""
        self._spec = spec
        self._states = {each.run: each for each in kept}
        self._known = self._untried = begun is not None
        self._died = False
        self.reached = self._state if begun is None else begun
        """The iteration of the runs that can go on."""
        reached = reached if begun is None else begun
        self._goal = None if limit is None else limit + reached
        self.finished: Finished | None = None
        """How the last slice ended; None: it did not."""

    @property
    def _state(self) -> int:
        return max((each.iteration for each in self._states.values()), default=0)

    @property
    def left(self) -> int | None:
        """Iterations; None: all that there are."""
        return None if self._goal is None else max(0, self._goal - self.reached)

    @property
    def is_there(self) -> bool:
        """It came as far as it was to go; what came further has no more to do."""
        return self.left == 0

    def request(self, views: Views, *, stopping: bool) -> SliceRequest:
        """The next slice."""
        self.finished = None
        # without an id nobody can go on with it; workers take seconds to start
        in_slices = self._spec.id and self._spec.workers == 1
        return SliceRequest(
            self._spec,
            fresh=not self._known and not self._states,
            limit=0 if stopping else self.left,
            seconds=SLICE_S if in_slices else None,
            kept=() if self._known else tuple(self._states.values()),
            views=views() if callable(views) else views,
        )

    def take(self, answer: Arrived) -> None:
        """What a slice said."""
        self._known, self._untried = True, False
        if isinstance(answer, Kept):
            self._states[answer.run] = answer
        elif isinstance(answer, Finished):
            self.finished = answer
            self.reached = _reached(answer)
            self._died = False

    def survives(self) -> bool:
        """Its kernel ended: whether to go on in another one."""
        if self._died or not self._spec.id:
            return False
        self._died, self._known, self.reached = True, False, self._state
        return True

    def remembers(self) -> bool:
        """The kernel does not know the race, from which nothing came yet: whether there
        is a state to go on from."""
        if not (self._untried and self._states):
            return False
        self._known = self._untried = False
        return True


def _reached(finished: Finished) -> int:
    """The iteration of the runs that can go on, else of the longest."""
    ends = finished.runs.values()
    going = [end.iteration for end in ends if end.stopped == "interrupted"]
    return max(going or [end.iteration for end in ends])
