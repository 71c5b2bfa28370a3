"""The proof of a lesson: everything in it is executed, as a learner would, and judged.

Through the Session only. Reports what does not hold, with the line to change; exercises
are `exercise_proof`.
"""

import ast
import itertools
import math
import time
from collections.abc import Iterator

from tutor.answers import Answer, Choice, Groups, Number, Order, right_answer
from tutor.errors import KernelDiedError, MachineError, StoppedError, TutorError
from tutor.graph.predict import gates
from tutor.graph.refer import places
from tutor.graph.steps import walk
from tutor.graph.trace import Trace
from tutor.headless import autograd
from tutor.headless.exercise_proof import prove_exercise
from tutor.headless.finding import Finding
from tutor.headless.stage import Stage
from tutor.lesson.lines import KeyPath
from tutor.lesson.load import LessonFile
from tutor.lesson.problem import LessonProblem
from tutor.lesson.prose import fences
from tutor.lesson.requests import race_of, trace_of
from tutor.lesson.schema import (
    AnyCell,
    CodeCell,
    ExerciseCell,
    GraphCell,
    QuestionCell,
    TextCell,
    TrainCell,
    WrongAnswer,
)
from tutor.session import Session
from tutor.training.run import Finished, Points

_ORDERS_TRIED = 5040
"""All of seven items."""


async def prove(session: Session, file: LessonFile) -> Finding:
    """What a proof of a lesson that loads finds out.

    Raises StoppedError when it is interrupted, MachineError without a kernel.
    """
    began = time.monotonic()
    proof = _Proof(session, file)
    await proof.all_cells()
    seconds = time.monotonic() - began
    problems = sorted(proof.problems, key=lambda each: each.line or 0)
    notes = (*file.notes, *proof.notes)
    return Finding(file, tuple(problems), notes, proof.wrong, seconds)


