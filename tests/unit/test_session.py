import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest

from tests.fake_kernel import FakeKernel
from tests.stored_traces import stored
from tutor import messages
from tutor.answers import Number
from tutor.errors import KernelDiedError, MachineError, StoppedError, TutorError
from tutor.graph.requests import ArgumentCheck, Checked
from tutor.graph.trace import parts
from tutor.kernel.base import KernelOptions, KernelState
from tutor.kernel.outputs import (
    Done,
    Failure,
    Notice,
    Output,
    Payload,
    Recording,
    Result,
    Stream,
)
from tutor.lesson.schema import (
    CodeCell,
    ExerciseCell,
    Expect,
    Lesson,
    QuestionCell,
    TextCell,
    Wrong,
    WrongAnswer,
)
from tutor.progress import Progress
from tutor.session import Event, Session
from tutor.verdicts import Verdict
from tutor.wire import Message

TEXT = TextCell(id="read", text="Read.")
CODE = CodeCell(id="show", code="x = 1\nx")
PROMISE = CodeCell(id="promise", code="x + 1", expect=Expect(equal="2"))
RAISES = CodeCell(id="raises", code="1 / 0", expect=Expect(raises="ZeroDivisionError"))
GUESS = QuestionCell(
    id="guess", ask="?", number=4.0, wrong=[WrongAnswer(number=3.0, say="Off by one.")]
)
TASK = ExerciseCell(
    id="task",
    task="Add.",
    starter="y = ____",
    solution="y = 2",
    check="equal(learner.y, 2)",
    hints=["What is 1 + 1?", "Two."],
    wrong=[Wrong(code="y = 3", say="One too many.")],
)
LESSON = Lesson(
    format=1,
    section="2.5",
    title="Tensors",
    minutes=1,
    setup="import torch",
    cells=[TEXT, CODE, PROMISE, RAISES, GUESS, TASK],
)


def check(request: Any) -> list[Any]:
    """Passes `y = 2`, knows `y = 3`."""
    if request.code == "y = 2":
        return [messages.CheckReport("passed")]
    mistake = request.known.index(request.code) if request.code in request.known else 0
    return [messages.CheckReport("failed", "y is wrong", "wanted 2", mistake)]


def expect(request: Any) -> list[Any]:
    return [messages.CheckReport("passed" if request.equal == "2" else "failed")]


class Fixture:
    def __init__(self, **fake: Any) -> None:
        self.kernels: list[FakeKernel] = []
        calls = {"check": check, "expect": expect, **fake.pop("calls", {})}

        def make(options: KernelOptions) -> FakeKernel:
            self.kernels.append(FakeKernel(options=options, calls=calls, **fake))
            return self.kernels[-1]

        self.progress = Progress(None)
        self.session = Session(make, self.progress)

    @property
    def kernel(self) -> FakeKernel:
        return self.kernels[0]

    async def run(self, code: str, cell: Any = None) -> list[Event]:
        return [event async for event in self.session.execute(code, cell)]


async def opened(**fake: Any) -> Fixture:
    fixture = Fixture(**fake)
    assert await fixture.session.open(LESSON) is None
    return fixture


async def test_opening_a_lesson_greets_the_kernel_and_resets_it() -> None:
    fixture = await opened()
    assert [name for name, _ in fixture.kernel.requests] == ["hello", "reset"]
    assert fixture.kernel.requests[1][1] == messages.ResetRequest(setup="import torch")
    assert fixture.session.hello is not None
    assert fixture.session.hello.torch == "2.13.0"


async def test_a_setup_that_raises_is_told() -> None:
    calls = {"reset": lambda _: [messages.ResetDone(problem="NameError: x")]}
    fixture = Fixture(calls=calls)
    assert await fixture.session.open(LESSON) == "NameError: x"


async def test_starting_twice_starts_one_kernel() -> None:
    fixture = Fixture()
    await asyncio.gather(fixture.session.start(), fixture.session.start())
    assert fixture.kernel.starts == 1


async def test_no_torch_is_the_machines_problem_and_a_second_start_tries_again() -> (
    None
):
    gone = messages.Hello("3.11", None, None, None, (), problem="No module named torch")
    fixture = Fixture(calls={"hello": lambda _: [gone]})
    for _ in range(2):
        with pytest.raises(MachineError, match="No module named torch"):
            await fixture.session.start()
    assert len(fixture.kernel.requests) == 2


async def test_outputs_come_first_and_the_verdict_last() -> None:
    fixture = await opened(answers={"y = 2": [Stream("stdout", "hi\n")]})
    events = await fixture.run("y = 2", TASK)
    assert events[:2] == [Stream("stdout", "hi\n"), Done("ok")]
    assert isinstance(events[2], Verdict)
    assert events[2].passed
    assert len(events) == 3


async def test_a_pass_is_recorded_before_it_is_said() -> None:
    fixture = await opened()
    async for event in fixture.session.execute("y = 2", TASK):
        if isinstance(event, Verdict):
            break
        assert not fixture.session.cell_progress(TASK).done
    assert fixture.session.cell_progress(TASK).done
    assert fixture.session.cell_progress(TASK).accepted == "y = 2"


