"""A lesson's kernel as a proof uses it: code with a deadline, and a way back.

The state after each accepted cell can be made again from nothing, since a try of the
proof may have spoilt it.
"""

import asyncio
from dataclasses import dataclass

from tutor.errors import KernelDiedError, StoppedError
from tutor.kernel.base import KernelState
from tutor.kernel.outputs import Done, Failure, Result, Stream
from tutor.lesson.schema import CodeCell, ExerciseCell, Lesson
from tutor.session import Session
from tutor.verdicts import Verdict

DEADLINE_S = 120.0
"""For one cell with its check. A lesson's cell needs a second; this ends a loop."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one execution."""

    verdict: Verdict | None = None
    """None: there was no cell to judge, or it did not come to a judgement."""
    failure: Failure | None = None
    """What the code raised."""
    result: str | None = None
    """The last expression's value, as text."""
    printed: str = ""
    died: str | None = None
    """Why the kernel ended, as a phrase; None: it lives."""

    @property
    def trouble(self) -> str | None:
        """What the code itself does, like "raises ValueError: no"; None: it runs."""
        if self.died is not None:
            return f"ends the kernel: {self.died}"
        if self.failure is None:
            return None
        first = self.failure.evalue.split("\n")[0]
        said = f": {first}" if first else ""
        return f"raises {self.failure.ename}{said}".rstrip(".")


class Stage:
    """One lesson in one Session."""

    def __init__(
        self, session: Session, lesson: Lesson, deadline_s: float = DEADLINE_S
    ) -> None:
        """`prepare` comes before anything else."""
        self.session = session
        self.lesson = lesson
        self.accepted: list[str] = []
        """The code that a learner has executed so far, going straight through."""
        self._deadline_s = deadline_s

    async def prepare(self) -> str | None:
        """A fresh state; what the setup raised, as "Type: message"."""
        if self.session.kernel.state is KernelState.DEAD:
            await self.session.restart(replay=False)
        return await self.session.open(self.lesson)

    async def again(self) -> None:
        """The state that a learner has here who went straight through."""
        await self.prepare()
        for code in self.accepted:
            if (await self._once(code, None)).died is not None:
                await self.prepare()
                return

    async def execute(
        self, code: str, cell: CodeCell | ExerciseCell | None = None
    ) -> Tried:
        """Execute and judge; a kernel that ended or hung is replaced before it returns.

        StoppedError when the reader interrupted it.
        """
        tried = await self._once(code, cell)
        if tried.died is not None:
            await self.again()
        return tried

    async def _once(self, code: str, cell: CodeCell | ExerciseCell | None) -> Tried:
        seen = _Seen()
        try:
            async with asyncio.timeout(self._deadline_s):
                async for event in self.session.execute(code, cell):
                    seen.take(event)
        except TimeoutError:
            await self.session.kill()
            seen.died = f"it was still busy after {self._deadline_s:g} s"
        except KernelDiedError as error:  # while it judged
            seen.died = str(error)
        return seen.tried()


class _Seen:
    """Gathers a Tried from events."""

    def __init__(self) -> None:
        self.died: str | None = None
        self._verdict: Verdict | None = None
        self._failure: Failure | None = None
        self._result: str | None = None
        self._printed = ""

    def take(self, event: object) -> None:
        match event:
            case Verdict():
                self._verdict = event
            case Failure():
                self._failure = event
            case Result(text):
                self._result = text
            case Stream("stdout", text):
                self._printed += text
            case Done("died", cause):
                self.died = cause or "for an unknown reason"
            case Done("interrupted"):
                raise StoppedError("Interrupted.")

    def tried(self) -> Tried:
        return Tried(
            self._verdict, self._failure, self._result, self._printed, self.died
        )
