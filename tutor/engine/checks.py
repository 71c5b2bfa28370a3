"""Checks: judging an exercise and a code cell's promise, inside the kernel.

A check runs in a copy of the learner's names, with torch's true functions, for a limited
time, and leaves everything as it was. What it asked with are `check_names`; what its
report means for the learner is `tutor.verdicts`.
"""

import ast
import dataclasses
import linecache
import time
import traceback
import types
from typing import Any

from tutor.engine.check_names import (
    CheckNames,
    at_failure,
    at_hand,
    describe,
    escaped,
    names_at_hand,
)
from tutor.engine.isolation import (
    TimeIsUpError,
    altered_defaults,
    time_limit,
    untouched,
)
from tutor.engine.learner import CheckFailedError, Learner, names_of
from tutor.engine.truth import true_functions
from tutor.messages import CheckReport, CheckRequest, ExpectRequest
from tutor.source import bound_names, first_blank, parsed, same_code

_CHECK_FILE = "<check>"
_DIAGNOSIS_S = 2.0
"""Limit of all `when` of a cell together."""
_EXPECT_S = 10.0


def check(
    request: CheckRequest, namespace: dict[str, Any] | None = None
) -> CheckReport:
    """Judge what the learner's code, already executed, left in the namespace.

    None: the kernel's own.
    """
    started = time.perf_counter()
    namespace = _kernels_namespace() if namespace is None else namespace
    if line := first_blank(request.code):
        message = f"There is still a blank ____ in line {line}: fill it in."
        return CheckReport("failed", message)
    with untouched(namespace), true_functions() as replaced:
        report = _Check(request, namespace).report()
    report = dataclasses.replace(report, seconds=time.perf_counter() - started)
    return _with_notes(report, request, replaced)


def _kernels_namespace() -> dict[str, Any]:
    from tutor.engine import bridge  # it imports this module

    names: dict[str, Any] = bridge.namespace()
    return names


class _Check:
    """One run of one check."""

    def __init__(self, request: CheckRequest, namespace: dict[str, Any]) -> None:
        self.request = request
        self.namespace = namespace
        self.names = CheckNames(namespace, request.code)
        table = at_hand(self.names)
        self.learner: Learner = table["learner"]
        self.scope: dict[str, Any] = {**names_of(self.learner), **table}

    def report(self) -> CheckReport:
        try:
            program = compile(self.request.check, _CHECK_FILE, "exec")
        except (SyntaxError, ValueError) as error:
            return CheckReport("lesson-bug", f"the check is not Python: {error}")
        try:
            with time_limit(self.request.seconds):
                exec(program, self.scope)
        except CheckFailedError as failed:
            mistake = self._mistake(failed)
            return CheckReport("failed", failed.message, failed.detail, mistake)
        except TimeIsUpError as error:
            return CheckReport("timeout", "", self._raised_detail(error))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a learner may raise anything
            if not self._is_learners(error):
                return self._check_raised(error)
            said = f"{type(error).__name__}: {error}"
            detail = self._raised_detail(error)
            return CheckReport("raised", said, detail, self._mistake(error))
        return CheckReport("passed")

    def _check_raised(self, error: BaseException) -> CheckReport:
        """Our mistake, unless the learner's code left torch in a state of its own."""
        if altered := altered_defaults():
            message = f"Your code leaves {' and '.join(altered)}."
            return CheckReport("failed", message, describe(self.names))
        return CheckReport("lesson-bug", _in_check(error))

    def _is_learners(self, error: BaseException) -> bool:
        """Did the learner's code raise it, or the check itself?"""
        return error is escaped(self.names) or self._learner_line(error) is not None

    def _learner_line(self, error: BaseException) -> tuple[str, int] | None:
        """File and line of the learner's innermost frame."""
        own = (self.namespace, names_of(self.learner))
        found = None
        for frame, line in traceback.walk_tb(error.__traceback__):
            if any(frame.f_globals is each for each in own):
                found = (frame.f_code.co_filename, line)
        return found

    def _raised_detail(self, error: BaseException) -> str:
        lines = [describe(self.names)]
        place = self._learner_line(error)
        if place is not None:
            file, number = place
            text = linecache.getline(file, number).strip()
            source = self.request.code.splitlines()
            if not text and number <= len(source):
                text = source[number - 1].strip()
            lines.append(f"line {number}: {text}")
        return "\n".join(line for line in lines if line)

    def _mistake(self, failed: BaseException) -> int | None:
        """Which known wrong answer this is: the first whose `when` holds."""
        scope = {
            **self.scope,
            **_locals_of_check(failed),
            **at_failure(self.names, failed),
        }
        for number, (when, known) in enumerate(
            zip(self.request.when, self.request.known, strict=True)
        ):
            if when is None:
                if same_code(known, self.request.code):
                    return number
            elif _holds(when, scope):
                return number
        return None


