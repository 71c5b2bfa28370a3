"""Proof of one exercise: its starter fails, its solution passes, each wrong answer gets
its own message, and no mutant of the solution passes.

The tries follow each other in one namespace, as a learner's do. A try that does not go
as it should is made again in a fresh state, so that no try is blamed for another.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tutor.headless.mutants import Mutant, mutants_of
from tutor.headless.stage import Stage, Tried
from tutor.lesson.lines import KeyPath
from tutor.lesson.rule_basics import Report
from tutor.lesson.schema import ExerciseCell


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a try."""

    key: KeyPath
    """Within the cell."""
    sentence: str
    within: int = 0
    """The line within the key's string, from 1; 0: the key itself."""


Judge = Callable[[Tried], Complaint | None]


async def prove_exercise(
    cell: ExerciseCell, path: KeyPath, stage: Stage, report: Report
) -> int:
    """Report what does not hold; how many wrong answers got their own message."""
    return await _ExerciseProof(cell, path, stage, report).proven()


class _ExerciseProof:
    def __init__(
        self, cell: ExerciseCell, path: KeyPath, stage: Stage, report: Report
    ) -> None:
        self._cell = cell
        self._path = path
        self._stage = stage
        self._report = report
        self._reported: set[Complaint] = set()
        """A check that fails by itself does so at every try: once is enough."""

    async def proven(self) -> int:
        cell = self._cell
        await self._holds(cell.starter, _judge_starter)
        good = 0
        if await self._holds(cell.solution, _judge_solution):
            for number, wrong in enumerate(cell.wrong):
                judge = self._judge_of_wrong(number)
                good += await self._holds(wrong.code, judge)
            for mutant in mutants_of(cell.solution) if cell.mutants else ():
                await self._holds(mutant.code, _judge_of_mutant(mutant))
            if cell.wrong or cell.mutants:
                await self._try_solution_again()
        self._stage.accepted.append(cell.solution)
        return good

    async def _holds(self, code: str, judge: Judge) -> bool:
        """Whether the code fares as it should; else the complaint is reported."""
        complaint = judge(await self._stage.execute(code, self._cell))
        if complaint is not None:
            await self._stage.again()
            complaint = judge(await self._stage.execute(code, self._cell))
        if complaint is not None and complaint not in self._reported:
            self._reported.add(complaint)
            where = (*self._path, *complaint.key)
            self._report(where, complaint.sentence, complaint.within)
        return complaint is None

    async def _try_solution_again(self) -> None:
        """A learner gets there after wrong answers, in the state that those left."""
        tried = await self._stage.execute(self._cell.solution, self._cell)
        if complaint := _judge_solution(tried):
            await self._stage.again()
            await self._stage.execute(self._cell.solution, self._cell)
            sentence = (
                "the solution passes in a fresh state, but not when the wrong answers "
                f"were tried before: {complaint.sentence} Let the cell begin from "
                "values of its own."
            )
            self._report((*self._path, "solution"), sentence)

    def _judge_of_wrong(self, number: int) -> Judge:
        wrong = self._cell.wrong[number]
        code, when = ("wrong", number, "code"), ("wrong", number, "when")

        def judge(tried: Tried) -> Complaint | None:
            verdict = tried.verdict
            if verdict is not None and verdict.passed:
                return Complaint(code, "this wrong answer passes the check.")
            if bug := _bug(tried):
                return bug
            if tried.trouble is not None or verdict is None:
                sentence = (
                    f"this code {tried.trouble} before it can be checked, so its "
                    "message is never said: let the mistake come to light in the check."
                )
                return Complaint(code, sentence)
            if verdict.mistake == number:
                return None
            if verdict.mistake is not None:
                sentence = (
                    f"this gets the message of wrong[{verdict.mistake}]: make that "
                    "one's `when` narrower, or put it after this one."
                )
                return Complaint(code, sentence)
            if wrong.when is None:
                return Complaint(code, f"its message is not said, but: {_said(tried)}")
            return Complaint(when, f"does not hold for its code; said: {_said(tried)}")

        return judge


def _judge_starter(tried: Tried) -> Complaint | None:
    if tried.verdict is not None and tried.verdict.passed:
        sentence = "the starter passes the check already: there is nothing left to do."
        return Complaint(("starter",), sentence)
    return _bug(tried)


def _judge_solution(tried: Tried) -> Complaint | None:
    if tried.verdict is not None and tried.verdict.passed:
        return None
    if bug := _bug(tried):
        return bug
    key: KeyPath = ("solution",)
    if tried.trouble is not None:
        line = tried.failure.line if tried.failure else None
        return Complaint(key, f"the solution {tried.trouble}.", line or 0)
    return Complaint(key, f"the solution does not pass: {_said(tried)}")


def _judge_of_mutant(mutant: Mutant) -> Judge:
    def judge(tried: Tried) -> Complaint | None:
        if tried.verdict is None or not tried.verdict.passed:
            return None
        sentence = (
            f"`{mutant.function}` passes when all it does is `return "
            f"{mutant.returns}`: ask for more."
        )
        return Complaint(("check",), sentence)

    return judge


_OWN_FAILURE = re.compile(r"itself \((.*)\)\. Skip", re.DOTALL)
_OWN_LINE = re.compile(r"line (\d+) of the check")


def _bug(tried: Tried) -> Complaint | None:
    """The failure of the check itself, if that is what it was."""
    if tried.verdict is None or not tried.verdict.lesson_bug:
        return None
    message = tried.verdict.message
    inner = _OWN_FAILURE.search(message)
    line = _OWN_LINE.search(message)
    sentence = f"the check itself fails: {inner[1] if inner else message}."
    return Complaint(("check",), sentence, int(line[1]) if line else 0)


def _said(tried: Tried) -> str:
    """What the check said, on one line."""
    if tried.verdict is None:
        return "there was no verdict."
    detail = f" ({tried.verdict.detail})" if tried.verdict.detail else ""
    return " ".join(f"{tried.verdict.message}{detail}".split())
