"""What is said of a recording on the learner's own names, and how it gets there."""

import contextlib
import functools
import inspect
import itertools
import linecache
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from tutor.engine import bridge
from tutor.engine.short import short
from tutor.graph import recorded, text
from tutor.graph.steps import walk
from tutor.graph.trace import Trace, parts
from tutor.wire import Message

_LIBRARIES = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
_ARGUMENT = 20
_numbers = itertools.count(1)


def tell(trace: Trace) -> None:
    """Send a trace to the tutor's screen; print it where this is no kernel of ours."""
    if bridge.hosted:
        identity = f"walk-{next(_numbers)}"
        for number, part in enumerate(parts(trace)):
            bridge.publish(Message(identity, number, part))
        return
    lines = [*text.report(walk(trace)), recorded.sentence(trace)]
    sys.stdout.write("\n".join(lines) + "\n")


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """An interrupt that comes inside is raised at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = False

    def note(number: int, frame: object) -> None:
        nonlocal came
        came = True

    handler = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt


@contextlib.contextmanager
def eager() -> Iterator[None]:
    """What is compiled runs as it was written: else there is nothing to record."""
    stance = getattr(torch.compiler, "set_stance", None)  # since torch 2.6
    if stance is None or "torch._dynamo" not in sys.modules:
        yield
        return
    with stance("force_eager"):
        yield


def compiled(function: Callable[..., Any], title: str) -> str | None:
    """What is to be said of a function that torch.compile made; None: it is not one."""
    if original(function) is function:
        return None
    return (
        f"{title} is compiled; it was run as it was written, without compilation, so the "
        "last digits may differ."
    )


def original(function: Callable[..., Any]) -> Callable[..., Any]:
    """What torch.compile was given; else the function itself."""
    found: Callable[..., Any] = getattr(
        function,
        "_torchdynamo_orig_callable",
        vars(function).get("_modules", {}).get("_orig_mod", function)
        if isinstance(function, torch.nn.Module)
        else function,
    )
    return found


def file_of(function: Callable[..., Any]) -> str | None:
    """The learner's file that a function is written in; None: it is another's."""
    found: Any = inspect.unwrap(original(function))
    while isinstance(found, functools.partial):
        found = found.func
    if isinstance(found, torch.nn.Module):
        found = type(found).forward
    found = getattr(found, "__func__", found)
    if not hasattr(found, "__code__"):
        found = vars(type(found)).get("__call__")
    code = getattr(found, "__code__", None)
    if not isinstance(code, types.CodeType):
        return None
    file = code.co_filename
    known = bool(linecache.getlines(file))
    return file if known and not file.startswith(_LIBRARIES) else None


def name_of(held: object, scope: Mapping[str, Any]) -> str | None:
    """The variable that holds a thing; None: none does."""
    for name, found in list(scope.items()):
        if found is held and not name.startswith("_"):
            return name
    return None


def call_text(
    function: Callable[..., Any],
    args: Sequence[Any],
    keywords: Mapping[str, Any],
    scope: Mapping[str, Any],
) -> str:
    """Like "net(x)", as the learner would write it."""
    called = name_of(function, scope) or getattr(function, "__name__", None)
    if called == "<lambda>" and (body := _body(function)):
        return body
    words = [_word(each, scope) for each in args]
    words += [f"{name}={_word(each, scope)}" for name, each in keywords.items()]
    return f"{called or type(function).__name__}({', '.join(words)})"


def _body(function: Any) -> str:
    """What a lambda computes, as it is written; "" when that is not on one line."""
    spans = [
        (line, column, end)
        for line, last, column, end in function.__code__.co_positions()
        if line is not None and line == last and column is not None
        and end is not None and end > column
    ]  # fmt: skip
    if not spans or len({line for line, _, _ in spans}) > 1:
        return ""
    text = linecache.getline(function.__code__.co_filename, spans[0][0]).encode()
    begin, end = min(span[1] for span in spans), max(span[2] for span in spans)
    return text[begin:end].decode(errors="ignore")


def _word(given: Any, scope: Mapping[str, Any]) -> str:
    if isinstance(given, (bool, int, float, str)) or given is None:
        return short(given, _ARGUMENT)
    return name_of(given, scope) or f"<{type(given).__name__}>"


def no_root(found: Any, what: str, count: int) -> str:
    """Why there is nothing to go backward from, as a sentence."""
    kind = type(found).__name__
    if inspect.isgenerator(found) or inspect.iscoroutine(found):
        use = "uses it up, like lambda: sum(f(x))" if kind == "generator" else "runs it"
        return (
            f"{what} is a {kind}: its code runs only when it is used, so nothing was "
            f"recorded. Walk a function that {use}."
        )
    if count > 1:
        return (
            f"{what} is a {kind} with {count} tensors that require grad: walk a function "
            "that returns the one to go backward from, like lambda: f(x)[0]."
        )
    if found is None:
        return f"{what} is None: there is no tensor to go backward from."
    return (
        f"{what} is of type {kind}, not a tensor: there is nothing to go backward from."
    )