async def test_a_known_mistake_gets_its_own_message() -> None:
    fixture = await opened()
    *_, verdict = await fixture.run("y = 3", TASK)
    assert verdict == Verdict("task", False, "One too many.", "wanted 2", 0)
    assert fixture.session.cell_progress(TASK).tries == 1
    assert not fixture.session.cell_progress(TASK).done


async def test_code_that_raises_is_judged_without_asking_the_check() -> None:
    failure = Failure("NameError", "name 'z' is not defined", "...", 1)
    fixture = await opened(answers={"y = z": [failure]})
    *_, verdict = await fixture.run("y = z", TASK)
    assert isinstance(verdict, Verdict)
    assert "NameError" in verdict.message
    assert "check" not in [name for name, _ in fixture.kernel.requests]


async def test_a_code_cell_is_done_when_it_ran() -> None:
    fixture = await opened(answers={"x = 1\nx": [Result("1")]})
    await fixture.run(CODE.code, CODE)
    assert fixture.session.cell_progress(CODE).done


async def test_an_unchanged_cell_must_keep_its_promise() -> None:
    fixture = await opened()
    *_, verdict = await fixture.run(PROMISE.code, PROMISE)
    assert isinstance(verdict, Verdict)
    assert verdict.passed
    calls = [name for name, _ in fixture.kernel.requests]
    assert calls == ["hello", "reset", "expect"]


async def test_a_changed_cell_is_the_learners_own_experiment() -> None:
    fixture = await opened()
    *_, verdict = await fixture.run("x + 41", PROMISE)
    assert isinstance(verdict, Verdict)
    assert verdict.passed
    assert "expect" not in [name for name, _ in fixture.kernel.requests]


async def test_a_cell_that_shows_an_error_is_done_when_it_raised() -> None:
    failure = Failure("ZeroDivisionError", "division by zero", "...", 1)
    fixture = await opened(answers={"1 / 0": [failure]})
    await fixture.run(RAISES.code, RAISES)
    assert fixture.session.cell_progress(RAISES).done


async def test_an_interrupted_cell_gets_no_verdict() -> None:
    started = asyncio.Event()

    async def forever() -> AsyncIterator[Output]:
        started.set()
        await asyncio.Event().wait()
        yield Result("never")

    fixture = await opened(answers=lambda code: forever())
    running = asyncio.create_task(fixture.run("y = 2", TASK))
    await started.wait()
    await fixture.session.interrupt()
    events = await running
    assert events[-1] == Done("interrupted")
    assert not fixture.session.cell_progress(TASK).done
    assert fixture.session.cell_progress(TASK).tries == 0


async def test_a_dead_kernel_gets_no_verdict_and_restart_replays_accepted_cells() -> (
    None
):
    died = {"boom": [Done("died", "segmentation fault (signal 11)")]}
    fixture = await opened(answers=died)
    await fixture.run(CODE.code, CODE)
    await fixture.run("y = 2", TASK)
    events = await fixture.run("boom", TASK)
    assert events == [Done("died", "segmentation fault (signal 11)")]
    assert fixture.kernel.state is KernelState.DEAD
    fixture.kernel.executed.clear()
    fixture.kernel.requests.clear()
    assert await fixture.session.restart() == []
    assert fixture.kernel.codes == [CODE.code, "y = 2"]
    assert [name for name, _ in fixture.kernel.requests] == ["hello", "reset"]


async def test_what_is_typed_during_a_restart_waits_for_the_replay() -> None:
    replaying, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[Output]:
        replaying.set()
        await go_on.wait()
        yield Result("1")

    fixture = await opened(answers=lambda code: slow() if code == CODE.code else ())
    go_on.set()
    await fixture.run(CODE.code, CODE)
    replaying.clear()
    go_on.clear()
    fixture.kernel.executed.clear()
    restarting = asyncio.create_task(fixture.session.restart())
    await replaying.wait()
    typed = asyncio.create_task(fixture.run("x + 1"))
    await asyncio.wait([typed], timeout=0)
    go_on.set()
    await asyncio.gather(restarting, typed)
    assert fixture.kernel.codes == [CODE.code, "x + 1"]


async def test_what_is_typed_before_a_restart_asked_the_kernel_waits_too() -> None:
    fixture = await opened()
    restarting = asyncio.create_task(fixture.session.restart())
    await asyncio.wait([restarting], timeout=0)
    await asyncio.gather(restarting, fixture.run("x + 1"))
    functions = [name for name, _ in fixture.kernel.requests]
    assert functions == ["hello", "reset", "hello", "reset"]
    order = [each.code for each in fixture.kernel.executed]
    assert order[-1] == "x + 1"


async def test_a_replay_names_what_no_longer_works() -> None:
    failing: dict[str, list[Output]] = {}
    fixture = await opened(answers=failing)
    await fixture.run(CODE.code, CODE)
    failing[CODE.code] = [Failure("OSError", "gone", "...")]
    assert await fixture.session.restart() == ["Cell 2 failed again: OSError: gone"]


