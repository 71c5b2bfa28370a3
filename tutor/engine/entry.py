"""`tutor.step` and `%%step`: the learner's own code under the recorder, where it lives.

It runs as it would without the tutor: what it binds stays bound, its result is handed
on, what it raises is raised. The pass that the tutor adds leaves no mark. What was
recorded goes to the tutor's screen, and where there is none, to stdout as text.
"""

import linecache
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from tutor.engine import again, bridge, grads, telling
from tutor.engine.calls import tensors
from tutor.engine.learner import copied_names
from tutor.engine.recorder import Recorder
from tutor.engine.running import (
    Code,
    MissingError,
    execute,
    fault,
    parse,
    run_traced,
)
from tutor.engine.trace import finished, start_of
from tutor.errors import UsageError
from tutor.graph.trace import Fault, Trace, TraceEnd

_NOTHING = object()
_USAGE = (
    "give it a function and its arguments, like tutor.step(f, x), or a tensor that was "
    "computed, like tutor.step(loss)."
)

_busy = False
"""Something is being recorded: what it steps itself runs as part of that."""


def step(what: Any = _NOTHING, /, *args: Any, grad: Any = None, **keywords: Any) -> Any:
    """Walk `what(*args, **keywords)`, forward and backward; the call's own result.

    `what` is a function, an nn.Module, or anything else that can be called. The walk
    goes backward from what it returned: `grad` says with what, where that is no scalar:
    "ones", a tensor of its shape, or numbers in lists. Where the code called backward()
    itself, that is the pass; else one is added, and `.grad` is as before it.

    `what` may also be a tensor: the graph that torch keeps behind it is shown.
    """
    if what is _NOTHING:
        raise TypeError(f"tutor.step has nothing to walk: {_USAGE}")
    frame = sys._getframe(1)
    scope = {**frame.f_globals, **frame.f_locals}
    if isinstance(what, torch.Tensor):
        if args or keywords:
            raise TypeError(f"tutor.step takes nothing beside a tensor: {_USAGE}")
        from tutor.engine import behind

        with telling.undisturbed():
            telling.tell(behind.view(what, scope))
        return None
    if not callable(what):
        raise TypeError(
            f"tutor.step cannot walk a value of type {type(what).__name__}: {_USAGE}"
        )
    if _busy:
        return what(*args, **keywords)
    call = Call(what, args, keywords, grad)
    file = frame.f_code.co_filename
    states = again.random_states()
    found = record_call(call, scope, file)
    kept = again.Again(lambda made: record_call(call, scope, file).trace, scope, states)
    return _shown(found, kept)


def step_cell(line: str, body: str) -> Any:
    """The cell magic: the code below `%%step`; the value of its last expression."""
    root, gradient = _options(line)
    if not body.strip():
        raise UsageError(
            "%%step has no code below it: write what is to be walked on the next lines."
        )
    shell = bridge.shell()
    text = "\n" + shell.transform_cell(body)  # lines count from the magic's own
    file = _cell_file(shell, text)
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    try:
        code = parse(text, file)
    except SyntaxError as error:
        raise error.with_traceback(None) from None  # as from any cell, not from us
    if _busy:
        return execute(code, shell.user_ns)
    cell = Cell(text, code, root, gradient)
    states, before = again.random_states(), dict(shell.user_ns)
    found = record_cell(cell, shell.user_ns)

    def once_more(made: Mapping[str, torch.Tensor]) -> Trace:
        names = {**copied_names(before), **again.edit_names(made)}
        return record_cell(
            replace(cell, code=again.edited(text, file, made)), names
        ).trace

    made = again.made_by(text, found.trace)
    return _shown(found, again.Again(once_more, before, states, made))


@dataclass(frozen=True, slots=True)
class Call:
    """What `tutor.step` was given."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    keywords: Mapping[str, Any]
    gradient: Any


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell under `%%step`."""

    text: str
    code: Code
    root: str | None
    """A name to go backward from; None: the last expression or assignment."""
    gradient: Any


@dataclass(frozen=True, slots=True)
class Recorded:
    """What happened."""

    trace: Trace
    result: Any
    raised: BaseException | None


