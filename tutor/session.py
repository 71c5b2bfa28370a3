"""THE CORE: one learner, one lesson, one kernel. Executes a cell, judges it, records it.

The app and every headless command hold one Session and know nothing else of the kernel.
`execute` yields outputs as they come and the verdict last; what it says is on disk
before it is said.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from tutor import messages, verdicts
from tutor.answers import Answer, answer_text
from tutor.errors import MachineError, TutorError
from tutor.graph import checking
from tutor.graph.requests import (
    Checked,
    Looked,
    RetraceRequest,
    TraceLook,
    TraceRequest,
)
from tutor.graph.trace import Trace, assemble
from tutor.kernel.asking import ask, ask_one
from tutor.kernel.base import Completion, Kernel, KernelOptions, KernelState
from tutor.kernel.outputs import Done, Failure, Output, Recording, Stream
from tutor.kernel.recordings import Recordings
from tutor.kernel.watching import OwnLoops
from tutor.lesson.schema import (
    AnyCell,
    CodeCell,
    ExerciseCell,
    Expect,
    Lesson,
    QuestionCell,
)
from tutor.progress import CellProgress, LessonProgress, Progress
from tutor.racing import Racing, Views
from tutor.runs.store import Runs
from tutor.sight import Sight
from tutor.training.findings import Finding
from tutor.training.luck import LuckEnd, LuckPoints, LuckRequest
from tutor.training.run import Finished, Points, Race
from tutor.training.spec import Kept, RaceSpec
from tutor.training.views import View, ViewRequest
from tutor.verdicts import Verdict

Event = Output | Verdict

_PRINTED_KEPT = 100_000
"""Characters of a cell's standard output kept to judge `prints`."""