async def test_answers_are_judged_and_recorded() -> None:
    fixture = await opened()
    assert fixture.session.answer(GUESS, Number(3.0)).message == "Off by one."
    assert fixture.session.cell_progress(GUESS).tries == 1
    assert fixture.session.answer(GUESS, Number(4.0)).passed
    assert fixture.session.cell_progress(GUESS).accepted == "4"


async def test_hints_come_one_by_one_and_the_solution_is_remembered() -> None:
    fixture = await opened()
    session = fixture.session
    assert [session.hint(TASK) for _ in range(3)] == ["What is 1 + 1?", "Two.", None]
    assert session.cell_progress(TASK).hints == 2
    assert session.solution(TASK) == "y = 2"
    assert session.cell_progress(TASK).solution_shown
    assert not session.cell_progress(TASK).done


async def test_drafts_places_and_reading_are_recorded_once() -> None:
    fixture = await opened()
    session = fixture.session
    session.draft("task", "y = 1")
    session.place("task")
    session.place("task")
    session.read(TEXT)
    session.skip(TASK)
    assert session.cell_progress(TASK).draft == "y = 1"
    assert session.cell_progress(TASK).skipped
    assert session.lesson_progress.place == "task"
    assert session.cell_progress(TEXT).done


async def test_the_engines_problems_are_sentences() -> None:
    problem = messages.Problem("The code does not parse.")
    fixture = await opened(calls={"check": lambda _: [problem]})
    with pytest.raises(TutorError, match="does not parse"):
        await fixture.run("y = 2", TASK)


async def test_death_and_interrupt_during_a_question_to_the_engine() -> None:
    fixture = await opened(calls={"check": lambda _: [Done("died", "killed")]})
    with pytest.raises(KernelDiedError, match="killed"):
        await fixture.run("y = 2", TASK)
    fixture = await opened(calls={"check": lambda _: [Done("interrupted")]})
    with pytest.raises(StoppedError):
        await fixture.run("y = 2", TASK)


async def test_completion_never_waits_for_a_kernel_that_is_not_idle() -> None:
    fixture = Fixture()
    assert await fixture.session.complete("x.", 2) is None


async def test_warming_goes_part_by_part_and_leaves_a_busy_kernel_alone() -> None:
    left = {0: 2, 1: 1, 2: 0}
    warm = {"warm": lambda request: [messages.Warmed(left[request.part])]}
    fixture = await opened(calls=warm)
    await fixture.session.warm()
    parts = [each[1] for each in fixture.kernel.requests if each[0] == "warm"]
    assert parts == [messages.WarmRequest(part) for part in (0, 1, 2)]
    await fixture.session.close()
    await fixture.session.warm()
    assert len([each for each in fixture.kernel.requests if each[0] == "warm"]) == 3


async def test_closing_stops_the_kernels() -> None:
    fixture = await opened()
    racer = await fixture.session.racer()
    assert racer is not fixture.session.kernel
    assert fixture.kernels[1].options.threads == 1
    await fixture.session.close()
    assert [kernel.state for kernel in fixture.kernels] == [KernelState.OFF] * 2


def walk_parts(name: str, lost: int = -1) -> list[Payload]:
    """A stored trace as a cell sends it, but for one message."""
    sent = [
        Payload(Message("walk-1", number, part))
        for number, part in enumerate(parts(stored(name)))
    ]
    return [each for number, each in enumerate(sent) if number != lost]


async def test_what_a_cell_recorded_comes_as_one_output() -> None:
    kernel = FakeKernel({"tutor.step(f)": [*walk_parts("seed"), Result("22")]})
    session = Session(lambda options: kernel, Progress(None))
    found = [each async for each in session.execute("tutor.step(f)")]
    trace = stored("seed")
    assert found == [Recording(trace), Result("22"), Done("ok")]
    assert session.recorded == trace


async def test_a_recording_that_was_not_sent_whole_is_a_sentence() -> None:
    kernel = FakeKernel({"tutor.step(f)": walk_parts("seed", lost=0)})
    session = Session(lambda options: kernel, Progress(None))
    found = [each async for each in session.execute("tutor.step(f)")]
    assert isinstance(found[0], Notice)
    assert "cannot be walked" in found[0].text
    assert session.recorded is None


async def test_an_op_is_checked_by_the_kernel_or_not_at_all() -> None:
    trace = stored("seed")
    told = Checked((ArgumentCheck(0, 1, 1, 6e-6, 1e-9, agrees=True, corners=0),))
    fixture = await opened(calls={"check_node": lambda request: [told]})
    kept = replace(trace, end=replace(trace.end, id="t1"))
    assert await fixture.session.check_node(kept, 0) == told
    name, request = cast(tuple[str, Any], fixture.kernel.requests[-1])
    assert (name, request.trace, request.op) == ("check_node", "t1", 0)
    assert [each and each.scalar for each in request.sent] == [12.0]
    # A trace that no kernel keeps is not asked about.
    asked = len(fixture.kernel.requests)
    gone = replace(trace, end=replace(trace.end, id=""))
    found = await fixture.session.check_node(gone, 0)
    assert "not kept" in (found.problem or "")
    assert len(fixture.kernel.requests) == asked