class _Proof:
    """One lesson, cell by cell."""

    def __init__(self, session: Session, file: LessonFile) -> None:
        assert file.lesson is not None
        self.file = file
        self.lesson = file.lesson
        self.session = session
        self.stage = Stage(session, file.lesson)
        self.problems: list[LessonProblem] = []
        self.notes: list[LessonProblem] = []
        self.wrong = 0

    def report(self, where: KeyPath, sentence: str, within: int = 0) -> None:
        self.problems.append(self.file.problem(where, sentence, within))

    async def all_cells(self) -> None:
        if raised := await self.stage.prepare():
            self.report(("setup",), f"the setup raises {raised}.")
            return
        for number, cell in enumerate(self.lesson.cells):
            path: KeyPath = ("cells", number)
            if not self._has_device(cell, path):
                continue
            for name in ("text", "task", "ask"):
                await self._prose(getattr(cell, name, ""), (*path, name))
            await self._cell(cell, path)
            await self._prose(getattr(cell, "why", ""), (*path, "why"))

    def _has_device(self, cell: AnyCell, path: KeyPath) -> bool:
        wanted = getattr(cell, "device", None)
        hello = self.session.hello
        devices = hello.devices if hello is not None else ()
        if wanted is None or any(each.startswith(wanted) for each in devices):
            return True
        sentence = f"not proven: there is no {wanted} here."
        self.notes.append(self.file.problem((*path, "device"), sentence))
        return False

    async def _prose(self, text: str, path: KeyPath) -> None:
        """Python that is shown must run; what it binds is forgotten."""
        for fence in fences(text):
            if not fence.is_python:
                continue
            tried = await self.stage.execute(
                f"exec(compile({fence.code!r}, '<prose>', 'exec'), dict(globals()))"
            )
            if tried.trouble is not None:
                sentence = f"this code {tried.trouble}."
                self.report(path, sentence, fence.line + 1)

    async def _cell(self, cell: AnyCell, path: KeyPath) -> None:
        try:
            match cell:
                case CodeCell():
                    await self._code(cell, path)
                case QuestionCell():
                    await self._question(cell, path)
                case ExerciseCell():
                    self.wrong += await prove_exercise(
                        cell, path, self.stage, self.report
                    )
                case GraphCell():
                    await self._graph(cell, path)
                case TrainCell():
                    await self._train(cell, path)
                case TextCell():
                    pass
        except (StoppedError, MachineError):
            raise
        except TutorError as error:
            self.report(path, f"the tutor could not do this: {error}")
            if isinstance(error, KernelDiedError):
                await self.stage.again()

    # -- code

    async def _code(self, cell: CodeCell, path: KeyPath) -> None:
        tried = await self.stage.execute(cell.code, cell)
        self.stage.accepted.append(cell.code)
        if tried.verdict is not None and tried.verdict.passed:
            return
        if tried.verdict is None or cell.expect is None:
            line = tried.failure.line if tried.failure else None
            sentence = f"this code {tried.trouble}."
            self.report((*path, "code"), sentence, line or 0)
            return
        said = f"{tried.verdict.message} {tried.verdict.detail}"
        sentence = f"the code does not do this: {' '.join(said.split())}"
        self.report((*path, "expect"), sentence)

    # -- questions

    async def _question(self, cell: QuestionCell, path: KeyPath) -> None:
        if not self.session.answer(cell, right_answer(cell)).passed:
            self.report(path, "the stated answer is not judged right.")
        if cell.expression is not None:
            await self._expression(cell, cell.expression, (*path, "expression"))
        for number, wrong in enumerate(cell.wrong):
            if (sentence := self._wrong_answer(cell, number, wrong)) is None:
                self.wrong += 1
            else:
                self.report((*path, "wrong", number), sentence)

    def _wrong_answer(
        self, cell: QuestionCell, number: int, wrong: WrongAnswer
    ) -> str | None:
        """None when some answer that it stands for gets its message."""
        others: list[int | None] = []
        for given in answers_of(cell, wrong):
            verdict = self.session.answer(cell, given)
            if verdict.mistake == number:
                return None
            others.append(verdict.mistake)
        if not others or others[0] is None:
            return "no answer is met by this message."
        return f"wrong[{others[0]}] answers for it: put the narrower one first."

    async def _expression(
        self, cell: QuestionCell, expression: str, path: KeyPath
    ) -> None:
        """The stated answer is what the kernel computes."""
        convert = "float" if cell.number is not None else "str"
        # In a copy, so that it binds nothing.
        code = f"{convert}(eval({expression!r}, dict(globals())))"
        tried = await self.stage.execute(code)
        if tried.trouble is not None or tried.result is None:
            self.report(path, f"this {tried.trouble}.")
            return
        computed, given = _computed(cell, tried.result)
        if given is None or not self.session.answer(cell, given).passed:
            self.report(path, f"this is {computed}, which is not the stated answer.")

    # -- the stepper and the training screen

    async def _graph(self, cell: GraphCell, path: KeyPath) -> None:
        code = (*path, "code")
        trace = await self.session.trace(trace_of(cell))
        self._graph_words(cell, trace, path)
        if cell.raises is not None:
            said = "" if trace.fault is None else trace.fault.text
            if cell.raises not in said:
                what = said or "nothing"
                sentence = (
                    f"the code should stop with {cell.raises!r}; it raises {what}."
                )
                self.report((*path, "raises"), sentence)
            return
        if trace.fault is not None:
            line = trace.fault.line or 0
            self.report(code, f"the stepper stops: {trace.fault.text}.", line)
            return
        if trace.end.truncated:
            self.report(code, trace.end.truncated)
        tried = await self.stage.execute(autograd.program(cell))
        wanted = autograd.read(tried.printed)
        if wanted is None:
            self.report(code, f"torch.autograd {tried.trouble}.")
            return
        tolerance = 1e-6 if cell.dtype == "float64" else 1e-3
        for sentence in autograd.differences(trace, wanted, tolerance):
            self.report(code, sentence)

    def _graph_words(self, cell: GraphCell, trace: Trace, path: KeyPath) -> None:
        """Whether every word of `predict` and `captions` means a step of the walk."""
        walked_trace = trace if cell.backward else trace.forward()
        walked = walk(walked_trace, cell.order, build=cell.build)
        for number, predicted in enumerate(cell.predict):
            if not gates(walked, [predicted]):
                sentence = f"the stepper shows no number `{predicted}` to predict."
                self.report((*path, "predict", number), sentence)
        for key in cell.captions:
            if not places(walked, key):
                sentence = f'no step of this walk is "{key}".'
                self.report((*path, "captions", key), sentence)

    async def _train(self, cell: TrainCell, path: KeyPath) -> None:
        spec = race_of(cell)
        losses = dict.fromkeys((run.name for run in spec.runs), math.nan)
        async for arrived in self.session.train(spec):
            if isinstance(arrived, Points):
                if arrived.losses:
                    losses[arrived.run] = arrived.losses[-1]
            elif isinstance(arrived, Finished):
                for name, end in arrived.runs.items():
                    self._train_end(cell, path, name, end.stopped, losses[name])

    def _train_end(
        self, cell: TrainCell, path: KeyPath, name: str, stopped: str, loss: float
    ) -> None:
        if name in cell.diverges:
            if stopped != "diverged":
                sentence = f"the run {name!r} should diverge: it {stopped}."
                self.report((*path, "diverges"), sentence)
        elif stopped != "finished" or not math.isfinite(loss):
            self.report(path, f"the run {name!r} does not finish: it {stopped}.")


def answers_of(cell: QuestionCell, wrong: WrongAnswer) -> Iterator[Answer]:
    """Whole answers that a wrong answer stands for, the least wrong ones first.

    An order of some items, or some misplaced members, leave the others open.
    """
    if wrong.number is not None:
        yield Number(wrong.number)
    elif wrong.choice is not None:
        yield Choice(wrong.choice)
    elif wrong.order is not None:
        places = range(1, len(cell.items or []) + 1)
        orders = itertools.islice(itertools.permutations(places), _ORDERS_TRIED)
        for order in orders:
            if [each for each in order if each in wrong.order] == wrong.order:
                yield Order(order)
    else:
        placed = {
            member: name
            for groups in (cell.groups or {}, wrong.groups or {})
            for name, members in groups.items()
            for member in members
        }
        names = cell.groups or {}
        yield Groups(
            {
                name: tuple(each for each, group in placed.items() if group == name)
                for name in names
            }
        )


def _computed(cell: QuestionCell, result: str) -> tuple[str, Answer | None]:
    """What an expression gave, as text and as an answer; None: it is none."""
    if cell.number is not None:
        return result, Number(float(result))
    text = str(ast.literal_eval(result))
    for number, choice in enumerate(cell.choices or [], 1):
        if text in (choice, choice.strip("`")):
            return text, Choice(number)
    return text, None