class Session:
    """One learner at work. Use from one event loop."""

    def __init__(
        self,
        make_kernel: Callable[[KernelOptions], Kernel],
        progress: Progress,
        options: KernelOptions = KernelOptions(),  # noqa: B008 - frozen
        runs: Runs | None = None,
    ) -> None:
        """Without `runs`, races leave nothing on disk."""
        self.progress = progress
        self.runs = runs or Runs(None)
        self.kernel = make_kernel(options)
        self.hello: messages.Hello | None = None
        """What the kernel runs on; None until it answered."""
        self.lesson: Lesson | None = None
        self.recorded: Trace | None = None
        """What a cell asked to walk through last; None: nothing yet."""
        self.watched: Race | None = None
        """The loop that a cell watched last, its points so far; None: none was."""
        self.on_watched: Callable[[], None] | None = None
        """Called whenever `watched` has changed."""
        self._options = options
        self._make_kernel = make_kernel
        self.races_here = False
        """True: races compute in the first kernel, as nobody types beside them."""
        self._racer: Kernel | None = None
        self._racing = Racing(self.racer)
        self._sight = Sight(self.racer)
        self._starting: asyncio.Task[None] | None = None
        self._order = asyncio.Lock()
        """Held while the kernel is being made ready: what is typed waits for it."""

    # -- the kernel's life

    async def start(self) -> None:
        """Kernel up and torch imported; returns at once when it is.

        Raises MachineError when the kernel cannot start or torch cannot be imported.
        """
        if self._starting is None or self._failed(self._starting):
            self._starting = asyncio.create_task(self._start(), name="kernel start")
        await asyncio.shield(self._starting)

    def _failed(self, task: asyncio.Task[None]) -> bool:
        return task.done() and (task.cancelled() or task.exception() is not None)

    async def _start(self) -> None:
        await self.kernel.start()
        self.hello = await self._greet(self.kernel, self._options)

    async def _greet(self, kernel: Kernel, options: KernelOptions) -> messages.Hello:
        request = messages.HelloRequest(
            tuple(str(folder) for folder in options.path_last), options.threads
        )
        hello: messages.Hello = await ask_one(kernel, "hello", request)
        if hello.problem is not None:
            raise MachineError(
                f"torch cannot be imported by {sys.executable} ({hello.problem}): "
                "install it there, or see `python -m tutor doctor`."
            )
        return hello

    async def warm(self) -> None:
        """Import what torch imports late, part by part, while nobody runs anything.

        The first optimiser of a process costs a second without it; a cell waits for
        one part at most.
        """
        part = 0
        while self.kernel.state is KernelState.IDLE:
            warmed = await ask_one(self.kernel, "warm", messages.WarmRequest(part))
            if not warmed.parts_left:
                return
            part += 1

    async def interrupt(self) -> None:
        """Ask the running cell to stop; what waits behind it is forgotten."""
        await self.kernel.interrupt()

    async def kill(self) -> None:
        """End the kernel now; its namespace is lost until `restart` replays it."""
        await self.kernel.kill()

    async def restart(self, *, replay: bool = True) -> list[str]:
        """A fresh kernel; the lesson's setup and accepted cells are executed again.

        Returns what went wrong in the replay, a sentence each.
        """
        async with self._order:
            await self.kernel.restart()
            self.hello = await self._greet(self.kernel, self._options)
            if self.lesson is None:
                return []
            problems = []
            if problem := await self._reset(self.lesson):
                problems.append(f"The lesson's setup failed: {problem}")
            if replay:
                problems += [line async for line in self._replay(self.lesson)]
            return problems

    async def replay(self) -> list[str]:
        """Execute the open lesson's accepted cells again: their names are back.

        Returns what went wrong, a sentence each.
        """
        if self.lesson is None:
            return []
        async with self._order:
            return [line async for line in self._replay(self.lesson)]

    async def _replay(self, lesson: Lesson) -> AsyncIterator[str]:
        for number, cell in enumerate(lesson.cells, start=1):
            if not isinstance(cell, (CodeCell, ExerciseCell)):
                continue
            accepted = self.cell_progress(cell).accepted
            if accepted is None:
                continue
            async for output in self.kernel.execute(accepted):
                match output:
                    case Failure(ename, evalue) if not _may_raise(cell):
                        yield f"Cell {number} failed again: {ename}: {evalue}"
                    case Done("died", cause):
                        yield f"Cell {number} ended the kernel again: {cause}"
                        return

    async def close(self) -> None:
        """Stop both kernels and let go of the progress file."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        kernels = [self.kernel] + ([self._racer] if self._racer is not None else [])
        await asyncio.gather(*(kernel.stop() for kernel in kernels))
        self._racer = None
        self.runs.close()
        self.progress.close()

    # -- a lesson

    @property
    def lesson_progress(self) -> LessonProgress:
        """Of the open lesson."""
        if self.lesson is None:
            raise RuntimeError("no lesson is open")
        return self.progress.lesson(self.lesson.section)

    def cell_progress(self, cell: AnyCell) -> CellProgress:
        """What was done with a cell of the open lesson, under its id or an alias."""
        return self.lesson_progress.cell(cell.id, tuple(cell.aliases))

    async def open(self, lesson: Lesson) -> str | None:
        """Begin or go on with a lesson in a kernel whose state is fresh.

        Returns what the lesson's setup raised, as "Type: message"; None: nothing.
        """
        self.lesson = lesson
        await self.start()
        async with self._order:
            return await self._reset(lesson)

    async def _reset(self, lesson: Lesson) -> str | None:
        request = messages.ResetRequest(setup=lesson.setup)
        done: messages.ResetDone = await ask_one(self.kernel, "reset", request)
        return done.problem

    async def execute(
        self,
        code: str,
        cell: CodeCell | ExerciseCell | None = None,
        *,
        stdin: bool = False,
    ) -> AsyncIterator[Event]:
        """Outputs as they come, `Done`, and for a cell of the lesson its verdict.

        No verdict follows an interrupt or the kernel's death.
        """
        await self.start()
        async with self._order:
            executing = self.kernel.execute(code, stdin=stdin)
        seen, recordings = _Seen(), Recordings()
        loops = OwnLoops(self.runs.keep, self._tell_watched)
        async for message in executing:
            output = recordings.take(message)
            if isinstance(output, Recording):
                self.recorded = output.trace
            for said in [] if output is None else loops.take(output):
                seen.take(said)
                yield said
        if cell is None or seen.done is None or seen.done.status not in ("ok", "error"):
            return
        verdict = await self._judge(cell, code, seen)
        if verdict is not None:
            self._record(cell, code, verdict)
            yield verdict

    def _tell_watched(self, race: Race) -> None:
        self.watched = race
        if self.on_watched is not None:
            self.on_watched()

    async def _judge(
        self, cell: CodeCell | ExerciseCell, code: str, seen: "_Seen"
    ) -> Verdict | None:
        if isinstance(cell, CodeCell):
            return await self._judge_code(cell, code, seen)
        if seen.failure is not None:
            return verdicts.judge_failure(cell, seen.failure, code)
        return verdicts.judge_report(cell, await self._check(cell, code))

    async def _judge_code(
        self, cell: CodeCell, code: str, seen: "_Seen"
    ) -> Verdict | None:
        if cell.expect is None or code.strip() != cell.code.strip():
            # Changed code is the learner's own experiment: it is done when it ran.
            return Verdict(cell.id, True, "") if seen.failure is None else None
        report = None
        if seen.failure is None and cell.expect.raises is None:
            report = await self._expectation(cell.expect, code)
        return verdicts.judge_expectation(cell, seen.outputs(), report)

    async def _check(self, cell: ExerciseCell, code: str) -> messages.CheckReport:
        request = messages.CheckRequest(
            code=code,
            check=cell.check,
            when=tuple(wrong.when for wrong in cell.wrong),
            known=tuple(wrong.code for wrong in cell.wrong),
            seconds=cell.seconds,
        )
        report: messages.CheckReport = await ask_one(self.kernel, "check", request)
        return report

    async def _expectation(self, expect: Expect, code: str) -> messages.CheckReport:
        request = messages.ExpectRequest(
            code=code,
            close=expect.close,
            equal=expect.equal,
            shape=None if expect.shape is None else tuple(expect.shape),
            dtype=expect.dtype,
            device=expect.device,
            requires_grad=expect.requires_grad,
        )
        report: messages.CheckReport = await ask_one(self.kernel, "expect", request)
        return report

    def answer(self, cell: QuestionCell, given: Answer) -> Verdict:
        """Judge and record the answer to a question."""
        verdict = verdicts.judge_answer(cell, given)
        self._record(cell, answer_text(given), verdict)
        return verdict

    def _record(self, cell: AnyCell, text: str, verdict: Verdict) -> None:
        self._note("passed" if verdict.passed else "failed", cell.id, text)

    def read(self, cell: AnyCell) -> None:
        """A cell without an answer (text, graph, train) is done; once is enough."""
        if not self.cell_progress(cell).done:
            self._note("passed", cell.id)

    def skip(self, cell: AnyCell) -> None:
        """Leave a cell undone on purpose."""
        self._note("skipped", cell.id)

    def hint(self, cell: QuestionCell | ExerciseCell) -> str | None:
        """The next rung of the ladder; None: all were shown, the solution is next."""
        shown = self.cell_progress(cell).hints
        if shown >= len(cell.hints):
            return None
        self._note("hint", cell.id)
        return cell.hints[shown]

    def solution(self, cell: ExerciseCell) -> str:
        """The solution's code; that it was shown is recorded."""
        self._note("solution", cell.id)
        return cell.solution

    def draft(self, cell_id: str, text: str) -> None:
        """Keep what is typed and not yet run."""
        self._note("draft", cell_id, text)

    @property
    def console_draft(self) -> str | None:
        """What was typed in the console and not run; None: nothing."""
        return self.progress.lesson("console").cell("console").draft

    def keep_console_draft(self, text: str) -> None:
        """Keep what is typed in the console; it belongs to no lesson."""
        self.progress.record("draft", "console", "console", text)

    def place(self, cell_id: str) -> None:
        """Keep where the learner is."""
        if self.lesson_progress.place != cell_id:
            self._note("place", cell_id)

    def _note(self, kind: Any, cell_id: str, text: str = "") -> None:
        assert self.lesson is not None
        self.progress.record(kind, self.lesson.section, cell_id, text)

    # -- questions to the engine

    async def trace(self, request: TraceRequest) -> Trace:
        """Run code under the recorder; what was recorded, also when the code raised."""
        await self.start()
        parts = [part async for part in ask(self.kernel, "trace", request)]
        return assemble(parts)

    async def look(self, request: TraceLook) -> Looked:
        """What a tensor of a trace holds that the kernel still keeps."""
        found = await ask_one(self.kernel, "look", request)
        assert isinstance(found, Looked)
        return found

    async def check_node(self, trace: Trace, op: int) -> Checked:
        """Whether finite differences agree with the gradients of one op of a trace."""
        request = checking.request(trace, op)
        if isinstance(request, Checked):
            return request
        found = await ask_one(self.kernel, "check_node", request)
        assert isinstance(found, Checked)
        return found

    async def retrace(
        self, trace: Trace, request: TraceRequest | None, values: dict[str, Any]
    ) -> Trace:
        """The same code with other leaves, on copies of the learner's.

        `request` is what the trace was asked for with; None: a cell recorded it. Raises
        TutorError where it cannot be run again.
        """
        if request is not None:
            return await self.trace(replace(request, at={**request.at, **values}))
        if not trace.end.id:
            raise TutorError(
                "This walk cannot be run again: it was read from a file, or is the graph "
                "behind a tensor. Run its code under %%step."
            )
        await self.start()
        again = RetraceRequest(trace.end.id, values)
        parts = [part async for part in ask(self.kernel, "retrace", again)]
        return assemble(parts)

    async def complete(self, code: str, cursor: int) -> Completion | None:
        """None when there is no answer in time: completion never delays typing."""
        if self.kernel.state is not KernelState.IDLE:
            return None
        return await self.kernel.complete(code, cursor)

    def reply(self, text: str) -> None:
        """Answer the cell's `input()`."""
        self.kernel.reply(text)

    # -- races

    async def train(
        self, spec: RaceSpec, limit: int | None = None, views: Views = ()
    ) -> AsyncGenerator[Points | Finding | View | Finished]:
        """Compute `limit` iterations of a race (None: all that are left; 0: its start).

        Points as they come, and what `views` asks for of the newest iteration, at most
        four times a second; `Finished` last. The same `spec.id` goes on from where it
        was, also after its kernel ended, or when `runs.open` gave it. Raises TutorError.
        Not before `stop_training` was answered by `Finished` may another be asked for.
        """
        kept, reached = self.runs.kept(spec), self.runs.iteration(spec.id)
        arriving = self._racing.train(spec, limit, kept, reached, views)
        async with contextlib.aclosing(arriving):
            async for each in arriving:
                if isinstance(each, View):
                    yield each
                    continue
                arrived = self.runs.unknown(spec.id, each)
                if arrived is None:
                    continue
                self.runs.keep(spec, arrived)
                if not isinstance(arrived, Kept):
                    yield arrived

    async def stop_training(self) -> None:
        """Pause the race at its next iteration; its points still come, and `Finished`.
        A luck meter or a view that is being computed ends too."""
        await self._racing.stop()
        await self._sight.stop()

    async def view(self, request: ViewRequest) -> View:
        """One thing of a race that is paused or over, at any iteration. Raises
        TutorError, a sentence, where there is no such view of it; StoppedError when
        `stop_training` ended it."""
        return await self._sight.view(request)

    def luck(self, request: LuckRequest) -> AsyncIterator[LuckPoints | LuckEnd]:
        """A race over many seeds at once: points as they come, `LuckEnd` last, also when
        `stop_training` ended it. Raises TutorError. No race may compute meanwhile."""
        return self._sight.luck(request)

    async def end_racer(self) -> None:
        """End the kernel of the races, also one that does not answer; whoever asks it
        hears that it died. The next race, or more of the same, starts another."""
        self._racing.give_up()
        racer = self.kernel if self.races_here else self._racer
        if racer is not None:
            await racer.kill()

    async def racer(self) -> Kernel:
        """The second kernel, for races; started at its first use, torch imported."""
        if self.races_here:
            await self.start()
            return self.kernel
        if self._racer is None:
            self._racer = self._make_kernel(KernelOptions(threads=1))
        if self._racer.state in (KernelState.OFF, KernelState.DEAD):
            await self._racer.start()
            await self._greet(self._racer, KernelOptions(threads=1))
        return self._racer


class _Seen:
    """What a cell's outputs told that its judge needs."""

    def __init__(self) -> None:
        self.printed = ""
        self.failure: Failure | None = None
        self.done: Done | None = None

    def take(self, output: Output) -> None:
        match output:
            case Stream("stdout", text):
                self.printed += text[: _PRINTED_KEPT - len(self.printed)]
            case Failure():
                self.failure = output
            case Done():
                self.done = output

    def outputs(self) -> list[Output]:
        """What was kept, as outputs."""
        printed: list[Output] = [Stream("stdout", self.printed)]
        return printed if self.failure is None else [*printed, self.failure]


def _may_raise(cell: CodeCell | ExerciseCell) -> bool:
    expect = cell.expect if isinstance(cell, CodeCell) else None
    return expect is not None and expect.raises is not None