def record_call(call: Call, scope: Mapping[str, Any], caller: str) -> Recorded:
    """Run a function under the recorder. `scope`: the names where it was asked for, in
    the file `caller`."""
    function = call.function
    title = telling.call_text(function, call.args, call.keywords, scope)
    names = {
        name: each
        for each in tensors((call.args, dict(call.keywords)))
        if (name := telling.name_of(each, scope)) is not None
    }
    named = getattr(function, "__name__", None)
    file = telling.file_of(function) or caller
    end = TraceEnd(
        code="".join(linecache.getlines(file)),
        file="" if bridge.is_cell(file) else file,
        torch=torch.__version__,
        root=None,
        dtype=str(torch.get_default_dtype()).removeprefix("torch."),
        fault=None,
        truncated=None,
        title=title,
        unrecorded=telling.compiled(function, title),
    )
    recorder = Recorder(
        names,
        variables=scope,
        result_name=named if named is not None and named.isidentifier() else None,
    )
    return _record(
        recorder,
        lambda: function(*call.args, **call.keywords),
        lambda result: _root_of(result, title),
        call.gradient,
        replace(end, files={file: end.code}),
        file,
    )


def record_cell(cell: Cell, namespace: dict[str, Any]) -> Recorded:
    """Run a cell's code in a namespace under the recorder."""
    file = cell.code.file

    def root_of(result: Any) -> torch.Tensor:
        name = cell.root
        if name is None and isinstance(result, torch.Tensor):
            return result
        name = name or cell.code.assigned
        if name is None or name not in namespace:
            raise MissingError(
                "The cell has no value to go backward from: end it in an expression or "
                "an assignment."
                if name is None
                else f"The cell binds no name {name!r}: nothing to go back from."
            )
        return _root_of(namespace[name], name)

    end = TraceEnd(
        code=cell.text,
        file="",
        torch=torch.__version__,
        root=None,
        dtype=str(torch.get_default_dtype()).removeprefix("torch."),
        fault=None,
        truncated=None,
        files={file: cell.text},
        title="%%step",
    )
    recorder = Recorder(variables=namespace)
    work = lambda: execute(cell.code, namespace)  # noqa: E731
    return _record(recorder, work, root_of, cell.gradient, end, file)


def _record(
    recorder: Recorder,
    work: Callable[[], Any],
    root_of: Callable[[Any], torch.Tensor],
    gradient: Any,
    end: TraceEnd,
    file: str,
) -> Recorded:
    global _busy
    result: Any = None
    raised: BaseException | None = None
    stopped: Fault | None = None
    _busy = True
    try:
        with telling.eager(), recorder:
            try:
                result = run_traced(work)
            except BaseException as error:  # noqa: BLE001 - raised again, once told
                raised, stopped = error, fault(error, file)
            else:
                stopped = _backward(recorder, result, root_of, gradient, file)
    finally:
        _busy = False
    passes = recorder.drafts.passes
    end = replace(
        end,
        root=passes[-1].root if passes else recorder.root,
        fault=stopped,
        truncated=recorder.drafts.truncated,
    )
    return Recorded(finished(recorder, end), result, raised)


def _backward(
    recorder: Recorder,
    result: Any,
    root_of: Callable[[Any], torch.Tensor],
    gradient: Any,
    file: str,
) -> Fault | None:
    """Add a pass where the code made none; why it could not be."""
    if recorder.drafts.passes:
        return None
    try:
        root = root_of(result)
        with grads.put_back(root, recorder.met()):
            recorder.backward(root, lambda: start_of(gradient, root), retain=True)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - told in the trace
        return fault(error, file, backward=True)
    return None


def _root_of(found: Any, what: str) -> torch.Tensor:
    if isinstance(found, torch.Tensor):
        return found
    inside = [each for each in tensors(found) if each.requires_grad]
    scalars = [each for each in inside if each.numel() == 1]
    if len(scalars) == 1 or len(inside) == 1:
        return (scalars or inside)[0]
    raise MissingError(telling.no_root(found, what, len(inside)))


def _shown(recorded: Recorded, kept: again.Again) -> Any:
    with telling.undisturbed():
        telling.tell(again.keep(kept, recorded.trace))
    if recorded.raised is not None:
        raise recorded.raised
    return recorded.result


def _options(line: str) -> tuple[str | None, Any]:
    """`%%step [NAME] [grad=ones]`: what to go backward from, and with what."""
    root, gradient = None, None
    for word in line.split():
        if word == "grad=ones":
            gradient = "ones"
        elif word.isidentifier() and root is None:
            root = word
        else:
            raise UsageError(
                f"%%step does not know {word!r}: write %%step alone, or with the name "
                "to go backward from, and with grad=ones where that is no scalar."
            )
    return root, gradient


def _cell_file(shell: Any, text: str) -> str:
    """The name of the file that stands for the cell now running."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        if bridge.is_cell(frame.f_code.co_filename):
            return frame.f_code.co_filename
        frame = frame.f_back
    name: str = shell.compile.cache(text, shell.execution_count, text)
    return name