def _holds(when: str, scope: dict[str, Any]) -> bool:
    """One that raises does not hold: it may ask for what this failure has not got."""
    try:
        with time_limit(_DIAGNOSIS_S):
            return bool(eval(when, scope))
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - it looks at whatever the learner made
        return False


def _locals_of_check(error: BaseException) -> dict[str, Any]:
    """Variables of the check's own function that the error came through, if any."""
    found: dict[str, Any] = {}
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if _is_check_function(frame):
            found = dict(frame.f_locals)
    return found


def _is_check_function(frame: types.FrameType) -> bool:
    in_check = frame.f_code.co_filename == _CHECK_FILE
    return in_check and frame.f_code.co_name != "<module>"


def _in_check(error: BaseException) -> str:
    """Where the check went wrong, for its author."""
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == _CHECK_FILE
    ]
    where = f"line {lines[-1]} of the check: " if lines else ""
    return f"{where}{type(error).__name__}: {error}"


def _with_notes(
    report: CheckReport, request: CheckRequest, replaced: tuple[str, ...]
) -> CheckReport:
    """Tell of replaced functions, and of own names that a check does not see."""
    notes = []
    if replaced:
        names = ", ".join(f"`{name}`" for name in replaced[:3])
        notes.append(f"You replaced {names}; the check used the true one.")
    if report.outcome in ("failed", "raised"):
        own = sorted(bound_names(request.code) & set(names_at_hand()))
        notes += [f"Your `{name}` is not the `{name}` of the check." for name in own]
    if not notes:
        return report
    if report.outcome == "passed":
        return dataclasses.replace(report, message=" ".join(notes))
    detail = "\n".join([*([report.detail] if report.detail else []), *notes])
    return dataclasses.replace(report, detail=detail)


# -- the promise of a code cell


def expect(
    request: ExpectRequest, namespace: dict[str, Any] | None = None
) -> CheckReport:
    """Compare the value of the cell executed last with what the lesson promises.

    `namespace` as in `check`.
    """
    namespace = _kernels_namespace() if namespace is None else namespace
    names = CheckNames(namespace, request.code)
    scope = {**namespace, **at_hand(names)}
    value = _last_value(request.code, namespace)
    try:
        with untouched(namespace), true_functions(), time_limit(_EXPECT_S):
            for attempt, judge in (
                (request.close, names.close),
                (request.equal, names.equal),
            ):
                if attempt is not None:
                    judge(value, eval(attempt, dict(scope)), "the value")
            _expect_tensor(request, names, value)
    except CheckFailedError as failed:
        return CheckReport("failed", failed.message, failed.detail)
    except (Exception, TimeIsUpError) as error:  # noqa: BLE001 - whatever a lesson says
        said = f"`expect` raised {type(error).__name__}: {error}"
        return CheckReport("lesson-bug", said)
    return CheckReport("passed")


def _expect_tensor(request: ExpectRequest, names: CheckNames, value: Any) -> None:
    if request.shape is not None:
        names.has_shape(value, request.shape, "the value")
    if request.dtype is not None:
        found = str(getattr(value, "dtype", "")).removeprefix("torch.")
        names.equal(found, request.dtype, "its dtype")
    if request.device is not None:
        names.equal(str(getattr(value, "device", "")), request.device, "its device")
    if request.requires_grad is not None:
        found_grad = getattr(value, "requires_grad", None)
        names.equal(found_grad, request.requires_grad, "its requires_grad")


def _last_value(code: str, namespace: dict[str, Any]) -> object:
    """The value of the cell's last line: of an expression, or what a name got.

    An expression's value is in IPython's `Out`, at the number of the last cell; None
    when the cell ends in something else.
    """
    tree = parsed(code)
    last = tree.body[-1] if tree is not None and tree.body else None
    if isinstance(last, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        target = last.targets[-1] if isinstance(last, ast.Assign) else last.target
        return namespace.get(target.id) if isinstance(target, ast.Name) else None
    number = len(namespace.get("In", ())) - 1
    outputs: dict[int, object] = namespace.get("Out", {})
    return outputs.get(number)
