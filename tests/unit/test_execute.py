"""`exec` on a scripted kernel: what it prints and when it stops."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fake_kernel import FakeKernel
from tests.stored_traces import stored
from tutor.errors import MachineError
from tutor.headless import execute, runner
from tutor.kernel.base import KernelOptions
from tutor.kernel.outputs import (
    Clear,
    Display,
    Done,
    Failure,
    Notice,
    Output,
    Recording,
    Result,
    Stream,
)
from tutor.session import Session

Capture = pytest.CaptureFixture[str]
ERROR = Failure("ValueError", "no", "\x1b[31mValueError\x1b[0m: no\x1b]0;x\x07\n", 2)


def run(
    answers: Any, sources: list[str], *, text: bool = False, keep_going: bool = False
) -> int:
    report = execute.TextReport(len(sources)) if text else execute.JsonReport()

    async def work(session: Session) -> int:
        return await execute.execute(session, sources, report, keep_going)

    return runner.run(work, make_kernel=lambda options: FakeKernel(answers))


def lines(capsys: Capture) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_output_is_a_line(capsys: Capture) -> None:
    outputs = [
        Stream("stdout", "a\n"),
        Stream("stdout", "b"),
        Stream("stderr", "c"),
        Stream("stdout", "d"),
        Display("shown"),
        Clear(),
        Stream("stdout", "e"),
        Result("3", note="shape ()"),
    ]
    assert run({"x": outputs}, ["x"]) == 0
    assert lines(capsys) == [
        {"cell": 1, "kind": "stream", "name": "stdout", "text": "a\nb"},
        {"cell": 1, "kind": "stream", "name": "stderr", "text": "c"},
        {"cell": 1, "kind": "stream", "name": "stdout", "text": "d"},
        {"cell": 1, "kind": "display", "text": "shown"},
        {"cell": 1, "kind": "stream", "name": "stdout", "text": "e"},
        {"cell": 1, "kind": "result", "text": "3", "note": "shape ()"},
        {"cell": 1, "kind": "done", "status": "ok"},
    ]


def test_it_stops_after_the_first_failing_cell(capsys: Capture) -> None:
    assert run({"bad": [ERROR]}, ["good", "bad", "good"]) == 1
    assert lines(capsys) == [
        {"cell": 1, "kind": "done", "status": "ok"},
        {
            "cell": 2,
            "kind": "error",
            "ename": "ValueError",
            "evalue": "no",
            "text": "ValueError: no\n",
            "line": 2,
        },
        {"cell": 2, "kind": "done", "status": "error"},
    ]


def test_keep_going(capsys: Capture) -> None:
    assert run({"bad": [ERROR]}, ["bad", "good"], keep_going=True) == 1
    done = [line for line in lines(capsys) if line["kind"] == "done"]
    assert [each["status"] for each in done] == ["error", "ok"]


def test_the_kernel_dies(capsys: Capture) -> None:
    died = [Stream("stdout", "last words"), Done("died", "killed (signal 9)")]
    assert run({"bad": died}, ["bad", "good"], keep_going=True) == 1
    first, second, third = lines(capsys)
    assert first["text"] == "last words"
    assert second == {
        "cell": 1,
        "kind": "done",
        "status": "died",
        "cause": "killed (signal 9)",
    }
    assert (third["cell"], third["status"]) == (2, "died")


def test_a_line_is_written_when_it_is_complete(capsys: Capture) -> None:
    seen = []

    async def outputs() -> AsyncIterator[Output]:
        yield Stream("stdout", "a")
        yield Result("1")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        seen.extend(lines(capsys))

    assert run({"x": outputs()}, ["x"]) == 0
    assert [line["kind"] for line in seen] == ["stream", "result"]


def test_a_notice_is_talk(capsys: Capture) -> None:
    assert run({"x": [Notice("Output was lost.")]}, ["x"]) == 0
    assert capsys.readouterr().err == "Output was lost.\n"


def test_text(capsys: Capture) -> None:
    outputs = [
        Stream("stdout", "10%\r"),
        Stream("stdout", "20%\nha"),
        Stream("stderr", "oh\x1b[2J\x9b5n"),
        Result("tensor([1.])", note="shape (1,)"),
        ERROR,
    ]
    assert run({"x": outputs}, ["x", "y"], text=True) == 1
    out, err = capsys.readouterr()
    assert out == "20%\nha\ntensor([1.])\n"
    assert err == "oh\nValueError: no\nCell 1 of 2 failed.\n"


def test_text_of_a_death(capsys: Capture) -> None:
    assert run({"x": [Done("died", "killed (signal 9)")]}, ["x"], text=True) == 1
    err = capsys.readouterr().err
    assert err == "The kernel died in cell 1 of 1: killed (signal 9).\n"


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_interrupts_the_cell(capsys: Capture) -> None:
    async def busy() -> AsyncIterator[Output]:
        yield Stream("stdout", "begun")
        press_ctrl_c()
        await asyncio.Event().wait()

    assert run({"x": busy()}, ["x", "y"], keep_going=True) == 130
    got = lines(capsys)
    assert [(each["cell"], each["kind"]) for each in got] == [
        (1, "stream"),
        (1, "error"),
        (1, "done"),
    ]
    assert got[-1]["status"] == "interrupted"


def test_a_second_ctrl_c_ends_the_kernel(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PATIENCE_S", 0)

    async def deaf() -> AsyncIterator[Output]:
        press_ctrl_c()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            press_ctrl_c()
        await asyncio.Event().wait()
        yield Stream("stdout", "never")

    assert run({"x": deaf()}, ["x"]) == 130
    assert lines(capsys)[-1]["status"] == "died"


def test_ctrl_c_while_the_kernel_starts() -> None:
    class Slow(FakeKernel):
        async def start(self) -> None:
            press_ctrl_c()
            await asyncio.Event().wait()

    async def work(session: Session) -> int:
        raise AssertionError("it never started")

    assert runner.run(work, make_kernel=lambda options: Slow()) == 130


def test_work_that_makes_nothing_of_ctrl_c() -> None:
    async def work(session: Session) -> int:
        press_ctrl_c()
        await asyncio.sleep(0)
        return 0

    assert runner.run(work, make_kernel=lambda options: FakeKernel()) == 130


def test_a_kernel_that_cannot_start() -> None:
    kernel = FakeKernel(start_error="There is no kernel.")

    async def work(session: Session) -> int:
        raise AssertionError("it never started")

    with pytest.raises(MachineError, match=r"There is no kernel\."):
        runner.run(work, make_kernel=lambda options: kernel)


def test_the_kernel_is_stopped_whatever_the_work_raises() -> None:
    kernel = FakeKernel()

    async def work(session: Session) -> int:
        assert kernel.state.value == "idle"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        runner.run(work, KernelOptions(), make_kernel=lambda options: kernel)
    assert kernel.state.value == "off"


@pytest.mark.parametrize("text", [False, True])
def test_a_recording_is_a_line(text: bool, capsys: Capture) -> None:
    assert run({"a": [Recording(stored("seed"))]}, ["a"], text=text) == 0
    out = capsys.readouterr().out
    said = "recorded: 4 ops, 1 pass, 2 leaves"
    if text:
        assert out == said + "\n"
    else:
        assert json.loads(out.splitlines()[0]) == {
            "cell": 1,
            "kind": "display",
            "text": said,
        }
