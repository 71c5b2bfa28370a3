"""The kernel's end of `wire.call`: finds the function asked for, sends what it answers.

An engine function takes a request's body and returns one answer or yields several; a
KeyboardInterrupt reaches it where it is, so that a run can send its last points.
"""

import importlib
import inspect
import os
import signal
import traceback
import types
from collections.abc import Callable, Generator
from typing import Any

import IPython

from tutor import wire
from tutor.errors import MachineError, TutorError
from tutor.messages import Problem
from tutor.wire import Message

_FUNCTIONS = {
    "hello": "tutor.engine.hello:hello",
    "warm": "tutor.engine.hello:warm",
    "reset": "tutor.engine.state:reset",
    "check": "tutor.engine.checks:check",
    "expect": "tutor.engine.checks:expect",
    "look": "tutor.engine.store:look",
    "trace": "tutor.engine.trace:trace",
    "retrace": "tutor.engine.again:retrace",
    "check_node": "tutor.engine.finite:check_node",
    "train": "tutor.engine.train:train",
    "view": "tutor.engine.viewing:view",
    "luck": "tutor.engine.luck:luck",
}
"""Imported at their first call: most need torch."""

_UNINTERRUPTED = ("hello", "warm")
"""torch imported by half would be torch broken for good."""

_Bodies = Generator[Any, None, None]


def call(name: str, text: str) -> None:
    """Answer one request; an error of ours becomes a `Problem`."""
    answers = _Answers()
    try:
        function = _function(name)  # its module knows the request's type
        request = wire.loads(text)
        answers.id = request.id
        bodies = _bodies(function, request.body)
        answers.send_all(bodies, interruptible=name not in _UNINTERRUPTED)
    except TutorError as error:
        machine = isinstance(error, MachineError)
        answers.send(Problem(str(error), machine=machine))
    except Exception as error:  # noqa: BLE001 - told to the learner, with a traceback
        sentence = f"{type(error).__name__}: {error}"
        answers.send(Problem(sentence, traceback.format_exc()))


kernel = os.getpid()
"""This process: a fork of it is no kernel."""
hosted = False
"""This is a kernel of the tutor's, with a screen or a command at its other end."""


def namespace() -> dict[str, Any]:
    """The learner's names."""
    names: dict[str, Any] = shell().user_ns
    return names


def shell() -> Any:
    """The IPython shell that we run in."""
    return IPython.get_ipython()


def is_cell(file: str) -> bool:
    """Whether a file's name stands for a cell."""
    running = shell()
    return running is not None and running.compile.format_code_name(file) is not None


def publish(message: Message) -> None:
    """Send a message at once; it costs about a fifth of a millisecond."""
    publisher = shell().display_pub
    content = {"data": {wire.MIME: wire.dumps(message)}, "metadata": {}}
    publisher.session.send(
        publisher.pub_socket,
        "display_data",
        content,
        parent=publisher.parent_header,
        ident=publisher.topic,
    )


def _function(name: str) -> Callable[[Any], Any]:
    module, _, function = _FUNCTIONS[name].partition(":")
    found: Callable[[Any], Any] = getattr(importlib.import_module(module), function)
    return found


def _bodies(function: Callable[[Any], Any], body: object) -> _Bodies:
    answer = function(body)
    if inspect.isgenerator(answer):
        yield from answer
    else:
        yield answer


class _Answers:
    """What one request is answered, numbered from 0."""

    def __init__(self) -> None:
        self.id = ""
        self._sent = 0

    def send(self, body: object) -> None:
        publish(Message(self.id, self._sent, body))
        self._sent += 1

    def send_all(self, bodies: _Bodies, *, interruptible: bool) -> None:
        """Send each. An interrupt is raised only where it finds `bodies` at work.

        One that comes while a body is sent would lose it, or send it twice: it is
        thrown into `bodies` afterwards.
        """
        interrupted = False

        def interrupt(number: int, frame: types.FrameType | None) -> None:
            nonlocal interrupted
            if not interruptible:
                return
            while frame is not None:
                if frame is bodies.gi_frame:  # type: ignore[attr-defined]
                    raise KeyboardInterrupt
                frame = frame.f_back
            interrupted = True

        handler = signal.signal(signal.SIGINT, interrupt)
        try:
            while True:
                if interrupted:
                    interrupted = False
                    self.send(bodies.throw(KeyboardInterrupt()))
                else:
                    self.send(next(bodies))
        except StopIteration:
            return
        finally:
            signal.signal(signal.SIGINT, handler)
