"""Answers a TraceRequest: runs the code under the recorder and goes backward.

What raised is part of the trace, which then holds what was recorded until there.
"""

import ast
import contextlib
import itertools
import linecache
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from tutor.engine import store
from tutor.engine.recorder import Recorder
from tutor.engine.rules import rules
from tutor.engine.running import (
    Code,
    MissingError,
    execute,
    fault,
    parse,
    parse_fault,
    run_traced,
)
from tutor.errors import TutorError
from tutor.graph.requests import TraceRequest
from tutor.graph.trace import (
    VERSION,
    Fault,
    Trace,
    TraceEnd,
    TracePart,
    assemble,
    parts,
)

_numbers = itertools.count(1)


def trace(request: TraceRequest) -> Iterator[TracePart]:
    """The messages of one recording. TutorError when a leaf cannot be made."""
    yield from parts(record(request))


def record(request: TraceRequest) -> Trace:
    """Run the request's code once and hand over what happened."""
    leaves = {name: _leaf(name, at, request.dtype) for name, at in request.at.items()}
    gradient = _gradient(request)
    code, stopped = _parsed(request)
    recorder = Recorder(leaves, result_name=request.call, op_limit=request.op_limit)
    run = _Run(request, leaves, gradient, recorder)
    with _state_kept(fork=not request.from_namespace), recorder:
        if code is not None:
            stopped = run.go(code)
    end = TraceEnd(
        code=request.code,
        file=request.file,
        torch=torch.__version__,
        root=_root(recorder),
        dtype=request.dtype,
        fault=stopped,
        truncated=recorder.drafts.truncated,
    )
    try:
        return finished(recorder, end)
    finally:
        if code is not None:
            linecache.cache.pop(code.file, None)


def finished(recorder: Recorder, end: TraceEnd) -> Trace:
    """The trace of a recorder that is closed, with the rules that agree with torch."""
    drafts = recorder.drafts
    events = tuple(drafts.events())
    names, files = {**end.names, **drafts.names}, {**drafts.files, **end.files}
    end = replace(end, id=store.keep(drafts), names=names, files=files)
    recorded = assemble([TracePart(VERSION, events, end)])
    found = rules(recorded, drafts.replays)
    return assemble([TracePart(VERSION, (*events, *found), end)])


def _root(recorder: Recorder) -> int | None:
    passes = recorder.drafts.passes
    return passes[-1].root if passes else recorder.root


# ------------------------------------------------------------------------------- leaves


def _leaf(name: str, at: Any, dtype: str) -> torch.Tensor:
    try:
        return torch.tensor(_numbers_of(at), dtype=_dtype(dtype), requires_grad=True)
    except (TypeError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise TutorError(
            f"{name} cannot be made of {str(at)[:60]}: {reason}; give a number, or "
            "lists of numbers whose rows are equally long."
        ) from error


def _numbers_of(at: Any) -> Any:
    """Nested lists, where the strings that stand for infinity on the wire are numbers."""
    if isinstance(at, (list, tuple)):
        return [_numbers_of(each) for each in at]
    return float(at) if at in ("nan", "inf", "-inf") else at


def _dtype(name: str) -> torch.dtype:
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise TutorError(
            f"{name} is no dtype a gradient can be taken in: use float64 or float32."
        )
    return found


def _gradient(request: TraceRequest) -> Any:
    """None, "ones", or the number or nested lists that were given."""
    if request.grad is None or request.grad == "ones":
        return request.grad
    try:
        return ast.literal_eval(request.grad)
    except (ValueError, SyntaxError) as error:
        raise TutorError(
            f'The gradient {request.grad!r} is neither "ones" nor a number or list.'
        ) from error


# -------------------------------------------------------------------------- running it


def _parsed(request: TraceRequest) -> tuple[Code | None, Fault | None]:
    file = request.file or f"<step {next(_numbers)}>"
    try:
        return parse(request.code, file), None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return None, parse_fault(error)


class _Run:
    """One run of the code, forward and backward."""

    def __init__(
        self,
        request: TraceRequest,
        leaves: dict[str, torch.Tensor],
        gradient: Any,
        recorder: Recorder,
    ) -> None:
        self._request = request
        self._leaves = leaves
        self._gradient = gradient
        self._recorder = recorder

    def go(self, code: Code) -> Fault | None:
        """Forward and backward; what stopped it."""
        backward = False
        namespace: dict[str, Any] = {}
        lines = self._request.code.splitlines(keepends=True)
        linecache.cache[code.file] = len(self._request.code), None, lines, code.file
        try:
            namespace.update(self._namespace())
            last = run_traced(lambda: self._called(code, namespace))
            if self._recorder.drafts.passes:
                return None  # the code went backward itself
            backward = True
            root = self._root(last, code, namespace)
            self._recorder.backward(root, lambda: start_of(self._gradient, root))
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001
            return fault(error, code.file, backward=backward)  # the learner's code
        finally:
            if namespace:
                self._recorder.bind(namespace)
        return None

    def _called(self, code: Code, namespace: dict[str, Any]) -> Any:
        last = execute(code, namespace)
        call = self._request.call
        if call is None:
            return last
        if not callable(namespace.get(call)):
            raise MissingError(f"The code defines no function {call!r}.")
        return namespace[call](**namespace["__at__"])

    def _namespace(self) -> dict[str, Any]:
        request = self._request
        names: dict[str, Any] = {}
        if request.from_namespace:
            from tutor.engine import bridge

            names.update(bridge.namespace())
        names.update(
            __name__="__main__" if request.call is None else "traced",
            __builtins__=__builtins__,
            torch=torch,
            nn=torch.nn,
            F=torch.nn.functional,
        )
        if request.call is not None:
            return {**names, "__at__": self._leaves}
        return {**names, **self._leaves}

    def _root(self, last: Any, code: Code, namespace: dict[str, Any]) -> torch.Tensor:
        name = self._request.root
        if name is None and last is None:
            name = code.assigned
        if name is not None and name not in namespace:
            raise MissingError(
                f"The code binds no name {name!r}: nothing to go back from."
            )
        found = last if name is None else namespace[name]
        if isinstance(found, torch.Tensor):
            return found
        what = "The last expression" if name is None else repr(name)
        if self._request.call is not None:
            what = f"What {self._request.call!r} returns"
        if found is None:
            raise MissingError(
                "The code has no value to go backward from: end it in an expression or "
                "an assignment."
            )
        kind = type(found).__name__
        raise MissingError(
            f"{what} is of type {kind}, not a tensor: there is nothing to go backward "
            "from."
        )


def start_of(gradient: Any, root: torch.Tensor) -> torch.Tensor | None:
    """What backward starts with: None, "ones", a tensor, or numbers in lists."""
    if gradient is None or isinstance(gradient, torch.Tensor):
        return gradient
    if isinstance(gradient, str) and gradient == "ones":
        return torch.ones_like(root)
    return torch.tensor(gradient, dtype=root.dtype, device=root.device)


@contextlib.contextmanager
def _state_kept(*, fork: bool) -> Iterator[None]:
    """What the code may set for all of torch is put back; `fork`: random states too."""
    dtype, enabled = torch.get_default_dtype(), torch.is_grad_enabled()
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(cuda, enabled=fork), torch.enable_grad():
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_grad_enabled(enabled)
