"""Questions to the engine: a call executed in the kernel, its answers decoded.

The other half is `engine.bridge`. Requests and answers are in `messages`, `graph.trace`
and `training`.
"""

import itertools
from collections.abc import AsyncIterator
from typing import Any

from tutor import messages, wire
from tutor.errors import (
    KernelDiedError,
    MachineError,
    StoppedError,
    TutorError,
    WireError,
)
from tutor.kernel.base import Kernel
from tutor.kernel.outputs import Done, Failure, Payload

_numbers = itertools.count(1)


async def ask(kernel: Kernel, function: str, request: object) -> AsyncIterator[Any]:
    """Call a function of the engine; its answers as they come.

    Raises KernelDiedError, StoppedError, WireError when an answer was lost, or
    TutorError (MachineError) with the engine's own reason.
    """
    request_id = f"{function}-{next(_numbers)}"
    expected = 0
    failure: Failure | None = None
    code = wire.call(function, request_id, request)
    async for output in kernel.execute(code, quiet=True):
        match output:
            case Payload(answer) if answer.id == request_id:
                if answer.seq != expected:
                    raise WireError(f"an answer to {function!r} was lost: try again.")
                expected += 1
                if isinstance(answer.body, messages.Problem):
                    kind = MachineError if answer.body.machine else TutorError
                    raise kind(answer.body.message)
                yield answer.body
            case Failure():
                failure = output
            case Done(status, cause):
                _raise_unless_ok(status, cause, failure)


async def ask_one(kernel: Kernel, function: str, request: object) -> Any:
    """The one answer to a question that has one."""
    answers = [answer async for answer in ask(kernel, function, request)]
    if len(answers) != 1:
        raise WireError(f"the kernel gave {len(answers)} answers to {function!r}.")
    return answers[0]


def _raise_unless_ok(status: str, cause: str | None, failure: Failure | None) -> None:
    if status == "died":
        raise KernelDiedError(f"The kernel ended: {cause or 'for an unknown reason'}.")
    if status == "interrupted":
        raise StoppedError("Interrupted.")
    if status == "error":
        reason = f"{failure.ename}: {failure.evalue}" if failure else "no reason given"
        raise TutorError(f"The engine could not answer: {reason}")
