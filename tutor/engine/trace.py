"""Answers a TraceRequest: runs the code under the recorder and goes backward.

What raised is part of the trace, which then holds what was recorded until there.
"""

import ast
import contextlib
import itertools
import linecache
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tutor.engine.recorder import Recorder
from tutor.engine.rules import rules
from tutor.errors import TutorError
from tutor.graph.trace import (
    VERSION,
    Fault,
    Trace,
    TraceEnd,
    TracePart,
    TraceRequest,
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
    code, fault = _parsed(request)
    recorder = Recorder(leaves, result_name=request.call, op_limit=request.op_limit)
    run = _Run(request, leaves, gradient, recorder)
    with _state_kept(fork=not request.from_namespace), recorder:
        if code is not None:
            fault = run.go(code)
    end = TraceEnd(
        code=request.code,
        file=request.file,
        torch=torch.__version__,
        root=_root(recorder),
        dtype=request.dtype,
        fault=fault,
        truncated=recorder.drafts.truncated,
    )
    events = tuple(recorder.drafts.events())
    recorded = assemble([TracePart(VERSION, events, end)])
    found = rules(recorded, recorder.drafts.replays)
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


@dataclass(frozen=True, slots=True)
class _Code:
    """The code, ready to run."""

    body: types.CodeType
    last: types.CodeType | None
    """The last statement, where it is an expression."""
    assigned: str | None
    """The name bound last."""
    file: str


def _parsed(request: TraceRequest) -> tuple[_Code | None, Fault | None]:
    file = request.file or f"<step {next(_numbers)}>"
    try:
        tree = ast.parse(request.code, file)
        last = tree.body[-1] if tree.body else None
        expression = None
        if isinstance(last, ast.Expr):
            tree.body.pop()
            wrapped = ast.Expression(last.value)
            expression = compile(wrapped, file, "eval", dont_inherit=True)
        body = compile(tree, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        text = f"{type(error).__name__}: {reason}"
        return None, Fault(text, line, "parse")
    return _Code(body, expression, _last_assigned(tree.body), file), None


def _last_assigned(body: Sequence[ast.stmt]) -> str | None:
    for statement in reversed(body):
        match statement:
            case ast.Assign(targets=[*_, ast.Name(id=name)]):
                return name
            case ast.AugAssign(target=ast.Name(id=name)):
                return name
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                return name
    return None


def run_traced(code: _Code, namespace: dict[str, Any], call: str | None) -> Any:
    """Run the learner's code; what its last expression or the called function gave.

    The recorder knows this function by its name as where the learner's frames end.
    """
    exec(code.body, namespace)
    last = None if code.last is None else eval(code.last, namespace)
    if call is None:
        return last
    if not callable(namespace.get(call)):
        raise _MissingError(f"The code defines no function {call!r}.")
    return namespace[call](**namespace["__at__"])


class _MissingError(Exception):
    """The code lacks what the request names; `str(error)` is the sentence."""


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

    def go(self, code: _Code) -> Fault | None:
        """Forward and backward; what stopped it."""
        stage = "run"
        lines = self._request.code.splitlines(keepends=True)
        linecache.cache[code.file] = len(self._request.code), None, lines, code.file
        try:
            namespace = self._namespace()
            last = run_traced(code, namespace, self._request.call)
            if self._recorder.drafts.passes:
                return None  # the code went backward itself
            stage = "backward"
            root = self._root(last, code, namespace)
            self._recorder.backward(root, lambda: self._start(root))
        except KeyboardInterrupt as error:
            return Fault("Interrupted.", _line(error, code.file), "interrupt")
        except _MissingError as error:
            return Fault(str(error), None, "backward")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the learner's code
            text = f"{type(error).__name__}: {error}".rstrip(": ")
            line = _line(error, code.file)
            return Fault(text, line, "backward" if stage == "backward" else "run")
        finally:
            linecache.cache.pop(code.file, None)
        return None

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

    def _root(self, last: Any, code: _Code, namespace: dict[str, Any]) -> torch.Tensor:
        name = self._request.root
        if name is None and last is None:
            name = code.assigned
        if name is not None and name not in namespace:
            raise _MissingError(
                f"The code binds no name {name!r}: nothing to go back from."
            )
        found = last if name is None else namespace[name]
        if isinstance(found, torch.Tensor):
            return found
        what = "The last expression" if name is None else repr(name)
        if self._request.call is not None:
            what = f"What {self._request.call!r} returns"
        if found is None:
            raise _MissingError(
                "The code has no value to go backward from: end it in an expression or "
                "an assignment."
            )
        kind = type(found).__name__
        raise _MissingError(
            f"{what} is of type {kind}, not a tensor: there is nothing to go backward "
            "from."
        )

    def _start(self, root: torch.Tensor) -> torch.Tensor | None:
        if self._gradient is None:
            return None
        if self._gradient == "ones":
            return torch.ones_like(root)
        return torch.tensor(self._gradient, dtype=root.dtype, device=root.device)


def _line(error: BaseException, file: str) -> int | None:
    """The line of the code that an exception came from."""
    line = None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == file:
            line = step.tb_lineno
        step = step.tb_next
    return line


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
